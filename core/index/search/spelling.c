/* SPDX-License-Identifier: MIT */
/* Other spellings of words that no document has. */
#include "index/search/spelling.h"
#include "index/search/lookup.h"
#include "lexical/fuzzy.h"
#include "text/extract/property.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { PART_MIN = 5 }; /* bytes of a word that is looked for in others */
#define PART_WEIGHT 0.5f

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

static int is_word(const struct rk_qterm *t)
{
	if (t->match != RK_TERM_EXACT || t->weight <= 0 || t->surface_n > 64)
		return 0;
	for (size_t i = 0; i < t->surface_n; i++)
		if ((t->surface[i] < 'a' || t->surface[i] > 'z') &&
		    (unsigned char)t->surface[i] < 0x80)
			return 0;
	return 1;
}

static int spellable(const struct rk_qterm *t)
{
	char s[64];

	return is_word(t) &&
	       rk_edits_allowed(
		       rk_letters(t->surface, t->surface_n, s, sizeof(s))) > 0;
}

/* What a language stems a word to, in the arena; NULL: nothing, or *rc. */
static const char *stem_of(struct rk_searching *s, enum rk_language l,
			   const char *word, size_t n, int *rc)
{
	const struct rk_tok *toks;
	const struct rk_word *w;
	const char *stem;
	uint32_t pos = 0;
	size_t count;

	rk_analyser_reset(s->a);
	if ((*rc = rk_analyser_use(s->a, l)) < 0 ||
	    (*rc = rk_analyse(s->a, word, n, 0, &pos)) < 0)
		return NULL;
	toks = rk_analyser_toks(s->a, &count);
	if (count == 0)
		return NULL;
	w = &rk_analyser_vocab(s->a)->v[toks[0].term];
	if (!(stem = rk_arena_strndup(&s->q.arena, w->s, w->n)))
		*rc = -ENOMEM;
	return stem;
}

/* Its forms in these languages (a bit each), beside those that it has. */
static int speak(struct rk_searching *s, struct rk_qterm *t, const char *word,
		 size_t n, uint64_t languages)
{
	int rc = 0;

	for (; languages && rc == 0; languages &= languages - 1) {
		enum rk_language l =
			(enum rk_language)__builtin_ctzll(languages);
		const char *stem = stem_of(s, l, word, n, &rc);

		if (stem && t->nalts < RK_ALTS_MAX)
			t->alts[t->nalts++] =
				(struct rk_form){stem, (uint8_t)l, 0};
	}
	if (rc == 0)
		rc = rk_analyser_use(s->a, RK_LANGUAGE_BASE);
	return rc;
}

/* The terms that a word is indexed under. */
static int retarget(struct rk_searching *s, struct rk_qterm *t,
		    const char *word, size_t n)
{
	int rc = 0;
	const char *stem = stem_of(s, RK_LANGUAGE_BASE, word, n, &rc);

	if (!stem)
		return rc;
	t->s = stem;
	t->n = strlen(stem);
	t->nalts = 0;
	rc = speak(s, t, word, n, rk_spoken(s->snap.view, UINT32_MAX));
	return rc < 0 ? rc : 1;
}

/* Languages that few documents are in: for words that no other has. */
static int ask_rare_languages(struct rk_searching *s, unsigned i)
{
	struct rk_qterm *t = &s->q.terms[i];
	const struct rk_view *v = s->snap.view;
	uint64_t rare = rk_spoken(v, UINT32_MAX) & ~rk_spoken(v, RK_SHARE);
	int rc;

	if (!rare || !is_word(t))
		return 0;
	rc = speak(s, t, t->surface, t->surface_n, rare);
	return rc < 0 ? rc : rk_lookup_term(s, i);
}

/* --- words that are put together --- */

#define PUTS_TOGETHER                                                          \
	(1ull << RK_GERMAN | 1ull << RK_DUTCH | 1ull << RK_SWEDISH |           \
	 1ull << RK_NORWEGIAN | 1ull << RK_DANISH | 1ull << RK_FINNISH)

/* The shortest form of it in such a language. */
static const char *part_of(const struct rk_searching *s,
			   const struct rk_qterm *t)
{
	enum rk_language base = rk_language_by_name(s->ix->language);
	const char *best = PUTS_TOGETHER >> base & 1 ? t->s : NULL;

	for (unsigned i = 0; i < t->nalts; i++)
		if (PUTS_TOGETHER >> t->alts[i].language & 1 &&
		    (!best || strlen(t->alts[i].s) < strlen(best)))
			best = t->alts[i].s;
	if (!best && PUTS_TOGETHER & rk_spoken(s->snap.view, RK_SHARE))
		best = t->s; /* the same as in the index's own */
	return best && strlen(best) >= PART_MIN ? best : NULL;
}

/* Versicherung: where Krankenversicherung is, for less. */
static int look_inside(struct rk_searching *s, unsigned i)
{
	struct rk_qterm *t = &s->q.terms[i], was = *t;
	const char *part = is_word(t) ? part_of(s, t) : NULL;
	char glob[RK_TERM_MAX];
	int n, rc;

	if (!part || t->phrase >= 0)
		return 0;
	n = snprintf(glob, sizeof(glob), "*%s*", part);
	if (n >= (int)sizeof(glob))
		return 0;
	if (!(t->s = rk_arena_strndup(&s->q.arena, glob, (size_t)n)))
		return -ENOMEM;
	t->n = (size_t)n;
	t->match = RK_TERM_GLOB;
	t->weight *= PART_WEIGHT;
	rc = rk_lookup_term(s, i);
	if (rc == 0 && t->df == 0)
		*t = was;
	return rc;
}

/* --- typing errors --- */

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
	for (unsigned i = 0; i < s->q.nterms && rc == 0; i++) {
		struct rk_qterm *t = &s->q.terms[i];

		if (t->df || t->occur == RK_NOT)
			continue;
		rc = ask_rare_languages(s, i);
		if (rc == 0 && t->df == 0)
			rc = look_inside(s, i);
		if (rc == 0 && t->df == 0)
			rc = respell(s, i);
	}
	return rc;
}
