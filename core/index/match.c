/* SPDX-License-Identifier: MIT */
/*
 * The two passes of a lexical query. First the scan: the best chunks by BM25F
 * under dynamic pruning, in floats. Then, for those alone, exact scores in a
 * fixed order of terms with pair scores added, so that an answer does not
 * depend on segments or on rounding.
 */
#include "index/search_internal.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
	POSITIONS_MAX = 512,
	PAIR_WINDOW = 8,
	COUNT_BUDGET = 20000, /* postings visited only to count matches */
};

/* --- what may be a result --- */

struct gate {
	struct rk_searching *s;
	const struct rk_qsource *src;
	struct rk_cursor * not [RK_TERMS_MAX];
	unsigned nnot;
	struct rk_cursor *phrase[RK_TERMS_MAX]; /* cursors of phrase terms */
	unsigned nphrase;
	uint32_t last_doc; /* the filters' verdict on it */
	int last_ok;
	int err;
};

static int path_ok(struct gate *g, const struct rk_found *f)
{
	char path[4096];

	if (g->s->q.nfilters == 0 && !g->s->q.like)
		return 1;
	if (f->doc_number == g->last_doc)
		return g->last_ok;
	if (f->doc.path_n >= sizeof(path))
		return 0;
	memcpy(path, f->path, f->doc.path_n);
	path[f->doc.path_n] = '\0';
	g->last_doc = f->doc_number;
	g->last_ok = rk_query_path_ok(&g->s->q, path);
	return g->last_ok;
}

static int has_position(const uint32_t *at, int n, uint32_t want)
{
	for (int i = 0; i < n; i++)
		if (at[i] == want)
			return 1;
	return 0;
}

/* All terms of phrase p stand in this chunk in their places. */
static int phrase_ok(struct gate *g, int p, uint32_t chunk)
{
	uint32_t starts[POSITIONS_MAX], at[POSITIONS_MAX];
	int n = -1;

	for (unsigned i = 0; i < g->nphrase; i++) {
		struct rk_cursor *c = g->phrase[i];
		const struct rk_qterm *t = &g->s->q.terms[c->term];
		int k, kept = 0;

		if (t->phrase != p)
			continue;
		if (rk_cursor_geq(c, chunk) != chunk)
			return 0;
		k = rk_cursor_positions(g->s, g->src, c, at, POSITIONS_MAX);
		if (k < 0) {
			g->err = k;
			return 0;
		}
		if (n < 0) {
			for (n = 0; n < k; n++)
				starts[n] = at[n] - t->phrase_pos;
			continue;
		}
		for (int j = 0; j < n; j++)
			if (has_position(at, k, starts[j] + t->phrase_pos))
				starts[kept++] = starts[j];
		n = kept;
	}
	return n != 0;
}

static int may_match(void *ctx, uint32_t chunk)
{
	struct gate *g = ctx;
	struct rk_found f;

	if (g->src->mem || g->src->seg->ndead || g->s->q.nfilters ||
	    g->s->q.like) {
		if (rk_resolve(g->s, g->src, chunk, &f) < 0) {
			g->err = RK_ECORRUPT;
			return 0;
		}
		if (!f.alive || !path_ok(g, &f))
			return 0;
	}
	for (unsigned i = 0; i < g->nnot; i++)
		if (rk_cursor_geq(g->not [i], chunk) == chunk)
			return 0;
	for (unsigned p = 0; p < g->s->q.nphrases; p++)
		if (!phrase_ok(g, (int)p, chunk))
			return 0;
	return 1;
}

