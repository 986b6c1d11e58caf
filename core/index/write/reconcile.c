/* SPDX-License-Identifier: MIT */
/*
 * Documents against index: every regular file that the index does not know by
 * (path, size, mtime, inode) is read, every indexed path that has gone is
 * removed. Runs behind queries and writers, at their pace.
 */
#include "index/write/reconcile.h"
#include "index/documents/document.h"
#include "index/documents/links.h"
#include "index/documents/walk.h"
#include "index/state/requests.h"
#include "base/attributes.h"
#include "base/mem.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct compare {
	struct rk_index *ix;
	unsigned flags; /* of the tasks: force when all is read again */
};

static int compare_file(void *ctx, const char *path, const struct stat *st)
{
	struct compare *c = ctx;
	struct rk_docref d;
	int same = 0;

	if (!(c->flags & RK_TASK_FORCE)) {
		pthread_mutex_lock(&c->ix->writer);
		same = rk_find_live(c->ix, path, strlen(path), &d) == 1 &&
		       rk_is_unchanged(&d.rec, st);
		pthread_mutex_unlock(&c->ix->writer);
	}
	if (same)
		return 0;
	rk_throttle(c->ix);
	return rk_queue_push(&c->ix->queue, path, c->flags, 0);
}

struct path_list {
	struct rk_buf paths; /* NUL-terminated, one behind the other */
	struct rk_index *ix;
};

static int note_missing(void *ctx, const struct rk_docref *d, const char *path)
{
	struct path_list *l = ctx;
	char root[PATH_MAX];
	const char *rest;
	struct stat st;
	int rc;

	(void)d;
	if (rk_link_of(l->ix, path, root, &rest))
		return 0; /* compared where it is */
	rc = rk_stat_document(l->ix, path, &st);
	if (rk_unreadable(rc)) {
		rk_retry_later(l->ix);
		return 0; /* it may well be there */
	}
	if (rc < 0 || !S_ISREG(st.st_mode))
		rk_buf_add(&l->paths, path, strlen(path) + 1);
	return l->paths.err;
}

/* Indexed paths that are no longer there. */
static void remove_missing(struct rk_index *ix)
{
	struct path_list l = {RK_BUF_INIT, ix};

	pthread_mutex_lock(&ix->writer);
	rk_each_live(ix, "", note_missing, &l);
	pthread_mutex_unlock(&ix->writer);
	for (size_t i = 0; i < l.paths.n && !ix->stopping;) {
		const char *path = (const char *)l.paths.p + i;

		rk_throttle(ix);
		rk_queue_push(&ix->queue, path, 0, 0);
		i += strlen(path) + 1;
	}
	rk_buf_release(&l.paths);
}

static void reconcile(struct rk_index *ix, int all)
{
	struct compare c = {ix, all ? RK_TASK_FORCE : 0};
	int rc;

	ix->reconciling = 1;
	rc = rk_walk_files(ix, "", compare_file, &c);
	if (rc < 0) {
		rk_warn(&ix->warnings, "comparing the documents: %s",
			rk_strerror(rc));
		rk_retry_later(ix);
	}
	remove_missing(ix);
	if (rc == 0)
		rk_attr_sweep(ix->files_fd);
	ix->reconciling = 0;
}

/* --- what failed is tried again, less and less often --- */

static int retry_due(struct rk_index *ix)
{
	uint64_t at = ix->retry_ns;

	if (!at || at > rk_mono_ns())
		return 0;
	ix->retry_ns = 0;
	ix->retried_ns = rk_mono_ns();
	return 1;
}

static void wait_for_wish(struct rk_index *ix)
{
	uint64_t at = ix->retry_ns;
	struct timespec ts = {(time_t)(at / 1000000000),
			      (long)(at % 1000000000)};

	if (at)
		pthread_cond_timedwait(&ix->persist_cond, &ix->persist_lock,
				       &ts);
	else
		pthread_cond_wait(&ix->persist_cond, &ix->persist_lock);
}

void *rk_reconcile_main(void *arg)
{
	struct rk_index *ix = arg;

	pthread_mutex_lock(&ix->persist_lock);
	while (!ix->stopping) {
		int wanted = ix->reconcile_wanted;

		if (!wanted && retry_due(ix))
			wanted = 1;
		if (!wanted) {
			wait_for_wish(ix);
			continue;
		}
		ix->reconcile_wanted = 0;
		ix->reconciling = 1;
		pthread_mutex_unlock(&ix->persist_lock);
		reconcile(ix, wanted == 2);
		pthread_mutex_lock(&ix->persist_lock);
		ix->did_reconcile++;
		pthread_cond_broadcast(&ix->room_cond);
	}
	pthread_mutex_unlock(&ix->persist_lock);
	return NULL;
}
