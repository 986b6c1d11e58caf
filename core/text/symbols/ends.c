/* SPDX-License-Identifier: MIT */
/*
 * Where definitions end, for the parsers of ctags that do not say. In languages
 * with braces: where the first brace behind the name is closed, past strings
 * and comments; in the others: before the next line that is indented as little,
 * with its `end`. Where lines are indented, a closing brace under the
 * definition is believed first, for here-documents and patterns may hold
 * brackets that mean nothing.
 */
#include "text/symbols/ends.h"
#include "base/mem.h"
#include <ctype.h>
#include <errno.h>
#include <string.h>

enum {
	SLASHES = 1,	    /* comments: // and slash-star */
	HASHES = 2,	    /* # at the beginning of a word */
	DASHES = 4,	    /* -- */
	REGEXES = 8,	    /* /.../ where a value may stand */
	LIFETIMES = 16,	    /* ' is a string around one character only */
	NO_QUOTE = 32,	    /* ' is no string */
	BACKTICKS = 64,	    /* `...` */
	LINE_STRINGS = 128, /* "..." ends with its line */
	ARROWS = 256,	    /* constants may be functions */
	ALL = 512, /* whatever is defined, not functions and types only */
	SCAN_FACTOR = 16, /* bytes looked at, by bytes of the text */
};
enum body { BRACES, INDENTED, PARENS };

static const struct style {
	const char *language;
	enum body body;
	int flags;
} STYLES[] = {
	{"JavaScript", BRACES,
	 SLASHES | REGEXES | BACKTICKS | LINE_STRINGS | ARROWS},
	{"TypeScript", BRACES,
	 SLASHES | REGEXES | BACKTICKS | LINE_STRINGS | ARROWS},
	{"rkVue", BRACES,
	 SLASHES | REGEXES | BACKTICKS | LINE_STRINGS | ARROWS},
	{"Rust", BRACES, SLASHES | LIFETIMES},
	{"PHP", BRACES, SLASHES | HASHES},
	{"Perl", BRACES, HASHES},
	{"Kotlin", BRACES, SLASHES | LIFETIMES},
	{"Go", BRACES, SLASHES | BACKTICKS | LIFETIMES | LINE_STRINGS},
	{"Sh", BRACES, HASHES},
	{"Awk", BRACES, HASHES | NO_QUOTE},
	{"PowerShell", BRACES, HASHES},
	{"Tcl", BRACES, HASHES | NO_QUOTE},
	{"D", BRACES, SLASHES | LIFETIMES | BACKTICKS},
	{"ObjectiveC", BRACES, SLASHES},
	{"CSS", BRACES, SLASHES | ALL},
	{"SCSS", BRACES, SLASHES | ALL},
	{"Haxe", BRACES, SLASHES},
	{"rkSwift", BRACES, SLASHES | NO_QUOTE},
	{"rkZig", BRACES, SLASHES | LIFETIMES | LINE_STRINGS},
	{"rkDart", BRACES, SLASHES},
	{"rkScala", BRACES, SLASHES | LIFETIMES},
	{"rkGroovy", BRACES, SLASHES},
	{"rkSolidity", BRACES, SLASHES},
	{"rkTerraform", BRACES, HASHES | SLASHES | NO_QUOTE | ALL},
	{"rkGraphQL", BRACES, HASHES | NO_QUOTE | ALL},
	{"rkNix", BRACES, HASHES | NO_QUOTE},
	{"Lua", INDENTED, DASHES},
	{"Elixir", INDENTED, HASHES},
	{"Julia", INDENTED, HASHES},
	{"Vim", INDENTED, 0},
	{"Fortran", INDENTED, 0},
	{"MatLab", INDENTED, 0},
	{"OCaml", INDENTED, 0},
	{"SML", INDENTED, 0},
	{"Elm", INDENTED, 0},
	{"Haskell", INDENTED, 0},
	{"Erlang", INDENTED, 0},
	{"Make", INDENTED, ALL},
	{"Pascal", INDENTED, 0},
	{"Ada", INDENTED, 0},
	{"rkNim", INDENTED, 0},
	{"rkCrystal", INDENTED, 0},
	{"rkFSharp", INDENTED, 0},
	{"Lisp", PARENS, 0},
	{"EmacsLisp", PARENS, 0},
	{"Scheme", PARENS, 0},
	{"Clojure", PARENS, 0},
};

