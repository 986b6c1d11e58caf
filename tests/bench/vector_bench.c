/* SPDX-License-Identifier: MIT */
/* rankfs's vector indexes: vector_bench DATA N DIM */
#include "vector_data.h"
#include <cblas.h>
#include "vector/hnsw.h"
#include "vector/ivf.h"
#include <stdio.h>

static const float *get(void *ctx, uint32_t row, uint32_t n)
{
	const struct data *d = ctx;

	(void)n;
	return d->rows + (size_t)row * d->dim;
}

static void run_ivf(const struct data *d, const struct rk_ivf *v,
		    const char *name, uint32_t probes, uint32_t rank)
{
	struct rk_near out[TRUTH];
	char setting[40];
	double recall = 0, best = 1e9;

	for (int round = 0; round < 3; round++) {
		double t = now_s();

		recall = 0;
		for (uint32_t q = 0; q < d->nq; q++) {
			struct rk_near_query s = {
				.q = d->queries + (size_t)q * d->dim,
				.k = TRUTH,
				.probes = probes,
				.effort = rank,
				.floor = -2,
				.get = get,
				.get_ctx = (void *)(uintptr_t)d};
			int n = rk_ivf_nearest(v, &s, out);
			uint32_t ids[TRUTH];

			for (int i = 0; i < n; i++)
				ids[i] = out[i].row;
			recall += recall_of(d, q, ids, (uint32_t)n);
		}
		t = now_s() - t;
		best = t < best ? t : best;
	}
	snprintf(setting, sizeof(setting), "probes=%u rerank=%u", probes, rank);
	report(name, setting, recall / d->nq, best, d->nq);
}

static void ivf(const struct data *d, const char *name, uint32_t nlists)
{
	static const uint32_t PROBES[] = {4, 6, 8, 12, 16, 24, 32, 48, 64, 96};
	static const uint32_t RANK[] = {25, 50, 100, 200, 400};
	struct rk_ivf v;
	double t = cpu_s();

	if (rk_ivf_build(get, (void *)(uintptr_t)d, d->n, d->dim, nlists, NULL,
			 &v) < 0)
		exit(1);
	printf("# %s build %.2f CPU s, %.1f MB, lists %u\n", name, cpu_s() - t,
	       (double)v.ngroups * 8 * ((double)v.words * 8 + 12) / 1e6 +
		       (double)v.nlists * (double)v.stride * 4e-6,
	       v.nlists);
	if (nlists == 1)
		for (size_t i = 0; i < 5; i++)
			run_ivf(d, &v, name, 1, RANK[i]);
	else
		for (size_t i = 0; i < 10; i++)
			for (size_t r = 2; r < 5; r++)
				run_ivf(d, &v, name, PROBES[i], RANK[r]);
	rk_ivf_release(&v);
}

static void hnsw(const struct data *d, const char *name, enum rk_hnsw_code code)
{
	static const uint32_t EF[] = {10, 16,  24,  32,	 48, 64,
				      96, 128, 192, 256, 400};
	struct rk_hnsw h;
	double t = cpu_s();

	if (rk_hnsw_build(get, (void *)(uintptr_t)d, d->n, d->dim, code, NULL,
			  &h) < 0)
		exit(1);
	printf("# %s build %.2f CPU s\n", name, cpu_s() - t);
	for (size_t e = 0; e < 11; e++) {
		double recall = 0, best = 1e9;
		char setting[40];

		for (int round = 0; round < 3; round++) {
			double at = now_s();

			recall = 0;
			for (uint32_t q = 0; q < d->nq; q++) {
				struct rk_near out[TRUTH];
				uint32_t ids[TRUTH];
				struct rk_near_query s = {
					.q = d->queries + (size_t)q * d->dim,
					.k = TRUTH,
					.effort = EF[e],
					.floor = -2,
					.get = get,
					.get_ctx = (void *)(uintptr_t)d};
				int n = rk_hnsw_nearest(&h, &s, out);

				for (int i = 0; i < n; i++)
					ids[i] = out[i].row;
				recall += recall_of(d, q, ids, (uint32_t)n);
			}
			at = now_s() - at;
			best = at < best ? at : best;
		}
		snprintf(setting, sizeof(setting), "ef=%u", EF[e]);
		report(name, setting, recall / d->nq, best, d->nq);
	}
	rk_hnsw_release(&h);
}

/* --- scans of everything beside the bandwidth of memory --- */

typedef uint64_t lane __attribute__((vector_size(64), aligned(64)));

static double read_all(const void *p, size_t bytes)
{
	const lane *v = p;
	lane s[4] = {{0}};
	volatile uint64_t sink;
	double t = now_s();

	for (size_t i = 0; i + 4 <= bytes / sizeof(lane); i += 4)
		for (int k = 0; k < 4; k++)
			s[k] |= v[i + (size_t)k];
	sink = s[0][0] | s[1][1] | s[2][2] | s[3][3];
	(void)sink;
	return now_s() - t;
}

static void scans(const struct data *d)
{
	enum { ROUNDS = 20 };
	size_t floats_n = (size_t)d->n * d->dim;
	int8_t *bytes = aligned_alloc(64, floats_n);
	float *out = floats(d->n);
	double read = 1e9, f32 = 1e9, i8 = 1e9, read8 = 1e9;
	volatile int32_t sink = 0;

	for (size_t i = 0; i < floats_n; i++)
		bytes[i] = (int8_t)lrintf(d->rows[i] * 127);
	for (int r = 0; r < ROUNDS; r++) {
		double t = read_all(d->rows, floats_n * 4);

		read = t < read ? t : read;
		t = read_all(bytes, floats_n);
		read8 = t < read8 ? t : read8;
		t = now_s();
		cblas_sgemv(CblasRowMajor, CblasNoTrans, (int)d->n, (int)d->dim,
			    1, d->rows, (int)d->dim, d->queries, 1, 0, out, 1);
		t = now_s() - t;
		f32 = t < f32 ? t : f32;
		t = now_s();
		for (uint32_t i = 0; i < d->n; i++)
			sink += rk_dot_i8(bytes, bytes + (size_t)i * d->dim,
					  d->dim);
		t = now_s() - t;
		i8 = t < i8 ? t : i8;
	}
	printf("# scan of all rows: read %.1f GB/s, floats %.1f (%.2f of it), "
	       "%.3f ms; bytes: read %.1f, %.1f (%.2f), %.3f ms\n",
	       (double)floats_n * 4e-9 / read, (double)floats_n * 4e-9 / f32,
	       read / f32, f32 * 1e3, (double)floats_n * 1e-9 / read8,
	       (double)floats_n * 1e-9 / i8, read8 / i8, i8 * 1e3);
	free(bytes);
	free(out);
}

int main(int argc, char **argv)
{
	struct data d;

	if (argc < 4)
		return 2;
	load_data(&d, argv[1], (uint32_t)atoi(argv[2]), 500,
		  (uint32_t)atoi(argv[3]));
	find_truth(&d, rk_dot);
	printf("# %u rows, %u dimensions, kernels %s\n", d.n, d.dim,
	       rk_kernels_name());
	scans(&d);
	if (argc > 4) {
		hnsw(&d, "hnsw", RK_HNSW_F32);
		hnsw(&d, "sq8_hnsw", RK_HNSW_SQ8);
		hnsw(&d, "binary_hnsw", RK_HNSW_BINARY);
	}
	ivf(&d, "codes", 1);
	ivf(&d, "ivf", rk_ivf_lists(d.n));
	return 0;
}
