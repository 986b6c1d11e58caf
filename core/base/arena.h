/* SPDX-License-Identifier: MIT */
#ifndef RK_BASE_ARENA_H
#define RK_BASE_ARENA_H

#include <stddef.h>

/*
 * Bump allocator: many small objects with one lifetime. Memory is aligned to
 * 16 bytes, uninitialised, and freed all at once. One thread at a time.
 */
struct rk_arena_block;
struct rk_arena {
	struct rk_arena_block *head;
	size_t used;  /* bytes taken from the head block */
	size_t bytes; /* bytes reserved in all blocks */
};
#define RK_ARENA_INIT                                                          \
	{                                                                      \
		NULL, 0, 0                                                     \
	}

/* n bytes, or NULL when memory is short. */
void *rk_arena_alloc(struct rk_arena *a, size_t n);
/* n bytes of s and a NUL behind them, or NULL. */
char *rk_arena_strndup(struct rk_arena *a, const char *s, size_t n);
void rk_arena_release(struct rk_arena *a);

#endif
