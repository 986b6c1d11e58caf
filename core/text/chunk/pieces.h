/* SPDX-License-Identifier: MIT */
#ifndef RK_TEXT_PIECES_H
#define RK_TEXT_PIECES_H

#include "text/chunk/chunk.h"

/* Sizes in bytes that a chunk of prose or code aims at. */
enum {
	CHUNK_TARGET = 2400, /* a chunk this large is closed at a boundary */
	CHUNK_MAX = 6000,    /* never larger, except by one short line */
	CHUNK_CODE_ALONE = 1000, /* a definition this large begins a chunk */
	CHUNK_CODE_PACK = 2000,	 /* smaller ones join the one before */
	CHUNK_WHOLE = 2000, /* a Markdown document this small stays whole */
};

/* A line of the text: [off, end) without its newline. */
struct line {
	size_t off, end;
	size_t next; /* where the following line starts */
};

struct line chunk_line_at(const char *s, size_t n, size_t off);
int chunk_line_blank(const char *s, struct line l);

/* Newlines in n bytes. */
uint32_t chunk_count_lines(const char *s, size_t n);

/* Append a chunk; its strings live in c's arena. 0 or -ENOMEM. */
int chunk_push(struct rk_chunks *c, struct rk_chunk k);
/* Append [off, off+len), trimmed of blank lines; line is that of off. */
int chunk_emit(struct rk_chunks *c, const char *s, size_t off, size_t len,
	       uint32_t line, const char *head, const char *sym);

/* Cut [off, end) at paragraphs; every piece carries `head`. */
int chunk_paragraphs(struct rk_chunks *c, const char *s, size_t off, size_t end,
		     uint32_t line, const char *head);

/*
 * Heading levels 1 to 6 as a stack; its path is "A > B > C". A new heading
 * drops the deeper ones.
 */
struct heading_stack {
	const char *text[7];
	size_t len[7];
};
void heading_set(struct heading_stack *h, int level, const char *s, size_t n);
/* Joined path in the arena, or NULL when memory is short. */
const char *heading_path(const struct heading_stack *h, struct rk_arena *a);

#endif
