/* SPDX-License-Identifier: MIT */
/*
 * From the lanes to one ranking. Convex combination of normalised scores
 * (Bruch, Gai, Ingber 2023): lexical scores by their maximum, cosines between
 * the best and the last of the nearest. Reciprocal ranks (Cormack, Clarke,
 * Buettcher 2009) lose against the lexical lane alone with a weak embedder;
 * they are there for who wants them.
 */
#include "index/search/fuse.h"
#include "index/search/candidates.h"
#include "index/search/match.h"
#include "index/search/semantic.h"
#include "vector/kernels.h"
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FLOOR	    0.5
#define RRF_K	    10.0
#define RRF_LEXICAL 0.8

static int same_place(const struct rk_candidate *a,
		      const struct rk_candidate *b)
{
	return a->source == b->source && a->chunk == b->chunk;
}

static int by_place(const void *a, const void *b)
{
	const struct rk_candidate *x = &((const struct rk_ranked *)a)->c;
	const struct rk_candidate *y = &((const struct rk_ranked *)b)->c;

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

void rk_sort_ranked(struct rk_searching *s, struct rk_ranked *v, size_t n)
{
	if (n)
		qsort_r(v, n, sizeof(*v), by_score, s);
}

/* What is not known yet. */
#define UNKNOWN (-1.0)

/* Both lanes' candidates, each once, with what the lanes know of them. */
static size_t unite(struct rk_searching *s, const double *scores,
		    struct rk_ranked *v)
{
	size_t n = 0, kept = 0;

	for (size_t i = 0; i < s->top.n; i++)
		v[n++] = (struct rk_ranked){.c = s->top.v[i],
					    .matched = 1,
					    .lexical = scores[i],
					    .vector = UNKNOWN};
	for (size_t i = 0; i < s->near.n; i++)
		v[n++] = (struct rk_ranked){.c = s->near.v[i],
					    .lexical = UNKNOWN,
					    .vector =
						    (double)s->near.v[i].score};
	qsort(v, n, sizeof(*v), by_place);
	for (size_t i = 0; i < n; i++) {
		struct rk_ranked *last = kept ? &v[kept - 1] : NULL;

		if (!last || !same_place(&last->c, &v[i].c)) {
			v[kept++] = v[i];
			continue;
		}
		last->matched |= v[i].matched;
		if (v[i].lexical > last->lexical)
			last->lexical = v[i].lexical;
		if (v[i].vector > last->vector)
			last->vector = v[i].vector;
	}
	return kept;
}

/* Cosines of what only the words have found. */
static void score_vector(const struct rk_searching *s, struct rk_ranked *v,
			 size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const float *row;

		if (v[i].vector > UNKNOWN)
			continue;
		row = rk_chunk_vector(&s->src[v[i].c.source], v[i].c.chunk);
		if (row)
			v[i].vector = (double)rk_dot(row, s->qvec,
						     s->snap.space->stride);
	}
}

/* Lexical scores of those that have none yet. */
static int score_lexical(struct rk_searching *s, struct rk_ranked *v, size_t n)
{
	double *scores = rk_arena_alloc(&s->arena, (n + 1) * sizeof(*scores));
	struct rk_candidate *c =
		rk_arena_alloc(&s->arena, (n + 1) * sizeof(*c));
	size_t k = 0;
	int rc;

	if (!scores || !c)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		if (v[i].lexical < 0)
			c[k++] = v[i].c;
	if ((rc = rk_rescore(s, c, k, scores)) < 0)
		return rc;
	k = 0;
	for (size_t i = 0; i < n; i++)
		if (v[i].lexical < 0)
			v[i].lexical = scores[k++];
	return 0;
}

static int descending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x < y) - (x > y);
}

/* 1 + how many of the n descending values are larger. */
static uint32_t rank_of(const double *values, size_t n, double x)
{
	size_t lo = 0, hi = n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (values[mid] > x)
			lo = mid + 1;
		else
			hi = mid;
	}
	return (uint32_t)lo + 1;
}

