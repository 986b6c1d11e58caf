/* SPDX-License-Identifier: MIT */
#include "query/scan.h"
#include <ctype.h>
#include <string.h>
#include <utf8proc.h>

enum {
	KEY_MAX = 80,
	GLOB_LETTERS_MIN = 3, /* fewer mean half the dictionary, or a sum */
	REQUEST_WORD_MAX = 24,
};

/* --- marks --- */

/* “ ” „ ‟ « » and those of Chinese and Japanese; no apostrophes. */
size_t rk_scan_quote(const char *s, const char *end)
{
	static const char *const QUOTES[] = {
		"\"",		"\xe2\x80\x9c", "\xe2\x80\x9d", "\xe2\x80\x9e",
		"\xe2\x80\x9f", "\xc2\xab",	"\xc2\xbb",	"\xe3\x80\x8c",
		"\xe3\x80\x8d", "\xe3\x80\x8e", "\xe3\x80\x8f", "\xef\xbc\x82",
	};

	for (size_t i = 0; i < sizeof(QUOTES) / sizeof(QUOTES[0]); i++) {
		size_t n = strlen(QUOTES[i]);

		if ((size_t)(end - s) >= n && memcmp(s, QUOTES[i], n) == 0)
			return n;
	}
	return 0;
}

const char *rk_scan_to_quote(const char *s, const char *end)
{
	while (s < end && !rk_scan_quote(s, end))
		s++;
	return s;
}

const char *rk_scan_key(const char *s, const char *end)
{
	const char *c = s;

	while (c < end && c - s < KEY_MAX &&
	       (isalnum((unsigned char)*c) || (c > s && strchr("._-", *c))) &&
	       *c)
		c++;
	if (c == end || c == s || *c != ':' || (c + 1 < end && c[1] == ':'))
		return NULL;
	return c;
}

int rk_scan_operator(const char *s, const char *end, const char *op)
{
	size_t n = strlen(op);

	return (size_t)(end - s) >= n && !memcmp(s, op, n) &&
	       (s + n == end || isspace((unsigned char)s[n]) || s[n] == '(' ||
		rk_scan_quote(s + n, end));
}

/* --- titles in capitals --- */

struct cases {
	int lower, upper;
};

static void count_cases(const char *s, const char *end, struct cases *c)
{
	while (s < end) {
		utf8proc_int32_t cp;
		utf8proc_ssize_t n = utf8proc_iterate(
			(const utf8proc_uint8_t *)s, end - s, &cp);

		if (n > 0) {
			c->lower |=
				utf8proc_category(cp) == UTF8PROC_CATEGORY_LL;
			c->upper |=
				utf8proc_category(cp) == UTF8PROC_CATEGORY_LU;
		}
		s += n > 0 ? n : 1;
	}
}

int rk_scan_has_operators(const char *s, const char *end,
			  int (*is_key)(const char *key, size_t n))
{
	struct cases c = {0, 0};

	while (s < end && !c.lower) {
		const char *word = s, *colon = rk_scan_key(s, end);

		while (s < end && !isspace((unsigned char)*s))
			s++;
		if (!rk_scan_operator(word, end, "AND") &&
		    !rk_scan_operator(word, end, "OR") &&
		    !rk_scan_operator(word, end, "NOT") &&
		    !(colon && is_key(word, (size_t)(colon - word))))
			count_cases(word, s, &c);
		while (s < end && isspace((unsigned char)*s))
			s++;
	}
	return c.lower || !c.upper;
}

/* --- words --- */

size_t rk_scan_boost(const char *s, size_t n, double *boost)
{
	size_t i = n;
	double v = 0, unit = 0;

	while (i > 0 && (isdigit((unsigned char)s[i - 1]) || s[i - 1] == '.'))
		i--;
	if (i == n || i < 1 || s[i - 1] != '^' || n - i > 6)
		return n;
	for (size_t k = i; k < n; k++) {
		if (s[k] == '.' && (unit != 0 || k == i || k + 1 == n))
			return n;
		if (s[k] == '.') {
			unit = 0.1;
		} else if (unit == 0) {
			v = 10 * v + (double)(s[k] - 0x30);
		} else {
			v += unit * (s[k] - '0');
			unit /= 10;
		}
	}
	*boost = v > 100 ? 100 : v < 0.01 ? 0.01 : v;
	return i - 1;
}

int rk_scan_is_glob(const char *s, size_t n)
{
	size_t letters = 0, wild = 0;

	for (size_t i = 0; i < n; i++) {
		int mark = s[i] == '*' || s[i] == '?';

		if (mark && i > 0 && s[i - 1] == '*')
			return 0; /* **bold** */
		wild += mark ? 1 : 0;
		if (!mark && !isalnum((unsigned char)s[i]) &&
		    (unsigned char)s[i] < 0x80 && s[i] != '_' && s[i] != '-')
			return 0;
		letters += mark ? 0 : 1;
	}
	return wild && letters >= GLOB_LETTERS_MIN;
}

