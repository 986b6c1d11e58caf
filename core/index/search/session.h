/* SPDX-License-Identifier: MIT */
#ifndef RK_INDEX_SESSION_H
#define RK_INDEX_SESSION_H

#include "index/search/searching.h"

/*
 * Wait for writes, take a snapshot and an analyser. rk_searching_end() in
 * every case; *s starts zeroed.
 */
int rk_searching_begin(struct rk_searching *s, struct rk_index *ix,
		       const struct rk_search_opts *opts);
void rk_searching_end(struct rk_searching *s);
/* The text into s->q, by the languages that the snapshot holds. */
int rk_searching_parse(struct rk_searching *s, const char *text, size_t n);

#endif