/* Ranks in each lane; equal scores share one. */
static int number(struct rk_searching *s, struct rk_ranked *v, size_t n)
{
	double *lex = rk_arena_alloc(&s->arena, (n + 1) * sizeof(*lex));
	double *vec = rk_arena_alloc(&s->arena, (n + 1) * sizeof(*vec));

	if (!lex || !vec)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		lex[i] = v[i].lexical;
		vec[i] = v[i].vector;
	}
	qsort(lex, n, sizeof(*lex), descending);
	qsort(vec, n, sizeof(*vec), descending);
	for (size_t i = 0; i < n; i++) {
		if (v[i].lexical > 0)
			v[i].lexical_rank = rank_of(lex, n, v[i].lexical);
		if (v[i].vector > 0)
			v[i].vector_rank = rank_of(vec, n, v[i].vector);
	}
	return 0;
}

static double weight_of(struct rk_searching *s)
{
	int64_t percent = rk_config_int(s->ix, "vector_weight");

	if (s->mode == RK_MODE_VECTOR)
		return 1;
	return percent > 0 ? (double)percent / 100 : s->snap.space->weight;
}

/* How scores of the two lanes become one. */
struct scale {
	double w;	  /* of the vector lane */
	double top;	  /* best lexical score; 0: no words matched */
	double low, high; /* cosines that count as nothing and all */
};

static struct scale make_scale(struct rk_searching *s,
			       const struct rk_ranked *v, size_t n)
{
	struct scale k = {weight_of(s), 0, 1, -1};

	for (size_t i = 0; i < n; i++) {
		if (v[i].lexical > k.top)
			k.top = v[i].lexical;
		if (v[i].vector > k.high)
			k.high = v[i].vector;
	}
	for (size_t i = 0; i < s->near.n; i++)
		if ((double)s->near.v[i].score < k.low)
			k.low = (double)s->near.v[i].score;
	return k;
}

static double fused(const struct scale *k, double lexical, double vector)
{
	double x =
		k->high > k->low ? (vector - k->low) / (k->high - k->low) : 1;

	return (k->top > 0 ? (1 - k->w) * lexical / k->top : 0) +
	       k->w * (x > 0 ? x : 0);
}

/* --- sparing the lexical scores of what cannot be an answer --- */

struct doc_score {
	uint32_t source, doc;
	double score;
};

static int by_doc(const void *a, const void *b)
{
	const struct doc_score *x = a, *y = b;

	if (x->source != y->source)
		return x->source < y->source ? -1 : 1;
	if (x->doc != y->doc)
		return x->doc < y->doc ? -1 : 1;
	return descending(&x->score, &y->score);
}

/*
 * The fused score that some `want` documents are known to reach, among those
 * that the words have found; 0 if there are fewer.
 */
static int known_floor(struct rk_searching *s, const struct scale *k,
		       const struct rk_ranked *v, size_t n, double *out)
{
	struct doc_score *d = rk_arena_alloc(&s->arena, (n + 1) * sizeof(*d));
	double *best = rk_arena_alloc(&s->arena, (n + 1) * sizeof(*best));
	size_t nd = 0, nbest = 0;

	*out = 0;
	if (!d || !best)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		const struct rk_candidate *c = &v[i].c;
		struct rk_found f;

		if (v[i].lexical < 0 ||
		    rk_resolve(s, &s->src[c->source], c->chunk, &f) < 0)
			continue;
		d[nd++] =
			(struct doc_score){c->source, f.doc_number,
					   fused(k, v[i].lexical, v[i].vector)};
	}
	qsort(d, nd, sizeof(*d), by_doc);
	for (size_t i = 0; i < nd; i++)
		if (i == 0 || d[i].source != d[i - 1].source ||
		    d[i].doc != d[i - 1].doc)
			best[nbest++] = d[i].score;
	qsort(best, nbest, sizeof(*best), descending);
	if (nbest >= s->want)
		*out = best[s->want - 1];
	return 0;
}

