/* SPDX-License-Identifier: MIT */
#ifndef RK_STORAGE_MERGE_H
#define RK_STORAGE_MERGE_H

#include "storage/source.h"

/* Where each document of each source went: UINT32_MAX if it was dead. */
struct rk_remap {
	uint32_t **doc; /* [source][document] */
	unsigned n;
};
void rk_remap_release(struct rk_remap *m);

/*
 * Write segment `id` from the live documents of n sources, one after the
 * other; the file is durable when this returns, though nothing names it yet.
 * Memory: the dictionary, and 8 bytes a chunk. `remap` is filled on success;
 * release it. `cancel` (may be NULL) is polled between terms.
 * Returns the number of documents written (0: no file is left behind), or
 * -errno, RK_ECORRUPT (a source is damaged), RK_ECANCELLED.
 */
int64_t rk_merge(const struct rk_io *io, int dir, uint64_t id,
		 struct rk_source *src, unsigned n, const _Atomic int *cancel,
		 struct rk_remap *remap);

/*
 * The vectors that go with the segment that rk_merge() has just written from
 * the same sources, as file `id` of embedding space `space`. All sources must
 * have vectors in it: tables their own, segments `vec`. `complete`: those that
 * are zero have been tried.
 * Returns 0, -errno, RK_ECORRUPT.
 */
int rk_merge_vectors(const struct rk_io *io, int dir, uint64_t id,
		     uint64_t space, uint32_t dim, struct rk_source *src,
		     unsigned n, const struct rk_remap *remap, int complete);

#endif
