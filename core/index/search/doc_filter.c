/* SPDX-License-Identifier: MIT */
/*
 * Which chunks may be results: the tree of the query, asked about one chunk
 * after the other. Cursors only go forward, and so must the chunks.
 */
#include "index/search/doc_filter.h"
#include "index/search/candidates.h"
#include "index/search/cursors.h"
#include "text/symbols/entity.h"
#include "text/extract/extract.h"
#include "text/match/regex.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <stddef.h>

enum {
	POSITIONS_MAX = 512,
	PATH_BYTES = 4096,
	PASSAGES_MIB = 64, /* of text that is read for passages */
};

/* Positions of a term, each less its place in the phrase, ascending. */
struct places {
	int32_t at[POSITIONS_MAX];
	int n, i;
};

struct rk_doc_filter {
	struct rk_searching *s;
	const struct rk_qsource *src;
	struct rk_cursor *cur[RK_TERMS_MAX]; /* of terms that it asks about */
	uint32_t chunk;			     /* the one that is asked about */
	struct rk_found found;		     /* of it, once resolved */
	int resolved;
	char path[PATH_BYTES]; /* of document path_doc */
	uint32_t path_doc;
	struct places *places; /* scratch, one a term */
	int err;
};

struct rk_doc_filter *rk_doc_filter_open(struct rk_searching *s,
					 const struct rk_qsource *src)
{
	struct rk_doc_filter *g = rk_arena_alloc(&s->arena, sizeof(*g));

	if (!g)
		return NULL;
	memset(g, 0, offsetof(struct rk_doc_filter, path));
	g->s = s;
	g->src = src;
	g->chunk = g->path_doc = UINT32_MAX;
	g->places = NULL;
	g->err = 0;
	if (!s->q.constrained)
		return g;
	for (unsigned t = 0; t < s->q.nterms; t++)
		if (src->lists[t].df &&
		    !(g->cur[t] = rk_open_cursor(s, src, t)))
			return NULL;
	return g;
}

int rk_doc_filter_error(const struct rk_doc_filter *g)
{
	return g->err;
}

/* --- facts --- */

static const struct rk_found *resolve(struct rk_doc_filter *g)
{
	if (!g->resolved) {
		if (rk_resolve(g->s, g->src, g->chunk, &g->found) < 0) {
			g->err = RK_ECORRUPT;
			return NULL;
		}
		g->resolved = 1;
	}
	return &g->found;
}

static const char *path_of(struct rk_doc_filter *g, const struct rk_found *f)
{
	if (f->doc_number != g->path_doc) {
		if (f->doc.path_n >= sizeof(g->path))
			return NULL;
		memcpy(g->path, f->path, f->doc.path_n);
		g->path[f->doc.path_n] = '\0';
		g->path_doc = f->doc_number;
	}
	return g->path;
}

static int has_kind(const struct rk_found *f, const char *list)
{
	const char *p = f->head + f->chunk.head_n + f->chunk.sym_n;
	const char *end = p + f->chunk.ent_n;
	struct rk_filter kinds = {.kind = RK_BY_KIND, .value = list};
	struct rk_doc_rec none = {.kind = UINT8_MAX};
	struct rk_entity_ref e;

	while (rk_entity_next(&p, end, &e)) {
		char kind[48];
		struct rk_facts x = {"", &none, kind};

		if (e.kind_n >= sizeof(kind))
			continue;
		memcpy(kind, e.kind, e.kind_n);
		kind[e.kind_n] = '\0';
		if (rk_filter_ok(&kinds, &x))
			return 1;
	}
	return 0;
}

static int filter_holds(struct rk_doc_filter *g, const struct rk_filter *filter)
{
	const struct rk_found *f = resolve(g);
	struct rk_facts x;

	if (!f || !(x.path = path_of(g, f)))
		return 0;
	x.doc = &f->doc;
	x.chunk_kind = "";
	return rk_filter_ok(filter, &x) ||
	       (filter->kind == RK_BY_KIND && f->chunk.ent_n &&
		has_kind(f, filter->value));
}

static int term_here(struct rk_doc_filter *g, unsigned t)
{
	return g->cur[t] && rk_cursor_geq(g->cur[t], g->chunk) == g->chunk;
}

/* --- phrases --- */

/* `own`: as the word is written, and no other of its stem. */
static int read_places(struct rk_doc_filter *g, unsigned t, int own,
		       struct places *p)
{
	uint32_t at[POSITIONS_MAX];
	struct rk_places here = {.at = at, .max = POSITIONS_MAX};
	int rc = rk_cursor_positions(g->s, g->src, g->cur[t], &here);

