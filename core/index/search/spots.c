/* SPDX-License-Identifier: MIT */
#include "index/search/spots.h"
#include "base/mem.h"
#include "lexical/fuzzy.h"
#include "text/match/regex.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { BITS = 64, PER_PATTERN = 200 };
#define PATTERN_WORTH 10.0 /* more than a word: without it there is no hit */

void rk_spots_release(struct rk_spots *f)
{
	rk_free(f->v);
	*f = (struct rk_spots)RK_SPOTS_INIT;
}

static int add(struct rk_spots *f, size_t off, size_t len, unsigned bit)
{
	if (rk_grow(&f->v, &f->cap, f->n + 1, sizeof(*f->v)) < 0)
		return -ENOMEM;
	f->v[f->n++] = (struct rk_spot){(uint32_t)off, (uint32_t)len,
					1ull << (bit < BITS ? bit : BITS - 1)};
	return 0;
}

/* --- words --- */

static int term_is(const struct rk_qterm *t, const struct rk_word *w)
{
	if (!rk_term_scores(t))
		return 0;
	switch (t->match) {
	case RK_TERM_PREFIX:
		return w->n >= t->n && memcmp(t->s, w->s, t->n) == 0;
	case RK_TERM_FUZZY:
		return rk_fuzzy_near(t->s, t->n, w->s, w->n);
	case RK_TERM_GLOB:
		return rk_word_glob(t->s, t->n, w->s, w->n);
	case RK_TERM_EXACT:
	case RK_TERM_RANGE:
	default:
		if (t->n == w->n && memcmp(t->s, w->s, w->n) == 0)
			return 1;
		for (unsigned i = 0; i < t->nalts; i++)
			if (strcmp(t->alts[i].s, w->s) == 0)
				return 1;
		return 0;
	}
}

/* Which query term a vocabulary id is; terms are few. */
static int query_term(const struct rk_query *q, const struct rk_word *w)
{
	for (unsigned i = 0; i < q->nterms; i++)
		if (term_is(&q->terms[i], w))
			return (int)i;
	return -1;
}

static int find_words(struct rk_spots *f, struct rk_analyser *a,
		      const struct rk_query *q, const char *s, size_t n)
{
	const struct rk_tok *toks;
	uint32_t pos = 0;
	size_t count;
	int rc;

	rk_analyser_reset(a);
	if ((rc = rk_analyse(a, s, n, 0, &pos)) < 0)
		return rc;
	toks = rk_analyser_toks(a, &count);
	for (size_t i = 0; i < count && rc == 0; i++) {
		int t;

		if (toks[i].word)
			continue;
		t = query_term(q, &rk_analyser_vocab(a)->v[toks[i].term]);
		if (t >= 0)
			rc = add(f, toks[i].off, toks[i].len, (unsigned)t);
	}
	return rc;
}

/* --- patterns --- */

/* In the line or chunk at `off` of the text. */
static int find_pattern(struct rk_spots *f, struct rk_regex *r, unsigned bit,
			const char *s, size_t off, size_t n, unsigned *left)
{
	size_t at = 0, len;
	int rc = 0;

	while (rc == 0 && *left && at <= n &&
	       rk_regex_find(r, s + off, n, &at, &len) == 1) {
		--*left;
		if (len)
			rc = add(f, off + at, len, bit);
		at += len ? len : 1;
	}
	return rc;
}

static int find_in_lines(struct rk_spots *f, struct rk_regex *r, unsigned bit,
			 const char *s, size_t n)
{
	unsigned left = PER_PATTERN;
	size_t off = 0;
	int rc = 0;

	while (off < n && rc == 0 && left) {
		const char *nl = memchr(s + off, '\n', n - off);
		size_t end = nl ? (size_t)(nl - s) : n;

		rc = find_pattern(f, r, bit, s, off, end - off, &left);
		off = end + 1;
	}
	return rc;
}

static int find_patterns(struct rk_spots *f, const struct rk_query *q,
			 const struct rk_qnode *c, unsigned *bit, const char *s,
			 size_t n)
{
	int rc = 0;

	for (; c && rc == 0; c = c->next) {
		unsigned left = PER_PATTERN;

		if (c->occur == RK_NOT)
			continue;
		if (c->kind == RK_NODE_GROUP)
			rc = find_patterns(f, q, c->child, bit, s, n);
		if (c->kind != RK_NODE_REGEX || !c->regex)
			continue;
		f->worth[*bit < BITS ? *bit : BITS - 1] = PATTERN_WORTH;
		rc = c->passage
			     ? find_pattern(f, c->regex, *bit, s, 0, n, &left)
			     : find_in_lines(f, c->regex, *bit, s, n);
		++*bit;
	}
	return rc;
}

/* --- all of them --- */

static int by_place(const void *a, const void *b)
{
	const struct rk_spot *x = a, *y = b;

	if (x->off != y->off)
		return x->off < y->off ? -1 : 1;
	return (x->len < y->len) - (x->len > y->len);
}

/* An identifier and its parts are one spot; so is all that overlaps. */
static void unite(struct rk_spots *f)
{
	size_t kept = 0;

	if (f->n)
		qsort(f->v, f->n, sizeof(*f->v), by_place);
	for (size_t i = 0; i < f->n; i++) {
		struct rk_spot *last = kept ? &f->v[kept - 1] : NULL;
		uint32_t end = f->v[i].off + f->v[i].len;

		if (!last || f->v[i].off >= last->off + last->len) {
			f->v[kept++] = f->v[i];
			continue;
		}
		last->terms |= f->v[i].terms;
		if (end > last->off + last->len)
			last->len = end - last->off;
	}
	f->n = kept;
}

int rk_spots_of_line(struct rk_spots *f, const struct rk_query *q,
		     const char *s, size_t n)
{
	unsigned bit = q->nterms;
	int rc = find_patterns(f, q, q->root, &bit, s, n);

	unite(f);
	return rc;
}

int rk_spots_find(struct rk_spots *f, struct rk_analyser *a,
		  const struct rk_query *q, const char *s, size_t n)
{
	int rc;

	for (unsigned i = 0; i < q->nterms && i < BITS; i++)
		f->worth[i] = 0.01 + q->terms[i].idf;
	if ((rc = find_words(f, a, q, s, n)) < 0)
		return rc;
	return rk_spots_of_line(f, q, s, n);
}
