/* SPDX-License-Identifier: MIT */
#ifndef RK_INDEX_WATCH_H
#define RK_INDEX_WATCH_H

/* The thread that follows linked sources; `ix` is its index. */
void *rk_watch_main(void *ix);

#endif
