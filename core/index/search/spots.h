/* SPDX-License-Identifier: MIT */
#ifndef RK_INDEX_SPOTS_H
#define RK_INDEX_SPOTS_H

#include "index/search/windows.h"
#include "query/query.h"

/* Where in a text that is what a query asks for: its words, its patterns. */
struct rk_spots {
	struct rk_spot *v; /* in order, none inside another */
	size_t n, cap;
	double worth[64]; /* of each bit of spots' terms */
};
#define RK_SPOTS_INIT                                                          \
	{                                                                      \
		NULL, 0, 0,                                                    \
		{                                                              \
			0                                                      \
		}                                                              \
	}

/*
 * s is the text of a chunk. Returns 0 or -ENOMEM; rk_spots_release() in both
 * cases.
 */
int rk_spots_find(struct rk_spots *f, struct rk_analyser *a,
		  const struct rk_query *q, const char *s, size_t n);
/* Where the patterns match in a line, which is not a chunk. */
int rk_spots_of_line(struct rk_spots *f, const struct rk_query *q,
		     const char *s, size_t n);
void rk_spots_release(struct rk_spots *f);

#endif
