/* SPDX-License-Identifier: MIT */
#ifndef RK_INDEX_EXCERPT_H
#define RK_INDEX_EXCERPT_H

#include "index/query.h"
#include "lexical/records.h"
#include "base/buf.h"

/*
 * The lines of a chunk that answer best: the window of at most `lines` lines
 * with the highest sum of idf over distinct query terms. A document no longer
 * than that is given whole.
 */
struct rk_excerpt {
	struct rk_buf text;  /* lines, each with its newline; valid UTF-8 */
	uint32_t first_line; /* of the text */
	uint32_t best_line;  /* most query terms */
	int complete;	     /* the whole document */
};
#define RK_EXCERPT_INIT                                                        \
	{                                                                      \
		RK_BUF_INIT, 1, 1, 0                                           \
	}

/*
 * s is the chunk's text, `line` its first line. `whole` says that the chunk
 * is all there is. Returns 0 or -ENOMEM.
 */
int rk_excerpt_make(struct rk_excerpt *e, struct rk_analyser *a,
		    const struct rk_query *q, const char *s, size_t n,
		    uint32_t line, int whole, unsigned lines);
void rk_excerpt_release(struct rk_excerpt *e);

#endif
