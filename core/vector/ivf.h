/* SPDX-License-Identifier: MIT */
#ifndef RK_VECTOR_IVF_H
#define RK_VECTOR_IVF_H

#include "vector/kernels.h"
#include "vector/near.h"

/*
 * Inverted lists of 1-bit codes (IVF: Jegou et al. 2011; codes after RaBitQ:
 * Gao and Long 2024). Rows are assigned to the nearest of some centroids; of
 * what is left after subtracting it, rotated, one sign bit a dimension is
 * kept, with two factors that make the bits an unbiased estimate of the dot
 * product. A search scans the codes of the lists nearest to the query and
 * ranks the best estimates by exact dot products of the rows themselves.
 * With one list it is a scan of all codes.
 *
 * The arrays below are what is stored (core/doc/format-vectors.md): lists are
 * padded to groups of 8 rows, whose code words are interleaved.
 */
struct rk_ivf {
	uint32_t rows, dim, nlists;
	size_t stride; /* floats of a row and of a centroid */
	size_t words;  /* of 64 bits, of one code */
	uint32_t ngroups;
	const float *centroids; /* nlists x stride */
	const float *half;	/* nlists: half the square of their lengths */
	const uint32_t *start;	/* nlists + 1: groups */
	const uint64_t *codes;	/* ngroups x words x 8 */
	const float *scale;	/* ngroups x 8: 0 in padding */
	const float *bias;	/* ngroups x 8 */
	const uint32_t *row;	/* ngroups x 8: UINT32_MAX in padding */
	void *owned;		/* all of the arrays, or NULL: borrowed */
};

/* How many lists suit so many rows: 1 below some ten thousand. */
uint32_t rk_ivf_lists(uint32_t rows);

/*
 * Build over `rows` rows: k-means (Lloyd) on a sample, then one pass that
 * assigns and encodes. One thread; BLAS. Memory: the index itself and some
 * MiB. Polls *cancel (may be NULL). Returns 0, -ENOMEM, RK_ECORRUPT (the rows
 * could not be read), RK_ECANCELLED.
 */
int rk_ivf_build(rk_rows_fn *get, void *ctx, uint32_t rows, uint32_t dim,
		 uint32_t nlists, const _Atomic int *cancel,
		 struct rk_ivf *out);
void rk_ivf_release(struct rk_ivf *ivf);
/* Check arrays that came from disk, so that a search stays inside them. */
int rk_ivf_check(const struct rk_ivf *ivf);

/*
 * The nearest rows into out (k of room), best first, by exact scores.
 * Returns how many, -ENOMEM, RK_ECORRUPT, RK_ECANCELLED.
 */
int rk_ivf_nearest(const struct rk_ivf *ivf, const struct rk_near_query *s,
		   struct rk_near *out);

#endif