/* --- requests --- */

#define SEEK "find|see|know|learn|search|look"
#define SHOW "find|show|give|tell|search|look|get"
#define THINGS                                                                 \
	"article|articles|document|documents|docs|paper|papers|page|pages|"    \
	"file|files|note|notes|information|info|something|anything|"           \
	"everything|post|posts|text|texts|material|literature|result|"         \
	"results|publications|stories|book|books|details|sources|references"
#define SOME "all|some|any|more|the|a|an|?"
#define TELLING                                                                \
	"discuss|describe|explain|cover|mention|contain|discussing|"           \
	"describing|explaining|covering|mentioning|containing"

/*
 * Words that must follow each other, `|` between alternatives; one that ends
 * in `|?` may be missing.
 */
static const char *const OPENINGS[] = {
	"please|? i'd like|love to " SEEK " for|?",
	"please|? i would like|love to " SEEK " for|?",
	"please|? i|we want|need|wish to " SEEK " for|?",
	"please|? i'm|we're looking|searching for",
	"please|? i|we am|are looking|searching for",
	"please|? can|could|would|will you please|? " SHOW " me|us|? for|?",
	"please|? help me|us to|? find",
	"please|? show|give|tell|find|get me|us",
	NULL};
/* What is asked for, in general terms; behind an opening, or alone. */
static const char *const OBJECTS[] = {"find|show|search|list|get|? for|? " SOME
				      " " THINGS " about|regarding|concerning",
				      "find|show|search|list|get|? for|? " SOME
				      " " THINGS " that|which|? " TELLING,
				      "are|is|do there|you have|? " SOME
				      " " THINGS " about|regarding|concerning",
				      NULL};
static const char *const ABOUT[] = {"about|regarding|concerning",
				    SOME " " THINGS " on|for", NULL};

/* What one of those can begin with. */
static const char FIRST[] =
	"please|i|i'd|i'm|we|we're|can|could|would|will|help|are|is|do|you|"
	"that|which|find|show|give|tell|get|search|list|for|" SOME "|" THINGS;

/* A word of small letters with its apostrophe straight; bytes taken. */
static size_t request_word(const char *s, const char *end, char *out)
{
	size_t i = 0, n = 0;

	while (s + i < end && n < REQUEST_WORD_MAX) {
		if (end - s - (long)i > 2 &&
		    memcmp(s + i, "\xe2\x80\x99", 3) == 0) {
			out[n++] = '\'';
			i += 3;
		} else if (isalpha((unsigned char)s[i]) || s[i] == '\'') {
			out[n++] = (char)tolower((unsigned char)s[i++]);
		} else {
			break;
		}
	}
	out[n] = '\0';
	return s + i < end && isspace((unsigned char)s[i]) ? i : 0;
}

static int among(const char *word, const char *slot, size_t n)
{
	size_t len = strlen(word);

	for (const char *p = slot; p < slot + n;) {
		size_t k = strcspn(p, "| ");

		if (len && k == len && memcmp(p, word, len) == 0)
			return 1;
		p += k + 1;
	}
	return 0;
}

/* Behind what the pattern takes, blanks too; NULL: it does not fit. */
static const char *follow(const char *pattern, const char *s, const char *end)
{
	char word[REQUEST_WORD_MAX + 1];

	while (*pattern) {
		size_t slot = strcspn(pattern, " ");
		size_t n = request_word(s, end, word);

		if (n && among(word, pattern, slot)) {
			s += n;
			while (s < end && isspace((unsigned char)*s))
				s++;
		} else if (pattern[slot - 1] != '?') {
			return NULL;
		}
		pattern += slot + (pattern[slot] == ' ');
	}
	return s;
}

static const char *follow_one(const char *const *patterns, const char *s,
			      const char *end)
{
	for (; *patterns; patterns++) {
		const char *to = follow(*patterns, s, end);

		if (to)
			return to;
	}
	return s;
}

const char *rk_scan_request(const char *s, const char *end)
{
	const char *asked, *about;
	char first[REQUEST_WORD_MAX + 1];

	/* most queries begin with another word, and are spared the rest */
	if (!request_word(s, end, first) ||
	    !among(first, FIRST, sizeof(FIRST) - 1))
		return s;
	asked = follow_one(OPENINGS, s, end);
	about = follow_one(OBJECTS, asked, end);
	if (asked > s && about == asked)
		about = follow_one(ABOUT, asked, end);
	return about;
}
