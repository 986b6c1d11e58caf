/* SPDX-License-Identifier: MIT */
#include "fs/find/found.h"
#include "base/hash.h"
#include "fs/base/tree.h"
#include "base/put.h"
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
	NAME_BYTES = 200,
	DIGEST_MAX = 8 << 20, /* larger documents have no sha256 */
	READ_BYTES = 65536,
	PINNED_BYTES = 1024, /* of a pinned document are shown */
	FACET_HITS = 500,
	FACET_VALUES = 100,
	TAGGED_DOCS = 60, /* of them are asked for their tags */
	LINE_DOCS = 1000,
};

struct fs_found *fs_found_ref(struct fs_found *f)
{
	f->refs++;
	return f;
}

static void found_free(struct fs_found *f)
{
	for (size_t i = 0; f && i < f->n; i++) {
		free(f->v[i].name);
		free(f->v[i].path);
		fs_blob_unref(f->v[i].blob);
	}
	if (f)
		free(f->v);
	free(f);
}

void fs_found_unref(struct fs_found *f)
{
	if (f && --f->refs == 0)
		found_free(f);
}

static struct fs_found *found_new(void)
{
	struct fs_found *f = calloc(1, sizeof(*f));

	if (f)
		f->refs = 1;
	return f;
}

/* --- entries --- */

static char *entry_name(size_t number, const char *path)
{
	const char *base = strrchr(path, '/');
	char *out = malloc(NAME_BYTES + 16);
	size_t n, skip;
	int k;

	if (!out)
		return NULL;
	base = base ? base + 1 : path;
	n = strlen(base);
	skip = n > NAME_BYTES ? n - NAME_BYTES : 0; /* the extension stays */
	while (skip && skip < n && (base[skip] & 0xc0) == 0x80)
		skip++;
	k = sprintf(out, "%02zu-", number);
	for (base += skip; *base; base++)
		out[k++] = (unsigned char)*base < ' ' ? '_' : *base;
	out[k] = '\0';
	return out;
}

/* The document's, in hexadecimal; 0 if there is none to be had. */
static int sha256(struct fs_index *x, const char *path, char out[65])
{
	int fd = rk_open_document(x->ix, path);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	unsigned char *buf = malloc(READ_BYTES), md[EVP_MAX_MD_SIZE];
	unsigned md_n = 0;
	struct stat st;
	ssize_t n = -1;

	if (fd >= 0 && ctx && buf && fstat(fd, &st) == 0 &&
	    S_ISREG(st.st_mode) && st.st_size <= DIGEST_MAX &&
	    EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1)
		while ((n = read(fd, buf, READ_BYTES)) > 0)
			EVP_DigestUpdate(ctx, buf, (size_t)n);
	if (n == 0)
		EVP_DigestFinal_ex(ctx, md, &md_n);
	for (unsigned i = 0; i < md_n; i++)
		sprintf(out + 2 * (size_t)i, "%02x", md[i]);
	if (fd >= 0)
		close(fd);
	EVP_MD_CTX_free(ctx);
	free(buf);
	return md_n == 32;
}

static void put_field(struct rk_buf *b, const char *key, const char *value)
{
	if (!*value)
		return;
	rk_buf_printf(b, "%s: ", key);
	rk_put_line(b, value, strlen(value));
	rk_buf_byte(b, '\n');
}

static void put_origin(struct fs_index *x, const char *path, struct rk_buf *b)
{
	char digest[65];

	rk_buf_str(b, "---\npath: ");
	rk_put_path(b, x->path, path);
	rk_buf_byte(b, '\n');
	if (sha256(x, path, digest))
		rk_buf_printf(b, "sha256: %s\n", digest);
}

static int add_entry(struct fs_found *f, const char *path, struct rk_buf *b)
{
	struct fs_entry *e = &f->v[f->n];

	e->name = entry_name(f->n + 1, path);
	e->path = strdup(path);
	e->blob = fs_blob_from(b);
	f->n++;
	if (!e->name || !e->path || !e->blob)
		return -ENOMEM;
	e->blob->body_hash = rk_hash64(e->blob->p, e->blob->n);
	f->hash = rk_mix64(f->hash ^ rk_hash64(e->name, strlen(e->name)) ^
			   e->blob->body_hash);
	return 0;
}

