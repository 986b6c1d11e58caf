/* SPDX-License-Identifier: MIT */
#include "text/analyse/token.h"
#include <utf8proc.h>

enum {
	HYPHENS_UNTIL = 64, /* bytes of a token that hyphens may lengthen */
	INDENT_MAX = 32,    /* of the line behind a hyphen */
};

static const uint8_t CLASS[256] = {
	['a' ... 'z'] = RK_C_LOWER, ['A' ... 'Z'] = RK_C_UPPER,
	['0' ... '9'] = RK_C_DIGIT, ['_'] = RK_C_UNDER,
	['\''] = RK_C_APOS,	    ['-'] = RK_C_HYPHEN,
};

struct range {
	int32_t from, to;
};

static const struct range PAIRS[] = {
	{0x1100, 0x11ff},   {0x3005, 0x3007},	{0x3040, 0x312f},
	{0x3131, 0x318e},   {0x31f0, 0x31ff},	{0x3400, 0x4dbf},
	{0x4e00, 0x9fff},   {0xa960, 0xa97f},	{0xac00, 0xd7ff},
	{0xf900, 0xfaff},   {0xff66, 0xff9f},	{0xffa0, 0xffdc},
	{0x1b000, 0x1b16f}, {0x20000, 0x3ffff},
};
static const struct range RUNS[] = {
	{0xe01, 0xe3a},	  {0xe40, 0xe4e},   {0xe81, 0xece},
	{0xedc, 0xedf},	  {0x1000, 0x103f}, {0x1050, 0x109d},
	{0x1780, 0x17d3}, {0xa9e0, 0xa9ef}, {0xaa60, 0xaa7f},
};
static const struct range SIGNS[] = {
	{0xa7, 0xa7},	    {0x2600, 0x27bf},	{0x2b50, 0x2b55},
	{0x1f000, 0x1f3fa}, {0x1f400, 0x1faff},
};
/* soft hyphen, marks of direction, joiners, selectors of looks */
static const struct range UNSEEN[] = {
	{0xad, 0xad},	  {0x61c, 0x61c},   {0x200b, 0x200f},
	{0x2060, 0x2064}, {0xfe00, 0xfe0f}, {0xfeff, 0xfeff},
};
#define IN(RANGES, c) in(RANGES, sizeof(RANGES) / sizeof((RANGES)[0]), c)

static int in(const struct range *r, size_t n, int32_t c)
{
	for (size_t i = 0; i < n && c >= r[i].from; i++)
		if (c <= r[i].to)
			return 1;
	return 0;
}

static enum rk_class by_category(int32_t c)
{
	switch ((int)utf8proc_category(c)) {
	case UTF8PROC_CATEGORY_LU:
	case UTF8PROC_CATEGORY_LT:
		return RK_C_UPPER;
	case UTF8PROC_CATEGORY_LL:
	case UTF8PROC_CATEGORY_LM:
	case UTF8PROC_CATEGORY_LO:
	case UTF8PROC_CATEGORY_NL:
	case UTF8PROC_CATEGORY_NO:
		return RK_C_LOWER;
	case UTF8PROC_CATEGORY_MN:
	case UTF8PROC_CATEGORY_MC:
	case UTF8PROC_CATEGORY_ME:
		return RK_C_MARK;
	case UTF8PROC_CATEGORY_ND:
		return RK_C_DIGIT;
	default:
		return RK_C_OTHER;
	}
}

static enum rk_class classify(int32_t c)
{
	if (c == 0x2019 || c == 0x2bc || c == 0xff07)
		return RK_C_APOS;
	if (c == 0x2010 || c == 0x2011)
		return RK_C_HYPHEN;
	if (IN(UNSEEN, c))
		return RK_C_MARK;
	if (c >= 0xe00 && IN(RUNS, c))
		return RK_C_RUN;
	if (c >= 0x1100 && IN(PAIRS, c))
		return RK_C_CJK;
	if (IN(SIGNS, c))
		return RK_C_SIGN;
	return by_category(c);
}

