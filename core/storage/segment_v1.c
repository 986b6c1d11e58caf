/* SPDX-License-Identifier: MIT */
/*
 * Segments of the first format: shorter records, no entities, no signatures.
 * Their tables are read into memory in today's form when they are opened. They
 * serve readers; a writer indexes the documents anew.
 */
#include "base/mem.h"
#include "base/status.h"
#include "storage/segment.h"
#include <errno.h>
#include <string.h>

struct doc_v1 {
	uint64_t ino, size;
	int64_t mtime_ns;
	uint32_t path_off;
	uint16_t path_n;
	uint8_t kind, flags;
	uint32_t chunk0, nchunks;
};
_Static_assert(sizeof(struct doc_v1) == 40, "on-disk size");

struct chunk_v1 {
	uint64_t off;
	uint32_t len, line, nlines, doc, head_off;
	uint16_t head_n, sym_n;
};
_Static_assert(sizeof(struct chunk_v1) == 32, "on-disk size");

static int read_docs(struct rk_segment *s)
{
	size_t n = s->ndocs;
	const struct doc_v1 *d =
		rk_section_at(s->c, s->s_docs, 0, n * sizeof(*d));

	s->old_docs = rk_calloc(n + 1, sizeof(*s->old_docs));
	if (!s->old_docs)
		return -ENOMEM;
	if (!d)
		return RK_ECORRUPT;
	for (size_t i = 0; i < n; i++)
		s->old_docs[i] = (struct rk_doc_rec){
			.ino = d[i].ino,
			.size = d[i].size,
			.mtime_ns = d[i].mtime_ns,
			.path_off = d[i].path_off,
			.path_n = d[i].path_n,
			.kind = d[i].kind,
			.flags = d[i].flags,
			.chunk0 = d[i].chunk0,
			.nchunks = d[i].nchunks,
		};
	return 0;
}

static int read_chunks(struct rk_segment *s)
{
	size_t n = s->nchunks;
	const struct chunk_v1 *c =
		rk_section_at(s->c, s->s_chunks, 0, n * sizeof(*c));

	s->old_chunks = rk_calloc(n + 1, sizeof(*s->old_chunks));
	if (!s->old_chunks)
		return -ENOMEM;
	if (!c)
		return RK_ECORRUPT;
	for (size_t i = 0; i < n; i++)
		s->old_chunks[i] = (struct rk_chunk_rec){
			.off = c[i].off,
			.len = c[i].len,
			.line = c[i].line,
			.nlines = c[i].nlines,
			.doc = c[i].doc,
			.head_off = c[i].head_off,
			.head_n = c[i].head_n,
			.sym_n = c[i].sym_n,
			.id = i, /* unlike any other */
		};
	return 0;
}

int rk_segment_is_v1(const struct rk_segment *s)
{
	return s->s_grams < 0 && s->stats.docs <= UINT32_MAX &&
	       s->stats.chunks <= UINT32_MAX &&
	       rk_section_len(s->c, s->s_docs) ==
		       s->stats.docs * sizeof(struct doc_v1) &&
	       rk_section_len(s->c, s->s_chunks) ==
		       s->stats.chunks * sizeof(struct chunk_v1);
}

int rk_segment_read_v1(struct rk_segment *s)
{
	int rc = read_docs(s);

	return rc ? rc : read_chunks(s);
}
