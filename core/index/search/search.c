/* SPDX-License-Identifier: MIT */
#include "index/search/search_internal.h"
#include "base/mem.h"
#include "index/search/excerpt.h"
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
	PER_PROSE = 1,	   /* hits of one document */
	PER_CODE = 3,
	TWIN_TOKENS = 20, /* shorter texts are alike by chance */
	COPIES_MAX = 20,
	PACK_HITS = 60,
	PACK_TOKENS = 4000,
	PACK_LINES = 4000, /* a chunk, whole */
};
#define TWIN_COSINE 0.985f

/* The results with the memory that they point into. */
struct answer {
	struct rk_results r;
	struct rk_arena arena;
	struct rk_cand *chosen; /* where each hit is */
};

void rk_results_free(struct rk_results *r)
{
	struct answer *a = (struct answer *)r;

	if (!a)
		return;
	rk_arena_release(&a->arena);
	rk_free(a->r.hits);
	rk_free(a);
}

/* --- analysers are costly to make: the index keeps a few --- */

static int take_analyser(struct rk_index *ix, struct rk_analyser **out)
{
	pthread_mutex_lock(&ix->lock);
	*out = ix->nspare ? ix->spare[--ix->nspare] : NULL;
	pthread_mutex_unlock(&ix->lock);
	return *out ? 0 : rk_analyser_new(ix->config.language, out);
}

static void give_analyser(struct rk_index *ix, struct rk_analyser *a)
{
	if (a && ix) {
		rk_analyser_trim(a);
		pthread_mutex_lock(&ix->lock);
		if (ix->nspare < RK_SPARE_MAX) {
			ix->spare[ix->nspare++] = a;
			a = NULL;
		}
		pthread_mutex_unlock(&ix->lock);
	}
	rk_analyser_free(a);
}

/* --- ties --- */

int rk_place_before(void *ctx, const struct rk_cand *a, const struct rk_cand *b)
{
	const struct rk_searching *s = ctx;
	struct rk_found x, y;
	int r;

	if (rk_resolve(s, &s->src[a->source], a->chunk, &x) < 0 ||
	    rk_resolve(s, &s->src[b->source], b->chunk, &y) < 0)
		return a->chunk < b->chunk;
	r = rk_term_cmp(x.path, x.doc.path_n, y.path, y.doc.path_n);
	return r ? r < 0 : x.chunk.off < y.chunk.off;
}

