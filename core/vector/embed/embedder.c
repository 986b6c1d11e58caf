/* SPDX-License-Identifier: MIT */
#include "vector/embed/embedder.h"
#include <assert.h>

struct rk_embedder *rk_embedder_ref(struct rk_embedder *e)
{
	if (e)
		e->refs++;
	return e;
}

void rk_embedder_unref(struct rk_embedder *e)
{
	assert(!e || e->refs > 0);
	if (e && --e->refs == 0)
		e->ops->close(e);
}
