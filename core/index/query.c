/* SPDX-License-Identifier: MIT */
#include "index/query.h"
#include <ctype.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { HITS_MAX = 1000 };

struct parser {
	struct rk_query *q;
	struct rk_analyser *a;
	const char *s, *end;
	uint32_t slot;
};

void rk_query_release(struct rk_query *q)
{
	rk_arena_release(&q->arena);
	rk_buf_release(&q->text);
}

/* --- terms --- */

static struct rk_qterm *find_term(struct rk_query *q, const char *s, size_t n,
				  enum rk_occur occur)
{
	for (unsigned i = 0; i < q->nterms; i++)
		if (q->terms[i].n == n && q->terms[i].occur == occur &&
		    q->terms[i].phrase < 0 && !memcmp(q->terms[i].s, s, n))
			return &q->terms[i];
	return NULL;
}

static int add_term(struct parser *p, const struct rk_tok *t, const char *text,
		    enum rk_occur occur, int phrase)
{
	const struct rk_word *w = &rk_analyser_vocab(p->a)->v[t->term];
	struct rk_query *q = p->q;
	struct rk_qterm *e =
		phrase < 0 ? find_term(q, w->s, w->n, occur) : NULL;

	if (e) {
		e->weight += 1;
		return 0;
	}
	if (q->nterms == RK_TERMS_MAX)
		return 0;
	e = &q->terms[q->nterms];
	*e = (struct rk_qterm){
		.s = rk_arena_strndup(&q->arena, w->s, w->n),
		.n = w->n,
		.occur = occur,
		.weight = 1,
		.slot = p->slot + t->pos,
		.surface = rk_arena_strndup(&q->arena, text + t->off, t->len),
		.surface_n = t->len,
		.phrase = phrase,
		.phrase_pos = t->pos,
	};
	if (!e->s || !e->surface)
		return -ENOMEM;
	for (size_t i = 0; i < e->surface_n; i++)
		((char *)(uintptr_t)e->surface)[i] =
			(char)tolower((unsigned char)e->surface[i]);
	q->nterms++;
	return 0;
}

/* Analyse one word or phrase and add its terms. */
static int add_text(struct parser *p, const char *s, size_t n,
		    enum rk_occur occur, int phrase)
{
	const struct rk_tok *toks;
	uint32_t pos = 0;
	size_t count, added = 0;
	int rc;

	if (occur != RK_NOT) {
		if (p->q->text.n)
			rk_buf_byte(&p->q->text, ' ');
		rk_buf_add(&p->q->text, s, n);
		if (p->q->text.err)
			return -ENOMEM;
	}
	rk_analyser_reset(p->a);
	if ((rc = rk_analyse(p->a, s, n, 0, &pos)) < 0)
		return rc;
	toks = rk_analyser_toks(p->a, &count);
	for (size_t i = 0; i < count && rc == 0; i++) {
		/* in a phrase the parts stand for the whole identifier */
		int whole = i + 1 < count && toks[i + 1].off == toks[i].off &&
			    !toks[i + 1].word && toks[i].word == 0 &&
			    (i == 0 || toks[i - 1].off != toks[i].off);

		if (toks[i].word || (phrase >= 0 && whole))
			continue;
		rc = add_term(p, &toks[i], s, occur, phrase);
		added++;
	}
	if (n && added == 0 && pos)
		p->q->only_stop_words = 1;
	p->slot += pos;
	return rc;
}

static int add_phrase(struct parser *p, const char *s, size_t n,
		      enum rk_occur occur)
{
	int phrase = (int)p->q->nphrases;
	unsigned before = p->q->nterms;
	int rc;

	if (occur == RK_NOT || phrase == RK_PHRASES_MAX)
		return add_text(p, s, n, occur, -1);
	rc = add_text(p, s, n, RK_MUST, phrase);
	if (p->q->nterms > before)
		p->q->nphrases++;
	return rc;
}

/* --- keys --- */

