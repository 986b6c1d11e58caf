/* SPDX-License-Identifier: MIT */
#ifndef RK_INDEX_TABLES_H
#define RK_INDEX_TABLES_H

struct rk_index;
struct rk_view;

/* Swap in a view that the caller has built. Needs `writer`. */
void rk_view_swap(struct rk_index *ix, struct rk_view *v);
/* Freeze the active table (if it holds anything). Needs `writer`. */
int rk_freeze(struct rk_index *ix);

#endif
