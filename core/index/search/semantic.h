/* SPDX-License-Identifier: MIT */
#ifndef RK_INDEX_SEMANTIC_H
#define RK_INDEX_SEMANTIC_H

#include "index/search/searching.h"

/* The vector lane. */

/* Choose the mode that can be answered in, and make room for the nearest. */
int rk_semantic_prepare(struct rk_searching *s);
/* The query's vector into s->qvec; scores: exact ones of s->top. */
int rk_semantic_query(struct rk_searching *s, const double *scores);
/* The nearest chunks to s->qvec into s->near. */
int rk_semantic_scan(struct rk_searching *s);

#endif
