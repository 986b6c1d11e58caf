/* SPDX-License-Identifier: MIT */
#ifndef RK_BASE_MEM_H
#define RK_BASE_MEM_H

#include <stddef.h>

/*
 * Every allocation of the core goes through these, so that a test can fail
 * the n-th one. They behave as malloc(3), calloc(3), realloc(3), free(3);
 * NULL means out of memory and callers return -ENOMEM.
 */
void *rk_malloc(size_t n);
void *rk_calloc(size_t count, size_t size);
void *rk_realloc(void *p, size_t n);
void rk_free(void *p);
/* n bytes at a multiple of `align` (a power of two); free with rk_free(). */
void *rk_aligned_alloc(size_t align, size_t n);

/* A NUL-terminated copy of n bytes; free with rk_free(). NULL: no memory. */
char *rk_strndup(const char *s, size_t n);

/*
 * Make *array (a pointer to elements of `size` bytes, *cap of them) hold at
 * least n: doubling, new ones zero. Returns 0, or -ENOMEM with nothing changed.
 */
int rk_grow(void *array, size_t *cap, size_t n, size_t size);

/*
 * Test hook: called before each allocation; a non-zero return makes it fail.
 * Process-wide, because allocation happens below any handle. NULL removes it.
 */
void rk_mem_set_hook(int (*fail)(void));

#endif
