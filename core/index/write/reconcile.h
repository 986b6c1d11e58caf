/* SPDX-License-Identifier: MIT */
#ifndef RK_INDEX_RECONCILE_H
#define RK_INDEX_RECONCILE_H

struct rk_index;

void *rk_reconcile_main(void *ix);

#endif
