/* SPDX-License-Identifier: MIT */
/* Cursors on the postings of terms, and the positions where they stand. */
#include "index/search/cursors.h"
#include "base/hash.h"
#include "index/search/forms.h"
#include "base/lock.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

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

	assert(t < s->q.nterms && src->lists);
	assert(!src->mem || rk_is_shared(&src->mem->lock));
	if (!c)
		return NULL;
	cursor_on(src, &src->lists[t], w, c);
	c->term = t;
	return c;
}

/* The code that the query's word has among the forms of this list's term. */
static uint8_t form_in(const struct rk_qterm *e, const char *term, size_t n)
{
	char word[RK_TERM_MAX + 1] = {RK_WORD_MARK};

	if (e->surface_n >= sizeof(word) ||
	    (n == e->surface_n && memcmp(term, e->surface, n) == 0))
		return RK_FORM_SELF;
	memcpy(word + 1, e->surface, e->surface_n);
	return rk_form_code(
		(uint32_t)(rk_hash64(word, e->surface_n + 1) >> 32));
}

/* The positions of the posting; *own: is one of them the very form? */
static int decode(const uint8_t *p, uint32_t n, uint32_t tf, uint32_t head,
		  uint8_t form, struct rk_places *out)
{
	int own = rk_positions_have(p, n, tf, head, form);
	int got =
		own < 0 ? own
			: rk_positions_decode(p, n, tf, head, out->at + out->n,
					      out->max - (unsigned)out->n);

	if (got < 0)
		return got;
	out->n += got;
	out->own |= own;
	return 0;
}

static int positions_in(const struct rk_qsource *src, const struct rk_plist *l,
			struct rk_cursor *c, uint8_t form,
			struct rk_places *out)
{
	if (src->mem) {
		uint32_t k = c->block * RK_BLOCK + c->i;

		return decode(src->mem->terms[l->id].p + l->pos_off[k],
			      l->pos_n[k], l->tf[k], l->head[k], form, out);
	}
	if (rk_cursor_read_positions(c) < 0)
		return RK_ECORRUPT;
	return decode(c->pos[c->i], c->pos_n[c->i], c->tf[c->i], c->head[c->i],
		      form, out);
}

static int ascending(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

/* Of a word in several languages: wherever one of its forms stands. */
static int positions_of_parts(const struct rk_qsource *src,
			      const struct rk_plist *l,
			      const struct rk_qterm *e, uint32_t chunk,
			      struct rk_places *out)
{
	for (unsigned k = 0; k < l->nparts; k++) {
		const char *term = k ? e->alts[k - 1].s : e->s;
		struct rk_cursor c;
		int rc;

		if (l->parts[k].df == 0 ||
		    (k && !rk_chunk_speaks(src, chunk, l->parts[k].language)))
			continue;
		cursor_on(src, &l->parts[k], 1, &c);
		if (rk_cursor_geq(&c, chunk) != chunk)
			continue;
		rc = positions_in(src, &l->parts[k], &c,
				  form_in(e, term, strlen(term)), out);
		if (rc < 0)
			return rc;
	}
	if (out->n > 1)
		qsort(out->at, (size_t)out->n, sizeof(*out->at), ascending);
	return 0;
}

int rk_cursor_positions(struct rk_searching *s, const struct rk_qsource *src,
			struct rk_cursor *c, struct rk_places *out)
{
	const struct rk_plist *l = &src->lists[c->term];
	const struct rk_qterm *e = &s->q.terms[c->term];

	out->n = 0;
	out->own = l->united && !l->parts;
	if (l->parts)
		return positions_of_parts(src, l, e, c->ids[c->i], out);
	if (l->united)
		return 0;
	return positions_in(src, l, c, form_in(e, e->s, e->n), out);
}

void rk_plist_cursor(const struct rk_qsource *src, const struct rk_plist *l,
		     struct rk_cursor *c)
{
	cursor_on(src, l, 1, c);
}