static int set_format(struct rk_query *q, const char *v)
{
	static const struct {
		const char *name;
		enum rk_format format;
	} FORMATS[] = {{"text", RK_AS_TEXT},
		       {"json", RK_AS_JSON},
		       {"jsonl", RK_AS_JSONL},
		       {"paths", RK_AS_PATHS},
		       {"lines", RK_AS_LINES}};

	for (size_t i = 0; i < sizeof(FORMATS) / sizeof(FORMATS[0]); i++)
		if (strcasecmp(FORMATS[i].name, v) == 0) {
			q->format = FORMATS[i].format;
			return 1;
		}
	return 0;
}

static int set_hits(struct rk_query *q, const char *v)
{
	char *end;
	long n = strtol(v, &end, 10);

	if (end == v || *end || n < 1)
		return 0;
	q->hits = n > HITS_MAX ? HITS_MAX : n;
	return 1;
}

static int set_mode(struct rk_query *q, const char *v)
{
	static const char *const MODES[] = {"hybrid", "lexical", "vector"};

	for (int i = 0; i < 3; i++)
		if (strcasecmp(MODES[i], v) == 0) {
			q->mode = (enum rk_mode)i;
			return 1;
		}
	return 0;
}

static int add_filter(struct rk_query *q, enum rk_filter_kind kind,
		      const char *v, int negate)
{
	if (q->nfilters == RK_FILTERS_MAX || *v == '\0')
		return 0;
	q->filters[q->nfilters].kind = kind;
	q->filters[q->nfilters].negate = negate;
	q->filters[q->nfilters].value = v;
	q->nfilters++;
	return 1;
}

/* 1: `key:value` was understood; 0: it is ordinary text. */
static int apply_key(struct parser *p, const char *key, size_t key_n,
		     const char *v, int negate)
{
	static const char *const KEYS[] = {"as",   "n",	  "mode",
					   "path", "ext", "like"};
	enum { NKEYS = sizeof(KEYS) / sizeof(KEYS[0]) };
	size_t k = 0;

	while (k < NKEYS && (strlen(KEYS[k]) != key_n ||
			     strncasecmp(KEYS[k], key, key_n) != 0))
		k++;
	switch (k) {
	case 0:
		return set_format(p->q, v);
	case 1:
		return set_hits(p->q, v);
	case 2:
		return set_mode(p->q, v);
	case 3:
		return add_filter(p->q, RK_BY_PATH, v, negate);
	case 4:
		return add_filter(p->q, RK_BY_EXT, v, negate);
	case 5:
		if (*v == '\0' || negate)
			return 0;
		p->q->like = v;
		return 1;
	default:
		return 0;
	}
}

/* --- items --- */

/* The end of a quoted string that starts behind a quote; cut at the end. */
static const char *quote_end(const struct parser *p, const char *s)
{
	const char *q = memchr(s, '"', (size_t)(p->end - s));

	return q ? q : p->end;
}

static const char *word_end(const struct parser *p, const char *s)
{
	while (s < p->end && !isspace((unsigned char)*s) && *s != '"' &&
	       *s != '(' && *s != ')')
		s++;
	return s;
}

static const char *key_colon(const char *s, const char *end)
{
	const char *c = s;

	while (c < end && islower((unsigned char)*c))
		c++;
	return c < end && c > s && *c == ':' ? c : NULL;
}

/* `key:value` or `key:"value"` at s. 1: taken, 0: text, or -ENOMEM. */
static int parse_key(struct parser *p, const char *s, int negate,
		     const char **after)
{
	const char *colon = key_colon(s, p->end), *v, *end;
	char *value;

	if (!colon)
		return 0;
	v = colon + 1;
	if (v < p->end && *v == '"') {
		end = quote_end(p, ++v);
		*after = end < p->end ? end + 1 : end;
	} else {
		for (end = v; end < p->end && !isspace((unsigned char)*end);)
			end++;
		*after = end;
	}
	value = rk_arena_strndup(&p->q->arena, v, (size_t)(end - v));
	if (!value)
		return -ENOMEM;
	return apply_key(p, s, (size_t)(colon - s), value, negate);
}

