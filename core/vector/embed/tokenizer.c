/* SPDX-License-Identifier: MIT */
/* A text to ids: normalized, cut into words, each by the model. */
#include "vector/embed/tokenizer.h"
#include "base/buf.h"
#include "base/mem.h"
#include "vector/embed/characters.h"
#include "vector/embed/models.h"
#include "vector/embed/normalize.h"
#include "vector/embed/tokenizer_state.h"
#include <string.h>

void rk_tokenizer_free(struct rk_tokenizer *t)
{
	if (!t)
		return;
	rk_arena_release(&t->arena);
	rk_free(t->pieces);
	rk_free(t->slot);
	rk_free(t);
}

uint32_t rk_tokenizer_size(const struct rk_tokenizer *t)
{
	return t->size;
}

/* --- pre-tokenizers: a text to words --- */

static int cut_with(const struct rk_tokenizer *t, unsigned level, const char *s,
		    size_t n, struct rk_ids *out);

/* Spaces become the mark, which begins each word. */
static int cut_meta(const struct rk_tokenizer *t, unsigned level, const char *s,
		    size_t n, struct rk_ids *out)
{
	struct rk_buf b = RK_BUF_INIT,
		      in = {.p = (uint8_t *)(uintptr_t)s, .n = n};
	size_t mark = strlen(t->meta), from = 0;
	int rc;

	if (t->meta_prepend && n && *s != ' ' &&
	    (n < mark || memcmp(s, t->meta, mark) != 0))
		rk_buf_str(&b, t->meta);
	rk_replace(&in, " ", t->meta, &b);
	rc = b.err;
	for (size_t i = mark;
	     b.p && t->meta_split && i + mark <= b.n && rc == 0; i++)
		if (memcmp(b.p + i, t->meta, mark) == 0) {
			rc = cut_with(t, level + 1, (char *)b.p + from,
				      i - from, out);
			from = i;
		}
	if (rc == 0 && b.n)
		rc = cut_with(t, level + 1, (char *)b.p + from, b.n - from,
			      out);
	rk_buf_release(&b);
	return rc;
}

/* What a character is to a way of cutting: 0 a gap, 1 alone, 2.. its run. */
static int class_of(enum cut cut, int32_t c)
{
	if (rk_char_is_space(c))
		return 0;
	if (cut == CUT_BERT && rk_char_is_punctuation(c))
		return 1;
	if (cut == CUT_WORDS)
		return rk_char_is_word(c) ? 2 : 3;
	return 2;
}

static int cut_runs(const struct rk_tokenizer *t, unsigned level, const char *s,
		    size_t n, struct rk_ids *out)
{
	size_t from = 0;
	int was = 0, rc = 0;

	for (size_t i = 0; i < n && rc == 0;) {
		int32_t c;
		size_t k = rk_char_next(s + i, n - i, &c);
		int is = class_of(t->cut[level], c);

		if (is != was || is == 1) {
			if (was)
				rc = cut_with(t, level + 1, s + from, i - from,
					      out);
			from = i;
			was = is;
		}
		i += k;
	}
	return rc || !was ? rc
			  : cut_with(t, level + 1, s + from, n - from, out);
}

static int cut_with(const struct rk_tokenizer *t, unsigned level, const char *s,
		    size_t n, struct rk_ids *out)
{
	if (level >= t->ncuts)
		return rk_word_ids(t, s, n, out);
	return t->cut[level] == CUT_META ? cut_meta(t, level, s, n, out)
					 : cut_runs(t, level, s, n, out);
}

int rk_tokenize(const struct rk_tokenizer *t, const char *s, size_t n,
		struct rk_ids *out)
{
	struct rk_buf b = RK_BUF_INIT;
	int rc = rk_normalize(t, s, n, &b);

	if (rc == 0 && b.n)
		rc = cut_with(t, 0, (char *)b.p, b.n, out);
	rk_buf_release(&b);
	return rc;
}