/* What the words can give at most to a chunk that is not among their best. */
static double lexical_bound(const struct rk_searching *s)
{
	double bound = (double)rk_topk_floor(&s->top);

	if (s->top.n < s->top.k)
		return 0; /* all matches are among them */
	for (unsigned i = 0; i < s->npairs; i++)
		bound += 2 * RK_PAIR_WEIGHT * s->pairs[i].idf *
			 ((double)RK_BM25_K1 + 1);
	return bound;
}

/* Drop what cannot be among the `want` best; the rest is to be scored. */
static size_t drop_hopeless(const struct rk_searching *s, const struct scale *k,
			    double least, struct rk_ranked *v, size_t n)
{
	double bound = lexical_bound(s);
	size_t kept = 0;

	for (size_t i = 0; i < n; i++) {
		if (v[i].lexical < 0 && bound <= 0)
			v[i].lexical = 0;
		if (v[i].lexical >= 0 || fused(k, bound, v[i].vector) >= least)
			v[kept++] = v[i];
	}
	return kept;
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
		if (v[i].matched || v[i].lexical > 0 || v[i].vector >= least)
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

static int fuse_lanes(struct rk_searching *s, const double *scores,
		      struct rk_ranked *v, size_t *n)
{
	int ranks = use_ranks(s), rc;
	double least = 0;
	struct scale k;

	*n = unite(s, scores, v);
	score_vector(s, v, *n);
	k = make_scale(s, v, *n);
	if (!ranks && (rc = known_floor(s, &k, v, *n, &least)) < 0)
		return rc;
	*n = drop_hopeless(s, &k, least, v, *n);
	if ((rc = score_lexical(s, v, *n)) < 0 || (rc = number(s, v, *n)) < 0)
		return rc;
	for (size_t i = 0; i < *n && !ranks; i++)
		v[i].score = fused(&k, v[i].lexical, v[i].vector);
	if (ranks)
		combine_ranks(v, *n);
	if (s->mode == RK_MODE_HYBRID)
		*n = drop_far(s, v, *n);
	return 0;
}

/* In the order that the top was kept by. */
static int by_top(const void *a, const void *b, void *ctx)
{
	const struct rk_ranked *x = a, *y = b;
	struct rk_searching *s = ctx;

	if (same_place(&x->c, &y->c))
		return 0;
	return s->top.before(s, &x->c, &y->c) ? -1 : 1;
}

static void one_lane(struct rk_searching *s, struct rk_ranked *v, size_t *n,
		     const double *scores)
{
	*n = s->top.n;
	for (size_t i = 0; i < *n; i++) {
		v[i] = (struct rk_ranked){.c = s->top.v[i]};
		v[i].lexical = scores[i];
		v[i].score = s->q.sort == RK_SORT_SCORE && s->q.nterms
				     ? scores[i]
				     : 1;
	}
	if (s->q.sort == RK_SORT_NEW)
		qsort_r(v, *n, sizeof(*v), by_top, s);
	else
		rk_sort_ranked(s, v, *n);
	for (size_t i = 0; i < *n; i++)
		v[i].lexical_rank = scores[i] > 0 && s->q.sort == RK_SORT_SCORE
					    ? (uint32_t)i + 1
					    : 0;
}

int rk_fuse(struct rk_searching *s, struct rk_ranked **out, size_t *n)
{
	size_t max = s->top.n + s->near.k + 1;
	double *scores =
		rk_arena_alloc(&s->arena, (s->top.n + 1) * sizeof(*scores));
	int rc;

	assert(s->top.v && s->top.n <= s->top.k);
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
	if ((rc = fuse_lanes(s, scores, *out, n)) < 0)
		return rc;
	rk_sort_ranked(s, *out, *n);
	return 0;
}
