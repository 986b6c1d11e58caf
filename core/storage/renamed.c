/* SPDX-License-Identifier: MIT */
#include "storage/renamed.h"
#include "base/mem.h"
#include "base/status.h"
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const uint8_t NOTHING[1];

static const struct rk_doc_rec *doc(struct rk_source *s, uint32_t d,
				    const char **path)
{
	const struct rk_renamed *r = s->renamed;
	const struct rk_new_name *n = &r->names[r->name_of[d] - 1];

	*path = n->path;
	return &n->rec;
}

static const struct rk_chunk_rec *chunk(struct rk_source *s, uint32_t c,
					const char **head)
{
	return s->renamed->base->chunk(s, c, head);
}

static const uint8_t *gram(struct rk_source *s, const struct rk_doc_rec *d)
{
	return s->renamed->base->gram(s, d);
}

static int dead(struct rk_source *s, uint32_t d)
{
	return s->renamed->name_of[d] == 0;
}

static const rk_norm *norms(struct rk_source *s)
{
	return s->renamed->norms;
}

/* --- terms: those of the base, and those of new names, in order --- */

static int same_term(const struct rk_name_term *a, const char *term, size_t n)
{
	return rk_term_cmp(a->term, a->n, term, n) == 0;
}

/* Words are not listed: each that a new name has counts for spelling. */
static uint32_t count_words(const struct rk_source *s, uint32_t df)
{
	const struct rk_renamed *r = s->renamed;
	uint64_t share = s->ndocs / (r->nnames ? r->nnames : 1) + 1;

	return df + (uint32_t)((r->end - r->first) * share);
}

static int next_term(struct rk_source *s)
{
	struct rk_renamed *r = s->renamed;
	const struct rk_name_term *e;
	int cmp = -1, rc;

	if (r->in_base) {
		if ((rc = r->base->next_term(s)) < 0)
			return rc;
		r->have = rc;
		r->term = s->term;
		r->term_n = s->term_n;
		r->df = s->df;
	}
	r->first = r->end;
	e = &r->terms[r->first];
	if (r->first < r->nterms)
		cmp = r->have ? rk_term_cmp(r->term, r->term_n, e->term, e->n)
			      : 1;
	else if (!r->have)
		return 0;
	r->in_base = cmp <= 0;
	s->term = r->in_base ? r->term : e->term;
	s->term_n = r->in_base ? r->term_n : e->n;
	s->df = r->in_base ? r->df : 0;
	while (cmp >= 0 && r->end < r->nterms &&
	       same_term(&r->terms[r->end], e->term, e->n))
		r->end++;
	if (s->term[0] == RK_WORD_MARK && r->end > r->first)
		s->df = count_words(s, s->df);
	return 1;
}

/* --- postings --- */

/* The base's next posting, if it is not there yet: it lives until then. */
static int load(struct rk_source *s)
{
	struct rk_renamed *r = s->renamed;

	if (!r->in_base || r->loaded)
		return 0;
	r->more = r->base->next_posting(s, &r->next);
	r->loaded = 1;
	return r->more < 0 ? r->more : 0;
}

/* To the first chunk of the next name that has the term. */
static void to_name(struct rk_renamed *r, size_t at)
{
	r->at = at;
	if (at < r->end)
		r->chunk = r->names[r->terms[at].name].rec.chunk0;
}

static void skip_empty(struct rk_renamed *r)
{
	while (r->at < r->end &&
	       r->names[r->terms[r->at].name].rec.nchunks == 0)
		to_name(r, r->at + 1);
}

static int open_list(struct rk_source *s)
{
	struct rk_renamed *r = s->renamed;

	to_name(r, r->first);
	skip_empty(r);
	r->more = r->loaded = 0;
	return r->in_base ? r->base->open_list(s) : 0;
}

static void next_chunk(struct rk_renamed *r)
{
	const struct rk_doc_rec *d = &r->names[r->terms[r->at].name].rec;

	if (++r->chunk == d->chunk0 + d->nchunks)
		to_name(r, r->at + 1);
	skip_empty(r);
}

