/* SPDX-License-Identifier: MIT */
#ifndef RK_INDEX_CHECKPOINT_H
#define RK_INDEX_CHECKPOINT_H

struct rk_index;

/* The view as a manifest; keep `retain` of them. 0, -errno */
int rk_commit_manifest(struct rk_index *ix, int retain);

#endif
