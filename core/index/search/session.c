/* SPDX-License-Identifier: MIT */
/*
 * The life of one search: it waits for writes, takes a snapshot and an
 * analyser, reads the query, and gives all back.
 */
#include "index/search/session.h"
#include "index/search/candidates.h"
#include <assert.h>
#include <errno.h>
#include <string.h>

static int take_analyser(struct rk_index *ix, struct rk_analyser **out)
{
	pthread_mutex_lock(&ix->lock);
	*out = ix->nspare ? ix->spare[--ix->nspare] : NULL;
	pthread_mutex_unlock(&ix->lock);
	return *out ? 0 : rk_analyser_new(ix->language, out);
}

static void give_analyser(struct rk_index *ix, struct rk_analyser *a)
{
	if (a && ix) {
		rk_analyser_trim(a);
		pthread_mutex_lock(&ix->lock);
		if (ix->nspare < RK_SPARE_MAX) {
			ix->spare[ix->nspare++] = a;
			a = NULL;
		}
		pthread_mutex_unlock(&ix->lock);
	}
	rk_analyser_free(a);
}

static int wait_for_writes(struct rk_index *ix,
			   const struct rk_search_opts *opts)
{
	int ms = opts->wait_ms < 0 ? (int)rk_config_int(ix, "wait_ms")
				   : opts->wait_ms;
	int rc = rk_barrier(ix, ms, opts->cancel);

	return rc == -ETIMEDOUT ? 0 : rc; /* the answer says what is pending */
}

/* The options of the first version, up to its last member. */
enum { OPTS_MIN = offsetof(struct rk_search_opts, all_pages) + sizeof(int) };

int rk_searching_begin(struct rk_searching *s, struct rk_index *ix,
		       const struct rk_search_opts *opts)
{
	static const struct rk_search_opts NONE = {.size = sizeof(NONE),
						   .wait_ms = -1};
	int rc;

	assert(!s->begun);
	s->ix = ix;
	opts = opts ? opts : &NONE;
	if (opts->size < OPTS_MIN)
		return -EINVAL;
	memcpy(&s->opts, opts,
	       opts->size < sizeof(s->opts) ? opts->size : sizeof(s->opts));
	if ((rc = wait_for_writes(ix, &s->opts)) < 0 ||
	    (rc = take_analyser(ix, &s->a)) < 0)
		return rc;
	s->pending = rk_pending(ix);
	rk_snapshot_take(ix, &s->snap);
	s->begun = 1;
	return 0;
}

void rk_searching_end(struct rk_searching *s)
{
	rk_sources_close(s);
	if (s->begun)
		rk_snapshot_release(&s->snap);
	give_analyser(s->ix, s->a);
	rk_query_release(&s->q);
	rk_arena_release(&s->arena);
	rk_buf_release(&s->corrected);
}

int rk_searching_parse(struct rk_searching *s, const char *text, size_t n)
{
	assert(s->begun);
	return rk_query_parse(&s->q, s->a, text, n, s->ix->env->now_ns(),
			      rk_spoken(s->snap.view, RK_SHARE));
}
