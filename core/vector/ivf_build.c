/* SPDX-License-Identifier: MIT */
/* Inverted lists from rows: k-means on a sample, then codes. */
#include "vector/ivf.h"
#include "base/mem.h"
#include "base/status.h"
#include "vector/rotate.h"
#include <assert.h>
#include <cblas.h>
#include <errno.h>
#include <math.h>
#include <string.h>

enum {
	SMALL = 20000, /* rows below are one list */
	ROWS_A_LIST = 160,
	LISTS_MAX = 4096,
	SAMPLE_A_LIST = 48, /* rows of the k-means sample for each list */
	SAMPLE_MIN = 4096,
	ITERATIONS = 8,
	BLOCK = 512, /* rows assigned in one matrix product */
};

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
