/* SPDX-License-Identifier: MIT */
#include "base/mem.h"
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
