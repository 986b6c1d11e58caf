/* SPDX-License-Identifier: MIT */
/*
 * Keeping up with linked sources: inotify watches on their folders, changes
 * gathered until it is quiet for a moment, and comparisons with the index
 * where watches cannot tell: at the start, after an overflow, when ignore files
 * change, when a source comes back. Where there are more folders than watches,
 * root watches the file system as a whole; others compare from time to time.
 */
#include "index/write/watch.h"
#include "index/documents/document.h"
#include "index/documents/linkwalk.h"
#include "index/state/requests.h"
#include "index/write/fanotify.h"
#include "base/hash.h"
#include "base/mem.h"
#include "text/analyse/vocab.h"
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
#define MASK                                                                   \
	(IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO |                 \
	 IN_CLOSE_WRITE | IN_ATTRIB | IN_MOVE_SELF | IN_DELETE_SELF |          \
	 IN_ONLYDIR | IN_EXCL_UNLINK | IN_DONT_FOLLOW)

struct watch {
	struct rk_index *ix;
	int fd;
	int fan;       /* watches file systems; -1: not used */
	char **folder; /* by watch descriptor: its path, or NULL */
	size_t folders_cap, nfolders;
	struct rk_vocab changed;    /* paths to look at */
	uint64_t first_ns, last_ns; /* of what was gathered */
	uint64_t scanned_ns;	    /* the last comparison of all */
	int told_limit;
};

/* --- links --- */

static void want_scan(struct rk_index *ix, const char *name, int how)
{
	struct rk_links *l = ix->links;

	pthread_mutex_lock(&l->lock);
	for (unsigned i = 0; i < l->n; i++)
		if ((!name || strcmp(l->v[i].name, name) == 0) &&
		    l->v[i].scan < how)
			l->v[i].scan = how;
	pthread_mutex_unlock(&l->lock);
}

static void tell_missing(struct rk_index *ix, struct rk_link *x)
{
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
				tell_missing(ix, &l->v[i]);
			else if (strcmp(state, "ok") == 0)
				l->v[i].told = 0;
			told -= l->v[i].told;
		}
	pthread_mutex_unlock(&l->lock);
	if (told)
		rk_new_generation(ix); /* excerpts come, or go */
}

/* --- watches --- */

static void folder_forget(struct watch *w, int wd)
{
	if (wd < 0 || (size_t)wd >= w->folders_cap)
		return;
	w->nfolders -= w->folder[wd] != NULL;
	rk_free(w->folder[wd]);
	w->folder[wd] = NULL;
}

static void unwatch(struct watch *w, const char *path);

/* Root has another way: the file system of the source, as a whole. */
static int watch_file_system(struct watch *w, const char *path)
{
	struct rk_links *l = w->ix->links;
	size_t n = strcspn(path, "/");
	char name[NAME_MAX + 1];
	int rc = -ENOENT;

	if (w->fan < 0)
		w->fan = rk_fan_open();
	if (w->fan < 0)
		return w->fan;
	pthread_mutex_lock(&l->lock);
	for (unsigned i = 0; i < l->n; i++)
		if (strlen(l->v[i].name) == n &&
		    memcmp(l->v[i].name, path, n) == 0) {
			rc = rk_fan_mark(w->fan, l->v[i].root);
			l->v[i].fan = rc == 0;
		}
	pthread_mutex_unlock(&l->lock);
	if (rc == 0) {
		snprintf(name, sizeof(name), "%.*s", (int)n, path);
		unwatch(w, name);
	}
	return rc;
}

static int is_fanned(struct rk_index *ix, const char *path)
{
	struct rk_links *l = ix->links;
	size_t n = strcspn(path, "/");
	int yes = 0;

	pthread_mutex_lock(&l->lock);
	for (unsigned i = 0; i < l->n; i++)
		yes |= l->v[i].fan && strlen(l->v[i].name) == n &&
		       memcmp(l->v[i].name, path, n) == 0;
	pthread_mutex_unlock(&l->lock);
	return yes;
}

static void limit_reached(struct watch *w, const char *path)
{
	if (path && watch_file_system(w, path) == 0)
		return;
	w->ix->links->limited = 1;
	if (w->told_limit)
		return;
	w->told_limit = 1;
	rk_warn(&w->ix->warnings,
		"linked sources: more folders than fs.inotify.max_user_watches;"
		" they are compared every %lld s",
		(long long)rk_config_int(w->ix, "scan_s"));
}

static void watch_folder(void *ctx, const char *path, const char *real,
			 struct rk_ignore_set *rules)
{
	struct watch *w = ctx;
	int64_t most = rk_config_int(w->ix, "watch_max");
	int wd;

