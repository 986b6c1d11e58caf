/* SPDX-License-Identifier: MIT */
#include "vector/rotate.h"
#include "base/hash.h"
#include <assert.h>
#include <math.h>
#include <stdint.h>

enum { ROUNDS = 4 };

/* The sign bits of 64 coordinates at a time, as masks on the floats. */
static void flip(float *v, size_t dim, uint64_t round)
{
	for (size_t i = 0; i < dim; i += 64) {
		uint64_t seed = round << 32 | i, bits = rk_splitmix64(&seed);
		size_t n = dim - i < 64 ? dim - i : 64;

		for (size_t k = 0; k < n; k++)
			v[i + k] = bits >> k & 1 ? -v[i + k] : v[i + k];
	}
}

typedef float vec8 __attribute__((vector_size(32), aligned(4)));

static void butterfly(float *a, float *b, size_t n)
{
	size_t i = 0;

	for (; i + 8 <= n; i += 8) {
		vec8 x = *(const vec8 *)(a + i), y = *(const vec8 *)(b + i);

		*(vec8 *)(a + i) = x + y;
		*(vec8 *)(b + i) = x - y;
	}
	for (; i < n; i++) {
		float x = a[i], y = b[i];

		a[i] = x + y;
		b[i] = x - y;
	}
}

static void hadamard(float *v, size_t n)
{
	float scale = 1 / sqrtf((float)n);

	for (size_t h = 1; h < n; h *= 2)
		for (size_t i = 0; i < n; i += 2 * h)
			butterfly(v + i, v + i + h, h);
	for (size_t i = 0; i < n; i++)
		v[i] *= scale;
}

void rk_rotate(float *v, size_t dim)
{
	size_t n = 1;

	assert(dim > 0);
	while (n * 2 <= dim)
		n *= 2;
	for (unsigned r = 0; r < ROUNDS; r++) {
		flip(v, dim, r);
		hadamard(r % 2 ? v + (dim - n) : v, n);
	}
}
