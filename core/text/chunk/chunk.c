/* SPDX-License-Identifier: MIT */
#include "text/chunk/chunk.h"
#include "text/chunk/cutters.h"
#include "text/chunk/pieces.h"
#include <assert.h>
#include <errno.h>
#include <string.h>

/* Extracted text: no chunk reaches over a form feed, which ends a page. */
int chunk_pages(struct rk_chunks *c, const char *s, size_t n)
{
	uint32_t line = 1;
	uint16_t page = 1;
	int rc = 0;

	for (size_t off = 0; off < n && rc == 0; page++) {
		const char *ff = memchr(s + off, '\f', n - off);
		size_t end = ff ? (size_t)(ff - s) + 1 : n, first = c->n;

		rc = chunk_paragraphs(c, s, off, end, line, "");
		for (size_t i = first; i < c->n; i++)
			c->v[i].page = page;
		line += chunk_count_lines(s + off, end - off);
		off = end;
		if (page == UINT16_MAX)
			page--;
	}
	return rc;
}

static int chunk_dispatch(enum rk_kind kind, const char *text, size_t n,
			  const struct rk_entities *defs, struct rk_chunks *out)
{
	switch (kind) {
	case RK_KIND_MARKDOWN:
		return chunk_markdown(out, text, n);
	case RK_KIND_MAN:
		return chunk_man(out, text, n);
	case RK_KIND_CODE:
		return chunk_code(out, text, n, defs);
	case RK_KIND_HTML:
	case RK_KIND_ASCIIDOC:
	case RK_KIND_RST:
	case RK_KIND_ORG:
		return chunk_markup(out, kind, text, n);
	case RK_KIND_MAIL:
		return chunk_mail(out, text, n);
	case RK_KIND_JSONL:
	case RK_KIND_TABLE:
		return chunk_records(out, kind, text, n);
	case RK_KIND_LOG:
		return chunk_log(out, text, n);
	case RK_KIND_PAGES:
		return chunk_pages(out, text, n);
	case RK_KIND_BINARY:
		return 0;
	case RK_KIND_TEXT:
	case RK_KINDS:
	default:
		return chunk_paragraphs(out, text, 0, n, 1, "");
	}
}

int rk_chunk_text(enum rk_kind kind, const char *text, size_t n,
		  const struct rk_entities *defs, struct rk_chunks *out)
{
	int rc;

	assert(out->n == 0);
	rc = chunk_dispatch(kind, text, n, defs, out);
	if (rc == 0 && out->n == 0) {
		struct rk_chunk k = {.line = 1,
				     .nlines = 1,
				     .head = "",
				     .sym = "",
				     .ent = ""};

		rc = chunk_push(out, k);
	}
	return rc;
}
