/* SPDX-License-Identifier: MIT */
#ifndef RK_VECTOR_TOKENIZER_STATE_H
#define RK_VECTOR_TOKENIZER_STATE_H

#include "base/arena.h"
#include "vector/embed/tokenizer.h"

/* A tokenizer as its file describes it; nothing in it changes once loaded. */
enum {
	STEPS_MAX = 64,	 /* of the normalizer */
	PIECE_MAX = 256, /* bytes of a vocabulary entry that matter */
};

/* One step of the normalizer, in order. */
enum step_kind {
	DO_CLEAN, /* drop control characters, unify white space */
	DO_CJK,	  /* spaces around ideographs */
	DO_LOWER,
	DO_ACCENTS, /* decompose, drop marks */
	DO_NFC,
	DO_NFD,
	DO_NFKC,
	DO_NFKD,
	DO_STRIP_LEFT,
	DO_STRIP_RIGHT,
	DO_PREPEND,
	DO_REPLACE,
	DO_SPACES, /* runs of white space: by `to` */
};

struct step {
	enum step_kind what;
	const char *from, *to;
};

enum cut { CUT_NONE, CUT_BERT, CUT_SPACE, CUT_WORDS, CUT_META };
enum model { WORDPIECE, UNIGRAM, WORDLEVEL };

struct rk_tokenizer {
	struct rk_arena arena;
	struct step steps[STEPS_MAX];
	unsigned nsteps;
	enum cut cut[2];
	unsigned ncuts;
	const char *meta; /* replacement of a space */
	int meta_prepend, meta_split;
	enum model model;
	const char *prefix; /* of pieces inside a word */
	size_t max_chars;
	uint32_t unk;
	int has_unk, byte_fallback;
	double unk_score;
	/* vocabulary */
	struct piece {
		const char *s;
		uint32_t n, id;
		double score;
	} * pieces;
	size_t npieces;
	uint32_t *slot; /* open addressing: piece + 1 */
	size_t mask, longest;
	uint32_t size;
};

#endif
