/* SPDX-License-Identifier: MIT */
#ifndef VECTOR_DATA_H
#define VECTOR_DATA_H

/*
 * Vectors for the benches of the vector lane, made or read, the same in every
 * program: rows of unit length, then queries near some of them.
 *   "clustered"  Gaussian clusters of many sizes in a subspace, with noise
 *   FILE         raw little-endian floats, dim a row (what vectors_dump wrote)
 */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct data {
	uint32_t n, nq, dim;
	float *rows, *queries;
	float *least; /* score of the tenth nearest, by query */
};
enum { TRUTH = 10 };

static inline double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static inline double cpu_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static inline float *floats(size_t n)
{
	void *p = aligned_alloc(64, (n * 4 + 63) / 64 * 64);

	if (!p)
		exit(2);
	memset(p, 0, n * 4);
	return (float *)p;
}

static inline double unit_random(uint64_t *s)
{
	*s = *s * 6364136223846793005u + 1442695040888963407u;
	return (double)(*s >> 11) / 9007199254740992.0;
}

static inline double normal_random(uint64_t *s)
{
	double u = unit_random(s) + 1e-12, v = unit_random(s);

	return sqrt(-2 * log(u)) * cos(6.283185307179586 * v);
}

static inline void make_unit(float *v, uint32_t dim)
{
	double sum = 1e-30;

	for (uint32_t i = 0; i < dim; i++)
		sum += (double)v[i] * v[i];
	for (uint32_t i = 0; i < dim; i++)
		v[i] = (float)(v[i] / sqrt(sum));
}

static inline void clustered(struct data *d)
{
	enum { CLUSTERS = 1000 };
	float *c = floats((size_t)CLUSTERS * d->dim);
	uint64_t s = 42;

	for (size_t i = 0; i < (size_t)CLUSTERS * d->dim; i++)
		c[i] = (float)(normal_random(&s) /
			       sqrt(1 + (double)(i % d->dim) / 16));
	for (uint32_t r = 0; r < d->n + d->nq; r++) {
		float *v = r < d->n ? d->rows + (size_t)r * d->dim
				    : d->queries + (size_t)(r - d->n) * d->dim;
		double u = unit_random(&s);
		size_t k = (size_t)(u * u * CLUSTERS);

		for (uint32_t i = 0; i < d->dim; i++)
			v[i] = (float)(c[k * d->dim + i] +
				       0.8 * normal_random(&s) /
					       sqrt(1 + i / 16.0));
		make_unit(v, d->dim);
	}
	free(c);
}

/* Every 100th row of the file and its like become queries. */
static inline void from_file(struct data *d, const char *path)
{
	FILE *f = fopen(path, "rb");
	size_t row = (size_t)d->dim * 4;
	uint32_t n;

	if (!f) {
		perror(path);
		exit(2);
	}
	n = (uint32_t)fread(d->rows, row, d->n, f);
	fclose(f);
	d->n = n - d->nq;
	for (uint32_t q = 0; q < d->nq; q++) { /* held out, spread evenly */
		uint32_t at = (uint32_t)((uint64_t)q * d->n / d->nq);

		memcpy(d->queries + (size_t)q * d->dim, d->rows + at * row / 4,
		       row);
		memcpy(d->rows + at * row / 4,
		       d->rows + (d->n + d->nq - 1 - q) * row / 4, row);
	}
	for (uint32_t r = 0; r < d->n; r++)
		make_unit(d->rows + (size_t)r * d->dim, d->dim);
	for (uint32_t q = 0; q < d->nq; q++)
		make_unit(d->queries + (size_t)q * d->dim, d->dim);
}

static inline void load_data(struct data *d, const char *what, uint32_t n,
			     uint32_t nq, uint32_t dim)
{
	d->n = n;
	d->nq = nq;
	d->dim = dim;
	d->rows = floats((size_t)(n + nq) * dim);
	d->queries = floats((size_t)nq * dim);
	d->least = floats(nq);
	if (strcmp(what, "clustered") == 0)
		clustered(d);
	else
		from_file(d, what);
}

static inline double plain_dot(const float *a, const float *b, uint32_t n)
{
	double s = 0;

	for (uint32_t i = 0; i < n; i++)
		s += (double)a[i] * b[i];
	return s;
}

/* Exact neighbours; dot does the work. */
static inline void
find_truth(struct data *d, float (*dot)(const float *, const float *, size_t))
{
	for (uint32_t q = 0; q < d->nq; q++) {
		float best[TRUTH];
		uint32_t have = 0;

		for (uint32_t r = 0; r < d->n; r++) {
			float x = dot(d->queries + (size_t)q * d->dim,
				      d->rows + (size_t)r * d->dim, d->dim);
			uint32_t i;

			if (have == TRUTH && x <= best[TRUTH - 1])
				continue;
			i = have < TRUTH ? have++ : TRUTH - 1;
			for (; i > 0 && best[i - 1] < x; i--)
				best[i] = best[i - 1];
			best[i] = x;
		}
		d->least[q] = best[TRUTH - 1];
	}
}

/* Text repeats itself: any row as near as the tenth is one of the nearest. */
static inline double recall_of(const struct data *d, uint32_t q,
			       const uint32_t *got, uint32_t n)
{
	uint32_t hit = 0;

	for (uint32_t k = 0; k < n; k++)
		hit += got[k] < d->n &&
		       plain_dot(d->queries + (size_t)q * d->dim,
				 d->rows + (size_t)got[k] * d->dim,
				 d->dim) >= (double)d->least[q] - 1e-5;
	return (double)hit / TRUTH;
}

/* One line of the table: at which recall how many queries a second. */
static inline void report(const char *what, const char *setting, double recall,
			  double seconds, uint32_t queries)
{
	printf("%s\t%s\t%.4f\t%.0f\n", what, setting, recall,
	       queries / seconds);
	fflush(stdout);
}

#endif
