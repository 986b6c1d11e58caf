/* SPDX-License-Identifier: MIT */
/*
 * From the terms of a query to their postings in every source, their document
 * frequencies over what the snapshot sees (exact, whatever is dead), and to
 * other spellings where a word has no postings at all.
 */
#include "index/search/lookup.h"
#include "index/search/corpus.h"
#include "index/search/expand.h"
#include "index/search/forms.h"
#include "lexical/fuzzy.h"
#include "text/extract/property.h"
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* --- postings of a memory table --- */

static int alloc_arrays(struct rk_searching *s, struct rk_plist *l, uint32_t n)
{
	uint32_t *p =
		rk_arena_alloc(&s->arena, (size_t)n * 5 * sizeof(uint32_t));

	l->x = rk_arena_alloc(&s->arena, (n / RK_BLOCK + 1) * sizeof(float));
	if (!p || !l->x)
		return -ENOMEM;
	l->ids = p;
	l->tf = p + n;
	l->head = p + 2 * (size_t)n;
	l->pos_off = p + 3 * (size_t)n;
	l->pos_n = p + 4 * (size_t)n;
	return 0;
}

static int lookup_mem(struct rk_searching *s, struct rk_qsource *src,
		      const struct rk_qterm *t, struct rk_plist *l)
{
	const struct rk_memtable *m = src->mem;
	int64_t id = rk_vocab_find(&m->vocab, t->s, (uint32_t)t->n);
	struct rk_posting p = {.id = UINT32_MAX};
	const struct rk_mterm *mt;
	const uint8_t *q;

	if (id < 0 || m->terms[id].df == 0)
		return 0;
	mt = &m->terms[id];
	l->id = (uint32_t)id;
	if (alloc_arrays(s, l, mt->df) < 0)
		return -ENOMEM;
	for (q = mt->p; q < mt->p + mt->n;) {
		uint32_t k = l->df;
		float x;

		q = rk_mposting_next(q, &p);
		if (!rk_mdoc_alive(&m->docs[m->chunks[p.id].doc],
				   s->snap.generation))
			continue;
		l->ids[k] = p.id;
		l->tf[k] = p.tf;
		l->head[k] = p.head;
		l->pos_off[k] = (uint32_t)(p.pos - mt->p);
		l->pos_n[k] = p.pos_n;
		x = rk_bm25_x(&s->table, m->norms[p.id], p.tf, p.head);
		if (k % RK_BLOCK == 0 || x > l->x[k / RK_BLOCK])
			l->x[k / RK_BLOCK] = x;
		l->df++;
	}
	return 0;
}

/* --- postings of a segment --- */

/* How many of the list's postings belong to documents dead by now? */
static uint32_t count_dead(const struct rk_searching *s, struct rk_segment *seg,
			   const struct rk_postr *list)
{
	uint32_t ids[RK_BLOCK], tf[RK_BLOCK], head[RK_BLOCK], dead = 0;
	uint32_t nblocks = rk_postr_blocks(list);

	for (uint32_t b = 0; b < nblocks; b++) {
		int has_head;
		int n = rk_postr_decode(list, b, ids, tf, head, &has_head);

		for (int i = 0; i < n; i++) {
			const struct rk_chunk_rec *c =
				rk_segment_chunk(seg, ids[i]);
			uint32_t gen = c ? rk_segment_dead(seg, c->doc) : 0;

			dead += gen != 0 && gen <= s->snap.generation;
		}
	}
	return dead;
}

/* The same from the other side: few dead documents, a long list. */
static uint32_t count_dead_docs(const struct rk_searching *s,
				struct rk_segment *seg,
				const struct rk_postr *list)
{
	struct rk_cursor c;
	uint32_t dead = 0;

	rk_cursor_list(&c, list, 255, 1, 1);
	for (uint32_t d = 0; d < seg->ndocs; d++) {
		uint32_t gen = rk_segment_dead(seg, d);
		const struct rk_doc_rec *r;

		if (gen == 0 || gen > s->snap.generation ||
		    !(r = rk_segment_doc(seg, d)))
			continue;
		for (uint32_t id = rk_cursor_geq(&c, r->chunk0);
		     id < r->chunk0 + r->nchunks && id != RK_END;
		     id = rk_cursor_geq(&c, id + 1))
			dead++;
	}
	return dead;
}

