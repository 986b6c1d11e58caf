/* SPDX-License-Identifier: MIT */
#ifndef RK_STORAGE_VECTORS_H
#define RK_STORAGE_VECTORS_H

#include "storage/container.h"
#include "vector/latent.h"

struct rk_ann;

/*
 * The vectors of one segment's chunks in one embedding space: a file
 * `vec-NNNNNN.vec`, mapped (core/doc/format-vectors.md). Row c belongs to
 * chunk c; rows are floats of unit length, padded to a multiple of 64 bytes,
 * so that a run of rows is a matrix for BLAS as it lies. A row of zeros is a
 * vector that is not there (yet). Immutable and reference counted; any number
 * of threads may read.
 */
struct rk_vectors {
	uint64_t id, space; /* number of the file; of the embedding space */
	_Atomic int refs;
	struct rk_container *c;
	int s_rows;
	uint32_t rows, dim, filled; /* filled: rows that are not zero */
	size_t stride;		    /* floats from row to row */
	/* every row has been tried: one that is zero will stay so */
	int complete;
	_Atomic int damaged; /* a granule failed: to be made again */
	/* index over it, or NULL; a reference, under the index's lock */
	struct rk_ann *ann;
};

void rk_vectors_name(uint64_t id, char out[40]);
/* 0, -errno, RK_ECORRUPT (also where the shape does not fit), RK_EVERSION */
int rk_vectors_open(const struct rk_io *io, int dir, uint64_t id,
		    struct rk_vectors **out);
struct rk_vectors *rk_vectors_ref(struct rk_vectors *v);
void rk_vectors_unref(struct rk_vectors *v);
/* n rows from `row` on, verified; NULL where they are damaged. */
const float *rk_vectors_rows(struct rk_vectors *v, uint32_t row, uint32_t n);
/* Verify every row's checksum. Returns 0 or RK_ECORRUPT (and marks it). */
int rk_vectors_verify(struct rk_vectors *v);
uint64_t rk_vectors_bytes(const struct rk_vectors *v);

/* Writing: rows in order, then finish. */
struct rk_vectors_writer {
	struct rk_container_writer *cw;
	uint64_t space;
	uint32_t rows, dim, filled;
	size_t stride;
	int complete; /* set before finish; 1 to begin with */
};
int rk_vectors_create(const struct rk_io *io, int dir, uint64_t id,
		      uint64_t space, uint32_t dim,
		      struct rk_vectors_writer *w);
/* n rows of w->stride floats; errors stick until finish. */
void rk_vectors_add(struct rk_vectors_writer *w, const float *rows, uint32_t n);
/* Durable when 0 is returned; otherwise the file is gone. */
int rk_vectors_finish(struct rk_vectors_writer *w);
void rk_vectors_abort(struct rk_vectors_writer *w);

/*
 * A fit of the built-in embedding as a file `latent-NNNNNN.mp`, numbered by
 * its embedding space. Loading maps it. Return as above.
 */
void rk_latent_name(uint64_t space, char out[40]);
int rk_latent_write(const struct rk_io *io, int dir, uint64_t space,
		    const struct rk_latent *l);
int rk_latent_open(const struct rk_io *io, int dir, uint64_t space,
		   struct rk_latent **out);

#endif
