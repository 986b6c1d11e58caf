/* SPDX-License-Identifier: MIT */
#include "vector/embed/characters.h"
#include "base/buf.h"
#include <utf8proc.h>

/* The next character; invalid bytes are U+FFFD, one at a time. */
size_t rk_char_next(const char *s, size_t n, int32_t *c)
{
	utf8proc_ssize_t k = utf8proc_iterate((const utf8proc_uint8_t *)s,
					      (utf8proc_ssize_t)n, c);

	if (k > 0)
		return (size_t)k;
	*c = 0xfffd;
	return 1;
}

void rk_char_put(struct rk_buf *b, int32_t c)
{
	utf8proc_uint8_t u[4];

	rk_buf_add(b, u, (size_t)utf8proc_encode_char(c, u));
}

int rk_char_is_space(int32_t c)
{
	utf8proc_category_t k;

	if (c == ' ' || (c >= '\t' && c <= '\r') || c == 0x85)
		return 1;
	k = utf8proc_category(c);
	return k == UTF8PROC_CATEGORY_ZS || k == UTF8PROC_CATEGORY_ZL ||
	       k == UTF8PROC_CATEGORY_ZP;
}

int rk_char_is_control(int32_t c)
{
	if (c == '\t' || c == '\n' || c == '\r')
		return 0;
	switch ((int)utf8proc_category(c)) {
	case UTF8PROC_CATEGORY_CC:
	case UTF8PROC_CATEGORY_CF:
	case UTF8PROC_CATEGORY_CN:
	case UTF8PROC_CATEGORY_CO:
	case UTF8PROC_CATEGORY_CS:
		return 1;
	default:
		return 0;
	}
}

int rk_char_is_punctuation(int32_t c)
{
	utf8proc_category_t k;

	if ((c >= 33 && c <= 47) || (c >= 58 && c <= 64) ||
	    (c >= 91 && c <= 96) || (c >= 123 && c <= 126))
		return 1;
	k = utf8proc_category(c);
	return k >= UTF8PROC_CATEGORY_PC && k <= UTF8PROC_CATEGORY_PO;
}

int rk_char_is_word(int32_t c)
{
	utf8proc_category_t k = utf8proc_category(c);

	return c == '_' ||
	       (k >= UTF8PROC_CATEGORY_LU && k <= UTF8PROC_CATEGORY_NO);
}

int rk_char_is_ideograph(int32_t c)
{
	static const struct {
		int32_t first, last;
	} RANGES[] = {{0x4e00, 0x9fff},	  {0x3400, 0x4dbf},
		      {0x20000, 0x2a6df}, {0x2a700, 0x2b73f},
		      {0x2b740, 0x2b81f}, {0x2b920, 0x2ceaf},
		      {0xf900, 0xfaff},	  {0x2f800, 0x2fa1f}};

	for (size_t i = 0; i < sizeof(RANGES) / sizeof(RANGES[0]); i++)
		if (c >= RANGES[i].first && c <= RANGES[i].last)
			return 1;
	return 0;
}
