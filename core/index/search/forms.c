/* SPDX-License-Identifier: MIT */
/*
 * A word in several languages, as one list. Few forms are anywhere in
 * documents of their language; where none is, the word's own list is left as
 * it is, with its blocks and bounds.
 */
#include "index/search/forms.h"
#include "index/search/cursors.h"
#include "index/search/lookup.h"
#include <errno.h>
#include <string.h>

static const struct rk_doc_rec *doc_of(const struct rk_qsource *src,
				       uint32_t chunk, uint32_t *number)
{
	const struct rk_chunk_rec *c;

	if (src->mem) {
		*number = src->mem->chunks[chunk].doc;
		return &src->mem->docs[*number].rec;
	}
	if (!(c = rk_segment_chunk(src->seg, chunk)))
		return NULL;
	*number = c->doc;
	return rk_segment_doc(src->seg, c->doc);
}

int rk_chunk_speaks(const struct rk_qsource *src, uint32_t chunk,
		    unsigned language)
{
	uint32_t number;
	const struct rk_doc_rec *d = doc_of(src, chunk, &number);

	return d &&
	       (d->language == language || d->language == RK_LANGUAGE_UNSURE);
}

static int is_alive(const struct rk_searching *s, const struct rk_qsource *src,
		    uint32_t chunk)
{
	uint32_t number, dead;

	if (src->mem || !src->seg->ndead) /* a table's list is of the living */
		return 1;
	if (!doc_of(src, chunk, &number))
		return 0;
	dead = rk_segment_dead(src->seg, number);
	return dead == 0 || dead > s->snap.generation;
}

static int arrays(struct rk_searching *s, uint32_t n, struct rk_plist *l)
{
	uint32_t *p = rk_arena_alloc(&s->arena, ((size_t)n * 3 + 1) * 4);

	memset(l, 0, sizeof(*l));
	l->x = rk_arena_alloc(&s->arena, (n / RK_BLOCK + 1) * sizeof(float));
	if (!p || !l->x)
		return -ENOMEM;
	l->ids = p;
	l->tf = p + n;
	l->head = p + 2 * (size_t)n;
	return 0;
}

/* Behind the others; or with the last, which is of the same chunk. */
static void add(struct rk_plist *l, uint32_t id, uint32_t tf, uint32_t head)
{
	if (l->df && l->ids[l->df - 1] == id) {
		l->tf[l->df - 1] += tf;
		l->head[l->df - 1] += head;
		return;
	}
	l->ids[l->df] = id;
	l->tf[l->df] = tf;
	l->head[l->df++] = head;
}

/* What of a form's list is in documents of its language. */
static int filter(struct rk_searching *s, const struct rk_qsource *src,
		  const struct rk_plist *form, unsigned language,
		  struct rk_plist *out)
{
	struct rk_cursor c;
	uint32_t id;

	if (arrays(s, form->df, out) < 0)
		return -ENOMEM;
	rk_plist_cursor(src, form, &c);
	for (id = rk_cursor_geq(&c, 0); id != RK_END;
	     id = rk_cursor_geq(&c, id + 1))
		if (rk_chunk_speaks(src, id, language) && is_alive(s, src, id))
			add(out, id, c.tf[c.i], c.has_head ? c.head[c.i] : 0);
	return c.err;
}

/* The list on which c stands and b together. */
static int merge(struct rk_searching *s, const struct rk_qsource *src,
		 const struct rk_plist *list, const struct rk_plist *b,
		 struct rk_plist *out)
{
	struct rk_cursor c;
	uint32_t id, k = 0;

	if (arrays(s, list->df + b->df, out) < 0)
		return -ENOMEM;
	out->united = 1;
	rk_plist_cursor(src, list, &c);
	id = list->df ? rk_cursor_geq(&c, 0) : RK_END;
	while (id != RK_END || k < b->df) {
		if (k < b->df && b->ids[k] <= id) {
			add(out, b->ids[k], b->tf[k], b->head[k]);
			k++;
			continue;
		}
		if (is_alive(s, src, id))
			add(out, id, c.tf[c.i], c.has_head ? c.head[c.i] : 0);
		id = rk_cursor_geq(&c, id + 1);
	}
	return list->df ? c.err : 0;
}

static void bound(struct rk_searching *s, const struct rk_qsource *src,
		  struct rk_plist *l)
{
	for (uint32_t k = 0; k < l->df; k++) {
		float x = rk_bm25_x(&s->table, src->norms[l->ids[k]], l->tf[k],
				    l->head[k]);

		if (k % RK_BLOCK == 0 || x > l->x[k / RK_BLOCK])
			l->x[k / RK_BLOCK] = x;
	}
}

/* One form more: into out, if it is anywhere in its language. */
static int add_form(struct rk_searching *s, struct rk_qsource *src,
		    struct rk_qterm *t, unsigned k, struct rk_plist *part,
		    struct rk_plist *out)
{
	struct rk_qterm form = *t;
	struct rk_plist spoken, sum;
	int rc;

	form.s = t->alts[k].s;
	form.n = strlen(form.s);
	rc = rk_lookup_in(s, src, &form, part);
	if (rc < 0 || part->df == 0)
		return rc;
	part->language = t->alts[k].language;
	if ((rc = filter(s, src, part, part->language, &spoken)) < 0)
		return rc;
	t->alts[k].df += spoken.df;
	if (spoken.df == 0) {
		part->df = 0;
		return 0;
	}
	bound(s, src, &spoken);
	if ((rc = merge(s, src, out, &spoken, &sum)) < 0)
		return rc;
	bound(s, src, &sum);
	*out = sum;
	return 1;
}

int rk_lookup_forms(struct rk_searching *s, struct rk_qsource *src,
		    struct rk_qterm *t, const struct rk_plist *base,
		    struct rk_plist *out)
{
	struct rk_plist *parts =
		rk_arena_alloc(&s->arena, (t->nalts + 1) * sizeof(*parts));
	int rc, more = 0;

	if (!parts)
		return -ENOMEM;
	parts[0] = *out = *base;
	for (unsigned k = 0; k < t->nalts; k++) {
		memset(&parts[k + 1], 0, sizeof(*parts));
		if ((rc = add_form(s, src, t, k, &parts[k + 1], out)) < 0)
			return rc;
		more |= rc;
	}
	if (more) {
		out->parts = parts;
		out->nparts = t->nalts + 1;
	}
	return 0;
}
