/* SPDX-License-Identifier: MIT */
/*
 * Terms that stand for many: pre*, w?ld, ~fuzzy, comparisons of properties. The
 * names that are meant are collected over all sources first, so that an
 * answer does not depend on segments; then each source's postings of them are
 * united into one list, as if they were one term. It has no positions.
 */
#include "index/search/expand.h"
#include "index/search/cursors.h"
#include "lexical/fuzzy.h"
#include "text/extract/property.h"
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
	NAMES_MAX = 2000, /* the most frequent are taken */
	SHOWN = 5,	  /* spellings that the header names */
};

struct name {
	const char *s;
	size_t n;
	uint64_t df;
};

struct names {
	struct rk_searching *s;
	const struct rk_qterm *t;
	struct name *v;
	size_t n, cap;
};

/* --- which names --- */

static int begins_with(const char *s, size_t n, const char *p, size_t p_n)
{
	return n >= p_n && memcmp(s, p, p_n) == 0;
}

/* s: a term, or an unstemmed word without its mark */
static int wanted(const struct rk_qterm *t, const char *s, size_t n)
{
	if (n == 0)
		return 0;
	if (t->match == RK_TERM_RANGE)
		return begins_with(s, n, t->s, t->n) &&
		       rk_compare_ok(&t->compare, s + t->n, n - t->n);
	if ((unsigned char)*s <= RK_PROPERTY_MARK)
		return 0;
	if (t->match == RK_TERM_GLOB)
		return rk_word_glob(t->s, t->n, s, n);
	return t->match == RK_TERM_PREFIX ? begins_with(s, n, t->s, t->n)
					  : rk_fuzzy_near(t->s, t->n, s, n);
}

static int add_name(struct names *l, const char *s, size_t n, uint64_t df)
{
	struct name *e;

	if (l->n == l->cap) {
		size_t cap = l->cap ? 2 * l->cap : 64;
		struct name *v = rk_arena_alloc(&l->s->arena, cap * sizeof(*v));

		if (!v)
			return -ENOMEM;
		if (l->n)
			memcpy(v, l->v, l->n * sizeof(*v));
		l->v = v;
		l->cap = cap;
	}
	e = &l->v[l->n];
	*e = (struct name){rk_arena_strndup(&l->s->arena, s, n), n, df};
	l->n += e->s != NULL;
	return e->s ? 0 : -ENOMEM;
}

static int add_stem_of(struct names *l, enum rk_language language,
		       const char *word, size_t n, uint64_t df)
{
	const struct rk_tok *toks;
	const struct rk_word *w;
	uint32_t pos = 0;
	size_t count;
	int rc = rk_analyser_use(l->s->a, language);

	rk_analyser_reset(l->s->a);
	if (rc < 0 || (rc = rk_analyse(l->s->a, word, n, 0, &pos)) < 0)
		return rc;
	toks = rk_analyser_toks(l->s->a, &count);
	if (count == 0)
		return 0;
	w = &rk_analyser_vocab(l->s->a)->v[toks[0].term];
	return add_name(l, w->s, w->n, df);
}

/*
 * An unstemmed word is listed under its stem; in which language is not known,
 * but in the others that stem is no word.
 */
static int add_stem(struct names *l, const char *word, size_t n, uint64_t df)
{
	uint64_t left = rk_spoken(l->s->snap.view, RK_SHARE) | 1;
	int rc = 0;

	for (; left && rc == 0; left &= left - 1)
		rc = add_stem_of(l, (enum rk_language)__builtin_ctzll(left),
				 word, n, df);
	if (rc == 0)
		rc = rk_analyser_use(l->s->a, RK_LANGUAGE_BASE);
	return rc;
}

static int consider(struct names *l, const char *s, size_t n, uint64_t df)
{
	if (n > 1 && *s == RK_WORD_MARK)
		return wanted(l->t, s + 1, n - 1)
			       ? add_stem(l, s + 1, n - 1, df)
			       : 0;
	return wanted(l->t, s, n) ? add_name(l, s, n, df) : 0;
}

/* Dictionary entries that begin with the prefix (n may be 0). */
static int scan_dict(struct names *l, struct rk_segment *seg, const char *p,
		     size_t n)
{
	const struct rk_dict *d = rk_segment_dict(seg);
	struct rk_dict_iter it;
	int rc = 0;

	if (!d)
		return 0;
	rk_dict_seek(d, p, n, &it);
	while (rc == 0 && rk_dict_next(&it) == 1 &&
	       begins_with(it.term, it.n, p, n))
		rc = consider(l, it.term, it.n, it.e.df);
	return rc;
}

