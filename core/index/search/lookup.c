/* SPDX-License-Identifier: MIT */
/*
 * From the terms of a query to their postings in every source, their document
 * frequencies over what the snapshot sees (exact, whatever is dead), and to
 * other spellings where a word has no postings at all.
 */
#include "index/search/search_internal.h"
#include "lexical/fuzzy.h"
#include "text/extract/property.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { POSITIONS_MAX = 4096 };

/* --- sources --- */

static void add_segment(struct rk_searching *s, struct rk_segment *seg)
{
	struct rk_qsource *q = &s->src[s->nsrc++];
	struct rk_norms then = {.avg_body = seg->avg_body,
				.avg_head = seg->avg_head};

	*q = (struct rk_qsource){
		.seg = seg, .nchunks = seg->nchunks, .ndocs = seg->ndocs};
	q->norms = rk_segment_norms(seg);
	q->drift = rk_bound_drift(&then, &s->table);
	q->bad = q->norms == NULL;
}

/* Vectors, if they are of the snapshot's embedding space. */
static void add_vectors(struct rk_searching *s, unsigned i)
{
	struct rk_qsource *q = &s->src[i];

	if (s->snap.space->stride == 0)
		return;
	if (q->mem)
		q->has_vectors = q->mem->vec_space == s->snap.space->number;
	else
		q->has_vectors = (q->vec = s->snap.vecs[i]) != NULL;
	q->ann = q->seg ? s->snap.anns[i] : NULL;
}

static void add_memtable(struct rk_searching *s, struct rk_memtable *m)
{
	struct rk_qsource *q = &s->src[s->nsrc++];

	pthread_rwlock_rdlock(&m->lock);
	*q = (struct rk_qsource){.mem = m,
				 .nchunks = (uint32_t)m->nchunks,
				 .ndocs = (uint32_t)m->ndocs,
				 .norms = m->norms,
				 .drift = 1};
}

int rk_sources_open(struct rk_searching *s)
{
	const struct rk_view *v = s->snap.view;

	rk_norms_init(&s->table,
		      s->opts->global && s->opts->global->stats.chunks
			      ? &s->opts->global->stats
			      : &s->snap.stats);
	for (unsigned i = 0; i < v->nsegs; i++)
		add_segment(s, v->segs[i]);
	for (unsigned i = 0; i < v->nmems; i++)
		add_memtable(s, v->mems[i]);
	for (unsigned i = 0; i < s->nsrc; i++)
		add_vectors(s, i);
	return 0;
}

void rk_sources_close(struct rk_searching *s)
{
	for (unsigned i = 0; i < s->nsrc; i++)
		if (s->src[i].mem)
			pthread_rwlock_unlock(&s->src[i].mem->lock);
	s->nsrc = 0;
}

int rk_resolve(const struct rk_searching *s, const struct rk_qsource *src,
	       uint32_t chunk, struct rk_found *f)
{
	const struct rk_chunk_rec *c;
	const struct rk_doc_rec *d;

	if (src->mem) {
		const struct rk_memtable *m = src->mem;

		f->chunk = m->chunks[chunk];
		f->doc_number = f->chunk.doc;
		f->doc = m->docs[f->chunk.doc].rec;
		f->path = rk_memtable_path(m, f->chunk.doc);
		f->head = rk_chunk_head_bytes(&f->chunk)
				  ? (const char *)m->heads.p + f->chunk.head_off
				  : "";
		f->alive = rk_mdoc_alive(&m->docs[f->chunk.doc],
					 s->snap.generation);
		return 0;
	}
	if (!(c = rk_segment_chunk(src->seg, chunk)) ||
	    !(d = rk_segment_doc(src->seg, c->doc)) ||
	    !(f->path = rk_segment_path(src->seg, d)) ||
	    !(f->head = rk_segment_head(src->seg, c)))
		return RK_ECORRUPT;
	f->chunk = *c;
	f->doc = *d;
	f->doc_number = c->doc;
	f->alive = 1;
	if (src->seg->ndead) {
		uint32_t dead = rk_segment_dead(src->seg, c->doc);

		f->alive = dead == 0 || dead > s->snap.generation;
	}
	return 0;
}

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

static int lookup_in(struct rk_searching *s, struct rk_qsource *src,
		     const struct rk_qterm *e, struct rk_plist *l)
{
	memset(l, 0, sizeof(*l));
	return src->mem ? lookup_mem(s, src, e, l) : lookup_seg(s, src, e, l);
}

