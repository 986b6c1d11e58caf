/* SPDX-License-Identifier: MIT */
/* Cursors on the postings of terms, and the positions where they stand. */
#include "index/search/cursors.h"
#include "index/search/forms.h"
#include "base/lock.h"
#include <assert.h>
#include <stdlib.h>

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

		if (l->parts[k].df == 0 ||
		    (k && !rk_chunk_speaks(src, chunk, l->parts[k].language)))
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
