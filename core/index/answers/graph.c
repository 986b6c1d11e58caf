/* SPDX-License-Identifier: MIT */
/*
 * What is known of a name in source code. Definitions come from the entities
 * that lie with chunks. References are found where the name's postings say,
 * by a look at the identifiers of the text as it is now; so the graph of calls
 * takes no room of its own and is never older than the documents.
 */
#include "index/search/calls.h"
#include "index/search/candidates.h"
#include "index/search/cursors.h"
#include "index/search/lookup.h"
#include "index/search/session.h"
#include "index/search/symbols.h"
#include "base/mem.h"
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
	DEFS_MAX = 200,
	REFS_MAX = 2000,
	CHUNKS_MAX = 5000, /* looked into for references */
	LINKS_MAX = 500,
	TEXT_MAX = 200, /* bytes of a line that are shown */
	NAME_MAX_BYTES = 200,
};

struct graph {
	struct rk_symbol out;
	struct rk_arena arena;
};

struct walk {
	struct rk_searching *s;
	struct graph *g;
	const char *name;
	size_t n;
	struct rk_definition *defs;
	int ndefs;
	size_t refs_cap, callers_cap, callees_cap;
};

void rk_symbol_free(struct rk_symbol *s)
{
	struct graph *g = (struct graph *)s;

	if (!g)
		return;
	rk_free(s->defs);
	rk_free(s->refs);
	rk_free(s->callers);
	rk_free(s->callees);
	rk_arena_release(&g->arena);
	rk_free(g);
}

/* --- definitions --- */

static int add_def(struct walk *w, const struct rk_definition *d)
{
	struct rk_symbol *o = &w->g->out;
	struct rk_arena *a = &w->g->arena;
	const struct rk_entity_ref *e = &d->entity;
	struct rk_symbol_def *x = &o->defs[o->ndefs];
	struct rk_found f;

	if (rk_resolve(w->s, &w->s->src[d->at.source], d->at.chunk, &f) < 0)
		return 0;
	*x = (struct rk_symbol_def){
		.path = rk_arena_strndup(a, f.path, f.doc.path_n),
		.kind = rk_arena_strndup(a, e->kind, e->kind_n),
		.scope = rk_arena_strndup(a, e->scope, e->scope_n),
		.signature = rk_arena_strndup(a, e->signature, e->signature_n),
		.line = e->line,
		.end = e->end,
	};
	o->ndefs++;
	return x->path && x->kind && x->scope && x->signature ? 0 : -ENOMEM;
}

static int def_order(const void *a, const void *b)
{
	const struct rk_definition *x = a, *y = b;
	int mx = rk_is_major(&x->entity), my = rk_is_major(&y->entity);
	int bx = x->entity.end > x->entity.line;
	int by = y->entity.end > y->entity.line;

	if (x->exact != y->exact)
		return y->exact - x->exact;
	return mx != my ? my - mx : by - bx;
}

static int by_def_place(const void *a, const void *b)
{
	const struct rk_symbol_def *x = a, *y = b;
	int r = strcmp(x->path, y->path);

	return r ? r : (x->line > y->line) - (x->line < y->line);
}

static int find_defs(struct walk *w)
{
	int n, kept = 0, rc = 0;

	w->defs = rk_arena_alloc(&w->s->arena, DEFS_MAX * sizeof(*w->defs));
	w->g->out.defs = rk_calloc(DEFS_MAX, sizeof(*w->g->out.defs));
	if (!w->defs || !w->g->out.defs)
		return -ENOMEM;
	n = rk_find_definitions(w->s, w->name, w->n, w->defs, DEFS_MAX);
	if (n <= 0)
		return n;
	qsort(w->defs, (size_t)n, sizeof(*w->defs), def_order);
	for (int i = 0; i < n && rc == 0; i++)
		if (w->defs[i].exact == w->defs[0].exact) {
			w->defs[kept++] = w->defs[i];
			rc = add_def(w, &w->defs[i]);
		}
	w->ndefs = kept;
	return rc;
}

/* --- references --- */

/* The innermost definition of the chunk that the line is in. */
static const char *inside_of(struct walk *w, const struct rk_found *f,
			     uint32_t line)
{
	const char *p = f->head + f->chunk.head_n + f->chunk.sym_n;
	const char *end = p + f->chunk.ent_n;
	struct rk_entity_ref e, best = {.name = NULL};

	while (rk_entity_next(&p, end, &e))
		if (e.line <= line && line <= e.end &&
		    (!best.name || e.line >= best.line))
			best = e;
	return best.name
		       ? rk_arena_strndup(&w->g->arena, best.name, best.name_n)
		       : "";
}

static int is_definition(const struct walk *w, const char *path, uint32_t line)
{
	for (size_t i = 0; i < w->g->out.ndefs; i++)
		if (w->g->out.defs[i].line == line &&
		    strcmp(w->g->out.defs[i].path, path) == 0)
			return 1;
	return 0;
}

