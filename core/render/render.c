/* SPDX-License-Identifier: MIT */
#include "render/render.h"
#include "base/buf.h"
#include "base/put.h"
#include <stdio.h>
#include <string.h>

/* --- text --- */

const char *rk_mode_name(enum rk_mode m)
{
	static const char *const NAMES[] = {"hybrid", "lexical", "vector"};

	return NAMES[m];
}

static void put_header(const struct rk_results *r, struct rk_buf *out)
{
	size_t shown = r->is_lines ? r->nlines : r->nhits;
	char vectors[16] = "off";

	if (r->vectors_percent >= 0)
		snprintf(vectors, sizeof(vectors), "%d%%", r->vectors_percent);
	rk_buf_printf(out,
		      "# rankfs 1 hits=%zu/%llu%s generation=%llu pending=%zu "
		      "vectors=%s took=%.1fms mode=%s\n",
		      shown, (unsigned long long)r->total,
		      r->total_is_lower ? "+" : "",
		      (unsigned long long)r->generation, r->pending, vectors,
		      r->took_ms, rk_mode_name(r->mode));
}

static void put_notes(const struct rk_results *r, struct rk_buf *out)
{
	if (r->did_you_mean) {
		rk_buf_str(out, "# did you mean: ");
		rk_put_line(out, r->did_you_mean, strlen(r->did_you_mean));
		rk_buf_byte(out, '\n');
	}
	for (const char *s = r->notes ? r->notes : ""; *s;) {
		size_t n = strcspn(s, "\n");

		rk_buf_str(out, "# note: ");
		rk_put_line(out, s, n);
		rk_buf_byte(out, '\n');
		s += n + (s[n] == '\n');
	}
	if (r->nhits == 0 && r->nlines == 0 && r->reason)
		rk_buf_printf(out, "# no hits: %s%s\n", r->reason,
			      r->pending ? " (changes are still being indexed)"
					 : "");
}

/* Heading or symbols behind the line range, if there are any. */
static void put_place(const struct rk_hit *h, struct rk_buf *out)
{
	const char *s = *h->heading ? h->heading : h->symbol;
	size_t n = strlen(s);

	if (n == 0)
		return;
	rk_buf_byte(out, ' ');
	rk_put_line(out, s, n < 100 ? n : 100);
}

/* Excerpt bytes [from, to); in colour what the query speaks of. */
static void put_marked(const struct rk_hit *h, size_t from, size_t to,
		       size_t *mark, int ansi, struct rk_buf *out)
{
	while (ansi && *mark < h->nmarks && h->marks[*mark].off < to) {
		const struct rk_mark *m = &h->marks[(*mark)++];
		size_t end = m->off + m->len;

		if (m->off < from)
			continue;
		end = end < to ? end : to;
		rk_buf_add(out, h->excerpt + from, m->off - from);
		rk_buf_str(out, "\x1b[1;31m");
		rk_buf_add(out, h->excerpt + m->off, end - m->off);
		rk_buf_str(out, "\x1b[m");
		from = end;
	}
	rk_buf_add(out, h->excerpt + from, to - from);
}

static void put_indented(const struct rk_hit *h, int ansi, struct rk_buf *out)
{
	size_t mark = 0;

	for (const char *s = h->excerpt; *s;) {
		size_t n = strcspn(s, "\n"), at = (size_t)(s - h->excerpt);

		if (n)
			rk_buf_str(out, "    ");
		put_marked(h, at, at + n, &mark, ansi, out);
		rk_buf_byte(out, '\n');
		s += n + (s[n] == '\n');
	}
}

/* "+2 copies: a.md, b.md": what says nearly the same. */
static void put_copies(const struct rk_hit *h, const char *root,
		       struct rk_buf *out)
{
	if (h->ncopies == 0)
		return;
	rk_buf_printf(out, "    +%zu %s:", h->ncopies,
		      h->ncopies == 1 ? "copy" : "copies");
	for (size_t i = 0; i < h->ncopies; i++) {
		rk_buf_byte(out, ' ');
		rk_put_path(out, root, h->copies[i]);
	}
	rk_buf_byte(out, '\n');
}

static void put_matches(const struct rk_results *r, const char *root,
			struct rk_buf *out)
{
	for (size_t i = 0; i < r->nlines; i++) {
		const struct rk_line *l = &r->lines[i];

		rk_put_path(out, root, l->path);
		rk_buf_printf(out, ":%u:", l->line);
		rk_put_utf8(out, l->text, l->len);
		rk_buf_byte(out, '\n');
	}
}

