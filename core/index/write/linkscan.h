/* SPDX-License-Identifier: MIT */
#ifndef RK_INDEX_LINKSCAN_H
#define RK_INDEX_LINKSCAN_H

#include "index/write/watches.h"

/*
 * Have a source compared with the index (all, if name is NULL): 1 compare, 2
 * read everything. Takes links.lock.
 */
void rk_want_scan(struct rk_index *ix, const char *name, int how);
/* Compare those that are to be; their folders are watched from now on. */
void rk_run_scans(struct rk_watches *w);
/* The folder of x is not there. Needs links.lock. */
void rk_tell_missing(struct rk_index *ix, struct rk_link *x);

#endif
