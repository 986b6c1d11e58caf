/* SPDX-License-Identifier: MIT */
/*
 * .rankfs/chunks/<path>/: a document as it was cut, a file a chunk: front
 * matter that says where it is from, then its text. Names begin with a number;
 * what follows is for people and may be left out.
 */
#include "fs.h"
#include "base/hash.h"
#include "render.h"
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SLUG_BYTES = 40, NAME_BYTES = 80 };

/* --- names --- */

/* Letters and digits of the last heading, or of the first symbol. */
static void slug(const struct rk_part *p, char out[SLUG_BYTES + 1])
{
	const char *s = *p->symbol ? p->symbol : p->heading, *last;
	size_t n = 0;

	if (s == p->heading && (last = strstr(s, " > ")))
		while (last) {
			s = last + 3;
			last = strstr(s, " > ");
		}
	for (; *s && n < SLUG_BYTES &&
	       !(s > p->symbol && *p->symbol && *s == ' ');
	     s++) {
		if (isalnum((unsigned char)*s) || *s == '_')
			out[n++] = *s;
		else if (n && out[n - 1] != '-')
			out[n++] = '-';
	}
	while (n && out[n - 1] == '-')
		n--;
	out[n] = '\0';
}

static void chunk_name(const struct rk_part *p, size_t i, char *out)
{
	char s[SLUG_BYTES + 1];

	slug(p, s);
	snprintf(out, NAME_BYTES, "%04zu%s%s.md", i + 1, *s ? "-" : "", s);
}

/* --- a chunk --- */

static void put_field(struct rk_buf *out, const char *key, const char *value)
{
	rk_buf_printf(out, "%s: ", key);
	fs_put_text(out, value, strlen(value));
	rk_buf_byte(out, '\n');
}

static void put_front(struct fs *fs, const char *path, const struct rk_part *p,
		      struct rk_buf *out)
{
	rk_buf_str(out, "---\npath: ");
	fs_put_path(out, fs->mountpoint, path);
	rk_buf_printf(out, "\nlines: %u-%u\nref: %016llx\nkind: %s\n", p->first,
		      p->last, (unsigned long long)p->id, p->kind);
	if (p->page)
		rk_buf_printf(out, "page: %u\n", p->page);
	if (*p->heading)
		put_field(out, "heading", p->heading);
	if (*p->symbol)
		put_field(out, "symbol", p->symbol);
	rk_buf_printf(out, "tokens: %u\n---\n", p->tokens);
}

/* text: the document's path, a slash, a number */
static int chunk_answer(struct fs *fs, const char *text,
			const struct rk_search_opts *opts,
			struct fs_answer *out)
{
	const char *slash = strrchr(text, '/');
	char *path = strndup(text, (size_t)(slash - text));
	size_t i = strtoul(slash + 1, NULL, 10) - 1;
	struct rk_parts *parts = NULL;
	int rc = path ? 0 : -ENOMEM;

	(void)opts;
	out->generation = rk_generation(fs->ix);
	out->pending = rk_pending(fs->ix);
	if (rc == 0)
		rc = rk_document_parts(fs->ix, path, &parts);
	if (rc == 0 && i >= parts->n)
		rc = -ENOENT;
	if (rc == 0) {
		const struct rk_part *p = &parts->v[i];
		struct rk_buf body = RK_BUF_INIT;

		put_front(fs, path, p, &out->text);
		rc = rk_document_text(fs->ix, path, p->off, (size_t)p->len,
				      &body);
		fs_put_utf8(&out->text, (char *)body.p, body.n);
		rk_buf_byte(&out->text, '\n');
		rk_buf_release(&body);
		out->hash = rk_hash64(out->text.p, out->text.n);
	}
	rk_parts_free(parts);
	free(path);
	return rc;
}

static const struct fs_view CHUNK = {"chunk", chunk_answer};

/* --- the folder of a document's chunks --- */

static void chunks_lookup(fuse_req_t req, struct fs *fs, struct fs_node *parent,
			  const char *name)
{
	size_t digits = strspn(name, "0123456789"), room;
	struct rk_parts *parts = NULL;
	unsigned long i = strtoul(name, NULL, 10);
	struct fs_node *n = NULL;
	char *text;
	int rc;

	if (digits == 0 || digits > 8 || i == 0 ||
	    (name[digits] && name[digits] != '-' && name[digits] != '.')) {
		fuse_reply_err(req, ENOENT);
		return;
	}
	rc = rk_document_parts(fs->ix, parent->path, &parts);
	if (rc == 0 && i > parts->n)
		rc = -ENOENT;
	rk_parts_free(parts);
	if (rc < 0) {
		fuse_reply_err(req, fs_errno(rc));
		return;
	}
	room = strlen(parent->path) + 16;
	if ((text = malloc(room))) {
		snprintf(text, room, "%s/%lu", parent->path, i);
		n = fs_view_node(fs, &CHUNK, text);
	}
	free(text);
	if (!n)
		fuse_reply_err(req, ENOMEM);
	else
		fs_view_reply(req, fs, n);
}

/* The names, each with its NUL: what this handle lists. */
static struct fs_blob *list(struct fs *fs, const char *path)
{
	struct rk_parts *parts = NULL;
	struct rk_buf b = RK_BUF_INIT;

	rk_buf_add(&b, ".\0..", 5);
	if (rk_document_parts(fs->ix, path, &parts) == 0)
		for (size_t i = 0; i < parts->n; i++) {
			char name[NAME_BYTES];

			chunk_name(&parts->v[i], i, name);
			rk_buf_add(&b, name, strlen(name) + 1);
		}
	rk_parts_free(parts);
	return fs_blob_from(&b);
}

static void chunks_readdir(fuse_req_t req, struct fs *fs, struct fs_handle *h,
			   size_t size, off_t off, int plus)
{
	if (!h->blob)
		h->blob = list(fs, h->node->path);
	if (!h->blob)
		fuse_reply_err(req, ENOMEM);
	else
		fs_list_blob(req, h->blob, size, off, plus);
}

static void chunks_free(struct fs *fs, struct fs_node *n)
{
	(void)fs;
	free(n->path);
	free(n);
}

const struct fs_kind FS_CHUNKS = {
	.name = ".rankfs/chunks/<path>/",
	.lookup = chunks_lookup,
	.getattr = fs_virtual_dir_getattr,
	.release = fs_blob_release,
	.readdir = chunks_readdir,
	.forget = chunks_free,
	.stat = fs_virtual_dir_stat,
};
