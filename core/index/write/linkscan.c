/* SPDX-License-Identifier: MIT */
/*
 * Linked sources beside the index: every file that is not known as it is goes
 * to the workers, and every document that has no file any more.
 */
#include "index/write/linkscan.h"
#include "index/state/internal.h"
#include "index/documents/document.h"
#include "index/documents/linkwalk.h"
#include "index/state/requests.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/lock.h"
#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

void rk_want_scan(struct rk_index *ix, const char *name, int how)
{
	struct rk_links *l = ix->links;

	assert(how == 1 || how == 2);
	pthread_mutex_lock(&l->lock);
	for (unsigned i = 0; i < l->n; i++)
		if ((!name || strcmp(l->v[i].name, name) == 0) &&
		    l->v[i].scan < how)
			l->v[i].scan = how;
	pthread_mutex_unlock(&l->lock);
}

void rk_tell_missing(struct rk_index *ix, struct rk_link *x)
{
	rk_assert_held(&ix->links->lock);
	x->state = "missing";
	x->missing = 1;
	if (!x->told)
		rk_warn(&ix->warnings,
			"source %s: %s is missing; its documents are kept",
			x->name, x->root);
	x->told = 1;
}

static void set_state(struct rk_index *ix, const char *name, int missing,
		      const char *state)
{
	struct rk_links *l = ix->links;
	int told = 0;

	pthread_mutex_lock(&l->lock);
	for (unsigned i = 0; i < l->n; i++)
		if (strcmp(l->v[i].name, name) == 0) {
			told = l->v[i].told;
			l->v[i].state = state;
			l->v[i].missing = missing;
			if (missing)
				rk_tell_missing(ix, &l->v[i]);
			else if (strcmp(state, "ok") == 0)
				l->v[i].told = 0;
			told -= l->v[i].told;
		}
	pthread_mutex_unlock(&l->lock);
	if (told)
		rk_new_generation(ix); /* excerpts come, or go */
}

struct compare {
	struct rk_watches *w;
	unsigned flags;
	uint64_t *seen; /* open addressing over hashes of paths; 0: free */
	size_t n, nslots;
	uint64_t files;
	int rc;
};

static int seen_add(struct compare *c, uint64_t h)
{
	size_t i;

	h |= 1;
	if (2 * c->n >= c->nslots) {
		size_t n = c->nslots ? 2 * c->nslots : 4096;
		uint64_t *v = rk_calloc(n, sizeof(*v));

		if (!v)
			return -ENOMEM;
		for (size_t k = 0; k < c->nslots; k++)
			if (c->seen[k]) {
				i = c->seen[k] & (n - 1);
				while (v[i])
					i = (i + 1) & (n - 1);
				v[i] = c->seen[k];
			}
		rk_free(c->seen);
		c->seen = v;
		c->nslots = n;
	}
	for (i = h & (c->nslots - 1); c->seen[i] && c->seen[i] != h;)
		i = (i + 1) & (c->nslots - 1);
	c->n += c->seen[i] == 0;
	c->seen[i] = h;
	return 0;
}

static int was_seen(const struct compare *c, uint64_t h)
{
	size_t i;

	h |= 1;
	for (i = h & (c->nslots - 1); c->nslots && c->seen[i];
	     i = (i + 1) & (c->nslots - 1))
		if (c->seen[i] == h)
			return 1;
	return 0;
}

static int compare_file(void *ctx, const char *path, const struct stat *st)
{
	struct compare *c = ctx;
	struct rk_index *ix = c->w->ix;
	struct rk_docref d;
	int same;

	c->files++;
	if (seen_add(c, rk_hash64(path, strlen(path))) < 0)
		return -ENOMEM;
	pthread_mutex_lock(&ix->writer);
	same = rk_find_live(ix, path, strlen(path), &d) == 1 &&
	       rk_is_unchanged(&d.rec, st);
	pthread_mutex_unlock(&ix->writer);
	if (same && !(c->flags & RK_TASK_FORCE))
		return 0;
	rk_throttle(ix);
	return rk_queue_push(&ix->queue, path, c->flags, 0);
}

static void compare_folder(void *ctx, const char *path, const char *real,
			   struct rk_ignore_set *rules)
{
	struct compare *c = ctx;

	rk_watches_add(c->w, path, real, rules);
}

struct gone {
	struct compare *c;
	struct rk_buf paths;
	uint64_t known;
};

static int note_gone(void *ctx, const struct rk_docref *d, const char *path)
{
	struct gone *g = ctx;
	size_t n = strlen(path);

	(void)d;
	g->known++;
	if (!was_seen(g->c, rk_hash64(path, n)))
		rk_buf_add(&g->paths, path, n + 1);
	return g->paths.err;
}

/*
 * Documents that the walk has not met are looked at once more by a worker. A
 * source with nothing in it at all is more likely not mounted.
 */
static int remove_gone(struct compare *c, const char *name)
{
	struct rk_index *ix = c->w->ix;
	struct gone g = {c, RK_BUF_INIT, 0};
	char prefix[NAME_MAX + 2];

	snprintf(prefix, sizeof(prefix), "%s/", name);
	pthread_mutex_lock(&ix->writer);
	rk_each_live(ix, prefix, note_gone, &g);
	pthread_mutex_unlock(&ix->writer);
	if (c->files == 0 && g.known > 0) {
		rk_buf_release(&g.paths);
		return 0;
	}
	for (size_t i = 0; i < g.paths.n && !ix->stopping;) {
		const char *path = (const char *)g.paths.p + i;

		rk_throttle(ix);
		rk_queue_push(&ix->queue, path, 0, 0);
		i += strlen(path) + 1;
	}
	rk_buf_release(&g.paths);
	return 1;
}

static void compare_link(struct rk_watches *w, const char *name,
			 const char *root, int how)
{
	struct compare c = {.w = w, .flags = how == 2 ? RK_TASK_FORCE : 0};
	struct rk_link_walk lw = {.ix = w->ix,
				  .name = name,
				  .root = root,
				  .folder = compare_folder,
				  .file = compare_file,
				  .ctx = &c};
	int rc, there;

	if (!rk_link_allowed(w->ix, root))
		return; /* the mount has come over it */
	set_state(w->ix, name, 0, "scanning");
	rc = rk_link_walk(&lw, "");
	there = rc == 0 && rk_link_there(w->ix, name) && remove_gone(&c, name);
	set_state(w->ix, name, !there && !w->ix->stopping,
		  there ? "ok" : "missing");
	rk_free(c.seen);
}

/* The next link that is to be compared; copies. */
static int next_scan(struct rk_index *ix, char *name, char *root)
{
	struct rk_links *l = ix->links;
	int how = 0;

	pthread_mutex_lock(&l->lock);
	for (unsigned i = 0; i < l->n && !how; i++) {
		how = l->v[i].missing ? 0 : l->v[i].scan;
		if (how) {
			l->v[i].scan = 0;
			snprintf(name, NAME_MAX + 1, "%s", l->v[i].name);
			snprintf(root, PATH_MAX, "%s", l->v[i].root);
		}
	}
	pthread_mutex_unlock(&l->lock);
	return how;
}

void rk_run_scans(struct rk_watches *w)
{
	char name[NAME_MAX + 1], root[PATH_MAX];
	int how;

	w->ix->links->scanning = 1;
	while (!w->ix->stopping && (how = next_scan(w->ix, name, root)))
		compare_link(w, name, root, how);
	w->ix->links->scanning = 0;
}
