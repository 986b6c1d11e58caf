/* SPDX-License-Identifier: MIT */
#include "lexical/fuzzy.h"
#include <assert.h>
#include <string.h>

enum { LEN_MAX = 64 };

static unsigned min3(unsigned a, unsigned b, unsigned c)
{
	unsigned m = a < b ? a : b;

	return m < c ? m : c;
}

unsigned rk_edit_distance(const char *a, size_t an, const char *b, size_t bn,
			  unsigned max)
{
	unsigned rows[3][LEN_MAX + 1], *two = rows[0], *one = rows[1],
				       *now = rows[2];

	assert(an <= 64 && bn <= 64);
	if (an > LEN_MAX || bn > LEN_MAX || (an > bn ? an - bn : bn - an) > max)
		return max + 1;
	for (unsigned j = 0; j <= bn; j++)
		one[j] = j;
	for (unsigned i = 1; i <= an; i++) {
		unsigned best = now[0] = i, *spare;

		for (unsigned j = 1; j <= bn; j++) {
			unsigned cost = a[i - 1] != b[j - 1];

			now[j] = min3(one[j] + 1, now[j - 1] + 1,
				      one[j - 1] + cost);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
			    a[i - 2] == b[j - 1] && two[j - 2] + 1 < now[j])
				now[j] = two[j - 2] + 1;
			if (now[j] < best)
				best = now[j];
		}
		if (best > max)
			return max + 1;
		spare = two;
		two = one;
		one = now;
		now = spare;
	}
	return one[bn] <= max ? one[bn] : max + 1;
}

/* Letters present, one bit each of 32: each edit changes at most two. */
static uint32_t letters(const char *s, size_t n)
{
	uint32_t m = 0;

	for (size_t i = 0; i < n; i++)
		m |= 1u << ((unsigned char)s[i] & 31);
	return m;
}

/* Above max where it is of no use: too far, or farther than the best. */
static unsigned distance_of(const char *a, size_t an, const char *b, size_t bn,
			    const struct rk_spelling *best, unsigned max)
{
	unsigned most = best->n && best->distance < max ? best->distance : max;
	unsigned d;

	if ((unsigned)__builtin_popcount(letters(a, an) ^ letters(b, bn)) >
	    2 * max)
		return max + 1;
	d = rk_edit_distance(a, an, b, bn, most);
	return d > most ? max + 1 : d;
}

size_t rk_letters(const char *s, size_t n, char *out, size_t max)
{
	size_t k = 0;

	for (size_t i = 0; i < n && k < max; k++) {
		unsigned char c = (unsigned char)s[i++];

		while (i < n && ((unsigned char)s[i] & 0xc0) == 0x80)
			c = (unsigned char)(c << 6 | 0x80 | (s[i++] & 0x3f));
		out[k] = (char)c;
	}
	return k;
}

void rk_spelling_offer(struct rk_spelling *s, const char *wanted,
		       size_t wanted_n, const char *word, size_t n, uint64_t df)
{
	char a[LEN_MAX], b[LEN_MAX];
	size_t an = wanted_n, bn = n;
	unsigned max, d;

	if (n >= sizeof(s->word) || n < 3 || df == 0)
		return;
	if (wanted_n && (unsigned char)*wanted >= 0x80) {
		an = rk_letters(wanted, wanted_n, a, sizeof(a));
		bn = rk_letters(word, n, b, sizeof(b));
	}
	max = rk_edits_allowed(an);
	if ((an > bn ? an - bn : bn - an) > max)
		return;
	if (an == wanted_n) /* one byte a letter */
		d = distance_of(wanted, an, word, bn, s, max);
	else
		d = distance_of(a, an, b, bn, s, max);
	if (d > max || d == 0)
		return;
	if (s->n && d == s->distance &&
	    (df < s->df || (df == s->df && memcmp(word, s->word, n) >= 0)))
		return;
	memcpy(s->word, word, n);
	s->word[n] = '\0';
	s->n = n;
	s->distance = d;
	s->df = df;
}
