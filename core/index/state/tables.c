/* SPDX-License-Identifier: MIT */
/* The tables in memory: which one is written to, and when it is frozen. */
#include "index/state/tables.h"
#include "index/state/internal.h"
#include "base/mem.h"
#include "base/lock.h"
#include <assert.h>
#include <errno.h>
#include <string.h>

void rk_view_swap(struct rk_index *ix, struct rk_view *v)
{
	struct rk_view *old;

	rk_assert_held(&ix->writer);
	assert(v->nsegs <= RK_SEGS_MAX);
	assert(v->nmems > 0 && v->nmems <= RK_MEMS_MAX);
	pthread_mutex_lock(&ix->lock);
	old = ix->view;
	ix->view = v;
	pthread_mutex_unlock(&ix->lock);
	rk_view_unref(old);
}

static int new_table(struct rk_index *ix, struct rk_memtable **out)
{
	struct rk_embspace *sp = rk_target_embspace(ix);
	int rc = rk_memtable_new(sp->number, sp->stride, out);

	rk_embspace_unref(sp);
	return rc;
}

static int fits_target(struct rk_index *ix, const struct rk_memtable *m)
{
	struct rk_embspace *sp = rk_target_embspace(ix);
	int fits = m->vec_space == sp->number;

	rk_embspace_unref(sp);
	return fits;
}

int rk_freeze(struct rk_index *ix)
{
	struct rk_memtable *active = ix->view->mems[ix->view->nmems - 1], *m;
	int empty = active->ndocs == 0;
	struct rk_view *v;

	rk_assert_held(&ix->writer);
	if ((empty && fits_target(ix, active)) ||
	    (!empty && ix->view->nmems == RK_MEMS_MAX))
		return 0;
	if (new_table(ix, &m) < 0)
		return -ENOMEM;
	if (!(v = rk_view_copy(ix->view))) {
		rk_memtable_unref(m);
		return -ENOMEM;
	}
	if (empty) { /* of another embedding space: in its place */
		rk_memtable_unref(v->mems[v->nmems - 1]);
		v->mems[v->nmems - 1] = m;
	} else {
		active->floor = rk_queue_floor(&ix->queue);
		v->mems[v->nmems++] = m;
	}
	rk_view_swap(ix, v);
	return 0;
}
