/* SPDX-License-Identifier: MIT */
#ifndef RK_LEXICAL_FUZZY_H
#define RK_LEXICAL_FUZZY_H

#include <stddef.h>
#include <stdint.h>

/*
 * Optimal string alignment distance (Damerau 1964: insert, delete, replace,
 * swap neighbours) of two byte strings of at most 64 bytes; `max` + 1 if it
 * is larger than max.
 */
unsigned rk_edit_distance(const char *a, size_t an, const char *b, size_t bn,
			  unsigned max);

/* Typing errors tolerated in a word of n bytes: 0, 1, or 2 from 8 bytes. */
static inline unsigned rk_edits_allowed(size_t n)
{
	return n < 4 ? 0 : n < 8 ? 1 : 2;
}

/* The best spelling seen so far: nearest, then most frequent, then first. */
struct rk_spelling {
	char word[72];
	size_t n;
	unsigned distance;
	uint64_t df;
};
void rk_spelling_offer(struct rk_spelling *s, const char *wanted,
		       size_t wanted_n, const char *word, size_t n,
		       uint64_t df);

#endif