static int is_operator(const char *s, size_t n)
{
	return (n == 2 && !memcmp(s, "OR", 2)) ||
	       (n == 3 && !memcmp(s, "AND", 3));
}

static int parse_item(struct parser *p)
{
	enum rk_occur occur = RK_SHOULD;
	const char *s = p->s, *end;
	int rc;

	if ((*s == '-' || *s == '+') && s + 1 < p->end &&
	    !isspace((unsigned char)s[1]) && s[1] != '-' && s[1] != '+') {
		occur = *s == '-' ? RK_NOT : RK_MUST;
		s++;
	}
	if ((rc = parse_key(p, s, occur == RK_NOT, &end)) != 0) {
		p->s = end;
		return rc < 0 ? rc : 0;
	}
	if (*s == '"') {
		end = quote_end(p, ++s);
		p->s = end < p->end ? end + 1 : end;
		return add_phrase(p, s, (size_t)(end - s), occur);
	}
	end = word_end(p, s);
	p->s = end > p->s ? end : p->s + 1;
	if (end == s || is_operator(s, (size_t)(end - s)))
		return 0;
	return add_text(p, s, (size_t)(end - s), occur, -1);
}

int rk_query_parse(struct rk_query *q, struct rk_analyser *a, const char *s,
		   size_t n)
{
	struct parser p = {q, a, s, s + n, 0};
	int rc = 0;

	memset(q, 0, sizeof(*q));
	q->hits = -1;
	while (p.s < p.end && rc == 0) {
		if (isspace((unsigned char)*p.s) || *p.s == '(' || *p.s == ')')
			p.s++;
		else
			rc = parse_item(&p);
	}
	if (q->nterms)
		q->only_stop_words = 0;
	return rc;
}

/* --- filters --- */

/* A glob on the whole path; without slash or wildcard, any part of it. */
static int path_matches(const char *glob, const char *path)
{
	size_t n = strlen(glob);

	if (*glob == '/') {
		glob++;
		n--;
	}
	if (!strpbrk(glob, "*?[")) {
		if (strchr(glob, '/'))
			return strncmp(path, glob, n) == 0 &&
			       (path[n] == '\0' || path[n] == '/' ||
				(n && glob[n - 1] == '/'));
		return strcasestr(path, glob) != NULL;
	}
	if (fnmatch(glob, path, 0) == 0)
		return 1;
	if (!strchr(glob, '/')) { /* as a name, anywhere */
		const char *base = strrchr(path, '/');

		return fnmatch(glob, base ? base + 1 : path, 0) == 0;
	}
	return 0;
}

static int ext_matches(const char *list, const char *path)
{
	const char *base = strrchr(path, '/');
	const char *dot = strrchr(base ? base : path, '.');
	size_t n = dot ? strlen(++dot) : 0;

	while (dot && *list) {
		size_t k = strcspn(list, ",");
		const char *e = list + (*list == '.');

		if ((size_t)(list + k - e) == n && !strncasecmp(e, dot, n))
			return 1;
		list += k + (list[k] == ',');
	}
	return 0;
}

/* Any of the same kind must match, every kind must, none negated may. */
int rk_query_path_ok(const struct rk_query *q, const char *path)
{
	int want[2] = {0, 0}, have[2] = {0, 0};

	if (q->like && strcmp(q->like, path) == 0)
		return 0;
	for (unsigned i = 0; i < q->nfilters; i++) {
		const struct rk_filter *f = &q->filters[i];
		int yes = f->kind == RK_BY_PATH ? path_matches(f->value, path)
						: ext_matches(f->value, path);

		if (f->negate && yes)
			return 0;
		if (!f->negate) {
			want[f->kind] = 1;
			have[f->kind] |= yes;
		}
	}
	return (!want[0] || have[0]) && (!want[1] || have[1]);
}
