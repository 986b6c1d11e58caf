/* SPDX-License-Identifier: MIT */
#include "index/search/search_internal.h"
#include "base/mem.h"
#include <errno.h>
#include <string.h>

struct change {
	struct rk_docref doc; /* its segment or table is referenced */
	uint32_t generation;
	int gone;
	char *path; /* NUL-terminated */
};

struct rk_changes {
	struct change *v;
	size_t n, cap;
	int much; /* there were more, or others than documents */
};

void rk_change_log_init(struct rk_change_log *l)
{
	pthread_mutex_init(&l->lock, NULL);
}

void rk_changes_free(struct rk_changes *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < c->n; i++) {
		rk_segment_unref(c->v[i].doc.seg);
		rk_memtable_unref(c->v[i].doc.mem);
		rk_free(c->v[i].path);
	}
	rk_free(c->v);
	rk_free(c);
}

void rk_change_log_release(struct rk_change_log *l)
{
	rk_changes_free(l->now);
	pthread_mutex_destroy(&l->lock);
}

/* --- noting --- */

static struct rk_changes *current(struct rk_change_log *l)
{
	if (!l->now)
		l->now = rk_calloc(1, sizeof(*l->now));
	return l->now;
}

static int grow(struct rk_changes *c)
{
	size_t cap = c->cap ? c->cap * 2 : 16;
	struct change *v;

	if (c->n < c->cap)
		return 1;
	if (c->n == RK_CHANGES_MAX || !(v = rk_realloc(c->v, cap * sizeof(*v))))
		return 0;
	c->v = v;
	c->cap = cap;
	return 1;
}

static void add(struct rk_changes *c, const struct rk_docref *d,
		const char *path, size_t n, uint32_t gen, int gone)
{
	char *copy = grow(c) ? rk_strndup(path, n) : NULL;

	if (!copy) {
		c->much = 1;
		return;
	}
	if (d->seg)
		rk_segment_ref(d->seg);
	else
		rk_memtable_ref(d->mem);
	c->v[c->n++] = (struct change){*d, gen, gone, copy};
}

/* A document, or NULL: anything. */
static void note(struct rk_index *ix, const struct rk_docref *d,
		 const char *path, size_t n, uint32_t gen, int gone)
{
	struct rk_change_log *l = &ix->changes;
	struct rk_changes *c;

	if (!l->listening)
		return;
	pthread_mutex_lock(&l->lock);
	c = current(l);
	if (c && d)
		add(c, d, path, n, gen, gone);
	else if (c)
		c->much = 1;
	if (l->wake)
		l->wake(l->ctx);
	pthread_mutex_unlock(&l->lock);
}

void rk_note_change(struct rk_index *ix, const struct rk_docref *d,
		    const char *path, size_t n, uint32_t gen, int gone)
{
	note(ix, d, path, n, gen, gone);
}

void rk_note_all(struct rk_index *ix)
{
	note(ix, NULL, NULL, 0, 0, 0);
}

/* --- asking --- */

void rk_listen(struct rk_index *ix, void (*wake)(void *ctx), void *ctx)
{
	struct rk_change_log *l = &ix->changes;

	pthread_mutex_lock(&l->lock);
	l->wake = wake;
	l->ctx = ctx;
	l->listening = wake != NULL;
	if (!wake) {
		rk_changes_free(l->now);
		l->now = NULL;
	}
	pthread_mutex_unlock(&l->lock);
}

struct rk_changes *rk_changes_take(struct rk_index *ix)
{
	struct rk_change_log *l = &ix->changes;
	struct rk_changes *c;

	pthread_mutex_lock(&l->lock);
	c = l->now;
	l->now = NULL;
	pthread_mutex_unlock(&l->lock);
	return c;
}

int rk_changes_much(const struct rk_changes *c)
{
	return c->much;
}

size_t rk_changes_count(const struct rk_changes *c)
{
	return c->n;
}

struct rk_change rk_changes_at(const struct rk_changes *c, size_t i)
{
	return (struct rk_change){c->v[i].path, c->v[i].generation,
				  c->v[i].gone};
}

/* --- does a document hold a term? --- */

enum {
	LIST_BYTES_MAX = 64 * 1024,
	LOOK_MAX = 16, /* changes that are looked at for the best of them */
};

/* Postings of a table are read from the front: long lists are not. */
static int holds_in_table(struct rk_memtable *m, const struct rk_doc_rec *d,
			  const char *term, size_t n)
{
	struct rk_posting p = {.id = UINT32_MAX};
	const struct rk_mterm *t;
	const uint8_t *q;
	int64_t id;
	int holds = 0;

	pthread_rwlock_rdlock(&m->lock);
	id = rk_vocab_find(&m->vocab, term, (uint32_t)n);
	t = id < 0 ? NULL : &m->terms[id];
	if (t && t->df && t->last >= d->chunk0) {
		holds = t->n > LIST_BYTES_MAX ||
			t->last < d->chunk0 + d->nchunks;
		for (q = t->p; !holds && q < t->p + t->n;) {
			q = rk_mposting_next(q, &p);
			if (p.id >= d->chunk0) {
				holds = p.id < d->chunk0 + d->nchunks;
				break;
			}
		}
	}
	pthread_rwlock_unlock(&m->lock);
	return holds;
}

