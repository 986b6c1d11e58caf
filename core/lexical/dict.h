/* SPDX-License-Identifier: MIT */
#ifndef RK_LEXICAL_DICT_H
#define RK_LEXICAL_DICT_H

#include "base/buf.h"

/*
 * Sorted dictionary of terms, front-coded in blocks of 16:
 *
 *   block := posts_off:varint poss_off:varint entry{<=16}
 *   entry := shared:u8 rest:u8 bytes{rest} df:varint posts_n:varint
 *            poss_n:varint bound:u8
 *
 * and an index of u32 block offsets. The offsets of a block are those of its
 * first term; later terms follow by adding lengths. Words (see analyse.h)
 * have df alone: posts_n and poss_n are 0.
 */
enum { RK_DICT_BLOCK = 16, RK_TERM_MAX = 255 };

struct rk_dict_entry {
	uint32_t df;
	uint64_t posts_off, posts_n;
	uint64_t poss_off, poss_n;
	uint8_t bound; /* code of the largest x in the list */
};

struct rk_dictw {
	struct rk_buf blob, index;
	uint64_t taken; /* bytes of the blob that the caller has taken away */
	char prev[RK_TERM_MAX];
	size_t prev_n;
	uint32_t n;
	uint64_t posts_off, poss_off;
};
void rk_dictw_release(struct rk_dictw *w);
/*
 * Terms in ascending byte order; the offsets must follow on from the term
 * before. Terms are 1 to RK_TERM_MAX bytes. Errors stick in blob.err.
 */
void rk_dictw_add(struct rk_dictw *w, const char *s, size_t n, uint32_t df,
		  uint64_t posts_n, uint64_t poss_n, uint8_t bound);

/* Borrowed bytes; nothing is trusted, whatever is in them. */
struct rk_dict {
	const uint8_t *blob, *index;
	size_t blob_n;
	uint32_t blocks;
};
/* Returns 0 or RK_ECORRUPT. */
int rk_dict_init(struct rk_dict *d, const void *blob, size_t blob_n,
		 const void *index, size_t index_n);
/* Returns 1 and *out, 0 if there is no such term, or RK_ECORRUPT. */
int rk_dict_find(const struct rk_dict *d, const char *s, size_t n,
		 struct rk_dict_entry *out);

/* In order, from the first term not below the prefix (n may be 0). */
struct rk_dict_iter {
	const struct rk_dict *d;
	const uint8_t *p;
	uint32_t block;
	unsigned left; /* entries left in the block, when known */
	char term[RK_TERM_MAX + 1];
	size_t n;
	struct rk_dict_entry e;
	int err;
	int pending; /* the current entry has not been handed out yet */
};
void rk_dict_seek(const struct rk_dict *d, const char *s, size_t n,
		  struct rk_dict_iter *it);
/* 1 and it->term, it->n, it->e; 0 at the end; RK_ECORRUPT. */
int rk_dict_next(struct rk_dict_iter *it);

/* Byte order, shorter first. */
int rk_term_cmp(const char *a, size_t an, const char *b, size_t bn);

#endif
