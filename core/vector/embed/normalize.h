/* SPDX-License-Identifier: MIT */
#ifndef RK_VECTOR_NORMALIZE_H
#define RK_VECTOR_NORMALIZE_H

#include <stddef.h>

struct rk_buf;
struct rk_tokenizer;

/* Any bytes as the normalizer leaves them; *out is the caller's. 0, -ENOMEM. */
int rk_normalize(const struct rk_tokenizer *t, const char *s, size_t n,
		 struct rk_buf *out);
/* Append `in`, with `to` for each `from`. */
void rk_replace(const struct rk_buf *in, const char *from, const char *to,
		struct rk_buf *out);

#endif