static int open_gate(struct rk_searching *s, const struct rk_qsource *src,
		     struct gate *g)
{
	memset(g, 0, sizeof(*g));
	g->s = s;
	g->src = src;
	g->last_doc = UINT32_MAX;
	for (unsigned t = 0; t < s->q.nterms; t++) {
		const struct rk_qterm *e = &s->q.terms[t];
		struct rk_cursor *c;

		if (src->lists[t].df == 0 ||
		    (e->occur != RK_NOT && e->phrase < 0))
			continue;
		if (!(c = rk_open_cursor(s, src, t)))
			return -ENOMEM;
		if (e->occur == RK_NOT)
			g->not [g->nnot++] = c;
		else
			g->phrase[g->nphrase++] = c;
	}
	return 0;
}

/* --- the scan --- */

/* Scored cursors of a source, required ones first and rarest first of all. */
static int open_scan(struct rk_searching *s, const struct rk_qsource *src,
		     struct rk_cursor **cur, unsigned *n, unsigned *must)
{
	*n = *must = 0;
	for (int pass = 0; pass < 2; pass++)
		for (unsigned t = 0; t < s->q.nterms; t++) {
			const struct rk_qterm *e = &s->q.terms[t];
			int required = e->occur == RK_MUST;

			if (e->occur == RK_NOT || required != (pass == 0))
				continue;
			if (src->lists[t].df == 0) {
				if (required)
					return 0; /* nothing here */
				continue;
			}
			if (!(cur[*n] = rk_open_cursor(s, src, t)))
				return -ENOMEM;
			++*n;
			*must += (unsigned)required;
		}
	return 1;
}

/* The document of a chunk, or negative; as few cache lines as it takes. */
static int64_t doc_of(const struct rk_qsource *src, uint32_t chunk)
{
	const struct rk_chunk_rec *c;

	if (src->ndocs == src->nchunks)
		return chunk; /* each document has one */
	if (src->mem)
		return src->mem->chunks[chunk].doc;
	c = rk_segment_chunk(src->seg, chunk);
	return c ? (int64_t)c->doc : RK_ECORRUPT;
}

/* Documents that match, by walking every list once; see COUNT_BUDGET. */
static int count_source(struct rk_searching *s, const struct rk_qsource *src,
			struct rk_cursor **cur, unsigned n, struct gate *g)
{
	int64_t doc, last_doc = -1;
	uint32_t id = 0;

	for (;;) {
		uint32_t next = RK_END;

		for (unsigned i = 0; i < n; i++) {
			uint32_t at = rk_cursor_geq(cur[i], id);

			if (at < next)
				next = at;
		}
		if (next == RK_END)
			return 0;
		if ((doc = doc_of(src, next)) < 0)
			return RK_ECORRUPT;
		if (doc != last_doc && may_match(g, next)) {
			s->total++;
			last_doc = doc;
		}
		id = next + 1;
	}
}

static int count_matches(struct rk_searching *s, const struct rk_qsource *src)
{
	struct rk_cursor *cur[RK_TERMS_MAX];
	struct gate *g = rk_arena_alloc(&s->arena, sizeof(*g));
	unsigned n, must;
	int rc;

	if (!g)
		return -ENOMEM;
	if ((rc = open_scan(s, src, cur, &n, &must)) <= 0)
		return rc;
	if ((rc = open_gate(s, src, g)) < 0)
		return rc;
	return count_source(s, src, cur, n, g);
}

static int scan_source(struct rk_searching *s, unsigned i)
{
	const struct rk_qsource *src = &s->src[i];
	struct rk_cursor *cur[RK_TERMS_MAX];
	struct gate *g = rk_arena_alloc(&s->arena, sizeof(*g));
	struct rk_scan scan = {.cur = cur,
			       .norms = src->norms,
			       .table = &s->table,
			       .nchunks = src->nchunks,
			       .source = i,
			       .top = &s->top,
			       .accept = may_match,
			       .cancel = s->opts->cancel};
	int64_t got;
	int rc;

	if (!g)
		return -ENOMEM;
	rc = open_scan(s, src, cur, &scan.n, &scan.must);
	if (rc <= 0 || scan.n == 0)
		return rc < 0 ? rc : 0;
	if ((rc = open_gate(s, src, g)) < 0)
		return rc;
	scan.ctx = g;
	if (scan.must == 0)
		return rk_scan_any(&scan) | g->err;
	got = rk_scan_all(&scan);
	if (got > 0)
		s->total += (uint64_t)got;
	return got < 0 ? (int)got : g->err;
}

