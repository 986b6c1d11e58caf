/* SPDX-License-Identifier: MIT */
#include "text/extract/html.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <utf8proc.h>

static void blank(char *s, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++)
		if (s[i] != '\n')
			s[i] = ' ';
}

static int name_is(const char *s, size_t n, const char *name)
{
	size_t k = strlen(name);

	return n >= k && strncasecmp(s, name, k) == 0 &&
	       (n == k || !isalnum((unsigned char)s[k]));
}

/* The end of the tag that starts at i: behind its ">", quotes respected. */
static size_t tag_end(const char *s, size_t n, size_t i)
{
	char quote = 0;

	for (size_t k = i; k < n; k++) {
		if (quote)
			quote = s[k] == quote ? 0 : quote;
		else if (s[k] == '>')
			return k + 1;
		else if ((s[k] == '"' || s[k] == '\'') && k > i &&
			 s[k - 1] == '=')
			quote = s[k];
		/* a quote that is never closed must not swallow the rest */
		if (quote && k - i > 4096)
			return i + 1;
	}
	return n;
}

static size_t find(const char *s, size_t n, size_t from, const char *what)
{
	const char *p = memmem(s + from, n - from, what, strlen(what));

	return p ? (size_t)(p - s) : n;
}

/* Behind "</name ...>" of an element whose content is no text. */
static size_t element_end(const char *s, size_t n, size_t from,
			  const char *name)
{
	for (size_t i = from; (i = find(s, n, i, "</")) < n; i += 2)
		if (name_is(s + i + 2, n - i - 2, name))
			return tag_end(s, n, i);
	return n;
}

static size_t markup_end(const char *s, size_t n, size_t i, char *mark)
{
	static const char *const SILENT[] = {"script", "style", "svg",
					     "template", "noscript"};
	const char *name = s + i + 1;
	size_t left = n - i - 1, end;

	if (left >= 3 && memcmp(name, "!--", 3) == 0) {
		end = find(s, n, i + 4, "-->");
		return end < n ? end + 3 : n;
	}
	end = tag_end(s, n, i);
	for (size_t k = 0; k < sizeof(SILENT) / sizeof(SILENT[0]); k++)
		if (name_is(name, left, SILENT[k]) && s[end - 2] != '/')
			return element_end(s, n, end, SILENT[k]);
	if (left > 2 && (*name == 'h' || *name == 'H') && name[1] >= '1' &&
	    name[1] <= '6' && !isalnum((unsigned char)name[2]))
		*mark = (char)(name[1] - '0');
	if (name_is(name, left, "title"))
		*mark = 7;
	return end;
}

/* --- character references --- */

static const struct {
	const char *name;
	int32_t c;
} NAMED[] = {
	{"amp", '&'},	    {"lt", '<'},       {"gt", '>'},
	{"quot", '"'},	    {"apos", '\''},    {"nbsp", ' '},
	{"auml", 0xe4},	    {"ouml", 0xf6},    {"uuml", 0xfc},
	{"Auml", 0xc4},	    {"Ouml", 0xd6},    {"Uuml", 0xdc},
	{"szlig", 0xdf},    {"eacute", 0xe9},  {"egrave", 0xe8},
	{"agrave", 0xe0},   {"aacute", 0xe1},  {"ccedil", 0xe7},
	{"ntilde", 0xf1},   {"oacute", 0xf3},  {"iacute", 0xed},
	{"uacute", 0xfa},   {"ecirc", 0xea},   {"acirc", 0xe2},
	{"ndash", 0x2013},  {"mdash", 0x2014}, {"lsquo", 0x2018},
	{"rsquo", 0x2019},  {"ldquo", 0x201c}, {"rdquo", 0x201d},
	{"hellip", 0x2026}, {"euro", 0x20ac},  {"copy", 0xa9},
};

static int32_t reference(const char *s, size_t n)
{
	if (n > 1 && *s == '#') {
		int hex = n > 2 && (s[1] == 'x' || s[1] == 'X');
		long c = strtol(s + 1 + hex, NULL, hex ? 16 : 10);

		return c >= 32 && c < 0x110000 && !(c >= 0xd800 && c < 0xe000)
			       ? (int32_t)c
			       : ' ';
	}
	for (size_t i = 0; i < sizeof(NAMED) / sizeof(NAMED[0]); i++)
		if (strlen(NAMED[i].name) == n &&
		    memcmp(NAMED[i].name, s, n) == 0)
			return NAMED[i].c;
	return -1;
}

/* "&name;" at i becomes its character, the rest blanks. Returns its end. */
static size_t decode(char *s, size_t n, size_t i)
{
	utf8proc_uint8_t u[4];
	size_t end = i + 1, k;
	int32_t c;

	while (end < n && end - i < 12 &&
	       (isalnum((unsigned char)s[end]) || s[end] == '#'))
		end++;
	if (end >= n || s[end] != ';' ||
	    (c = reference(s + i + 1, end - i - 1)) < 0)
		return i + 1;
	k = (size_t)utf8proc_encode_char(c, u);
	memcpy(s + i, u, k); /* never longer than the reference */
	blank(s, i + k, end + 1);
	return end + 1;
}

void rk_html_blank(char *s, size_t n)
{
	for (size_t i = 0; i < n;) {
		size_t end;
		char mark = 0;

		if ((unsigned char)s[i] < 8) {
			s[i++] = ' ';
		} else if (s[i] == '&') {
			i = decode(s, n, i);
		} else if (s[i] == '<' && i + 1 < n &&
			   (isalpha((unsigned char)s[i + 1]) ||
			    strchr("/!?", s[i + 1])) &&
			   s[i + 1]) {
			end = markup_end(s, n, i, &mark);
			blank(s, i, end);
			if (mark && s[end - 1] == ' ')
				s[end - 1] = mark;
			i = end;
		} else {
			i++;
		}
	}
}
