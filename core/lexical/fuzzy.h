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

/* Is b what a fuzzy word a may stand for? One typing error at least. */
static inline int rk_fuzzy_near(const char *a, size_t an, const char *b,
				size_t bn)
{
	unsigned most = rk_edits_allowed(an);

	most = most ? most : 1;
	return an <= 64 && bn <= 64 &&
	       rk_edit_distance(a, an, b, bn, most) <= most;
}

/*
 * A word with one byte for each letter, whatever its alphabet: those of one
 * script stay apart. Returns how many.
 */
size_t rk_letters(const char *s, size_t n, char *out, size_t max);

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