struct text {
	const struct style *style;
	const char *s;
	size_t n;
	size_t *line_off; /* [line - 1]; one more at the end */
	uint32_t nlines;
	size_t budget; /* bytes that may still be looked at */
};

/* --- lines --- */

static int index_lines(struct text *t)
{
	size_t cap = 0, off = 0;

	while (off <= t->n) {
		const char *nl = off < t->n
					 ? memchr(t->s + off, '\n', t->n - off)
					 : NULL;

		if (rk_grow(&t->line_off, &cap, t->nlines + 2,
			    sizeof(*t->line_off)) < 0)
			return -ENOMEM;
		t->line_off[t->nlines] = off;
		if (off == t->n)
			break;
		t->nlines++;
		off = nl ? (size_t)(nl - t->s) + 1 : t->n;
	}
	return 0;
}

static uint32_t line_of(const struct text *t, size_t at)
{
	uint32_t low = 0, high = t->nlines;

	while (low + 1 < high) {
		uint32_t mid = low + (high - low) / 2;

		if (t->line_off[mid] <= at)
			low = mid;
		else
			high = mid;
	}
	return low + 1;
}

/* Blanks before its first letter; *first: that letter's place. */
static size_t indent(const struct text *t, uint32_t line, size_t *first)
{
	size_t i = t->line_off[line - 1], end = t->line_off[line], width = 0;

	for (; i < end && (t->s[i] == ' ' || t->s[i] == '\t'); i++)
		width += t->s[i] == '\t' ? 8 - width % 8 : 1;
	*first = i;
	return width;
}

static int is_blank(const struct text *t, uint32_t line)
{
	size_t first;

	indent(t, line, &first);
	return first == t->line_off[line] || t->s[first] == '\n' ||
	       t->s[first] == '\r';
}

static int begins(const struct text *t, size_t at, const char *const *words)
{
	for (; *words; words++) {
		size_t k = strlen(*words);

		if (t->n - at >= k && memcmp(t->s + at, *words, k) == 0 &&
		    (!isalpha((unsigned char)**words) || at + k == t->n ||
		     !isalnum((unsigned char)t->s[at + k])))
			return 1;
	}
	return 0;
}

/* --- by indentation --- */

static uint32_t end_by_indentation(const struct text *t, uint32_t line)
{
	static const char *const CLOSES[] = {
		"end", "endfunction", "endfunc", "endif", "End",
		"END", "endmodule",   "endef",	 "}",	  ")",
		"]",   "done",	      NULL};
	static const char *const GOES_ON[] = {
		"{",	  "rescue", "after",  "catch", "else",
		"elseif", "elsif",  "ensure", "when",  "where",
		"begin",  "Begin",  "BEGIN",  NULL};
	size_t first, own = indent(t, line, &first);
	uint32_t end = line;

	while (++line <= t->nlines) {
		if (is_blank(t, line))
			continue;
		if (indent(t, line, &first) <= own) {
			if (begins(t, first, CLOSES)) {
				const char *s = t->s + first;
				size_t k = t->line_off[line] - first;

				end = line;
				if (memchr(s, '{', k)) /* ") {" */
					continue;
				return end;
			}
			if (!begins(t, first, GOES_ON))
				return end;
		}
		end = line;
	}
	return end;
}

/* --- by brackets --- */

