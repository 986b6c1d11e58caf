/* SPDX-License-Identifier: MIT */
/* The nearest rows by inverted lists. */
#include "vector/ivf.h"
#include "base/mem.h"
#include "base/status.h"
#include "vector/rotate.h"
#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
	EFFORT_MIN = 150,
	MANY = 64, /* results that are ranked by a sort */
	DIM_MAX = 65536,
};
/*
 * Below this many standard deviations of its error an estimate cannot win;
 * who looks harder is more careful.
 */
#define CERTAIN	     2.0f
#define MORE_CERTAIN 3.5f

void rk_ivf_release(struct rk_ivf *ivf)
{
	rk_free(ivf->owned);
	memset(ivf, 0, sizeof(*ivf));
}

int rk_ivf_check(const struct rk_ivf *v)
{
	if (v->dim == 0 || v->dim > DIM_MAX || v->nlists == 0 ||
	    v->start[0] != 0 || v->start[v->nlists] != v->ngroups)
		return RK_ECORRUPT;
	for (uint32_t i = 0; i < v->nlists; i++)
		if (v->start[i] > v->start[i + 1])
			return RK_ECORRUPT;
	for (size_t i = 0; i < (size_t)v->ngroups * RK_GROUP; i++)
		if (v->row[i] != UINT32_MAX && v->row[i] >= v->rows)
			return RK_ECORRUPT;
	return 0;
}

/* --- searching --- */

struct search {
	const struct rk_ivf *v;
	const struct rk_near_query *s;
	struct rk_code_query q;
	uint64_t *planes;
	struct probe {
		float near, dot;
		uint32_t list;
	} * heap; /* lists by nearness, a heap: best first */
	uint32_t nheap;
	struct rk_near *best; /* estimates, 2 rerank of room */
	uint32_t n, cap;
	uint32_t effort, probes;
	float threshold;
	double spread; /* of scale over what was scanned */
	uint64_t seen;
};

/* The rotated query in 4 bits a coordinate, as planes of bits. */
static int quantise(struct search *c)
{
	size_t dim = c->v->words * 64;
	float *r = rk_malloc(dim * sizeof(*r)), top = 0, delta;
	uint32_t sum = 0;

	c->planes = rk_calloc(RK_PLANES * c->v->words, sizeof(*c->planes));
	if (!r || !c->planes) {
		rk_free(r);
		return -ENOMEM;
	}
	memset(r, 0, dim * sizeof(*r));
	memcpy(r, c->s->q, c->v->dim * sizeof(*r));
	rk_rotate(r, dim);
	for (size_t i = 0; i < dim; i++)
		top = fmaxf(top, fabsf(r[i]));
	delta = top > 0 ? top * 2 / 15 : 1;
	for (size_t i = 0; i < dim; i++) {
		uint32_t u = (uint32_t)(r[i] / delta + 8.0f);

		u = u > 15 ? 15 : u;
		sum += u;
		for (unsigned p = 0; p < RK_PLANES; p++)
			c->planes[p * c->v->words + i / 64] |=
				(uint64_t)(u >> p & 1) << i % 64;
	}
	rk_free(r);
	c->q = (struct rk_code_query){.planes = c->planes,
				      .words = c->v->words,
				      .a = 2 * delta,
				      .b = -delta * (float)sum,
				      .c = 7.5f * delta};
	return 0;
}

static void sift(struct probe *h, uint32_t n, uint32_t i)
{
	struct probe x = h[i];

	for (uint32_t k; (k = 2 * i + 1) < n; i = k) {
		if (k + 1 < n && h[k + 1].near > h[k].near)
			k++;
		if (h[k].near <= x.near)
			break;
		h[i] = h[k];
	}
	h[i] = x;
}

static int rank_lists(struct search *c)
{
	const struct rk_ivf *v = c->v;

	c->heap = rk_malloc(v->nlists * sizeof(*c->heap));
	if (!c->heap)
		return -ENOMEM;
	for (uint32_t i = 0; i < v->nlists; i++) {
		float dot = rk_dot(v->centroids + i * v->stride, c->s->q,
				   v->stride);

		c->heap[i] = (struct probe){dot - v->half[i], dot, i};
	}
	c->nheap = v->nlists;
	for (uint32_t i = v->nlists / 2; i-- > 0;)
		sift(c->heap, c->nheap, i);
	return 0;
}

static struct probe next_list(struct search *c)
{
	struct probe p = c->heap[0];

