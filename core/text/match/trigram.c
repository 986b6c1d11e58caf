/* SPDX-License-Identifier: MIT */
#include "text/match/trigram.h"
#include "base/mem.h"
#include <errno.h>
#include <string.h>

void rk_grams_release(struct rk_grams *g)
{
	rk_free(g->seen);
	rk_free(g->list);
	*g = (struct rk_grams){0};
}

static int note(struct rk_grams *g, uint32_t gram)
{
	uint64_t bit = 1ull << gram % 64;

	if (g->seen[gram / 64] & bit)
		return 0;
	if (g->n == g->cap &&
	    rk_grow(&g->list, &g->cap, g->n + 1, sizeof(*g->list)) < 0)
		return -ENOMEM;
	g->seen[gram / 64] |= bit;
	g->list[g->n++] = gram;
	return 0;
}

/*
 * The long s and the Kelvin sign fold to s and k: a text that has them
 * could match an ASCII pattern without having its trigrams.
 */
static int folds_oddly(const char *s, size_t n)
{
	return memmem(s, n, "\xc5\xbf", 2) || memmem(s, n, "\xe2\x84\xaa", 3);
}

static int collect(struct rk_grams *g, const char *s, size_t n)
{
	const unsigned char *p = (const unsigned char *)s;
	uint32_t gram = 0;
	unsigned have = 0;

	for (size_t i = 0; i < n; i++) {
		if (p[i] == '\n') {
			have = 0;
			continue;
		}
		gram = (gram << 8 | rk_fold_byte(p[i])) & 0xffffff;
		if (++have >= 3 && note(g, gram) < 0)
			return -ENOMEM;
	}
	return 0;
}

int rk_signature(struct rk_grams *g, const char *s, size_t n,
		 struct rk_buf *out)
{
	size_t bytes;
	int rc;

	if (!g->seen && !(g->seen = rk_calloc(1 << 18, sizeof(*g->seen))))
		return -ENOMEM;
	if (folds_oddly(s, n))
		return 0;
	g->n = 0;
	rc = collect(g, s, n);
	bytes = g->n * RK_GRAM_BITS / 8 + 1;
	if (rc == 0 && (rc = rk_buf_reserve(out, bytes)) == 0) {
		uint8_t *sig = out->p + out->n;

		memset(sig, 0, bytes);
		for (size_t i = 0; i < g->n; i++) {
			uint64_t bit = rk_gram_bit(g->list[i], bytes);

			sig[bit / 8] |= (uint8_t)(1u << bit % 8);
		}
		out->n += bytes;
	}
	for (size_t i = 0; i < g->n; i++)
		g->seen[g->list[i] / 64] = 0;
	return rc;
}
