/* SPDX-License-Identifier: MIT */
/* The pieces of a tokenizer, by their text: a table with open addressing. */
#include "vector/embed/vocabulary.h"
#include "base/hash.h"
#include "base/mem.h"
#include <errno.h>
#include <string.h>

static uint32_t find_slot(const struct rk_tokenizer *t, const char *s, size_t n)
{
	size_t at = rk_hash64(s, n) & t->mask;

	for (; t->slot[at]; at = (at + 1) & t->mask) {
		const struct piece *p = &t->pieces[t->slot[at] - 1];

		if (p->n == n && memcmp(p->s, s, n) == 0)
			break;
	}
	return (uint32_t)at;
}

const struct piece *rk_piece_find(const struct rk_tokenizer *t, const char *s,
				  size_t n)
{
	uint32_t slot = n <= t->longest ? t->slot[find_slot(t, s, n)] : 0;

	return slot ? &t->pieces[slot - 1] : NULL;
}

int rk_pieces_init(struct rk_tokenizer *t, size_t n)
{
	for (t->mask = 1023; t->mask < n * 2; t->mask = t->mask * 2 + 1)
		;
	t->slot = rk_calloc(t->mask + 1, sizeof(*t->slot));
	t->pieces = rk_calloc(n + 1, sizeof(*t->pieces));
	return t->slot && t->pieces ? 0 : -ENOMEM;
}

int rk_piece_add(struct rk_tokenizer *t, const char *s, size_t n, uint32_t id,
		 double score)
{
	struct piece *p = &t->pieces[t->npieces];
	uint32_t at = find_slot(t, s, n);

	if (id >= t->size)
		t->size = id + 1;
	if (n > PIECE_MAX || t->slot[at])
		return 0; /* the first of equals counts */
	*p = (struct piece){rk_arena_strndup(&t->arena, s, n), (uint32_t)n, id,
			    score};
	if (!p->s)
		return -ENOMEM;
	t->slot[at] = (uint32_t)++t->npieces;
	if (n > t->longest)
		t->longest = n;
	return 0;
}
