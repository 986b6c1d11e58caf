/* SPDX-License-Identifier: MIT */
/*
 * An index as it is mounted: its root and the fixed nodes below it. With -o
 * multi there are many; they are opened when something needs them, and those
 * that were used longest ago are closed again. All of it on the loop, which is
 * given up while files are opened or closed.
 */
#include "fs/control/import_document.h"
#include "fs/indexes/index.h"
#include "fs/base/events.h"
#include "fs/base/node.h"
#include "fs/base/options.h"
#include "fs/base/pool.h"
#include "fs/indexes/fixed.h"
#include "fs/query/followed.h"
#include "fs/query/saved.h"
#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
	LINGER_MS = 1000, /* what was used just now is not closed */
	CLOSING_MAX = 2,  /* more are waited for before one is opened */
	SHUT_TRIES = 200,
	SHUT_POLL_NS = 10000000,
};

/* --- life --- */

struct fs_index *fs_index_new(struct fs *fs, const char *name, const char *path,
			      const struct fs_kind *root)
{
	struct fs_index *x = calloc(1, sizeof(*x));

	if (!x)
		return NULL;
	x->fs = fs;
	x->files_fd = -1;
	x->uid = fs->uid;
	x->gid = fs->gid;
	x->mode = 0755;
	x->name = strdup(name);
	x->path = strdup(path);
	x->events = fs_events_new();
	x->root = fs_node_virtual(x, root);
	if (!x->name || !x->path || !x->events || !x->root ||
	    fs_fixed_init(x) < 0) {
		fs_index_free(x);
		return NULL;
	}
	x->root->type = S_IFDIR;
	return x;
}

int fs_index_free(struct fs_index *x)
{
	int rc = 0;

	if (!x)
		return 0;
	for (int i = 0; i < FS_AT_MAX; i++)
		fs_index_free(x->at[i]);
	if (x->own_fd && x->files_fd >= 0)
		close(x->files_fd);
	if (x->ix)
		rc = rk_index_close(x->ix);
	fs_events_free(x->events);
	fs_fixed_release(x);
	free(x->root);
	free(x->name);
	free(x->path);
	free(x);
	return rc;
}

int fs_index_in_use(const struct fs_index *x)
{
	if (x->nnodes || x->root->nlookup || fs_fixed_in_use(x))
		return 1;
	for (size_t i = 0; i < FS_KEYED_BUCKETS; i++)
		for (struct fs_node *n = x->fs->keyed[i]; n; n = n->chain)
			if (n->index == x)
				return 1;
	return 0;
}

/* --- opening and closing --- */

/* Memory of what is not yet in segments: a share of what all may take. */
static void limit_memory(struct fs_index *x)
{
	const struct fs *fs = x->fs;

	if (fs->multi)
		rk_index_limit_memory(x->ix, (size_t)fs->memory_mib * 1024 *
						     1024 / 4 / fs->open_max);
}

static int open_index(struct fs_index *x)
{
	struct fs *fs = x->fs;
	struct rk_index *ix = NULL;
	int rc;

	x->opening = 1;
	pthread_mutex_unlock(&fs->loop);
	rc = rk_index_open(fs_env(), fs->backing, x->name,
			   (fs->read_only ? RK_READ_ONLY : 0) |
				   (x->was_open ? RK_NO_RECONCILE : 0),
			   &ix);
	pthread_mutex_lock(&fs->loop);
	x->opening = 0;
	pthread_cond_broadcast(&fs->opened);
	if (rc < 0)
		return rc;
	x->ix = ix;
	x->was_open = 1;
	fs->nopen++;
	rk_index_set_mount(ix, fs->mountpoint);
	limit_memory(x);
	if (!fs->read_only)
		fs_import_tidy(x);
	rk_listen(ix, fs_live_wake, fs);
	fs_saved_follow(x);
	return 0;
}

struct close_job {
	struct fs_job job;
	struct fs_index *x;
	struct rk_index *ix;
};

static void close_run(struct fs_job *job)
{
	struct close_job *j = (struct close_job *)job;
	struct fs *fs = j->x->fs;

	rk_index_close(j->ix);
	malloc_trim(0);
	pthread_mutex_lock(&fs->loop);
	j->x->closing = 0;
	fs->nclosing--;
	pthread_cond_broadcast(&fs->opened);
	pthread_mutex_unlock(&fs->loop);
	free(j);
}

