/* SPDX-License-Identifier: MIT */
#include "index/answers/same_question.h"
#include "base/hash.h"
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <string.h>

enum {
	DIM = 2048,	 /* of the hashed vectors */
	TEXT_MAX = 1024, /* bytes of a text that are looked at */
	WORDS_MAX = 128,
	WORD_MAX = 32,
};
#define WORDS_SHARE 0.6

/* --- similarity --- */

static void add(float *v, uint64_t h)
{
	v[h % DIM] += h >> 63 ? 1.0f : -1.0f;
}

static int add_words(struct rk_analyser *a, const char *s, size_t n, float *v)
{
	const struct rk_tok *t;
	uint32_t pos = 0;
	size_t k;
	int rc;

	rk_analyser_reset(a);
	if ((rc = rk_analyse(a, s, n, 0, &pos)) < 0)
		return rc;
	t = rk_analyser_toks(a, &k);
	for (size_t i = 0; i < k; i++) {
		const struct rk_word *w = &rk_analyser_vocab(a)->v[t[i].term];

		if (!t[i].word)
			add(v, rk_hash64(w->s, w->n));
	}
	return 0;
}

/* Letters and digits in lower case, words with one blank between and around */
static size_t plain(const char *s, size_t n, char *out)
{
	size_t k = 0;

	out[k++] = ' ';
	for (size_t i = 0; i < n && k < TEXT_MAX; i++) {
		unsigned char c = (unsigned char)s[i];

		if (isalnum(c) || c >= 0x80)
			out[k++] = (char)tolower(c);
		else if (out[k - 1] != ' ')
			out[k++] = ' ';
	}
	if (out[k - 1] != ' ')
		out[k++] = ' ';
	return k;
}

static void add_grams(const char *s, size_t n, float *v)
{
	char p[TEXT_MAX + 2];
	size_t k = plain(s, n < TEXT_MAX ? n : TEXT_MAX, p);

	for (size_t len = 3; len <= 5; len++)
		for (size_t i = 0; i + len <= k; i++)
			add(v, rk_hash64(p + i, len));
}

static double cosine(const float *a, const float *b)
{
	double ab = 0, aa = 0, bb = 0;

	for (int i = 0; i < DIM; i++) {
		ab += (double)a[i] * (double)b[i];
		aa += (double)a[i] * (double)a[i];
		bb += (double)b[i] * (double)b[i];
	}
	return aa > 0 && bb > 0 ? ab / sqrt(aa * bb) : 0;
}

int rk_similar(struct rk_analyser *a, const char *x, size_t xn, const char *y,
	       size_t yn, double *out)
{
	float v[4][DIM];
	int rc;

	memset(v, 0, sizeof(v));
	if ((rc = add_words(a, x, xn, v[0])) < 0 ||
	    (rc = add_words(a, y, yn, v[1])) < 0)
		return rc;
	add_grams(x, xn, v[2]);
	add_grams(y, yn, v[3]);
	*out = WORDS_SHARE * cosine(v[0], v[1]) +
	       (1 - WORDS_SHARE) * cosine(v[2], v[3]);
	return 0;
}

/* --- agreement --- */

struct words {
	char v[WORDS_MAX][WORD_MAX];
	unsigned n;
};

static void split(const char *s, size_t n, struct words *w)
{
	char p[TEXT_MAX + 2];
	size_t k = plain(s, n < TEXT_MAX ? n : TEXT_MAX, p), i = 0;

	w->n = 0;
	while (i < k && w->n < WORDS_MAX) {
		size_t len = 0;

		while (i < k && p[i] == ' ')
			i++;
		while (i + len < k && p[i + len] != ' ')
			len++;
		if (len > 0 && len < WORD_MAX) {
			memcpy(w->v[w->n], p + i, len);
			w->v[w->n++][len] = '\0';
		}
		i += len;
	}
}

static int has(const struct words *w, const char *s)
{
	for (unsigned i = 0; i < w->n; i++)
		if (strcmp(w->v[i], s) == 0)
			return 1;
	return 0;
}

