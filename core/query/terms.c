/* SPDX-License-Identifier: MIT */
/* Words of a query to terms: as they are indexed, in every language there. */
#include "query/parse.h"
#include "text/analyse/fold.h"
#include "text/extract/property.h"
#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

enum { RESPELLINGS = 48 /* of a word that are tried */ };

char *rk_q_keep(struct parser *p, const char *s, size_t n)
{
	char *c = rk_arena_strndup(&p->q->arena, s, n);

	if (!c)
		p->err = -ENOMEM;
	return c;
}

/* With `more` besides, in the query's arena; s itself if it is not UTF-8. */
static const char *fold(struct parser *p, const char *s, size_t n, int more)
{
	utf8proc_uint8_t *folded = NULL;
	utf8proc_ssize_t len = utf8proc_map(
		(const utf8proc_uint8_t *)s, (utf8proc_ssize_t)n, &folded,
		(utf8proc_option_t)(UTF8PROC_STABLE | UTF8PROC_COMPOSE |
				    UTF8PROC_CASEFOLD | more));
	const char *kept;

	if (len == UTF8PROC_ERROR_NOMEM)
		p->err = -ENOMEM;
	kept = len >= 0 ? rk_q_keep(p, (char *)folded, (size_t)len)
			: rk_q_keep(p, s, n);
	free(folded); /* from utf8proc's own malloc */
	return p->err ? NULL : kept;
}

const char *rk_q_fold(struct parser *p, const char *s)
{
	return fold(p, s, strlen(s), 0);
}

/* A node, or NULL if there are too many or memory is short. */
struct rk_qnode *rk_q_node(struct parser *p, enum rk_node_kind kind,
			   enum rk_occur occur)
{
	struct rk_qnode *n;

	if (p->q->nnodes == RK_NODES_MAX)
		return NULL;
	n = rk_arena_alloc(&p->q->arena, sizeof(*n));
	if (!n) {
		p->err = -ENOMEM;
		return NULL;
	}
	p->q->nnodes++;
	*n = (struct rk_qnode){.kind = kind, .occur = occur, .phrase = -1};
	return n;
}

/* --- terms --- */

static void lower(char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		s[i] = (char)tolower((unsigned char)s[i]);
}

static struct rk_qterm *new_term(struct parser *p, const char *s, size_t n,
				 const char *surface, size_t surface_n)
{
	struct rk_query *q = p->q;
	struct rk_qterm *e = &q->terms[q->nterms];
	char *kept, *typed;

	if (q->nterms == RK_TERMS_MAX || n == 0 || n > RK_TERM_MAX)
		return NULL;
	kept = rk_q_keep(p, s, n);
	typed = rk_q_keep(p, surface, surface_n);
	if (!kept || !typed)
		return NULL;
	lower(typed, surface_n);
	*e = (struct rk_qterm){.s = kept,
			       .n = n,
			       .weight = 1,
			       .slot = p->slot,
			       .surface = typed,
			       .surface_n = surface_n,
			       .phrase = -1};
	q->nterms++;
	return e;
}

/* A word that was said before in a plain place only counts for more. */
static struct rk_qterm *said_before(struct parser *p, const struct rk_word *w)
{
	struct rk_query *q = p->q;

	for (unsigned i = 0; i < q->nterms; i++) {
		struct rk_qterm *t = &q->terms[i];

		if (t->n == w->n && t->phrase < 0 && t->weight > 0 &&
		    t->match == RK_TERM_EXACT && !memcmp(t->s, w->s, w->n))
			return t;
	}
	return NULL;
}

/* Spelling compares words without accents, as they are kept. */
static void fold_surface(struct parser *p, struct rk_qterm *e, const char *s,
			 size_t n)
{
	char low[RK_RESPELL_MAX], plain[RK_RESPELL_MAX];
	int64_t k = rk_fold_case(rk_analyser_language(p->a), s, n, low,
				 sizeof(low));

	if (k > 0)
		k = rk_fold_marks(low, (size_t)k, plain, sizeof(plain));
	if (k > 0 && (e->surface = rk_q_keep(p, plain, (size_t)k)))
		e->surface_n = (size_t)k;
}

static void add_term(struct parser *p, const struct rk_tok *t, const char *text,
		     int phrase, int part)
{
	const struct rk_word *w = &rk_analyser_vocab(p->a)->v[t->term];
	struct rk_qterm *e = new_term(p, w->s, w->n, text + t->off, t->len);

	if (!e)
		return;
	fold_surface(p, e, text + t->off, t->len);
	e->slot = p->slot + t->pos;
	e->len = t->len;
	e->typed = text + t->off;
	e->part = part;
	e->phrase = phrase;
	e->phrase_pos = t->pos;
}

/* In a phrase the parts stand for the whole identifier. */
static int stands_for_parts(const struct rk_tok *t, size_t n, size_t i)
{
	return i + 1 < n && t[i + 1].off == t[i].off && !t[i + 1].word &&
	       !t[i + 1].extra && t[i].word == 0 &&
	       (i == 0 || t[i - 1].off != t[i].off);
}