/* Positions have their count before them where there is a head. */
static int recount(struct rk_renamed *r, struct rk_posting *p, uint32_t head)
{
	if (!p->head == !head)
		return 0;
	r->counted.n = 0;
	if (head) {
		rk_buf_varint(&r->counted, p->tf);
		rk_buf_add(&r->counted, p->pos, p->pos_n);
		p->pos = r->counted.p;
		p->pos_n = (uint32_t)r->counted.n;
		return r->counted.err;
	}
	while (p->pos_n && *p->pos & 0x80) {
		p->pos++;
		p->pos_n--;
	}
	if (p->pos_n == 0)
		return RK_ECORRUPT;
	p->pos++;
	p->pos_n--;
	return 0;
}

/* The posting with the change of its name; 0: nothing is left of it. */
static int change(struct rk_renamed *r, struct rk_posting *p, int32_t by)
{
	int64_t head = (int64_t)p->head + by;
	int rc;

	if (head < 0)
		head = 0;
	if (head == 0 && p->tf == 0)
		return 0;
	rc = recount(r, p, (uint32_t)head);
	p->head = (uint32_t)head;
	return rc < 0 ? rc : 1;
}

static int next_posting(struct rk_source *s, struct rk_posting *p)
{
	struct rk_renamed *r = s->renamed;
	int rc = 0;

	while (rc == 0) {
		int named, listed;

		if ((rc = load(s)) < 0)
			return rc;
		named = r->at < r->end && (!r->more || r->chunk <= r->next.id);
		listed = r->more && (!named || r->chunk == r->next.id);
		if (!named && !listed)
			return 0;
		*p = listed ? r->next
			    : (struct rk_posting){.id = r->chunk,
						  .pos = NOTHING};
		rc = named ? change(r, p, r->terms[r->at].head) : 1;
		if (named)
			next_chunk(r);
		if (listed)
			r->loaded = 0;
	}
	return rc;
}

static const struct rk_source_ops OPS = {
	.doc = doc,
	.chunk = chunk,
	.gram = gram,
	.dead = dead,
	.norms = norms,
	.next_term = next_term,
	.open_list = open_list,
	.next_posting = next_posting,
};

/* --- to begin with --- */

static int by_term(const void *a, const void *b)
{
	const struct rk_name_term *x = a, *y = b;
	int cmp = rk_term_cmp(x->term, x->n, y->term, y->n);

	return cmp ? cmp : (x->name > y->name) - (x->name < y->name);
}

/* Names keep their places: terms tell of them by number. */
static int place_names(struct rk_source *s, struct rk_renamed *r)
{
	const rk_norm *norms = r->base->norms(s);

	if (!norms)
		return RK_ECORRUPT;
	memcpy(r->norms, norms, s->nchunks * sizeof(*norms));
	for (uint32_t i = 0; i < r->nnames; i++) {
		struct rk_new_name *n = &r->names[i];

		assert(n->doc < s->ndocs && !r->name_of[n->doc]);
		assert(i == 0 || n->doc > n[-1].doc);
		r->name_of[n->doc] = i + 1;
		n->rec.path_n = n->path_n;
		for (uint32_t c = n->rec.chunk0;
		     c < n->rec.chunk0 + n->rec.nchunks; c++) {
			int64_t head =
				(int64_t)rk_norm_head(norms[c]) + n->tokens;

			r->norms[c] =
				rk_norm_make(rk_norm_body(norms[c]),
					     head < 0 ? 0 : (uint32_t)head,
					     norms[c] >> 15 & 1);
		}
	}
	return 0;
}

int rk_source_rename(struct rk_source *s, struct rk_renamed *r)
{
	r->base = s->ops;
	r->in_base = 1;
	r->name_of = rk_calloc(s->ndocs + 1ul, sizeof(*r->name_of));
	r->norms = rk_malloc((s->nchunks + 1ul) * sizeof(*r->norms));
	if (!r->name_of || !r->norms)
		return -ENOMEM;
	qsort(r->terms, r->nterms, sizeof(*r->terms), by_term);
	s->ops = &OPS;
	s->renamed = r;
	return place_names(s, r);
}

void rk_renamed_release(struct rk_renamed *r)
{
	rk_free(r->name_of);
	rk_free(r->norms);
	rk_buf_release(&r->counted);
	r->name_of = NULL;
	r->norms = NULL;
}
