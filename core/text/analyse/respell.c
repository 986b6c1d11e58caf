/* SPDX-License-Identifier: MIT */
/*
 * People leave accents out, and write ue for ü. A stemmer that knows an ending
 * by its accent does not see it then, so queries try the word with them.
 */
#include "text/analyse/fold.h"
#include <string.h>

enum { ALTS = 4 };

/* What a letter (or two) may stand for in a language. */
static const struct {
	enum rk_language language;
	const char *typed, *meant[ALTS];
} MEANT[] = {
	{RK_GERMAN, "ae", {"ä"}},
	{RK_GERMAN, "oe", {"ö"}},
	{RK_GERMAN, "ue", {"ü"}},
	{RK_GERMAN, "ä", {"ae"}},
	{RK_GERMAN, "ö", {"oe"}},
	{RK_GERMAN, "ü", {"ue"}},
	{RK_GERMAN, "a", {"ä"}},
	{RK_GERMAN, "o", {"ö"}},
	{RK_GERMAN, "u", {"ü"}},
	{RK_FRENCH, "a", {"â", "à"}},
	{RK_FRENCH, "c", {"ç"}},
	{RK_FRENCH, "e", {"é", "è", "ê"}},
	{RK_FRENCH, "i", {"î", "ï"}},
	{RK_FRENCH, "o", {"ô"}},
	{RK_FRENCH, "u", {"û"}},
	{RK_SPANISH, "a", {"á"}},
	{RK_SPANISH, "e", {"é"}},
	{RK_SPANISH, "i", {"í"}},
	{RK_SPANISH, "n", {"ñ"}},
	{RK_SPANISH, "o", {"ó"}},
	{RK_SPANISH, "u", {"ú"}},
	{RK_ITALIAN, "a", {"à"}},
	{RK_ITALIAN, "e", {"è", "é"}},
	{RK_ITALIAN, "i", {"ì"}},
	{RK_ITALIAN, "o", {"ò"}},
	{RK_ITALIAN, "u", {"ù"}},
	{RK_PORTUGUESE, "cao", {"ção"}},
	{RK_PORTUGUESE, "coes", {"ções"}},
	{RK_PORTUGUESE, "a", {"á", "ã", "â"}},
	{RK_PORTUGUESE, "c", {"ç"}},
	{RK_PORTUGUESE, "e", {"é", "ê"}},
	{RK_PORTUGUESE, "i", {"í"}},
	{RK_PORTUGUESE, "o", {"ó", "õ", "ô"}},
	{RK_PORTUGUESE, "u", {"ú"}},
	{RK_SWEDISH, "a", {"å", "ä"}},
	{RK_SWEDISH, "o", {"ö"}},
	{RK_NORWEGIAN, "a", {"å"}},
	{RK_NORWEGIAN, "o", {"ø"}},
	{RK_NORWEGIAN, "ae", {"æ"}},
	{RK_DANISH, "a", {"å"}},
	{RK_DANISH, "o", {"ø"}},
	{RK_DANISH, "ae", {"æ"}},
	{RK_DANISH, "aa", {"å"}},
	{RK_FINNISH, "a", {"ä"}},
	{RK_FINNISH, "o", {"ö"}},
	{RK_HUNGARIAN, "a", {"á"}},
	{RK_HUNGARIAN, "e", {"é"}},
	{RK_HUNGARIAN, "i", {"í"}},
	{RK_HUNGARIAN, "o", {"ó", "ö", "ő"}},
	{RK_HUNGARIAN, "u", {"ú", "ü", "ű"}},
	{RK_ROMANIAN, "a", {"ă", "â"}},
	{RK_ROMANIAN, "i", {"î"}},
	{RK_ROMANIAN, "s", {"ș", "ş"}},
	{RK_ROMANIAN, "t", {"ț", "ţ"}},
	{RK_TURKISH, "c", {"ç"}},
	{RK_TURKISH, "g", {"ğ"}},
	{RK_TURKISH, "i", {"ı"}},
	{RK_TURKISH, "o", {"ö"}},
	{RK_TURKISH, "s", {"ş"}},
	{RK_TURKISH, "u", {"ü"}},
};
enum { NMEANT = sizeof(MEANT) / sizeof(MEANT[0]) };

static int starts(const char *s, size_t n, const char *with)
{
	size_t k = strlen(with);

	return k <= n && memcmp(s, with, k) == 0;
}

/* s with `was` at each place that has it as `now`; 0 if it does not fit. */
static size_t replace(const char *s, size_t n, size_t from, size_t to,
		      const char *was, const char *now, char *out, size_t max)
{
	size_t k = 0, a = strlen(was), b = strlen(now);

	for (size_t i = 0; i < n;) {
		if (k + b + 1 > max)
			return 0;
		if (i >= from && i < to && starts(s + i, n - i, was)) {
			memcpy(out + k, now, b);
			k += b;
			i += a;
		} else {
			out[k++] = s[i++];
		}
	}
	return k;
}

/*
 * The i-th way to put `now` for `was`: at one place, counted from the end,
 * where endings are.
 */
static size_t nth_place(const char *s, size_t n, unsigned *i, const char *was,
			const char *now, char *out, size_t max)
{
	for (size_t at = n; at-- > 0;)
		if (starts(s + at, n - at, was) && (*i)-- == 0)
			return replace(s, n, at, at + 1, was, now, out, max);
	return 0;
}

size_t rk_respelling(enum rk_language l, const char *s, size_t n, unsigned i,
		     char *out, size_t max)
{
	unsigned left = i - 1;

	if (i == 0) {
		int64_t plain = rk_fold_marks(s, n, out, max);

		return plain > 0 ? (size_t)plain : 0;
	}
	for (int k = 0; k < NMEANT; k++)
		for (int m = 0; MEANT[k].language == l && m < ALTS; m++) {
			const char *meant = MEANT[k].meant[m];
			size_t got;

			if (!meant)
				break;
			/* `left` wraps where the place was found */
			got = nth_place(s, n, &left, MEANT[k].typed, meant, out,
					max);
			if (got)
				return got;
			if (left == (unsigned)-1)
				return 0;
		}
	return 0;
}
