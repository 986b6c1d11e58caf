/* SPDX-License-Identifier: MIT */
/*
 * From the lanes to one ranking. Convex combination of normalised scores
 * (Bruch, Gai, Ingber 2023): lexical scores by their maximum, cosines between
 * the best and the last of the nearest. Reciprocal ranks (Cormack, Clarke,
 * Buettcher 2009) lose against the lexical lane alone with a weak embedder;
 * they are there for who wants them.
 */
#include "index/search_internal.h"
#include "vector/kernels.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FLOOR	    0.5
#define RRF_K	    10.0
#define RRF_LEXICAL 0.8

static int same_place(const struct rk_cand *a, const struct rk_cand *b)
{
	return a->source == b->source && a->chunk == b->chunk;
}

static int by_place(const void *a, const void *b)
{
	const struct rk_cand *x = &((const struct rk_ranked *)a)->c;
	const struct rk_cand *y = &((const struct rk_ranked *)b)->c;

	if (x->source != y->source)
		return x->source < y->source ? -1 : 1;
	return (x->chunk > y->chunk) - (x->chunk < y->chunk);
}

static int by_key(double x, double y, const struct rk_ranked *a,
		  const struct rk_ranked *b, void *s)
{
	if (x != y)
		return x > y ? -1 : 1;
	if (same_place(&a->c, &b->c))
		return 0;
	return rk_place_before(s, &a->c, &b->c) ? -1 : 1;
}

static int by_score(const void *a, const void *b, void *s)
{
	const struct rk_ranked *x = a, *y = b;

	return by_key(x->score, y->score, x, y, s);
}

static int by_lexical(const void *a, const void *b, void *s)
{
	const struct rk_ranked *x = a, *y = b;

	return by_key(x->lexical, y->lexical, x, y, s);
}

static int by_vector(const void *a, const void *b, void *s)
{
	const struct rk_ranked *x = a, *y = b;

	return by_key(x->vector, y->vector, x, y, s);
}

/* Both lanes' candidates, each once. */
static size_t unite(struct rk_searching *s, struct rk_ranked *v)
{
	size_t n = 0, kept = 0;

	for (size_t i = 0; i < s->top.n; i++)
		v[n++] = (struct rk_ranked){.c = s->top.v[i]};
	for (size_t i = 0; i < s->near.n; i++)
		v[n++] = (struct rk_ranked){.c = s->near.v[i]};
	qsort(v, n, sizeof(*v), by_place);
	for (size_t i = 0; i < n; i++)
		if (kept == 0 || !same_place(&v[kept - 1].c, &v[i].c))
			v[kept++] = v[i];
	return kept;
}

static int score_lexical(struct rk_searching *s, struct rk_ranked *v, size_t n)
{
	double *scores = rk_arena_alloc(&s->arena, (n + 1) * sizeof(*scores));
	struct rk_cand *c = rk_arena_alloc(&s->arena, (n + 1) * sizeof(*c));
	int rc;

	if (!scores || !c)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		c[i] = v[i].c;
	if ((rc = rk_rescore(s, c, n, scores)) < 0)
		return rc;
	for (size_t i = 0; i < n; i++)
		v[i].lexical = scores[i];
	return 0;
}

static void score_vector(const struct rk_searching *s, struct rk_ranked *v,
			 size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const float *row =
			rk_chunk_vector(&s->src[v[i].c.source], v[i].c.chunk);

		v[i].vector = row ? (double)rk_dot(row, s->qvec,
						   s->snap.space->stride)
				  : -1;
	}
}

static void number(struct rk_searching *s, struct rk_ranked *v, size_t n)
{
	qsort_r(v, n, sizeof(*v), by_lexical, s);
	for (size_t i = 0; i < n; i++)
		v[i].lexical_rank = v[i].lexical > 0 ? (uint32_t)i + 1 : 0;
	qsort_r(v, n, sizeof(*v), by_vector, s);
	for (size_t i = 0; i < n; i++)
		v[i].vector_rank =
			i < s->near.k && v[i].vector > 0 ? (uint32_t)i + 1 : 0;
}

static double weight_of(struct rk_searching *s)
{
	int64_t percent = rk_config_int(s->ix, "vector_weight");

	if (s->mode == RK_MODE_VECTOR)
		return 1;
	return percent > 0 ? (double)percent / 100 : s->snap.space->weight;
}