static void put_hit(const struct rk_hit *h, const char *root, int ansi,
		    struct rk_buf *out)
{
	rk_put_path(out, root, h->path);
	rk_buf_printf(out, ":%u: [%u-%u] score=%.4f", h->line, h->first,
		      h->last, h->score);
	if (h->page)
		rk_buf_printf(out, " page=%u", h->page);
	put_place(h, out);
	if (h->complete && *h->excerpt)
		rk_buf_str(out, " (complete)");
	rk_buf_byte(out, '\n');
	put_indented(h, ansi, out);
	put_copies(h, root, out);
}

static void render_text(const struct rk_results *r, int ansi, const char *root,
			struct rk_buf *out, size_t *body)
{
	put_header(r, out);
	*body = out->n;
	put_notes(r, out);
	put_matches(r, root, out);
	for (size_t i = 0; i < r->nhits; i++)
		put_hit(&r->hits[i], root, ansi, out);
}

/* For language models: whole chunks, each with where it is from. */
static void render_pack(const struct rk_results *r, const char *root,
			struct rk_buf *out, size_t *body)
{
	uint64_t tokens = 0;

	for (size_t i = 0; i < r->nhits; i++)
		tokens += r->hits[i].tokens;
	put_header(r, out);
	*body = out->n;
	rk_buf_printf(out, "# pack: %llu of %lld tokens\n",
		      (unsigned long long)tokens, (long long)r->tokens);
	put_notes(r, out);
	for (size_t i = 0; i < r->nhits; i++) {
		const struct rk_hit *h = &r->hits[i];

		rk_buf_str(out, "\n## ");
		rk_put_path(out, root, h->path);
		rk_buf_printf(out, ":%u-%u", h->first, h->last);
		put_place(h, out);
		rk_buf_str(out, h->complete ? " (complete)\n" : "\n");
		rk_buf_str(out, h->excerpt);
		put_copies(h, root, out);
	}
}

/* --- lists --- */

/* A line each; `zero`: bytes as they are, each ended by a NUL. */
static void put_listed(const char *root, const char *path, int zero,
		       struct rk_buf *out)
{
	if (zero) {
		rk_buf_printf(out, "%s/%s", root, path);
		rk_buf_byte(out, 0);
		return;
	}
	rk_put_path(out, root, path);
	rk_buf_byte(out, '\n');
}

static void render_paths(const struct rk_results *r, const char *root, int zero,
			 struct rk_buf *out)
{
	for (size_t i = 0; i < r->nlines; i++)
		if (!i || strcmp(r->lines[i - 1].path, r->lines[i].path) != 0)
			put_listed(root, r->lines[i].path, zero, out);
	for (size_t i = 0; i < r->nhits; i++) {
		size_t k = 0;

		while (k < i && strcmp(r->hits[k].path, r->hits[i].path) != 0)
			k++;
		if (k < i)
			continue; /* another place in the same document */
		put_listed(root, r->hits[i].path, zero, out);
		for (size_t c = 0; c < r->hits[i].ncopies; c++)
			put_listed(root, r->hits[i].copies[c], zero, out);
	}
}

/* The excerpt's lines as grep -n would print them. */
static void render_lines(const struct rk_results *r, const char *root,
			 struct rk_buf *out)
{
	put_matches(r, root, out);
	for (size_t i = 0; i < r->nhits; i++) {
		const struct rk_hit *h = &r->hits[i];
		const char *s = h->excerpt;

		for (size_t k = 0; k < h->nlines && *s; k++) {
			size_t n = strcspn(s, "\n");

			if (h->lines[k]) { /* no line of the document */
				rk_put_path(out, root, h->path);
				rk_buf_printf(out, ":%u:", h->lines[k]);
				rk_buf_add(out, s, n);
				rk_buf_byte(out, '\n');
			}
			s += n + (s[n] == '\n');
		}
	}
}

int rk_render(const struct rk_results *r, enum rk_format form,
	      const char *query, size_t query_n, const char *root,
	      struct rk_buf *out, size_t *body)
{
	size_t answer = out->n;

	switch (form) {
	case RK_AS_JSON:
		rk_render_json(r, query, query_n, root, out);
		break;
	case RK_AS_JSONL:
		rk_render_jsonl(r, root, out);
		break;
	case RK_AS_PATHS:
	case RK_AS_PATHS0:
		render_paths(r, root, form == RK_AS_PATHS0, out);
		break;
	case RK_AS_LINES:
		render_lines(r, root, out);
		break;
	case RK_AS_PACK:
		render_pack(r, root, out, &answer);
		break;
	case RK_AS_TEXT:
	case RK_AS_ANSI:
	default:
		render_text(r, form == RK_AS_ANSI, root, out, &answer);
	}
	if (body)
		*body = answer;
	return out->err;
}
