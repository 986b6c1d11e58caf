/* SPDX-License-Identifier: MIT */
/* From ranked chunks to the hits of an answer. */
#include "index/search/hits.h"
#include "index/search/candidates.h"
#include "base/mem.h"
#include "text/symbols/entity.h"
#include "text/extract/kind.h"
#include "vector/kernels.h"
#include <assert.h>
#include <errno.h>
#include <string.h>

enum {
	PER_PROSE = 1, /* hits of one document */
	PER_CODE = 3,
	TWIN_TOKENS = 20, /* shorter texts are alike by chance */
	COPIES_MAX = 20,
};
#define TWIN_COSINE 0.985f

/* What the chunk is: the kind of what it defines first, or the document's. */
static const char *kind_of(const struct rk_found *f, struct rk_arena *a)
{
	const char *p = f->head + f->chunk.head_n + f->chunk.sym_n;
	struct rk_entity_ref e;

	if (rk_entity_next(&p, p + f->chunk.ent_n, &e))
		return rk_arena_strndup(a, e.kind, e.kind_n);
	return rk_kind_name((enum rk_kind)f->doc.kind);
}

static int fill_hit(const struct rk_found *f, struct rk_answer *a,
		    struct rk_hit *h, const struct rk_ranked *r, double best)
{
	*h = (struct rk_hit){
		.path = rk_arena_strndup(&a->arena, f->path, f->doc.path_n),
		.line = r->line ? r->line : f->chunk.line,
		.first = f->chunk.line,
		.last = f->chunk.line + f->chunk.nlines - 1,
		.off = f->chunk.off,
		.len = f->chunk.len,
		.score = best > 0 ? r->score / best : 1,
		.raw = r->score,
		.lexical = r->lexical,
		.vector = r->vector,
		.lexical_rank = r->lexical_rank,
		.vector_rank = r->vector_rank,
		.id = f->chunk.id,
		.page = f->chunk.page,
		.heading =
			rk_arena_strndup(&a->arena, f->head, f->chunk.head_n),
		.symbol = rk_arena_strndup(&a->arena, f->head + f->chunk.head_n,
					   f->chunk.sym_n),
		.kind = kind_of(f, &a->arena),
		.language = rk_language_name((enum rk_language)f->doc.language),
		.excerpt = "",
		.excerpt_line = r->line, /* 0: the excerpt decides */
		.complete = f->doc.nchunks == 1,
		.tokens = rk_token_estimate(f->chunk.len),
		.size = f->doc.size,
		.mtime_ns = f->doc.mtime_ns,
	};
	return h->path && h->heading && h->symbol && h->kind ? 0 : -ENOMEM;
}

static unsigned hits_of(const struct rk_results *r, const char *path)
{
	unsigned n = 0;

	for (size_t i = 0; i < r->nhits; i++)
		n += strcmp(r->hits[i].path, path) == 0;
	return n;
}

static unsigned places_of(const struct rk_searching *s,
			  const struct rk_found *f)
{
	return f->doc.kind == RK_KIND_CODE || s->q.format == RK_AS_PACK
		       ? PER_CODE
		       : PER_PROSE;
}

/* The hit of another document that says the same, or nearly so; or NULL. */
static struct rk_hit *twin_of(struct rk_searching *s, struct rk_answer *a,
			      const struct rk_candidate *c,
			      const struct rk_hit *h)
{
	const float *v = rk_chunk_vector(&s->src[c->source], c->chunk);

	if (h->tokens < TWIN_TOKENS)
		return NULL;
	for (size_t i = 0; i < a->r.nhits; i++) {
		struct rk_hit *x = &a->r.hits[i];
		const float *w;

		if (strcmp(x->path, h->path) == 0 || x->tokens < TWIN_TOKENS)
			continue;
		if (x->id == h->id && x->len == h->len)
			return x;
		if (!v || x->tokens * 10 < h->tokens * 9 ||
		    h->tokens * 10 < x->tokens * 9)
			continue;
		w = rk_chunk_vector(&s->src[a->chosen[i].source],
				    a->chosen[i].chunk);
		if (w && rk_dot(v, w, s->snap.space->stride) >= TWIN_COSINE)
			return x;
	}
	return NULL;
}

static int add_copy(struct rk_answer *a, struct rk_hit *h, const char *path)
{
	const char **v;

	for (size_t i = 0; i < h->ncopies; i++)
		if (strcmp(h->copies[i], path) == 0)
			return 0;
	if (h->ncopies == COPIES_MAX)
		return 0;
	v = rk_arena_alloc(&a->arena, (h->ncopies + 1) * sizeof(*v));
	if (!v)
		return -ENOMEM;
	if (h->ncopies)
		memcpy(v, h->copies, h->ncopies * sizeof(*v));
	v[h->ncopies++] = path;
	h->copies = v;
	return 0;
}

int rk_choose_hits(struct rk_searching *s, const struct rk_ranked *v, size_t n,
		   struct rk_answer *a)
{
	assert(!a->r.hits && a->r.nhits == 0);
	a->r.hits = rk_calloc(s->want + 1, sizeof(*a->r.hits));
	a->chosen =
		rk_arena_alloc(&a->arena, (s->want + 1) * sizeof(*a->chosen));
	if (!a->r.hits || !a->chosen)
		return -ENOMEM;
	for (size_t i = 0; i < n && a->r.nhits < s->want; i++) {
		struct rk_hit *h = &a->r.hits[a->r.nhits], *twin;
		struct rk_qsource *src = &s->src[v[i].c.source];
		struct rk_found f;

		if (src->bad || rk_resolve(s, src, v[i].c.chunk, &f) < 0)
			continue;
		if (fill_hit(&f, a, h, &v[i], v[0].score) < 0)
			return -ENOMEM;
		if (h->score < s->q.min)
			break; /* they only get worse */
		if (hits_of(&a->r, h->path) >= places_of(s, &f))
			continue;
		twin = s->q.sort == RK_SORT_SCORE ? twin_of(s, a, &v[i].c, h)
						  : NULL;
		if (twin && add_copy(a, twin, h->path) < 0)
			return -ENOMEM;
		if (!twin)
			a->chosen[a->r.nhits++] = v[i].c;
	}
	return 0;
}

void rk_turn_pages(struct rk_searching *s, struct rk_answer *a)
{
	size_t extra = s->opts.extra_hits, skip;

	assert(s->q.page > 0);
	a->r.per_page =
		(s->want - (extra < s->want ? extra : 0)) / (size_t)s->q.page;
	skip = (size_t)(s->q.page - 1) * a->r.per_page;
	if (s->global || s->opts.all_pages)
		return;
	if (skip > a->r.nhits)
		skip = a->r.nhits;
	a->r.nhits -= skip;
	memmove(a->r.hits, a->r.hits + skip, a->r.nhits * sizeof(*a->r.hits));
}