static int analyse(struct parser *p, const char *s, size_t n,
		   const struct rk_tok **toks, size_t *count)
{
	uint32_t pos = 0;

	rk_analyser_reset(p->a);
	p->err |= rk_analyse(p->a, s, n, 0, &pos);
	*toks = rk_analyser_toks(p->a, count);
	return (int)pos;
}

static void note_text(struct parser *p, const char *s, size_t n)
{
	if (p->q->text.n)
		rk_buf_byte(&p->q->text, ' ');
	rk_buf_add(&p->q->text, s, n);
	if (p->q->text.err)
		p->err = -ENOMEM;
}

static void add_form(struct parser *p, struct rk_qterm *t,
		     const struct rk_word *w, enum rk_language l)
{
	if (t->n == w->n && memcmp(t->s, w->s, w->n) == 0)
		return;
	for (unsigned i = 0; i < t->nalts; i++)
		if (t->alts[i].language == l && !strcmp(t->alts[i].s, w->s))
			return;
	if (t->nalts == RK_ALTS_MAX)
		return;
	t->alts[t->nalts].language = (uint8_t)l;
	t->alts[t->nalts].s = rk_q_keep(p, w->s, w->n);
	t->nalts += t->alts[t->nalts].s != NULL;
}

/* The same tokens as the language in use stems them. */
static void add_stems(struct parser *p, const char *s, size_t n, unsigned first,
		      uint32_t base_pos, enum rk_language l)
{
	const struct rk_tok *toks;
	size_t count;

	analyse(p, s, n, &toks, &count);
	for (size_t i = 0; i < count; i++)
		for (unsigned t = first; t < p->q->nterms; t++) {
			struct rk_qterm *e = &p->q->terms[t];

			/* the same place is the same word */
			if (!toks[i].word && !toks[i].extra && !e->part &&
			    e->len == toks[i].len &&
			    e->slot == base_pos + toks[i].pos)
				add_form(p, e,
					 &rk_analyser_vocab(p->a)
						  ->v[toks[i].term],
					 l);
		}
}

/* A word as who leaves accents out, or writes them, would have meant it. */
static void add_respellings(struct parser *p, struct rk_qterm *e,
			    enum rk_language l)
{
	enum rk_language way = rk_analyser_language(p->a);
	char low[RK_RESPELL_MAX], other[RK_RESPELL_MAX + 8];
	int64_t n = rk_fold_case(way, e->typed, e->len, low, sizeof(low));
	size_t m;

	for (unsigned i = 0;
	     n > 2 && !p->err && i < RESPELLINGS &&
	     (m = rk_respelling(way, low, (size_t)n, i, other, sizeof(other)));
	     i++) {
		const struct rk_tok *toks;
		size_t count;

		analyse(p, other, m, &toks, &count);
		if (count && !toks[0].word && (count == 1 || toks[1].word))
			add_form(p, e,
				 &rk_analyser_vocab(p->a)->v[toks[0].term], l);
	}
}

/* What the languages of the index make of the same tokens. */
static void add_alternatives(struct parser *p, const char *s, size_t n,
			     unsigned first, uint32_t base_pos)
{
	uint64_t left = p->languages | 1;

	for (; left && p->q->nterms > first && !p->err; left &= left - 1) {
		enum rk_language l = (enum rk_language)__builtin_ctzll(left);

		p->err |= rk_analyser_use(p->a, l);
		if (l != RK_LANGUAGE_BASE)
			add_stems(p, s, n, first, base_pos, l);
		for (unsigned t = first; t < p->q->nterms; t++)
			if (!p->q->terms[t].part)
				add_respellings(p, &p->q->terms[t], l);
	}
	p->err |= rk_analyser_use(p->a, RK_LANGUAGE_BASE);
}

/*
 * The terms of one word or phrase, as a node; NULL if nothing in it is
 * indexed, or all of it has been said.
 */
struct rk_qnode *rk_q_text(struct parser *p, const char *s, size_t n,
			   enum rk_occur occur, int phrase)
{
	unsigned first = p->q->nterms;
	struct rk_qnode *node;
	const struct rk_tok *toks;
	size_t count, found = 0;
	int pos = analyse(p, s, n, &toks, &count);
	uint32_t base_pos = p->slot;

