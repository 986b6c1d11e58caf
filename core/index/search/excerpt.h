/* SPDX-License-Identifier: MIT */
#ifndef RK_INDEX_EXCERPT_H
#define RK_INDEX_EXCERPT_H

#include "query/query.h"
#include "lexical/records.h"
#include "base/buf.h"
#include <limits.h>

/*
 * The lines of a chunk that answer best. Where `lines` lines in a row hold all
 * of the query that the chunk has, the smallest run of them that does, with a
 * line of context around; else a line for each of it, in runs with a line that
 * is an ellipsis between them. Of lines that are longer than RK_LINE_BYTES the
 * windows around what was found. What is no longer is given whole.
 */
struct rk_excerpt {
	struct rk_buf text;    /* lines, each with its newline; valid UTF-8 */
	uint32_t first_line;   /* of the text */
	uint32_t best_line;    /* most query terms */
	int complete;	       /* the whole document */
	struct rk_mark *marks; /* where query terms are in the text */
	size_t nmarks;
	uint32_t *lines; /* number of each line; 0: an ellipsis */
	size_t nlines;
};
#define RK_EXCERPT_INIT                                                        \
	{                                                                      \
		RK_BUF_INIT, 1, 1, 0, NULL, 0, NULL, 0                         \
	}

/* as `lines`: the whole chunk, however long its lines are */
#define RK_LINES_ALL UINT_MAX

struct rk_excerpt_want {
	uint32_t first;	    /* line of the chunk's first */
	uint32_t must_show; /* a line that has to be in it; 0: none */
	int whole;	    /* the chunk is all there is */
	unsigned lines;	    /* at most */
	int squeeze;	    /* runs of blanks are what is left of tags */
};

/*
 * s is the chunk's text. Returns 0 or -ENOMEM; rk_excerpt_release() in both
 * cases.
 */
int rk_excerpt_make(struct rk_excerpt *e, struct rk_analyser *a,
		    const struct rk_query *q, const char *s, size_t n,
		    const struct rk_excerpt_want *want);
void rk_excerpt_release(struct rk_excerpt *e);

#endif