static const char *line_text(struct walk *w, const char *s, size_t n,
			     size_t off)
{
	const char *from = memrchr(s, '\n', off);
	const char *to = memchr(s + off, '\n', n - off);

	from = from ? from + 1 : s;
	to = to ? to : s + n;
	while (from < to && isspace((unsigned char)*from))
		from++;
	while (to > from && isspace((unsigned char)to[-1]))
		to--;
	if (to - from > TEXT_MAX)
		to = from + TEXT_MAX;
	return rk_arena_strndup(&w->g->arena, from, (size_t)(to - from));
}

static int add_ref(struct walk *w, const struct rk_found *f, const char *path,
		   const char *s, size_t n, const struct rk_ident *id)
{
	struct rk_symbol *o = &w->g->out;
	uint32_t line = f->chunk.line + id->line;
	struct rk_symbol_ref *r;

	if (is_definition(w, path, line))
		return 0;
	if (o->nrefs == REFS_MAX) {
		o->refs_cut = 1;
		return 0;
	}
	if (o->nrefs && o->refs[o->nrefs - 1].line == line &&
	    strcmp(o->refs[o->nrefs - 1].path, path) == 0) {
		o->refs[o->nrefs - 1].is_call |= id->is_call;
		return 0; /* the same line again */
	}
	if (rk_grow(&o->refs, &w->refs_cap, o->nrefs + 1, sizeof(*o->refs)) < 0)
		return -ENOMEM;
	r = &o->refs[o->nrefs++];
	*r = (struct rk_symbol_ref){.path = path,
				    .text = line_text(w, s, n, id->off),
				    .inside = inside_of(w, f, line),
				    .line = line,
				    .is_call = id->is_call};
	return r->text && r->inside ? 0 : -ENOMEM;
}

static int refs_in_chunk(struct walk *w, const struct rk_qsource *src,
			 uint32_t chunk)
{
	struct rk_text t = RK_TEXT_INIT;
	struct rk_ident id = {0, 0, 0, 0};
	struct rk_found f;
	char *path;
	int rc;

	if (rk_resolve(w->s, src, chunk, &f) < 0)
		return RK_ECORRUPT;
	if (!f.alive || f.doc.kind != RK_KIND_CODE)
		return 0;
	if (!(path = rk_arena_strndup(&w->g->arena, f.path, f.doc.path_n)))
		return -ENOMEM;
	if ((rc = rk_load_chunk(w->s, path, &f.chunk, &t)) < 0)
		return rc == -ENOMEM ? rc : 0;
	while (rc == 0 && rk_next_ident(t.p, t.n, &id))
		if (id.n == w->n && memcmp(t.p + id.off, w->name, w->n) == 0)
			rc = add_ref(w, &f, path, t.p, t.n, &id);
	rk_text_release(&t);
	return rc;
}

/* Chunks that hold all terms that the name is indexed under. */
static int refs_in_source(struct walk *w, unsigned i, unsigned *chunks)
{
	struct rk_searching *s = w->s;
	struct rk_cursor *cur[RK_TERMS_MAX] = {NULL};
	uint32_t id = 0;
	int rc = 0;

	for (unsigned t = 0; t < s->q.nterms; t++) {
		if (s->src[i].bad || s->src[i].lists[t].df == 0)
			return 0;
		if (!(cur[t] = rk_open_cursor(s, &s->src[i], t)))
			return -ENOMEM;
	}
	while (rc == 0 && cur[0] &&
	       (id = rk_cursor_geq(cur[0], id)) != RK_END) {
		unsigned t = 1;

		if (s->opts.cancel && *s->opts.cancel)
			return RK_ECANCELLED;
		while (t < s->q.nterms && rk_cursor_geq(cur[t], id) == id)
			t++;
		if (t == s->q.nterms && ++*chunks > CHUNKS_MAX) {
			w->g->out.refs_cut = 1;
			return 0;
		}
		if (t == s->q.nterms)
			rc = refs_in_chunk(w, &s->src[i], id);
		id++;
	}
	if (rc == RK_ECORRUPT)
		rk_source_failed(&s->src[i]);
	return rc == RK_ECORRUPT ? 0 : rc;
}

static int by_ref_place(const void *a, const void *b)
{
	const struct rk_symbol_ref *x = a, *y = b;
	int r = strcmp(x->path, y->path);

	return r ? r : (x->line > y->line) - (x->line < y->line);
}

static int find_refs(struct walk *w)
{
	struct rk_searching *s = w->s;
	unsigned chunks = 0;
	int rc = rk_query_parse(&s->q, s->a, w->name, w->n, 0, 0);

	for (unsigned t = 0; t < s->q.nterms; t++)
		s->q.terms[t].occur = RK_NOT; /* no guesses at its spelling */
	if (rc == 0 && s->q.nterms)
		rc = rk_lookup_terms(s);
	for (unsigned i = 0; i < s->nsrc && rc == 0 && s->q.nterms; i++)
		rc = refs_in_source(w, i, &chunks);
	if (w->g->out.nrefs)
		qsort(w->g->out.refs, w->g->out.nrefs, sizeof(*w->g->out.refs),
		      by_ref_place);
	return rc;
}

