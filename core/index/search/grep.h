/* SPDX-License-Identifier: MIT */
#ifndef RK_INDEX_GREP_H
#define RK_INDEX_GREP_H

#include "index/search/searching.h"

/* Does the query ask for lines: patterns, and filters on documents? */
int rk_is_pattern(const struct rk_query *q);
/* All of them into r, their memory from the arena. */
int rk_run_lines(struct rk_searching *s, struct rk_arena *arena,
		 struct rk_results *r);

#endif