/* Behind a string that begins at i. */
static size_t skip_string(const struct text *t, size_t i)
{
	char q = t->s[i];
	int lines = !(t->style->flags & LINE_STRINGS) || q == '`';

	if (i + 2 < t->n && t->s[i + 1] == q && t->s[i + 2] == q && q != '`') {
		for (i += 3; i + 2 < t->n; i++)
			if (t->s[i] == q && t->s[i + 1] == q &&
			    t->s[i + 2] == q)
				return i + 3;
		return t->n;
	}
	for (i++; i < t->n && t->s[i] != q; i++) {
		if (t->s[i] == '\n' && !lines)
			return i;
		i += t->s[i] == '\\';
	}
	return i < t->n ? i + 1 : t->n;
}

/* `a ${b + `c`} d`: what is in braces is code again. */
static size_t skip_template(const struct text *t, size_t i)
{
	int depth = 0;

	for (i++; i < t->n; i++) {
		char c = t->s[i];

		if (c == '\\')
			i++;
		else if (depth == 0 && c == '`')
			return i + 1;
		else if (c == '$' && i + 1 < t->n && t->s[i + 1] == '{')
			depth++, i++;
		else if (depth && (c == '"' || c == '\''))
			i = skip_string(t, i) - 1;
		else if (depth && c == '{')
			depth++;
		else if (depth && c == '}')
			depth--;
	}
	return t->n;
}

static size_t skip_to(const struct text *t, size_t i, const char *what)
{
	const char *p = memmem(t->s + i, t->n - i, what, strlen(what));

	return p ? (size_t)(p - t->s) : t->n;
}

/* A character between quotes, or a lifetime: 'a', '\n', 'static. */
static size_t skip_character(const struct text *t, size_t i)
{
	for (size_t k = i + 1; k < t->n && k < i + 12 && t->s[k] != '\n'; k++) {
		if (t->s[k] == '\\')
			k++;
		else if (t->s[k] == '\'' && k > i + 1)
			return k + 1;
		else if (k > i + 1 && (unsigned char)t->s[k] < 0x80 &&
			 t->s[i + 1] != '\\')
			break;
	}
	return i + 1;
}

/* Where a value may stand, a slash begins a pattern. */
static size_t skip_regex(const struct text *t, size_t i, char before)
{
	int set = 0;

	if (before && !strchr("(,=:[!&|?{};+\n", before))
		return i;
	for (size_t k = i + 1; k < t->n && t->s[k] != '\n'; k++) {
		if (t->s[k] == '\\')
			k++;
		else if (t->s[k] == '[')
			set = 1;
		else if (t->s[k] == ']')
			set = 0;
		else if (t->s[k] == '/' && !set)
			return k + 1;
	}
	return i;
}

/* Behind a comment or string at i; i if there is none. */
static size_t skip_noise(const struct text *t, size_t i, char before)
{
	char c = t->s[i], next = i + 1 < t->n ? t->s[i + 1] : '\0';
	int flags = t->style->flags;

	if ((flags & SLASHES) && c == '/' && next == '/')
		return skip_to(t, i, "\n");
	if ((flags & SLASHES) && c == '/' && next == '*') {
		i = skip_to(t, i + 2, "*/");
		return i < t->n ? i + 2 : i;
	}
	if ((flags & HASHES) && c == '#' &&
	    (i == 0 || isspace((unsigned char)t->s[i - 1])))
		return skip_to(t, i, "\n");
	if ((flags & REGEXES) && c == '/')
		return skip_regex(t, i, before);
	if (c == '\'' && (flags & LIFETIMES))
		return skip_character(t, i);
	if (c == '"' || (c == '\'' && !(flags & NO_QUOTE)))
		return skip_string(t, i);
	if (c == '`' && (flags & BACKTICKS))
		return flags & REGEXES ? skip_template(t, i)
				       : skip_string(t, i);
	if (c == '\\' && !(flags & SLASHES))
		return i + 2 < t->n ? i + 2 : t->n;
	return i;
}

/*
 * Behind the bracket that closes the one at i; 0: none does. Others do not
 * count: the shell's `a)` has no first one.
 */
