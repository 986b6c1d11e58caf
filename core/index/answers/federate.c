/* SPDX-License-Identifier: MIT */
/*
 * One query over many indexes. Words are weighed by how many chunks of all
 * indexes together hold them, and lengths by the average over all, so that a
 * score means the same wherever a document lies. Vectors stay out of it: each
 * index may have fitted its own space.
 */
#include "index/search/candidates.h"
#include "index/search/corpus.h"
#include "index/search/hits.h"
#include "index/search/lookup.h"
#include "index/search/search.h"
#include "index/search/session.h"
#include "base/mem.h"
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct answered {
	char *name; /* put before its paths */
	struct rk_results *r;
};

struct rk_federation {
	char *text;
	size_t n;
	struct rk_global global;
	struct rk_arena arena;
	struct answered *v;
	size_t nv, cap;
	uint64_t start_ns;
};

struct united {
	struct rk_results r;
	enum rk_sort sort;
	struct rk_arena arena;
};

struct rk_federation *rk_federation_new(const char *text, size_t n)
{
	static const char LEXICAL[] = " mode:lexical";
	struct rk_federation *f = rk_calloc(1, sizeof(*f));

	if (!f)
		return NULL;
	f->start_ns = rk_mono_ns();
	f->text = rk_malloc(n + sizeof(LEXICAL));
	if (!f->text) {
		rk_free(f);
		return NULL;
	}
	memcpy(f->text, text, n);
	memcpy(f->text + n, LEXICAL, sizeof(LEXICAL));
	f->n = n + sizeof(LEXICAL) - 1;
	return f;
}

void rk_federation_free(struct rk_federation *f)
{
	if (!f)
		return;
	for (size_t i = 0; i < f->nv; i++) {
		rk_results_free(f->v[i].r);
		rk_free(f->v[i].name);
	}
	rk_free(f->v);
	rk_free(f->global.term);
	rk_arena_release(&f->arena);
	rk_free(f->text);
	rk_free(f);
}

/* --- global statistics --- */

static int add_df(struct rk_federation *f, const struct rk_qterm *t)
{
	struct rk_global *g = &f->global;

	for (unsigned i = 0; i < g->nterms; i++)
		if (rk_global_same(&g->term[i], t)) {
			g->term[i].df += t->df;
			return 0;
		}
	if (rk_grow(&g->term, &g->cap, g->nterms + 1, sizeof(*g->term)) < 0)
		return -ENOMEM;
	g->term[g->nterms] =
		(struct rk_global_term){rk_arena_strndup(&f->arena, t->s, t->n),
					t->n, (int)t->match, t->df};
	return g->term[g->nterms++].s ? 0 : -ENOMEM;
}

/* Terms that stand for several are counted here as they are there. */
static int count(struct rk_federation *f, struct rk_searching *s)
{
	int rc, any = !s->q.nterms;

	if ((rc = rk_sources_open(s)) < 0 || (rc = rk_lookup_terms(s)) < 0)
		return rc;
	f->global.stats.docs += s->snap.stats.docs;
	f->global.stats.chunks += s->snap.stats.chunks;
	f->global.stats.body_sum += s->snap.stats.body_sum;
	f->global.stats.head_sum += s->snap.stats.head_sum;
	for (unsigned i = 0; i < s->q.nterms && rc == 0; i++) {
		any |= s->q.terms[i].df > 0;
		rc = add_df(f, &s->q.terms[i]);
	}
	return rc ? rc : any;
}

int rk_federation_count(struct rk_federation *f, struct rk_index *ix,
			const struct rk_search_opts *opts)
{
	struct rk_searching *s = rk_calloc(1, sizeof(*s));
	int rc;

	if (!s)
		return -ENOMEM;
	s->global = &f->global; /* no other spellings, one by one */
	rc = rk_searching_begin(s, ix, opts);
	if (rc == 0)
		rc = rk_searching_parse(s, f->text, f->n);
	if (rc == 0)
		rc = count(f, s);
	rk_searching_end(s);
	rk_free(s);
	return rc;
}

/* --- asking --- */

int rk_federation_ask(struct rk_federation *f, struct rk_index *ix,
		      const char *name, const struct rk_search_opts *opts)
{
	struct rk_results *r;
	int rc;

	assert(opts);
	if (rk_grow(&f->v, &f->cap, f->nv + 1, sizeof(*f->v)) < 0)
		return -ENOMEM;
	if ((rc = rk_search_among(ix, f->text, f->n, opts, &f->global, &r)) < 0)
		return rc;
	f->v[f->nv].r = r;
	f->v[f->nv].name = rk_strndup(name, strlen(name));
	return f->v[f->nv++].name ? 0 : -ENOMEM;
}

/* --- one answer --- */

