/* SPDX-License-Identifier: MIT */
#ifndef RK_INDEX_CURSORS_H
#define RK_INDEX_CURSORS_H

#include "index/search/searching.h"

/* A cursor on term t of a source that has it, in the arena; NULL: memory. */
struct rk_cursor *rk_open_cursor(struct rk_searching *s,
				 const struct rk_qsource *src, unsigned t);
/* A cursor on a list that is no term's. */
void rk_plist_cursor(const struct rk_qsource *src, const struct rk_plist *l,
		     struct rk_cursor *c);
/* Where a term stands in a chunk. */
struct rk_places {
	uint32_t *at; /* room for max */
	unsigned max;
	int n;
	int own; /* once at least in the very form that the query has */
};
/* Of the posting that c stands on; 0, or negative. */
int rk_cursor_positions(struct rk_searching *s, const struct rk_qsource *src,
			struct rk_cursor *c, struct rk_places *out);

#endif
