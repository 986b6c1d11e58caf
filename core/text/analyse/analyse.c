/* SPDX-License-Identifier: MIT */
/*
 * Most tokens of a text have been seen before, so the work is a cache: raw
 * token bytes -> the list of terms they give. A miss folds, splits, stops and
 * stems; a hit copies a few ids.
 */
#include "text/analyse/analyse.h"
#include "base/hash.h"
#include "base/mem.h"
#include "text/analyse/stop.h"
#include <assert.h>
#include <errno.h>
#include <libstemmer.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

enum {
	VOCAB_BYTES_MAX = 24 * 1024 * 1024,
	PARTS_MAX = 16, /* parts of one identifier */
};

/* what one raw token gives: `n` emissions from `first` in the emit list */
struct emission {
	uint32_t term;
	uint16_t step; /* position relative to the token's */
	uint16_t word;
};
struct cached {
	uint32_t first;
	uint16_t n;
	uint16_t width; /* positions that the token takes, or: */
};
enum { NOT_ANALYSED = UINT16_MAX };

/* How words of one language are treated. */
struct voice {
	struct sb_stemmer *stemmer; /* NULL: no stemming */
	int english;
	struct rk_vocab raw[2]; /* raw tokens of prose, of code */
	struct cached *cache[2];
	uint32_t cache_cap[2];
};

struct rk_analyser {
	struct voice *voices[RK_LANGUAGES]; /* made when first used */
	struct voice *v;		    /* the one in use */
	struct rk_vocab vocab;
	struct emission *emit;
	uint32_t nemit, emit_cap;
	struct rk_tok *toks;
	size_t ntoks, toks_cap;
	uint64_t epoch;
};

enum cls { SEP, LOWER, UPPER, DIGIT, UNDER, APOS, HIGH };
static const uint8_t CLASS[256] = {
	['a' ... 'z'] = LOWER, ['A' ... 'Z'] = UPPER, ['0' ... '9'] = DIGIT,
	['_'] = UNDER,	       ['\''] = APOS,	      [0x80 ... 0xff] = HIGH,
};

int rk_analyser_knows(const char *language)
{
	struct sb_stemmer *s;

	if (strcmp(language, "none") == 0)
		return 1;
	s = sb_stemmer_new(language, NULL);
	sb_stemmer_delete(s);
	return s != NULL;
}

static void voice_free(struct voice *v)
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

static int voice_new(const char *language, struct voice **out)
{
	struct voice *v = rk_calloc(1, sizeof(*v));
	int rc = v ? 0 : -ENOMEM;

	if (rc == 0 && ((rc = rk_vocab_init(&v->raw[0])) < 0 ||
			(rc = rk_vocab_init(&v->raw[1])) < 0)) {
		voice_free(v);
		return rc;
	}
	if (rc < 0)
		return rc;
	v->english = strcmp(language, "english") == 0;
	if (strcmp(language, "none") != 0 &&
	    !(v->stemmer = sb_stemmer_new(language, NULL))) {
		voice_free(v);
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
	if ((rc = voice_new(language, &a->voices[RK_LANGUAGE_BASE])) < 0 ||
	    (rc = rk_vocab_init(&a->vocab)) < 0) {
		rk_analyser_free(a);
		return rc;
	}
	a->v = a->voices[RK_LANGUAGE_BASE];
	*out = a;
	return 0;
}

int rk_analyser_use(struct rk_analyser *a, enum rk_language l)
{
	int rc = 0;

	if ((unsigned)l >= RK_LANGUAGES)
		l = RK_LANGUAGE_BASE;
	if (!a->voices[l])
		rc = voice_new(rk_language_name(l), &a->voices[l]);
	/* a library without this stemmer: as the others */
	a->v = a->voices[rc == 0 ? l : RK_LANGUAGE_BASE];
	return rc == -ENOMEM ? rc : 0;
}

void rk_analyser_free(struct rk_analyser *a)
{
	if (!a)
		return;
	for (int i = 0; i < RK_LANGUAGES; i++)
		voice_free(a->voices[i]);
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
		if (a->voices[i])
			n += rk_vocab_bytes(&a->voices[i]->raw[0]) +
			     rk_vocab_bytes(&a->voices[i]->raw[1]);
	return n;
}

static void forget_cached(struct voice *v, int code)
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
		for (int k = 0; k < 2 && a->voices[i]; k++) {
			rk_vocab_clear(&a->voices[i]->raw[k]);
			forget_cached(a->voices[i], k);
		}
	rk_vocab_clear(&a->vocab);
}

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

static int emit_term(struct rk_analyser *a, const char *s, size_t n,
		     uint16_t step, uint16_t word)
{
	int64_t id = rk_vocab_id(&a->vocab, s, (uint32_t)n);

	if (id < 0)
		return (int)id;
	return emit_push(a, (struct emission){(uint32_t)id, step, word});
}

