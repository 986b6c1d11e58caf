/* SPDX-License-Identifier: MIT */
#ifndef RK_LEXICAL_CURSOR_H
#define RK_LEXICAL_CURSOR_H

#include "lexical/postings.h"

/*
 * One term's postings during one query, from a segment (compressed blocks)
 * or a memory table (arrays copied out). A cursor moves forward only, first
 * over block bounds without decoding, then inside a block. One thread.
 */
struct rk_cursor {
	/* where the postings are: a list, or m_n postings in arrays */
	struct rk_postr list;
	const uint32_t *m_ids, *m_tf, *m_head;
	const float *m_x; /* largest x per block of RK_BLOCK */
	uint32_t m_n;
	uint32_t nblocks;
	/* what a posting is worth */
	float weight;  /* idf (k1 + 1) times the query's weight */
	float drift;   /* see rk_bound_drift() */
	float ub;      /* bound of the whole list's scores */
	uint32_t term; /* index of the query's term */
	/* position */
	uint32_t block; /* == nblocks at the end */
	uint32_t last;	/* largest id of the block */
	float block_ub; /* bound of the block's scores */
	int loaded, has_head, err;
	unsigned n, i;
	const uint32_t *ids, *tf, *head; /* of the loaded block */
	uint32_t buf[3][RK_BLOCK];
	/* position bytes of block pos_of - 1; 0: of none yet */
	uint32_t pos_of, pos_n[RK_BLOCK];
	const uint8_t *pos[RK_BLOCK];
};

enum { RK_END = 0xffffffff }; /* no further posting */

void rk_cursor_list(struct rk_cursor *c, const struct rk_postr *list,
		    uint8_t bound, float weight, float drift);
void rk_cursor_arrays(struct rk_cursor *c, const uint32_t *ids,
		      const uint32_t *tf, const uint32_t *head, const float *x,
		      uint32_t n, float weight);

/* Stand on the block that could hold id (or later); nothing is decoded. */
void rk_cursor_shallow(struct rk_cursor *c, uint32_t id);
/* The bound over all blocks that reach into [from, to). After shallow(from). */
float rk_cursor_bound_until(const struct rk_cursor *c, uint32_t to);
/* First posting with id >= `id`; RK_END if there is none. */
uint32_t rk_cursor_geq(struct rk_cursor *c, uint32_t id);
/* Decode the block it stands on. Returns 0, or RK_ECORRUPT (and ends). */
int rk_cursor_load(struct rk_cursor *c);

/* Fill pos and pos_n for the loaded block. Returns 0, or RK_ECORRUPT. */
int rk_cursor_read_positions(struct rk_cursor *c);

static inline float rk_cursor_score(const struct rk_cursor *c, float x)
{
	return c->weight * (x / (x + RK_BM25_K1));
}

#endif