/* A source that fails its checksums is left out; the rest still answers. */
static int tolerate(struct rk_qsource *src, int rc)
{
	if (rc != RK_ECORRUPT)
		return rc;
	src->bad = 1;
	if (src->seg)
		src->seg->damaged = 1;
	return 0;
}

static uint64_t postings_to_count(const struct rk_searching *s, uint64_t *most)
{
	uint64_t sum = 0;

	*most = 0;
	for (unsigned t = 0; t < s->q.nterms; t++) {
		if (s->q.terms[t].occur == RK_NOT)
			continue;
		sum += s->q.terms[t].df;
		if (s->q.terms[t].df > *most)
			*most = s->q.terms[t].df;
	}
	return sum;
}

static int has_must(const struct rk_searching *s)
{
	for (unsigned t = 0; t < s->q.nterms; t++)
		if (s->q.terms[t].occur == RK_MUST)
			return 1;
	return 0;
}

static int run_count(struct rk_searching *s)
{
	uint64_t most, sum = postings_to_count(s, &most);
	int rc = 0;

	if (has_must(s))
		return 0; /* counted by the scan */
	if (sum > COUNT_BUDGET) {
		s->total = s->q.nfilters ? s->top.n : COUNT_BUDGET;
		if (most < s->total)
			s->total = most > s->top.n ? most : s->top.n;
		s->total_is_lower = 1;
		return 0;
	}
	for (unsigned i = 0; i < s->nsrc && rc == 0; i++)
		if (!s->src[i].bad)
			rc = tolerate(&s->src[i], count_matches(s, &s->src[i]));
	return rc;
}

int rk_run_terms(struct rk_searching *s)
{
	int rc = 0;

	for (unsigned i = 0; i < s->nsrc && rc == 0; i++)
		if (!s->src[i].bad)
			rc = tolerate(&s->src[i], scan_source(s, i));
	if (rc == 0 && !s->opts->no_excerpts)
		rc = run_count(s);
	return rc;
}

/* --- no terms: every document that passes the filters --- */

static int filter_doc(struct rk_searching *s, unsigned i, uint32_t doc)
{
	struct rk_qsource *src = &s->src[i];
	const struct rk_doc_rec *d;
	struct rk_found f;
	char path[4096];
	uint32_t chunk0;

	if (src->mem) {
		if (!rk_mdoc_alive(&src->mem->docs[doc], s->snap.generation))
			return 0;
		chunk0 = src->mem->docs[doc].rec.chunk0;
	} else {
		if (!(d = rk_segment_doc(src->seg, doc)))
			return RK_ECORRUPT;
		chunk0 = d->chunk0;
	}
	if (chunk0 >= src->nchunks)
		return 0;
	if (rk_resolve(s, src, chunk0, &f) < 0)
		return RK_ECORRUPT;
	if (!f.alive || f.doc.path_n >= sizeof(path))
		return 0;
	memcpy(path, f.path, f.doc.path_n);
	path[f.doc.path_n] = '\0';
	if (!rk_query_path_ok(&s->q, path))
		return 0;
	s->total++;
	rk_topk_offer(&s->top, (struct rk_cand){1.0f, i, chunk0});
	return 0;
}

int rk_run_filters(struct rk_searching *s)
{
	for (unsigned i = 0; i < s->nsrc; i++) {
		int rc = 0;

		for (uint32_t d = 0; d < s->src[i].ndocs && rc == 0; d++) {
			if (s->opts->cancel && *s->opts->cancel)
				return RK_ECANCELLED;
			rc = s->src[i].bad ? RK_ECORRUPT : filter_doc(s, i, d);
		}
		if ((rc = tolerate(&s->src[i], rc)) < 0)
			return rc;
	}
	return 0;
}