/* A folded word: stop, stem, and keep its unstemmed form beside the stem. */
static int emit_word(struct rk_analyser *a, const char *s, size_t n,
		     uint16_t step)
{
	char marked[RK_TOKEN_MAX + 2];
	const char *stem = s;
	size_t len = n;
	int rc;

	if (n == 0 || n > RK_TOKEN_MAX ||
	    (a->v->english && rk_is_stop_word(s, n)))
		return 0;
	if (a->v->stemmer && n > 2) {
		const sb_symbol *r = sb_stemmer_stem(
			a->v->stemmer, (const sb_symbol *)s, (int)n);
		if (!r)
			return -ENOMEM;
		stem = (const char *)r;
		len = (size_t)sb_stemmer_length(a->v->stemmer);
	}
	if ((rc = emit_term(a, stem, len, step, 0)) < 0)
		return rc;
	if (n < 4 || (len == n && memcmp(stem, s, n) == 0))
		return 0;
	marked[0] = RK_WORD_MARK;
	memcpy(marked + 1, s, n);
	return emit_term(a, marked, n + 1, step, 1);
}

/* Where an identifier's part that starts at i ends. */
static size_t part_end(const char *s, size_t n, size_t i)
{
	size_t b = i + 1;
	uint8_t first = CLASS[(uint8_t)s[i]];

	if (first == DIGIT) {
		while (b < n && CLASS[(uint8_t)s[b]] == DIGIT)
			b++;
		return b;
	}
	if (first == UPPER && b < n && CLASS[(uint8_t)s[b]] == UPPER) {
		while (b < n && CLASS[(uint8_t)s[b]] == UPPER)
			b++;
		/* HTTPServer: the last capital begins the next part */
		if (b < n && CLASS[(uint8_t)s[b]] == LOWER)
			b--;
		return b;
	}
	while (b < n &&
	       (CLASS[(uint8_t)s[b]] == LOWER || CLASS[(uint8_t)s[b]] == HIGH))
		b++;
	return b;
}

static size_t lower_ascii(char *d, const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		d[i] = CLASS[(uint8_t)s[i]] == UPPER ? (char)(s[i] | 32) : s[i];
	return n;
}

/* Returns the positions taken, or -errno. */
static int emit_identifier(struct rk_analyser *a, const char *s, size_t n)
{
	char low[RK_TOKEN_MAX];
	size_t start[PARTS_MAX], len[PARTS_MAX];
	int parts = 0, rc = 0;

	for (size_t i = 0; i < n && parts < PARTS_MAX;) {
		if (s[i] == '_') {
			i++;
			continue;
		}
		start[parts] = i;
		i = part_end(s, n, i);
		len[parts] = i - start[parts];
		parts++;
	}
	if (parts > 1)
		rc = emit_term(a, low, lower_ascii(low, s, n), 0, 0);
	for (int p = 0; p < parts && rc == 0; p++)
		if (len[p] > 1 || parts == 1)
			rc = emit_word(a, low,
				       lower_ascii(low, s + start[p], len[p]),
				       (uint16_t)p);
	return rc < 0 ? rc : parts ? parts : 1;
}

/* Apostrophes inside words are dropped, a final 's with them. */
static size_t drop_apostrophes(char *d, const char *s, size_t n)
{
	size_t k = 0;

	if (n > 2 && s[n - 2] == '\'' && (s[n - 1] | 32) == 's')
		n -= 2;
	for (size_t i = 0; i < n; i++)
		if (s[i] != '\'')
			d[k++] = s[i];
	return k;
}

/* NFKC, case folding, accents off; folded bytes are cut to RK_TOKEN_MAX. */
static int emit_unicode(struct rk_analyser *a, const char *s, size_t n)
{
	utf8proc_uint8_t *folded = NULL;
	utf8proc_ssize_t len = utf8proc_map(
		(const utf8proc_uint8_t *)s, (utf8proc_ssize_t)n, &folded,
		UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_COMPAT |
			UTF8PROC_CASEFOLD | UTF8PROC_IGNORE |
			UTF8PROC_STRIPMARK);
	int rc = 0;

	if (len > 0)
		rc = emit_word(a, (const char *)folded, (size_t)len, 0);
	free(folded); /* from utf8proc's own malloc */
	return rc < 0 ? rc : 1;
}

static int is_identifier(const char *s, size_t n)
{
	int digits = 0, others = 0;

	for (size_t i = 0; i < n; i++) {
		uint8_t c = CLASS[(uint8_t)s[i]];

		if (c == UNDER)
			return 1;
		if (c == UPPER && i > 0 && CLASS[(uint8_t)s[i - 1]] == LOWER)
			return 1;
		/* XMLHttp: a run of capitals, then a word */
		if (c == LOWER && i > 1 && CLASS[(uint8_t)s[i - 1]] == UPPER &&
		    CLASS[(uint8_t)s[i - 2]] == UPPER)
			return 1;
		digits += c == DIGIT;
		others += c != DIGIT;
	}
	return digits && others;
}

static int has_high(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if ((uint8_t)s[i] >= 0x80)
			return 1;
	return 0;
}

