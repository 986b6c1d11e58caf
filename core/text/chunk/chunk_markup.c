/* SPDX-License-Identifier: MIT */
/*
 * Markup by heading: AsciiDoc, reStructuredText, Org and HTML. Each has a
 * function that says whether a line is a heading, of which level, with which
 * words; what becomes of the sections is common to all.
 */
#include "text/chunk/cutters.h"
#include "text/chunk/pieces.h"
#include <ctype.h>
#include <errno.h>
#include <string.h>

/* A heading that begins at a line. */
struct heading {
	int level;	 /* 1 to 6 */
	size_t off, len; /* its words */
	size_t next;	 /* the line after it and its marks */
};

struct markup {
	struct rk_chunks *c;
	const char *s;
	size_t n;
	int (*heading)(struct markup *m, struct line l, struct heading *h);
	char adorned[8]; /* reStructuredText: marks by level, as they come */
	int inside;	 /* of a literal block: no headings */
};

static void trim(const char *s, size_t *off, size_t *len)
{
	while (*len && isspace((unsigned char)s[*off]))
		++*off, --*len;
	while (*len && isspace((unsigned char)s[*off + *len - 1]))
		--*len;
}

static size_t run_of(const char *s, struct line l, char c)
{
	size_t i = l.off;

	while (i < l.end && s[i] == c)
		i++;
	return i - l.off;
}

/* "== Title ==" and blocks between lines of "----", "====", "....". */
static int asciidoc_heading(struct markup *m, struct line l, struct heading *h)
{
	size_t k = run_of(m->s, l, '=');
	struct line t = l;

	while (t.end > t.off && isspace((unsigned char)m->s[t.end - 1]))
		t.end--;
	if (t.end - t.off >= 4 && strchr("-.+/", m->s[t.off]) &&
	    run_of(m->s, t, m->s[t.off]) == t.end - t.off) {
		m->inside = !m->inside;
		return 0;
	}
	if (m->inside || k == 0 || k > 6 || l.off + k >= l.end ||
	    m->s[l.off + k] != ' ')
		return 0;
	h->level = (int)k;
	h->off = l.off + k;
	h->len = t.end - h->off;
	while (h->len && m->s[h->off + h->len - 1] == '=')
		h->len--;
	h->next = l.next;
	return 1;
}

/* "** TODO Title :tag:", and blocks #+BEGIN_ ... #+END_ */
static int org_heading(struct markup *m, struct line l, struct heading *h)
{
	size_t k = run_of(m->s, l, '*');

	if (l.end - l.off > 8 && strncasecmp(m->s + l.off, "#+begin_", 8) == 0)
		m->inside = 1;
	if (l.end - l.off > 6 && strncasecmp(m->s + l.off, "#+end_", 6) == 0)
		m->inside = 0;
	if (m->inside || k == 0 || l.off + k >= l.end || m->s[l.off + k] != ' ')
		return 0;
	h->level = k > 6 ? 6 : (int)k;
	h->off = l.off + k;
	h->len = l.end - h->off;
	h->next = l.next;
	return 1;
}

/* A line of one punctuation mark, two at least; the mark, or 0. */
static char adornment(const char *s, struct line l)
{
	size_t n = l.end - l.off;

	while (n && isspace((unsigned char)s[l.off + n - 1]))
		n--;
	if (n < 2 || !strchr("=-~^\"'`#*+:.<>_", s[l.off]) || !s[l.off])
		return 0;
	l.end = l.off + n;
	return run_of(s, l, s[l.off]) == n ? s[l.off] : 0;
}

static int adorned_level(struct markup *m, char mark)
{
	int i = 0;

	while (i < 6 && m->adorned[i] && m->adorned[i] != mark)
		i++;
	if (i == 6)
		return 6;
	m->adorned[i] = mark;
	return i + 1;
}

/* Words under-, or over- and underlined by a line as long at least. */
static int rst_heading(struct markup *m, struct line l, struct heading *h)
{
	struct line words = l, under;
	char over = adornment(m->s, l), mark;

	if (l.next >= m->n)
		return 0;
	if (over)
		words = chunk_line_at(m->s, m->n, l.next);
	if (words.next >= m->n && over)
		return 0;
	under = words.next < m->n ? chunk_line_at(m->s, m->n, words.next)
				  : words;
	mark = adornment(m->s, under);
	if (!mark || (over && over != mark) || chunk_line_blank(m->s, words) ||
	    adornment(m->s, words) ||
	    (!over && isspace((unsigned char)m->s[words.off])) ||
	    under.end - under.off + 2 < words.end - words.off)
		return 0;
	h->level = adorned_level(m, over ? (char)(mark | 0x80) : mark);
	h->off = words.off;
	h->len = words.end - words.off;
	h->next = under.next;
	return 1;
}

/* Marks that rk_html_blank() has left: 1 to 6, and 7 for the title. */
static int html_heading(struct markup *m, struct line l, struct heading *h)
{
	size_t i = l.off;

	while (i < l.end && ((unsigned char)m->s[i] >= 8 || !m->s[i]))
		i++;
	if (i == l.end)
		return 0;
	h->level = m->s[i] == 7 ? 1 : m->s[i];
	h->off = i + 1;
	h->len = l.end - h->off;
	for (size_t k = 0; k < h->len; k++)
		if ((unsigned char)m->s[h->off + k] < 8) {
			h->len = k; /* the next heading of this line */
			break;
		}
	h->next = l.next;
	return h->len > 0;
}

static int walk(struct markup *m, int whole)
{
	struct heading_stack heads;
	size_t start = 0, off = 0;
	uint32_t line = 1, first = 1;
	const char *path = "";
	int rc = 0, seen = 0;

	memset(&heads, 0, sizeof(heads));
	while (off < m->n && rc == 0) {
		struct line l = chunk_line_at(m->s, m->n, off);
		struct heading h;

		if (!m->heading(m, l, &h)) {
			off = l.next;
			line++;
			continue;
		}
		trim(m->s, &h.off, &h.len);
		if (!whole && off > start)
			rc = chunk_paragraphs(m->c, m->s, start, off, first,
					      path);
		if (!whole || !seen) {
			heading_set(&heads, h.level, m->s + h.off, h.len);
			path = heading_path(&heads, &m->c->arena);
		}
		if (!path)
			return -ENOMEM;
		seen = 1;
		if (!whole) {
			start = off;
			first = line;
		}
		for (; off < h.next; off = l.next, line++)
			l = chunk_line_at(m->s, m->n, off);
	}
	if (rc < 0)
		return rc;
	return whole ? chunk_emit(m->c, m->s, 0, m->n, 1, path, "")
		     : chunk_paragraphs(m->c, m->s, start, m->n, first, path);
}

int chunk_markup(struct rk_chunks *c, enum rk_kind kind, const char *s,
		 size_t n)
{
	struct markup m = {.c = c, .s = s, .n = n};

	m.heading = kind == RK_KIND_ASCIIDOC ? asciidoc_heading
		    : kind == RK_KIND_ORG    ? org_heading
		    : kind == RK_KIND_HTML   ? html_heading
					     : rst_heading;
	return walk(&m, n <= CHUNK_WHOLE);
}
