/* SPDX-License-Identifier: MIT */
/*
 * The vocabulary. What is searched by is a term, often the stem of many words;
 * what a person wants to read is a word. So an entry is a term, under the most
 * frequent of the words that are known to stand behind it, or under its own
 * name where it is a word itself. Its count is that of its postings: passages
 * that a query for the word finds.
 *
 * Dictionaries and tables are walked once, all of them, and put together by
 * name; of very large vocabularies what is rare is dropped on the way.
 */
#include "base/mem.h"
#include "index/search/candidates.h"
#include "index/search/lookup.h"
#include "index/search/session.h"
#include "index/state/internal.h"
#include "text/extract/property.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
	NAMES_MAX = 200000, /* held at a time; then the rarer half goes */
	WORDS_MAX = 20000,  /* whose stems are looked for */
	SUFFIX = 2,	    /* letters by which a stem and its words differ */
};

struct name {
	const char *s;
	size_t n;
	uint64_t df;
};

struct names {
	struct name *v;
	size_t n, cap;
};

/* A term, with the words that stand behind it. */
struct group {
	struct name term;
	uint64_t words; /* passages with one of them */
	struct name best;
};

struct vocabulary {
	struct rk_searching *s;
	const char *prefix;
	size_t prefix_n;
	struct names terms, words;
	struct group *group; /* by name of the term */
	size_t ngroups;
	uint64_t languages; /* bit l: of rk_language l */
};

struct listing {
	struct rk_terms out;
	struct rk_arena arena;
};

/* Can it begin a word: no mark of other entries, not too long? */
static int is_text(const char *s, size_t n)
{
	return n == 0 ||
	       (n <= RK_TOKEN_MAX && (unsigned char)*s > RK_PROPERTY_MARK);
}

static void fold(const char *s, size_t n, char *out)
{
	for (size_t i = 0; i < n; i++)
		out[i] =
			s[i] >= 'A' && s[i] <= 'Z' ? (char)(s[i] | 0x20) : s[i];
}

/* --- names of all sources --- */

static int begins_with(const struct name *e, const char *p, size_t n)
{
	return e->n >= n && memcmp(e->s, p, n) == 0;
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

/* One a name; of more than `most` the most frequent. In order of names. */
static void unite(struct names *l, size_t most)
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
	if (l->n <= most)
		return;
	qsort(l->v, l->n, sizeof(*l->v), by_df);
	l->n = most;
	qsort(l->v, l->n, sizeof(*l->v), by_name);
}

static int make_room(struct names *l)
{
	size_t cap = l->cap ? 2 * l->cap : 1024;
	struct name *v;

	if (l->n >= NAMES_MAX)
		unite(l, NAMES_MAX / 2);
	if (l->n < l->cap)
		return 0;
	if (!(v = rk_realloc(l->v, cap * sizeof(*v))))
		return -ENOMEM;
	l->v = v;
	l->cap = cap;
	return 0;
}

static int add_name(struct vocabulary *v, struct names *l, const char *s,
		    size_t n, uint64_t df)
{
	char *copy;

	if (n == 0 || df == 0)
		return 0;
	if (make_room(l) < 0 || !(copy = rk_arena_strndup(&v->s->arena, s, n)))
		return -ENOMEM;
	l->v[l->n++] = (struct name){copy, n, df};
	return 0;
}

/* A word, by its mark; a term; or a property, which nobody has written. */
static int consider(struct vocabulary *v, const char *s, size_t n, uint64_t df)
{
	struct name e = {s, n, df};
	size_t near = v->prefix_n > SUFFIX ? v->prefix_n - SUFFIX : 0;

	if (n && *s == RK_WORD_MARK) {
		e = (struct name){s + 1, n - 1, df};
		return begins_with(&e, v->prefix, near)
			       ? add_name(v, &v->words, e.s, e.n, df)
			       : 0;
	}
	if (n == 0 || (unsigned char)*s <= RK_PROPERTY_MARK ||
	    !begins_with(&e, v->prefix, v->prefix_n))
		return 0;
	return add_name(v, &v->terms, s, n, df);
}

static int is_cancelled(const struct vocabulary *v)
{
	return v->s->opts.cancel && *v->s->opts.cancel;
}

/* All of a dictionary that begins so. */
static int walk_dict(struct vocabulary *v, struct rk_segment *seg,
		     const char *from, size_t n)
{
	const struct rk_dict *d = rk_segment_dict(seg);
	struct rk_dict_iter it;
	int rc = 0;

	if (!d)
		return 0;
	rk_dict_seek(d, from, n, &it);
	while (rc == 0 && rk_dict_next(&it) == 1 && it.n >= n &&
	       memcmp(it.term, from, n) == 0)
		rc = is_cancelled(v) ? RK_ECANCELLED
				     : consider(v, it.term, it.n, it.e.df);
	return rc;
}