static int add_hit(struct fs_index *x, struct fs_found *f,
		   const struct rk_hit *h)
{
	struct rk_buf b = RK_BUF_INIT;

	put_origin(x, h->path, &b);
	rk_buf_printf(&b, "lines: %u-%u\nscore: %.4f\nref: %016llx\n", h->first,
		      h->last, h->score, (unsigned long long)h->id);
	put_field(&b, "kind", h->kind);
	if (h->page)
		rk_buf_printf(&b, "page: %u\n", h->page);
	put_field(&b, "heading", h->heading);
	put_field(&b, "symbol", h->symbol);
	rk_buf_printf(&b, "tokens: %u\n", h->tokens);
	for (size_t i = 0; i < h->ncopies; i++) {
		rk_buf_str(&b, "copy: ");
		rk_put_path(&b, x->path, h->copies[i]);
		rk_buf_byte(&b, '\n');
	}
	rk_buf_str(&b, "---\n");
	rk_buf_str(&b, h->excerpt);
	return add_entry(f, h->path, &b);
}

/* A document that its reader has put there: how it begins. */
static int add_pinned(struct fs_index *x, struct fs_found *f, const char *path)
{
	struct rk_buf b = RK_BUF_INIT, text = RK_BUF_INIT;

	put_origin(x, path, &b);
	rk_buf_str(&b, "pinned: yes\n---\n");
	if (rk_document_text(x->ix, path, 0, PINNED_BYTES, &text) == 0)
		rk_put_utf8(&b, (char *)text.p, text.n);
	rk_buf_byte(&b, '\n');
	rk_buf_release(&text);
	return add_entry(f, path, &b);
}

/* --- results --- */

static int is_in(const struct rk_buf *paths, const char *path)
{
	const char *s;
	size_t at = 0;

	while ((s = rk_buf_next(paths, &at)))
		if (strcmp(s, path) == 0)
			return 1;
	return 0;
}

static size_t count_in(const struct rk_buf *paths)
{
	size_t n = 0, at = 0;

	while (rk_buf_next(paths, &at))
		n++;
	return n;
}

/* Lines that match a pattern: a file a document. */
static int add_lines(struct fs_index *x, struct fs_found *f,
		     const struct rk_results *r)
{
	int rc = 0;

	for (size_t i = 0, k; i < r->nlines && rc == 0 && f->n < LINE_DOCS;
	     i = k) {
		struct rk_buf b = RK_BUF_INIT;

		put_origin(x, r->lines[i].path, &b);
		rk_buf_str(&b, "---\n");
		for (k = i; k < r->nlines &&
			    strcmp(r->lines[k].path, r->lines[i].path) == 0;
		     k++) {
			rk_buf_printf(&b, "%u:", r->lines[k].line);
			rk_put_utf8(&b, r->lines[k].text, r->lines[k].len);
			rk_buf_byte(&b, '\n');
		}
		rc = add_entry(f, r->lines[i].path, &b);
	}
	return rc;
}

/*
 * What was pinned and what was found, less what was demoted, is one list; a
 * page is a piece of it. Lines have come in pages already.
 */
struct page {
	size_t skip, left;
};

static struct page page_of(const struct rk_results *r, int saved)
{
	size_t before = r->page > 1 ? r->page - 1 : 0;

	if (r->is_lines)
		return (struct page){before ? SIZE_MAX : 0, SIZE_MAX};
	if (!saved)
		return (struct page){0, SIZE_MAX};
	return (struct page){before * r->per_page, r->per_page};
}

static int is_on(struct page *p)
{
	if (p->skip) {
		p->skip--;
		return 0;
	}
	return p->left && p->left--;
}

static int is_there(struct fs_index *x, const char *path)
{
	struct stat st;

	return rk_stat_document(x->ix, path, &st) == 0;
}

static int fill(struct fs_index *x, struct fs_found *f,
		const struct rk_results *r, struct page page,
		const struct rk_buf *pinned, const struct rk_buf *demoted)
{
	size_t room = count_in(pinned) + r->nhits +
		      (r->nlines < LINE_DOCS ? r->nlines : LINE_DOCS);
	const char *path;
	size_t at = 0;
	int rc = 0;

	f->v = calloc(room + 1, sizeof(*f->v));
	if (!f->v)
		return -ENOMEM;
	while (rc == 0 && (path = rk_buf_next(pinned, &at)) != NULL)
		if (is_there(x, path) && is_on(&page))
			rc = add_pinned(x, f, path);
	for (size_t i = 0; i < r->nhits && rc == 0; i++) {
		path = r->hits[i].path;
		if (!is_in(pinned, path) && !is_in(demoted, path) &&
		    is_on(&page))
			rc = add_hit(x, f, rk_results_hit(r, i));
	}
	return rc ? rc : add_lines(x, f, r);
}

