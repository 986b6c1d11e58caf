/* SPDX-License-Identifier: MIT */
#ifndef RK_INDEX_REASONS_H
#define RK_INDEX_REASONS_H

#include "index/search/searching.h"

/* Of an answer without results: what is to blame. A constant. */
const char *rk_why_empty(const struct rk_searching *s);

#endif