/* A word and its forms in other languages, as one list. */
static int lookup_alts(struct rk_searching *s, struct rk_qsource *src,
		       const struct rk_qterm *e, struct rk_plist *l)
{
	struct rk_plist *parts =
		rk_arena_alloc(&s->arena, (e->nalts + 1) * sizeof(*parts));
	unsigned found = 0, last = 0;
	int rc = 0;

	if (!parts)
		return -ENOMEM;
	for (unsigned i = 0; i <= e->nalts && rc == 0; i++) {
		struct rk_qterm form = *e;

		if (i) {
			form.s = e->alts[i - 1];
			form.n = strlen(form.s);
		}
		rc = lookup_in(s, src, &form, &parts[i]);
		if (parts[i].df) {
			found++;
			last = i;
		}
	}
	*l = parts[last];
	if (rc < 0 || found < 2)
		return rc;
	return rk_unite_parts(s, src, parts, e->nalts + 1, l);
}

/* By what is in this index, or in all that are asked. */
static double idf_of(const struct rk_searching *s, const struct rk_qterm *t)
{
	const struct rk_global *g = s->opts->global;

	if (g && g->stats.chunks)
		return rk_bm25_idf(g->stats.chunks, rk_global_df(g, t));
	return rk_bm25_idf(s->snap.stats.chunks, t->df);
}

static int lookup_term(struct rk_searching *s, unsigned t)
{
	struct rk_qterm *e = &s->q.terms[t];
	int rc = 0;

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
		rc = e->nalts ? lookup_alts(s, src, e, l)
			      : lookup_in(s, src, e, l);
		e->df += l->df;
	}
	e->idf = idf_of(s, e);
	return rc;
}

