/* SPDX-License-Identifier: MIT */
#include "index/search/search.h"
#include "index/search/candidates.h"
#include "index/search/excerpts.h"
#include "index/search/doc_filter.h"
#include "index/search/grep.h"
#include "index/search/expand_calls.h"
#include "index/search/intent.h"
#include "index/search/like.h"
#include "index/search/lookup.h"
#include "index/search/match.h"
#include "index/search/reasons.h"
#include "index/search/semantic.h"
#include "index/search/session.h"
#include "index/search/spelling.h"
#include "base/mem.h"
#include "query/explain.h"
#include "text/symbols/entity.h"
#include "text/extract/extract.h"
#include "vector/kernels.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	DEPTH_FACTOR = 3, /* candidates rescored per hit asked for */
	DEPTH_MIN = 30,
	DEPTH_MAX = 10000, /* hits on all pages up to the one wanted */
	PACK_HITS = 60,
	PACK_TOKENS = 4000,
};

void rk_results_free(struct rk_results *r)
{
	struct rk_answer *a = (struct rk_answer *)r;

	if (!a)
		return;
	rk_arena_release(&a->arena);
	rk_free(a->r.hits);
	rk_free(a);
}

/* --- pairs of neighbouring words --- */

static int makes_pairs(const struct rk_qterm *t)
{
	return rk_term_scores(t) && t->df > 0;
}

static void find_pairs(struct rk_searching *s)
{
	const struct rk_query *q = &s->q;

	for (unsigned b = 1; b < q->nterms; b++) {
		unsigned a = b;

		if (!makes_pairs(&q->terms[b]))
			continue;
		/* the nearest earlier word; parts of one token follow on */
		while (a-- > 0)
			if (rk_term_scores(&q->terms[a]) &&
			    q->terms[a].slot < q->terms[b].slot)
				break;
		if (a >= b || !makes_pairs(&q->terms[a]))
			continue;
		s->pairs[s->npairs++] = (struct rk_pair){
			a, b, q->terms[b].slot - q->terms[a].slot,
			q->terms[a].idf > q->terms[b].idf ? q->terms[a].idf
							  : q->terms[b].idf};
	}
}

static int rank(struct rk_searching *s, struct rk_answer *a)
{
	struct rk_ranked *v;
	size_t n;
	int rc = rk_fuse(s, &v, &n);

	if (rc < 0 || (rc = rk_expand_calls(s, v, n)) < 0 ||
	    (rc = rk_definitions_first(s, &v, &n)) < 0 ||
	    (rc = rk_choose_hits(s, v, n, a)) < 0)
		return rc;
	rk_turn_pages(s, a);
	return 0;
}

/* Whole chunks up to the budget; at least one, whatever it takes. */
static void pack(struct rk_searching *s, struct rk_answer *a)
{
	int64_t left = s->q.tokens > 0 ? s->q.tokens : PACK_TOKENS;
	size_t kept = 0;

	if (s->q.format != RK_AS_PACK)
		return;
	a->r.tokens = left;
	for (size_t i = 0; i < a->r.nhits; i++) {
		if (kept && a->r.hits[i].tokens > left)
			continue; /* a smaller one may fit */
		left -= a->r.hits[i].tokens;
		a->r.hits[kept++] = a->r.hits[i];
		if (left <= 0)
			break;
	}
	a->r.nhits = kept;
}

/*
 * A part that failed its checksums while it was read is left out and will be
 * made again: the answer says so, and is not the last word.
 */
static int note_damage(struct rk_searching *s, struct rk_answer *a)
{
	for (unsigned i = 0; i < s->snap.view->nsegs; i++) {
		const struct rk_segment *seg = s->snap.view->segs[i];

		if (!seg->damaged)
			continue;
		a->r.pending += seg->ndocs;
		rk_buf_printf(&s->q.notes,
			      "a part of the index is damaged and left out; "
			      "its documents are read again\n");
	}
	return s->q.notes.err;
}

static int finish(struct rk_searching *s, struct rk_answer *a)
{
	if (s->corrected.n) {
		a->r.did_you_mean = rk_arena_strndup(
			&a->arena, (char *)s->corrected.p, s->corrected.n);
		if (!a->r.did_you_mean)
			return -ENOMEM;
	}
	if (note_damage(s, a) < 0)
		return -ENOMEM;
	if (s->q.notes.n) {
		a->r.notes = rk_arena_strndup(&a->arena, (char *)s->q.notes.p,
					      s->q.notes.n);
		if (!a->r.notes)
			return -ENOMEM;
	}
	if (s->q.root) {
		a->r.clauses = rk_explain(&s->q, s->q.root, &a->arena);
		if (!a->r.clauses)
			return -ENOMEM;
	}
	a->r.page = (uint32_t)s->q.page;
	a->sort = s->q.sort;
	a->r.total = s->total > a->r.nhits ? s->total : a->r.nhits;
	a->r.total_is_lower = s->total_is_lower;
	a->r.generation = s->snap.generation;
	a->r.docs = s->snap.stats.docs;
	a->r.format = s->q.format;
	if (a->r.is_lines && !s->q.format_given)
		a->r.format = RK_AS_TEXT;
	a->r.mode = s->mode;
	a->r.vectors_percent = rk_vectors_percent(&s->snap);
	if (a->r.nhits == 0 && a->r.nlines == 0 &&
	    !(a->r.reason = rk_why_empty(s, &a->arena)))
		return -ENOMEM;
	return 0;
}

