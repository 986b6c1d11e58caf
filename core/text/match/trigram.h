/* SPDX-License-Identifier: MIT */
#ifndef RK_TEXT_TRIGRAM_H
#define RK_TEXT_TRIGRAM_H

#include "base/buf.h"
#include <stddef.h>
#include <stdint.h>

/*
 * The signature of a text: a set of the three-byte strings inside its lines,
 * ASCII letters in lower case, as a Bloom filter with one hash (Bloom 1970) of
 * RK_GRAM_BITS bits per distinct trigram. A pattern that needs a trigram
 * which is not in it cannot match: about one in seven trigrams that a text
 * does not hold seems to be there, so few are enough.
 *
 * A signature of no bytes means "anything".
 */
enum { RK_GRAM_BITS = 6 };

static inline uint32_t rk_trigram(unsigned char a, unsigned char b,
				  unsigned char c)
{
	return (uint32_t)a << 16 | (uint32_t)b << 8 | c;
}

static inline unsigned char rk_fold_byte(unsigned char c)
{
	return c >= 'A' && c <= 'Z' ? c | 0x20 : c;
}

/* The bit that stands for a trigram in a signature of n bytes, n > 0. */
static inline uint64_t rk_gram_bit(uint32_t gram, size_t n)
{
	uint32_t h = gram * 0x9e3779b1u;

	h ^= h >> 15;
	h *= 0x85ebca6bu;
	return (uint64_t)h * ((uint64_t)n * 8) >> 32;
}

static inline int rk_gram_in(const uint8_t *sig, size_t n, uint32_t gram)
{
	uint64_t bit = rk_gram_bit(gram, n);

	return sig[bit / 8] >> bit % 8 & 1;
}

/* Reusable memory for rk_signature(): 2 MiB. Zeroed to begin with. */
struct rk_grams {
	uint64_t *seen; /* one bit a trigram */
	uint32_t *list; /* those that are set */
	size_t n, cap;
};
void rk_grams_release(struct rk_grams *g);

/* Append the signature of n bytes of text to out. Returns 0 or -ENOMEM. */
int rk_signature(struct rk_grams *g, const char *s, size_t n,
		 struct rk_buf *out);

#endif
