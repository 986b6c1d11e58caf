/* SPDX-License-Identifier: MIT */
#ifndef RK_INDEX_LIKE_H
#define RK_INDEX_LIKE_H

#include "index/search/searching.h"

/* Add the document's words to the query. Returns 0, -ENOMEM. */
int rk_like_expand(struct rk_searching *s);
/* The sum of its chunks' vectors; 1, or 0 if it has none. */
int rk_like_vector(struct rk_searching *s, float *out);

#endif
