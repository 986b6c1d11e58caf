/* SPDX-License-Identifier: MIT */
#ifndef RK_INDEX_EXPAND_H
#define RK_INDEX_EXPAND_H

#include "index/search/searching.h"

/* The postings of pre*, ~fuzzy and comparisons. 0, -ENOMEM. */
int rk_expand_term(struct rk_searching *s, unsigned t);
/* The postings of several lists of one source as one. 0, -ENOMEM. */
int rk_unite_parts(struct rk_searching *s, const struct rk_qsource *src,
		   struct rk_plist *parts, unsigned n, struct rk_plist *out);

#endif