static size_t before_wildcards(const struct rk_qterm *t)
{
	size_t n = 0;

	while (n < t->n && t->s[n] != '*' && t->s[n] != '?')
		n++;
	return n;
}

static int names_in_segment(struct names *l, struct rk_segment *seg)
{
	const struct rk_qterm *t = l->t;
	char word[RK_TERM_MAX + 1];
	size_t n = t->match == RK_TERM_FUZZY  ? 0
		   : t->match == RK_TERM_GLOB ? before_wildcards(t)
					      : t->n;
	int rc;

	if ((rc = scan_dict(l, seg, t->s, n)) < 0 ||
	    t->match == RK_TERM_RANGE || n == 0)
		return rc;
	word[0] = RK_WORD_MARK;
	memcpy(word + 1, t->s, n);
	return scan_dict(l, seg, word, n + 1);
}

static int names_in_memtable(struct names *l, const struct rk_memtable *m)
{
	int rc = 0;

	for (uint32_t i = 0; i < m->vocab.n && i < m->terms_cap && rc == 0; i++)
		if (m->terms[i].df)
			rc = consider(l, m->vocab.v[i].s, m->vocab.v[i].n,
				      m->terms[i].df);
	return rc;
}

static int by_name(const void *a, const void *b)
{
	const struct name *x = a, *y = b;

	return rk_term_cmp(x->s, x->n, y->s, y->n);
}

static int by_df(const void *a, const void *b)
{
	const struct name *x = a, *y = b;

	if (x->df != y->df)
		return x->df > y->df ? -1 : 1;
	return by_name(a, b);
}

static void unite_names(struct names *l)
{
	size_t kept = 0;

	if (l->n == 0)
		return;
	qsort(l->v, l->n, sizeof(*l->v), by_name);
	for (size_t i = 0; i < l->n; i++) {
		if (kept && by_name(&l->v[kept - 1], &l->v[i]) == 0)
			l->v[kept - 1].df += l->v[i].df;
		else
			l->v[kept++] = l->v[i];
	}
	l->n = kept;
	qsort(l->v, l->n, sizeof(*l->v), by_df);
	if (l->n > NAMES_MAX) {
		l->n = NAMES_MAX;
		rk_buf_printf(&l->s->q.notes,
			      "%.*s stands for very many words: the %d most "
			      "frequent are searched\n",
			      (int)l->t->surface_n, l->t->surface, NAMES_MAX);
	}
}

/* --- their postings --- */

struct sums {
	uint16_t *tf, *head; /* by chunk */
};

static void add_posting(struct sums *u, uint32_t chunk, uint32_t tf,
			uint32_t head)
{
	uint32_t a = u->tf[chunk] + tf, b = u->head[chunk] + head;

	u->tf[chunk] = (uint16_t)(a < UINT16_MAX ? a : UINT16_MAX);
	u->head[chunk] = (uint16_t)(b < UINT16_MAX ? b : UINT16_MAX);
}

static void add_mem(const struct rk_memtable *m, const struct name *e,
		    struct sums *u)
{
	int64_t id = rk_vocab_find(&m->vocab, e->s, (uint32_t)e->n);
	struct rk_posting p = {.id = UINT32_MAX};
	const struct rk_mterm *t;

	if (id < 0 || (uint64_t)id >= m->terms_cap)
		return;
	t = &m->terms[id];
	for (const uint8_t *q = t->p; q < t->p + t->n;) {
		q = rk_mposting_next(q, &p);
		add_posting(u, p.id, p.tf, p.head);
	}
}

static int add_seg(struct rk_segment *seg, const struct name *e, struct sums *u)
{
	uint32_t ids[RK_BLOCK], tf[RK_BLOCK], head[RK_BLOCK];
	struct rk_dict_entry d;
	struct rk_postr list;
	int rc = rk_segment_postings(seg, e->s, e->n, &d, &list);

	if (rc <= 0)
		return rc;
	for (uint32_t b = 0; b < rk_postr_blocks(&list); b++) {
		int has_head;
		int n = rk_postr_decode(&list, b, ids, tf, head, &has_head);

		if (n < 0)
			return n;
		for (int i = 0; i < n; i++)
			if (ids[i] < seg->nchunks)
				add_posting(u, ids[i], tf[i],
					    has_head ? head[i] : 0);
	}
	return 0;
}

