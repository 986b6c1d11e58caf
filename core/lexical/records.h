/* SPDX-License-Identifier: MIT */
#ifndef RK_LEXICAL_RECORDS_H
#define RK_LEXICAL_RECORDS_H

#include <stdint.h>

/*
 * Documents and chunks as they lie in memory tables and, byte for byte, in
 * segments (little-endian; core/doc/format-segment.md).
 */
enum {			     /* rk_doc_rec.flags */
       RK_DOC_TRUNCATED = 1, /* indexed in part: above a limit */
       RK_DOC_BINARY = 2,    /* found by its path alone */
       RK_DOC_UNREADABLE = 4,
       RK_DOC_DAMAGED = 8, /* a compressed stream that broke off */
};

struct rk_doc_rec {
	uint64_t ino, size; /* of the file when it was read */
	int64_t mtime_ns;
	uint32_t path_off; /* into the path bytes */
	uint16_t path_n;
	uint8_t kind; /* enum rk_kind */
	uint8_t flags;
	uint32_t chunk0, nchunks; /* chunks [chunk0, chunk0 + nchunks) */
	uint64_t gram_off;	  /* of its signature (text/trigram.h) */
	uint32_t gram_n;	  /* bytes; 0: it may hold anything */
	uint8_t language;	  /* that its words were stemmed by */
	uint8_t spare[3];
};
_Static_assert(sizeof(struct rk_doc_rec) == 56, "on-disk size");

struct rk_chunk_rec {
	uint64_t off; /* bytes of the document's text */
	uint32_t len;
	uint32_t line, nlines;
	uint32_t doc;
	/* heading path, symbols and entities (text/entity.h), one behind the
	 * other, in the head bytes */
	uint32_t head_off;
	uint16_t head_n, sym_n, ent_n;
	uint16_t page; /* of the document, from 1; 0: it has no pages */
	uint32_t spare;
	uint64_t id; /* hash of the chunk's text: its reference */
};
_Static_assert(sizeof(struct rk_chunk_rec) == 48, "on-disk size");

static inline uint32_t rk_chunk_head_bytes(const struct rk_chunk_rec *c)
{
	return (uint32_t)c->head_n + c->sym_n + c->ent_n;
}

#endif
