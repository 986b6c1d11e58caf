/* SPDX-License-Identifier: MIT */
#ifndef RK_INDEX_FUSE_H
#define RK_INDEX_FUSE_H

#include "index/search/searching.h"

/* From the lanes to one ranking. */

struct rk_ranked {
	double score; /* what it is ranked by */
	double lexical, vector;
	uint32_t lexical_rank, vector_rank; /* from 1; 0: not in the lane */
	int matched;   /* a lexical match, whatever its score */
	uint32_t line; /* to show, where a definition decides; 0: the best */
	struct rk_candidate c;
};
/* In the arena, best first. */
int rk_fuse(struct rk_searching *s, struct rk_ranked **out, size_t *n);
/* Best first; equal ones by place. */
void rk_sort_ranked(struct rk_searching *s, struct rk_ranked *v, size_t n);

#endif
