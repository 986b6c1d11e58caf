/* SPDX-License-Identifier: MIT */
/*
 * The two passes of a lexical query. First the scan: the best chunks by BM25F
 * under dynamic pruning, in floats. Then, for those alone, exact scores in a
 * fixed order of terms with pair scores added, so that an answer does not
 * depend on segments or on rounding.
 */
#include "index/search/match.h"
#include "index/search/candidates.h"
#include "index/search/cursors.h"
#include "index/search/doc_filter.h"
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
	POSITIONS_MAX = 512,
	PAIR_WINDOW = 8,
	COUNT_BUDGET = 20000, /* postings visited only to count matches */
	CANCEL_EVERY = 4096,
	/* chunks of a word; in more its candidates lie too far apart */
	FORMS_DF = 1024,
};

static int matches(void *filter, uint32_t chunk)
{
	return rk_doc_filter_matches(filter, chunk);
}

static int cancelled(const struct rk_searching *s)
{
	return s->opts.cancel && *s->opts.cancel;
}

/* A source that fails its checksums is left out; the rest still answers. */
static int tolerate(struct rk_qsource *src, int rc)
{
	if (rc != RK_ECORRUPT)
		return rc;
	rk_source_failed(src);
	return 0;
}

/* --- the scan --- */

/*
 * Cursors of a source's terms, required ones first. Returns 1, 0 if a
 * required one does not occur here, -ENOMEM.
 */
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

static int scan_source(struct rk_searching *s, unsigned i)
{
	const struct rk_qsource *src = &s->src[i];
	struct rk_cursor *cur[RK_TERMS_MAX];
	struct rk_scan scan = {.cur = cur,
			       .norms = src->norms,
			       .table = &s->table,
			       .nchunks = src->nchunks,
			       .source = i,
			       .top = &s->top,
			       .accept = matches,
			       .cancel = s->opts.cancel};
	int64_t got;
	int rc;

	if (!(scan.ctx = rk_doc_filter_open(s, src)))
		return -ENOMEM;
	rc = open_scan(s, src, cur, &scan.n, &scan.must);
	if (rc <= 0 || scan.n == 0)
		return rc < 0 ? rc : 0;
	if (scan.must == 0)
		return (rc = rk_scan_any(&scan))
			       ? rc
			       : rk_doc_filter_error(scan.ctx);
	got = rk_scan_all(&scan);
	if (got > 0)
		s->total += (uint64_t)got;
	return got < 0 ? (int)got : rk_doc_filter_error(scan.ctx);
}

/* --- counting --- */

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
static int count_source(struct rk_searching *s, const struct rk_qsource *src)
{
	struct rk_cursor *cur[RK_TERMS_MAX];
	struct rk_doc_filter *g = rk_doc_filter_open(s, src);
	int64_t doc, last_doc = -1;
	unsigned n, must;
	uint32_t id = 0;
	int rc;

	if (!g)
		return -ENOMEM;
	if ((rc = open_scan(s, src, cur, &n, &must)) <= 0)
		return rc;
	for (;;) {
		uint32_t next = RK_END;

		if (cancelled(s))
			return RK_ECANCELLED;

		for (unsigned i = 0; i < n; i++) {
			uint32_t at = rk_cursor_geq(cur[i], id);

			if (at < next)
				next = at;
		}
		if (next == RK_END)
			return rk_doc_filter_error(g);
		if ((doc = doc_of(src, next)) < 0)
			return RK_ECORRUPT;
		if (doc != last_doc && rk_doc_filter_matches(g, next)) {
			s->total++;
			last_doc = doc;
		}
		id = next + 1;
	}
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
		s->total = s->q.constrained ? s->top.n : COUNT_BUDGET;
		if (most < s->total)
			s->total = most > s->top.n ? most : s->top.n;
		s->total_is_lower = 1;
		return 0;
	}
	for (unsigned i = 0; i < s->nsrc && rc == 0; i++)
		if (!s->src[i].bad)
			rc = tolerate(&s->src[i], count_source(s, &s->src[i]));
	return rc;
}

/* --- every chunk, or document, that the filter lets in --- */

enum which { ALL, WITHOUT_WORDS };

static int visit_source(struct rk_searching *s, unsigned i, enum which which)
{
	const struct rk_qsource *src = &s->src[i];
	struct rk_doc_filter *g = rk_doc_filter_open(s, src);
	int chunks = rk_query_about_chunks(&s->q);
	int64_t last_doc = -1;

	if (!g)
		return -ENOMEM;
	for (uint32_t c = 0; c < src->nchunks; c++) {
		int64_t doc;

		if (c % CANCEL_EVERY == 0 && cancelled(s))
			return RK_ECANCELLED;
		if ((doc = doc_of(src, c)) < 0)
			return RK_ECORRUPT;
		if ((!chunks && doc == last_doc) ||
		    (which == WITHOUT_WORDS && rk_doc_filter_has_words(g, c)) ||
		    !rk_doc_filter_matches(g, c))
			continue;
		s->total += doc != last_doc;
		last_doc = doc;
		rk_topk_offer(&s->top, (struct rk_candidate){0.0f, i, c});
	}
	return rk_doc_filter_error(g);
}

static int visit_all(struct rk_searching *s, enum which which)
{
	int rc = 0;

	for (unsigned i = 0; i < s->nsrc && rc == 0; i++)
		if (!s->src[i].bad)
			rc = tolerate(&s->src[i], visit_source(s, i, which));
	return rc;
}