static const char *join(struct rk_arena *a, const char *name, const char *path)
{
	size_t n = strlen(name), m = strlen(path);
	char *p = rk_arena_alloc(a, n + m + 2);

	if (p) {
		memcpy(p, name, n);
		p[n] = '/';
		memcpy(p + n + 1, path, m + 1);
	}
	return p;
}

static int better(const void *a, const void *b, void *sort)
{
	const struct rk_hit *x = a, *y = b;

	if (*(enum rk_sort *)sort == RK_SORT_NEW && x->mtime_ns != y->mtime_ns)
		return x->mtime_ns > y->mtime_ns ? -1 : 1;
	if (*(enum rk_sort *)sort == RK_SORT_SCORE && x->raw != y->raw)
		return x->raw > y->raw ? -1 : 1;
	return strcmp(x->path, y->path);
}

static int take_hits(struct rk_federation *f, struct united *u)
{
	size_t n = 0, lines = 0;
	struct rk_line *l;

	for (size_t i = 0; i < f->nv; i++) {
		n += f->v[i].r->nhits;
		lines += f->v[i].r->nlines;
	}
	u->r.hits = rk_calloc(n + 1, sizeof(*u->r.hits));
	u->r.lines = l = rk_arena_alloc(&u->arena, (lines + 1) * sizeof(*l));
	if (!u->r.hits || !l)
		return -ENOMEM;
	for (size_t i = 0; i < f->nv; i++) {
		const struct answered *a = &f->v[i];

		for (size_t k = 0; k < a->r->nhits; k++) {
			struct rk_hit *h = &u->r.hits[u->r.nhits++];

			*h = a->r->hits[k];
			h->ncopies = 0;
			h->path = join(&u->arena, a->name, h->path);
			if (!h->path)
				return -ENOMEM;
		}
		for (size_t k = 0; k < a->r->nlines; k++) {
			l[u->r.nlines] = a->r->lines[k];
			l[u->r.nlines].path =
				join(&u->arena, a->name, a->r->lines[k].path);
			if (!l[u->r.nlines++].path)
				return -ENOMEM;
		}
	}
	return 0;
}

/* The page that was asked for; scores relative to the best of all. */
static void cut(struct united *u)
{
	struct rk_results *r = &u->r;
	double best = 0;
	size_t skip = (size_t)(r->page - 1) * r->per_page;

	for (size_t i = 0; i < r->nhits; i++)
		best = r->hits[i].raw > best ? r->hits[i].raw : best;
	for (size_t i = 0; i < r->nhits; i++) {
		r->hits[i].score = best > 0 ? r->hits[i].raw / best : 1;
		r->hits[i].lexical_rank = (uint32_t)i + 1;
	}
	skip = skip < r->nhits ? skip : r->nhits;
	memmove(r->hits, r->hits + skip, (r->nhits - skip) * sizeof(*r->hits));
	r->nhits -= skip;
	if (r->per_page && r->nhits > r->per_page)
		r->nhits = r->per_page;
}

static void sum_up(struct rk_federation *f, struct united *u)
{
	struct rk_results *r = &u->r;

	for (size_t i = 0; i < f->nv; i++) {
		const struct rk_results *x = f->v[i].r;

		r->total += x->total;
		r->total_is_lower |= x->total_is_lower;
		r->generation += x->generation;
		r->pending += x->pending;
		r->lines_cut |= x->lines_cut;
		r->is_lines |= x->is_lines;
	}
	r->docs = f->global.stats.docs;
	r->vectors_percent = -1;
	r->mode = RK_MODE_LEXICAL;
	r->tokens = -1;
	r->page = 1;
	if (f->nv) {
		const struct rk_results *x = f->v[0].r;

		r->format = x->format;
		r->page = x->page;
		r->per_page = x->per_page;
		r->tokens = x->tokens;
		u->sort = ((const struct rk_answer *)x)->sort;
		r->notes = x->notes;
		r->clauses = x->clauses;
	}
}

void rk_federation_results_free(struct rk_results *r)
{
	struct united *u = (struct united *)r;

	if (!u)
		return;
	rk_free(u->r.hits);
	rk_arena_release(&u->arena);
	rk_free(u);
}

int rk_federation_results(struct rk_federation *f, struct rk_results **out)
{
	struct united *u = rk_calloc(1, sizeof(*u));
	int rc;

	if (!u)
		return -ENOMEM;
	sum_up(f, u);
	if ((rc = take_hits(f, u)) < 0) {
		rk_federation_results_free(&u->r);
		return rc;
	}
	if (u->r.nhits)
		qsort_r(u->r.hits, u->r.nhits, sizeof(*u->r.hits), better,
			&u->sort);
	cut(u);
	if (u->r.nhits == 0 && u->r.nlines == 0)
		u->r.reason = f->global.stats.docs == 0
				      ? "no index that you may read holds a "
					"document"
				      : "no document in any index matches";
	u->r.took_ms = (double)(rk_mono_ns() - f->start_ns) / 1e6;
	*out = &u->r;
	return 0;
}