/* --- links --- */

static int add_link(struct rk_symbol_link **v, size_t *n, size_t *cap,
		    const char *name, const char *path, uint32_t line)
{
	for (size_t i = 0; i < *n; i++)
		if (strcmp((*v)[i].name, name) == 0 &&
		    strcmp((*v)[i].path, path) == 0)
			return 0;
	if (*n == LINKS_MAX)
		return 0;
	if (rk_grow(v, cap, *n + 1, sizeof(**v)) < 0)
		return -ENOMEM;
	(*v)[(*n)++] = (struct rk_symbol_link){name, path, line};
	return 0;
}

static int find_callers(struct walk *w)
{
	struct rk_symbol *o = &w->g->out;
	int rc = 0;

	for (size_t i = 0; i < o->nrefs && rc == 0; i++) {
		const struct rk_symbol_ref *r = &o->refs[i];

		if (r->is_call && *r->inside)
			rc = add_link(&o->callers, &o->ncallers,
				      &w->callers_cap, r->inside, r->path,
				      r->line);
	}
	return rc;
}

/* A name that is called: a link to where it is defined, if that is known. */
static int add_callee(struct walk *w, const char *s, size_t n)
{
	struct rk_symbol *o = &w->g->out;
	struct rk_definition d[8];
	struct rk_found f;
	char *name, *path;
	int k, best = 0;

	if (n > NAME_MAX_BYTES || (n == w->n && memcmp(s, w->name, n) == 0))
		return 0;
	for (size_t i = 0; i < o->ncallees; i++)
		if (strlen(o->callees[i].name) == n &&
		    memcmp(o->callees[i].name, s, n) == 0)
			return 0;
	k = rk_find_definitions(w->s, s, n, d, 8);
	if (k <= 0)
		return k;
	for (int i = 1; i < k; i++)
		if (def_order(&d[i], &d[best]) < 0)
			best = i;
	if (!d[best].exact || rk_resolve(w->s, &w->s->src[d[best].at.source],
					 d[best].at.chunk, &f) < 0)
		return 0;
	name = rk_arena_strndup(&w->g->arena, s, n);
	path = rk_arena_strndup(&w->g->arena, f.path, f.doc.path_n);
	if (!name || !path)
		return -ENOMEM;
	return add_link(&o->callees, &o->ncallees, &w->callees_cap, name, path,
			d[best].entity.line);
}

static int callees_of(struct walk *w, const struct rk_definition *d)
{
	struct rk_text t = RK_TEXT_INIT;
	struct rk_ident id = {0, 0, 0, 0};
	struct rk_found f;
	char *path;
	int rc;

	if (d->entity.end <= d->entity.line ||
	    rk_resolve(w->s, &w->s->src[d->at.source], d->at.chunk, &f) < 0)
		return 0;
	if (!(path = rk_arena_strndup(&w->g->arena, f.path, f.doc.path_n)))
		return -ENOMEM;
	if ((rc = rk_load_chunk(w->s, path, &f.chunk, &t)) < 0)
		return rc == -ENOMEM ? rc : 0;
	while (rc == 0 && rk_next_ident(t.p, t.n, &id)) {
		uint32_t line = f.chunk.line + id.line;

		if (id.is_call && line >= d->entity.line &&
		    line <= d->entity.end)
			rc = add_callee(w, t.p + id.off, id.n);
	}
	rk_text_release(&t);
	return rc;
}

static int gather(struct walk *w)
{
	int rc;

	if ((rc = rk_sources_open(w->s)) < 0 || (rc = find_defs(w)) < 0 ||
	    (rc = find_refs(w)) < 0 || (rc = find_callers(w)) < 0)
		return rc;
	for (int i = 0; i < w->ndefs && rc == 0; i++)
		rc = callees_of(w, &w->defs[i]);
	if (w->g->out.ndefs)
		qsort(w->g->out.defs, w->g->out.ndefs, sizeof(*w->g->out.defs),
		      by_def_place);
	return rc;
}

int rk_symbol(struct rk_index *ix, const char *name, size_t n,
	      const struct rk_search_opts *opts, struct rk_symbol **out)
{
	struct rk_searching *s = rk_calloc(1, sizeof(*s));
	struct graph *g = rk_calloc(1, sizeof(*g));
	struct walk w = {.s = s, .g = g, .name = name, .n = n};
	int rc = s && g ? 0 : -ENOMEM;

	if (rc == 0)
		rc = rk_searching_begin(s, ix, opts);
	if (rc == 0 && n > 0 && n <= NAME_MAX_BYTES)
		rc = gather(&w);
	if (rc == 0) {
		g->out.generation = s->snap.generation;
		g->out.pending = s->pending;
	}
	if (s)
		rk_searching_end(s);
	rk_free(s);
	if (rc < 0)
		rk_symbol_free(g ? &g->out : NULL);
	else
		*out = &g->out;
	return rc;
}
