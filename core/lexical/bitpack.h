/* SPDX-License-Identifier: MIT */
#ifndef RK_LEXICAL_BITPACK_H
#define RK_LEXICAL_BITPACK_H

#include <stdint.h>

/*
 * 128 unsigned integers in `width` bits each, four interleaved lanes as in
 * SIMD-BP128 (Lemire and Boytsov 2015): value i sits in lane i % 4, so that
 * one vector operation unpacks four. 16 * width bytes; width 0 is all zeros.
 */
enum { RK_BLOCK = 128 };

/* Bits that the largest of n values needs, 0 to 32. */
unsigned rk_bit_width(const uint32_t *v, unsigned n);
void rk_pack128(const uint32_t *in, unsigned width, uint8_t *out);
void rk_unpack128(const uint8_t *in, unsigned width, uint32_t *out);
/*
 * Unpack gaps and turn them into ascending ids: out[i] = base + 1 + sum of
 * the gaps up to i, plus i. With base = the id before the block (or
 * UINT32_MAX at the start of a list) equal to "gap - 1" coding.
 */
void rk_unpack128_ids(const uint8_t *in, unsigned width, uint32_t base,
		      uint32_t *out);

#endif
