/* SPDX-License-Identifier: MIT */
#ifndef RK_SEARCH_SEARCH_H
#define RK_SEARCH_SEARCH_H

#include "rankfs.h"

struct rk_global;

/*
 * rk_search() for one index of many: words weigh as they do in all of them
 * (NULL: in this one), and hits of all pages up to the one that was asked for
 * are in the answer, which is a struct rk_answer.
 */
int rk_search_among(struct rk_index *ix, const char *text, size_t n,
		    const struct rk_search_opts *opts,
		    const struct rk_global *global, struct rk_results **out);

#endif