/* Analyse a token not seen before. Returns positions taken or -errno. */
static int emit_raw(struct rk_analyser *a, const char *s, size_t n, int code)
{
	char tmp[RK_TOKEN_MAX], low[RK_TOKEN_MAX];
	int rc;

	if (has_high(s, n))
		return emit_unicode(a, s, n);
	n = drop_apostrophes(tmp, s, n);
	if (is_identifier(tmp, n))
		return emit_identifier(a, tmp, n);
	if (code && n == 1)
		return 1;
	rc = emit_word(a, low, lower_ascii(low, tmp, n), 0);
	return rc < 0 ? rc : 1;
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
	width = emit_raw(a, s, n, code);
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

/* s[off, off+n) is a token: append what it gives. */
static int add_token(struct rk_analyser *a, const char *s, size_t off, size_t n,
		     int code, uint32_t *pos)
{
	const struct cached *c;

	if (n > RK_TOKEN_MAX) {
		*pos += 1;
		return 0;
	}
	c = lookup(a, s + off, n, code);
	if (!c || toks_room(a, c->n) < 0)
		return -ENOMEM;
	for (uint32_t i = 0; i < c->n; i++) {
		struct emission e = a->emit[c->first + i];

		a->toks[a->ntoks++] =
			(struct rk_tok){e.term, *pos + e.step, (uint32_t)off,
					(uint16_t)n, e.word};
	}
	*pos += c->width;
	return 0;
}

enum uni { U_OTHER, U_WORD, U_CJK };

static enum uni classify(int32_t c)
{
	int cat;

	if ((c >= 0x3040 && c <= 0x30ff) || (c >= 0x3400 && c <= 0x4dbf) ||
	    (c >= 0x4e00 && c <= 0x9fff) || (c >= 0xac00 && c <= 0xd7af) ||
	    (c >= 0xf900 && c <= 0xfaff) || (c >= 0x20000 && c <= 0x3ffff))
		return U_CJK;
	/* letters, marks and numbers are the categories LU to NO */
	cat = (int)utf8proc_category(c);
	return cat >= UTF8PROC_CATEGORY_LU && cat <= UTF8PROC_CATEGORY_NO
		       ? U_WORD
		       : U_OTHER;
}

/* Length and class of the character at s; a bad byte is one separator. */
static size_t decode(const char *s, size_t n, enum uni *u)
{
	int32_t c;
	utf8proc_ssize_t len = utf8proc_iterate((const utf8proc_uint8_t *)s,
						(utf8proc_ssize_t)n, &c);

	*u = len > 0 ? classify(c) : U_OTHER;
	return len > 0 ? (size_t)len : 1;
}

/* A run of CJK characters from off: overlapping pairs. Returns its end. */
static int64_t add_cjk(struct rk_analyser *a, const char *s, size_t n,
		       size_t off, uint32_t *pos)
{
	size_t prev = off, count = 0, at = off;
	enum uni u = U_CJK;

	while (at < n) {
		size_t len = decode(s + at, n - at, &u);

		if (u != U_CJK)
			break;
		if (count++ > 0) {
			if (add_token(a, s, prev, at + len - prev, 0, pos) < 0)
				return -ENOMEM;
			while (prev + 1 < at &&
			       ((uint8_t)s[prev + 1] & 0xc0) == 0x80)
				prev++;
			prev++;
		}
		at += len;
	}
	if (count == 1 && add_token(a, s, off, at - off, 0, pos) < 0)
		return -ENOMEM;
	return (int64_t)at;
}

/* Where the token that starts at off ends. */
static size_t token_end(const char *s, size_t n, size_t off)
{
	size_t i = off;

	while (i < n) {
		uint8_t c = CLASS[(uint8_t)s[i]];

		if (c == SEP)
			break;
		if (c == HIGH) {
			enum uni u;
			size_t len = decode(s + i, n - i, &u);

			if (u != U_WORD)
				break;
			i += len;
			continue;
		}
		if (c == APOS && (i + 1 >= n || i == off ||
				  CLASS[(uint8_t)s[i + 1]] == SEP ||
				  CLASS[(uint8_t)s[i + 1]] == APOS))
			break;
		i++;
	}
	return i;
}

int rk_analyse(struct rk_analyser *a, const char *s, size_t n, int code,
	       uint32_t *pos)
{
	size_t i = 0;
	int rc = 0;

	assert(n <= UINT32_MAX);
	while (i < n && rc == 0) {
		uint8_t c = CLASS[(uint8_t)s[i]];
		size_t end;

		if (c == SEP || c == APOS) {
			i++;
			continue;
		}
		end = token_end(s, n, i);
		if (end > i) {
			rc = add_token(a, s, i, end - i, code, pos);
			i = end;
		} else { /* a character that is no part of a word, or CJK */
			enum uni u;
			size_t len = decode(s + i, n - i, &u);
			int64_t at = u == U_CJK ? add_cjk(a, s, n, i, pos)
						: (int64_t)(i + len);

			if (at < 0)
				return (int)at;
			i = (size_t)at;
		}
	}
	return rc;
}
