/* SPDX-License-Identifier: MIT */
#ifndef RK_VECTOR_VOCABULARY_H
#define RK_VECTOR_VOCABULARY_H

#include "vector/embed/tokenizer_state.h"

/* Room for n pieces. 0, -ENOMEM. */
int rk_pieces_init(struct rk_tokenizer *t, size_t n);
/* The first of equals counts; one that is too long is none. 0, -ENOMEM. */
int rk_piece_add(struct rk_tokenizer *t, const char *s, size_t n, uint32_t id,
		 double score);
/* NULL: there is none. */
const struct piece *rk_piece_find(const struct rk_tokenizer *t, const char *s,
				  size_t n);

#endif
