/* SPDX-License-Identifier: MIT */
/*
 * Arrays of indexes over vectors as if they came from disk: whatever passes
 * the check must be searched within its bounds.
 */
#include "base/mem.h"
#include "base/status.h"
#include "fuzz/fuzz.h"
#include "vector/hnsw.h"
#include "vector/ivf.h"

enum { ROWS = 12, DIM = 16 };

static float rows[ROWS * DIM] __attribute__((aligned(64)));

static const float *get(void *ctx, uint32_t row, uint32_t n)
{
	(void)ctx;
	PROPERTY(row <= ROWS && n <= ROWS - row);
	return rows + row * DIM;
}

static void search(const struct rk_hnsw *h, const struct rk_ivf *v)
{
	struct rk_near out[4];
	struct rk_near_query q = {.q = rows, .k = 4, .floor = -2, .get = get};
	int n = h ? rk_hnsw_nearest(h, &q, out) : rk_ivf_nearest(v, &q, out);

	PROPERTY(n >= 0 && n <= 4);
	for (int i = 0; i < n; i++)
		PROPERTY(out[i].row < ROWS);
}

/* Some of the input as an array of at least n bytes, repeated. */
static void *take(const uint8_t *p, size_t n, size_t *at, size_t bytes)
{
	uint8_t *out = rk_aligned_alloc(64, bytes + 64);

	for (size_t i = 0; i < bytes; i++)
		out[i] = n ? p[(*at + i) % n] : 0;
	*at += bytes;
	return out;
}

static void graph(const uint8_t *p, size_t n)
{
	size_t at = 0;
	struct rk_hnsw h = {.code = RK_HNSW_F32,
			    .rows = ROWS,
			    .dim = DIM,
			    .entry = n ? p[0] % (ROWS + 1) : 0,
			    .top = n > 1 ? p[1] % 4 : 0,
			    .nupper = n > 2 ? p[2] % 8 : 0};

	h.links0 = take(p, n, &at, ROWS * RK_HNSW_M0 * 4);
	h.level = take(p, n, &at, ROWS);
	h.upper_at = take(p, n, &at, ROWS * 4);
	h.upper = take(p, n, &at, h.nupper * RK_HNSW_M * 4);
	/* small numbers now and then, so that some get past the check */
	for (size_t i = 0; i < ROWS * RK_HNSW_M0; i++)
		if (h.links0[i] != RK_HNSW_NONE && n % 2)
			((uint32_t *)(uintptr_t)h.links0)[i] %= ROWS;
	for (size_t i = 0; i < ROWS; i++)
		if (n % 2) {
			((uint8_t *)(uintptr_t)h.level)[i] %= 2;
			((uint32_t *)(uintptr_t)h.upper_at)[i] %= 8;
		}
	if (rk_hnsw_check(&h) == 0)
		search(&h, NULL);
	rk_free((void *)(uintptr_t)h.links0);
	rk_free((void *)(uintptr_t)h.level);
	rk_free((void *)(uintptr_t)h.upper_at);
	rk_free((void *)(uintptr_t)h.upper);
}

static void lists(const uint8_t *p, size_t n)
{
	size_t at = 0;
	struct rk_ivf v = {.rows = ROWS,
			   .dim = DIM,
			   .nlists = 1 + (n ? p[0] % 3 : 0),
			   .stride = DIM,
			   .words = 1,
			   .ngroups = n > 1 ? p[1] % 4 : 0};
	size_t slots = v.ngroups * RK_GROUP;

	v.centroids = take(p, n, &at, v.nlists * DIM * 4);
	v.half = take(p, n, &at, v.nlists * 4);
	v.start = take(p, n, &at, (v.nlists + 1) * 4);
	v.codes = take(p, n, &at, slots * 8);
	v.scale = take(p, n, &at, slots * 4);
	v.bias = take(p, n, &at, slots * 4);
	v.row = take(p, n, &at, slots * 4);
	if (n % 2) {
		((uint32_t *)(uintptr_t)v.start)[0] = 0;
		((uint32_t *)(uintptr_t)v.start)[v.nlists] = v.ngroups;
		for (size_t i = 0; i < slots; i++)
			((uint32_t *)(uintptr_t)v.row)[i] %= ROWS;
	}
	if (rk_ivf_check(&v) == 0)
		search(NULL, &v);
	rk_free((void *)(uintptr_t)v.centroids);
	rk_free((void *)(uintptr_t)v.half);
	rk_free((void *)(uintptr_t)v.start);
	rk_free((void *)(uintptr_t)v.codes);
	rk_free((void *)(uintptr_t)v.scale);
	rk_free((void *)(uintptr_t)v.bias);
	rk_free((void *)(uintptr_t)v.row);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	if (n == 0)
		return 0;
	for (int i = 0; i < ROWS * DIM; i++)
		rows[i] = (float)((i * 37 + i / DIM) % 11 - 5) / 20;
	if (data[0] & 1)
		graph(data + 1, n - 1);
	else
		lists(data + 1, n - 1);
	return 0;
}