static int alive(const struct rk_searching *s, const struct rk_qsource *src,
		 uint32_t chunk)
{
	const struct rk_chunk_rec *c;
	uint32_t dead;

	if (src->mem)
		return rk_mdoc_alive(
			&src->mem->docs[src->mem->chunks[chunk].doc],
			s->snap.generation);
	if (!src->seg->ndead)
		return 1;
	c = rk_segment_chunk(src->seg, chunk);
	dead = c ? rk_segment_dead(src->seg, c->doc) : 1;
	return dead == 0 || dead > s->snap.generation;
}

/* The sums as one list in arrays. */
static int list_sums(struct rk_searching *s, const struct rk_qsource *src,
		     const struct sums *u, struct rk_plist *l)
{
	uint32_t n = 0, *p;

	for (uint32_t c = 0; c < src->nchunks; c++)
		n += u->tf[c] || u->head[c];
	p = rk_arena_alloc(&s->arena, ((size_t)n * 3 + 1) * sizeof(*p));
	l->x = rk_arena_alloc(&s->arena, (n / RK_BLOCK + 1) * sizeof(float));
	if (!p || !l->x)
		return -ENOMEM;
	l->ids = p;
	l->tf = p + n;
	l->head = p + 2 * (size_t)n;
	for (uint32_t c = 0; c < src->nchunks; c++) {
		uint32_t k = l->df;
		float x;

		if (!(u->tf[c] || u->head[c]) || !alive(s, src, c))
			continue;
		l->ids[k] = c;
		l->tf[k] = u->tf[c];
		l->head[k] = u->head[c];
		x = rk_bm25_x(&s->table, src->norms[c], u->tf[c], u->head[c]);
		if (k % RK_BLOCK == 0 || x > l->x[k / RK_BLOCK])
			l->x[k / RK_BLOCK] = x;
		l->df++;
	}
	return 0;
}

static int sums_new(struct rk_searching *s, const struct rk_qsource *src,
		    struct sums *u)
{
	size_t bytes = ((size_t)src->nchunks + 1) * sizeof(uint16_t);

	u->tf = rk_arena_alloc(&s->arena, bytes);
	u->head = rk_arena_alloc(&s->arena, bytes);
	if (!u->tf || !u->head)
		return -ENOMEM;
	memset(u->tf, 0, bytes);
	memset(u->head, 0, bytes);
	return 0;
}

static int unite_postings(const struct names *l, struct rk_qsource *src,
			  struct rk_plist *list)
{
	struct sums u;

	memset(list, 0, sizeof(*list));
	list->united = 1;
	if (sums_new(l->s, src, &u) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < l->n; i++) {
		if (src->mem)
			add_mem(src->mem, &l->v[i], &u);
		else if (add_seg(src->seg, &l->v[i], &u) < 0)
			src->bad = 1;
	}
	return list_sums(l->s, src, &u, list);
}

/* "~teh -> the, ten": what a fuzzy word was taken for. */
static void tell_names(struct names *l)
{
	struct rk_buf *b = &l->s->corrected;

	if (l->t->match != RK_TERM_FUZZY || l->n == 0)
		return;
	rk_buf_printf(b, "%s~%.*s -> ", b->n ? "; " : "", (int)l->t->surface_n,
		      l->t->surface);
	for (size_t i = 0; i < l->n && i < SHOWN; i++)
		rk_buf_printf(b, "%s%s", i ? ", " : "", l->v[i].s);
	if (l->n > SHOWN)
		rk_buf_str(b, ", ...");
}

int rk_expand_term(struct rk_searching *s, unsigned t)
{
	struct rk_qterm *e = &s->q.terms[t];
	struct names l = {.s = s, .t = e};
	int rc = 0;

	assert(t < s->q.nterms);
	assert(s->q.terms[t].match != RK_TERM_EXACT);
	for (unsigned i = 0; i < s->nsrc && rc == 0; i++) {
		if (s->src[i].mem)
			rc = names_in_memtable(&l, s->src[i].mem);
		else if (!s->src[i].bad)
			rc = names_in_segment(&l, s->src[i].seg);
	}
	if (rc < 0)
		return rc;
	unite_names(&l);
	tell_names(&l);
	e->df = 0;
	for (unsigned i = 0; i < s->nsrc && rc == 0 && l.n; i++) {
		if (s->src[i].bad)
			continue;
		rc = unite_postings(&l, &s->src[i], &s->src[i].lists[t]);
		e->df += s->src[i].lists[t].df;
	}
	return rc;
}