	p->i = 0;
	p->n = here.n;
	if (rc < 0) {
		g->err = rc;
		return 0;
	}
	if (own && !here.own)
		return 0;
	for (int i = 0; i < p->n; i++)
		p->at[i] =
			(int32_t)at[i] - (int32_t)g->s->q.terms[t].phrase_pos;
	return p->n > 0;
}

/*
 * The words stand as written when all places agree; moved by at most `slop`
 * when some choice of places differs by no more (as in Lucene). The smallest
 * range over sorted lists: always step the lowest.
 */
static int phrase_holds(struct rk_doc_filter *g, const struct rk_qnode *n)
{
	struct places *p = g->places;

	if (!p)
		p = g->places =
			rk_arena_alloc(&g->s->arena, RK_TERMS_MAX * sizeof(*p));
	if (!p) {
		g->err = -ENOMEM;
		return 0;
	}
	for (unsigned k = 0; k < n->nterms; k++)
		if (!term_here(g, n->term + k))
			return 0;
	for (unsigned k = 0; k < n->nterms; k++)
		if (!read_places(g, n->term + k, n->nterms == 1, &p[k]))
			return 0;
	for (;;) {
		unsigned low = 0, high = 0;

		for (unsigned k = 1; k < n->nterms; k++) {
			if (p[k].at[p[k].i] < p[low].at[p[low].i])
				low = k;
			if (p[k].at[p[k].i] > p[high].at[p[high].i])
				high = k;
		}
		if (p[high].at[p[high].i] - p[low].at[p[low].i] <=
		    (int32_t)n->slop)
			return 1;
		if (++p[low].i == p[low].n)
			return 0;
	}
}

/* --- patterns --- */

/* Has enough been read for passages? The answer says so, once. */
static int spent(struct rk_searching *s)
{
	const uint64_t most = (uint64_t)PASSAGES_MIB << 20;

	if (s->passage_bytes <= most)
		return 0;
	if (!s->told_spent)
		rk_buf_printf(&s->q.notes,
			      "only the first %d MiB of text were looked "
			      "through for the words as they are written\n",
			      PASSAGES_MIB);
	s->told_spent = 1;
	return 1;
}

/* A line of the chunk's text matches, or the whole of it. */
static int regex_holds(struct rk_doc_filter *g, const struct rk_qnode *n)
{
	const struct rk_found *f = resolve(g);
	struct rk_text t = RK_TEXT_INIT;
	const char *path;
	const uint8_t *sig;
	int yes;

	if (!f || !(path = path_of(g, f)) || (n->passage && spent(g->s)))
		return 0;
	sig = g->src->mem ? rk_memtable_gram(g->src->mem, &f->doc)
			  : rk_segment_gram(g->src->seg, &f->doc);
	if (!sig || !rk_regex_may_match(n->regex, sig, f->doc.gram_n) ||
	    rk_load_chunk(g->s, path, &f->chunk, &t) < 0)
		return 0;
	g->s->passage_bytes += n->passage ? t.n : 0;
	yes = n->passage ? rk_regex_match(n->regex, t.p, t.n) == 1
			 : rk_regex_in_text(n->regex, t.p, t.n);
	rk_text_release(&t);
	return yes;
}

/* --- the tree --- */

static int holds(struct rk_doc_filter *g, const struct rk_qnode *n);

/* A word stands for all its terms when it decides, else any will do. */
static int word_holds(struct rk_doc_filter *g, const struct rk_qnode *n)
{
	int all = n->occur != RK_SHOULD;

	for (unsigned t = n->term; t < n->term + n->nterms; t++)
		if (term_here(g, t) != all)
			return !all;
	return all;
}

/* What is required holds, and nothing that is excluded. */
static int conditions_hold(struct rk_doc_filter *g,
			   const struct rk_qnode *group)
{
	for (const struct rk_qnode *n = group->child; n; n = n->next)
		if (n->occur != RK_SHOULD &&
		    holds(g, n) != (n->occur == RK_MUST))
			return 0;
	return 1;
}

static int only_filters(const struct rk_qnode *n)
{
	if (n->kind != RK_NODE_GROUP)
		return n->kind != RK_NODE_WORD && n->kind != RK_NODE_PHRASE;
	for (const struct rk_qnode *c = n->child; c; c = c->next)
		if (!only_filters(c))
			return 0;
	return 1;
}

