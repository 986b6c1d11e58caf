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
};
_Static_assert(sizeof(struct rk_doc_rec) == 40, "on-disk size");

struct rk_chunk_rec {
	uint64_t off; /* bytes of the document's text */
	uint32_t len;
	uint32_t line, nlines;
	uint32_t doc;
	uint32_t head_off; /* heading path, then symbols, in the head bytes */
	uint16_t head_n, sym_n;
};
_Static_assert(sizeof(struct rk_chunk_rec) == 32, "on-disk size");

#endif
