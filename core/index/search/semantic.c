/* SPDX-License-Identifier: MIT */
/*
 * The vector lane: the query's vector, and the chunks nearest to it.
 *
 * With a weak embedder the vector that is searched for leans towards the
 * centroid of the best lexical hits (pseudo-relevance feedback;
 * core/doc/quality.md has what that is worth).
 *
 * BLAS chooses the candidates of an exact scan; one dot product of our own
 * ranks them, because BLAS's last bits depend on the shape of the matrix.
 */
#include "index/search/semantic.h"
#include "index/search/candidates.h"
#include "index/search/like.h"
#include "index/search/match.h"
#include "index/vectors/embspaces.h"
#include "vector/kernels.h"
#include <assert.h>
#include <cblas.h>
#include <errno.h>
#include <string.h>

enum {
	FEEDBACK = 5, /* lexical hits that make the centroid */
	DEPTH = 500,  /* nearest chunks that get a score, at least */
	DEPTH_MAX = 4000,
	ROWS = 1024, /* of one matrix-vector product */
};
#define BLAS_SLACK 1e-5f /* its error, generously */

/* --- the query's vector --- */

static void add_scaled(float *to, const float *v, double w, size_t n)
{
	for (size_t i = 0; i < n; i++)
		to[i] += (float)(w * (double)v[i]);
}

static void embed_terms(struct rk_searching *s, const struct rk_latent *l,
			float *out)
{
	struct rk_latent_sum sum = {{0}};

	for (unsigned t = 0; t < s->q.nterms; t++) {
		const struct rk_qterm *e = &s->q.terms[t];
		uint64_t key;

		if (!rk_term_scores(e) || e->df == 0 ||
		    e->match != RK_TERM_EXACT)
			continue;
		key = rk_latent_key(e->s, e->n);
		rk_latent_add(l, &sum, key, rk_latent_row(l, key),
			      (uint32_t)e->weight);
		for (unsigned i = 0; i < e->nalts; i++) {
			key = rk_latent_key(e->alts[i].s, strlen(e->alts[i].s));
			rk_latent_add(l, &sum, key, rk_latent_row(l, key),
				      (uint32_t)e->weight);
		}
	}
	rk_latent_vector(l, &sum, out);
}

/* Ties by place: which hits they are must not depend on segments. */
static int better(struct rk_searching *s, const double *scores, size_t a,
		  size_t b)
{
	if (scores[a] != scores[b])
		return scores[a] > scores[b];
	return rk_place_before(s, &s->top.v[a], &s->top.v[b]);
}

/* q += some of the unit centroid of the best lexical hits */
static void add_feedback(struct rk_searching *s, const double *scores, float *q,
			 float *centroid)
{
	size_t n = s->snap.space->stride, best[FEEDBACK], nbest = 0;

	for (size_t i = 0; i < s->top.n; i++) {
		size_t at = nbest < FEEDBACK ? nbest++ : FEEDBACK;

		while (at > 0 && better(s, scores, i, best[at - 1])) {
			if (at < FEEDBACK)
				best[at] = best[at - 1];
			at--;
		}
		if (at < FEEDBACK)
			best[at] = i;
	}
	memset(centroid, 0, n * sizeof(*centroid));
	for (size_t i = 0; i < nbest; i++) {
		const struct rk_candidate *c = &s->top.v[best[i]];
		const float *v = rk_chunk_vector(&s->src[c->source], c->chunk);

		if (v)
			add_scaled(centroid, v, scores[best[i]], n);
	}
	if (rk_unit(centroid, n))
		add_scaled(q, centroid, s->snap.space->feedback, n);
}

int rk_semantic_prepare(struct rk_searching *s)
{
	size_t k = 10 * s->want;

	k = k < DEPTH ? DEPTH : k > DEPTH_MAX ? DEPTH_MAX : k;
	s->mode = s->q.sort == RK_SORT_SCORE ? s->q.mode : RK_MODE_LEXICAL;
	if (s->snap.space->stride == 0 ||
	    (s->opts.vector && s->opts.vector_dim != s->snap.space->dim) ||
	    (s->q.nterms == 0 && !s->q.like && !s->opts.vector &&
	     (s->snap.space->latent || !s->q.text.n)))
		s->mode = RK_MODE_LEXICAL;
	else if (s->q.nterms == 0 && s->opts.vector)
		s->mode = RK_MODE_VECTOR;
	if (s->mode == RK_MODE_LEXICAL)
		return 0;
	s->near = (struct rk_topk){
		.v = rk_arena_alloc(&s->arena, k * sizeof(struct rk_candidate)),
		.k = k,
		.before = rk_place_before,
		.ctx = s,
	};
	return s->near.v ? 0 : -ENOMEM;
}

/* A server that is away: the words answer alone, and the header says so. */
static int no_vector(struct rk_searching *s, int rc)
{
	s->mode = RK_MODE_LEXICAL;
	return rc;
}