	for (size_t i = 0; i < count && !p->err; i++) {
		const struct rk_word *w;
		struct rk_qterm *said;

		if (toks[i].word || toks[i].extra ||
		    (phrase >= 0 && stands_for_parts(toks, count, i)))
			continue;
		found++;
		w = &rk_analyser_vocab(p->a)->v[toks[i].term];
		said = phrase < 0 && occur == RK_SHOULD && p->depth == 0
			       ? said_before(p, w)
			       : NULL;
		if (said)
			said->weight += 1;
		else
			add_term(p, &toks[i], s, phrase,
				 stands_for_parts(toks, count, i) ||
					 (i && toks[i - 1].off == toks[i].off &&
					  !toks[i - 1].word));
	}
	add_alternatives(p, s, n, first, base_pos);
	if (occur != RK_NOT)
		note_text(p, s, n);
	if (n && found == 0 && pos > 0)
		p->q->only_stop_words = 1;
	p->slot += (uint32_t)pos;
	if (p->q->nterms == first ||
	    !(node = rk_q_node(p, phrase < 0 ? RK_NODE_WORD : RK_NODE_PHRASE,
			       occur)))
		return NULL;
	node->term = first;
	node->nterms = p->q->nterms - first;
	node->phrase = phrase;
	return node;
}

/* A word's own letters, folded and not stemmed: what prefixes compare with. */
static struct rk_qterm *unstemmed(struct parser *p, const char *s, size_t n)
{
	const struct rk_tok *toks;
	char text[RK_TERM_MAX];
	size_t count, at = 0;
	int ascii = 1;

	for (size_t i = 0; i < n; i++)
		ascii &= (unsigned char)s[i] < 0x80;
	if (n == 0 || n > 64)
		return NULL;
	memcpy(text, s, n);
	lower(text, n);
	if (ascii)
		return new_term(p, text, n, s, n);
	analyse(p, s, n, &toks, &count);
	while (at + 1 < count && !toks[at].word)
		at++;
	if (count == 0)
		return NULL;
	{
		const struct rk_word *w =
			&rk_analyser_vocab(p->a)->v[toks[at].term];
		size_t mark = toks[at].word != 0;

		return new_term(p, w->s + mark, w->n - mark, s, n);
	}
}

/* Folded as words are, its wildcards untouched. */
static struct rk_qterm *glob_term(struct parser *p, const char *s, size_t n)
{
	const char *folded =
		fold(p, s, n,
		     UTF8PROC_COMPAT | UTF8PROC_IGNORE | UTF8PROC_STRIPMARK);

	return folded ? new_term(p, folded, strlen(folded), s, n) : NULL;
}

struct rk_qnode *rk_q_expanding(struct parser *p, const char *s, size_t n,
				enum rk_occur occur, enum rk_term_match match)
{
	unsigned first = p->q->nterms;
	struct rk_qterm *t =
		match == RK_TERM_GLOB ? glob_term(p, s, n) : unstemmed(p, s, n);
	struct rk_qnode *node;

	assert(match != RK_TERM_EXACT);
	if (!t || !(node = rk_q_node(p, RK_NODE_WORD, occur)))
		return NULL;
	t->match = match;
	if (occur != RK_NOT)
		note_text(p, s, n);
	p->slot++;
	node->term = first;
	node->nterms = 1;
	return node;
}

/* --- properties: sym: tag: meta.key: --- */

struct rk_qnode *rk_q_property(struct parser *p, char kind, const char *key,
			       size_t key_n, const char *value,
			       enum rk_occur occur)
{
	struct rk_compare cmp;
	struct rk_qterm *t;
	struct rk_qnode *node;
	char name[RK_TERM_MAX], *range;
	unsigned first = p->q->nterms;
	size_t n, v;

	if (!(range = rk_q_keep(p, value, strlen(value))))
		return NULL;
	if (!rk_compare_range(&cmp, range))
		rk_compare_parse(&cmp, value);
	v = cmp.op == '=' ? strlen(cmp.value) : 0;
	n = rk_property_name(name, kind, key, key_n, cmp.value, v);
	if (n == 0 || !(t = new_term(p, name, n, value, strlen(value))) ||
	    !(node = rk_q_node(p, RK_NODE_PROPERTY, occur)))
		return NULL;
	t->weight = 0;
	t->compare = cmp;
	t->match = cmp.op == '=' ? RK_TERM_EXACT : RK_TERM_RANGE;
	node->term = first;
	node->nterms = 1;
	return node;
}

/* --- wildcards --- */

static size_t letter(const char *s, size_t n)
{
	size_t k = 1;

	while (k < n && ((unsigned char)s[k] & 0xc0) == 0x80)
		k++;
	return k;
}

/* Greedy with one way back, to the last star: linear for few stars. */
int rk_word_glob(const char *p, size_t pn, const char *s, size_t n)
{
	size_t i = 0, k = 0, star = SIZE_MAX, back = 0;

	while (k < n) {
		if (i < pn && p[i] == '*') {
			star = i++;
			back = k;
		} else if (i < pn && p[i] == '?') {
			i++;
			k += letter(s + k, n - k);
		} else if (i < pn && p[i] == s[k]) {
			i++;
			k++;
		} else if (star != SIZE_MAX) {
			i = star + 1;
			back += letter(s + back, n - back);
			k = back;
		} else {
			return 0;
		}
	}
	while (i < pn && p[i] == '*')
		i++;
	return i == pn;
}