/* --- the search --- */

static size_t wanted(struct rk_searching *s)
{
	size_t each = s->q.format == RK_AS_PACK
			      ? PACK_HITS
			      : (size_t)rk_config_int(s->ix, "hits");

	if (s->q.hits > 0)
		each = (size_t)s->q.hits;
	if (s->q.format != RK_AS_PACK || s->q.hits > 0)
		each *= (size_t)s->q.page;
	return each + s->opts.extra_hits;
}

static int open_top(struct rk_searching *s)
{
	size_t k;

	s->want = wanted(s);
	if (s->want > DEPTH_MAX)
		s->want = DEPTH_MAX;
	k = s->want * DEPTH_FACTOR;
	if (k < DEPTH_MIN)
		k = DEPTH_MIN;
	if (s->q.nterms == 0 && !s->q.like && !rk_query_about_chunks(&s->q))
		k = s->want;
	s->top = (struct rk_topk){
		.v = rk_arena_alloc(&s->arena, k * sizeof(struct rk_candidate)),
		.k = k,
		.before = s->q.sort == RK_SORT_NEW ? rk_newer_before
						   : rk_place_before,
		.ctx = s,
	};
	return s->top.v ? 0 : -ENOMEM;
}

static int run_lexical(struct rk_searching *s)
{
	if (s->q.sort != RK_SORT_SCORE)
		return rk_run_all(s);
	if (s->q.nterms)
		return rk_run_terms(s);
	return s->q.constrained && s->mode == RK_MODE_LEXICAL ? rk_run_all(s)
							      : 0;
}

/* What a minus excludes is looked for if that is what leaves nothing. */
static int run_words(struct rk_searching *s)
{
	int rc;

	find_pairs(s);
	if ((rc = run_lexical(s)) < 0 || s->top.n || s->global ||
	    !rk_query_any_occurs(&s->q) ||
	    (rc = rk_query_minus_as_text(&s->q)) <= 0)
		return rc;
	s->q.constrained |= s->q.sort != RK_SORT_SCORE;
	s->npairs = 0;
	find_pairs(s);
	return run_lexical(s);
}

static int run(struct rk_searching *s, struct rk_answer *a)
{
	int rc;

	a->r.tokens = -1;
	if (s->q.sort != RK_SORT_SCORE && s->q.root)
		s->q.constrained = 1; /* the filter decides about words */
	if (s->q.common_phrase && s->q.nterms == 0)
		s->q.mode = RK_MODE_LEXICAL; /* such words have no vector */
	if ((rc = open_top(s)) < 0 || (rc = rk_semantic_prepare(s)) < 0 ||
	    (rc = rk_sources_open(s)) < 0 ||
	    (s->q.like && (rc = rk_like_expand(s)) < 0) ||
	    (rc = rk_lookup_terms(s)) < 0 || (rc = rk_correct_spelling(s)) < 0)
		return rc;
	if (rk_is_pattern(&s->q)) {
		s->mode = RK_MODE_LEXICAL;
		return rk_run_lines(s, &a->arena, &a->r);
	}
	if ((rc = run_words(s)) < 0 || (rc = rank(s, a)) < 0)
		return rc;
	if (a->r.nhits == 0)
		rk_note_partial(s);
	return 0;
}

static int answer(struct rk_searching *s, const char *text, size_t n,
		  struct rk_answer *a)
{
	int rc;

	a->r.pending = s->pending;
	if ((rc = rk_searching_parse(s, text, n)) < 0 || (rc = run(s, a)) < 0)
		return rc;
	rk_sources_close(s);
	if (!s->opts.no_excerpts && (rc = rk_add_excerpts(s, a)) < 0)
		return rc;
	pack(s, a);
	return finish(s, a);
}

int rk_search_among(struct rk_index *ix, const char *text, size_t n,
		    const struct rk_search_opts *opts,
		    const struct rk_global *global, struct rk_results **out)
{
	struct rk_searching *s = rk_calloc(1, sizeof(*s));
	struct rk_answer *a = rk_calloc(1, sizeof(*a));
	uint64_t start = rk_mono_ns();
	int rc = s && a ? 0 : -ENOMEM;

	if (rc == 0) {
		s->global = global;
		rc = rk_searching_begin(s, ix, opts);
	}
	if (rc == 0) {
		rc = answer(s, text, n, a);
		ix->queries++;
	}
	if (s)
		rk_searching_end(s);
	rk_free(s);
	if (rc < 0) {
		if (a)
			rk_results_free(&a->r);
		return rc;
	}
	a->r.took_ms = (double)(rk_mono_ns() - start) / 1e6;
	*out = &a->r;
	return 0;
}

int rk_search(struct rk_index *ix, const char *text, size_t n,
	      const struct rk_search_opts *opts, struct rk_results **out)
{
	return rk_search_among(ix, text, n, opts, NULL, out);
}

const struct rk_hit *rk_results_hit(const struct rk_results *r, size_t i)
{
	return i < r->nhits ? &r->hits[i] : NULL;
}
