/* SPDX-License-Identifier: MIT */
#ifndef RK_INDEX_EXPAND_H
#define RK_INDEX_EXPAND_H

#include "index/search/searching.h"

/* The postings of pre*, ~fuzzy and comparisons. 0, -ENOMEM. */
int rk_expand_term(struct rk_searching *s, unsigned t);

#endif
