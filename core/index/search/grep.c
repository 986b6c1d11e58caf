/* SPDX-License-Identifier: MIT */
/*
 * Patterns alone: every line that matches, complete and exact, as grep -rn
 * would print it. Signatures say which documents are worth reading; those are
 * read as they are now.
 */
#include "index/search/grep.h"
#include "index/documents/texts.h"
#include "index/search/candidates.h"
#include "index/search/doc_filter.h"
#include "text/extract/extract.h"
#include "text/match/regex.h"
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BYTES_MAX = 64 << 20, PATH_BYTES = 4096 };

struct candidate {
	const char *path;
	size_t n;
};

struct grep {
	struct rk_searching *s;
	struct rk_arena *arena; /* the answer's */
	struct rk_results *r;
	struct candidate *v;
	size_t n, cap;
	struct rk_line *lines;
	size_t lines_cap;
	uint64_t skip, most; /* lines of earlier pages; on this one */
	size_t bytes;
	int limit_hit;
	unsigned cut; /* documents that were read in part */
};

/* --- which documents --- */

static int worth_reading(const struct rk_query *q, const uint8_t *sig, size_t n)
{
	for (const struct rk_qnode *c = q->root->child; c; c = c->next)
		if (c->kind == RK_NODE_REGEX && c->occur == RK_MUST &&
		    !rk_regex_may_match(c->regex, sig, n))
			return 0;
	return 1;
}

static int add_candidate(struct grep *g, const char *path, size_t n)
{
	if (g->n == g->cap) {
		size_t cap = g->cap ? 2 * g->cap : 256;
		struct candidate *v =
			rk_arena_alloc(&g->s->arena, cap * sizeof(*v));

		if (!v)
			return -ENOMEM;
		if (g->n)
			memcpy(v, g->v, g->n * sizeof(*v));
		g->v = v;
		g->cap = cap;
	}
	g->v[g->n] = (struct candidate){rk_arena_strndup(g->arena, path, n), n};
	return g->v[g->n++].path ? 0 : -ENOMEM;
}

static const struct rk_doc_rec *record(const struct rk_qsource *src,
				       uint32_t doc)
{
	return src->mem ? &src->mem->docs[doc].rec
			: rk_segment_doc(src->seg, doc);
}

static int look_at(struct grep *g, const struct rk_qsource *src,
		   struct rk_doc_filter *filter, uint32_t doc)
{
	const struct rk_doc_rec *d = record(src, doc);
	const uint8_t *sig;
	struct rk_found f;

	if (!d)
		return RK_ECORRUPT;
	if (d->nchunks == 0 || (d->flags & RK_DOC_BINARY))
		return 0;
	sig = src->mem ? rk_memtable_gram(src->mem, d)
		       : rk_segment_gram(src->seg, d);
	if (!sig)
		return RK_ECORRUPT;
	/* the signature is of what was indexed */
	if ((!(d->flags & RK_DOC_TRUNCATED) &&
	     !worth_reading(&g->s->q, sig, d->gram_n)) ||
	    d->chunk0 >= src->nchunks ||
	    !rk_doc_filter_admits(filter, d->chunk0))
		return rk_doc_filter_error(filter);
	if (rk_resolve(g->s, src, d->chunk0, &f) < 0)
		return RK_ECORRUPT;
	return add_candidate(g, f.path, f.doc.path_n);
}

static int find_candidates(struct grep *g)
{
	struct rk_searching *s = g->s;

	for (unsigned i = 0; i < s->nsrc; i++) {
		struct rk_doc_filter *filter =
			rk_doc_filter_open(s, &s->src[i]);
		int rc = filter ? 0 : -ENOMEM;

		for (uint32_t d = 0; d < s->src[i].ndocs && rc == 0; d++)
			rc = s->src[i].bad ? RK_ECORRUPT
					   : look_at(g, &s->src[i], filter, d);
		if (rc == RK_ECORRUPT)
			rk_source_failed(&s->src[i]);
		else if (rc < 0)
			return rc;
	}
	return 0;
}

static int by_path(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;

	return rk_term_cmp(x->path, x->n, y->path, y->n);
}

/* --- which lines --- */

static int line_matches(struct grep *g, const char *s, size_t n)
{
	for (const struct rk_qnode *c = g->s->q.root->child; c; c = c->next) {
		int rc;

		if (c->kind != RK_NODE_REGEX)
			continue;
		rc = rk_regex_match(c->regex, s, n);
		g->limit_hit |= rc < 0;
		if ((rc == 1) != (c->occur == RK_MUST))
			return 0;
	}
	return 1;
}

