/* SPDX-License-Identifier: MIT */
#ifndef RK_VECTOR_MODELS_H
#define RK_VECTOR_MODELS_H

#include <stddef.h>

struct rk_ids;
struct rk_tokenizer;

/* Append the ids of one word: WordPiece, Unigram or WordLevel. 0, -ENOMEM. */
int rk_word_ids(const struct rk_tokenizer *t, const char *s, size_t n,
		struct rk_ids *out);

#endif