static int holds_in_segment(struct rk_segment *s, const struct rk_doc_rec *d,
			    const char *term, size_t n)
{
	struct rk_dict_entry e;
	struct rk_postr list;
	struct rk_cursor c;
	int rc = rk_segment_postings(s, term, n, &e, &list);

	if (rc <= 0)
		return rc < 0; /* damaged: it might */
	rk_cursor_list(&c, &list, e.bound, 1, 1);
	return rk_cursor_geq(&c, d->chunk0) < d->chunk0 + d->nchunks || c.err;
}

static int holds(const struct change *c, const char *term, size_t n)
{
	if (c->doc.rec.nchunks == 0)
		return 0;
	return c->doc.seg ? holds_in_segment(c->doc.seg, &c->doc.rec, term, n)
			  : holds_in_table(c->doc.mem, &c->doc.rec, term, n);
}

/* --- standing queries --- */

/*
 * What an answer hangs on: terms of which a document must hold one (all: each)
 * to be a lexical match.
 */
struct rk_standing {
	int always;  /* terms do not tell */
	int vectors; /* documents without the terms may be near */
	struct rk_arena arena;
	struct {
		const char *s;
		size_t n;
	} * term;
	unsigned nterms;
};

static int add_term(struct rk_standing *st, const char *s, size_t n)
{
	if (!(st->term[st->nterms].s = rk_arena_strndup(&st->arena, s, n)))
		return -ENOMEM;
	st->term[st->nterms++].n = n;
	return 0;
}

static int add_forms(struct rk_standing *st, const struct rk_qterm *t)
{
	int rc = add_term(st, t->s, t->n);

	for (unsigned i = 0; i < t->nalts && rc == 0; i++)
		rc = add_term(st, t->alts[i], strlen(t->alts[i]));
	return rc;
}

/* The word that every result holds, if there is one. */
static const struct rk_qterm *required(const struct rk_query *q)
{
	for (unsigned i = 0; i < q->nterms; i++)
		if (q->terms[i].occur == RK_MUST &&
		    q->terms[i].match == RK_TERM_EXACT &&
		    q->terms[i].phrase < 0)
			return &q->terms[i];
	return NULL;
}

static int take_terms(struct rk_standing *st, const struct rk_query *q)
{
	const struct rk_qterm *must = required(q);
	int rc = 0, scored = 0;

	st->vectors = q->mode != RK_MODE_LEXICAL;
	st->term =
		rk_arena_alloc(&st->arena, (q->nterms + 1) * (RK_ALTS_MAX + 1) *
						   sizeof(*st->term));
	if (!st->term)
		return -ENOMEM;
	if (q->like || q->nregex || rk_query_wordless(q)) {
		st->always = 1;
		return 0;
	}
	if (must)
		return add_forms(st, must);
	for (unsigned i = 0; i < q->nterms && rc == 0; i++) {
		const struct rk_qterm *t = &q->terms[i];

		if (t->occur == RK_NOT)
			continue;
		scored++;
		if (t->match != RK_TERM_EXACT)
			st->always = 1;
		rc = add_forms(st, t);
	}
	st->always |= scored == 0;
	return rc;
}

int rk_standing_new(struct rk_index *ix, const char *text, size_t n,
		    struct rk_standing **out)
{
	static const struct rk_search_opts NOW = {.wait_ms = 0};
	struct rk_searching *s = rk_calloc(1, sizeof(*s));
	struct rk_standing *st = rk_calloc(1, sizeof(*st));
	int rc = s && st ? 0 : -ENOMEM;

	if (rc == 0)
		rc = rk_searching_begin(s, ix, &NOW);
	if (rc == 0)
		rc = rk_searching_parse(s, text, n);
	if (rc == 0)
		rc = take_terms(st, &s->q);
	if (s)
		rk_searching_end(s);
	rk_free(s);
	if (rc < 0) {
		rk_standing_free(st);
		return rc;
	}
	*out = st;
	return 0;
}

void rk_standing_free(struct rk_standing *st)
{
	if (!st)
		return;
	rk_arena_release(&st->arena);
	rk_free(st);
}

static unsigned count_held(const struct rk_standing *st, const struct change *c)
{
	unsigned n = 0;

	for (unsigned i = 0; i < st->nterms; i++)
		n += (unsigned)holds(c, st->term[i].s, st->term[i].n);
	return n;
}

enum rk_effect rk_standing_effect(const struct rk_standing *st,
				  const struct rk_changes *c, unsigned *held)
{
	*held = 0;
	if (st->always)
		return c->n ? RK_EFFECT_LIKELY : RK_EFFECT_POSSIBLE;
	for (size_t i = 0; i < c->n && (!*held || i < LOOK_MAX); i++) {
		unsigned n = count_held(st, &c->v[i]);

		*held = n > *held ? n : *held;
	}
	if (*held)
		return RK_EFFECT_LIKELY;
	return c->much || st->vectors ? RK_EFFECT_POSSIBLE : RK_EFFECT_NONE;
}
