/* SPDX-License-Identifier: MIT */
#ifndef RK_INDEX_MATCH_H
#define RK_INDEX_MATCH_H

#include "index/search/searching.h"

/* The lexical lane, and exact scores. */
int rk_run_terms(struct rk_searching *s);
/* A query without words, or one that sorts: all that the filter lets in. */
int rk_run_all(struct rk_searching *s);
/* scores[i], exact, for each of n candidates in any order */
int rk_rescore(struct rk_searching *s, const struct rk_candidate *v, size_t n,
	       double *scores);
/*
 * What the query's conditions allow, for other lanes and in any order: found
 * out beforehand where terms decide, else when a chunk is asked about.
 */
struct rk_allowed {
	struct rk_doc_filter *filter;
	uint64_t *bits; /* one a chunk, or NULL */
};
int rk_allowed_open(struct rk_searching *s, const struct rk_qsource *src,
		    struct rk_allowed *a);
/* 1, 0, or RK_ECORRUPT */
int rk_allowed_ok(const struct rk_allowed *a, uint32_t chunk);

#endif
