/* SPDX-License-Identifier: MIT */
#ifndef RK_TEXT_CHUNK_H
#define RK_TEXT_CHUNK_H

#include "base/arena.h"
#include "text/extract/kind.h"
#include <stddef.h>
#include <stdint.h>

/*
 * A chunk is what a query ranks: a run of whole lines of one document, large
 * enough to answer and small enough to read. Chunks of a document are in
 * order, do not overlap and leave out nothing but blank lines.
 */
struct rk_chunk {
	size_t off, len;   /* bytes of the text */
	uint32_t line;	   /* first line, from 1 */
	uint32_t nlines;   /* at least 1 */
	const char *head;  /* heading path "A > B", or "" */
	const char *sym;   /* names defined here, space-separated, or "" */
	const char *ent;   /* what is defined here, encoded (entity.h), or "" */
	uint16_t head_len; /* bytes, at most RK_HEAD_MAX */
	uint16_t sym_len;  /* bytes, at most RK_SYM_MAX */
	uint16_t ent_len;  /* bytes, at most RK_ENT_MAX */
	uint16_t page;	   /* from 1; 0: the document has none */
};

enum { RK_HEAD_MAX = 400, RK_SYM_MAX = 240, RK_ENT_MAX = 32000 };

/* Growing list; head and sym strings live in its arena. */
struct rk_chunks {
	struct rk_chunk *v;
	size_t n, cap;
	struct rk_arena arena;
	int truncated; /* the document has more than RK_CHUNKS_MAX */
};
#define RK_CHUNKS_INIT                                                         \
	{                                                                      \
		NULL, 0, 0, RK_ARENA_INIT, 0                                   \
	}
enum { RK_CHUNKS_MAX = 50000 };

/*
 * Cut n bytes of text by the structure of its kind: markup by heading, manual
 * pages by section, code by definition (`defs`, in order of lines; NULL: by
 * the shape of its lines), mail by message, tables and JSON Lines by record,
 * logs by gaps in time, the rest by paragraph. A single line of any length is
 * cut too. An empty text gives one empty chunk, so that the document can be
 * found by its name. Returns 0 or -ENOMEM. Call rk_chunks_release() in both
 * cases.
 */
struct rk_entities;
int rk_chunk_text(enum rk_kind kind, const char *text, size_t n,
		  const struct rk_entities *defs, struct rk_chunks *out);
void rk_chunks_release(struct rk_chunks *c);

/* A token estimate for language models: about four bytes a token. */
static inline uint32_t rk_token_estimate(size_t bytes)
{
	return (uint32_t)((bytes + 3) / 4);
}

#endif
