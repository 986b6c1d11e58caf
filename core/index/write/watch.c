/* SPDX-License-Identifier: MIT */
/*
 * The thread that keeps up with linked sources: it gathers what the watches
 * on their folders report until it is quiet for a moment, and has a source
 * compared with the index where watches cannot tell: at the start, after an
 * overflow, when ignore files change, when a source comes back. Where a source
 * has more folders than there are watches, and the caller is not root, it is
 * compared from time to time.
 */
#include "index/write/watch.h"
#include "index/state/internal.h"
#include "index/documents/linkwalk.h"
#include "index/state/requests.h"
#include "index/write/fanotify.h"
#include "index/write/linkscan.h"
#include "index/write/watches.h"
#include "base/mem.h"
#include "text/analyse/vocab.h"
#include "base/lock.h"
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fanotify.h>
#include <sys/inotify.h>
#include <unistd.h>

enum {
	EVENT_BYTES = 64 * 1024,
	QUIET_MS = 100,	     /* without an event: what was gathered goes on */
	HELD_MS = 1000,	     /* at most, however busy it is */
	CHECK_MS = 5000,     /* are roots that were missing back? */
	GATHER_MAX = 200000, /* paths; beyond, comparing is cheaper */
};
struct watch {
	struct rk_index *ix;
	struct rk_watches on;
	struct rk_vocab changed;    /* paths to look at */
	uint64_t first_ns, last_ns; /* of what was gathered */
	uint64_t scanned_ns;	    /* the last comparison of all */
};

/* --- events --- */

static void gather(struct watch *w, const char *path)
{
	uint64_t now = rk_mono_ns();

	if (w->changed.n == 0)
		w->first_ns = now;
	w->last_ns = now;
	if (w->changed.n >= GATHER_MAX ||
	    rk_vocab_id(&w->changed, path, (uint32_t)strlen(path)) < 0) {
		rk_vocab_clear(&w->changed);
		rk_want_scan(w->ix, NULL, 1);
	}
}

static int gather_file(void *ctx, const char *path, const struct stat *st)
{
	(void)st;
	gather(ctx, path);
	return 0;
}

static void watch_folder(void *ctx, const char *path, const char *real,
			 struct rk_ignore_set *rules)
{
	struct watch *w = ctx;

	rk_watches_add(&w->on, path, real, rules);
}

/* A folder that is new: watched first, then looked through. */
static void new_folder(struct watch *w, const char *path)
{
	char root[PATH_MAX], name[NAME_MAX + 1];
	const char *rest;
	struct rk_link_walk lw = {.ix = w->ix,
				  .name = name,
				  .root = root,
				  .folder = watch_folder,
				  .file = gather_file,
				  .ctx = w};

	if (!rk_link_of(w->ix, path, root, &rest) || rest - path > NAME_MAX)
		return;
	memcpy(name, path, (size_t)(rest - path) - 1);
	name[rest - path - 1] = '\0';
	rk_link_walk(&lw, rest);
}

static int known_below(void *ctx, const struct rk_docref *d, const char *path)
{
	(void)d;
	gather(ctx, path);
	return 0;
}

/* A folder that has gone: all that is known below it. */
static void old_folder(struct watch *w, const char *path)
{
	char prefix[PATH_MAX];

	rk_watches_drop(&w->on, path);
	if ((size_t)snprintf(prefix, sizeof(prefix), "%s/", path) >=
	    sizeof(prefix))
		return;
	pthread_mutex_lock(&w->ix->writer);
	rk_each_live(w->ix, prefix, known_below, w);
	pthread_mutex_unlock(&w->ix->writer);
}

static int is_rules(const char *name)
{
	return strcmp(name, ".gitignore") == 0 ||
	       strcmp(name, ".rankfsignore") == 0;
}

/* Something at `path`, called `name`, is not as it was. */
static void changed(struct watch *w, const char *path, const char *name,
		    int is_dir, int gone, int came)
{
	if (is_rules(name)) {
		char link[NAME_MAX + 1];

		snprintf(link, sizeof(link), "%.*s", (int)strcspn(path, "/"),
			 path);
		rk_want_scan(w->ix, link, 1);
	}
	if (!is_dir) {
		gather(w, path);
		return;
	}
	if (gone)
		old_folder(w, path);
	if (came)
		new_folder(w, path);
}

