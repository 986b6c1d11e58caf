/* SPDX-License-Identifier: MIT */
/*
 * Most tokens of a text have been seen before, so the work is a cache: raw
 * token bytes -> the list of terms they give. A miss folds, splits, stops and
 * stems; a hit copies a few ids.
 */
#include "text/analyse/analyse.h"
#include "base/hash.h"
#include "base/mem.h"
#include "text/analyse/breaks.h"
#include "text/analyse/emit.h"
#include "text/analyse/token.h"
#include <assert.h>
#include <errno.h>
#include <libstemmer.h>
#include <stdlib.h>
#include <string.h>

enum { VOCAB_BYTES_MAX = 24 * 1024 * 1024 };

int rk_analyser_knows(const char *language)
{
	struct sb_stemmer *s;

	if (strcmp(language, "none") == 0)
		return 1;
	s = sb_stemmer_new(language, NULL);
	sb_stemmer_delete(s);
	return s != NULL;
}

static void stemming_free(struct stemming *v)
{
	if (!v)
		return;
	if (v->stemmer)
		sb_stemmer_delete(v->stemmer);
	for (int i = 0; i < 2; i++) {
		rk_vocab_release(&v->raw[i]);
		rk_free(v->cache[i]);
	}
	rk_free(v);
}

static int stemming_new(const char *language, struct stemming **out)
{
	struct stemming *v = rk_calloc(1, sizeof(*v));
	int rc = v ? 0 : -ENOMEM;

	if (rc == 0 && ((rc = rk_vocab_init(&v->raw[0])) < 0 ||
			(rc = rk_vocab_init(&v->raw[1])) < 0)) {
		stemming_free(v);
		return rc;
	}
	if (rc < 0)
		return rc;
	v->language = rk_language_by_name(language);
	if (strcmp(language, "none") != 0 &&
	    !(v->stemmer = sb_stemmer_new(language, NULL))) {
		stemming_free(v);
		return -EINVAL;
	}
	*out = v;
	return 0;
}

int rk_analyser_new(const char *language, struct rk_analyser **out)
{
	struct rk_analyser *a = rk_calloc(1, sizeof(*a));
	int rc;

	if (!a)
		return -ENOMEM;
	a->epoch = 1;
	if ((rc = stemming_new(language, &a->stemmings[RK_LANGUAGE_BASE])) <
		    0 ||
	    (rc = rk_vocab_init(&a->vocab)) < 0) {
		rk_analyser_free(a);
		return rc;
	}
	a->v = a->stemmings[RK_LANGUAGE_BASE];
	*out = a;
	return 0;
}

int rk_analyser_use(struct rk_analyser *a, enum rk_language l)
{
	int rc = 0;

	if ((unsigned)l >= RK_LANGUAGES)
		l = RK_LANGUAGE_BASE;
	if (!a->stemmings[l])
		rc = stemming_new(rk_language_name(l), &a->stemmings[l]);
	/* a library without this stemmer: as the others */
	a->v = a->stemmings[rc == 0 ? l : RK_LANGUAGE_BASE];
	return rc == -ENOMEM ? rc : 0;
}

enum rk_language rk_analyser_language(const struct rk_analyser *a)
{
	return a->v->language;
}

void rk_analyser_also(struct rk_analyser *a, uint64_t languages)
{
	a->also = languages;
}

void rk_analyser_free(struct rk_analyser *a)
{
	if (!a)
		return;
	for (int i = 0; i < RK_LANGUAGES; i++)
		stemming_free(a->stemmings[i]);
	rk_breaks_free(a->breaks);
	rk_vocab_release(&a->vocab);
	rk_free(a->emit);
	rk_free(a->toks);
	rk_free(a);
}

void rk_analyser_reset(struct rk_analyser *a)
{
	a->ntoks = 0;
}

int64_t rk_analyser_intern(struct rk_analyser *a, const char *s, size_t n)
{
	return rk_vocab_id(&a->vocab, s, (uint32_t)n);
}

const struct rk_tok *rk_analyser_toks(const struct rk_analyser *a, size_t *n)
{
	*n = a->ntoks;
	return a->toks;
}

const struct rk_vocab *rk_analyser_vocab(const struct rk_analyser *a)
{
	return &a->vocab;
}

uint64_t rk_analyser_epoch(const struct rk_analyser *a)
{
	return a->epoch;
}

