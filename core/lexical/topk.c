/* SPDX-License-Identifier: MIT */
#include "lexical/topk.h"
#include <assert.h>

/* True if a is worse than b. */
static int worse(const struct rk_topk *t, const struct rk_candidate *a,
		 const struct rk_candidate *b)
{
	if (a->score != b->score)
		return a->score < b->score;
	return t->before(t->ctx, b, a);
}

static void sift_down(struct rk_topk *t, size_t i, size_t n)
{
	struct rk_candidate c = t->v[i];

	for (;;) {
		size_t kid = 2 * i + 1;

		if (kid >= n)
			break;
		if (kid + 1 < n && worse(t, &t->v[kid + 1], &t->v[kid]))
			kid++;
		if (!worse(t, &t->v[kid], &c))
			break;
		t->v[i] = t->v[kid];
		i = kid;
	}
	t->v[i] = c;
}

static void sift_up(struct rk_topk *t, size_t i)
{
	struct rk_candidate c = t->v[i];

	while (i > 0 && worse(t, &c, &t->v[(i - 1) / 2])) {
		t->v[i] = t->v[(i - 1) / 2];
		i = (i - 1) / 2;
	}
	t->v[i] = c;
}

void rk_topk_offer(struct rk_topk *t, struct rk_candidate c)
{
	assert(t->n <= t->k);
	if (t->k == 0)
		return;
	if (t->n < t->k) {
		t->v[t->n++] = c;
		sift_up(t, t->n - 1);
	} else if (worse(t, &t->v[0], &c)) {
		t->v[0] = c;
		sift_down(t, 0, t->n);
	}
}

void rk_topk_sort(struct rk_topk *t)
{
	for (size_t n = t->n; n > 1; n--) {
		struct rk_candidate c = t->v[0];

		t->v[0] = t->v[n - 1];
		t->v[n - 1] = c;
		sift_down(t, 0, n - 1);
	}
}