static void handle(struct watch *w, const struct inotify_event *e)
{
	const char *folder;
	char path[PATH_MAX];

	if (e->mask & IN_Q_OVERFLOW) {
		rk_want_scan(w->ix, NULL, 1);
		return;
	}
	if (e->mask & (IN_IGNORED | IN_UNMOUNT)) {
		rk_watches_forget(&w->on, e->wd);
		return;
	}
	folder = rk_watches_folder(&w->on, e->wd);
	if (!folder || e->len == 0 ||
	    (size_t)snprintf(path, sizeof(path), "%s/%s", folder, e->name) >=
		    sizeof(path))
		return;
	changed(w, path, e->name, (e->mask & IN_ISDIR) != 0,
		(e->mask & (IN_DELETE | IN_MOVED_FROM)) != 0,
		(e->mask & (IN_CREATE | IN_MOVED_TO)) != 0);
}

/* Links that are watched as file systems: copies of name and root. */
static unsigned fanned(struct rk_index *ix, struct rk_link *v)
{
	struct rk_links *l = ix->links;
	unsigned n = 0;

	pthread_mutex_lock(&l->lock);
	for (unsigned i = 0; i < l->n; i++)
		if (l->v[i].fan && !l->v[i].missing) {
			v[n].name =
				rk_strndup(l->v[i].name, strlen(l->v[i].name));
			v[n].root =
				rk_strndup(l->v[i].root, strlen(l->v[i].root));
			n += v[n].name && v[n].root;
		}
	pthread_mutex_unlock(&l->lock);
	return n;
}

struct fan {
	struct watch *w;
	struct rk_link v[RK_LINKS_MAX];
	unsigned n;
};

static void handle_fan(void *ctx, const struct rk_fan_event *e)
{
	struct fan *f = ctx;
	char folder[PATH_MAX], path[PATH_MAX];

	if (e->overflow)
		rk_want_scan(f->w->ix, NULL, 1);
	for (unsigned i = 0; i < f->n && !e->overflow; i++) {
		size_t n = strlen(f->v[i].root);

		/* everything on the file system comes here */
		if (rk_fan_folder(e, f->v[i].root, folder, sizeof(folder)) <
			    (int)n ||
		    strncmp(folder, f->v[i].root, n) != 0 ||
		    (folder[n] && folder[n] != '/') ||
		    (size_t)snprintf(path, sizeof(path), "%s%s/%s",
				     f->v[i].name, folder + n,
				     e->name) >= sizeof(path))
			continue;
		changed(f->w, path, e->name, (e->mask & FAN_ONDIR) != 0,
			(e->mask & (FAN_DELETE | FAN_MOVED_FROM)) != 0,
			(e->mask & (FAN_CREATE | FAN_MOVED_TO)) != 0);
	}
}

static void read_fan(struct watch *w)
{
	struct fan f = {.w = w};

	f.n = fanned(w->ix, f.v);
	rk_fan_read(w->on.fan, handle_fan, &f);
	for (unsigned i = 0; i < f.n; i++) {
		rk_free(f.v[i].name);
		rk_free(f.v[i].root);
	}
}

static void read_events(struct watch *w)
{
	_Alignas(struct inotify_event) char buf[EVENT_BYTES];
	ssize_t n = read(w->on.fd, buf, sizeof(buf));

	for (ssize_t i = 0; i < n;) {
		const struct inotify_event *e =
			(const struct inotify_event *)(const void *)(buf + i);

		handle(w, e);
		i += (ssize_t)(sizeof(*e) + e->len);
	}
}

/* What was gathered goes to the workers. */
static void flush(struct watch *w)
{
	for (size_t i = 0; i < w->changed.n && !w->ix->stopping; i++) {
		rk_throttle(w->ix);
		rk_queue_push(&w->ix->queue, w->changed.v[i].s, 0, 0);
	}
	rk_vocab_clear(&w->changed);
}

/* --- the thread --- */

