/* SPDX-License-Identifier: MIT */
#ifndef RK_QUERY_SCAN_H
#define RK_QUERY_SCAN_H

#include <stddef.h>

/*
 * What the parser asks about the letters of a query. Everything borrows; no
 * state. `end` is one behind the last byte.
 */

/* Bytes of the quotation mark at s, straight or typographic; 0: none is. */
size_t rk_scan_quote(const char *s, const char *end);
/* The next quotation mark, or end. */
const char *rk_scan_to_quote(const char *s, const char *end);

/* The colon of a `key:` at s, or NULL. `std::vector` has none. */
const char *rk_scan_key(const char *s, const char *end);

/* Is the word op at s, with a blank, parenthesis or quote behind it? */
int rk_scan_operator(const char *s, const char *end, const char *op);

/*
 * Do AND, OR and NOT mean more than words? Not in a title that is written in
 * capitals throughout ("ROLE OF X OR Y"); what `is_key` says are keys does
 * not count.
 */
int rk_scan_has_operators(const char *s, const char *end,
			  int (*is_key)(const char *key, size_t n));

/* `^2` or `^0.5` at the end of n bytes: bytes before it, and *boost. */
size_t rk_scan_boost(const char *s, size_t n, double *boost);

/* Is it a word with wildcards in it: *ation, wom?n, dis*ed? */
int rk_scan_is_glob(const char *s, size_t n);

/*
 * Behind "I'd like to find articles about", "could you show me" and the like;
 * s if the text begins with no request.
 */
const char *rk_scan_request(const char *s, const char *end);

#endif
