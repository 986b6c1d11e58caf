/* SPDX-License-Identifier: MIT */
/*
 * Source code by definition. A definition of several lines is a chunk, with
 * the comment above it; a class too large for one is cut at its methods; small
 * definitions are put together. Where no parser knows the language, or none is
 * there, definitions are recognised by the shape of their lines.
 */
#include "text/chunk/cutters.h"
#include "text/chunk/pieces.h"
#include "text/symbols/entity.h"
#include "base/mem.h"
#include <ctype.h>
#include <errno.h>
#include <string.h>

enum {
	COMMENT_LINES = 60, /* above a definition, at most */
	GLUE_MIN = 120,	    /* less between definitions joins the next */
	SPLIT = 8000,	    /* a larger one is cut at what it contains */
};

/* --- definitions by shape --- */

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

/* `type name(...`: the word before the first parenthesis, if it defines. */
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

/* Up to the line before the next one that starts in column one. */
static uint32_t shape_end(const char *s, size_t n, struct line l, uint32_t line)
{
	uint32_t end = line;

	while (l.next < n) {
		l = chunk_line_at(s, n, l.next);
		line++;
		if (chunk_line_blank(s, l))
			continue;
		if (!isspace((unsigned char)s[l.off]) &&
		    !strchr("{})]", s[l.off]))
			break;
		end = line;
	}
	return end;
}

int rk_entities_by_shape(const char *s, size_t n, struct rk_entities *out)
{
	uint32_t line = 1;
	int rc = 0;

	for (size_t off = 0; off < n && rc == 0; line++) {
		struct line l = chunk_line_at(s, n, off);
		size_t at, len;
		char name[128];

		if (defined_name(s, l, &at, &len) && len < sizeof(name)) {
			struct rk_entity e = {.name = name,
					      .kind = "definition",
					      .scope = "",
					      .signature = "",
					      .line = line};

			memcpy(name, s + at, len);
			name[len] = '\0';
			e.end = shape_end(s, n, l, line);
			rc = rk_entities_add(out, &e);
		}
		off = l.next;
	}
	return rc;
}

/* --- where chunks begin --- */

struct code {
	struct rk_chunks *c;
	const char *s;
	size_t n;
	size_t *line_off; /* [line - 1]; one more at the end */
	uint32_t nlines;
	const struct rk_entities *defs;
	uint8_t *begins; /* [line - 1]: a chunk may begin here */
};

static int index_lines(struct code *k)
{
	size_t cap = 0, caps = 0, off = 0;

	for (;;) {
		if (rk_grow(&k->line_off, &cap, k->nlines + 2,
			    sizeof(*k->line_off)) < 0)
			return -ENOMEM;
		k->line_off[k->nlines] = off;
		if (off >= k->n)
			break;
		off = chunk_line_at(k->s, k->n, off).next;
		k->nlines++;
	}
	return rk_grow(&k->begins, &caps, k->nlines + 1, 1);
}

static size_t bytes_of(const struct code *k, uint32_t first, uint32_t last)
{
	return k->line_off[last] - k->line_off[first - 1];
}

static int blank(const struct code *k, uint32_t line)
{
	return chunk_line_blank(
		k->s, chunk_line_at(k->s, k->n, k->line_off[line - 1]));
}

/* Up to the first line of the comment or attributes above it. */
static uint32_t with_comment(const struct code *k, uint32_t line,
			     uint32_t floor)
{
	uint32_t first = line;

	while (first > floor && line - first < COMMENT_LINES &&
	       !blank(k, first - 1))
		first--;
	return first;
}

static int has_inner(const struct code *k, size_t i)
{
	const struct rk_entity *e = &k->defs->v[i];

	for (size_t j = i + 1; j < k->defs->n; j++) {
		const struct rk_entity *x = &k->defs->v[j];

		if (x->line > e->end)
			return 0;
		if (x->end > x->line && x->line > e->line)
			return 1;
	}
	return 0;
}

static void mark_begins(struct code *k)
{
	uint32_t next = 1; /* first line that belongs to nothing yet */

	for (size_t i = 0; i < k->defs->n; i++) {
		const struct rk_entity *e = &k->defs->v[i];
		uint32_t end = e->end < k->nlines ? e->end : k->nlines;

		if (e->line < next || e->line > k->nlines || end <= e->line)
			continue;
		k->begins[with_comment(k, e->line, next) - 1] = 1;
		if (bytes_of(k, e->line, end) > SPLIT && has_inner(k, i)) {
			next = e->line + 1;
			continue;
		}
		next = end + 1;
		if (next <= k->nlines)
			k->begins[next - 1] = 1;
	}
}

