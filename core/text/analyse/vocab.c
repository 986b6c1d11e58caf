/* SPDX-License-Identifier: MIT */
#include "text/analyse/vocab.h"
#include "base/hash.h"
#include "base/mem.h"
#include <assert.h>
#include <errno.h>
#include <string.h>

enum { VOCAB_FIRST = 1024 };

int rk_vocab_init(struct rk_vocab *v)
{
	memset(v, 0, sizeof(*v));
	v->slots = rk_calloc(VOCAB_FIRST * 2, sizeof(*v->slots));
	v->v = rk_malloc(VOCAB_FIRST * sizeof(*v->v));
	v->cap = VOCAB_FIRST;
	v->mask = VOCAB_FIRST * 2 - 1;
	if (v->slots && v->v)
		return 0;
	rk_vocab_release(v);
	return -ENOMEM;
}

void rk_vocab_release(struct rk_vocab *v)
{
	rk_free(v->slots);
	rk_free(v->v);
	rk_arena_release(&v->arena);
	memset(v, 0, sizeof(*v));
}

void rk_vocab_clear(struct rk_vocab *v)
{
	struct rk_vocab small;

	if (rk_vocab_init(&small) == 0) {
		rk_vocab_release(v);
		*v = small;
		return;
	}
	/* no memory for a small one: what there is, emptied */
	memset(v->slots, 0, ((size_t)v->mask + 1) * sizeof(*v->slots));
	rk_arena_release(&v->arena);
	v->n = 0;
}

static int vocab_grow(struct rk_vocab *v)
{
	uint32_t cap = v->cap * 2, mask = cap * 2 - 1;
	struct rk_word *w = rk_realloc(v->v, cap * sizeof(*w));
	struct rk_vocab_slot *slots;

	if (!w)
		return -ENOMEM;
	v->v = w;
	slots = rk_calloc(mask + 1, sizeof(*slots));
	if (!slots)
		return -ENOMEM;
	for (uint32_t id = 0; id < v->n; id++) {
		uint32_t i = v->v[id].hash & mask;

		while (slots[i].id1)
			i = (i + 1) & mask;
		slots[i] = (struct rk_vocab_slot){v->v[id].hash, id + 1};
	}
	rk_free(v->slots);
	v->slots = slots;
	v->cap = cap;
	v->mask = mask;
	return 0;
}

static uint32_t hash_of(const char *s, uint32_t n)
{
	return (uint32_t)(rk_hash64(s, n) >> 32);
}

/* The slot that holds s, or the empty one where it belongs. */
static uint32_t find_slot(const struct rk_vocab *v, const char *s, uint32_t n,
			  uint32_t h)
{
	uint32_t i = h & v->mask;

	for (; v->slots[i].id1; i = (i + 1) & v->mask) {
		const struct rk_word *w;

		if (v->slots[i].hash != h)
			continue;
		w = &v->v[v->slots[i].id1 - 1];
		if (w->n == n && memcmp(w->s, s, n) == 0)
			break;
	}
	return i;
}

int64_t rk_vocab_find(const struct rk_vocab *v, const char *s, uint32_t n)
{
	return (int64_t)v->slots[find_slot(v, s, n, hash_of(s, n))].id1 - 1;
}

int64_t rk_vocab_id(struct rk_vocab *v, const char *s, uint32_t n)
{
	uint32_t h = hash_of(s, n), i = find_slot(v, s, n, h);
	char *copy;

	assert(s || n == 0);
	if (v->slots[i].id1)
		return v->slots[i].id1 - 1;
	if (v->n == v->cap) {
		if (vocab_grow(v) < 0)
			return -ENOMEM;
		i = find_slot(v, s, n, h);
	}
	copy = rk_arena_strndup(&v->arena, s, n);
	if (!copy)
		return -ENOMEM;
	v->v[v->n] = (struct rk_word){copy, n, h};
	v->slots[i] = (struct rk_vocab_slot){h, ++v->n};
	return v->n - 1;
}

size_t rk_vocab_bytes(const struct rk_vocab *v)
{
	return v->arena.bytes + v->cap * sizeof(*v->v) +
	       (v->mask + 1) * sizeof(*v->slots);
}
