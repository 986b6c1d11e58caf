/* SPDX-License-Identifier: MIT */
/* The chunks of one document, and its text. */
#include "index/documents/texts.h"
#include "index/state/internal.h"
#include "base/mem.h"
#include "text/chunk/chunk.h"
#include "text/symbols/entity.h"
#include <errno.h>
#include <string.h>
#include <unistd.h>

struct parts {
	struct rk_chunk_infos p;
	struct rk_arena arena;
};

void rk_chunk_infos_free(struct rk_chunk_infos *p)
{
	struct parts *x = (struct parts *)p;

	if (!x)
		return;
	rk_arena_release(&x->arena);
	rk_free(x->p.v);
	rk_free(x);
}

static int add_part(struct parts *x, const struct rk_chunk_rec *c,
		    const char *head, const struct rk_doc_rec *d)
{
	struct rk_chunk_info *p = &x->p.v[x->p.n];
	const char *ent = head + c->head_n + c->sym_n;
	struct rk_entity_ref e;

	*p = (struct rk_chunk_info){
		.id = c->id,
		.first = c->line,
		.last = c->line + c->nlines - 1,
		.off = c->off,
		.len = c->len,
		.page = c->page,
		.tokens = rk_token_estimate(c->len),
		.heading = rk_arena_strndup(&x->arena, head, c->head_n),
		.symbol =
			rk_arena_strndup(&x->arena, head + c->head_n, c->sym_n),
		.kind = rk_kind_name((enum rk_kind)d->kind),
	};
	if (rk_entity_next(&ent, ent + c->ent_n, &e))
		p->kind = rk_arena_strndup(&x->arena, e.kind, e.kind_n);
	x->p.n++;
	return p->heading && p->symbol && p->kind ? 0 : -ENOMEM;
}

/* `writer` is held: the document and its tables stay. */
static int collect(const struct rk_docref *d, struct parts *x)
{
	int rc = 0;

	x->p.v = rk_calloc(d->rec.nchunks + 1, sizeof(*x->p.v));
	if (!x->p.v)
		return -ENOMEM;
	for (uint32_t i = 0; i < d->rec.nchunks && rc == 0; i++) {
		uint32_t n = d->rec.chunk0 + i;
		const struct rk_chunk_rec *c =
			d->mem ? &d->mem->chunks[n]
			       : rk_segment_chunk(d->seg, n);
		const char *head =
			!c	  ? NULL
			: !d->mem ? rk_segment_head(d->seg, c)
			: d->mem->heads.n > 0
				? (char *)d->mem->heads.p + c->head_off
				: "";

		rc = head ? add_part(x, c, head, &d->rec) : RK_ECORRUPT;
	}
	return rc;
}

int rk_document_chunks(struct rk_index *ix, const char *path,
		       struct rk_chunk_infos **out)
{
	struct parts *x = rk_calloc(1, sizeof(*x));
	struct rk_docref d;
	int rc;

	if (!x)
		return -ENOMEM;
	pthread_mutex_lock(&ix->writer);
	rc = rk_find_live(ix, path, strlen(path), &d);
	rc = rc == 1 ? collect(&d, x) : rc == 0 ? -ENOENT : rc;
	pthread_mutex_unlock(&ix->writer);
	if (rc < 0) {
		rk_chunk_infos_free(&x->p);
		return rc;
	}
	*out = &x->p;
	return 0;
}

static int is_document(struct rk_index *ix, const char *path)
{
	struct rk_docref d;
	int rc;

	pthread_mutex_lock(&ix->writer);
	rc = rk_find_live(ix, path, strlen(path), &d);
	pthread_mutex_unlock(&ix->writer);
	return rc;
}

int rk_document_whole(struct rk_index *ix, const char *path, struct rk_buf *out,
		      int *cut)
{
	struct rk_text t = RK_TEXT_INIT;
	int rc = is_document(ix, path), fd;

	if (rc <= 0)
		return rc < 0 ? rc : -ENOENT;
	if ((fd = rk_open_document(ix, path)) < 0)
		return fd;
	rc = rk_read_text(ix, fd, path, RK_READ_AGAIN, &t);
	close(fd);
	if (rc == 0 && t.kind == RK_KIND_BINARY)
		rc = -ENODATA;
	if (rc == 0)
		rk_buf_add(out, t.p, t.n);
	*cut = (t.flags & RK_TEXT_TRUNCATED) != 0;
	rk_text_release(&t);
	return rc ? rc : out->err;
}

int rk_document_text(struct rk_index *ix, const char *path, uint64_t off,
		     size_t len, struct rk_buf *out)
{
	int fd = rk_open_document(ix, path), rc;
	struct rk_text t = RK_TEXT_INIT;

	if (fd < 0)
		return fd;
	rc = rk_read_range(ix, fd, path, off, len, &t);
	close(fd);
	if (rc == 0)
		rk_buf_add(out, t.p, t.n);
	rk_text_release(&t);
	return rc ? rc : out->err;
}
