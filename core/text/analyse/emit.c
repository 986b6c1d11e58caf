/* SPDX-License-Identifier: MIT */
#include "text/analyse/emit.h"
#include "base/mem.h"
#include "text/analyse/fold.h"
#include "text/analyse/stop.h"
#include "text/analyse/token.h"
#include <errno.h>
#include <string.h>

enum {
	FOLDED_MAX = 240, /* of a token; with its mark it is a term */
	WORD_MIN = 4,	  /* letters of a word that spelling repair offers */
	ENCODED_MIN = 32, /* bytes of what may be data */
	ENCODED_PART = 3, /* its parts have no more on average */
	HYPHENATED_MAX = 48,
	SHORT_PART = 3, /* bytes of a part that is a word's ending, or front */
};

static int emit_push(struct rk_analyser *a, struct emission e)
{
	if (a->nemit == a->emit_cap) {
		uint32_t cap = a->emit_cap ? a->emit_cap * 2 : 4096;
		struct emission *p = rk_realloc(a->emit, cap * sizeof(*p));

		if (!p)
			return -ENOMEM;
		a->emit = p;
		a->emit_cap = cap;
	}
	a->emit[a->nemit++] = e;
	return 0;
}

static int emit_term(struct rk_analyser *a, const char *s, size_t n, int step,
		     int word)
{
	int64_t id = rk_vocab_id(&a->vocab, s, (uint32_t)n);

	if (id < 0)
		return (int)id;
	return emit_push(a, (struct emission){(uint32_t)id, (uint16_t)step,
					      (uint8_t)word, 0});
}

static int has_high(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if ((uint8_t)s[i] >= 0x80)
			return 1;
	return 0;
}

/* --- plain words --- */

struct word {
	char s[FOLDED_MAX + 1];
	size_t n;
	int high; /* has letters beyond ASCII */
};

static int lower_word(const struct stemming *v, const char *s, size_t n,
		      struct word *w)
{
	int64_t len;

	w->high = has_high(s, n) || v->language == RK_TURKISH;
	if (w->high) {
		len = rk_fold_case(v->language, s, n, w->s, FOLDED_MAX);
		w->n = len > 0 ? (size_t)len : 0;
		w->high = has_high(w->s, w->n);
		return len < 0 ? (int)len : 0;
	}
	for (size_t i = 0; i < n; i++)
		w->s[i] = s[i] >= 'A' && s[i] <= 'Z' ? (char)(s[i] | 32) : s[i];
	w->n = n;
	return 0;
}

static int drop_marks(const struct word *w, struct word *out)
{
	int64_t n;

	if (!w->high) {
		*out = *w;
		return 0;
	}
	n = rk_fold_marks(w->s, w->n, out->s, FOLDED_MAX);
	out->n = n > 0 ? (size_t)n : 0;
	out->high = has_high(out->s, out->n);
	return n < 0 ? (int)n : 0;
}

static int stem_word(const struct stemming *v, struct word *w)
{
	const sb_symbol *r;

	if (!v->stemmer || w->n < 3)
		return 0;
	r = sb_stemmer_stem(v->stemmer, (const sb_symbol *)w->s, (int)w->n);
	if (!r)
		return -ENOMEM;
	w->n = (size_t)sb_stemmer_length(v->stemmer);
	if (w->n > FOLDED_MAX)
		w->n = FOLDED_MAX;
	memcpy(w->s, r, w->n);
	return 0;
}

/* Does an English stemmer see the word without accents? It knows none. */
static int marks_first(const struct stemming *v)
{
	return v->language == RK_ENGLISH || !v->stemmer;
}

/* Its stem; beside it the unstemmed form, for spelling repair. */
static int emit_word(struct rk_analyser *a, const char *s, size_t n, int step)
{
	struct word stem, plain;
	char marked[FOLDED_MAX + 1];
	int rc;

	if ((rc = lower_word(a->v, s, n, &stem)) < 0 ||
	    (rc = drop_marks(&stem, &plain)) < 0 || plain.n == 0)
		return rc;
	if (a->v->language == RK_ENGLISH && rk_is_stop_word(plain.s, plain.n))
		return 0;
	if (marks_first(a->v))
		stem = plain;
	if ((rc = stem_word(a->v, &stem)) < 0)
		return rc;
	if (stem.high) {
		struct word with = stem;

		if ((rc = drop_marks(&with, &stem)) < 0 || stem.n == 0)
			return rc;
	}
	if ((rc = emit_term(a, stem.s, stem.n, step, 0)) < 0 ||
	    plain.n < WORD_MIN ||
	    (stem.n == plain.n && memcmp(stem.s, plain.s, plain.n) == 0))
		return rc;
	marked[0] = RK_WORD_MARK;
	memcpy(marked + 1, plain.s, plain.n);
	return emit_term(a, marked, plain.n + 1, step, 1);
}