static int some_should(struct rk_doc_filter *g, const struct rk_qnode *group)
{
	int any = 0;

	for (const struct rk_qnode *n = group->child; n; n = n->next) {
		if (n->occur == RK_MUST && !only_filters(n))
			return 1; /* it holds, and is more than a filter */
		if (n->occur != RK_SHOULD)
			continue;
		any = 1;
		if (holds(g, n))
			return 1;
	}
	return !any;
}

static int any_holds(struct rk_doc_filter *g, const struct rk_qnode *group)
{
	for (const struct rk_qnode *n = group->child; n; n = n->next)
		if (holds(g, n) != (n->occur == RK_NOT))
			return 1;
	return 0;
}

static int holds(struct rk_doc_filter *g, const struct rk_qnode *n)
{
	switch (n->kind) {
	case RK_NODE_GROUP:
		return n->any ? any_holds(g, n)
			      : conditions_hold(g, n) && some_should(g, n);
	case RK_NODE_WORD:
	case RK_NODE_PROPERTY:
		return word_holds(g, n);
	case RK_NODE_PHRASE:
		return phrase_holds(g, n);
	case RK_NODE_FILTER:
		return filter_holds(g, &n->filter);
	case RK_NODE_REGEX:
		return g->s->lines_only ? n->occur == RK_MUST
					: regex_holds(g, n);
	default:
		return 1;
	}
}

static int is_liked(struct rk_doc_filter *g)
{
	const struct rk_found *f = resolve(g);
	const char *path = f ? path_of(g, f) : NULL;

	return !path || strcmp(path, g->s->q.like) == 0;
}

static int at_chunk(struct rk_doc_filter *g, uint32_t chunk)
{
	const struct rk_found *f;

	if (g->chunk != chunk) {
		g->chunk = chunk;
		g->resolved = 0;
	}
	if (!g->src->mem && !g->src->seg->ndead)
		return 1;
	f = resolve(g);
	return f && f->alive;
}

int rk_doc_filter_admits(struct rk_doc_filter *g, uint32_t chunk)
{
	const struct rk_query *q = &g->s->q;

	return at_chunk(g, chunk) && (!q->like || !is_liked(g)) &&
	       (!q->constrained || conditions_hold(g, q->root));
}

int rk_doc_filter_matches(struct rk_doc_filter *g, uint32_t chunk)
{
	const struct rk_query *q = &g->s->q;

	return rk_doc_filter_admits(g, chunk) &&
	       (!q->constrained || q->like || some_should(g, q->root));
}

int rk_doc_filter_has_words(struct rk_doc_filter *g, uint32_t chunk)
{
	at_chunk(g, chunk);
	for (unsigned t = 0; t < g->s->q.nterms; t++)
		if (g->s->q.terms[t].occur != RK_NOT && term_here(g, t))
			return 1;
	return 0;
}

/* --- what the tree asks for at all --- */

static int asks_for_terms(const struct rk_qnode *n)
{
	if (n->kind != RK_NODE_GROUP)
		return n->nterms > 0;
	for (const struct rk_qnode *c = n->child; c; c = c->next)
		if (asks_for_terms(c))
			return 1;
	return 0;
}

int rk_doc_filter_any_order(const struct rk_query *q)
{
	for (const struct rk_qnode *n = q->root ? q->root->child : NULL; n;
	     n = n->next)
		if (n->occur != RK_SHOULD && asks_for_terms(n))
			return 0;
	return 1;
}

static int wordless(const struct rk_qnode *n)
{
	int should = 0, other = 0;

	if (n->kind != RK_NODE_GROUP)
		return n->nterms == 0;
	for (const struct rk_qnode *c = n->child; c; c = c->next) {
		int can = c->occur == RK_NOT || wordless(c);

		if (n->any ? can : c->occur == RK_MUST && !can)
			return n->any;
		other |= c->occur == RK_MUST && !only_filters(c);
		should |= c->occur == RK_SHOULD ? can ? 2 : 1 : 0;
	}
	return !n->any && (other || should != 1);
}

int rk_query_wordless(const struct rk_query *q)
{
	return q->root && wordless(q->root);
}

/* Does it ask about chunks, and not about documents alone? */
static int about_chunks(const struct rk_qnode *n)
{
	if (n->kind == RK_NODE_FILTER)
		return n->filter.kind == RK_BY_KIND;
	if (n->kind != RK_NODE_GROUP)
		return 1;
	for (const struct rk_qnode *c = n->child; c; c = c->next)
		if (about_chunks(c))
			return 1;
	return 0;
}

int rk_only_documents(const struct rk_qnode *n)
{
	return !about_chunks(n);
}

int rk_query_about_chunks(const struct rk_query *q)
{
	return q->root && about_chunks(q->root);
}