/* Every number of a is in b. */
static int numbers_in(const struct words *a, const struct words *b)
{
	for (unsigned i = 0; i < a->n; i++)
		if (strpbrk(a->v[i], "0123456789") && !has(b, a->v[i]))
			return 0;
	return 1;
}

static int negated(const struct words *w)
{
	/* don't, can't and the like fall apart into "don", "t" */
	static const char *const NOT[] = {"not",    "no",   "never", "without",
					  "cannot", "none", "t",     "except"};

	for (size_t i = 0; i < sizeof(NOT) / sizeof(NOT[0]); i++)
		if (has(w, NOT[i]))
			return 1;
	return 0;
}

static const char *const OPPOSITES[][2] = {
	{"enable", "disable"},
	{"enabled", "disabled"},
	{"enabling", "disabling"},
	{"on", "off"},
	{"start", "stop"},
	{"add", "remove"},
	{"add", "delete"},
	{"create", "delete"},
	{"create", "remove"},
	{"open", "close"},
	{"increase", "decrease"},
	{"raise", "lower"},
	{"allow", "deny"},
	{"allow", "forbid"},
	{"allow", "block"},
	{"permit", "forbid"},
	{"up", "down"},
	{"before", "after"},
	{"min", "max"},
	{"minimum", "maximum"},
	{"push", "pull"},
	{"encrypt", "decrypt"},
	{"encode", "decode"},
	{"compress", "decompress"},
	{"show", "hide"},
	{"import", "export"},
	{"upload", "download"},
	{"login", "logout"},
	{"first", "last"},
	{"left", "right"},
	{"true", "false"},
	{"accept", "reject"},
	{"connect", "disconnect"},
	{"grant", "revoke"},
	{"attach", "detach"},
	{"mount", "umount"},
	{"read", "write"},
	{"send", "receive"},
	{"upgrade", "downgrade"},
	{"commit", "revert"},
	{"backup", "restore"},
	{"success", "failure"},
	{"buy", "sell"},
	{"with", "without"},
	{"fast", "slow"},
	{"old", "new"},
	{"hot", "cold"},
	{"internal", "external"},
	{"public", "private"},
	{"include", "exclude"},
	{"expand", "collapse"},
	{"best", "worst"},
	{"more", "less"},
	{"high", "low"},
	{"top", "bottom"},
	{"begin", "end"},
	{"source", "target"},
	{"input", "output"},
	{"client", "server"},
	{"horizontal", "vertical"},
};

/* One says x where the other says its opposite. */
static int opposed(const struct words *a, const struct words *b, const char *x,
		   const char *y)
{
	return has(a, x) && has(b, y) && !has(a, y) && !has(b, x);
}

/* "install" in one, "uninstall" in the other */
static int prefixed(const struct words *a, const struct words *b)
{
	static const char *const PREFIX[] = {"un", "dis", "non", "de", "in"};

	for (unsigned i = 0; i < a->n; i++)
		for (size_t p = 0; p < sizeof(PREFIX) / sizeof(PREFIX[0]);
		     p++) {
			const char *w = a->v[i];
			size_t n = strlen(PREFIX[p]);

			if (strncmp(w, PREFIX[p], n) == 0 &&
			    strlen(w + n) > 2 && has(b, w + n) && !has(b, w) &&
			    !has(a, w + n))
				return 1;
		}
	return 0;
}

int rk_same_question(const char *a, size_t an, const char *b, size_t bn)
{
	struct words x, y;

	split(a, an, &x);
	split(b, bn, &y);
	if (!numbers_in(&x, &y) || !numbers_in(&y, &x) ||
	    negated(&x) != negated(&y))
		return 0;
	for (size_t i = 0; i < sizeof(OPPOSITES) / sizeof(OPPOSITES[0]); i++)
		if (opposed(&x, &y, OPPOSITES[i][0], OPPOSITES[i][1]) ||
		    opposed(&y, &x, OPPOSITES[i][0], OPPOSITES[i][1]))
			return 0;
	return !prefixed(&x, &y) && !prefixed(&y, &x);
}