	c->heap[0] = c->heap[--c->nheap];
	if (c->nheap)
		sift(c->heap, c->nheap, 0);
	return p;
}

/* Bring the `keep` best of n to the front, in no order (Hoare's FIND). */
static void select_best(struct rk_near *v, uint32_t n, uint32_t keep)
{
	int64_t lo = 0, hi = (int64_t)n - 1, k = (int64_t)keep - 1;

	while (lo < hi) {
		float pivot = v[lo + (hi - lo) / 2].score;
		int64_t i = lo, j = hi;

		while (i <= j) {
			while (v[i].score > pivot)
				i++;
			while (v[j].score < pivot)
				j--;
			if (i <= j) {
				struct rk_near t = v[i];

				v[i++] = v[j];
				v[j--] = t;
			}
		}
		if (k <= j)
			hi = j;
		else if (k >= i)
			lo = i;
		else
			return;
	}
}

static void shrink(struct search *c)
{
	uint32_t keep = c->effort;
	float low;

	if (c->n <= keep)
		return;
	select_best(c->best, c->n, keep);
	c->n = keep;
	low = c->best[0].score;
	for (uint32_t i = 1; i < keep; i++)
		low = fminf(low, c->best[i].score);
	c->threshold = low;
}

static int take(struct search *c, uint64_t above, uint32_t group,
		const float *est)
{
	while (above) {
		uint32_t i = (uint32_t)__builtin_ctzll(above);
		uint32_t row = c->v->row[group * RK_GROUP + i];
		int ok = row != UINT32_MAX;

		above &= above - 1;
		if (!ok || est[i] <= c->threshold)
			continue;
		if (c->s->accept &&
		    (ok = c->s->accept(c->s->accept_ctx, row)) < 0)
			return ok;
		if (!ok)
			continue;
		c->best[c->n++] = (struct rk_near){est[i], row};
		if (c->n == c->cap)
			shrink(c);
	}
	return 0;
}

static int scan_list(struct search *c, struct probe p)
{
	const struct rk_ivf *v = c->v;
	float est[RK_SCAN_GROUPS * RK_GROUP];
	int rc = 0;

	for (uint32_t g = v->start[p.list]; g < v->start[p.list + 1] && rc == 0;
	     g += RK_SCAN_GROUPS) {
		uint32_t left = v->start[p.list + 1] - g;
		size_t at = (size_t)g * RK_GROUP;
		uint64_t above;

		if (c->s->cancel && *c->s->cancel)
			return RK_ECANCELLED;
		above = rk_code_scan(&c->q, v->codes + at * v->words,
				     v->scale + at, v->bias + at,
				     left < RK_SCAN_GROUPS ? left
							   : RK_SCAN_GROUPS,
				     p.dot, c->threshold, est);
		c->spread += (double)v->scale[at];
		c->seen++;
		if (above)
			rc = take(c, above, g, est);
	}
	return rc;
}

static int by_score(const void *a, const void *b)
{
	const struct rk_near *x = a, *y = b;

	if (x->score != y->score)
		return x->score > y->score ? -1 : 1;
	return (x->row > y->row) - (x->row < y->row);
}

static void sift_near(struct rk_near *h, uint32_t n, uint32_t i)
{
	struct rk_near x = h[i];

	for (uint32_t k; (k = 2 * i + 1) < n; i = k) {
		if (k + 1 < n && h[k + 1].score > h[k].score)
			k++;
		if (h[k].score <= x.score)
			break;
		h[i] = h[k];
	}
	h[i] = x;
}

/* A heap hands out the best estimates one by one: most are never wanted. */
static void heap_near(struct rk_near *h, uint32_t n)
{
	for (uint32_t i = n / 2; i-- > 0;)
		sift_near(h, n, i);
}

static struct rk_near next_near(struct rk_near *h, uint32_t *n)
{
	struct rk_near x = h[0];

	h[0] = h[--*n];
	if (*n)
		sift_near(h, *n, 0);
	return x;
}

/* Insert into the k best, sorted; the worst falls off. */
static uint32_t insert(struct rk_near *out, uint32_t n, uint32_t k,
		       struct rk_near x)
{
	uint32_t i;

	if (n == k && x.score <= out[k - 1].score)
		return n;
	i = n < k ? n++ : k - 1;
	for (; i > 0 && out[i - 1].score < x.score; i--)
		out[i] = out[i - 1];
	out[i] = x;
	return n;
}