/* In lower case, without accents, as it is otherwise. */
static int emit_whole(struct rk_analyser *a, const char *s, size_t n, int step)
{
	struct word low, plain;
	int rc;

	if ((rc = lower_word(a->v, s, n, &low)) < 0 ||
	    (rc = drop_marks(&low, &plain)) < 0 || plain.n == 0)
		return rc;
	return emit_term(a, plain.s, plain.n, step, 0);
}

/* --- identifiers --- */

struct parts {
	unsigned n;
	size_t start[RK_TOKEN_MAX], len[RK_TOKEN_MAX];
	int letters; /* nothing else: a word with inner capitals */
};

static void split(const char *s, size_t n, struct parts *p)
{
	size_t len;

	p->n = 0;
	p->letters = 1;
	for (size_t i = 0; i < n;) {
		enum rk_class c = rk_class_at(s + i, n - i, &len);

		p->letters &= c == RK_C_LOWER || c == RK_C_UPPER;
		if (c == RK_C_UNDER || p->n == RK_TOKEN_MAX) {
			i += len;
			continue;
		}
		p->start[p->n] = i;
		i = rk_part_end(s, n, i);
		p->len[p->n] = i - p->start[p->n];
		p->n++;
	}
}

int rk_is_encoded(const char *s, size_t n)
{
	size_t parts = 0;

	if (n < ENCODED_MIN || memchr(s, '_', n) || memchr(s, '-', n))
		return 0;
	for (size_t i = 0; i < n; parts++) {
		size_t end = i + rk_part_end(s + i, n - i, 0);

		i = end > i ? end : i + 1;
	}
	return parts == 1 || parts * ENCODED_PART > n;
}

/* One letter and its accent, or one of several bytes, is one. */
static int one_letter(const char *s, size_t n)
{
	size_t len;

	rk_class_at(s, n, &len);
	return len == n;
}

/* Returns the positions taken, or -errno. */
static int emit_identifier(struct rk_analyser *a, const char *s, size_t n,
			   int step)
{
	struct parts p;
	int rc = 0;

	if (rk_is_encoded(s, n)) {
		rc = emit_whole(a, s, n, step);
		return rc < 0 ? rc : 1;
	}
	split(s, n, &p);
	/* YouTube is found by youtube: the stem as of a word */
	if (p.n > 1)
		rc = p.letters ? emit_word(a, s, n, step)
			       : emit_whole(a, s, n, step);
	for (unsigned i = 0; i < p.n && rc == 0; i++)
		if (!one_letter(s + p.start[i], p.len[i]) || p.n == 1)
			rc = emit_word(a, s + p.start[i], p.len[i],
				       step + (int)i);
	return rc < 0 ? rc : p.n ? (int)p.n : 1;
}

/* --- apostrophes and hyphens --- */

/* Little words that stand before a vowel, in French, Italian, Catalan. */
static const char *const ELIDED[] = {
	"l",	  "d",	     "j",      "m",	 "t",	   "s",	     "n",
	"c",	  "v",	     "qu",     "gl",	 "un",	   "all",    "dell",
	"nell",	  "sull",    "dall",   "coll",	 "quell",  "quest",  "bell",
	"sant",	  "jusqu",   "lorsqu", "puisqu", "quoiqu", "quelqu", "presqu",
	"nessun", "ciascun", "tutt",   "mezz",	 "quant",  "entr",
};

static int is_elided(const char *s, size_t n)
{
	for (size_t i = 0; i < sizeof(ELIDED) / sizeof(ELIDED[0]); i++)
		if (strlen(ELIDED[i]) == n && strncasecmp(ELIDED[i], s, n) == 0)
			return 1;
	return 0;
}

/*
 * l'école is école, don't is dont, the user's is user; after an apostrophe
 * Turkish has the ending of a name. Of both kinds of apostrophes. out may be s.
 */