static size_t bytes_of(const struct rk_analyser *a)
{
	size_t n = rk_vocab_bytes(&a->vocab);

	for (int i = 0; i < RK_LANGUAGES; i++)
		if (a->stemmings[i])
			n += rk_vocab_bytes(&a->stemmings[i]->raw[0]) +
			     rk_vocab_bytes(&a->stemmings[i]->raw[1]);
	return n;
}

static void forget_cached(struct stemming *v, int code)
{
	for (uint32_t i = 0; i < v->cache_cap[code]; i++)
		v->cache[code][i].width = NOT_ANALYSED;
}

void rk_analyser_trim(struct rk_analyser *a)
{
	if (bytes_of(a) < VOCAB_BYTES_MAX)
		return;
	a->epoch++;
	a->nemit = 0;
	a->ntoks = 0;
	for (int i = 0; i < RK_LANGUAGES; i++)
		for (int k = 0; k < 2 && a->stemmings[i]; k++) {
			rk_vocab_clear(&a->stemmings[i]->raw[k]);
			forget_cached(a->stemmings[i], k);
		}
	rk_vocab_clear(&a->vocab);
}

static int cache_room(struct rk_analyser *a, int code)
{
	uint32_t need = a->v->raw[code].cap;
	struct cached *c;

	if (need <= a->v->cache_cap[code])
		return 0;
	c = rk_realloc(a->v->cache[code], need * sizeof(*c));
	if (!c)
		return -ENOMEM;
	for (uint32_t i = a->v->cache_cap[code]; i < need; i++)
		c[i].width = NOT_ANALYSED;
	a->v->cache[code] = c;
	a->v->cache_cap[code] = need;
	return 0;
}

/* The cached emissions of a raw token; NULL when memory is short. */
static const struct cached *lookup(struct rk_analyser *a, const char *s,
				   size_t n, int code)
{
	int64_t id = rk_vocab_id(&a->v->raw[code], s, (uint32_t)n);
	struct cached *c;
	uint32_t first = a->nemit;
	int width;

	if (id < 0 || cache_room(a, code) < 0)
		return NULL;
	c = &a->v->cache[code][id];
	if (c->width != NOT_ANALYSED)
		return c;
	width = rk_emit_raw(a, s, n, code);
	if (width < 0) { /* the next time again, not a half of it */
		a->nemit = first;
		return NULL;
	}
	*c = (struct cached){first, (uint16_t)(a->nemit - first),
			     (uint16_t)width};
	return c;
}

static int toks_room(struct rk_analyser *a, size_t n)
{
	size_t cap = a->toks_cap ? a->toks_cap : 1024;
	struct rk_tok *t;

	if (a->ntoks + n <= a->toks_cap)
		return 0;
	while (cap < a->ntoks + n)
		cap *= 2;
	t = rk_realloc(a->toks, cap * sizeof(*t));
	if (!t)
		return -ENOMEM;
	a->toks = t;
	a->toks_cap = cap;
	return 0;
}

/*
 * s[off, off+n) is a token: append what it gives. `extra`: only because it is
 * part of another.
 */
static int add_token(struct rk_analyser *a, const char *s, size_t off, size_t n,
		     int code, int extra, uint32_t pos)
{
	const struct cached *c = lookup(a, s + off, n, code);

	if (!c || toks_room(a, c->n) < 0)
		return -ENOMEM;
	for (uint32_t i = 0; i < c->n; i++) {
		struct emission e = a->emit[c->first + i];

		a->toks[a->ntoks++] = (struct rk_tok){
			e.term,	     pos + e.step, (uint32_t)off,
			(uint16_t)n, e.word,	   (uint8_t)(e.extra | extra)};
	}
	return c->width;
}

/* What other languages make of the token, beside what it gave from `first`. */
static int add_others(struct rk_analyser *a, const char *s, size_t off,
		      size_t n, int code, uint32_t pos, size_t first)
{
	struct stemming *own = a->v;
	int rc = 0;

	for (uint64_t left = a->also; left && rc >= 0; left &= left - 1) {
		size_t mine = a->ntoks, kept = mine;

		rc = rk_analyser_use(a,
				     (enum rk_language)__builtin_ctzll(left));
		if (rc == 0)
			rc = add_token(a, s, off, n, code, 1, pos);
		for (size_t i = mine; i < a->ntoks; i++) {
			size_t k = first;

			while (k < kept && a->toks[k].term != a->toks[i].term)
				k++;
			if (k == kept && !a->toks[i].word)
				a->toks[kept++] = a->toks[i];
		}
		a->ntoks = kept;
	}
	a->v = own;
	return rc < 0 ? rc : 0;
}

