/* SPDX-License-Identifier: MIT */
#ifndef RK_INDEX_RECOVER_H
#define RK_INDEX_RECOVER_H

struct rk_index;

/* From nothing or a directory to a view. 0, -errno, RK_ECORRUPT. */
int rk_recover(struct rk_index *ix);
extern const char RK_ANALYSER_VERSION[];

#endif
