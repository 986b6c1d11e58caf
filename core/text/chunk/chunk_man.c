/* SPDX-License-Identifier: MIT */
/* Manual pages (man(7) and mdoc(7) macros) by section and subsection. */
#include "text/chunk/cutters.h"
#include "text/chunk/pieces.h"
#include <errno.h>
#include <string.h>

/* The argument of a macro line such as `.SH "SEE ALSO"`, unquoted. */
static void macro_argument(const char *s, struct line l, size_t *off,
			   size_t *len)
{
	size_t a = l.off + 3, b = l.end;

	while (a < b && strchr(" \t\"", s[a]))
		a++;
	while (b > a && strchr(" \t\r\"", s[b - 1]))
		b--;
	*off = a;
	*len = b - a;
}

/* 1 for a title line, 2 for a section, 3 for a subsection, else 0 */
static int macro_level(const char *s, struct line l)
{
	if (l.end - l.off < 4 || s[l.off] != '.')
		return 0;
	if (!memcmp(s + l.off, ".TH", 3) || !memcmp(s + l.off, ".Dt", 3))
		return 1;
	if (!memcmp(s + l.off, ".SH", 3) || !memcmp(s + l.off, ".Sh", 3))
		return 2;
	if (!memcmp(s + l.off, ".SS", 3) || !memcmp(s + l.off, ".Ss", 3))
		return 3;
	return 0;
}

/* `.TH NAME SECTION …`: the page's name is the first word alone. */
static size_t first_word(const char *s, size_t off, size_t len)
{
	size_t i = 0;

	while (i < len && !strchr(" \t\"", s[off + i]))
		i++;
	return i;
}

int chunk_man(struct rk_chunks *c, const char *s, size_t n)
{
	struct heading_stack heads = {0};
	const char *path = "";
	size_t start = 0;
	uint32_t line = 1, first = 1;
	int rc = 0;

	for (size_t off = 0; off < n && rc == 0; line++) {
		struct line l = chunk_line_at(s, n, off);
		int level = macro_level(s, l);

		if (level) {
			size_t a, len;

			macro_argument(s, l, &a, &len);
			if (level == 1)
				len = first_word(s, a, len);
			rc = chunk_paragraphs(c, s, start, off, first, path);
			heading_set(&heads, level, s + a, len);
			path = heading_path(&heads, &c->arena);
			start = off;
			first = line;
			if (!path)
				return -ENOMEM;
		}
		off = l.next;
	}
	return rc ? rc : chunk_paragraphs(c, s, start, n, first, path);
}
