/* SPDX-License-Identifier: MIT */
#ifndef RK_LEXICAL_INVERT_H
#define RK_LEXICAL_INVERT_H

#include "base/buf.h"
#include "lexical/bm25f.h"
#include "lexical/postings.h"
#include "lexical/records.h"
#include "text/analyse/analyse.h"
#include "text/chunk/chunk.h"

/*
 * One document turned inside out: for each chunk the terms it holds. Built by
 * one worker outside all locks, then inserted into a memory table in one go.
 * Reusable: rk_invert() starts by emptying it.
 */
struct rk_inv_term {
	uint32_t term;	   /* id in the analyser's vocabulary */
	uint32_t tf, head; /* both 0 for an unstemmed word */
	uint32_t pos_off, pos_n;
	uint8_t form[RK_FORMS_MAX]; /* codes of its words, see postings.h */
	uint8_t nforms;
};

struct rk_inv_chunk {
	struct rk_chunk_rec rec; /* doc and head_off are the table's to set */
	const char *head, *sym, *ent; /* borrowed from the chunk list */
	rk_norm norm;
	uint32_t first, n; /* terms[first, first + n) */
};

struct rk_inverted {
	struct rk_inv_chunk *chunks;
	size_t nchunks, chunks_cap;
	struct rk_inv_term *terms;
	size_t nterms, terms_cap;
	struct rk_buf pos; /* position bytes as in postings.h */
	/* scratch: by vocabulary id */
	uint32_t *slot, *stamp;
	uint32_t stamps_cap, serial;
	uint32_t *at; /* positions grouped by term */
	size_t at_cap;
};
void rk_inverted_release(struct rk_inverted *v);

/* Properties of a document, as terms (text/property.h), '\0' behind each. */
struct rk_props {
	struct rk_buf terms;
};

/*
 * Invert the chunks of a document at `path` whose text is s. Its properties
 * are those of all its chunks; what a chunk defines is its own.
 * Returns 0 or -ENOMEM.
 */
int rk_invert(struct rk_inverted *v, struct rk_analyser *a, const char *path,
	      enum rk_kind kind, const char *s, const struct rk_chunks *chunks,
	      const struct rk_props *props);

#endif
