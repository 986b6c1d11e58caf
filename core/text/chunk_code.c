/* SPDX-License-Identifier: MIT */
/*
 * Source code by top-level block: a block starts at a line in column one that
 * follows a blank line (or a line that closes a block). Small blocks are put
 * together, large ones cut at blank lines. Names defined at the top level are
 * recognised by their shape; a parser can do better where there is one.
 */
#include "text/chunk_internal.h"
#include <ctype.h>
#include <errno.h>
#include <string.h>

static int word_char(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '$' ||
	       (unsigned char)c >= 0x80;
}

static const char *const DEFINERS[] = {
	"def",	  "class",   "func",	"function",  "fn",
	"struct", "enum",    "union",	"interface", "trait",
	"impl",	  "type",    "module",	"namespace", "macro_rules!",
	"sub",	  "#define", "package", NULL};
static const char *const NOT_NAMES[] = {"if",	  "for",     "while", "switch",
					"return", "sizeof",  "else",  "do",
					"catch",  "defined", "case",  NULL};

static int in_list(const char *s, size_t n, const char *const *list)
{
	for (; *list; list++)
		if (strlen(*list) == n && memcmp(s, *list, n) == 0)
			return 1;
	return 0;
}

static size_t word_end(const char *s, size_t i, size_t end)
{
	while (i < end && word_char(s[i]))
		i++;
	return i;
}

/* `def name`, `class Name`, `struct name {`: the word after the keyword. */
static int keyword_name(const char *s, struct line l, size_t *off, size_t *len)
{
	size_t i = l.off;

	for (int words = 0; words < 5 && i < l.end; words++) {
		size_t a = i;

		while (i < l.end && s[i] != ' ' && s[i] != '\t')
			i++;
		if (in_list(s + a, i - a, DEFINERS)) {
			while (i < l.end && (s[i] == ' ' || s[i] == '\t'))
				i++;
			*off = i;
			*len = word_end(s, i, l.end) - i;
			return *len > 0;
		}
		while (i < l.end && (s[i] == ' ' || s[i] == '\t'))
			i++;
	}
	return 0;
}

/* `type name(…`: the word before the first parenthesis, if it defines. */
static int call_shape_name(const char *s, struct line l, size_t *off,
			   size_t *len)
{
	const char *paren = memchr(s + l.off, '(', l.end - l.off);
	size_t b, a;

	if (!paren || (l.end > l.off && s[l.end - 1] == ';'))
		return 0;
	b = (size_t)(paren - s);
	while (b > l.off && s[b - 1] == ' ')
		b--;
	for (a = b; a > l.off && word_char(s[a - 1]);)
		a--;
	if (a == b || isdigit((unsigned char)s[a]) ||
	    in_list(s + a, b - a, NOT_NAMES))
		return 0;
	*off = a;
	*len = b - a;
	return 1;
}

static int defined_name(const char *s, struct line l, size_t *off, size_t *len)
{
	if (l.end == l.off)
		return 0;
	if (!word_char(s[l.off]) && s[l.off] != '#')
		return 0;
	return keyword_name(s, l, off, len) ||
	       (s[l.off] != '#' && call_shape_name(s, l, off, len));
}

/* Names defined in [off, end), separated by spaces, in the arena. */
static const char *collect_symbols(struct rk_arena *a, const char *s,
				   size_t off, size_t end)
{
	char out[RK_SYM_MAX + 1];
	size_t n = 0;

	while (off < end) {
		struct line l = chunk_line_at(s, end, off);
		size_t at, len;

		if (defined_name(s, l, &at, &len) && n + len + 1 < RK_SYM_MAX) {
			if (n)
				out[n++] = ' ';
			memcpy(out + n, s + at, len);
			n += len;
		}
		off = l.next;
	}
	return n ? rk_arena_strndup(a, out, n) : "";
}

static int starts_block(const char *s, struct line l, int after_gap)
{
	return after_gap && l.end > l.off &&
	       !isspace((unsigned char)s[l.off]) && s[l.off] != '}' &&
	       s[l.off] != ')' && s[l.off] != '{';
}

/* One collected block: whole if it fits, else at blank lines. */
static int emit_block(struct rk_chunks *c, const char *s, size_t off,
		      size_t end, uint32_t line)
{
	const char *sym = collect_symbols(&c->arena, s, off, end);
	size_t first = c->n;
	int rc;

	if (!sym)
		return -ENOMEM;
	if (end - off <= 4 * CHUNK_MAX)
		return chunk_emit(c, s, off, end - off, line, "", sym);
	rc = chunk_paragraphs(c, s, off, end, line, "");
	for (size_t i = first; i < c->n; i++) {
		c->v[i].sym = sym;
		c->v[i].sym_len = (uint16_t)strlen(sym);
	}
	return rc;
}

int chunk_code(struct rk_chunks *c, const char *s, size_t n)
{
	size_t start = 0;
	uint32_t line = 1, first = 1;
	int after_gap = 0, rc = 0;

	for (size_t off = 0; off < n && rc == 0; line++) {
		struct line l = chunk_line_at(s, n, off);

		if (starts_block(s, l, after_gap) &&
		    off - start >= CHUNK_CODE_MIN) {
			rc = emit_block(c, s, start, off, first);
			start = off;
			first = line;
		}
		after_gap = chunk_line_blank(s, l) || s[l.off] == '}';
		off = l.next;
	}
	return rc ? rc : emit_block(c, s, start, n, first);
}
