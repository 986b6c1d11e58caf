/* SPDX-License-Identifier: MIT */
#ifndef RK_INDEX_DOC_FILTER_H
#define RK_INDEX_DOC_FILTER_H

#include "index/search/searching.h"

/* What may be a result, by the tree of the query. */
struct rk_doc_filter;
/*
 * For the chunks of one source, in ascending order; in the arena. NULL: no
 * memory. Damage met on the way sticks and is told by rk_doc_filter_error().
 */
struct rk_doc_filter *rk_doc_filter_open(struct rk_searching *s,
					 const struct rk_qsource *src);
int rk_doc_filter_error(const struct rk_doc_filter *g);
/* Alive, and all that is required holds. */
int rk_doc_filter_admits(struct rk_doc_filter *g, uint32_t chunk);
/* Besides, some of its words are there: it is a lexical match. */
int rk_doc_filter_matches(struct rk_doc_filter *g, uint32_t chunk);
/* Any of the terms that are not excluded is in the chunk. */
int rk_doc_filter_has_words(struct rk_doc_filter *g, uint32_t chunk);
/* Its conditions do not look at terms: chunks may come in any order. */
int rk_doc_filter_any_order(const struct rk_query *q);
/* A chunk without any of the terms could match ("word OR path:x"). */
int rk_query_wordless(const struct rk_query *q);
int rk_query_about_chunks(const struct rk_query *q);
/* Nothing in it is asked of single chunks. */
int rk_only_documents(const struct rk_qnode *n);

#endif