enum rk_class rk_class_at(const char *s, size_t n, size_t *len)
{
	int32_t c;
	utf8proc_ssize_t k;

	*len = 1;
	if ((uint8_t)*s < 0x80)
		return CLASS[(uint8_t)*s];
	k = utf8proc_iterate((const utf8proc_uint8_t *)s, (utf8proc_ssize_t)n,
			     &c);
	if (k <= 0)
		return RK_C_OTHER;
	*len = (size_t)k;
	return classify(c);
}

static int is_word(enum rk_class c)
{
	return c >= RK_C_LOWER && c <= RK_C_UNDER;
}

static int is_letter(enum rk_class c)
{
	return c == RK_C_LOWER || c == RK_C_UPPER;
}

/* The class at i, OTHER at the end. */
static enum rk_class peek(const char *s, size_t n, size_t i)
{
	size_t len;

	return i < n ? rk_class_at(s + i, n - i, &len) : RK_C_OTHER;
}

/*
 * A hyphen that ends at i, behind a character of class `before`: inside a word
 * (plug-in) or at the end of a line. Returns where the word goes on, or 0.
 */
static size_t behind_hyphen(const char *s, size_t n, size_t i,
			    enum rk_class before)
{
	enum rk_class next = peek(s, n, i);
	size_t at = i;

	if (is_letter(before) && (is_letter(next) || next == RK_C_DIGIT))
		return i;
	if (before == RK_C_DIGIT && is_letter(next))
		return i;
	if (!is_letter(before))
		return 0;
	at += at < n && s[at] == '\r';
	if (at >= n || s[at] != '\n')
		return 0;
	for (at++; at < n && at - i < INDENT_MAX; at++)
		if (s[at] != ' ' && s[at] != '\t')
			break;
	return peek(s, n, at) == RK_C_LOWER ? at : 0;
}

/* C++ and C#: a sign that belongs to the name before it. */
static size_t with_signs(const char *s, size_t n, size_t off, size_t i,
			 int code)
{
	int one =
		i - off == 1 && ((s[off] | 32) >= 'a' && (s[off] | 32) <= 'z');

	if (i >= n || (s[i] != '+' && s[i] != '#') ||
	    (code && !(one && (s[off] | 32) == 'c')))
		return i;
	if (i + 1 < n && s[i] == '+' && s[i + 1] == '+' &&
	    peek(s, n, i + 2) == RK_C_OTHER && (i + 2 >= n || s[i + 2] != '+'))
		return i + 2;
	if (one && i < n && s[i] == '#' && peek(s, n, i + 1) == RK_C_OTHER)
		return i + 1;
	return i;
}

/* Where the word that starts at off ends. */
static size_t word_end(const char *s, size_t n, size_t off, int code)
{
	enum rk_class before = RK_C_OTHER;
	size_t i = off;

	while (i < n) {
		size_t len, on;
		enum rk_class c = CLASS[(uint8_t)s[i]];

		if (is_word(c)) { /* most of all bytes */
			before = c;
			i++;
			continue;
		}
		c = rk_class_at(s + i, n - i, &len);
		if (c == RK_C_HYPHEN) {
			on = code || i - off > HYPHENS_UNTIL
				     ? 0
				     : behind_hyphen(s, n, i + len, before);
			if (!on)
				break;
			i = on;
		} else if (c == RK_C_APOS) {
			if (!is_word(peek(s, n, i + len)))
				break;
			i += len;
		} else if (is_word(c) || c == RK_C_MARK) {
			before = c == RK_C_MARK ? before : c;
			i += len;
		} else {
			break;
		}
	}
	return with_signs(s, n, off, i, code);
}

static size_t run_end(const char *s, size_t n, size_t off, enum rk_class kind)
{
	size_t i = off, len;

	while (i < n) {
		enum rk_class c = rk_class_at(s + i, n - i, &len);

		/* a voicing mark of its own; but not a space of no width */
		if (c != kind && (c != RK_C_MARK || kind != RK_C_CJK ||
				  (uint8_t)s[i] < 0xe3))
			break;
		i += len;
	}
	return i;
}

