/* SPDX-License-Identifier: MIT */
/* One word to ids. */
#include "vector/embed/models.h"
#include "base/buf.h"
#include "base/mem.h"
#include "vector/embed/characters.h"
#include "vector/embed/vocabulary.h"
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { UNIGRAM_WORD = 65536 }; /* bytes looked at in one go */

static int add_id(struct rk_ids *out, uint32_t id)
{
	if (rk_grow(&out->v, &out->cap, out->n + 1, sizeof(*out->v)) < 0)
		return -ENOMEM;
	out->v[out->n++] = id;
	return 0;
}

static size_t count_chars(const char *s, size_t n)
{
	size_t chars = 0;

	for (size_t i = 0; i < n; i++)
		chars += ((unsigned char)s[i] & 0xc0) != 0x80;
	return chars;
}

/* Longest match first; a word with an unknown rest is unknown: left out. */
static int wordpiece(const struct rk_tokenizer *t, const char *s, size_t n,
		     struct rk_ids *out)
{
	size_t before = out->n, prefix = strlen(t->prefix);
	char piece[PIECE_MAX * 2];

	if (count_chars(s, n) > t->max_chars)
		return 0;
	for (size_t at = 0; at < n;) {
		size_t pre = at ? prefix : 0, len = n - at;
		const struct piece *p = NULL;

		if (len > PIECE_MAX)
			len = PIECE_MAX;
		memcpy(piece, t->prefix, pre);
		memcpy(piece + pre, s + at, len);
		for (; len > 0 && !p; len -= !p)
			if (at + len == n ||
			    ((unsigned char)s[at + len] & 0xc0) != 0x80)
				p = rk_piece_find(t, piece, pre + len);
		if (!p) {
			out->n = before;
			return 0;
		}
		if (add_id(out, p->id) < 0)
			return -ENOMEM;
		at += len;
	}
	return 0;
}

static int wordlevel(const struct rk_tokenizer *t, const char *s, size_t n,
		     struct rk_ids *out)
{
	const struct piece *p = rk_piece_find(t, s, n);

	return p ? add_id(out, p->id) : 0;
}

/* The best way to end at a byte. */
struct lattice {
	double score;
	uint32_t from;		   /* where its last piece begins */
	const struct piece *piece; /* NULL: unknown */
};

static void relax(struct lattice *at, const struct lattice *to_here,
		  uint32_t from, double score, const struct piece *p)
{
	double sum = to_here->score + score;

	if (sum > at->score)
		*at = (struct lattice){sum, from, p};
}

/* Pieces that begin at `at`, shortest first; ties keep the earlier. */
static void extend(const struct rk_tokenizer *t, const char *s, size_t n,
		   uint32_t at, struct lattice *v)
{
	int32_t c;
	size_t one = rk_char_next(s + at, n - at, &c);
	int single = 0;

	for (size_t len = one; at + len <= n && len <= t->longest; len++) {
		const struct piece *p;

		if (at + len < n && ((unsigned char)s[at + len] & 0xc0) == 0x80)
			continue;
		if (!(p = rk_piece_find(t, s + at, len)))
			continue;
		single |= len == one;
		relax(&v[at + len], &v[at], at, p->score, p);
	}
	if (!single)
		relax(&v[at + one], &v[at], at, t->unk_score, NULL);
}

static int fall_back(const struct rk_tokenizer *t, const char *s, size_t n,
		     struct rk_ids *out)
{
	for (size_t i = 0; i < n; i++) {
		char name[8];
		const struct piece *p;

		snprintf(name, sizeof(name), "<0x%02X>", (unsigned char)s[i]);
		if (!(p = rk_piece_find(t, name, strlen(name))))
			return 0;
		if (add_id(out, p->id) < 0)
			return -ENOMEM;
	}
	return 1;
}

/* Walk back, then put out in order; unknown neighbours are one. */
static int emit(const struct rk_tokenizer *t, const char *s, size_t n,
		const struct lattice *v, uint32_t *ends, struct rk_ids *out)
{
	size_t k = 0;
	int was_unk = 0, rc;

	for (size_t at = n; at > 0; at = v[at].from)
		ends[k++] = (uint32_t)at;
	while (k-- > 0) {
		const struct lattice *e = &v[ends[k]];

		if (e->piece) {
			was_unk = 0;
			if (add_id(out, e->piece->id) < 0)
				return -ENOMEM;
			continue;
		}
		if (t->byte_fallback) {
			rc = fall_back(t, s + e->from, ends[k] - e->from, out);
			if (rc != 0) {
				if (rc < 0)
					return rc;
				continue;
			}
		}
		if (!was_unk && t->has_unk && add_id(out, t->unk) < 0)
			return -ENOMEM;
		was_unk = 1;
	}
	return 0;
}

/* Viterbi over the characters of a word. */
static int unigram(const struct rk_tokenizer *t, const char *s, size_t n,
		   struct rk_ids *out)
{
	struct lattice *v;
	uint32_t *ends;
	int rc = -ENOMEM;

	if (n > UNIGRAM_WORD) { /* a wall of text: the rest as a new word */
		size_t cut = UNIGRAM_WORD;

		while (cut > 1 && ((unsigned char)s[cut] & 0xc0) == 0x80)
			cut--;
		rc = unigram(t, s, cut, out);
		return rc ? rc : unigram(t, s + cut, n - cut, out);
	}
	v = rk_malloc((n + 1) * sizeof(*v));
	ends = rk_malloc((n + 1) * sizeof(*ends));
	if (v && ends) {
		for (size_t i = 0; i <= n; i++)
			v[i] = (struct lattice){-HUGE_VAL, 0, NULL};
		v[0].score = 0;
		for (uint32_t at = 0; at < n; at++)
			if (isfinite(v[at].score))
				extend(t, s, n, at, v);
		rc = emit(t, s, n, v, ends, out);
	}
	rk_free(v);
	rk_free(ends);
	return rc;
}

int rk_word_ids(const struct rk_tokenizer *t, const char *s, size_t n,
		struct rk_ids *out)
{
	if (n == 0)
		return 0;
	switch (t->model) {
	case UNIGRAM:
		return unigram(t, s, n, out);
	case WORDLEVEL:
		return wordlevel(t, s, n, out);
	case WORDPIECE:
	default:
		return wordpiece(t, s, n, out);
	}
}