static int walk_segment(struct vocabulary *v, struct rk_segment *seg)
{
	size_t near = v->prefix_n > SUFFIX ? v->prefix_n - SUFFIX : 0;
	char word[RK_TERM_MAX + 1] = {RK_WORD_MARK};
	int rc;

	if (v->prefix_n == 0) /* words and terms */
		return walk_dict(v, seg, "", 0);
	memcpy(word + 1, v->prefix, near);
	rc = walk_dict(v, seg, word, near + 1);
	return rc ? rc : walk_dict(v, seg, v->prefix, v->prefix_n);
}

static int walk_table(struct vocabulary *v, const struct rk_memtable *m)
{
	int rc = 0;

	for (uint32_t i = 0; i < m->vocab.n && i < m->terms_cap && rc == 0; i++)
		rc = consider(v, m->vocab.v[i].s, m->vocab.v[i].n,
			      m->terms[i].df);
	return rc;
}

static int walk(struct vocabulary *v)
{
	int rc = 0;

	v->languages = rk_spoken(v->s->snap.view, RK_SHARE);
	for (unsigned i = 0; i < v->s->nsrc && rc == 0; i++)
		rc = v->s->src[i].bad	? 0
		     : v->s->src[i].mem ? walk_table(v, v->s->src[i].mem)
					: walk_segment(v, v->s->src[i].seg);
	unite(&v->terms, NAMES_MAX);
	unite(&v->words, WORDS_MAX);
	return rc;
}

/* --- words and their terms --- */

/* The term of a word in a language, if it has any; borrowed. 1, 0, -ENOMEM. */
static int stem(struct rk_analyser *a, const char *s, size_t n, unsigned l,
		struct name *out)
{
	const struct rk_tok *toks;
	const struct rk_word *w;
	uint32_t pos = 0;
	size_t count;
	int rc = rk_analyser_use(a, (enum rk_language)l);

	rk_analyser_reset(a);
	if (rc < 0 || (rc = rk_analyse(a, s, n, 0, &pos)) < 0)
		return rc;
	toks = rk_analyser_toks(a, &count);
	if (count == 0)
		return 0;
	w = &rk_analyser_vocab(a)->v[toks[0].term];
	*out = (struct name){.s = w->s, .n = w->n};
	return 1;
}

static struct group *group_of(const struct vocabulary *v, const struct name *e)
{
	size_t lo = 0, hi = v->ngroups;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int c = by_name(&v->group[mid].term, e);

		if (c == 0)
			return &v->group[mid];
		if (c < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}

static int is_spoken(const struct vocabulary *v, unsigned l)
{
	return l == RK_LANGUAGE_BASE || (v->languages >> l & 1);
}

/* Terms that a word with the prefix stands for and that do not have it. */
static int add_stems(struct vocabulary *v)
{
	int rc = 0;

	for (size_t i = 0; i < v->words.n && rc >= 0; i++) {
		const struct name *w = &v->words.v[i];
		struct name t;

		if (is_cancelled(v))
			return RK_ECANCELLED;
		if (!begins_with(w, v->prefix, v->prefix_n))
			continue;
		for (unsigned l = 0; l < RK_LANGUAGES && rc >= 0; l++) {
			if (!is_spoken(v, l) ||
			    (rc = stem(v->s->a, w->s, w->n, l, &t)) <= 0 ||
			    begins_with(&t, v->prefix, v->prefix_n))
				continue;
			t.df = rk_count_postings(v->s, t.s, t.n);
			rc = add_name(v, &v->terms, t.s, t.n, t.df);
		}
	}
	return rc < 0 ? rc : 0;
}

/* The same term may have come from several words: its count is one of them. */
static int make_groups(struct vocabulary *v)
{
	struct names *l = &v->terms;

	if (l->n == 0)
		return 0;
	qsort(l->v, l->n, sizeof(*l->v), by_name);
	v->group = rk_calloc(l->n, sizeof(*v->group));
	if (!v->group)
		return -ENOMEM;
	for (size_t i = 0; i < l->n; i++)
		if (i == 0 || by_name(&l->v[i - 1], &l->v[i]) != 0)
			v->group[v->ngroups++].term = l->v[i];
	return 0;
}

static void count_word(struct group *g, const struct vocabulary *v,
		       const struct name *w)
{
	g->words += w->df;
	if (begins_with(w, v->prefix, v->prefix_n) && w->df > g->best.df)
		g->best = *w;
}

/* What it stands for in each language: the term that is found most often. */
static int join_word(struct vocabulary *v, const struct name *w)
{
	struct group *best = NULL;

	for (unsigned l = 0; l < RK_LANGUAGES; l++) {
		struct group *g;
		struct name t;
		int rc = is_spoken(v, l) ? stem(v->s->a, w->s, w->n, l, &t) : 0;

		if (rc < 0)
			return rc;
		g = rc ? group_of(v, &t) : NULL;
		if (g && (!best || g->term.df > best->term.df))
			best = g;
	}
	if (best)
		count_word(best, v, w);
	return 0;
}

static int join_words(struct vocabulary *v)
{
	int rc = 0;

	for (size_t i = 0; i < v->words.n && rc == 0; i++)
		rc = is_cancelled(v) ? RK_ECANCELLED
				     : join_word(v, &v->words.v[i]);
	return rc;
}

/* What it is shown as; n is 0: a stem of words that begin otherwise. */
static struct name shown(const struct vocabulary *v, const struct group *g)
{
	uint64_t own = g->term.df > g->words ? g->term.df - g->words : 0;
	/* a passage with two words is taken off twice: own is the least */
	int is_own = begins_with(&g->term, v->prefix, v->prefix_n) && own > 0 &&
		     own >= g->best.df;
	struct name e = is_own ? g->term : g->best;

