/* SPDX-License-Identifier: MIT */
/*
 * Queries that stand while documents change: does a change touch the answer?
 * The words that an answer hangs on are kept; a document that came or went is
 * asked for them in its postings. It may be said too often that an answer has
 * changed, and never too rarely.
 */
#include "index/search/doc_filter.h"
#include "index/search/session.h"
#include "rankfs.h"
#include "base/mem.h"
#include <errno.h>
#include <string.h>

enum {
	LIST_BYTES_MAX = 64 * 1024,
	LOOK_MAX = 16, /* changes that are looked at for the best of them */
};

/* --- does a document hold a term? --- */

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

static int holds(const struct rk_docref *d, const char *term, size_t n)
{
	if (d->rec.nchunks == 0)
		return 0;
	return d->seg ? holds_in_segment(d->seg, &d->rec, term, n)
		      : holds_in_table(d->mem, &d->rec, term, n);
}

/* --- what an answer hangs on --- */

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
		rc = add_term(st, t->alts[i].s, strlen(t->alts[i].s));
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
	static const struct rk_search_opts NOW = {.size = sizeof(NOW),
						  .wait_ms = 0};
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

static unsigned count_held(const struct rk_standing *st,
			   const struct rk_docref *d)
{
	unsigned n = 0;

	for (unsigned i = 0; i < st->nterms; i++)
		n += (unsigned)holds(d, st->term[i].s, st->term[i].n);
	return n;
}

enum rk_effect rk_standing_effect(const struct rk_standing *st,
				  const struct rk_changes *c, unsigned *held)
{
	size_t changes = rk_changes_count(c);

	*held = 0;
	if (st->always)
		return changes ? RK_EFFECT_LIKELY : RK_EFFECT_POSSIBLE;
	for (size_t i = 0; i < changes && (!*held || i < LOOK_MAX); i++) {
		unsigned n = count_held(st, rk_changes_doc(c, i));

		*held = n > *held ? n : *held;
	}
	if (*held)
		return RK_EFFECT_LIKELY;
	return rk_changes_much(c) || st->vectors ? RK_EFFECT_POSSIBLE
						 : RK_EFFECT_NONE;
}
