/* SPDX-License-Identifier: MIT */
#include "base/mem.h"
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int (*mem_hook)(void);

void rk_mem_set_hook(int (*fail)(void))
{
	mem_hook = fail;
}

void *rk_malloc(size_t n)
{
	return mem_hook && mem_hook() ? NULL : malloc(n);
}

void *rk_calloc(size_t count, size_t size)
{
	return mem_hook && mem_hook() ? NULL : calloc(count, size);
}

void *rk_realloc(void *p, size_t n)
{
	return mem_hook && mem_hook() ? NULL : realloc(p, n);
}

void *rk_aligned_alloc(size_t align, size_t n)
{
	assert(align && (align & (align - 1)) == 0);
	n = (n + align - 1) / align * align;
	return mem_hook && mem_hook() ? NULL : aligned_alloc(align, n);
}

void rk_free(void *p)
{
	free(p);
}

char *rk_strndup(const char *s, size_t n)
{
	char *d = rk_malloc(n + 1);

	if (!d)
		return NULL;
	if (n)
		memcpy(d, s, n);
	d[n] = '\0';
	return d;
}

int rk_grow(void *array, size_t *cap, size_t n, size_t size)
{
	enum { FIRST = 64 };
	void **v = array;
	size_t want = *cap ? *cap : FIRST;
	char *p;

	assert(size > 0);
	if (n <= *cap)
		return 0;
	while (want < n)
		want *= 2;
	p = rk_realloc(*v, want * size);
	if (!p)
		return -ENOMEM;
	memset(p + *cap * size, 0, (want - *cap) * size);
	*v = p;
	*cap = want;
	return 0;
}
