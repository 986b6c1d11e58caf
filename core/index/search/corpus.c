/* SPDX-License-Identifier: MIT */
/* Terms counted over several indexes. */
#include "index/search/corpus.h"
#include <string.h>

int rk_global_same(const struct rk_global_term *g, const struct rk_qterm *t)
{
	return g->match == (int)t->match && g->n == t->n &&
	       memcmp(g->s, t->s, t->n) == 0;
}

uint64_t rk_global_df(const struct rk_global *g, const struct rk_qterm *t)
{
	for (unsigned i = 0; i < g->nterms; i++)
		if (rk_global_same(&g->term[i], t))
			return g->term[i].df;
	return 0;
}
