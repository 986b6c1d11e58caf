/* SPDX-License-Identifier: MIT */
#ifndef RK_INDEX_CORPUS_H
#define RK_INDEX_CORPUS_H

#include "lexical/bm25f.h"
#include "query/query.h"

/* Statistics of several indexes together, gathered by answers/federate.c. */
struct rk_global_term {
	const char *s;
	size_t n;
	int match; /* enum rk_term_match */
	uint64_t df;
};
struct rk_global {
	struct rk_corpus_stats stats;
	struct rk_global_term *term;
	unsigned nterms;
	size_t cap;
};
/* In how many chunks of all indexes the term is; 0: nobody counted it. */
uint64_t rk_global_df(const struct rk_global *g, const struct rk_qterm *t);
/* Is it the same term, compared in the same way? */
int rk_global_same(const struct rk_global_term *g, const struct rk_qterm *t);

#endif