static size_t drop_apostrophes(const struct stemming *v, const char *s,
			       size_t n, char *out)
{
	size_t k = 0, len, first = 1;

	for (size_t i = 0; i < n; i += len) {
		enum rk_class c = rk_class_at(s + i, n - i, &len);
		size_t left = n - i - len;

		if (c != RK_C_APOS) {
			memmove(out + k, s + i, len);
			k += len;
			continue;
		}
		if (v->language == RK_TURKISH && k > 2)
			break;
		if (k > 1 && left == 1 && (s[n - 1] | 32) == 's')
			break;
		if (first && left > 1 && is_elided(s, i))
			k = 0;
		first = 0;
	}
	return k;
}

/* A token without hyphens. Returns the positions taken, or -errno. */
static int emit_simple(struct rk_analyser *a, const char *s, size_t n, int code,
		       int step)
{
	char kept[RK_TOKEN_MAX];
	int rc;

	n = drop_apostrophes(a->v, s, n, kept);
	if (rk_is_identifier(kept, n))
		return emit_identifier(a, kept, n, step);
	if (code && n == 1)
		return 1;
	rc = emit_word(a, kept, n, step);
	return rc < 0 ? rc : 1;
}

/* Where the letters before the next hyphen end, and those behind it begin. */
static size_t next_hyphen(const char *s, size_t n, size_t i, size_t *behind)
{
	size_t len;

	for (; i < n; i += len)
		if (rk_class_at(s + i, n - i, &len) == RK_C_HYPHEN) {
			*behind = i + len;
			while (*behind < n && strchr("\r\n\t ", s[*behind]))
				++*behind;
			return i;
		}
	*behind = n;
	return n;
}

/*
 * Is a word with hyphens written as one word, too? Mostly those of two parts
 * where one is short (plug-in, e-mail, key-word), and what a line's end cut.
 */
static int is_one_word(const char *s, size_t n)
{
	size_t behind, last, end = next_hyphen(s, n, 0, &behind);

	if (next_hyphen(s, n, behind, &last) != n || n > HYPHENATED_MAX)
		return 0;
	for (size_t i = 0, len; i < n; i += len)
		if (rk_class_at(s + i, n - i, &len) == RK_C_DIGIT)
			return 0;
	return end <= SHORT_PART || n - behind <= SHORT_PART ||
	       memchr(s, '\n', n);
}

static int emit_joined(struct rk_analyser *a, const char *s, size_t n)
{
	char joined[RK_TOKEN_MAX];
	size_t behind, end = next_hyphen(s, n, 0, &behind);

	memcpy(joined, s, end);
	memcpy(joined + end, s + behind, n - behind);
	n = drop_apostrophes(a->v, joined, end + n - behind, joined);
	return emit_word(a, joined, n, 0);
}

/* plug-in: as plugin, and as plug and in. Returns the positions taken. */
static int emit_hyphenated(struct rk_analyser *a, const char *s, size_t n,
			   int code)
{
	size_t behind;
	int step = 0, rc = is_one_word(s, n) ? emit_joined(a, s, n) : 0;

	for (size_t i = 0; i < n && rc >= 0; i = behind) {
		size_t end = next_hyphen(s, n, i, &behind);

		rc = emit_simple(a, s + i, end - i, code, step);
		step += rc > 0 ? rc : 0;
	}
	return rc < 0 ? rc : step;
}

/* C++, C#, .NET: found by the name without its signs, too. */
static int emit_signs(struct rk_analyser *a, const char *s, size_t n)
{
	size_t from = s[0] == '.', to = n;
	uint32_t first;
	int rc = emit_whole(a, s, n, 0);

	while (to > from && (s[to - 1] == '+' || s[to - 1] == '#'))
		to--;
	first = a->nemit;
	if (rc == 0)
		rc = emit_word(a, s + from, to - from, 0);
	for (uint32_t i = first; i < a->nemit; i++)
		a->emit[i].extra = 1;
	return rc < 0 ? rc : 1;
}

int rk_emit_raw(struct rk_analyser *a, const char *s, size_t n, int code)
{
	size_t len, behind;
	enum rk_class c = rk_class_at(s, n, &len);
	int rc;

	if (c == RK_C_SIGN || c == RK_C_CJK || c == RK_C_RUN) {
		rc = emit_whole(a, s, n, 0);
		return rc < 0 ? rc : 1;
	}
	if (s[0] == '.' || strchr("+#", s[n - 1]))
		return emit_signs(a, s, n);
	if (next_hyphen(s, n, 0, &behind) < n)
		return emit_hyphenated(a, s, n, code);
	return emit_simple(a, s, n, code, 0);
}
