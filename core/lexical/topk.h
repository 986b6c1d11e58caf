/* SPDX-License-Identifier: MIT */
#ifndef RK_LEXICAL_TOPK_H
#define RK_LEXICAL_TOPK_H

#include <stddef.h>
#include <stdint.h>

/*
 * The k best of what is offered, under a total order: higher score first,
 * then `before` (path, then line), so that the result does not depend on the
 * order of offering or on how the corpus is cut into segments.
 */
struct rk_candidate {
	float score;
	uint32_t source; /* which segment or table */
	uint32_t chunk;
};

struct rk_topk {
	struct rk_candidate
		*v; /* a heap: v[0] is the worst; k entries of room */
	size_t k, n;
	/* non-zero if a comes before b at the same score */
	int (*before)(void *ctx, const struct rk_candidate *a,
		      const struct rk_candidate *b);
	void *ctx;
};

/* What a score must reach to matter: 0 until k are there. */
static inline float rk_topk_floor(const struct rk_topk *t)
{
	return t->n < t->k ? 0.0f : t->v[0].score;
}
void rk_topk_offer(struct rk_topk *t, struct rk_candidate c);
/* Best first; the heap is used up. */
void rk_topk_sort(struct rk_topk *t);

#endif
