/* SPDX-License-Identifier: MIT */
/*
 * One hop along the graph of calls: results that are source code pass some of
 * their score on to other results that they call, since what several good
 * results rely on is more likely what was meant. The other way round, from
 * what is called to its callers, loses (core/doc/quality.md).
 */
#include "index/search/expand_calls.h"
#include "index/search/calls.h"
#include "index/search/candidates.h"
#include "index/search/lookup.h"
#include "text/extract/property.h"
#include "text/symbols/entity.h"
#include "base/hash.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
	NODES = 20,	    /* results that are looked at */
	CALLS = 64,	    /* different names that one of them calls */
	NAME_BYTES_MIN = 4, /* shorter names mean nothing */
};
#define PASS_ON 0.06

struct node {
	struct rk_ranked *r;
	struct rk_found found;
	uint64_t calls[CALLS]; /* hashes of names */
	unsigned ncalls;
	double gain;
};

static void note_call(void *ctx, const char *name, size_t n, uint32_t line)
{
	struct node *x = ctx;
	uint64_t h = rk_hash64(name, n);

	(void)line;
	if (n < NAME_BYTES_MIN || x->ncalls == CALLS)
		return;
	for (unsigned i = 0; i < x->ncalls; i++)
		if (x->calls[i] == h)
			return;
	x->calls[x->ncalls++] = h;
}

static int read_calls(struct rk_searching *s, struct node *x)
{
	struct rk_text t = RK_TEXT_INIT;
	char *path =
		rk_arena_strndup(&s->arena, x->found.path, x->found.doc.path_n);
	int rc = path ? rk_load_chunk(s, path, &x->found.chunk, &t) : -ENOMEM;

	if (rc == 0)
		rk_each_call(t.p, t.n, note_call, x);
	rk_text_release(&t);
	return rc == -ENOMEM ? rc : 0;
}

/* Of how many places that define something by that name? */
static uint64_t namesakes(struct rk_searching *s, const struct rk_entity_ref *e)
{
	char term[RK_TERM_MAX];
	size_t n = rk_property_name(term, RK_PROP_SYMBOL, "", 0, e->name,
				    e->name_n);
	uint64_t df = n ? rk_count_postings(s, term, n) : 0;

	return df ? df : 1;
}

/*
 * How surely a calls something that b defines, from 0 to 1: `init`, which a
 * hundred places define, is hardly that of b.
 */
static double calls(struct rk_searching *s, const struct node *a,
		    const struct node *b)
{
	const char *p =
		b->found.head + b->found.chunk.head_n + b->found.chunk.sym_n;
	const char *end = p + b->found.chunk.ent_n;
	struct rk_entity_ref e;
	double best = 0;

	while (best < 1 && rk_entity_next(&p, end, &e)) {
		uint64_t h = rk_hash64(e.name, e.name_n);

		for (unsigned i = 0; i < a->ncalls; i++) {
			double sure;

			if (a->calls[i] != h)
				continue;
			sure = 1 / (double)namesakes(s, &e);
			best = sure > best ? sure : best;
		}
	}
	return best;
}

static int collect(struct rk_searching *s, struct rk_ranked *v, size_t n,
		   struct node *x, unsigned *nodes)
{
	int rc = 0;

	*nodes = 0;
	for (size_t i = 0; i < n && *nodes < NODES && rc == 0; i++) {
		struct node *y = &x[*nodes];
		const struct rk_qsource *src = &s->src[v[i].c.source];

		if (src->bad || rk_resolve(s, src, v[i].c.chunk, &y->found) < 0)
			continue;
		if (y->found.doc.kind != RK_KIND_CODE)
			continue;
		y->r = &v[i];
		y->ncalls = 0;
		y->gain = 0;
		rc = read_calls(s, y);
		++*nodes;
	}
	return rc;
}

int rk_expand_calls(struct rk_searching *s, struct rk_ranked *v, size_t n)
{
	struct node *x;
	unsigned k;
	int rc;

	if (s->q.sort != RK_SORT_SCORE || s->q.nterms == 0)
		return 0;
	x = rk_arena_alloc(&s->arena, NODES * sizeof(*x));
	if (!x)
		return -ENOMEM;
	if ((rc = collect(s, v, n, x, &k)) < 0)
		return rc;
	for (unsigned i = 0; i < k; i++)
		for (unsigned j = 0; j < k; j++)
			if (i != j)
				x[j].gain +=
					x[i].r->score * calls(s, &x[i], &x[j]);
	for (unsigned i = 0; i < k; i++)
		x[i].r->score += PASS_ON * x[i].gain;
	rk_sort_ranked(s, v, n);
	return 0;
}