	(void)rules;
	if (w->fd < 0 || is_fanned(w->ix, path))
		return;
	errno = ENOSPC;
	wd = most > 0 && w->nfolders >= (uint64_t)most
		     ? -1
		     : inotify_add_watch(w->fd, real, MASK);
	if (wd < 0) {
		if (errno == ENOSPC || errno == ENOMEM)
			limit_reached(w, path);
		return;
	}
	if (rk_grow(&w->folder, &w->folders_cap, (size_t)wd + 1,
		    sizeof(*w->folder)) < 0)
		return;
	folder_forget(w, wd); /* the same folder under another name */
	w->folder[wd] = rk_strndup(path, strlen(path));
	w->nfolders += w->folder[wd] != NULL;
}

/* Folders below a path that has gone or moved away. */
static void unwatch(struct watch *w, const char *path)
{
	size_t n = strlen(path);

	for (size_t wd = 0; wd < w->folders_cap; wd++) {
		const char *p = w->folder[wd];

		if (!p || strncmp(p, path, n) != 0 || (p[n] && p[n] != '/'))
			continue;
		inotify_rm_watch(w->fd, (int)wd);
		folder_forget(w, (int)wd);
	}
}

/* --- comparing --- */

struct compare {
	struct watch *w;
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

	watch_folder(c->w, path, real, rules);
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

static void compare_link(struct watch *w, const char *name, const char *root,
			 int how)
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

static void run_scans(struct watch *w)
{
	char name[NAME_MAX + 1], root[PATH_MAX];
	int how;

	w->ix->links->scanning = 1;
	while (!w->ix->stopping && (how = next_scan(w->ix, name, root)))
		compare_link(w, name, root, how);
	w->ix->links->scanning = 0;
	w->scanned_ns = rk_mono_ns();
}

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
		want_scan(w->ix, NULL, 1);
	}
}

static int gather_file(void *ctx, const char *path, const struct stat *st)
{
	(void)st;
	gather(ctx, path);
	return 0;
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

	unwatch(w, path);
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
		want_scan(w->ix, link, 1);
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
		want_scan(w->ix, NULL, 1);
		return;
	}
	if (e->mask & (IN_IGNORED | IN_UNMOUNT)) {
		folder_forget(w, e->wd);
		return;
	}
	folder = e->wd >= 0 && (size_t)e->wd < w->folders_cap ? w->folder[e->wd]
							      : NULL;
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
		want_scan(f->w->ix, NULL, 1);
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
	rk_fan_read(w->fan, handle_fan, &f);
	for (unsigned i = 0; i < f.n; i++) {
		rk_free(f.v[i].name);
		rk_free(f.v[i].root);
	}
}

static void read_events(struct watch *w)
{
	_Alignas(struct inotify_event) char buf[EVENT_BYTES];
	ssize_t n = read(w->fd, buf, sizeof(buf));

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

	if (!x->missing && same)
		return;
	if (!x->missing) {
		tell_missing(w->ix, x);
		unwatch(w, x->name);
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
			      {w->fd, POLLIN, 0},
			      {w->fan, POLLIN, 0}};
	uint64_t drained;

	poll(p, 3, wait_ms(w));
	if (p[0].revents && read(w->ix->watch_fd, &drained, 8) < 0)
		return;
	if (w->fd >= 0 && p[1].revents)
		read_events(w);
	if (w->fan >= 0 && p[2].revents)
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
		want_scan(w->ix, NULL, rescan);
	check_roots(w);
	if (is_due(w))
		want_scan(w->ix, NULL, 1);
	run_scans(w);
	now = rk_mono_ns();
	if (w->changed.n && (now - w->last_ns > QUIET_MS * 1000000ull ||
			     now - w->first_ns > HELD_MS * 1000000ull))
		flush(w);
}

void *rk_watch_main(void *arg)
{
	struct watch w = {.ix = arg, .fan = -1};

	while (rk_vocab_init(&w.changed) < 0) {
		if (w.ix->stopping)
			return NULL;
		usleep(START_AGAIN_US);
	}
	w.fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (w.fd < 0)
		limit_reached(&w, NULL);
	while (!w.ix->stopping) {
		turn(&w);
		if (!w.ix->stopping)
			wait_for_more(&w);
	}
	for (size_t i = 0; i < w.folders_cap; i++)
		rk_free(w.folder[i]);
	rk_free(w.folder);
	rk_vocab_release(&w.changed);
	if (w.fd >= 0)
		close(w.fd);
	if (w.fan >= 0)
		close(w.fan);
	return NULL;
}
