/* SPDX-License-Identifier: MIT */
#ifndef RK_INDEX_RENAME_H
#define RK_INDEX_RENAME_H

#include "index/write/ingest.h"

/*
 * Documents that were renamed are in the index under their new names, all at
 * once, when this returns: from the moves that wait, without a look into a
 * file. Those of which more may have changed than the name are left to be read
 * again, by tasks like any other; t is the caller's. It may do nothing.
 */
void rk_rename_known(struct rk_index *ix, struct rk_worker *w,
		     const struct rk_task *t);

#endif