	e.df = g->term.df;
	return e;
}

/* --- the listing --- */

static int put(struct vocabulary *v, size_t most, struct listing *l)
{
	struct names *e = &v->terms; /* its room is used again */

	e->n = 0;
	for (size_t i = 0; i < v->ngroups; i++) {
		e->v[e->n] = shown(v, &v->group[i]);
		e->n += e->v[e->n].n != 0;
	}
	if (e->n)
		qsort(e->v, e->n, sizeof(*e->v), by_df);
	most = e->n < most ? e->n : most;
	l->out.v = rk_arena_alloc(&l->arena, (most + 1) * sizeof(*l->out.v));
	if (!l->out.v)
		return -ENOMEM;
	for (size_t i = 0; i < most; i++) {
		char *s = rk_arena_strndup(&l->arena, e->v[i].s, e->v[i].n);

		if (!s)
			return -ENOMEM;
		l->out.v[l->out.n++] = (struct rk_term){s, e->v[i].df};
	}
	return 0;
}

static int gather(struct vocabulary *v, size_t most, struct listing *l)
{
	int rc = rk_sources_open(v->s);

	if (rc < 0 || (rc = walk(v)) < 0 || (rc = add_stems(v)) < 0 ||
	    (rc = make_groups(v)) < 0 || (rc = join_words(v)) < 0)
		return rc;
	return put(v, most, l);
}

void rk_terms_free(struct rk_terms *t)
{
	struct listing *l = (struct listing *)t;

	if (l)
		rk_arena_release(&l->arena);
	rk_free(l);
}

static int run(struct vocabulary *v, struct rk_index *ix, size_t most,
	       const struct rk_search_opts *opts, struct listing *l)
{
	int rc = rk_searching_begin(v->s, ix, opts);

	if (rc == 0)
		rc = gather(v, most, l);
	if (v->s->a && rk_analyser_use(v->s->a, RK_LANGUAGE_BASE) < 0 &&
	    rc == 0)
		rc = -ENOMEM;
	rk_searching_end(v->s);
	rk_free(v->terms.v);
	rk_free(v->words.v);
	rk_free(v->group);
	return rc;
}

int rk_terms(struct rk_index *ix, const char *prefix, size_t n, size_t most,
	     const struct rk_search_opts *opts, struct rk_terms **out)
{
	struct rk_searching *s = rk_calloc(1, sizeof(*s));
	struct listing *l = rk_calloc(1, sizeof(*l));
	char low[RK_TOKEN_MAX];
	struct vocabulary v = {.s = s, .prefix = low, .prefix_n = n};
	int rc = s && l ? 0 : -ENOMEM;

	if (rc == 0 && is_text(prefix, n)) {
		fold(prefix, n, low);
		rc = run(&v, ix, most, opts, l);
	}
	rk_free(s);
	if (rc < 0)
		rk_terms_free(l ? &l->out : NULL);
	else
		*out = &l->out;
	return rc;
}

/* --- one word --- */

static int count(struct rk_searching *s, const char *word, size_t n,
		 uint64_t *out)
{
	struct vocabulary v = {.s = s};
	int rc = rk_sources_open(s);

	if (rc < 0)
		return rc;
	v.languages = rk_spoken(s->snap.view, RK_SHARE);
	*out = rk_count_postings(s, word, n); /* a term by itself, perhaps */
	for (unsigned l = 0; l < RK_LANGUAGES && rc >= 0; l++) {
		struct name t;

		if (!is_spoken(&v, l) || (rc = stem(s->a, word, n, l, &t)) <= 0)
			continue;
		t.df = rk_count_postings(s, t.s, t.n);
		*out = t.df > *out ? t.df : *out;
	}
	return rc < 0 ? rc : 0;
}

int rk_term_count(struct rk_index *ix, const char *word, size_t n,
		  const struct rk_search_opts *opts, uint64_t *out)
{
	struct rk_searching *s = rk_calloc(1, sizeof(*s));
	int rc = s ? rk_searching_begin(s, ix, opts) : -ENOMEM;
	char low[RK_TOKEN_MAX];

	*out = 0;
	if (rc == 0 && is_text(word, n)) {
		fold(word, n, low);
		rc = count(s, low, n, out);
	}
	if (s && s->a && rk_analyser_use(s->a, RK_LANGUAGE_BASE) < 0 && rc == 0)
		rc = -ENOMEM;
	if (s)
		rk_searching_end(s);
	rk_free(s);
	return rc;
}
