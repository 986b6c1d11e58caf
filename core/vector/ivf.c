/* SPDX-License-Identifier: MIT */
#include "vector/ivf.h"
#include "base/mem.h"
#include "base/status.h"
#include "vector/rotate.h"
#include <assert.h>
#include <cblas.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
	SMALL = 20000, /* rows below are one list */
	ROWS_A_LIST = 160,
	LISTS_MAX = 4096,
	SAMPLE_A_LIST = 48, /* rows of the k-means sample for each list */
	SAMPLE_MIN = 4096,
	EFFORT_MIN = 150,
	MANY = 64, /* results that are ranked by a sort */
	ITERATIONS = 8,
	BLOCK = 512, /* rows assigned in one matrix product */
	DIM_MAX = 65536,
};
/*
 * Below this many standard deviations of its error an estimate cannot win;
 * who looks harder is more careful.
 */
#define CERTAIN	     2.0f
#define MORE_CERTAIN 3.5f

uint32_t rk_ivf_lists(uint32_t rows)
{
	uint32_t n = rows / ROWS_A_LIST;

	if (rows < SMALL)
		return 1;
	return n < LISTS_MAX ? n : LISTS_MAX;
}

static size_t code_words(uint32_t dim)
{
	return (dim + 63) / 64;
}

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

/* --- building --- */

struct builder {
	rk_rows_fn *get;
	void *ctx;
	uint32_t rows, dim, nlists;
	size_t stride, words;
	const _Atomic int *cancel;
	float *centroids, *half; /* half: |c|^2 / 2 */
	uint32_t *list;		 /* by row; UINT32_MAX: a row of zeros */
	uint32_t *count;	 /* by list */
	float *dots;		 /* BLOCK x nlists */
	float *block;		 /* BLOCK rows */
};

static void builder_release(struct builder *b)
{
	rk_free(b->centroids);
	rk_free(b->half);
	rk_free(b->list);
	rk_free(b->count);
	rk_free(b->dots);
	rk_free(b->block);
}

static int builder_alloc(struct builder *b)
{
	b->centroids = rk_aligned_alloc(64, b->nlists * b->stride *
						    sizeof(*b->centroids));
	b->half = rk_calloc(b->nlists, sizeof(*b->half));
	b->list = rk_malloc((b->rows + 1ul) * sizeof(*b->list));
	b->count = rk_calloc(b->nlists + 1ul, sizeof(*b->count));
	b->dots = rk_malloc(BLOCK * (size_t)b->nlists * sizeof(*b->dots));
	b->block = rk_aligned_alloc(64, BLOCK * b->stride * sizeof(*b->block));
	if (!b->centroids || !b->half || !b->list || !b->count || !b->dots ||
	    !b->block)
		return -ENOMEM;
	memset(b->centroids, 0, b->nlists * b->stride * sizeof(*b->centroids));
	return 0;
}

static void update_half(struct builder *b)
{
	for (uint32_t i = 0; i < b->nlists; i++) {
		const float *c = b->centroids + i * b->stride;

		b->half[i] = rk_dot(c, c, b->stride) / 2;
	}
}

/* The nearest list of each of n rows; UINT32_MAX for zeros. */
static void assign(const struct builder *b, const float *rows, uint32_t n,
		   uint32_t *list)
{
	if (b->nlists > 1)
		cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)n,
			    (int)b->nlists, (int)b->stride, 1, rows,
			    (int)b->stride, b->centroids, (int)b->stride, 0,
			    b->dots, (int)b->nlists);
	for (uint32_t i = 0; i < n; i++) {
		const float *r = rows + i * b->stride;
		const float *d = b->dots + (size_t)i * b->nlists;
		uint32_t best = 0;

		for (uint32_t k = 1; k < b->nlists; k++)
			if (d[k] - b->half[k] > d[best] - b->half[best])
				best = k;
		list[i] = rk_dot(r, r, b->stride) > 0 ? best : UINT32_MAX;
	}
}

/*
 * The sample: n rows spread evenly over all, read where they lie, since a copy
 * would be the largest thing in memory.
 */
static const float *sample_row(const struct builder *b, uint32_t n, uint32_t i)
{
	return b->get(b->ctx, (uint32_t)((uint64_t)i * b->rows / n), 1);
}

