/* SPDX-License-Identifier: MIT */
#ifndef RK_TEXT_EMIT_H
#define RK_TEXT_EMIT_H

#include "text/analyse/analyse.h"
#include "text/analyse/breaks.h"
#include <libstemmer.h>

/* Inside of the analyser: what one token becomes. */

/* what one raw token gives: `n` emissions from `first` in the emit list */
struct emission {
	uint32_t term;
	uint16_t step; /* position relative to the token's */
	uint8_t word, extra;
};
struct cached {
	uint32_t first;
	uint16_t n;
	uint16_t width; /* positions that the token takes, or: */
};
enum { NOT_ANALYSED = UINT16_MAX };

/* How words of one language are treated. */
struct stemming {
	struct sb_stemmer *stemmer; /* NULL: no stemming */
	enum rk_language language;  /* BASE: one that has no number */
	struct rk_vocab raw[2];	    /* raw tokens of prose, of code */
	struct cached *cache[2];
	uint32_t cache_cap[2];
};

struct rk_analyser {
	struct stemming *stemmings[RK_LANGUAGES]; /* made when first used */
	struct stemming *v;			  /* the one in use */
	uint64_t also;				  /* languages besides it */
	struct rk_breaks *breaks;		  /* made when first used */
	struct rk_vocab vocab;
	struct emission *emit;
	uint32_t nemit, emit_cap;
	struct rk_tok *toks;
	size_t ntoks, toks_cap;
	uint64_t epoch;
};

/*
 * Append to the emit list what a token of at most RK_TOKEN_MAX bytes gives.
 * Returns the positions it takes, or -ENOMEM.
 */
int rk_emit_raw(struct rk_analyser *a, const char *s, size_t n, int code);
/* Is it data written as letters rather than words (base64, hashes)? */
int rk_is_encoded(const char *s, size_t n);

#endif
