/* SPDX-License-Identifier: MIT */
#ifndef RK_INDEX_REASONS_H
#define RK_INDEX_REASONS_H

#include "index/search/searching.h"

/*
 * Of an answer without results: documents that are not indexed to their end
 * may hold what was asked for. Adds a note if there are any.
 */
void rk_note_partial(struct rk_searching *s);
/*
 * Of an answer without results: what is to blame. In the arena, or a constant;
 * NULL when memory is short.
 */
const char *rk_why_empty(const struct rk_searching *s, struct rk_arena *a);

#endif
