/* SPDX-License-Identifier: MIT */
/* Other spellings of words that no document has. */
#include "index/search/spelling.h"
#include "index/search/lookup.h"
#include "lexical/fuzzy.h"
#include "text/extract/property.h"
#include <errno.h>

static void offer_word(struct rk_spelling *sp, const struct rk_qterm *t,
		       const char *w, size_t n, uint64_t df)
{
	if (n && w[0] == RK_PROPERTY_MARK)
		return;
	if (n && w[0] == RK_WORD_MARK) {
		w++;
		n--;
		df *= 2; /* a real word rather than a stem */
	}
	/* typing errors are rare at the front, and stems share it */
	rk_spelling_offer(sp, t->surface, t->surface_n, w, n, df);
}

static void spell_in_segment(struct rk_segment *seg, const struct rk_qterm *t,
			     struct rk_spelling *sp)
{
	const struct rk_dict *d = rk_segment_dict(seg);
	struct rk_dict_iter it;

	if (!d)
		return;
	rk_dict_seek(d, "", 0, &it);
	while (rk_dict_next(&it) == 1)
		offer_word(sp, t, it.term, it.n, it.e.df);
}

static void spell_in_memtable(const struct rk_memtable *m,
			      const struct rk_qterm *t, struct rk_spelling *sp)
{
	for (uint32_t i = 0; i < m->vocab.n && i < m->terms_cap; i++)
		offer_word(sp, t, m->vocab.v[i].s, m->vocab.v[i].n,
			   m->terms[i].df);
}

static int spellable(const struct rk_qterm *t)
{
	if (rk_edits_allowed(t->surface_n) == 0 || t->surface_n > 64 ||
	    t->match != RK_TERM_EXACT || t->weight <= 0)
		return 0;
	for (size_t i = 0; i < t->surface_n; i++)
		if (t->surface[i] < 'a' || t->surface[i] > 'z')
			return 0;
	return 1;
}

/* The term that a word is indexed under. */
static int retarget(struct rk_searching *s, struct rk_qterm *t,
		    const char *word, size_t n)
{
	const struct rk_tok *toks;
	uint32_t pos = 0;
	size_t count;
	const struct rk_word *w;
	int rc;

	rk_analyser_reset(s->a);
	if ((rc = rk_analyse(s->a, word, n, 0, &pos)) < 0)
		return rc;
	toks = rk_analyser_toks(s->a, &count);
	if (count == 0)
		return 0;
	w = &rk_analyser_vocab(s->a)->v[toks[0].term];
	t->s = rk_arena_strndup(&s->q.arena, w->s, w->n);
	t->n = w->n;
	t->nalts = 0;
	return t->s ? 1 : -ENOMEM;
}

static int respell(struct rk_searching *s, unsigned i)
{
	struct rk_qterm *t = &s->q.terms[i], was = *t;
	struct rk_spelling sp = {.n = 0};
	int rc;

	if (!spellable(t))
		return 0;
	for (unsigned k = 0; k < s->nsrc; k++) {
		if (s->src[k].mem)
			spell_in_memtable(s->src[k].mem, t, &sp);
		else if (!s->src[k].bad)
			spell_in_segment(s->src[k].seg, t, &sp);
	}
	if (sp.n == 0 || (rc = retarget(s, t, sp.word, sp.n)) == 0)
		return 0;
	if (rc < 0 || (rc = rk_lookup_term(s, i)) < 0)
		return rc;
	if (t->df == 0) { /* a stem that no word has by itself */
		t->s = rk_arena_strndup(&s->q.arena, sp.word, sp.n);
		t->n = sp.n;
		if (!t->s)
			return -ENOMEM;
		if ((rc = rk_lookup_term(s, i)) < 0)
			return rc;
	}
	if (t->df == 0) {
		*t = was;
		return 0;
	}
	rk_buf_printf(&s->corrected, "%s%.*s -> %s", s->corrected.n ? ", " : "",
		      (int)t->surface_n, t->surface, sp.word);
	return s->corrected.err;
}

int rk_correct_spelling(struct rk_searching *s)
{
	int rc = 0;

	if (s->global) /* the word may be in another index */
		return 0;
	for (unsigned i = 0; i < s->q.nterms && rc == 0; i++)
		if (s->q.terms[i].df == 0 && s->q.terms[i].occur != RK_NOT)
			rc = respell(s, i);
	return rc;
}
