/* SPDX-License-Identifier: MIT */
#ifndef RK_VECTOR_KERNELS_H
#define RK_VECTOR_KERNELS_H

#include <stddef.h>
#include <stdint.h>

/*
 * The inner loops of the vector lane, chosen once for the processor that runs
 * them: AVX-512, AVX2 with FMA, or plain C. On one machine each returns the
 * same bits for the same arguments whoever calls it, so that scores compare.
 *
 * Rows of floats are padded with zeros to RK_VEC_LANES, and 64-byte aligned.
 */
enum { RK_VEC_LANES = 16 };

/* Floats from one row to the next. */
static inline size_t rk_vec_stride(size_t dim)
{
	return (dim + RK_VEC_LANES - 1) / RK_VEC_LANES * RK_VEC_LANES;
}

/* Dot product of n floats, n a multiple of RK_VEC_LANES. */
float rk_dot(const float *a, const float *b, size_t n);

/*
 * Scale n floats to unit length, in double. Returns 1, or 0 with all of them
 * zero if they have no direction (all zero, or not finite).
 */
int rk_unit(float *v, size_t n);

/* Dot product of n bytes, n a multiple of 64. */
int32_t rk_dot_i8(const int8_t *a, const int8_t *b, size_t n);

/* acc[i] += w * row[i]; n a multiple of RK_VEC_LANES. */
void rk_axpy(float *acc, const float *row, float w, size_t n);

/* acc[i] += w * row[i], wrapping; n a multiple of 16. */
void rk_axpy_i16(int32_t *acc, const int16_t *row, int32_t w, size_t n);

/* Number of bits in which n words differ. */
uint32_t rk_hamming(const uint64_t *a, const uint64_t *b, size_t n);

/*
 * Estimates of dot products from 1-bit codes, in groups of 8 rows: word w of
 * row r of a group is code[w * 8 + r]. With
 *   S[r] = sum over planes p of 2^p popcount(code & planes[p * words + w])
 * the estimate is base + scale[r] (a S[r] + b) - c bias[r].
 */
enum { RK_PLANES = 4, RK_GROUP = 8, RK_SCAN_GROUPS = 8 };
struct rk_code_query {
	const uint64_t *planes;
	size_t words;
	float a, b, c;
};
/*
 * At most RK_SCAN_GROUPS groups; est gets 8 estimates a group. Returns a bit
 * for each row whose estimate is above `threshold`.
 */
uint64_t rk_code_scan(const struct rk_code_query *q, const uint64_t *code,
		      const float *scale, const float *bias, size_t groups,
		      float base, float threshold, float *est);

/* "avx512", "avx2" or "portable": what was chosen, for status and benches. */
const char *rk_kernels_name(void);
/*
 * For tests: use the named kernels from now on, in all threads. Returns 1, or
 * 0 (nothing changed) if this processor cannot run them.
 */
int rk_kernels_use(const char *name);

#endif
