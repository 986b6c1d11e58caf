/* SPDX-License-Identifier: MIT */
#ifndef RK_INDEX_REQUESTS_H
#define RK_INDEX_REQUESTS_H

struct rk_index;

/* What is asked of the threads in the background. Takes persist_lock. */
void rk_persist_wake(struct rk_index *ix);
/* Let the workers keep up, so that the queue stays small. */
void rk_throttle(struct rk_index *ix);
/* Something failed that may not fail later: compare again soon. */
void rk_retry_later(struct rk_index *ix);
/* Wake the thread that follows linked sources: they have changed. */
void rk_watch_wake(struct rk_index *ix);

#endif
