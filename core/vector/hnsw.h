/* SPDX-License-Identifier: MIT */
#ifndef RK_VECTOR_HNSW_H
#define RK_VECTOR_HNSW_H

#include "vector/kernels.h"
#include "vector/near.h"

/*
 * Hierarchical navigable small world graphs (Malkov and Yashunin 2018) over
 * rows of unit length, with the neighbour selection heuristic. While walking,
 * nearness is judged by the rows themselves, by 8-bit codes of them, or by
 * one sign bit a dimension after a rotation; the last candidates are always
 * ranked by the rows.
 *
 * The arrays are what is stored (core/doc/format-vectors.md).
 */
enum rk_hnsw_code { RK_HNSW_F32, RK_HNSW_SQ8, RK_HNSW_BINARY };
enum { RK_HNSW_M = 16, RK_HNSW_M0 = 32, RK_HNSW_NONE = 0xffffffff };

struct rk_hnsw {
	enum rk_hnsw_code code;
	uint32_t rows, dim;
	uint32_t entry; /* RK_HNSW_NONE: nothing is in it */
	uint32_t top;	/* its level */
	/* neighbours at level 0, RK_HNSW_M0 a row, ended by RK_HNSW_NONE */
	const uint32_t *links0;
	/* by row: first list above level 0, or RK_HNSW_NONE */
	const uint32_t *upper_at;
	uint32_t nupper;       /* lists of RK_HNSW_M neighbours */
	const uint32_t *upper; /* those of a row, level 1 first */
	const uint8_t *level;  /* by row */
	/* codes: SQ8 bytes with a scale a row, or BINARY words */
	const int8_t *bytes;
	const float *scale;
	const uint64_t *words;
	void *owned; /* a block with all of the arrays, or NULL: borrowed */
};

/* Bytes of an 8-bit code, and words of a binary one. */
static inline size_t rk_sq8_stride(uint32_t dim)
{
	return (dim + 63ul) / 64 * 64;
}
static inline size_t rk_binary_words(uint32_t dim)
{
	return (dim + 63ul) / 64;
}

/*
 * Build over all rows, one by one; about a millisecond of one processor each.
 * `get` must give all rows at once. Polls *cancel (may be NULL). Returns 0,
 * -ENOMEM, RK_ECORRUPT (the rows could not be read), RK_ECANCELLED.
 */
int rk_hnsw_build(rk_rows_fn *get, void *ctx, uint32_t rows, uint32_t dim,
		  enum rk_hnsw_code code, const _Atomic int *cancel,
		  struct rk_hnsw *out);
void rk_hnsw_release(struct rk_hnsw *h);
/* Check arrays that came from disk, so that a walk stays inside them. */
int rk_hnsw_check(const struct rk_hnsw *h);
/*
 * The nearest rows into out (q->k of room), best first, by exact scores.
 * Returns how many, -ENOMEM, RK_ECORRUPT, RK_ECANCELLED.
 */
int rk_hnsw_nearest(const struct rk_hnsw *h, const struct rk_near_query *q,
		    struct rk_near *out);

#endif
