/* SPDX-License-Identifier: MIT */
#ifndef RK_TEXT_TOKEN_H
#define RK_TEXT_TOKEN_H

#include <stddef.h>
#include <stdint.h>

/* Where tokens begin and end in a text; what they become is analyse.h's. */

/* What a character is to a token. */
enum rk_class {
	RK_C_OTHER, /* stands between tokens */
	RK_C_LOWER, /* letters without case, too */
	RK_C_UPPER,
	RK_C_DIGIT,
	RK_C_UNDER,
	RK_C_APOS,
	RK_C_HYPHEN,
	RK_C_MARK, /* accents, and what no reader sees inside a word */
	RK_C_CJK,  /* Han, Kana, Hangul: overlapping pairs */
	RK_C_RUN,  /* Thai, Lao, Khmer, Burmese: by dictionary */
	RK_C_SIGN, /* a word by itself: emoji, § */
};

/* The class of the character at s and its length; a bad byte is OTHER. */
enum rk_class rk_class_at(const char *s, size_t n, size_t *len);

struct rk_span {
	size_t off, n;
	enum rk_class kind; /* LOWER: a word; CJK, RUN, SIGN */
};
/*
 * The first token at or behind *at, which moves past it. `code`: a minus and
 * ++ are operators. 0 at the end of the text.
 */
int rk_token_next(const char *s, size_t n, int code, size_t *at,
		  struct rk_span *out);
/* The end of the character at s, with its voicing marks or jamo: pairs. */
size_t rk_cluster(const char *s, size_t n);
/* Where an identifier's part that starts at i ends. */
size_t rk_part_end(const char *s, size_t n, size_t i);
/* Inner capitals, underscores, or digits beside letters? */
int rk_is_identifier(const char *s, size_t n);

#endif