static size_t skip_brackets(struct text *t, size_t i)
{
	const char open = t->s[i];
	const char close = open == '(' ? ')' : open == '[' ? ']' : '}';
	char before = '\0';
	int depth = 0;

	while (i < t->n && t->budget) {
		size_t after = skip_noise(t, i, before);

		t->budget -= after - i < t->budget ? after - i : t->budget;
		if (after > i) {
			before = '"';
			i = after;
			continue;
		}
		t->budget -= t->budget > 0;
		if (t->s[i] == open)
			depth++;
		else if (t->s[i] == close && --depth == 0)
			return i + 1;
		if (!isspace((unsigned char)t->s[i]))
			before = t->s[i];
		i++;
	}
	return 0;
}

/* Does a statement that is open at the end of a line go on behind it? */
static int goes_on(const struct text *t, size_t newline, size_t own,
		   char before)
{
	static const char *const WORDS[] = {
		"{",  ")", "where", "->",     "=>",	 ":",	       "&&",
		"||", "?", ".",	    "throws", "extends", "implements", NULL};
	uint32_t line = line_of(t, newline) + 1;
	size_t first;

	while (line <= t->nlines && is_blank(t, line))
		line++;
	if (line > t->nlines)
		return 0;
	return indent(t, line, &first) > own ||
	       (before && strchr(",=(+|&<", before)) || begins(t, first, WORDS);
}

/* The brace that begins the body of what is named at i; or its only line. */
static size_t find_body(struct text *t, size_t i, size_t own, uint32_t *end)
{
	char before = '\0';

	*end = 0;
	while (i < t->n && t->budget) {
		size_t after = skip_noise(t, i, before);
		char c = t->s[i];

		t->budget--;
		if (after > i) {
			before = '"';
			i = after;
			continue;
		}
		if (c == '{')
			return i;
		if (c == '(' || c == '[') {
			if (!(i = skip_brackets(t, i)))
				return t->n;
			before = ')';
			continue;
		}
		if (c == ')' || c == ']' || c == '}')
			break;
		if (c == ';' || (c == '\n' && !goes_on(t, i, own, before))) {
			*end = line_of(t, i);
			break;
		}
		if (!isspace((unsigned char)c))
			before = c;
		i++;
	}
	return t->n;
}

/* A later closing brace under the definition, whose lines are indented; or 0 */
static uint32_t closing_line(const struct text *t, uint32_t line, size_t own)
{
	size_t first;

	do
		line++;
	while (line <= t->nlines && is_blank(t, line));
	if (line < t->nlines && indent(t, line, &first) == own &&
	    t->s[first] == '{')
		line++;
	if (line > t->nlines || indent(t, line, &first) < own ||
	    (indent(t, line, &first) == own && t->s[first] != '}'))
		return 0;
	for (; line <= t->nlines; line++)
		if (indent(t, line, &first) == own && t->s[first] == '}')
			return line;
	return 0;
}

/* *opened: there is a body, whether or not it is closed (else 0). */
static uint32_t end_by_braces(struct text *t, size_t i, size_t own, int *opened)
{
	*opened = 0;
	for (;;) {
		uint32_t end;
		size_t open = find_body(t, i, own, &end), k;

		if (open == t->n)
			return end;
		*opened = 1;
		if (!(i = skip_brackets(t, open)))
			return 0;
		/* `func f() interface{} {`, `class A<T extends {}> {`: the
		 * next one is the body */
		for (k = i; k < t->n && t->s[k] == ' '; k++)
			;
		if (k == t->n || !strchr("{>|&[", t->s[k]))
			return line_of(t, i - 1);
	}
}

/* --- one definition --- */

static int is_kind(const struct rk_entity *e, const char *list)
{
	const char *kind = rk_entity_kind_common(e->kind);
	const char *at = strstr(list, kind);
	size_t n = strlen(kind);

	return at && (at == list || at[-1] == ' ') &&
	       (at[n] == ' ' || at[n] == '\0');
}

static int wants_end(const struct text *t, const struct rk_entity *e)
{
	if (e->end > e->line || e->line > t->nlines)
		return 0;
	return t->style->flags & ALL ||
	       is_kind(e, "function method class struct union interface enum "
			  "module macro type alias resource modifier extension "
			  "test target");
}

