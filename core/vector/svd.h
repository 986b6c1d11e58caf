/* SPDX-License-Identifier: MIT */
#ifndef RK_VECTOR_SVD_H
#define RK_VECTOR_SVD_H

#include <stddef.h>
#include <stdint.h>

/* A sparse matrix by rows: row r holds entries [start[r], start[r + 1]). */
struct rk_sparse {
	uint32_t rows, cols;
	const uint32_t *start; /* rows + 1 */
	const uint32_t *col;
	const float *value;
};

/*
 * The k leading right singular vectors of a, by the randomised range finder
 * with two power iterations (Halko, Martinsson, Tropp 2011, algorithms 4.4
 * and 5.1). v: out, cols rows of `stride` floats, of which the first k are
 * written; directions that the matrix does not have are zero.
 * The same input gives the same output on one machine. Memory: (rows + cols)
 * times (k + 16) floats. Uses BLAS. Polls *cancel (may be NULL).
 * Returns 0, -ENOMEM, RK_ECANCELLED.
 */
int rk_svd_right(const struct rk_sparse *a, unsigned k, float *v, size_t stride,
		 const _Atomic int *cancel);

#endif