/* Take the index out of use, and close it in the closer's thread. */
static int close_index(struct fs_index *x)
{
	struct close_job *j = calloc(1, sizeof(*j));

	if (!j)
		return -ENOMEM;
	for (int i = 0; i < FS_AT_MAX; i++) {
		fs_index_free(x->at[i]);
		x->at[i] = NULL;
	}
	fs_saved_release(x);
	rk_listen(x->ix, NULL, NULL);
	*j = (struct close_job){{.run = close_run}, x, x->ix};
	x->ix = NULL;
	x->closing = 1;
	x->fs->nclosing++;
	x->fs->nopen--;
	fs_pool_add(x->fs->closer, &j->job);
	return 0;
}

static int can_close(const struct fs_index *x)
{
	if (!x->ix || x->busy || x->checkpoint)
		return 0;
	for (int i = 0; i < FS_AT_MAX; i++)
		if (x->at[i] && (x->at[i]->busy || fs_index_in_use(x->at[i])))
			return 0;
	return 1;
}

/* Pages that are in memory now, in MiB. */
static int64_t resident_mib(void)
{
	long total = 0, resident = 0;
	FILE *f = fopen("/proc/self/statm", "re");

	if (f && fscanf(f, "%ld %ld", &total, &resident) != 2)
		resident = 0;
	if (f)
		fclose(f);
	return (int64_t)resident * sysconf(_SC_PAGESIZE) >> 20;
}

/* More than three quarters of what is allowed, and some can be had back. */
static int is_large(const struct fs *fs)
{
	return fs->nopen > 1 && resident_mib() * 4 > fs->memory_mib * 3;
}

/* Close those that were used longest ago, while there are too many. */
static void close_some(struct fs *fs)
{
	uint64_t now = rk_mono_ns();
	int large = is_large(fs);

	while (fs->nopen > fs->open_max || large) {
		struct fs_index *oldest = NULL;

		for (struct fs_index *x = fs->indexes; x; x = x->next)
			if (can_close(x) &&
			    (large || now - x->used_ns >
					      (uint64_t)LINGER_MS * 1000000) &&
			    (!oldest || x->used_ns < oldest->used_ns))
				oldest = x;
		if (!oldest || close_index(oldest) < 0)
			return;
		large = 0; /* one at a time: it takes a while to tell */
	}
}

static void wait_settled(struct fs_index *x)
{
	while (x->opening || x->closing)
		pthread_cond_wait(&x->fs->opened, &x->fs->loop);
}

int fs_index_use(struct fs_index *x)
{
	int rc = 0;

	x->used_ns = rk_mono_ns();
	if (x->ix || x == x->fs->top)
		return 0;
	while (x->opening || x->closing ||
	       (!x->ix && x->fs->nclosing > CLOSING_MAX))
		pthread_cond_wait(&x->fs->opened, &x->fs->loop);
	if (x->removed)
		return -ENOENT;
	if (!x->ix) {
		x->busy++;
		rc = open_index(x);
		x->busy--;
	}
	if (x->fs->multi)
		close_some(x->fs);
	return rc;
}

/* Jobs and the live thread need it for a moment, open files for longer. */
static void wait_unused(struct fs_index *x)
{
	struct timespec until;

	for (int i = 0; i < SHUT_TRIES && x->ix && !can_close(x); i++) {
		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_nsec += SHUT_POLL_NS;
		until.tv_sec += until.tv_nsec / 1000000000;
		until.tv_nsec %= 1000000000;
		pthread_cond_timedwait(&x->fs->opened, &x->fs->loop, &until);
		wait_settled(x);
	}
}

/* Indexes that are removed, once the kernel knows nothing of them. */
static void free_removed(struct fs *fs)
{
	for (struct fs_index **p = &fs->indexes; *p;) {
		struct fs_index *x = *p;

		if (!x->removed || x->busy || x->ix || x->opening ||
		    x->closing || fs_index_in_use(x)) {
			p = &x->next;
			continue;
		}
		*p = x->next;
		fs_index_free(x);
	}
}

void fs_index_tidy(struct fs *fs)
{
	pthread_mutex_lock(&fs->loop);
	free_removed(fs);
	close_some(fs);
	pthread_mutex_unlock(&fs->loop);
}

int fs_index_shut(struct fs_index *x)
{
	wait_settled(x);
	wait_unused(x);
	if (x->ix && !can_close(x))
		return -EBUSY;
	if (x->ix) {
		int rc = close_index(x);

		if (rc < 0)
			return rc;
		wait_settled(x);
	}
	return 0;
}
