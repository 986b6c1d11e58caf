/* SPDX-License-Identifier: MIT */
#include "text/analyse/fold.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unicode/uchar.h>
#include <utf8proc.h>

enum {
	TATWEEL = 0x640,
	ACUTE = 0x301,
	GRAVE = 0x300,
	DIAERESIS = 0x308,
	LETTERS_MAX = 256, /* of a token, decomposed */
};

/* Letters that do not decompose, and what they are typed as without. */
static const struct {
	int32_t letter;
	const char *plain;
} LETTERS[] = {
	{0xdf, "ss"},	   {0xe6, "ae"},      {0xf0, "d"},  {0xf8, "o"},
	{0xfe, "th"},	   {0x111, "d"},      {0x127, "h"}, {0x131, "i"},
	{0x142, "l"},	   {0x153, "oe"},     {0x167, "t"}, {0x649, "\u064a"},
	{0x6a9, "\u0643"}, {0x6cc, "\u064a"},
};
enum { NLETTERS = sizeof(LETTERS) / sizeof(LETTERS[0]) };

static int within(int32_t c, int32_t from, int32_t to)
{
	return c >= from && c <= to;
}

static size_t put(char *out, int32_t c)
{
	return (size_t)utf8proc_encode_char(c, (utf8proc_uint8_t *)out);
}

/* The map of utf8proc with `options`, in out. */
static int64_t map(const char *s, size_t n, int options, char *out, size_t max)
{
	utf8proc_uint8_t *p = NULL;
	utf8proc_ssize_t len = utf8proc_map(
		(const utf8proc_uint8_t *)s, (utf8proc_ssize_t)n, &p,
		(utf8proc_option_t)(options | UTF8PROC_STABLE));

	if (len > 0 && (size_t)len <= max)
		memcpy(out, p, (size_t)len);
	free(p); /* from utf8proc's own malloc */
	if (len == UTF8PROC_ERROR_NOMEM)
		return -ENOMEM;
	return len > 0 && (size_t)len <= max ? len : 0;
}

/* The case of Turkish: I is ı, İ is i. */
static int32_t turkish_lower(int32_t c)
{
	if (c == 'I')
		return 0x131;
	return c == 0x130 ? 'i' : c;
}

int64_t rk_fold_case(enum rk_language l, const char *s, size_t n, char *out,
		     size_t max)
{
	char seen[4 * LETTERS_MAX];
	size_t k = 0;

	for (size_t i = 0; i < n;) {
		int32_t c;
		utf8proc_ssize_t len =
			utf8proc_iterate((const utf8proc_uint8_t *)s + i,
					 (utf8proc_ssize_t)(n - i), &c);

		if (len <= 0 || k + 4 > sizeof(seen))
			return 0;
		i += (size_t)len;
		if (c == TATWEEL)
			continue;
		if (c >= 0x80 && u_isdigit(c))
			c = '0' + u_charDigitValue(c);
		k += put(seen + k, l == RK_TURKISH ? turkish_lower(c) : c);
	}
	return map(seen, k,
		   UTF8PROC_COMPOSE | UTF8PROC_COMPAT | UTF8PROC_CASEFOLD |
			   UTF8PROC_IGNORE,
		   out, max);
}

/* Is the mark an accent that may be left out on this letter? */
static int is_accent(int32_t letter, int32_t mark)
{
	if (letter < 0x250 || within(letter, 0x1e00, 0x1eff) ||
	    within(letter, 0x370, 0x3ff) || within(letter, 0x1f00, 0x1fff))
		return 1;
	if (within(letter, 0x400, 0x52f))
		return mark == ACUTE || mark == GRAVE ||
		       (mark == DIAERESIS && letter == 0x435);
	return within(letter, 0x5d0, 0x5ea) || within(letter, 0x620, 0x6d3);
}

static int is_mark(int32_t c)
{
	return c >= 0x300 && utf8proc_category(c) == UTF8PROC_CATEGORY_MN;
}

static size_t put_plain(char *out, int32_t c)
{
	for (int i = 0; i < NLETTERS; i++)
		if (LETTERS[i].letter == c) {
			size_t n = strlen(LETTERS[i].plain);

			memcpy(out, LETTERS[i].plain, n);
			return n;
		}
	return put(out, c);
}

int64_t rk_fold_marks(const char *s, size_t n, char *out, size_t max)
{
	int32_t letters[LETTERS_MAX], base = 0;
	char plain[4 * LETTERS_MAX];
	size_t k = 0;
	utf8proc_ssize_t count = utf8proc_decompose(
		(const utf8proc_uint8_t *)s, (utf8proc_ssize_t)n, letters,
		LETTERS_MAX, UTF8PROC_STABLE | UTF8PROC_DECOMPOSE);

	if (count <= 0 || count > LETTERS_MAX)
		return 0;
	for (utf8proc_ssize_t i = 0; i < count; i++) {
		if (is_mark(letters[i]) && is_accent(base, letters[i]))
			continue;
		if (!is_mark(letters[i]))
			base = letters[i];
		k += put_plain(plain + k, letters[i]);
	}
	return map(plain, k, UTF8PROC_COMPOSE, out, max);
}