/* Of the rotated signs' error: the bound in the paper, for one row. */
static float margin_of(const struct search *c)
{
	double scale = c->seen ? c->spread / (double)c->seen : 0;

	return (c->effort > EFFORT_MIN ? MORE_CERTAIN : CERTAIN) * 0.6f *
	       (float)scale;
}

/*
 * Exact scores of the few, best estimates first; the rest is left when an
 * estimate is so far below the k-th best that its error cannot make up for it.
 */
static int rank_few(struct search *c, struct rk_near *out)
{
	enum { AHEAD = 4 };
	const struct rk_near_query *s = c->s;
	struct rk_near ahead[AHEAD] = {{0, 0}};
	const float *row[AHEAD] = {NULL};
	float margin = margin_of(c);
	uint32_t n = 0, all = c->n;

	heap_near(c->best, c->n);
	for (uint32_t i = 0; i < all + AHEAD; i++) {
		struct rk_near x = ahead[i % AHEAD];
		const float *r = i >= AHEAD ? row[i % AHEAD] : NULL;

		if (r && n == s->k && x.score + margin < out[n - 1].score)
			break;
		if (c->n > 0) {
			ahead[i % AHEAD] = next_near(c->best, &c->n);
			row[i % AHEAD] =
				s->get(s->get_ctx, ahead[i % AHEAD].row, 1);
			if (!row[i % AHEAD])
				return RK_ECORRUPT;
			for (size_t k = 0; k < c->v->stride; k += 16)
				__builtin_prefetch(row[i % AHEAD] + k);
		}
		if (!r)
			continue;
		x.score = rk_dot(r, s->q, c->v->stride);
		if (x.score >= s->floor)
			n = insert(out, n, s->k, x);
	}
	return (int)n;
}

/* Exact scores of all, in the order of rows: neighbours share pages. */
static int rank_many(struct search *c, struct rk_near *out)
{
	const struct rk_near_query *s = c->s;
	uint32_t n = 0;

	for (uint32_t i = 0; i < c->n; i++) {
		const float *r = s->get(s->get_ctx, c->best[i].row, 1);

		if (!r)
			return RK_ECORRUPT;
		c->best[n].row = c->best[i].row;
		c->best[n].score = rk_dot(r, s->q, c->v->stride);
		n += c->best[n].score >= s->floor;
	}
	qsort(c->best, n, sizeof(*c->best), by_score);
	n = n < s->k ? n : s->k;
	memcpy(out, c->best, n * sizeof(*out));
	return (int)n;
}

static int search_lists(struct search *c)
{
	uint32_t done = 0;
	int rc = 0;

	while (c->nheap && rc == 0 && (done < c->probes || c->n < c->s->k)) {
		rc = scan_list(c, next_list(c));
		done++;
	}
	shrink(c);
	return rc;
}

/* For k of 10 this finds 0.99 of the nearest on text embeddings. */
static uint32_t effort_of(const struct rk_near_query *s)
{
	uint32_t least = s->k + (s->k < 100 ? EFFORT_MIN : s->k / 4);

	return s->effort > s->k ? s->effort : s->effort ? s->k : least;
}

/* Lists by the square root: the more there are, the smaller the share. */
static uint32_t probes_of(const struct rk_ivf *v, const struct rk_near_query *s)
{
	uint32_t n = s->probes;

	if (n == 0)
		n = (uint32_t)(2 * sqrtf((float)v->nlists)) *
		    (s->k > 100 ? 3 : 1);
	return n < v->nlists ? n : v->nlists;
}

int rk_ivf_nearest(const struct rk_ivf *ivf, const struct rk_near_query *s,
		   struct rk_near *out)
{
	struct search c = {.v = ivf,
			   .s = s,
			   .effort = effort_of(s),
			   .probes = probes_of(ivf, s),
			   .threshold = -INFINITY};
	int n = 0, rc = 0;

	assert(s->k > 0);
	if (s->k == 0 || ivf->ngroups == 0)
		return 0;
	c.cap = 2 * c.effort;
	c.best = rk_malloc((c.cap + 1ul) * sizeof(*c.best));
	if (!c.best)
		rc = -ENOMEM;
	if (rc == 0 && (rc = quantise(&c)) == 0 && (rc = rank_lists(&c)) == 0)
		rc = search_lists(&c);
	if (rc == 0)
		n = s->k > MANY ? rank_many(&c, out) : rank_few(&c, out);
	rk_free(c.best);
	rk_free(c.planes);
	rk_free(c.heap);
	return rc < 0 ? rc : n;
}