int rk_semantic_query(struct rk_searching *s, const double *scores)
{
	const struct rk_embspace *sp = s->snap.space;
	size_t bytes = sp->stride * sizeof(float);
	float *q = rk_arena_alloc(&s->arena, 2 * bytes + 64);
	double feedback = sp->feedback;
	int rc;

	if (!q)
		return -ENOMEM;
	q = (float *)(((uintptr_t)q + 63) & ~(uintptr_t)63);
	memset(q, 0, bytes);
	if (s->opts.vector)
		memcpy(q, s->opts.vector, sp->dim * sizeof(*q));
	else if (s->q.like && rk_like_vector(s, q))
		feedback = 0;
	else if (sp->latent)
		embed_terms(s, sp->latent, q);
	else if ((rc = rk_embed_query(s->ix, sp, (char *)s->q.text.p,
				      s->q.text.n, q)) <= 0)
		return no_vector(s, rc);
	if (feedback > 0 && !s->opts.vector)
		add_feedback(s, scores, q, q + sp->stride);
	if (!rk_unit(q, sp->stride))
		return 0;
	s->qvec = q;
	return 0;
}

/* --- the scan --- */

struct scan {
	struct rk_searching *s;
	struct rk_qsource *src;
	unsigned source;
	struct rk_allowed allowed;
};

static float floor_of(const struct rk_topk *t)
{
	return t->n < t->k ? -2.0f : t->v[0].score;
}

static int offer(struct scan *c, uint32_t chunk, float score)
{
	int ok = rk_allowed_ok(&c->allowed, chunk);

	if (ok < 0)
		return ok;
	if (ok)
		rk_topk_offer(&c->s->near,
			      (struct rk_candidate){score, c->source, chunk});
	return 0;
}

/* n rows, all of them: chunks from `chunk` on */
static int scan_rows(struct scan *c, const float *rows, uint32_t chunk,
		     uint32_t n)
{
	const struct rk_searching *s = c->s;
	size_t stride = s->snap.space->stride;
	float rough[ROWS];

	cblas_sgemv(CblasRowMajor, CblasNoTrans, (int)n, (int)stride, 1, rows,
		    (int)stride, s->qvec, 1, 0, rough, 1);
	for (uint32_t i = 0; i < n; i++) {
		float score;
		int rc;

		/* a row of zeros is a vector that is not there */
		if (rough[i] == 0.0f ||
		    rough[i] + BLAS_SLACK < floor_of(&s->near))
			continue;
		score = rk_dot(rows + i * stride, s->qvec, stride);
		if (score < floor_of(&s->near))
			continue;
		if ((rc = offer(c, chunk + i, score)) < 0)
			return rc;
	}
	return 0;
}

static int scan_exact(struct scan *c)
{
	uint32_t n = c->src->nchunks;
	int rc = 0;

	for (uint32_t at = 0; at < n && rc == 0; at += ROWS) {
		uint32_t k = n - at < ROWS ? n - at : ROWS;
		const float *rows =
			c->src->mem ? rk_memtable_vector(c->src->mem, at)
				    : rk_vectors_rows(c->src->vec, at, k);

		if (c->s->opts.cancel && *c->s->opts.cancel)
			return RK_ECANCELLED;
		/* damaged: the embedding thread makes the file again */
		if (!rows)
			return 0;
		rc = scan_rows(c, rows, at, k);
	}
	return rc;
}

/* --- through an index --- */

static const float *get_rows(void *v, uint32_t row, uint32_t n)
{
	return rk_vectors_rows(v, row, n);
}

static int allowed(void *ctx, uint32_t chunk)
{
	const struct scan *c = ctx;

	return rk_allowed_ok(&c->allowed, chunk);
}

static int scan_index(struct scan *c)
{
	struct rk_searching *s = c->s;
	uint32_t k = (uint32_t)s->near.k;
	struct rk_near *out = rk_arena_alloc(&s->arena, k * sizeof(*out));
	struct rk_near_query q = {
		.q = s->qvec,
		.k = k,
		.floor = floor_of(&s->near),
		.get = get_rows,
		.get_ctx = c->src->vec,
		.accept = allowed,
		.accept_ctx = c,
		.cancel = s->opts.cancel,
	};
	int n;

	if (!out)
		return -ENOMEM;
	n = rk_ann_nearest(c->src->ann, &q, out);
	for (int i = 0; i < n; i++)
		rk_topk_offer(&s->near,
			      (struct rk_candidate){out[i].score, c->source,
						    out[i].row});
	return n < 0 ? n : 0;
}

static int scan_source(struct scan *c)
{
	int rc = rk_allowed_open(c->s, c->src, &c->allowed);

	if (rc < 0)
		return rc;
	if (!c->src->ann)
		return scan_exact(c);
	rc = scan_index(c);
	/* damaged vectors answer as if there were none; they are made anew */
	return rc == RK_ECORRUPT && c->src->vec->damaged ? 0 : rc;
}

int rk_semantic_scan(struct rk_searching *s)
{
	int rc = 0;

	assert(s->near.k > 0);
	for (unsigned i = 0; i < s->nsrc && rc == 0; i++) {
		struct scan c = {s, &s->src[i], i, {NULL, NULL}};

		if (!c.src->has_vectors || c.src->bad)
			continue;
		rc = scan_source(&c);
		if (rc == RK_ECORRUPT) {
			rk_source_failed(c.src);
			rc = 0;
		}
	}
	return rc;
}