/* ".NET", not the end of example.net */
static int is_dot_net(const char *s, size_t n, size_t i)
{
	return s[i] == '.' && i + 4 <= n && (s[i + 1] | 32) == 'n' &&
	       (s[i + 2] | 32) == 'e' && (s[i + 3] | 32) == 't' &&
	       !is_word(peek(s, n, i + 4)) &&
	       (i == 0 || CLASS[(uint8_t)s[i - 1]] == RK_C_OTHER) &&
	       (i == 0 || (uint8_t)s[i - 1] < 0x80);
}

int rk_token_next(const char *s, size_t n, int code, size_t *at,
		  struct rk_span *out)
{
	while (*at < n) {
		size_t len, off = *at;
		enum rk_class c;

		if ((uint8_t)s[off] <= ' ') {
			++*at;
			continue;
		}
		c = rk_class_at(s + off, n - off, &len);

		*at = off + len;
		if (is_word(c)) {
			*at = word_end(s, n, off, code);
			c = RK_C_LOWER;
		} else if (c == RK_C_CJK || c == RK_C_RUN) {
			*at = run_end(s, n, off, c);
		} else if (c == RK_C_OTHER && is_dot_net(s, n, off)) {
			*at = off + 4;
			c = RK_C_LOWER;
		} else if (c != RK_C_SIGN) {
			continue;
		}
		*out = (struct rk_span){off, *at - off, c};
		return 1;
	}
	return 0;
}

static int is_jamo(int32_t c)
{
	return c >= 0x1160 && c <= 0x11ff;
}

size_t rk_cluster(const char *s, size_t n)
{
	int32_t c;
	size_t i = 0;

	while (i < n) {
		utf8proc_ssize_t k =
			utf8proc_iterate((const utf8proc_uint8_t *)s + i,
					 (utf8proc_ssize_t)(n - i), &c);

		if (k <= 0)
			return i ? i : 1;
		if (i && !is_jamo(c) && c != 0x3099 && c != 0x309a &&
		    c != 0xff9e && c != 0xff9f &&
		    utf8proc_category(c) != UTF8PROC_CATEGORY_MN)
			break;
		i += (size_t)k;
	}
	return i;
}

static size_t skip_class(const char *s, size_t n, size_t i, enum rk_class want,
			 size_t *last)
{
	while (i < n) {
		size_t len;
		enum rk_class c = rk_class_at(s + i, n - i, &len);

		if (c != want && c != RK_C_MARK)
			break;
		if (c == want)
			*last = i;
		i += len;
	}
	return i;
}

size_t rk_part_end(const char *s, size_t n, size_t i)
{
	size_t last = i, second, b;
	enum rk_class first = peek(s, n, i);

	b = skip_class(s, n, i, first, &last);
	if (first != RK_C_UPPER || peek(s, n, b) != RK_C_LOWER)
		return b;
	/* HTTPServer: the last capital begins the next part */
	second = last;
	return second > i ? second : skip_class(s, n, b, RK_C_LOWER, &last);
}

int rk_is_identifier(const char *s, size_t n)
{
	enum rk_class before = RK_C_OTHER, second = RK_C_OTHER;
	int digits = 0, others = 0;
	size_t len;

	for (size_t i = 0; i < n; i += len) {
		enum rk_class c = rk_class_at(s + i, n - i, &len);

		if (c == RK_C_MARK)
			continue;
		if (c == RK_C_UNDER)
			return 1;
		if (c == RK_C_UPPER && before == RK_C_LOWER)
			return 1;
		/* XMLHttp: a run of capitals, then a word */
		if (c == RK_C_LOWER && before == RK_C_UPPER &&
		    second == RK_C_UPPER)
			return 1;
		digits += c == RK_C_DIGIT;
		others += c != RK_C_DIGIT;
		second = before;
		before = c;
	}
	return digits && others;
}
