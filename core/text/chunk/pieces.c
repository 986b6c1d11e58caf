/* SPDX-License-Identifier: MIT */
/* What all cutters of text share: lines, pieces of a size, headings. */
#include "text/chunk/pieces.h"
#include "base/mem.h"
#include <assert.h>
#include <errno.h>
#include <string.h>

enum {
	CHUNKS_FREE = 2000, /* of a document may be of any size */
	CHUNK_MEAN = 100,   /* bytes, that the others have on average */
	UTF8_MAX = 4,	    /* bytes of a character */
};

void rk_chunks_release(struct rk_chunks *c)
{
	rk_free(c->v);
	rk_arena_release(&c->arena);
	*c = (struct rk_chunks)RK_CHUNKS_INIT;
}

struct line chunk_line_at(const char *s, size_t n, size_t off)
{
	const char *nl = memchr(s + off, '\n', n - off);
	struct line l = {off, nl ? (size_t)(nl - s) : n, n};

	assert(off <= n);
	if (nl)
		l.next = l.end + 1;
	return l;
}

int chunk_line_blank(const char *s, struct line l)
{
	for (size_t i = l.off; i < l.end; i++)
		if (!strchr(" \t\r\f\v", s[i]) || s[i] == '\0')
			return 0;
	return 1;
}

uint32_t chunk_count_lines(const char *s, size_t n)
{
	uint32_t lines = 0;

	for (const char *p = s; (p = memchr(p, '\n', n - (size_t)(p - s))); p++)
		lines++;
	return lines;
}

/*
 * Each chunk costs some hundred bytes beside its text, more with a vector. A
 * document may have many small ones, but not nothing else: past CHUNKS_FREE,
 * one that would make them smaller than CHUNK_MEAN on average joins the one
 * before.
 */
static int joins(struct rk_chunks *c, const struct rk_chunk *k)
{
	struct rk_chunk *last;

	if (c->n < CHUNKS_FREE ||
	    c->n - CHUNKS_FREE < (k->off + k->len) / CHUNK_MEAN)
		return 0;
	last = &c->v[c->n - 1];
	if (last->len >= CHUNK_TARGET)
		return 0;
	last->len = k->off + k->len - last->off;
	last->nlines = k->line + k->nlines - last->line;
	return 1;
}

int chunk_push(struct rk_chunks *c, struct rk_chunk k)
{
	assert(k.line > 0 && k.head && k.sym && k.ent);
	if (joins(c, &k))
		return 0;
	if (c->n >= RK_CHUNKS_MAX) {
		c->truncated = 1;
		return 0;
	}
	if (c->n == c->cap) {
		size_t cap = c->cap ? c->cap * 2 : 16;
		struct rk_chunk *v = rk_realloc(c->v, cap * sizeof(*v));

		if (!v)
			return -ENOMEM;
		c->v = v;
		c->cap = cap;
	}
	c->v[c->n++] = k;
	return 0;
}

int chunk_emit(struct rk_chunks *c, const char *s, size_t off, size_t len,
	       uint32_t line, const char *head, const char *sym)
{
	size_t end = off + len;
	struct rk_chunk k = {.head = head, .sym = sym, .ent = ""};

	assert(line > 0);
	while (off < end) { /* leading blank lines */
		struct line l = chunk_line_at(s, end, off);

		if (!chunk_line_blank(s, l))
			break;
		off = l.next;
		line++;
	}
	while (end > off && strchr(" \t\r\n\f\v", s[end - 1]) && s[end - 1])
		end--;
	if (end == off)
		return 0;
	k.off = off;
	k.len = end - off;
	k.line = line;
	k.nlines = 1 + chunk_count_lines(s + off, k.len);
	k.head_len = (uint16_t)strlen(head);
	k.sym_len = (uint16_t)strlen(sym);
	return chunk_push(c, k);
}

/*
 * Where the character that covers `at` begins; `at` itself in bytes that are
 * no UTF-8, of which any number may look like the inside of a character.
 */
static size_t character_start(const char *s, size_t at)
{
	size_t start = at;

	while (at - start < UTF8_MAX - 1 &&
	       ((unsigned char)s[start] & 0xc0) == 0x80)
		start--;
	return ((unsigned char)s[start] & 0xc0) == 0x80 ? at : start;
}

/* A line longer than a chunk: cut at spaces, else between characters. */
static int chunk_long_line(struct rk_chunks *c, const char *s, struct line l,
			   uint32_t line, const char *head)
{
	size_t off = l.off;
	int rc = 0;

	while (rc == 0 && l.end - off > CHUNK_MAX) {
		size_t cut = off + CHUNK_TARGET;
		const char *sp = memrchr(s + off + CHUNK_TARGET / 2, ' ',
					 CHUNK_TARGET / 2);

		if (sp)
			cut = (size_t)(sp - s) + 1;
		cut = character_start(s, cut);
		rc = chunk_emit(c, s, off, cut - off, line, head, "");
		off = cut;
	}
	return rc ? rc : chunk_emit(c, s, off, l.end - off, line, head, "");
}

int chunk_paragraphs(struct rk_chunks *c, const char *s, size_t off, size_t end,
		     uint32_t line, const char *head)
{
	size_t start = off;
	uint32_t first = line;
	int rc = 0;

	assert(off <= end && line > 0);
	while (rc == 0 && off < end) {
		struct line l = chunk_line_at(s, end, off);
		size_t have = off - start;
		int close = have >= CHUNK_TARGET && chunk_line_blank(s, l);

		if (close || have + (l.end - l.off) > CHUNK_MAX) {
			rc = chunk_emit(c, s, start, have, first, head, "");
			start = off;
			first = line;
		}
		if (rc == 0 && l.end - l.off > CHUNK_MAX) {
			rc = chunk_long_line(c, s, l, line, head);
			start = l.next;
			first = line + 1;
		}
		off = l.next;
		line++;
	}
	if (rc == 0 && start < end)
		rc = chunk_emit(c, s, start, end - start, first, head, "");
	return rc;
}

void heading_set(struct heading_stack *h, int level, const char *s, size_t n)
{
	assert(level >= 1 && level <= 6);
	h->text[level] = s;
	h->len[level] = n < 120 ? n : 120;
	for (int i = level + 1; i < 7; i++)
		h->len[i] = 0;
}

const char *heading_path(const struct heading_stack *h, struct rk_arena *a)
{
	char out[RK_HEAD_MAX + 1];
	size_t n = 0;

	for (int i = 1; i < 7; i++) {
		if (!h->len[i] || n + h->len[i] + 3 > RK_HEAD_MAX)
			continue;
		if (n) {
			memcpy(out + n, " > ", 3);
			n += 3;
		}
		memcpy(out + n, h->text[i], h->len[i]);
		n += h->len[i];
	}
	return n ? rk_arena_strndup(a, out, n) : "";
}