/* --- what a chunk defines --- */

/* Worth a place among the names that a chunk is found by. */
static int named_first(const struct rk_entity *e)
{
	if (strcmp(e->kind, "member") == 0 && !*e->signature &&
	    e->end == e->line)
		return 0;
	return strcmp(e->kind, "enumerator") != 0;
}

static int describe(struct code *k, struct rk_chunk *c, size_t *at)
{
	uint32_t last = c->line + c->nlines - 1;
	struct rk_buf ent = RK_BUF_INIT;
	char sym[RK_SYM_MAX + 1];
	size_t n = 0;

	while (*at < k->defs->n && k->defs->v[*at].line < c->line)
		++*at;
	for (size_t i = *at; i < k->defs->n && k->defs->v[i].line <= last;
	     i++) {
		const struct rk_entity *e = &k->defs->v[i];
		size_t len = strlen(e->name), before = ent.n;

		if (named_first(e) && n + len + 1 < RK_SYM_MAX) {
			if (n)
				sym[n++] = ' ';
			memcpy(sym + n, e->name, len);
			n += len;
		}
		rk_entity_encode(e, &ent);
		if (ent.n > RK_ENT_MAX) {
			ent.n = before;
			break;
		}
		if (i == *at && *e->scope && c->head_len == 0) {
			c->head = e->scope;
			c->head_len = (uint16_t)strnlen(e->scope, 120);
		}
	}
	c->head = rk_arena_strndup(&k->c->arena, c->head, c->head_len);
	c->sym = rk_arena_strndup(&k->c->arena, sym, n);
	c->sym_len = (uint16_t)n;
	c->ent = rk_arena_strndup(&k->c->arena, ent.n ? (char *)ent.p : "",
				  ent.n);
	c->ent_len = (uint16_t)ent.n;
	n = ent.err ? 1 : 0;
	rk_buf_release(&ent);
	return n || !c->head || !c->sym || !c->ent ? -ENOMEM : 0;
}

/* --- cutting --- */

/* Lines [first, last]: whole if it fits, else at blank lines. */
static int emit_lines(struct code *k, uint32_t first, uint32_t last)
{
	size_t off = k->line_off[first - 1], end = k->line_off[last];

	if (end - off <= 4 * CHUNK_MAX)
		return chunk_emit(k->c, k->s, off, end - off, first, "", "");
	return chunk_paragraphs(k->c, k->s, off, end, first, "");
}

/* May [first, last] and what follows up to `end` be one chunk? */
static int together(const struct code *k, uint32_t first, uint32_t last,
		    uint32_t end)
{
	size_t have = bytes_of(k, first, last);
	size_t more = bytes_of(k, last + 1, end);

	return have < GLUE_MIN || more < GLUE_MIN / 2 ||
	       (more < CHUNK_CODE_ALONE && have + more < CHUNK_CODE_PACK);
}

static uint32_t part_end(const struct code *k, uint32_t line)
{
	while (line < k->nlines && !k->begins[line])
		line++;
	return line;
}

static int cut(struct code *k)
{
	uint32_t first = 1;
	int rc = 0;

	while (rc == 0 && first <= k->nlines) {
		uint32_t last = part_end(k, first);

		while (last < k->nlines) {
			uint32_t end = part_end(k, last + 1);

			if (!together(k, first, last, end))
				break;
			last = end;
		}
		rc = emit_lines(k, first, last);
		first = last + 1;
	}
	return rc;
}

int chunk_code(struct rk_chunks *c, const char *s, size_t n,
	       const struct rk_entities *defs)
{
	struct code k = {.c = c, .s = s, .n = n, .defs = defs};
	struct rk_entities shape = RK_ENTITIES_INIT;
	size_t at = 0;
	int rc = index_lines(&k);

	if (rc == 0 && (!defs || defs->n == 0)) {
		rc = rk_entities_by_shape(s, n, &shape);
		k.defs = &shape;
	}
	if (rc == 0) {
		mark_begins(&k);
		rc = cut(&k);
	}
	for (size_t i = 0; i < c->n && rc == 0; i++)
		rc = describe(&k, &c->v[i], &at);
	rk_entities_release(&shape);
	rk_free(k.line_off);
	rk_free(k.begins);
	return rc;
}
