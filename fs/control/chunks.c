/* SPDX-License-Identifier: MIT */
/*
 * .rankfs/chunks/<path>/: a document as it was cut, a file a chunk: front
 * matter that says where it is from, then its text. Names begin with a number;
 * what follows is for people and may be left out.
 */
#include "base/hash.h"
#include "fs/base/errno.h"
#include "fs/base/node.h"
#include "fs/base/pool.h"
#include "fs/base/tree.h"
#include "fs/query/query.h"
#include "base/put.h"
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SLUG_BYTES = 40, NAME_BYTES = 80 };

/* --- names --- */

/* Letters and digits of the last heading, or of the first symbol. */
static void slug(const struct rk_chunk_info *p, char out[SLUG_BYTES + 1])
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

static void chunk_name(const struct rk_chunk_info *p, size_t i, char *out)
{
	char s[SLUG_BYTES + 1];

	slug(p, s);
	snprintf(out, NAME_BYTES, "%04zu%s%s.md", i + 1, *s ? "-" : "", s);
}

/* --- a chunk --- */

static void put_field(struct rk_buf *out, const char *key, const char *value)
{
	rk_buf_printf(out, "%s: ", key);
	rk_put_line(out, value, strlen(value));
	rk_buf_byte(out, '\n');
}

static void put_front(struct fs_index *x, const char *path,
		      const struct rk_chunk_info *p, struct rk_buf *out)
{
	rk_buf_str(out, "---\npath: ");
	rk_put_path(out, x->path, path);
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
static int chunk_answer(struct fs_node *node, const struct rk_search_opts *opts,
			struct fs_answer *out)
{
	struct fs_index *x = node->index;
	const char *text = node->text;
	const char *slash = strrchr(text, '/');
	char *path = strndup(text, (size_t)(slash - text));
	size_t i = strtoul(slash + 1, NULL, 10) - 1;
	struct rk_chunk_infos *parts = NULL;
	int rc = path ? 0 : -ENOMEM;

	(void)opts;
	out->generation = rk_generation(x->ix);
	out->pending = rk_pending(x->ix);
	if (rc == 0)
		rc = rk_document_chunks(x->ix, path, &parts);
	if (rc == 0 && i >= parts->n)
		rc = -ENOENT;
	if (rc == 0) {
		const struct rk_chunk_info *p = &parts->v[i];
		struct rk_buf body = RK_BUF_INIT;

		put_front(x, path, p, &out->text);
		rc = rk_document_text(x->ix, path, p->off, (size_t)p->len,
				      &body);
		rk_put_utf8(&out->text, (char *)body.p, body.n);
		rk_buf_byte(&out->text, '\n');
		rk_buf_release(&body);
		out->hash = rk_hash64(out->text.p, out->text.n);
	}
	rk_chunk_infos_free(parts);
	free(path);
	return rc;
}

static const struct fs_file CHUNK = {
	.name = "chunk",
	.kind = &FS_QUERY,
	.mode = 0444,
	.dir = ".rankfs/chunks",
	.answer = chunk_answer,
	.effect_without_words = RK_EFFECT_LIKELY,
};

/* --- the folder of a document's chunks --- */

/* The number that a name begins with; 0: it is none of a chunk. */
static unsigned long number_of(const char *name)
{
	size_t digits = strspn(name, "0123456789");

	if (digits == 0 || digits > 8 ||
	    (name[digits] && name[digits] != '-' && name[digits] != '.'))
		return 0;
	return strtoul(name, NULL, 10);
}

/* Nodes are the loop's: it is held. */
static void reply_chunk(fuse_req_t req, struct fs_index *x, const char *path,
			unsigned long i)
{
	size_t room = strlen(path) + 16;
	struct rk_chunk_infos *parts = NULL;
	struct fs_node *n = NULL;
	char *text = malloc(room);
	int rc = rk_document_chunks(x->ix, path, &parts);

	if (rc == 0 && i > parts->n)
		rc = -ENOENT;
	rk_chunk_infos_free(parts);
	if (rc == 0 && text) {
		snprintf(text, room, "%s/%lu", path, i);
		n = fs_view_node(x, &CHUNK, text);
	}
	free(text);
	if (n)
		fs_view_reply(req, x->fs, n, NULL);
	else
		fuse_reply_err(req, rc < 0 ? fs_errno(rc) : ENOMEM);
}

/* Both wait for what was written before, as queries do. */
static int wait_for(struct fs_index *x, const _Atomic int *cancel)
{
	return rk_barrier(x->ix, (int)rk_config_int(x->ix, "wait_ms"),
			  cancel) == RK_ECANCELLED
		       ? RK_ECANCELLED
		       : 0;
}

static int chunks_list(struct fs_node *dir, const _Atomic int *cancel,
		       struct rk_buf *b)
{
	struct rk_chunk_infos *parts = NULL;
	int rc = wait_for(dir->index, cancel);

	if (rc == 0 &&
	    rk_document_chunks(dir->index->ix, dir->text, &parts) == 0)
		for (size_t i = 0; i < parts->n; i++) {
			char name[NAME_BYTES];

			chunk_name(&parts->v[i], i, name);
			fs_list_add(b, 'f', name);
		}
	rk_chunk_infos_free(parts);
	return rc;
}

struct chunks_job {
	struct fs_job job;
	fuse_req_t req;
	struct fs_node *dir;
	unsigned long number;
};

static void chunks_run(struct fs_job *job)
{
	struct chunks_job *j = (struct chunks_job *)job;
	struct fs_index *x = j->dir->index;

	wait_for(x, NULL);
	pthread_mutex_lock(&x->fs->loop);
	reply_chunk(j->req, x, j->dir->text, j->number);
	pthread_mutex_unlock(&x->fs->loop);
	free(j);
}

static void chunks_lookup(fuse_req_t req, struct fs *fs, struct fs_node *parent,
			  const char *name)
{
	unsigned long i = number_of(name);
	struct chunks_job *j = i ? calloc(1, sizeof(*j)) : NULL;

	if (!j) {
		fuse_reply_err(req, i ? ENOMEM : ENOENT);
		return;
	}
	*j = (struct chunks_job){
		{.run = chunks_run, .x = parent->index}, req, parent, i};
	fs_run(fs, &j->job);
}

const struct fs_kind FS_CHUNKS = {
	.name = ".rankfs/chunks/<path>/",
	.lookup = chunks_lookup,
	.list = chunks_list,
	.list_later = 1,
};
