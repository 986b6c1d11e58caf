/* SPDX-License-Identifier: MIT */
#ifndef RK_INDEX_PERSIST_H
#define RK_INDEX_PERSIST_H

struct rk_index;

void *rk_persist_main(void *ix);
/* Wait until no full table waits to be written, or the index is closed. */
void rk_wait_for_room(struct rk_index *ix);
/* Take a damaged segment out of the view; the caller reconciles. */
void rk_drop_damaged(struct rk_index *ix);

#endif
