/* SPDX-License-Identifier: MIT */
#include "index/search_internal.h"
#include "base/mem.h"
#include "index/excerpt.h"
#include "text/extract.h"
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
	PER_PROSE = 1, /* hits of one document */
	PER_CODE = 3,
};

/* The results with the memory that they point into. */
struct answer {
	struct rk_results r;
	struct rk_arena arena;
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
	if (a && rk_analyser_trim(a) == 0) {
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

/* --- pairs of neighbouring words --- */

static void find_pairs(struct rk_searching *s)
{
	const struct rk_query *q = &s->q;

	for (unsigned b = 1; b < q->nterms; b++) {
		unsigned a = b;

		if (q->terms[b].occur == RK_NOT || q->terms[b].df == 0)
			continue;
		/* the nearest earlier word; parts of one token follow on */
		while (a-- > 0)
			if (q->terms[a].occur != RK_NOT &&
			    q->terms[a].slot < q->terms[b].slot)
				break;
		if (a >= b || q->terms[a].df == 0)
			continue;
		s->pairs[s->npairs++] = (struct rk_pair){
			a, b, q->terms[b].slot - q->terms[a].slot,
			q->terms[a].idf > q->terms[b].idf ? q->terms[a].idf
							  : q->terms[b].idf};
	}
}

/* --- choosing hits --- */

static int fill_hit(const struct rk_found *f, struct answer *a,
		    struct rk_hit *h, const struct rk_ranked *r, double best)
{
	*h = (struct rk_hit){
		.path = rk_arena_strndup(&a->arena, f->path, f->doc.path_n),
		.line = f->chunk.line,
		.first = f->chunk.line,
		.last = f->chunk.line + f->chunk.nlines - 1,
		.off = f->chunk.off,
		.len = f->chunk.len,
		.score = best > 0 ? r->score / best : 1,
		.lexical = r->lexical,
		.vector = r->vector,
		.lexical_rank = r->lexical_rank,
		.vector_rank = r->vector_rank,
		.heading =
			rk_arena_strndup(&a->arena, f->head, f->chunk.head_n),
		.symbol = rk_arena_strndup(&a->arena, f->head + f->chunk.head_n,
					   f->chunk.sym_n),
		.kind = rk_kind_name((enum rk_kind)f->doc.kind),
		.excerpt = "",
		.excerpt_line = f->chunk.line,
		.complete = f->doc.nchunks == 1,
		.tokens = rk_token_estimate(f->chunk.len),
		.size = f->doc.size,
		.mtime_ns = f->doc.mtime_ns,
	};
	return h->path && h->heading && h->symbol ? 0 : -ENOMEM;
}

static unsigned hits_of(const struct rk_results *r, const char *path)
{
	unsigned n = 0;

	for (size_t i = 0; i < r->nhits; i++)
		n += strcmp(r->hits[i].path, path) == 0;
	return n;
}

/* The best chunks, a few a document, as many as were asked for. */
static int choose(struct rk_searching *s, const struct rk_ranked *v, size_t n,
		  struct answer *a)
{
	a->r.hits = rk_calloc(s->want + 1, sizeof(*a->r.hits));
	if (!a->r.hits)
		return -ENOMEM;
	for (size_t i = 0; i < n && a->r.nhits < s->want; i++) {
		struct rk_hit *h = &a->r.hits[a->r.nhits];
		struct rk_qsource *src = &s->src[v[i].c.source];
		struct rk_found f;

		if (src->bad || rk_resolve(s, src, v[i].c.chunk, &f) < 0)
			continue;
		if (fill_hit(&f, a, h, &v[i], v[0].score) < 0)
			return -ENOMEM;
		if (hits_of(&a->r, h->path) <
		    (f.doc.kind == RK_KIND_CODE ? PER_CODE : PER_PROSE))
			a->r.nhits++;
	}
	return 0;
}

static int rank(struct rk_searching *s, struct answer *a)
{
	struct rk_ranked *v;
	size_t n;
	int rc = rk_fuse(s, &v, &n);

	return rc < 0 ? rc : choose(s, v, n, a);
}

/* --- excerpts --- */

static int unchanged(const struct rk_hit *h, const struct stat *st)
{
	return h->size == (uint64_t)st->st_size &&
	       h->mtime_ns == (int64_t)st->st_mtim.tv_sec * 1000000000 +
				      st->st_mtim.tv_nsec;
}

static int read_excerpt(struct rk_searching *s, struct answer *a,
			struct rk_hit *h, int fd)
{
	struct rk_excerpt e = RK_EXCERPT_INIT;
	struct rk_text t = RK_TEXT_INIT;
	size_t max = (size_t)rk_config_int(s->ix, "text_max_mib") << 20;
	int rc = rk_text_load_range(s->ix->env->io, fd, h->path, h->off,
				    (size_t)h->len, max, &t);

	if (rc == 0)
		rc = rk_excerpt_make(
			&e, s->a, &s->q, t.p, t.n, h->first, h->complete,
			(unsigned)rk_config_int(s->ix, "excerpt_lines"));
	if (rc == 0) {
		h->excerpt =
			rk_arena_strndup(&a->arena, (char *)e.text.p, e.text.n);
		h->excerpt_line = e.first_line;
		h->line = e.best_line;
		h->complete = e.complete;
		if (!h->excerpt)
			rc = -ENOMEM;
	}
	rk_excerpt_release(&e);
	rk_text_release(&t);
	return rc == -ENOMEM ? rc : 0;
}

/* A document that has gone since is no hit; a changed one has no excerpt. */
static int add_excerpts(struct rk_searching *s, struct answer *a)
{
	size_t kept = 0;
	int rc = 0;

	for (size_t i = 0; i < a->r.nhits && rc == 0; i++) {
		struct rk_hit *h = &a->r.hits[i];
		int fd = openat(s->ix->files_fd, h->path,
				O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
		struct stat st;

		if (fd < 0 &&
		    (errno == ENOENT || errno == ENOTDIR || errno == ELOOP))
			continue;
		if (fd >= 0 && fstat(fd, &st) == 0 && unchanged(h, &st))
			rc = read_excerpt(s, a, h, fd);
		else
			h->complete = 0;
		if (fd >= 0)
			close(fd);
		a->r.hits[kept++] = *h;
	}
	a->r.nhits = kept;
	return rc;
}

/* --- reasons --- */

static int has_must_or_phrase(const struct rk_query *q)
{
	for (unsigned i = 0; i < q->nterms; i++)
		if (q->terms[i].occur == RK_MUST)
			return 1;
	return 0;
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
	if (s->q.nterms == 0 && s->q.nfilters == 0)
		return s->q.only_stop_words ? "only very common words, which "
					      "are not indexed: "
					      "add a rarer one"
					    : "no words to search for";
	for (unsigned i = 0; i < s->q.nterms; i++)
		if (s->q.terms[i].df > 0)
			return s->q.nfilters || has_must_or_phrase(&s->q)
				       ? "no document has all that is "
					 "required: "
					 "drop a +word, \"phrase\" or filter"
				       : "every match is excluded";
	return s->q.nterms ? "none of the words occurs in any document"
			   : "no document passes the filters";
}

static int finish(struct rk_searching *s, struct answer *a)
{
	if (s->corrected.n) {
		a->r.did_you_mean = rk_arena_strndup(
			&a->arena, (char *)s->corrected.p, s->corrected.n);
		if (!a->r.did_you_mean)
			return -ENOMEM;
	}
	a->r.total = s->total > a->r.nhits ? s->total : a->r.nhits;
	a->r.total_is_lower = s->total_is_lower;
	a->r.generation = s->snap.generation;
	a->r.docs = s->snap.stats.docs;
	a->r.format = s->q.format;
	a->r.mode = s->mode;
	a->r.vectors_percent = rk_vectors_percent(&s->snap);
	if (a->r.nhits == 0)
		a->r.reason = why_empty(s);
	return 0;
}

/* --- the search --- */

static size_t wanted(struct rk_searching *s)
{
	return (size_t)(s->q.hits > 0 ? s->q.hits
				      : rk_config_int(s->ix, "hits"));
}

static int open_top(struct rk_searching *s)
{
	size_t k;

	s->want = wanted(s);
	k = s->want * DEPTH_FACTOR;
	if (k < DEPTH_MIN)
		k = DEPTH_MIN;
	if (s->q.nterms == 0 && !s->q.like)
		k = s->want;
	s->top = (struct rk_topk){
		.v = rk_arena_alloc(&s->arena, k * sizeof(struct rk_cand)),
		.k = k,
		.before = rk_place_before,
		.ctx = s,
	};
	return s->top.v ? 0 : -ENOMEM;
}

static int run(struct rk_searching *s, struct answer *a)
{
	int rc;

	if ((rc = open_top(s)) < 0 || (rc = rk_semantic_prepare(s)) < 0 ||
	    (rc = rk_sources_open(s)) < 0 ||
	    (s->q.like && (rc = rk_like_expand(s)) < 0) ||
	    (rc = rk_lookup_terms(s)) < 0)
		return rc;
	find_pairs(s);
	if (s->q.nterms)
		rc = rk_run_terms(s);
	else if (s->q.nfilters && s->mode == RK_MODE_LEXICAL)
		rc = rk_run_filters(s);
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

int rk_search(struct rk_index *ix, const char *text, size_t n,
	      const struct rk_search_opts *opts, struct rk_results **out)
{
	static const struct rk_search_opts NONE = {.wait_ms = -1};
	struct rk_searching *s = rk_calloc(1, sizeof(*s));
	struct answer *a = rk_calloc(1, sizeof(*a));
	uint64_t start = rk_mono_ns();
	int rc = s && a ? 0 : -ENOMEM;

	if (rc == 0) {
		s->ix = ix;
		s->opts = opts ? opts : &NONE;
		rc = wait_for_writes(ix, s->opts);
	}
	if (rc == 0 && (rc = take_analyser(ix, &s->a)) == 0) {
		a->r.pending = rk_pending(ix);
		rc = rk_query_parse(&s->q, s->a, text, n);
		rk_snapshot_take(ix, &s->snap);
		if (rc == 0)
			rc = run(s, a);
		rk_sources_close(s);
		if (rc == 0 && !s->opts->no_excerpts)
			rc = add_excerpts(s, a);
		if (rc == 0)
			rc = finish(s, a);
		rk_snapshot_release(&s->snap);
		give_analyser(ix, s->a);
		ix->queries++;
	}
	if (s) {
		rk_query_release(&s->q);
		rk_arena_release(&s->arena);
		rk_buf_release(&s->corrected);
		rk_free(s);
	}
	if (rc < 0) {
		if (a)
			rk_results_free(&a->r);
		return rc;
	}
	a->r.took_ms = (double)(rk_mono_ns() - start) / 1e6;
	*out = &a->r;
	return 0;
}