uint64_t rk_count_postings(struct rk_searching *s, const char *term, size_t n)
{
	uint64_t df = 0;

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

/* --- spelling --- */

static void offer_word(struct rk_spelling *sp, const struct rk_qterm *t,
		       const char *w, size_t n, uint64_t df)
{
	if (n && w[0] == RK_PROPERTY_MARK)
		return;
	if (n && w[0] == RK_WORD_MARK) {
		w++;
		n--;
		df *= 2; /* a real word rather than a stem */
	}
	/* typing errors are rare at the front, and stems share it */
	rk_spelling_offer(sp, t->surface, t->surface_n, w, n, df);
}

static void spell_in_segment(struct rk_segment *seg, const struct rk_qterm *t,
			     struct rk_spelling *sp)
{
	const struct rk_dict *d = rk_segment_dict(seg);
	struct rk_dict_iter it;

	if (!d)
		return;
	rk_dict_seek(d, "", 0, &it);
	while (rk_dict_next(&it) == 1)
		offer_word(sp, t, it.term, it.n, it.e.df);
}

static void spell_in_memtable(const struct rk_memtable *m,
			      const struct rk_qterm *t, struct rk_spelling *sp)
{
	for (uint32_t i = 0; i < m->vocab.n && i < m->terms_cap; i++)
		offer_word(sp, t, m->vocab.v[i].s, m->vocab.v[i].n,
			   m->terms[i].df);
}

static int spellable(const struct rk_qterm *t)
{
	if (rk_edits_allowed(t->surface_n) == 0 || t->surface_n > 64 ||
	    t->match != RK_TERM_EXACT || t->weight <= 0)
		return 0;
	for (size_t i = 0; i < t->surface_n; i++)
		if (t->surface[i] < 'a' || t->surface[i] > 'z')
			return 0;
	return 1;
}

/* The term that a word is indexed under. */
static int retarget(struct rk_searching *s, struct rk_qterm *t,
		    const char *word, size_t n)
{
	const struct rk_tok *toks;
	uint32_t pos = 0;
	size_t count;
	const struct rk_word *w;
	int rc;

	rk_analyser_reset(s->a);
	if ((rc = rk_analyse(s->a, word, n, 0, &pos)) < 0)
		return rc;
	toks = rk_analyser_toks(s->a, &count);
	if (count == 0)
		return 0;
	w = &rk_analyser_vocab(s->a)->v[toks[0].term];
	t->s = rk_arena_strndup(&s->q.arena, w->s, w->n);
	t->n = w->n;
	t->nalts = 0;
	return t->s ? 1 : -ENOMEM;
}

static int respell(struct rk_searching *s, unsigned i)
{
	struct rk_qterm *t = &s->q.terms[i], was = *t;
	struct rk_spelling sp = {.n = 0};
	int rc;

	if (!spellable(t))
		return 0;
	for (unsigned k = 0; k < s->nsrc; k++) {
		if (s->src[k].mem)
			spell_in_memtable(s->src[k].mem, t, &sp);
		else if (!s->src[k].bad)
			spell_in_segment(s->src[k].seg, t, &sp);
	}
	if (sp.n == 0 || (rc = retarget(s, t, sp.word, sp.n)) == 0)
		return 0;
	if (rc < 0 || (rc = lookup_term(s, i)) < 0)
		return rc;
	if (t->df == 0) { /* a stem that no word has by itself */
		t->s = rk_arena_strndup(&s->q.arena, sp.word, sp.n);
		t->n = sp.n;
		if (!t->s)
			return -ENOMEM;
		if ((rc = lookup_term(s, i)) < 0)
			return rc;
	}
	if (t->df == 0) {
		*t = was;
		return 0;
	}
	rk_buf_printf(&s->corrected, "%s%.*s -> %s", s->corrected.n ? ", " : "",
		      (int)t->surface_n, t->surface, sp.word);
	return s->corrected.err;
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

	for (unsigned i = 0; i < s->q.nterms && rc == 0; i++) {
		rc = lookup_term(s, i);
		if (rc == 0 && s->q.terms[i].df == 0 &&
		    s->q.terms[i].occur != RK_NOT && !s->opts->global)
			rc = respell(s, i);
	}
	return rc;
}

/* --- cursors --- */

static void cursor_on(const struct rk_qsource *src, const struct rk_plist *l,
		      float weight, struct rk_cursor *c)
{
	if (src->mem || l->united)
		rk_cursor_arrays(c, l->ids, l->tf, l->head, l->x, l->df,
				 weight);
	else
		rk_cursor_list(c, &l->list, l->e.bound, weight, src->drift);
}

struct rk_cursor *rk_open_cursor(struct rk_searching *s,
				 const struct rk_qsource *src, unsigned t)
{
	const struct rk_qterm *e = &s->q.terms[t];
	struct rk_cursor *c = rk_arena_alloc(&s->arena, sizeof(*c));
	float w = (float)(e->idf * (double)(RK_BM25_K1 + 1)) * e->weight;

	if (!c)
		return NULL;
	cursor_on(src, &src->lists[t], w, c);
	c->term = t;
	return c;
}

static int positions_in(const struct rk_qsource *src, const struct rk_plist *l,
			const struct rk_cursor *c, uint32_t *at, unsigned max)
{
	const uint8_t *pos[RK_BLOCK];
	uint32_t pos_n[RK_BLOCK];

	if (src->mem) {
		uint32_t k = c->block * RK_BLOCK + c->i;

		return rk_positions_decode(
			src->mem->terms[l->id].p + l->pos_off[k], l->pos_n[k],
			l->tf[k], l->head[k], at, max);
	}
	if (rk_postr_positions(&c->list, c->block, c->i + 1, c->tf, c->head,
			       pos, pos_n) < 0)
		return RK_ECORRUPT;
	return rk_positions_decode(pos[c->i], pos_n[c->i], c->tf[c->i],
				   c->head[c->i], at, max);
}

static int ascending(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

/* Of a word in several languages: wherever one of its forms stands. */
static int positions_of_parts(const struct rk_qsource *src,
			      const struct rk_plist *l, uint32_t chunk,
			      uint32_t *at, unsigned max)
{
	int n = 0;

	for (unsigned k = 0; k < l->nparts; k++) {
		struct rk_cursor c;
		int got;

		if (l->parts[k].df == 0)
			continue;
		cursor_on(src, &l->parts[k], 1, &c);
		if (rk_cursor_geq(&c, chunk) != chunk)
			continue;
		got = positions_in(src, &l->parts[k], &c, at + n,
				   max - (unsigned)n);
		if (got < 0)
			return got;
		n += got;
	}
	if (n > 1)
		qsort(at, (size_t)n, sizeof(*at), ascending);
	return n;
}

int rk_cursor_positions(struct rk_searching *s, const struct rk_qsource *src,
			const struct rk_cursor *c, uint32_t *at, unsigned max)
{
	const struct rk_plist *l = &src->lists[c->term];

	(void)s;
	if (l->parts)
		return positions_of_parts(src, l, c->ids[c->i], at, max);
	return l->united ? 0 : positions_in(src, l, c, at, max);
}

void rk_plist_cursor(const struct rk_qsource *src, const struct rk_plist *l,
		     struct rk_cursor *c)
{
	cursor_on(src, l, 1, c);
}
