/* SPDX-License-Identifier: MIT */
#ifndef RK_VECTOR_NEAR_H
#define RK_VECTOR_NEAR_H

#include <stdint.h>

/*
 * What every index over vectors is asked, and how it gets at the vectors
 * themselves, which it ranks by but does not hold.
 */

/*
 * n rows from `row` on: rk_vec_stride(dim) floats each, of unit length,
 * 64-byte aligned; a row of zeros is not there and never found. NULL means
 * damage.
 */
typedef const float *rk_rows_fn(void *ctx, uint32_t row, uint32_t n);

struct rk_near {
	float score; /* dot product with the query, exact */
	uint32_t row;
};

struct rk_near_query {
	const float *q; /* unit length, 64-byte aligned */
	uint32_t k;
	/*
	 * How hard to look: candidates kept while searching, at least k; 0
	 * for what suits k. More is slower and finds more.
	 */
	uint32_t effort;
	uint32_t probes; /* inverted lists looked at; 0: by effort */
	float floor;	 /* nothing below it is wanted */
	rk_rows_fn *get;
	void *get_ctx;
	/* may row be a result? asked during the search; may be NULL */
	int (*accept)(void *ctx, uint32_t row);
	void *accept_ctx;
	const _Atomic int *cancel; /* may be NULL */
};

#endif
