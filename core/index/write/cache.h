/* SPDX-License-Identifier: MIT */
#ifndef RK_INDEX_CACHE_H
#define RK_INDEX_CACHE_H

#include <stdint.h>

struct rk_index;

/* Documents that go by themselves, if so configured. */

/* Every second or so: remove what is too old, or too much. */
void rk_cache_tick(struct rk_index *ix, uint64_t *next_ns);
/* Is it in the cache, and too old to be given? */
int rk_cache_expired(struct rk_index *ix, const char *path, int64_t mtime_ns);
/* It has been of use: others go first. */
void rk_cache_used(struct rk_index *ix, const char *path);

#endif