static void combine(struct rk_searching *s, struct rk_ranked *v, size_t n)
{
	double w = weight_of(s), top = 0, high = -1, low = 1;

	for (size_t i = 0; i < n; i++) {
		if (v[i].lexical > top)
			top = v[i].lexical;
		if (v[i].vector > high)
			high = v[i].vector;
	}
	for (size_t i = 0; i < s->near.n; i++)
		if ((double)s->near.v[i].score < low)
			low = (double)s->near.v[i].score;
	for (size_t i = 0; i < n; i++) {
		double x = high > low ? (v[i].vector - low) / (high - low) : 1;

		v[i].score = (top > 0 ? (1 - w) * v[i].lexical / top : 0) +
			     w * (x > 0 ? x : 0);
	}
}

/*
 * What only the vector lane has found must be near in earnest. Without a fit
 * nothing is: hashed dimensions know no other words than the query's. With
 * one, a share of the nearest chunk's cosine is asked for; embedders of texts
 * give any two texts much of that, so the share is of the range of cosines.
 */
static size_t drop_far(const struct rk_searching *s, struct rk_ranked *v,
		       size_t n)
{
	const struct rk_latent *l = s->snap.space->latent;
	double high = -1, low = 1, least;
	size_t kept = 0;

	for (size_t i = 0; i < n; i++) {
		high = v[i].vector > high ? v[i].vector : high;
		low = v[i].vector < low ? v[i].vector : low;
	}
	least = l ? l->chunks ? FLOOR * high : 2 : low + FLOOR * (high - low);
	for (size_t i = 0; i < n; i++)
		if (v[i].lexical > 0 || v[i].vector >= least)
			v[kept++] = v[i];
	return kept;
}

static void combine_ranks(struct rk_ranked *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		v[i].score = 0;
		if (v[i].lexical_rank)
			v[i].score += RRF_LEXICAL / (RRF_K + v[i].lexical_rank);
		if (v[i].vector_rank)
			v[i].score +=
				(1 - RRF_LEXICAL) / (RRF_K + v[i].vector_rank);
	}
}

static int use_ranks(struct rk_searching *s)
{
	int yes;

	pthread_mutex_lock(&s->ix->config_lock);
	yes = strcmp(s->ix->config.fusion, "rrf") == 0;
	pthread_mutex_unlock(&s->ix->config_lock);
	return yes && s->mode == RK_MODE_HYBRID;
}

static int fuse_lanes(struct rk_searching *s, struct rk_ranked *v, size_t *n)
{
	int rc;

	*n = unite(s, v);
	if ((rc = score_lexical(s, v, *n)) < 0)
		return rc;
	score_vector(s, v, *n);
	number(s, v, *n);
	if (use_ranks(s))
		combine_ranks(v, *n);
	else
		combine(s, v, *n);
	if (s->mode == RK_MODE_HYBRID)
		*n = drop_far(s, v, *n);
	return 0;
}

static void one_lane(struct rk_searching *s, struct rk_ranked *v, size_t *n,
		     const double *scores)
{
	*n = s->top.n;
	for (size_t i = 0; i < *n; i++) {
		v[i] = (struct rk_ranked){.c = s->top.v[i]};
		v[i].lexical = v[i].score = s->q.nterms ? scores[i] : 1;
	}
	qsort_r(v, *n, sizeof(*v), by_score, s);
	for (size_t i = 0; i < *n; i++)
		v[i].lexical_rank = s->q.nterms ? (uint32_t)i + 1 : 0;
}

int rk_fuse(struct rk_searching *s, struct rk_ranked **out, size_t *n)
{
	size_t max = s->top.n + s->near.k + 1;
	double *scores =
		rk_arena_alloc(&s->arena, (s->top.n + 1) * sizeof(*scores));
	int rc;

	*out = rk_arena_alloc(&s->arena, max * sizeof(**out));
	if (!scores || !*out)
		return -ENOMEM;
	if ((rc = rk_rescore(s, s->top.v, s->top.n, scores)) < 0)
		return rc;
	if (s->mode != RK_MODE_LEXICAL &&
	    ((rc = rk_semantic_query(s, scores)) < 0 ||
	     (s->qvec && (rc = rk_semantic_scan(s)) < 0)))
		return rc;
	if (!s->qvec) {
		one_lane(s, *out, n, scores);
		return 0;
	}
	if ((rc = fuse_lanes(s, *out, n)) < 0)
		return rc;
	qsort_r(*out, *n, sizeof(**out), by_score, s);
	return 0;
}