/* Sums of the sample's rows by list, and how many each has. */
static int sum_lists(struct builder *b, uint32_t n, const uint32_t *list)
{
	memset(b->count, 0, (b->nlists + 1ul) * sizeof(*b->count));
	memset(b->centroids, 0, b->nlists * b->stride * sizeof(*b->centroids));
	for (uint32_t i = 0; i < n; i++) {
		const float *r;

		if (list[i] == UINT32_MAX)
			continue;
		if (!(r = sample_row(b, n, i)))
			return RK_ECORRUPT;
		rk_axpy(b->centroids + list[i] * b->stride, r, 1, b->stride);
		b->count[list[i]]++;
	}
	return 0;
}

/* New centroids from the sample's assignment; empty ones take a row. */
static int recentre(struct builder *b, uint32_t n, const uint32_t *list)
{
	int rc;

	if ((rc = sum_lists(b, n, list)) < 0)
		return rc;
	for (uint32_t k = 0; k < b->nlists; k++) {
		float *c = b->centroids + k * b->stride;
		const float *r;

		if (b->count[k] == 0) {
			assert(n > 0);
			r = sample_row(b, n, (uint32_t)(k * 2654435761ull % n));
			if (!r)
				return RK_ECORRUPT;
			memcpy(c, r, b->stride * sizeof(*c));
			continue;
		}
		for (size_t j = 0; j < b->stride; j++)
			c[j] /= (float)b->count[k];
	}
	update_half(b);
	return 0;
}

/* Lists of the sample's rows [at, at + k), by way of a block of copies. */
static int assign_block(struct builder *b, uint32_t n, uint32_t at, uint32_t k,
			uint32_t *list)
{
	for (uint32_t i = 0; i < k; i++) {
		const float *r = sample_row(b, n, at + i);

		if (!r)
			return RK_ECORRUPT;
		memcpy(b->block + i * b->stride, r,
		       b->stride * sizeof(*b->block));
	}
	assign(b, b->block, k, list + at);
	return 0;
}

/* Lists begin with rows spread over the sample; then Lloyd's rounds. */
static int refine(struct builder *b, uint32_t n, uint32_t *list)
{
	int rounds = b->nlists > 1 ? ITERATIONS : 1, rc;

	memset(list, 0xff, n * sizeof(*list));
	for (uint32_t k = 0; k < b->nlists; k++)
		list[(uint64_t)k * n / b->nlists] = k;
	rc = recentre(b, n, list);
	while (rc == 0 && rounds-- > 0) {
		if (b->cancel && *b->cancel)
			return RK_ECANCELLED;
		for (uint32_t at = 0; at < n && rc == 0; at += BLOCK)
			rc = assign_block(b, n, at,
					  n - at < BLOCK ? n - at : BLOCK,
					  list);
		if (rc == 0)
			rc = recentre(b, n, list);
	}
	return rc;
}

static int cluster(struct builder *b)
{
	uint64_t want = (uint64_t)b->nlists * SAMPLE_A_LIST;
	uint32_t n = b->rows, *list;
	int rc;

	if (want < SAMPLE_MIN)
		want = SAMPLE_MIN;
	if (want < n)
		n = (uint32_t)want;
	list = rk_malloc((n + 1ul) * sizeof(*list));
	rc = !list ? -ENOMEM : n > 0 ? refine(b, n, list) : 0;
	rk_free(list);
	return rc;
}

static int assign_all(struct builder *b)
{
	memset(b->count, 0, (b->nlists + 1ul) * sizeof(*b->count));
	for (uint32_t at = 0; at < b->rows; at += BLOCK) {
		uint32_t n = b->rows - at < BLOCK ? b->rows - at : BLOCK;
		const float *rows = b->get(b->ctx, at, n);

		if (!rows)
			return RK_ECORRUPT;
		if (b->cancel && *b->cancel)
			return RK_ECANCELLED;
		assign(b, rows, n, b->list + at);
		for (uint32_t i = at; i < at + n; i++)
			if (b->list[i] != UINT32_MAX)
				b->count[b->list[i]]++;
	}
	return 0;
}

/* Where the arrays of an index lie in one allocation. */
struct layout {
	float *centroids, *half, *scale, *bias;
	uint32_t *start, *row;
	uint64_t *codes;
};

