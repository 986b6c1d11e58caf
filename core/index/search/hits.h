/* SPDX-License-Identifier: MIT */
#ifndef RK_INDEX_HITS_H
#define RK_INDEX_HITS_H

#include "index/search/fuse.h"

/* The results with the memory that they point into. */
struct rk_answer {
	struct rk_results r;
	struct rk_arena arena;
	struct rk_candidate *chosen; /* where each hit is */
	enum rk_sort sort;
};

/*
 * The best chunks, a few a document, as many as s->want: v is in order, best
 * first. Returns 0, -ENOMEM.
 */
int rk_choose_hits(struct rk_searching *s, const struct rk_ranked *v, size_t n,
		   struct rk_answer *a);
/* Leave out the hits of pages before the one that was asked for. */
void rk_turn_pages(struct rk_searching *s, struct rk_answer *a);

#endif
