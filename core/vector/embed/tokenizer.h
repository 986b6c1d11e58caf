/* SPDX-License-Identifier: MIT */
#ifndef RK_VECTOR_TOKENIZER_H
#define RK_VECTOR_TOKENIZER_H

#include <stddef.h>
#include <stdint.h>

/*
 * The tokenizer of a static model, from its tokenizer.json (the format of
 * huggingface/tokenizers): normalizer, pre-tokenizer and one of the models
 * WordPiece, Unigram or WordLevel. Special tokens inside a text are text.
 * Anything that is not known is refused by name when loading. Immutable; any
 * number of threads.
 */
struct rk_tokenizer;

/*
 * Load from the n bytes of the file. On failure err (err_n bytes) says why.
 * Returns 0, -EINVAL, -ENOTSUP, -ENOMEM.
 */
int rk_tokenizer_load(const char *json, size_t n, struct rk_tokenizer **out,
		      char *err, size_t err_n);
void rk_tokenizer_free(struct rk_tokenizer *t);
/* Ids are below this. */
uint32_t rk_tokenizer_size(const struct rk_tokenizer *t);

/* Growing list of ids; release with rk_free(v). Zeroed to begin with. */
struct rk_ids {
	uint32_t *v;
	size_t n, cap;
};
/*
 * Append the ids of n bytes of text; words the model does not know are left
 * out, except by Unigram, which has an id for them. Invalid UTF-8 is taken as
 * U+FFFD. Returns 0 or -ENOMEM.
 */
int rk_tokenize(const struct rk_tokenizer *t, const char *s, size_t n,
		struct rk_ids *out);

#endif
