/* SPDX-License-Identifier: MIT */
#ifndef RK_INDEX_PERSIST_H
#define RK_INDEX_PERSIST_H

#include "storage/merge.h"

struct rk_index;

void *rk_persist_main(void *ix);
/* Wait until no full table waits to be written, or the index is closed. */
void rk_wait_for_room(struct rk_index *ix);
/* Take a damaged segment out of the view; the caller reconciles. */
void rk_drop_damaged(struct rk_index *ix);
/*
 * Write the merge of n sources as a segment with its vectors; *out NULL if it
 * is empty. Returns 0 or an error of rk_merge(). The caller is the thread that
 * makes segments, or holds `moving` until the segment is in the view.
 */
int rk_write_segment(struct rk_index *ix, struct rk_source *src, unsigned n,
		     struct rk_remap *map, struct rk_segment **out);

#endif
