/* SPDX-License-Identifier: MIT */
#ifndef RK_TEXT_REGEX_H
#define RK_TEXT_REGEX_H

#include <stddef.h>
#include <stdint.h>

/*
 * A pattern over lines (PCRE2 syntax, UTF-8, invalid bytes match nothing), and
 * what a text must contain to match at all: a tree of trigrams (after Cox,
 * "Regular Expression Matching with a Trigram Index", 2012). Whatever that
 * analysis does not understand is taken to require nothing.
 */
struct rk_regex;

enum { RK_PATTERN_MAX = 2000 };

/*
 * `fold` ignores case. Returns 0, -ENOMEM, or -EINVAL with a sentence in why.
 * One thread at a time may match with it.
 */
int rk_regex_new(const char *s, size_t n, int fold, struct rk_regex **out,
		 char *why, size_t why_n);
void rk_regex_free(struct rk_regex *r);

/*
 * Does the line (without its newline) match? Returns 1, 0, or -ELOOP if the
 * pattern exceeded its limit of steps on this line.
 */
int rk_regex_match(struct rk_regex *r, const char *s, size_t n);

/*
 * Where does it match next, from byte *at on? As above, with *at and *len of
 * the match.
 */
int rk_regex_find(struct rk_regex *r, const char *s, size_t n, size_t *at,
		  size_t *len);

/*
 * The first byte in [s, end) near which a match can be: every line before the
 * one it is in does not match. NULL: none does. Cheaper than asking each line.
 */
const char *rk_regex_candidate(const struct rk_regex *r, const char *s,
			       const char *end);

/* Does any line of the text? Lines that exceed the limit do not count. */
int rk_regex_in_text(struct rk_regex *r, const char *s, size_t n);

/* Could a text with this signature (trigram.h) hold a matching line? */
int rk_regex_may_match(const struct rk_regex *r, const uint8_t *sig, size_t n);

#endif