/* --- exact scores --- */

struct positions {
	uint32_t at[POSITIONS_MAX];
	int n;
};

/* Ordered neighbours and neighbours within the window, counted. */
static void count_pairs(const struct positions *a, const struct positions *b,
			uint32_t gap, unsigned *ordered, unsigned *near)
{
	int j = 0;

	*ordered = *near = 0;
	for (int i = 0; i < a->n; i++) {
		uint32_t at = a->at[i];

		while (j < b->n && b->at[j] + PAIR_WINDOW < at)
			j++;
		for (int k = j; k < b->n && b->at[k] <= at + PAIR_WINDOW; k++) {
			*near += b->at[k] != at;
			*ordered += b->at[k] == at + gap || b->at[k] == at + 1;
		}
	}
}

static double saturate(double idf, double x)
{
	const double k1 = (double)RK_BM25_K1;

	return idf * (k1 + 1) * x / (x + k1);
}

static double pair_scores(const struct rk_searching *s,
			  const struct positions *pos, rk_norm norm)
{
	double len = (double)rk_bm25_x(&s->table, norm, 1, 0), sum = 0;

	for (unsigned i = 0; i < s->npairs; i++) {
		const struct rk_pair *p = &s->pairs[i];
		unsigned ordered, near;

		if (pos[p->a].n == 0 || pos[p->b].n == 0)
			continue;
		count_pairs(&pos[p->a], &pos[p->b], p->gap, &ordered, &near);
		sum += RK_PAIR_WEIGHT * saturate(p->idf, ordered * len) +
		       RK_PAIR_WEIGHT * saturate(p->idf, near * len);
	}
	return sum;
}

static int score_chunk(struct rk_searching *s, const struct rk_qsource *src,
		       struct rk_cursor **cur, struct positions *pos,
		       uint32_t chunk, double *out)
{
	rk_norm norm = src->norms[chunk];
	double sum = 0;

	for (unsigned t = 0; t < s->q.nterms; t++) {
		struct rk_cursor *c = cur[t];
		const struct rk_qterm *e = &s->q.terms[t];
		float x;

		pos[t].n = 0;
		if (!c || rk_cursor_geq(c, chunk) != chunk)
			continue;
		x = rk_bm25_x(&s->table, norm, c->tf[c->i],
			      c->has_head ? c->head[c->i] : 0);
		sum += saturate(e->idf * (double)e->weight, (double)x);
		if (s->npairs == 0)
			continue;
		pos[t].n = rk_cursor_positions(s, src, c, pos[t].at,
					       POSITIONS_MAX);
		if (pos[t].n < 0)
			return RK_ECORRUPT;
	}
	*out = sum + pair_scores(s, pos, norm);
	return 0;
}

struct place_order {
	const struct rk_cand *v;
};

static int by_place(const void *a, const void *b, void *ctx)
{
	const struct rk_cand *v = ((const struct place_order *)ctx)->v;
	const struct rk_cand *x = &v[*(const unsigned *)a];
	const struct rk_cand *y = &v[*(const unsigned *)b];

	if (x->source != y->source)
		return x->source < y->source ? -1 : 1;
	return (x->chunk > y->chunk) - (x->chunk < y->chunk);
}

static int open_all(struct rk_searching *s, const struct rk_qsource *src,
		    struct rk_cursor **cur)
{
	for (unsigned t = 0; t < s->q.nterms; t++) {
		cur[t] = NULL;
		if (src->lists[t].df == 0 || s->q.terms[t].occur == RK_NOT)
			continue;
		if (!(cur[t] = rk_open_cursor(s, src, t)))
			return -ENOMEM;
	}
	return 0;
}