int rk_run_all(struct rk_searching *s)
{
	return visit_all(s, ALL);
}

int rk_run_terms(struct rk_searching *s)
{
	int rc = 0;

	assert(s->q.nterms > 0 && s->q.sort == RK_SORT_SCORE);
	for (unsigned i = 0; i < s->nsrc && rc == 0; i++)
		if (!s->src[i].bad)
			rc = tolerate(&s->src[i], scan_source(s, i));
	if (rc == 0 && !s->opts.no_excerpts)
		rc = run_count(s);
	if (rc == 0 && rk_query_wordless(&s->q))
		rc = visit_all(s, WITHOUT_WORDS);
	return rc;
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

/* Of a chunk that has a word's relatives, but not the word. */
#define FAMILY_WEIGHT 0.9

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
		struct rk_places here;
		double score;
		float x;

		pos[t].n = 0;
		if (!c || rk_cursor_geq(c, chunk) != chunk)
			continue;
		x = rk_bm25_x(&s->table, norm, c->tf[c->i],
			      c->has_head ? c->head[c->i] : 0);
		score = saturate(e->idf * (double)e->weight, (double)x);
		here = (struct rk_places){.at = pos[t].at,
					  .max = POSITIONS_MAX};
		here.own = 1;
		if ((s->npairs || e->df <= FORMS_DF) &&
		    rk_cursor_positions(s, src, c, &here) < 0)
			return RK_ECORRUPT;
		pos[t].n = here.n;
		sum += score * (here.own ? 1 : FAMILY_WEIGHT);
	}
	*out = sum + pair_scores(s, pos, norm);
	return 0;
}

struct place_order {
	const struct rk_candidate *v;
};

static int by_place(const void *a, const void *b, void *ctx)
{
	const struct rk_candidate *v = ((const struct place_order *)ctx)->v;
	const struct rk_candidate *x = &v[*(const unsigned *)a];
	const struct rk_candidate *y = &v[*(const unsigned *)b];

	if (x->source != y->source)
		return x->source < y->source ? -1 : 1;
	return (x->chunk > y->chunk) - (x->chunk < y->chunk);
}

static int open_all(struct rk_searching *s, const struct rk_qsource *src,
		    struct rk_cursor **cur)
{
	for (unsigned t = 0; t < s->q.nterms; t++) {
		cur[t] = NULL;
		if (src->lists[t].df == 0 || !rk_term_scores(&s->q.terms[t]))
			continue;
		if (!(cur[t] = rk_open_cursor(s, src, t)))
			return -ENOMEM;
	}
	return 0;
}

/* Cursors go forward, so candidates are visited in order of place. */
int rk_rescore(struct rk_searching *s, const struct rk_candidate *v, size_t n,
	       double *scores)
{
	unsigned *order = rk_arena_alloc(&s->arena, (n + 1) * sizeof(*order));
	struct positions *pos =
		rk_arena_alloc(&s->arena, (s->q.nterms + 1) * sizeof(*pos));
	struct rk_cursor *cur[RK_TERMS_MAX] = {NULL};
	uint32_t source = UINT32_MAX;

	assert(n <= s->top.k || n <= s->near.k);
	if (!order || !pos)
		return -ENOMEM;
	for (unsigned i = 0; i < n; i++)
		order[i] = i;
	qsort_r(order, n, sizeof(*order), by_place, &(struct place_order){v});
	for (unsigned i = 0; i < n; i++) {
		const struct rk_candidate *c = &v[order[i]];
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

/* Bits of the chunks that hold all required terms, and what else is asked. */
static void allow_required(struct rk_cursor **cur, unsigned must,
			   struct rk_doc_filter *g, uint64_t *bits)
{
	for (uint32_t id = 0;;) {
		uint32_t at = rk_cursor_geq(cur[0], id);
		unsigned i = 1;

		if (at == RK_END)
			return;
		while (i < must && rk_cursor_geq(cur[i], at) == at)
			i++;
		if (i == must && rk_doc_filter_admits(g, at))
			bits[at / 64] |= 1ull << at % 64;
		id = at + 1;
	}
}

int rk_allowed_open(struct rk_searching *s, const struct rk_qsource *src,
		    struct rk_allowed *a)
{
	size_t bytes = (src->nchunks / 64 + 1) * sizeof(*a->bits);
	struct rk_cursor *cur[RK_TERMS_MAX];
	unsigned n, must;
	int rc;

	a->bits = NULL;
	if (!(a->filter = rk_doc_filter_open(s, src)))
		return -ENOMEM;
	if (rk_doc_filter_any_order(&s->q))
		return 0;
	if (!(a->bits = rk_arena_alloc(&s->arena, bytes)))
		return -ENOMEM;
	memset(a->bits, 0, bytes);
	if ((rc = open_scan(s, src, cur, &n, &must)) <= 0)
		return rc; /* a required term does not occur here */
	if (must)
		allow_required(cur, must, a->filter, a->bits);
	for (uint32_t c = 0; c < src->nchunks && !must; c++)
		if (rk_doc_filter_admits(a->filter, c))
			a->bits[c / 64] |= 1ull << c % 64;
	return rk_doc_filter_error(a->filter);
}

int rk_allowed_ok(const struct rk_allowed *a, uint32_t chunk)
{
	int rc;

	if (a->bits)
		return a->bits[chunk / 64] >> chunk % 64 & 1;
	rc = rk_doc_filter_admits(a->filter, chunk);
	return rk_doc_filter_error(a->filter) ? rk_doc_filter_error(a->filter)
					      : rc;
}