static int take(struct rk_analyser *a, const char *s, size_t off, size_t n,
		int code, uint32_t *pos)
{
	size_t first = a->ntoks;
	int rc = 0, width = add_token(a, s, off, n, code, 0, *pos);

	if (width >= 0 && a->also)
		rc = add_others(a, s, off, n, code, *pos, first);
	*pos += width > 0 ? (uint32_t)width : 0;
	return width < 0 ? width : rc;
}

/*
 * Overlapping pairs, and for who asks for a single character each of them: it
 * has no place of its own.
 */
static int add_pairs(struct rk_analyser *a, const char *s,
		     const struct rk_span *t, uint32_t *pos)
{
	size_t at = t->off, end = t->off + t->n;
	size_t one = rk_cluster(s + at, end - at);
	int rc = 0;

	if (one == t->n)
		return take(a, s, at, one, 0, pos);
	while (rc >= 0) {
		size_t next = at + one, two = 0;

		if (next < end) {
			two = rk_cluster(s + next, end - next);
			rc = add_token(a, s, at, one + two, 0, 0, *pos);
		}
		if (rc >= 0)
			rc = add_token(a, s, at, one, 0, 1, *pos);
		if (next == end)
			break;
		*pos += 1;
		at = next;
		one = two;
	}
	return rc < 0 ? rc : 0;
}

/* The last byte of a run's piece at off: at most RK_RUN_MAX, whole letters. */
static size_t piece_end(const char *s, size_t off, size_t end, size_t max)
{
	size_t at = off + max;

	if (end - off <= max)
		return end;
	while (at > off + 1 && ((uint8_t)s[at] & 0xc0) == 0x80)
		at--;
	return at;
}

static int add_run(struct rk_analyser *a, const char *s,
		   const struct rk_span *t, uint32_t *pos)
{
	uint16_t ends[RK_RUN_MAX];
	size_t at = t->off, end = t->off + t->n;
	int rc = 0;

	while (at < end && rc == 0) {
		size_t to = piece_end(s, at, end, RK_RUN_MAX), from = 0;
		int n = rk_breaks_find(&a->breaks, s + at, to - at, ends);

		for (int i = 0; i < n && rc == 0; i++) {
			/* a word that no dictionary has */
			size_t stop = piece_end(s, at + from, at + ends[i],
						RK_TOKEN_MAX) -
				      at;

			rc = take(a, s, at + from, stop - from, 0, pos);
			from = ends[i];
		}
		rc = n < 0 ? n : rc;
		at = to;
	}
	return rc;
}

/* What is written without a space for so long: its parts, or pieces. */
static int add_long(struct rk_analyser *a, const char *s,
		    const struct rk_span *t, int code, uint32_t *pos)
{
	size_t at = t->off, end = t->off + t->n;
	int encoded = rk_is_encoded(s + at, t->n), rc = 0;

	while (at < end && rc == 0) {
		size_t to =
			encoded ? end : at + rk_part_end(s + at, end - at, 0);

		to = piece_end(s, at, to, RK_PIECE);
		if (to > at && s[at] != '_' && s[at] != '-')
			rc = take(a, s, at, to - at, code, pos);
		at = to > at ? to : at + 1;
	}
	return rc;
}

int rk_analyse(struct rk_analyser *a, const char *s, size_t n, int code,
	       uint32_t *pos)
{
	struct rk_span t;
	size_t at = 0;
	int rc = 0;

	assert(n <= UINT32_MAX);
	while (rc == 0 && rk_token_next(s, n, code, &at, &t)) {
		if (t.kind == RK_C_CJK)
			rc = add_pairs(a, s, &t, pos);
		else if (t.kind == RK_C_RUN)
			rc = add_run(a, s, &t, pos);
		else if (t.n > RK_TOKEN_MAX)
			rc = add_long(a, s, &t, code, pos);
		else
			rc = take(a, s, t.off, t.n, code, pos);
	}
	return rc;
}