static int add_line(struct grep *g, const char *path, uint32_t line,
		    const char *s, size_t n)
{
	size_t k = g->r->nlines;

	if (g->s->total++ < g->skip)
		return 0;
	if (k >= g->most || g->bytes + n > BYTES_MAX) {
		g->r->lines_cut = 1;
		return 0;
	}
	if (!g->lines || k == g->lines_cap) {
		size_t cap = g->lines_cap ? 2 * g->lines_cap : 256;
		struct rk_line *v = rk_arena_alloc(g->arena, cap * sizeof(*v));

		if (!v)
			return -ENOMEM;
		if (g->lines)
			memcpy(v, g->lines, k * sizeof(*v));
		g->lines = v;
		g->lines_cap = cap;
	}
	g->lines[k] = (struct rk_line){path, line,
				       rk_arena_strndup(g->arena, s, n), n};
	g->bytes += n + sizeof(struct rk_line);
	g->r->nlines++;
	return g->lines[k].text ? 0 : -ENOMEM;
}

/* By the first pattern that is required. */
static const char *next_candidate(const struct grep *g, const char *s,
				  const char *end)
{
	const struct rk_qnode *n = g->s->q.root->child;

	while (n->kind != RK_NODE_REGEX || n->occur != RK_MUST)
		n = n->next;
	return rk_regex_candidate(n->regex, s, end);
}

static uint32_t newlines(const char *s, const char *end)
{
	uint32_t n = 0;

	while ((s = memchr(s, '\n', (size_t)(end - s)))) {
		n++;
		s++;
	}
	return n;
}

static int search_text(struct grep *g, const char *path, const char *s,
		       size_t n)
{
	const char *end = s + n, *counted = s, *p;
	uint32_t line = 1; /* of `counted` */
	int rc = 0;

	while (s < end && rc == 0 && (p = next_candidate(g, s, end))) {
		const char *nl = memchr(p, '\n', (size_t)(end - p));
		const char *from = memrchr(s, '\n', (size_t)(p - s));
		const char *stop = nl ? nl : end;

		from = from ? from + 1 : s;
		if (line_matches(g, from, (size_t)(stop - from))) {
			line += newlines(counted, from);
			counted = from;
			rc = add_line(g, path, line, from,
				      (size_t)(stop - from));
		}
		s = stop + 1;
	}
	return rc;
}

static int search_document(struct grep *g, const char *path)
{
	int fd = rk_open_document(g->s->ix, path), rc;
	struct rk_text t = RK_TEXT_INIT;

	if (fd < 0)
		return 0; /* gone since */
	rc = rk_read_text(g->s->ix, fd, path, RK_READ_LINES, &t);
	close(fd);
	if (rc == 0)
		rc = search_text(g, path, t.p, t.n);
	g->cut += rc == 0 && (t.flags & RK_TEXT_TRUNCATED);
	rk_text_release(&t);
	return rc == -ENOMEM ? rc : 0;
}

int rk_is_pattern(const struct rk_query *q)
{
	int must = 0;

	if (q->nregex == 0 || !q->root || q->like)
		return 0;
	for (const struct rk_qnode *n = q->root->child; n; n = n->next) {
		if (n->passage)
			return 0;
		if (n->kind == RK_NODE_REGEX)
			must |= n->occur == RK_MUST;
		else if (n->occur == RK_SHOULD || !rk_only_documents(n))
			return 0;
	}
	return must;
}

int rk_run_lines(struct rk_searching *s, struct rk_arena *arena,
		 struct rk_results *r)
{
	struct grep g = {.s = s, .arena = arena, .r = r};
	int rc;

	assert(rk_is_pattern(&s->q) && s->mode == RK_MODE_LEXICAL);
	g.most = s->q.hits > 0 ? (uint64_t)s->q.hits : UINT64_MAX;
	g.skip = s->q.hits > 0 ? (uint64_t)(s->q.page - 1) * g.most : 0;
	s->lines_only = 1;
	if ((rc = find_candidates(&g)) < 0)
		return rc;
	if (g.n)
		qsort(g.v, g.n, sizeof(*g.v), by_path);
	for (size_t i = 0; i < g.n && rc == 0; i++) {
		if (s->opts.cancel && *s->opts.cancel)
			return RK_ECANCELLED;
		rc = search_document(&g, g.v[i].path);
	}
	if (g.limit_hit)
		rk_buf_str(&s->q.notes, "the pattern took too many steps on "
					"some line, which is left out\n");
	if (r->lines_cut && s->q.hits < 0)
		rk_buf_printf(&s->q.notes,
			      "stopped after %d MiB of lines: narrow it down\n",
			      BYTES_MAX >> 20);
	if (g.cut)
		rk_buf_printf(&s->q.notes,
			      "%u documents are too long: the end of their "
			      "text is not searched\n",
			      g.cut);
	r->lines = g.lines;
	r->is_lines = 1;
	return rc;
}
