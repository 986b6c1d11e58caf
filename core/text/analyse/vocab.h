/* SPDX-License-Identifier: MIT */
#ifndef RK_TEXT_VOCAB_H
#define RK_TEXT_VOCAB_H

#include "base/arena.h"
#include <stdint.h>

/*
 * Interned strings: each distinct one has a dense id from 0. Open addressing
 * over 64-bit hashes; bytes live in an arena. One thread at a time.
 */
struct rk_word {
	const char *s; /* NUL-terminated, borrowed from the vocabulary */
	uint32_t n;
	uint32_t hash; /* high half of the 64-bit hash */
};

/* The hash beside the id: most probes end without a look at the word. */
struct rk_vocab_slot {
	uint32_t hash;
	uint32_t id1; /* id + 1, or 0 */
};

struct rk_vocab {
	struct rk_word *v; /* by id */
	struct rk_vocab_slot *slots;
	uint32_t n, cap, mask;
	struct rk_arena arena;
};

int rk_vocab_init(struct rk_vocab *v); /* 0 or -ENOMEM */
void rk_vocab_release(struct rk_vocab *v);
/* Forget every string; ids start again at 0. */
void rk_vocab_clear(struct rk_vocab *v);
/* The id of s, new or known; -ENOMEM when memory is short. */
int64_t rk_vocab_id(struct rk_vocab *v, const char *s, uint32_t n);
/* The id of s if it is known, else -1. */
int64_t rk_vocab_find(const struct rk_vocab *v, const char *s, uint32_t n);
size_t rk_vocab_bytes(const struct rk_vocab *v);

#endif
