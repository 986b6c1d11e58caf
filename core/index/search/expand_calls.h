/* SPDX-License-Identifier: MIT */
#ifndef RK_INDEX_EXPAND_CALLS_H
#define RK_INDEX_EXPAND_CALLS_H

#include "index/search/fuse.h"

/* Results in source code help those that they call. */
int rk_expand_calls(struct rk_searching *s, struct rk_ranked *v, size_t n);

#endif