int fs_found_search(struct fs_index *x, const char *query, const char *saved,
		    const struct rk_search_opts *opts, struct fs_found **out)
{
	struct rk_buf pinned = RK_BUF_INIT, demoted = RK_BUF_INIT;
	struct fs_found *f = found_new();
	struct rk_search_opts more = *opts;
	struct rk_results *r = NULL;
	int rc = f ? 0 : -ENOMEM;

	if (saved) {
		rk_saved_marks(x->ix, saved, RK_FEEDBACK_PINNED, &pinned);
		rk_saved_marks(x->ix, saved, RK_FEEDBACK_DEMOTED, &demoted);
		more.extra_hits =
			(unsigned)(count_in(&pinned) + count_in(&demoted));
		more.all_pages = 1;
	}
	if (rc == 0)
		rc = rk_search(x->ix, query, strlen(query), &more, &r);
	if (rc == 0) {
		f->generation = r->generation;
		f->complete = r->pending == 0;
		clock_gettime(CLOCK_REALTIME, &f->made);
		rc = fill(x, f, r, page_of(r, saved != NULL), &pinned,
			  &demoted);
		rk_results_free(r);
	}
	rk_buf_release(&pinned);
	rk_buf_release(&demoted);
	if (rc < 0)
		found_free(f);
	else
		*out = f;
	return rc;
}

/* --- facets --- */

const char *const FS_FACET_NAMES[FS_FACETS] = {"by-ext", "by-dir", "by-tag"};

struct value {
	char s[128];
	unsigned n;
};

static void count_value(struct value *v, size_t *n, const char *s, size_t len)
{
	if (len == 0 || len >= sizeof(v->s))
		return;
	for (size_t i = 0; i < *n; i++)
		if (strlen(v[i].s) == len && memcmp(v[i].s, s, len) == 0) {
			v[i].n++;
			return;
		}
	if (*n == FACET_VALUES)
		return;
	memcpy(v[*n].s, s, len);
	v[*n].s[len] = '\0';
	v[(*n)++].n = 1;
}

static void count_tags(struct fs_index *x, const char *path, struct value *v,
		       size_t *n)
{
	struct rk_buf tags = RK_BUF_INIT;
	const char *tag;
	size_t at = 0;

	if (rk_document_tags(x->ix, path, &tags) == 0)
		while ((tag = rk_buf_next(&tags, &at)))
			count_value(v, n, tag, strlen(tag));
	rk_buf_release(&tags);
}

static void count_hit(struct fs_index *x, const char *path, size_t place,
		      enum fs_facet by, struct value *v, size_t *n)
{
	const char *slash = strchr(path, '/'), *base = strrchr(path, '/');
	const char *dot;

	base = base ? base + 1 : path;
	dot = strrchr(base, '.');
	if (by == FS_BY_EXT && dot && dot > base)
		count_value(v, n, dot + 1, strlen(dot + 1));
	if (by == FS_BY_DIR && slash)
		count_value(v, n, path, (size_t)(slash - path));
	if (by == FS_BY_TAG && place < TAGGED_DOCS)
		count_tags(x, path, v, n);
}

static int more_frequent(const void *a, const void *b)
{
	const struct value *x = a, *y = b;

	if (x->n != y->n)
		return x->n > y->n ? -1 : 1;
	return strcmp(x->s, y->s);
}

int fs_found_facet(struct fs_index *x, const char *query, enum fs_facet by,
		   const struct rk_search_opts *opts, struct rk_buf *out)
{
	struct value *v = calloc(FACET_VALUES, sizeof(*v));
	struct rk_search_opts many = *opts;
	struct rk_results *r = NULL;
	size_t n = 0;
	int rc = v ? 0 : -ENOMEM;

	many.no_excerpts = 1;
	many.extra_hits = FACET_HITS;
	many.all_pages = 1;
	if (rc == 0)
		rc = rk_search(x->ix, query, strlen(query), &many, &r);
	for (size_t i = 0; rc == 0 && i < r->nhits; i++)
		count_hit(x, r->hits[i].path, i, by, v, &n);
	for (size_t i = 0; rc == 0 && i < r->nlines; i++)
		if (i == 0 ||
		    strcmp(r->lines[i].path, r->lines[i - 1].path) != 0)
			count_hit(x, r->lines[i].path, i, by, v, &n);
	if (rc == 0 && n)
		qsort(v, n, sizeof(*v), more_frequent);
	for (size_t i = 0; rc == 0 && i < n; i++)
		rk_buf_name(out, v[i].s);
	rk_results_free(r);
	free(v);
	return rc;
}
