/* SPDX-License-Identifier: MIT */
#ifndef RK_INDEX_INTENT_H
#define RK_INDEX_INTENT_H

#include "index/search/fuse.h"

/* Definitions of the one name that is asked for come first. */
int rk_definitions_first(struct rk_searching *s, struct rk_ranked **v,
			 size_t *n);

#endif
