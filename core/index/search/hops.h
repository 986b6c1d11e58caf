/* SPDX-License-Identifier: MIT */
#ifndef RK_INDEX_HOPS_H
#define RK_INDEX_HOPS_H

#include "index/search/fuse.h"

/* Results in source code help those that they call. */
int rk_pass_on(struct rk_searching *s, struct rk_ranked *v, size_t n);

#endif
