/* SPDX-License-Identifier: MIT */
#include "lexical/bitpack.h"
#include <assert.h>
#include <string.h>

typedef uint32_t lanes __attribute__((vector_size(16)));

unsigned rk_bit_width(const uint32_t *v, unsigned n)
{
	uint32_t all = 0;

	assert(n <= RK_BLOCK);
	for (unsigned i = 0; i < n; i++)
		all |= v[i];
	return all ? 32 - (unsigned)__builtin_clz(all) : 0;
}

static inline lanes load(const uint8_t *p)
{
	lanes v;

	memcpy(&v, p, sizeof(v));
	return v;
}

void rk_pack128(const uint32_t *in, unsigned width, uint8_t *out)
{
	lanes word = {0}, v;
	unsigned used = 0;

	assert(width <= 32);
	if (width == 0)
		return;
	for (unsigned i = 0; i < RK_BLOCK; i += 4) {
		memcpy(&v, in + i, sizeof(v));
		word |= v << used;
		used += width;
		if (used >= 32) {
			memcpy(out, &word, sizeof(word));
			out += sizeof(word);
			used -= 32;
			word = used ? v >> (width - used) : (lanes){0};
		}
	}
}

/* One constant-width unpacker a width, so that every shift is an immediate. */
/* clang-format off */
#define STEP(i)                                                                \
	{                                                                      \
		enum { BIT = (i)*W, WORD = BIT / 32, SH = BIT % 32 };          \
		lanes v = load(in + 16 * WORD) >> SH;                          \
		if (SH + W > 32)                                               \
			v |= load(in + 16 * (WORD + (SH + W > 32)))            \
			     << ((32 - SH) & 31);                              \
		v &= mask;                                                     \
		memcpy(out + 4 * (i), &v, sizeof(v));                          \
	}
#define ALL_STEPS                                                              \
	STEP(0)                                                                \
	STEP(1) STEP(2) STEP(3) STEP(4) STEP(5) STEP(6) STEP(7) STEP(8)        \
		STEP(9) STEP(10) STEP(11) STEP(12) STEP(13) STEP(14) STEP(15)  \
			STEP(16) STEP(17) STEP(18) STEP(19) STEP(20) STEP(21)  \
				STEP(22) STEP(23) STEP(24) STEP(25) STEP(26)   \
					STEP(27) STEP(28) STEP(29) STEP(30)    \
						STEP(31)

#define CASE(w)                                                                \
	case w: {                                                              \
		enum { W = w };                                                \
		const lanes mask = (lanes){0} + (UINT32_MAX >> (32 - W));      \
		ALL_STEPS                                                      \
		break;                                                         \
	}
void rk_unpack128(const uint8_t *in, unsigned width, uint32_t *out)
{
	assert(width <= 32);
	switch (width) {
		CASE(1)
		CASE(2)
		CASE(3) CASE(4) CASE(5) CASE(6) CASE(7) CASE(8) CASE(9) CASE(10)
			CASE(11) CASE(12) CASE(13) CASE(14) CASE(15) CASE(
				16) CASE(17) CASE(18) CASE(19) CASE(20) CASE(21)
				CASE(22) CASE(23) CASE(24) CASE(25) CASE(26)
					CASE(27) CASE(28) CASE(29) CASE(30)
						CASE(31) CASE(32) default
		    : memset(out, 0, RK_BLOCK * sizeof(*out));
	}
}

/* clang-format on */

void rk_unpack128_ids(const uint8_t *in, unsigned width, uint32_t base,
		      uint32_t *out)
{
	lanes run = (lanes){0} + base;
	const lanes one = {1, 2, 3, 4};

	rk_unpack128(in, width, out);
	for (unsigned i = 0; i < RK_BLOCK; i += 4) {
		lanes v, s;

		memcpy(&v, out + i, sizeof(v));
		s = __builtin_shufflevector((lanes){0}, v, 0, 4, 5, 6);
		v += s;
		s = __builtin_shufflevector((lanes){0}, v, 0, 0, 4, 5);
		v += s + run + one;
		memcpy(out + i, &v, sizeof(v));
		run = (lanes){0} + v[3];
	}
}
