/* SPDX-License-Identifier: MIT */
/*
 * Markdown by heading. cmark finds the headings (ATX and setext, none inside
 * code fences); front matter between two `---` lines is put aside first,
 * because CommonMark reads its end as a setext heading. The text of a heading
 * is taken from its source line.
 */
#include "text/chunk/cutters.h"
#include "text/chunk/pieces.h"
#include "text/extract/metadata.h"
#include <cmark.h>
#include <errno.h>
#include <string.h>

static uint32_t lines_in(const char *s, size_t n)
{
	uint32_t k = 0;

	for (size_t i = 0; i < n; i++)
		k += s[i] == '\n';
	return k;
}

/* The words of a heading's source line, without `#` marks. */
static void heading_text(const char *s, struct line l, size_t *off, size_t *len)
{
	size_t a = l.off, b = l.end;

	while (a < b && strchr(" \t#", s[a]))
		a++;
	while (b > a && strchr(" \t\r#", s[b - 1]))
		b--;
	*off = a;
	*len = b - a;
}

struct md {
	struct rk_chunks *c;
	const char *s;
	size_t n;
	size_t off;    /* start of the section being collected */
	uint32_t line; /* its line */
	size_t at;     /* scan position, always a line start */
	uint32_t at_line;
	struct heading_stack heads;
	const char *path;
};

static int md_flush(struct md *m, size_t end)
{
	return chunk_paragraphs(m->c, m->s, m->off, end, m->line, m->path);
}

static int md_heading(struct md *m, uint32_t line, int level)
{
	size_t off, len;
	int rc;

	while (m->at_line < line && m->at < m->n) {
		m->at = chunk_line_at(m->s, m->n, m->at).next;
		m->at_line++;
	}
	if ((rc = md_flush(m, m->at)) < 0)
		return rc;
	heading_text(m->s, chunk_line_at(m->s, m->n, m->at), &off, &len);
	heading_set(&m->heads, level, m->s + off, len);
	m->path = heading_path(&m->heads, &m->c->arena);
	m->off = m->at;
	m->line = line;
	return m->path ? 0 : -ENOMEM;
}

static int md_walk(struct md *m, cmark_node *root, uint32_t skipped)
{
	cmark_node *node = cmark_node_first_child(root);
	int rc = 0;

	for (; node && rc == 0; node = cmark_node_next(node))
		if (cmark_node_get_type(node) == CMARK_NODE_HEADING)
			rc = md_heading(
				m,
				skipped + (uint32_t)cmark_node_get_start_line(
						  node),
				cmark_node_get_heading_level(node));
	return rc ? rc : md_flush(m, m->n);
}

/* A short document is one chunk: its first heading is its title. */
static int md_whole(struct md *m, cmark_node *root, uint32_t skipped)
{
	cmark_node *node = cmark_node_first_child(root);

	while (node && cmark_node_get_type(node) != CMARK_NODE_HEADING)
		node = cmark_node_next(node);
	if (node) {
		uint32_t want =
			skipped + (uint32_t)cmark_node_get_start_line(node);
		size_t off, len, at = 0;

		for (uint32_t i = 1; i < want && at < m->n; i++)
			at = chunk_line_at(m->s, m->n, at).next;
		heading_text(m->s, chunk_line_at(m->s, m->n, at), &off, &len);
		heading_set(&m->heads, 1, m->s + off, len);
		m->path = heading_path(&m->heads, &m->c->arena);
		if (!m->path)
			return -ENOMEM;
	}
	return chunk_emit(m->c, m->s, 0, m->n, 1, m->path, "");
}

int chunk_markdown(struct rk_chunks *c, const char *s, size_t n)
{
	size_t skip = rk_front_matter(s, n);
	uint32_t skipped = lines_in(s, skip);
	struct md m = {
		.c = c, .s = s, .n = n, .line = 1, .at_line = 1, .path = ""};
	cmark_node *root;
	int rc;

	root = cmark_parse_document(s + skip, n - skip, CMARK_OPT_DEFAULT);
	if (!root)
		return -ENOMEM;
	rc = n <= CHUNK_WHOLE ? md_whole(&m, root, skipped)
			      : md_walk(&m, root, skipped);
	cmark_node_free(root);
	return rc;
}