/* What was found at the folder of a link; links.lock is held. */
static void judge_root(struct watch *w, struct rk_link *x, int there,
		       const struct stat *st)
{
	int same = there && st->st_dev == x->dev && st->st_ino == x->ino;

	rk_assert_held(&w->ix->links->lock);
	if (!x->missing && same)
		return;
	if (!x->missing) {
		rk_tell_missing(w->ix, x);
		rk_watches_drop(&w->on, x->name);
		rk_new_generation(w->ix);
	}
	/* back, or another folder in its place, or one that was empty */
	if (there) {
		x->dev = st->st_dev;
		x->ino = st->st_ino;
		x->missing = 0;
		x->scan = 1;
	}
}

/*
 * Are the folders of all links there, and the ones they were? Looked at without
 * the lock, since a dead network file system answers late.
 */
static void check_roots(struct watch *w)
{
	struct rk_links *l = w->ix->links;
	char root[PATH_MAX];

	for (unsigned i = 0; i < l->n; i++) {
		struct stat st;
		int there;

		pthread_mutex_lock(&l->lock);
		root[0] = '\0';
		if (i < l->n)
			memcpy(root, l->v[i].root, strlen(l->v[i].root) + 1);
		pthread_mutex_unlock(&l->lock);
		there = stat(root, &st) == 0 && S_ISDIR(st.st_mode);
		pthread_mutex_lock(&l->lock);
		/* this thread alone changes the list */
		if (i < l->n && strcmp(l->v[i].root, root) == 0)
			judge_root(w, &l->v[i], there, &st);
		pthread_mutex_unlock(&l->lock);
	}
}

static int is_due(const struct watch *w)
{
	int64_t s = rk_config_int(w->ix, "scan_s");

	return w->ix->links->limited && s > 0 &&
	       rk_mono_ns() - w->scanned_ns > (uint64_t)s * 1000000000;
}

static int wait_ms(const struct watch *w)
{
	if (w->changed.n)
		return QUIET_MS / 2;
	return w->ix->links->n || w->ix->links_changed ? CHECK_MS : -1;
}

static void wait_for_more(struct watch *w)
{
	/* a negative descriptor is not looked at */
	struct pollfd p[3] = {{w->ix->watch_fd, POLLIN, 0},
			      {w->on.fd, POLLIN, 0},
			      {w->on.fan, POLLIN, 0}};
	uint64_t drained;

	poll(p, 3, wait_ms(w));
	if (p[0].revents && read(w->ix->watch_fd, &drained, 8) < 0)
		return;
	if (w->on.fd >= 0 && p[1].revents)
		read_events(w);
	if (w->on.fan >= 0 && p[2].revents)
		read_fan(w);
}

static void read_links(struct rk_index *ix)
{
	int rc = rk_links_read(ix);

	if (rc == 0)
		return;
	rk_warn(&ix->warnings, "the links to folders cannot be read: %s",
		rk_strerror(rc));
	ix->links_changed = 1; /* again, soon */
}

static void turn(struct watch *w)
{
	uint64_t now;
	int rescan;

	/* before the wishes are taken down: status must never see neither */
	if (w->ix->links_changed || w->ix->links_rescan)
		w->ix->links->scanning = 1;
	if (atomic_exchange(&w->ix->links_changed, 0))
		read_links(w->ix);
	if ((rescan = atomic_exchange(&w->ix->links_rescan, 0)) != 0)
		rk_want_scan(w->ix, NULL, rescan);
	check_roots(w);
	if (is_due(w))
		rk_want_scan(w->ix, NULL, 1);
	rk_run_scans(&w->on);
	w->scanned_ns = rk_mono_ns();
	now = rk_mono_ns();
	if (w->changed.n && (now - w->last_ns > QUIET_MS * 1000000ull ||
			     now - w->first_ns > HELD_MS * 1000000ull))
		flush(w);
}

void *rk_watch_main(void *arg)
{
	struct watch w = {.ix = arg};

	while (rk_vocab_init(&w.changed) < 0) {
		if (w.ix->stopping)
			return NULL;
		usleep(START_AGAIN_US);
	}
	rk_watches_open(&w.on, w.ix);
	while (!w.ix->stopping) {
		turn(&w);
		if (!w.ix->stopping)
			wait_for_more(&w);
	}
	rk_watches_close(&w.on);
	rk_vocab_release(&w.changed);
	return NULL;
}