/* Cursors go forward, so candidates are visited in order of place. */
int rk_rescore(struct rk_searching *s, const struct rk_cand *v, size_t n,
	       double *scores)
{
	unsigned *order = rk_arena_alloc(&s->arena, (n + 1) * sizeof(*order));
	struct positions *pos =
		rk_arena_alloc(&s->arena, (s->q.nterms + 1) * sizeof(*pos));
	struct rk_cursor *cur[RK_TERMS_MAX] = {NULL};
	uint32_t source = UINT32_MAX;

	if (!order || !pos)
		return -ENOMEM;
	for (unsigned i = 0; i < n; i++)
		order[i] = i;
	qsort_r(order, n, sizeof(*order), by_place, &(struct place_order){v});
	for (unsigned i = 0; i < n; i++) {
		const struct rk_cand *c = &v[order[i]];
		const struct rk_qsource *src = &s->src[c->source];

		if (c->source != source && open_all(s, src, cur) < 0)
			return -ENOMEM;
		source = c->source;
		scores[order[i]] = 0;
		if (score_chunk(s, src, cur, pos, c->chunk, &scores[order[i]]) <
		    0)
			tolerate(&s->src[source], RK_ECORRUPT);
	}
	return 0;
}

/* --- what other lanes may return --- */

static int resolve_ok(struct rk_searching *s, const struct rk_qsource *src,
		      uint32_t chunk)
{
	struct gate g = {.s = s, .src = src, .last_doc = UINT32_MAX};
	struct rk_found f;

	if (rk_resolve(s, src, chunk, &f) < 0)
		return RK_ECORRUPT;
	return f.alive && path_ok(&g, &f);
}

int rk_chunk_ok(struct rk_searching *s, const struct rk_qsource *src,
		uint32_t chunk)
{
	if (src->seg && !src->seg->ndead && !s->q.nfilters && !s->q.like)
		return 1;
	return resolve_ok(s, src, chunk);
}

static int constrains(const struct rk_searching *s)
{
	for (unsigned t = 0; t < s->q.nterms; t++)
		if (s->q.terms[t].occur != RK_SHOULD)
			return 1;
	return 0;
}

/* Bits of the chunks that hold all required terms. */
static int allow_required(struct rk_cursor **cur, unsigned must, struct gate *g,
			  uint64_t *bits)
{
	for (uint32_t id = 0;;) {
		uint32_t at = rk_cursor_geq(cur[0], id);
		unsigned i = 1;

		if (at == RK_END)
			return g->err;
		while (i < must && rk_cursor_geq(cur[i], at) == at)
			i++;
		if (i == must && may_match(g, at))
			bits[at / 64] |= 1ull << at % 64;
		id = at + 1;
	}
}

static void forbid(struct gate *g, uint64_t *bits)
{
	for (unsigned i = 0; i < g->nnot; i++)
		for (uint32_t at = rk_cursor_geq(g->not [i], 0); at != RK_END;
		     at = rk_cursor_geq(g->not [i], at + 1))
			bits[at / 64] &= ~(1ull << at % 64);
}

int rk_allowed(struct rk_searching *s, const struct rk_qsource *src,
	       uint64_t **bits)
{
	size_t bytes = (src->nchunks / 64 + 1) * sizeof(**bits);
	struct rk_cursor *cur[RK_TERMS_MAX];
	struct gate *g = rk_arena_alloc(&s->arena, sizeof(*g));
	unsigned n, must;
	int rc;

	*bits = NULL;
	if (!constrains(s))
		return 0;
	if (!g || !(*bits = rk_arena_alloc(&s->arena, bytes)))
		return -ENOMEM;
	memset(*bits, 0, bytes);
	if ((rc = open_scan(s, src, cur, &n, &must)) <= 0)
		return rc; /* a required term does not occur here */
	if ((rc = open_gate(s, src, g)) < 0)
		return rc;
	if (must)
		return allow_required(cur, must, g, *bits);
	memset(*bits, 0xff, bytes);
	forbid(g, *bits);
	return 0;
}
