/* SPDX-License-Identifier: MIT */
#ifndef RK_VECTOR_CHARACTERS_H
#define RK_VECTOR_CHARACTERS_H

#include <stddef.h>
#include <stdint.h>

struct rk_buf;

/* The next character; invalid bytes are U+FFFD, one at a time. */
size_t rk_char_next(const char *s, size_t n, int32_t *c);
void rk_char_put(struct rk_buf *b, int32_t c);
/* Classes of characters, as tokenizers of Hugging Face draw them. */
int rk_char_is_space(int32_t c);
int rk_char_is_control(int32_t c);
int rk_char_is_punctuation(int32_t c);
int rk_char_is_word(int32_t c);
int rk_char_is_ideograph(int32_t c);

#endif