/* Newest first, or by path; equal ones by place. */
static int newer(void *ctx, const struct rk_cand *a, const struct rk_cand *b)
{
	const struct rk_searching *s = ctx;
	struct rk_found x, y;

	if (rk_resolve(s, &s->src[a->source], a->chunk, &x) < 0 ||
	    rk_resolve(s, &s->src[b->source], b->chunk, &y) < 0)
		return a->chunk < b->chunk;
	if (x.doc.mtime_ns != y.doc.mtime_ns)
		return x.doc.mtime_ns > y.doc.mtime_ns;
	return rk_place_before(ctx, a, b);
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

/* --- choosing hits --- */

/* What the chunk is: the kind of what it defines first, or the document's. */
static const char *kind_of(const struct rk_found *f, struct rk_arena *a)
{
	const char *p = f->head + f->chunk.head_n + f->chunk.sym_n;
	struct rk_entity_ref e;

	if (rk_entity_next(&p, p + f->chunk.ent_n, &e))
		return rk_arena_strndup(a, e.kind, e.kind_n);
	return rk_kind_name((enum rk_kind)f->doc.kind);
}

static int fill_hit(const struct rk_found *f, struct answer *a,
		    struct rk_hit *h, const struct rk_ranked *r, double best)
{
	*h = (struct rk_hit){
		.path = rk_arena_strndup(&a->arena, f->path, f->doc.path_n),
		.line = r->line ? r->line : f->chunk.line,
		.first = f->chunk.line,
		.last = f->chunk.line + f->chunk.nlines - 1,
		.off = f->chunk.off,
		.len = f->chunk.len,
		.score = best > 0 ? r->score / best : 1,
		.raw = r->score,
		.lexical = r->lexical,
		.vector = r->vector,
		.lexical_rank = r->lexical_rank,
		.vector_rank = r->vector_rank,
		.id = f->chunk.id,
		.page = f->chunk.page,
		.heading =
			rk_arena_strndup(&a->arena, f->head, f->chunk.head_n),
		.symbol = rk_arena_strndup(&a->arena, f->head + f->chunk.head_n,
					   f->chunk.sym_n),
		.kind = kind_of(f, &a->arena),
		.language = rk_language_name((enum rk_language)f->doc.language),
		.excerpt = "",
		.excerpt_line = r->line, /* 0: the excerpt decides */
		.complete = f->doc.nchunks == 1,
		.tokens = rk_token_estimate(f->chunk.len),
		.size = f->doc.size,
		.mtime_ns = f->doc.mtime_ns,
	};
	return h->path && h->heading && h->symbol && h->kind ? 0 : -ENOMEM;
}

static unsigned hits_of(const struct rk_results *r, const char *path)
{
	unsigned n = 0;

	for (size_t i = 0; i < r->nhits; i++)
		n += strcmp(r->hits[i].path, path) == 0;
	return n;
}

static unsigned places_of(const struct rk_searching *s,
			  const struct rk_found *f)
{
	return f->doc.kind == RK_KIND_CODE || s->q.format == RK_AS_PACK
		       ? PER_CODE
		       : PER_PROSE;
}

/* The hit of another document that says the same, or nearly so; or NULL. */
static struct rk_hit *twin_of(struct rk_searching *s, struct answer *a,
			      const struct rk_cand *c, const struct rk_hit *h)
{
	const float *v = rk_chunk_vector(&s->src[c->source], c->chunk);

	if (h->tokens < TWIN_TOKENS)
		return NULL;
	for (size_t i = 0; i < a->r.nhits; i++) {
		struct rk_hit *x = &a->r.hits[i];
		const float *w;

		if (strcmp(x->path, h->path) == 0 || x->tokens < TWIN_TOKENS)
			continue;
		if (x->id == h->id && x->len == h->len)
			return x;
		if (!v || x->tokens * 10 < h->tokens * 9 ||
		    h->tokens * 10 < x->tokens * 9)
			continue;
		w = rk_chunk_vector(&s->src[a->chosen[i].source],
				    a->chosen[i].chunk);
		if (w && rk_dot(v, w, s->snap.space->stride) >= TWIN_COSINE)
			return x;
	}
	return NULL;
}

static int add_copy(struct answer *a, struct rk_hit *h, const char *path)
{
	const char **v;

	for (size_t i = 0; i < h->ncopies; i++)
		if (strcmp(h->copies[i], path) == 0)
			return 0;
	if (h->ncopies == COPIES_MAX)
		return 0;
	v = rk_arena_alloc(&a->arena, (h->ncopies + 1) * sizeof(*v));
	if (!v)
		return -ENOMEM;
	if (h->ncopies)
		memcpy(v, h->copies, h->ncopies * sizeof(*v));
	v[h->ncopies++] = path;
	h->copies = v;
	return 0;
}

/* The best chunks, a few a document, as many as were asked for. */
static int choose(struct rk_searching *s, const struct rk_ranked *v, size_t n,
		  struct answer *a)
{
	a->r.hits = rk_calloc(s->want + 1, sizeof(*a->r.hits));
	a->chosen =
		rk_arena_alloc(&a->arena, (s->want + 1) * sizeof(*a->chosen));
	if (!a->r.hits || !a->chosen)
		return -ENOMEM;
	for (size_t i = 0; i < n && a->r.nhits < s->want; i++) {
		struct rk_hit *h = &a->r.hits[a->r.nhits], *twin;
		struct rk_qsource *src = &s->src[v[i].c.source];
		struct rk_found f;

		if (src->bad || rk_resolve(s, src, v[i].c.chunk, &f) < 0)
			continue;
		if (fill_hit(&f, a, h, &v[i], v[0].score) < 0)
			return -ENOMEM;
		if (h->score < s->q.min)
			break; /* they only get worse */
		if (hits_of(&a->r, h->path) >= places_of(s, &f))
			continue;
		twin = s->q.sort == RK_SORT_SCORE ? twin_of(s, a, &v[i].c, h)
						  : NULL;
		if (twin && add_copy(a, twin, h->path) < 0)
			return -ENOMEM;
		if (!twin)
			a->chosen[a->r.nhits++] = v[i].c;
	}
	return 0;
}

/* Pages before the one that was asked for. */
static void turn_pages(struct rk_searching *s, struct answer *a)
{
	size_t extra = s->opts->extra_hits, skip;

	a->r.per_page =
		(s->want - (extra < s->want ? extra : 0)) / (size_t)s->q.page;
	skip = (size_t)(s->q.page - 1) * a->r.per_page;
	if (s->opts->all_pages)
		return;
	if (skip > a->r.nhits)
		skip = a->r.nhits;
	a->r.nhits -= skip;
	memmove(a->r.hits, a->r.hits + skip, a->r.nhits * sizeof(*a->r.hits));
}

static int rank(struct rk_searching *s, struct answer *a)
{
	struct rk_ranked *v;
	size_t n;
	int rc = rk_fuse(s, &v, &n);

	if (rc < 0 || (rc = rk_pass_on(s, v, n)) < 0 ||
	    (rc = rk_definitions_first(s, &v, &n)) < 0 ||
	    (rc = choose(s, v, n, a)) < 0)
		return rc;
	turn_pages(s, a);
	return 0;
}

/* --- excerpts --- */

static int unchanged(const struct rk_hit *h, const struct stat *st)
{
	return h->size == (uint64_t)st->st_size &&
	       h->mtime_ns == (int64_t)st->st_mtim.tv_sec * 1000000000 +
				      st->st_mtim.tv_nsec;
}

static int keep_excerpt(struct answer *a, struct rk_hit *h,
			const struct rk_excerpt *e)
{
	size_t bytes = e->nmarks * sizeof(*e->marks);
	struct rk_mark *marks = rk_arena_alloc(&a->arena, bytes + 1);

	h->excerpt = rk_arena_strndup(&a->arena, (char *)e->text.p, e->text.n);
	if (!marks || !h->excerpt)
		return -ENOMEM;
	if (bytes)
		memcpy(marks, e->marks, bytes);
	h->marks = marks;
	h->nmarks = e->nmarks;
	h->line = h->excerpt_line ? h->excerpt_line : e->best_line;
	h->excerpt_line = e->first_line;
	h->complete = e->complete;
	return 0;
}

static int read_excerpt(struct rk_searching *s, struct answer *a,
			struct rk_hit *h, int fd)
{
	struct rk_excerpt e = RK_EXCERPT_INIT;
	struct rk_text t = RK_TEXT_INIT;
	struct rk_excerpt_want want = {
		.first = h->first,
		.must_show = h->excerpt_line,
		.whole = h->complete,
		.lines = s->q.format == RK_AS_PACK
				 ? PACK_LINES
				 : (unsigned)rk_config_int(s->ix,
							   "excerpt_lines"),
		.squeeze = strcmp(h->kind, "html") == 0,
	};
	int rc = rk_read_range(s->ix, fd, h->path, h->off, (size_t)h->len, &t);

	if (rc == 0)
		rc = rk_analyser_use(s->a, rk_language_by_name(h->language));
	if (rc == 0)
		rc = rk_excerpt_make(&e, s->a, &s->q, t.p, t.n, &want);
	if (rc == 0)
		rc = keep_excerpt(a, h, &e);
	if (rk_analyser_use(s->a, RK_LANGUAGE_BASE) < 0)
		rc = -ENOMEM;
	rk_excerpt_release(&e);
	rk_text_release(&t);
	return rc == -ENOMEM ? rc : 0;
}

/* Its source is not there now: it is named, without an excerpt. */
static int is_missing(struct rk_searching *s, const char *path)
{
	if (rk_link_there(s->ix, path))
		return 0;
	if (!s->told_missing)
		rk_buf_printf(&s->q.notes, "source %.*s is missing now\n",
			      (int)strcspn(path, "/"), path);
	s->told_missing = 1;
	return 1;
}

/* A document that has gone since is no hit; a changed one has no excerpt. */
static int add_excerpts(struct rk_searching *s, struct answer *a)
{
	size_t kept = 0;
	int rc = 0;

	for (size_t i = 0; i < a->r.nhits && rc == 0; i++) {
		struct rk_hit *h = &a->r.hits[i];
		int fd = rk_open_document(s->ix, h->path);
		struct stat st;

		if ((fd == -ENOENT || fd == -ENOTDIR || fd == -ELOOP) &&
		    !is_missing(s, h->path) && !s->ix->at)
			continue;
		/* without text, extracting again would not find any either */
		if (fd >= 0 && h->len > 0 && fstat(fd, &st) == 0 &&
		    unchanged(h, &st)) {
			rc = read_excerpt(s, a, h, fd);
		} else {
			h->complete = h->size == 0;
			h->excerpt_line = h->first;
		}
		if (fd >= 0)
			close(fd);
		a->r.hits[kept++] = *h;
	}
	a->r.nhits = kept;
	return rc;
}

/* Whole chunks up to the budget; at least one, whatever it takes. */
static void pack(struct rk_searching *s, struct answer *a)
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

/* --- reasons --- */

static int has_conditions(const struct rk_query *q)
{
	return q->constrained;
}

static const char *why_empty(struct rk_searching *s)
{
	if (s->snap.stats.docs == 0)
		return "the index is empty: copy some documents in";
	if (s->like_missing)
		return "there is no document at like:";
	if (s->q.like)
		return "no other document is like it";
	if (s->opts->vector && s->mode == RK_MODE_LEXICAL)
		return "the vector has another dimension than the index";
	if (s->q.nterms == 0 && s->q.common_phrase)
		return "only very common words, which no document has in this "
		       "order: add a rarer one";
	if (s->q.nterms == 0 && !s->q.constrained)
		return s->q.only_stop_words ? "only very common words, which "
					      "are not indexed: "
					      "add a rarer one"
					    : "no words to search for";
	if (s->q.page > 1)
		return "no more results: this page is behind the last one";
	if (s->q.min > 0)
		return "no result reaches min:";
	if (rk_is_pattern(&s->q))
		return "no line matches the pattern";
	for (unsigned i = 0; i < s->q.nterms; i++)
		if (s->q.terms[i].df > 0)
			return has_conditions(&s->q)
				       ? "no document has all that is "
					 "required: "
					 "drop a +word, \"phrase\" or filter"
				       : "every match is excluded";
	return s->q.nterms ? "none of the words occurs in any document"
			   : "no document passes the filters";
}

/*
 * A part that failed its checksums while it was read is left out and will be
 * made again: the answer says so, and is not the last word.
 */
static int note_damage(struct rk_searching *s, struct answer *a)
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

static int finish(struct rk_searching *s, struct answer *a)
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
	a->r.sort = (int)s->q.sort;
	a->r.total = s->total > a->r.nhits ? s->total : a->r.nhits;
	a->r.total_is_lower = s->total_is_lower;
	a->r.generation = s->snap.generation;
	a->r.docs = s->snap.stats.docs;
	a->r.format = s->q.format;
	if (a->r.is_lines && !s->q.format_given)
		a->r.format = RK_AS_TEXT;
	a->r.mode = s->mode;
	a->r.vectors_percent = rk_vectors_percent(&s->snap);
	if (a->r.nhits == 0 && a->r.nlines == 0)
		a->r.reason = why_empty(s);
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
	return each + s->opts->extra_hits;
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
		.v = rk_arena_alloc(&s->arena, k * sizeof(struct rk_cand)),
		.k = k,
		.before = s->q.sort == RK_SORT_NEW ? newer : rk_place_before,
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

/* What a minus excluded is looked for if nothing is left without it. */
static int run_words(struct rk_searching *s)
{
	int rc;

	find_pairs(s);
	if ((rc = run_lexical(s)) < 0 || s->top.n || s->opts->global ||
	    (rc = rk_query_minus_as_text(&s->q)) <= 0)
		return rc;
	s->q.constrained |= s->q.sort != RK_SORT_SCORE;
	s->npairs = 0;
	find_pairs(s);
	return run_lexical(s);
}

static int run(struct rk_searching *s, struct answer *a)
{
	int rc;

	a->r.tokens = -1;
	if (s->q.sort != RK_SORT_SCORE && s->q.root)
		s->q.constrained = 1; /* the gate decides about words */
	if (s->q.common_phrase && s->q.nterms == 0)
		s->q.mode = RK_MODE_LEXICAL; /* such words have no vector */
	if ((rc = open_top(s)) < 0 || (rc = rk_semantic_prepare(s)) < 0 ||
	    (rc = rk_sources_open(s)) < 0 ||
	    (s->q.like && (rc = rk_like_expand(s)) < 0) ||
	    (rc = rk_lookup_terms(s)) < 0)
		return rc;
	if (rk_is_pattern(&s->q)) {
		s->mode = RK_MODE_LEXICAL;
		return rk_run_lines(s, &a->arena, &a->r);
	}
	rc = run_words(s);
	return rc < 0 ? rc : rank(s, a);
}

static int wait_for_writes(struct rk_index *ix,
			   const struct rk_search_opts *opts)
{
	int ms = opts->wait_ms < 0 ? (int)rk_config_int(ix, "wait_ms")
				   : opts->wait_ms;
	int rc = rk_barrier(ix, ms, opts->cancel);

	return rc == -ETIMEDOUT ? 0 : rc; /* the answer says what is pending */
}

int rk_searching_begin(struct rk_searching *s, struct rk_index *ix,
		       const struct rk_search_opts *opts)
{
	static const struct rk_search_opts NONE = {.wait_ms = -1};
	int rc;

	s->ix = ix;
	s->opts = opts ? opts : &NONE;
	if ((rc = wait_for_writes(ix, s->opts)) < 0 ||
	    (rc = take_analyser(ix, &s->a)) < 0)
		return rc;
	s->pending = rk_pending(ix);
	rk_snapshot_take(ix, &s->snap);
	s->begun = 1;
	return 0;
}

void rk_searching_end(struct rk_searching *s)
{
	rk_sources_close(s);
	if (s->begun)
		rk_snapshot_release(&s->snap);
	give_analyser(s->ix, s->a);
	rk_query_release(&s->q);
	rk_arena_release(&s->arena);
	rk_buf_release(&s->corrected);
}

/* Of the documents in a snapshot: a bit each. */
static uint64_t languages_of(const struct rk_snapshot *snap)
{
	uint64_t all = 0;

	for (unsigned i = 0; i < snap->view->nsegs; i++)
		all |= snap->view->segs[i]->languages;
	for (unsigned i = 0; i < snap->view->nmems; i++)
		all |= __atomic_load_n(&snap->view->mems[i]->languages,
				       __ATOMIC_RELAXED);
	return all;
}

int rk_searching_parse(struct rk_searching *s, const char *text, size_t n)
{
	return rk_query_parse(&s->q, s->a, text, n, s->ix->env->now_ns(),
			      languages_of(&s->snap));
}

static int answer(struct rk_searching *s, const char *text, size_t n,
		  struct answer *a)
{
	int rc;

	a->r.pending = s->pending;
	if ((rc = rk_searching_parse(s, text, n)) < 0 || (rc = run(s, a)) < 0)
		return rc;
	rk_sources_close(s);
	if (!s->opts->no_excerpts && (rc = add_excerpts(s, a)) < 0)
		return rc;
	pack(s, a);
	return finish(s, a);
}

int rk_search(struct rk_index *ix, const char *text, size_t n,
	      const struct rk_search_opts *opts, struct rk_results **out)
{
	struct rk_searching *s = rk_calloc(1, sizeof(*s));
	struct answer *a = rk_calloc(1, sizeof(*a));
	uint64_t start = rk_mono_ns();
	int rc = s && a ? 0 : -ENOMEM;

	if (rc == 0)
		rc = rk_searching_begin(s, ix, opts);
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