static int lay_out(const struct builder *b, struct rk_ivf *v, struct layout *l)
{
	size_t groups = 0, n, bytes;
	char *p;

	for (uint32_t k = 0; k < b->nlists; k++)
		groups += (b->count[k] + RK_GROUP - 1) / RK_GROUP;
	n = groups * RK_GROUP;
	bytes = n * b->words * 8 + b->nlists * b->stride * 4 + n * 12 +
		(2 * b->nlists + 1ul) * 4;
	v->owned = p = rk_aligned_alloc(64, bytes + 64);
	if (!p)
		return -ENOMEM;
	l->codes = (uint64_t *)(void *)p;
	p += n * b->words * 8;
	l->centroids = (float *)(void *)p;
	p += b->nlists * b->stride * 4;
	l->scale = (float *)(void *)p;
	l->bias = l->scale + n;
	l->row = (uint32_t *)(void *)(l->bias + n);
	l->start = l->row + n;
	l->half = (float *)(void *)(l->start + b->nlists + 1);
	memset(l->codes, 0, n * b->words * 8);
	memset(l->scale, 0, n * 8);
	memset(l->row, 0xff, n * 4);
	v->rows = b->rows;
	v->dim = b->dim;
	v->nlists = b->nlists;
	v->stride = b->stride;
	v->words = b->words;
	v->ngroups = (uint32_t)groups;
	v->centroids = l->centroids;
	v->half = l->half;
	v->start = l->start;
	v->codes = l->codes;
	v->scale = l->scale;
	v->bias = l->bias;
	v->row = l->row;
	return 0;
}

/* One row at slot `at`: the signs of its rotated residual, and two factors. */
static void encode(const struct builder *b, struct layout *l, uint32_t row,
		   const float *v, size_t at, float *scratch)
{
	const float *c = b->centroids + b->list[row] * b->stride;
	size_t dim = b->words * 64, bits = 0;
	uint64_t *code =
		l->codes + at / RK_GROUP * b->words * RK_GROUP + at % RK_GROUP;
	double sum = 0, len = 0, scale;

	memset(scratch, 0, dim * sizeof(*scratch));
	for (size_t i = 0; i < b->dim; i++)
		scratch[i] = v[i] - c[i];
	rk_rotate(scratch, dim);
	for (size_t i = 0; i < dim; i++) {
		len += (double)scratch[i] * (double)scratch[i];
		sum += fabs((double)scratch[i]);
		if (scratch[i] > 0) {
			code[i / 64 * RK_GROUP] |= 1ull << i % 64;
			bits++;
		}
	}
	/* <r, s> over <s, s>-like: makes <s, q> an estimate of <r, q> */
	scale = sum > 0 ? len / sum : 0;
	l->scale[at] = (float)scale;
	l->bias[at] = (float)(scale * (2.0 * (double)bits - (double)dim));
	l->row[at] = row;
}

static int encode_all(struct builder *b, struct layout *l)
{
	float *scratch = rk_malloc(b->words * 64 * sizeof(*scratch));
	uint32_t *next = rk_malloc((b->nlists + 1ul) * sizeof(*next));
	int rc = scratch && next ? 0 : -ENOMEM;
	uint32_t groups = 0;

	for (uint32_t k = 0; k <= b->nlists && rc == 0; k++) {
		l->start[k] = groups;
		next[k] = groups * RK_GROUP;
		if (k < b->nlists)
			groups += (b->count[k] + RK_GROUP - 1) / RK_GROUP;
	}
	for (uint32_t r = 0; r < b->rows && rc == 0; r++) {
		const float *v;

		if (b->list[r] == UINT32_MAX)
			continue;
		if (b->cancel && *b->cancel)
			rc = RK_ECANCELLED;
		else if (!(v = b->get(b->ctx, r, 1)))
			rc = RK_ECORRUPT;
		else
			encode(b, l, r, v, next[b->list[r]]++, scratch);
	}
	rk_free(scratch);
	rk_free(next);
	return rc;
}

int rk_ivf_build(rk_rows_fn *get, void *ctx, uint32_t rows, uint32_t dim,
		 uint32_t nlists, const _Atomic int *cancel, struct rk_ivf *out)
{
	struct builder b = {.get = get,
			    .ctx = ctx,
			    .rows = rows,
			    .dim = dim,
			    .nlists = nlists > rows ? rows ? rows : 1 : nlists,
			    .stride = rk_vec_stride(dim),
			    .words = code_words(dim),
			    .cancel = cancel};
	struct rk_ivf v = {.owned = NULL};
	struct layout l;
	int rc = builder_alloc(&b);

	assert(nlists > 0 && dim > 0);
	if (rc == 0 && (rc = cluster(&b)) == 0 && (rc = assign_all(&b)) == 0 &&
	    (rc = lay_out(&b, &v, &l)) == 0) {
		memcpy(l.centroids, b.centroids,
		       b.nlists * b.stride * sizeof(float));
		memcpy(l.half, b.half, b.nlists * sizeof(float));
		rc = encode_all(&b, &l);
	}
	builder_release(&b);
	if (rc < 0) {
		rk_ivf_release(&v);
		return rc;
	}
	*out = v;
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
