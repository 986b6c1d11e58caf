/* SPDX-License-Identifier: MIT */
#ifndef RK_STORAGE_ANN_H
#define RK_STORAGE_ANN_H

#include "storage/vectors.h"
#include "vector/near.h"

/*
 * An index over one file of vectors, as a file beside it: `vec-NNNNNN.ivf`
 * and so on, mapped. It can always be made again from the vectors, and says
 * in its footer which file it belongs to. Immutable, reference counted, any
 * number of threads.
 */
enum rk_ann_type {
	RK_ANN_FLAT, /* no index: exact */
	RK_ANN_IVF,  /* 1-bit codes in inverted lists */
	RK_ANN_HNSW, /* graphs, walked by floats, bytes, or bits */
	RK_ANN_SQ8_HNSW,
	RK_ANN_BINARY_HNSW,
	RK_ANN_TYPES,
};

/* Names as in the configuration: "flat", "ivf", ...; -1 if unknown. */
const char *rk_ann_type_name(enum rk_ann_type t);
int rk_ann_type_by_name(const char *name);

struct rk_ann;
/*
 * Build over v and write; one thread, BLAS. Returns 0, -errno, RK_ECORRUPT
 * (v is damaged), RK_ECANCELLED.
 */
int rk_ann_build(const struct rk_io *io, int dir, enum rk_ann_type t,
		 struct rk_vectors *v, const _Atomic int *cancel);
/* 0, -ENOENT, RK_ECORRUPT (also if it belongs to other vectors), ... */
int rk_ann_open(const struct rk_io *io, int dir, enum rk_ann_type t,
		struct rk_vectors *v, struct rk_ann **out);
struct rk_ann *rk_ann_ref(struct rk_ann *a);
void rk_ann_unref(struct rk_ann *a);
enum rk_ann_type rk_ann_type_of(const struct rk_ann *a);
uint64_t rk_ann_bytes(const struct rk_ann *a);
/* vec-NNNNNN.TYPE */
void rk_ann_name(enum rk_ann_type t, uint64_t vectors, char out[40]);

/*
 * The nearest rows into out (q->k of room), best first, by exact scores.
 * Returns how many, -ENOMEM, RK_ECORRUPT, RK_ECANCELLED.
 */
int rk_ann_nearest(struct rk_ann *a, const struct rk_near_query *q,
		   struct rk_near *out);

#endif
