/* SPDX-License-Identifier: MIT */
#include "base/arena.h"
#include "base/mem.h"
#include <assert.h>
#include <stdint.h>
#include <string.h>

enum { ARENA_BLOCK_BYTES = 64 * 1024, ARENA_ALIGN = 16 };

struct rk_arena_block {
	struct rk_arena_block *next;
	size_t size;
	_Alignas(ARENA_ALIGN) unsigned char data[];
};

static int arena_grow(struct rk_arena *a, size_t n)
{
	size_t size = n > ARENA_BLOCK_BYTES ? n : ARENA_BLOCK_BYTES;
	struct rk_arena_block *b = rk_malloc(sizeof(*b) + size);

	if (!b)
		return -1;
	b->size = size;
	b->next = a->head;
	a->head = b;
	a->used = 0;
	a->bytes += size;
	return 0;
}

/* n bytes from the head block, or a new one; no alignment. */
static void *bump(struct rk_arena *a, size_t n)
{
	void *p;

	if (n > SIZE_MAX / 2)
		return NULL;
	if ((!a->head || a->used > a->head->size ||
	     a->head->size - a->used < n) &&
	    arena_grow(a, n) < 0)
		return NULL;
	p = a->head->data + a->used;
	a->used += n;
	return p;
}

void *rk_arena_alloc(struct rk_arena *a, size_t n)
{
	a->used = (a->used + ARENA_ALIGN - 1) & ~(size_t)(ARENA_ALIGN - 1);
	return bump(a, n);
}

/* Strings are packed: tables of words are read at random. */
char *rk_arena_strndup(struct rk_arena *a, const char *s, size_t n)
{
	char *d = bump(a, n + 1);

	assert(s || n == 0);
	if (!d)
		return NULL;
	if (n)
		memcpy(d, s, n);
	d[n] = '\0';
	return d;
}

void rk_arena_release(struct rk_arena *a)
{
	while (a->head) {
		struct rk_arena_block *next = a->head->next;

		rk_free(a->head);
		a->head = next;
	}
	*a = (struct rk_arena)RK_ARENA_INIT;
}
