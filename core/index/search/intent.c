/* SPDX-License-Identifier: MIT */
/*
 * What is a query after? One identifier, or sym:name, asks where it is
 * defined: definitions come first, those that agree in case and have a body
 * before the others. A word of everyday language only means a definition that
 * is written like it and is more than a field.
 */
#include "index/search/intent.h"
#include "index/search/match.h"
#include "index/search/symbols.h"
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { DEFINITIONS_MAX = 500 };

/* No everyday word: inner capitals, digits, underscores. */
static int looks_like_code(const char *s)
{
	for (size_t i = 0; s[i]; i++)
		if (s[i] == '_' || isdigit((unsigned char)s[i]) ||
		    (i > 0 && isupper((unsigned char)s[i])))
			return 1;
	return 0;
}

static double worth(const struct rk_definition *d, int code)
{
	int major = rk_is_major(&d->entity);

	if (!code && !(d->exact && major))
		return 0;
	return 1 + (d->exact ? 2 : 0) + (major ? 1 : 0) +
	       (d->entity.end > d->entity.line ? 0.5 : 0);
}

static struct rk_ranked *find_ranked(struct rk_ranked *v, size_t n,
				     const struct rk_candidate *c)
{
	for (size_t i = 0; i < n; i++)
		if (v[i].c.source == c->source && v[i].c.chunk == c->chunk)
			return &v[i];
	return NULL;
}

/* Above all that ranking found, by what they are worth. */
static int put_first(struct rk_searching *s, const struct rk_definition *d,
		     int nd, int code, struct rk_ranked **v, size_t *n)
{
	struct rk_ranked *w =
		rk_arena_alloc(&s->arena, (*n + (size_t)nd + 1) * sizeof(*w));
	struct rk_allowed allowed[RK_SEGS_MAX + RK_MEMS_MAX] = {{NULL, NULL}};
	size_t k = *n;
	double best = 0;

	if (!w)
		return -ENOMEM;
	if (k)
		memcpy(w, *v, k * sizeof(*w));
	for (size_t i = 0; i < k; i++)
		best = w[i].score > best ? w[i].score : best;
	for (int i = 0; i < nd; i++) {
		unsigned source = d[i].at.source;
		struct rk_ranked *r = find_ranked(w, k, &d[i].at);
		double score = worth(&d[i], code);
		int rc;

		if (score <= 0)
			continue;
		if (!r) {
			if (!allowed[source].filter &&
			    ((rc = rk_allowed_open(s, &s->src[source],
						   &allowed[source])) < 0))
				return rc;
			if (rk_allowed_ok(&allowed[source], d[i].at.chunk) != 1)
				continue;
			r = &w[k++];
			*r = (struct rk_ranked){.c = d[i].at};
		}
		if (r->score < best + score) {
			r->score = best + score;
			r->line = d[i].entity.line;
		}
	}
	rk_sort_ranked(s, w, k);
	*v = w;
	*n = k;
	return 0;
}

int rk_definitions_first(struct rk_searching *s, struct rk_ranked **v,
			 size_t *n)
{
	const char *name = s->q.symbol ? s->q.symbol : s->q.bare;
	struct rk_definition *d;
	int nd;

	if (!name || s->q.sort != RK_SORT_SCORE)
		return 0;
	d = rk_arena_alloc(&s->arena, DEFINITIONS_MAX * sizeof(*d));
	if (!d)
		return -ENOMEM;
	nd = rk_find_definitions(s, name, strlen(name), d, DEFINITIONS_MAX);
	if (nd <= 0)
		return nd;
	return put_first(s, d, nd, s->q.symbol != NULL || looks_like_code(name),
			 v, n);
}
