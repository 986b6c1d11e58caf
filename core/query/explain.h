/* SPDX-License-Identifier: MIT */
#ifndef RK_QUERY_EXPLAIN_H
#define RK_QUERY_EXPLAIN_H

#include "query/query.h"

/*
 * The clauses of a tree, siblings of n included; all memory from the arena.
 * NULL when memory is short, or n is NULL.
 */
const struct rk_clause *rk_explain(const struct rk_query *q,
				   const struct rk_qnode *n,
				   struct rk_arena *a);

#endif