static int lookup_seg(struct rk_searching *s, struct rk_qsource *src,
		      const struct rk_qterm *t, struct rk_plist *l)
{
	int rc = rk_segment_postings(src->seg, t->s, t->n, &l->e, &l->list);

	if (rc < 0)
		src->bad = 1;
	if (rc <= 0)
		return 0;
	l->df = l->e.df;
	if (src->seg->ndead)
		l->df -= src->seg->ndead < l->e.df / 16
				 ? count_dead_docs(s, src->seg, &l->list)
				 : count_dead(s, src->seg, &l->list);
	return 0;
}

int rk_lookup_in(struct rk_searching *s, struct rk_qsource *src,
		 const struct rk_qterm *e, struct rk_plist *l)
{
	memset(l, 0, sizeof(*l));
	return src->mem ? lookup_mem(s, src, e, l) : lookup_seg(s, src, e, l);
}

/* By what is in this index, or in all that are asked. */
static double idf_of(const struct rk_searching *s, const struct rk_qterm *t)
{
	const struct rk_global *g = s->global;

	if (g && g->stats.chunks)
		return rk_bm25_idf(g->stats.chunks, rk_global_df(g, t));
	return rk_bm25_idf(s->snap.stats.chunks, t->df);
}

int rk_lookup_term(struct rk_searching *s, unsigned t)
{
	struct rk_qterm *e = &s->q.terms[t];
	int rc = 0;

	assert(t < s->q.nterms && s->q.nterms <= RK_TERMS_MAX);
	e->df = 0;
	if (e->match != RK_TERM_EXACT) {
		rc = rk_expand_term(s, t);
		e->idf = idf_of(s, e);
		return rc;
	}
	for (unsigned i = 0; i < s->nsrc && rc == 0; i++) {
		struct rk_qsource *src = &s->src[i];
		struct rk_plist *l = &src->lists[t];

		if (src->bad)
			continue;
		rc = rk_lookup_in(s, src, e, l);
		if (rc == 0 && e->nalts) {
			struct rk_plist own = *l;

			rc = rk_lookup_forms(s, src, e, &own, l);
		}
		if (rc == RK_ECORRUPT) {
			src->bad = 1;
			rc = 0;
		}
		e->df += l->df;
	}
	e->idf = idf_of(s, e);
	return rc;
}

uint64_t rk_count_postings(struct rk_searching *s, const char *term, size_t n)
{
	uint64_t df = 0;

	assert(n > 0);
	for (unsigned i = 0; i < s->nsrc; i++) {
		struct rk_qsource *src = &s->src[i];
		struct rk_dict_entry e;
		struct rk_postr list;

		if (src->bad)
			continue;
		if (src->mem) {
			int64_t id = rk_vocab_find(&src->mem->vocab, term,
						   (uint32_t)n);

			df += id < 0 ? 0 : src->mem->terms[id].df;
		} else if (rk_segment_postings(src->seg, term, n, &e, &list) ==
			   1) {
			df += e.df;
		}
	}
	return df;
}

static int alloc_lists(struct rk_searching *s)
{
	size_t bytes = (s->q.nterms + 1) * sizeof(struct rk_plist);

	for (unsigned i = 0; i < s->nsrc; i++) {
		s->src[i].lists = rk_arena_alloc(&s->arena, bytes);
		if (!s->src[i].lists)
			return -ENOMEM;
		memset(s->src[i].lists, 0, bytes);
	}
	return 0;
}

int rk_lookup_terms(struct rk_searching *s)
{
	int rc = alloc_lists(s);

	for (unsigned i = 0; i < s->q.nterms && rc == 0; i++)
		rc = rk_lookup_term(s, i);

	return rc;
}
