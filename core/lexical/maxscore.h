/* SPDX-License-Identifier: MIT */
#ifndef RK_LEXICAL_MAXSCORE_H
#define RK_LEXICAL_MAXSCORE_H

#include "lexical/cursor.h"
#include "lexical/topk.h"

/*
 * Top k of a disjunction or conjunction over one source's postings.
 *
 * Disjunction: block-max MaxScore (Turtle and Flood 1995; Ding and Suel 2011;
 * Mallia et al. 2017) in windows of RK_WINDOW ids. In each window the lists
 * are split anew by their bounds there: essential lists are accumulated, the
 * others only looked up for ids that could still get into the top k. With one
 * essential list its blocks are walked directly.
 */
enum { RK_WINDOW = 4096, RK_TERMS_MAX = 64 };

struct rk_scan {
	struct rk_cursor **cur; /* every scored term that has postings */
	unsigned n;
	unsigned must; /* the first `must` of them are required */
	const rk_norm *norms;
	const struct rk_norms *table;
	uint32_t nchunks, source;
	struct rk_topk *top;
	/* may chunk be a result? asked only for what would enter the top k */
	int (*accept)(void *ctx, uint32_t chunk);
	void *ctx;
	const _Atomic int *cancel; /* may be NULL; polled per block */
};

/*
 * Offer the best to scan->top. Returns 0, RK_ECORRUPT, RK_ECANCELLED.
 * Reorders scan->cur when must is 0.
 */
int rk_scan_any(struct rk_scan *s);
/*
 * All chunks that hold the first `must` terms; the other terms add to their
 * score. Returns the number of accepted chunks, or an error as above.
 */
int64_t rk_scan_all(struct rk_scan *s);

#endif