/* Behind the name, on its line. */
static size_t behind_name(const struct text *t, const struct rk_entity *e)
{
	size_t from = t->line_off[e->line - 1], end = t->line_off[e->line];
	const char *dot = strrchr(e->name, '.');
	const char *name = dot && dot[1] ? dot + 1 : e->name;
	const char *p = memmem(t->s + from, end - from, name, strlen(name));

	from = p ? (size_t)(p - t->s) + strlen(name) : from;
	return from + (from < end && t->s[from] == '"');
}

/* ctags takes methods `get(k)` and `set(k)` for accessors of `k`. */
static void mend_accessor(const struct text *t, struct rk_entity *e)
{
	static const char *const BEFORE[] = {"async", "static", "public",
					     "private", NULL};
	size_t at;

	if (!is_kind(e, "field"))
		return;
	indent(t, e->line, &at);
	while (begins(t, at, BEFORE))
		at += strcspn(t->s + at, " \t\n") + 1;
	if (at > t->n || t->n - at < 4 || t->s[at + 3] != '(')
		return;
	if (memcmp(t->s + at, "get", 3) == 0)
		e->name = "get";
	else if (memcmp(t->s + at, "set", 3) == 0)
		e->name = "set";
	else
		return;
	e->kind = "method";
}

/* `name = (x) => {`, `name: function (`: what is kept there is a function. */
static int is_arrow(const struct text *t, const struct rk_entity *e)
{
	size_t i = behind_name(t, e), end = t->line_off[e->line];
	const char *s = t->s + i;
	const char *arrow, *brace;

	if (!is_kind(e, "constant variable field"))
		return 0;
	end -= i;
	while (end && isspace((unsigned char)s[end - 1]))
		end--;
	arrow = memmem(s, end, "=>", 2);
	brace = memchr(s, '{', end);
	if (arrow && (!brace || arrow < brace) &&
	    memchr(s, '=', end) < (const void *)arrow)
		return 1;
	return memmem(s, end < 24 ? end : 24, "= function", 10) ||
	       memmem(s, end < 24 ? end : 24, "= async function", 16) ||
	       (end > 2 && end < 60 && memcmp(s + end - 3, "= (", 3) == 0);
}

static uint32_t find_end(struct text *t, const struct rk_entity *e)
{
	size_t first, own = indent(t, e->line, &first);
	uint32_t end, closed;
	int opened;

	if (t->style->body == INDENTED)
		return end_by_indentation(t, e->line);
	if (t->style->body == PARENS) {
		if (t->s[first] != '(' || !(first = skip_brackets(t, first)))
			return 0;
		return line_of(t, first - 1);
	}
	end = end_by_braces(t, behind_name(t, e), own, &opened);
	closed = opened && end != e->line ? closing_line(t, e->line, own) : 0;
	return closed && (!end || closed < end) ? closed : end;
}

static const struct style *style_of(const char *language)
{
	for (size_t i = 0; i < sizeof(STYLES) / sizeof(STYLES[0]); i++)
		if (strcmp(STYLES[i].language, language) == 0)
			return &STYLES[i];
	return NULL;
}

int rk_entities_find_ends(const char *language, const char *s, size_t n,
			  struct rk_entities *e)
{
	struct text t = {.style = style_of(language), .s = s, .n = n};

	if (!t.style || e->n == 0)
		return 0;
	t.budget = SCAN_FACTOR * n;
	if (index_lines(&t) < 0) {
		rk_free(t.line_off);
		return -ENOMEM;
	}
	for (size_t i = 0; i < e->n; i++) {
		struct rk_entity *x = &e->v[i];
		uint32_t end;

		if (x->line > t.nlines)
			continue;
		if (t.style->flags & ARROWS)
			mend_accessor(&t, x);
		if ((t.style->flags & ARROWS) && is_arrow(&t, x))
			x->kind = "function";
		if (wants_end(&t, x) && (end = find_end(&t, x)) > x->line)
			x->end = end;
	}
	rk_free(t.line_off);
	return 0;
}
