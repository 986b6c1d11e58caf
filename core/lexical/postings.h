/* SPDX-License-Identifier: MIT */
#ifndef RK_LEXICAL_POSTINGS_H
#define RK_LEXICAL_POSTINGS_H

#include "base/buf.h"
#include "lexical/bitpack.h"
#include "lexical/bm25f.h"

/*
 * One term's postings list: ascending chunk ids, each with a body frequency
 * tf and a summed head weight (see bm25f.h). Byte format, also described in
 * core/doc/format-segment.md:
 *
 *   list  := meta{nblocks} data{nblocks} tail      nblocks = df / 128
 *   meta  := last:u32 data_off:u32 pos_off:u32 wd:u8 wt:u8 wh:u8 bound:u8
 *   data  := pack128(id gaps - 1, wd) pack128(tf, wt) pack128(head, wh)
 *   tail  := bound:u8 [pos_off:varint if nblocks] entry{df % 128}
 *   entry := (gap-1)<<2 | (tf != 1) | (head != 0)<<1 :varint [tf] [head]
 *
 * data_off counts from the end of the meta array, pos_off from the start of
 * the term's positions. A gap is counted from the id before, -1 at first.
 * Positions are a stream of their own, read by phrases and pairs alone:
 *
 *   posting := [count:varint if head != 0, else tf of them] [first
 *              gap:varint{count - 1} if count != 0]
 *   first   := gap:u8 below 128, no forms
 *            | 0x80 + gap:6 bits, forms
 *            | 0xc0 + has forms:1 bit + high:5 bits, low:u8
 *              [gap:varint if high is 31] [forms]
 *   forms   := form:u8 of each, high bit: another follows
 *
 * A form is a code of seven bits for a word as it stands in the text, where it
 * is not the term itself (0: that, beside others; RK_FORM_ANY: too many).
 */
enum { RK_FORM_SELF = 0, RK_FORM_ANY = 127, RK_FORMS_MAX = 4 };

/* Append a first gap and its forms. */
void rk_first_gap(struct rk_buf *b, uint32_t gap, const uint8_t *form,
		  unsigned nforms);
/* By the hash of its unstemmed entry in a vocabulary. */
static inline uint8_t rk_form_code(uint32_t hash)
{
	return (uint8_t)(1 + hash % (RK_FORM_ANY - 1));
}

struct rk_posting {
	uint32_t id;	/* chunk */
	uint32_t tf;	/* occurrences in the body */
	uint32_t head;	/* halves of head weight */
	uint32_t pos_n; /* bytes of positions */
	const uint8_t *pos;
};

/* Builds one list at a time. Reusable: rk_postw_finish() leaves it empty. */
struct rk_postw {
	uint32_t ids[RK_BLOCK], tf[RK_BLOCK], head[RK_BLOCK];
	unsigned n;	  /* postings in the open block */
	uint32_t df;	  /* postings so far */
	uint32_t last;	  /* id before the open block */
	uint32_t pos_off; /* where the open block's positions start */
	float block_x;	  /* largest x in the open block */
	float list_x;
	struct rk_buf meta, data, pos;
};
void rk_postw_release(struct rk_postw *w);
/* Add in ascending id order; x as of rk_bm25_x(), for the bounds. */
void rk_postw_add(struct rk_postw *w, const struct rk_posting *p, float x);
/*
 * Append the list to posts and its positions to poss.
 * Returns the list's bound code, or -ENOMEM.
 */
int rk_postw_finish(struct rk_postw *w, struct rk_buf *posts,
		    struct rk_buf *poss);

/*
 * A list as it lies in a segment; borrowed bytes, checked against `chunks`
 * (the number of chunks) as they are decoded.
 */
struct rk_postr {
	const uint8_t *meta, *data, *tail, *end;
	const uint8_t *pos, *pos_end;
	uint32_t df, nblocks, chunks;
	uint32_t tail_pos;  /* positions of the tail start here */
	uint8_t tail_bound; /* bound code of the tail */
};

/* Returns 0 or RK_ECORRUPT. Cheap: nothing but the frame is looked at. */
int rk_postr_init(struct rk_postr *r, const uint8_t *p, size_t n,
		  const uint8_t *pos, size_t pos_n, uint32_t df,
		  uint32_t chunks);

struct rk_blockmeta {
	uint32_t last; /* largest id; UINT32_MAX for the tail */
	uint32_t data_off, pos_off;
	uint8_t wd, wt, wh, bound;
};
/* Block b < nblocks, or the tail at b == nblocks. */
struct rk_blockmeta rk_postr_meta(const struct rk_postr *r, uint32_t b);
/* Number of blocks with the tail. */
static inline uint32_t rk_postr_blocks(const struct rk_postr *r)
{
	return r->nblocks + (r->df % RK_BLOCK != 0);
}

/*
 * Decode block b. Arrays of RK_BLOCK. Returns the number of postings, or
 * RK_ECORRUPT. *has_head is 0 if all heads are zero.
 */
int rk_postr_decode(const struct rk_postr *r, uint32_t b, uint32_t *ids,
		    uint32_t *tf, uint32_t *head, int *has_head);

/*
 * Walk the position bytes of a decoded block of n postings:
 * out[i], out_n[i] are the bytes of posting i. Returns 0 or RK_ECORRUPT.
 */
int rk_postr_positions(const struct rk_postr *r, uint32_t b, unsigned n,
		       const uint32_t *tf, const uint32_t *head,
		       const uint8_t **out, uint32_t *out_n);

/*
 * Decode the positions of one posting into `at`, at most `max`.
 * Returns how many, or RK_ECORRUPT.
 */
int rk_positions_decode(const uint8_t *p, uint32_t n, uint32_t tf,
			uint32_t head, uint32_t *at, unsigned max);

/*
 * Is a form among those of a posting? 1, 0, or RK_ECORRUPT; a posting without
 * positions does not know, and 1.
 */
int rk_positions_have(const uint8_t *p, uint32_t n, uint32_t tf, uint32_t head,
		      uint8_t form);

#endif
