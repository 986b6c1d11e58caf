/* SPDX-License-Identifier: MIT */
#ifndef RK_INDEX_LOOKUP_H
#define RK_INDEX_LOOKUP_H

#include "index/search/searching.h"

/*
 * From the terms of the query to their postings in every source, and their
 * frequencies and weights. Returns 0, -ENOMEM.
 */
int rk_lookup_terms(struct rk_searching *s);
/* The same for one term, whose lists there are already. */
int rk_lookup_term(struct rk_searching *s, unsigned t);
/* The postings of a word, without its forms, in one source. */
int rk_lookup_in(struct rk_searching *s, struct rk_qsource *src,
		 const struct rk_qterm *t, struct rk_plist *l);
/* Live postings of a term over all sources. */
uint64_t rk_count_postings(struct rk_searching *s, const char *term, size_t n);

#endif
