/* SPDX-License-Identifier: MIT */
/* Words of a query to terms: as they are indexed, in every language there. */
#include "query/parse.h"
#include "text/extract/property.h"
#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <string.h>

char *rk_q_keep(struct parser *p, const char *s, size_t n)
{
	char *c = rk_arena_strndup(&p->q->arena, s, n);

	if (!c)
		p->err = -ENOMEM;
	return c;
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

static void add_term(struct parser *p, const struct rk_tok *t, const char *text,
		     int phrase, int part)
{
	const struct rk_word *w = &rk_analyser_vocab(p->a)->v[t->term];
	struct rk_qterm *e = new_term(p, w->s, w->n, text + t->off, t->len);

	if (!e)
		return;
	e->slot = p->slot + t->pos;
	e->len = t->len;
	e->part = part;
	e->phrase = phrase;
	e->phrase_pos = t->pos;
}

/* In a phrase the parts stand for the whole identifier. */
static int stands_for_parts(const struct rk_tok *t, size_t n, size_t i)
{
	return i + 1 < n && t[i + 1].off == t[i].off && !t[i + 1].word &&
	       t[i].word == 0 && (i == 0 || t[i - 1].off != t[i].off);
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

static void add_alternative(struct parser *p, struct rk_qterm *t,
			    const struct rk_word *w)
{
	if (t->n == w->n && memcmp(t->s, w->s, w->n) == 0)
		return;
	for (unsigned i = 0; i < t->nalts; i++)
		if (strcmp(t->alts[i], w->s) == 0)
			return;
	if (t->nalts < RK_ALTS_MAX &&
	    (t->alts[t->nalts] = rk_q_keep(p, w->s, w->n)))
		t->nalts++;
}

/* What the other languages of the index make of the same tokens. */
static void add_alternatives(struct parser *p, const char *s, size_t n,
			     unsigned first, uint32_t base_pos)
{
	uint64_t left = p->q->nterms > first ? p->languages : 0;

	for (; left && !p->err; left &= left - 1) {
		const struct rk_tok *toks;
		size_t count;

		p->err |= rk_analyser_use(
			p->a, (enum rk_language)__builtin_ctzll(left));
		analyse(p, s, n, &toks, &count);
		for (size_t i = 0; i < count; i++)
			for (unsigned t = first; t < p->q->nterms; t++) {
				struct rk_qterm *e = &p->q->terms[t];

				/* the same place is the same word */
				if (!toks[i].word && e->len == toks[i].len &&
				    e->slot == base_pos + toks[i].pos &&
				    !e->part)
					add_alternative(
						p, e,
						&rk_analyser_vocab(p->a)
							 ->v[toks[i].term]);
			}
	}
	if (p->languages)
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

		if (toks[i].word ||
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

struct rk_qnode *rk_q_expanding(struct parser *p, const char *s, size_t n,
				enum rk_occur occur, enum rk_term_match match)
{
	unsigned first = p->q->nterms;
	struct rk_qterm *t = unstemmed(p, s, n);
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
	char name[RK_TERM_MAX];
	unsigned first = p->q->nterms;
	size_t n, v;

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
