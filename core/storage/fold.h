/* SPDX-License-Identifier: MIT */
#ifndef RK_STORAGE_FOLD_H
#define RK_STORAGE_FOLD_H

#include "storage/segment.h"
#include "storage/vectors.h"

/*
 * The built-in embedding from the postings of segments: what a chunk's vector
 * needs, its terms and how often each occurs, is what the lexical lane has
 * written down. No document is read again, whether an index is fitted anew
 * or a lost file of vectors made again.
 */

/* Occurrences that count: in the body, and once for each title's worth. */
static inline uint32_t rk_fold_tf(uint32_t tf, uint32_t head)
{
	return tf + head / RK_HEAD_TITLE;
}

/*
 * Write the vectors of all chunks of a segment (dead ones, too) as file `id`
 * of embedding space `space`. Memory: 24 MiB. Polls *cancel (may be NULL).
 * Returns 0, -errno, RK_ECORRUPT (the segment is damaged), RK_ECANCELLED.
 */
int rk_fold_segment(const struct rk_io *io, int dir, uint64_t id,
		    uint64_t space, const struct rk_latent *l,
		    struct rk_segment *seg, const _Atomic int *cancel);

/*
 * A sample of the live chunks of n segments, for rk_latent_fit(): all of
 * them, or about RK_LATENT_SAMPLE_MAX chosen by a hash of path and place. It
 * depends on the documents alone, not on segments or order. Owned; release.
 * `generation`: documents dead by then are left out.
 */
struct rk_sampled {
	struct rk_sample sample;
	uint64_t chunks; /* that were chosen from */
	void *owned[4];
};
int rk_sample_segments(struct rk_segment *const *segs, unsigned n,
		       uint32_t generation, const _Atomic int *cancel,
		       struct rk_sampled *out);
void rk_sampled_release(struct rk_sampled *s);

#endif
