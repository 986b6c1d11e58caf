/* SPDX-License-Identifier: MIT */
/* Which folders of linked sources are watched, and by what. */
#include "index/write/watches.h"
#include "index/state/internal.h"
#include "index/write/fanotify.h"
#include "base/mem.h"
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#define MASK                                                                   \
	(IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO |                 \
	 IN_CLOSE_WRITE | IN_ATTRIB | IN_MOVE_SELF | IN_DELETE_SELF |          \
	 IN_ONLYDIR | IN_EXCL_UNLINK | IN_DONT_FOLLOW)

void rk_watches_forget(struct rk_watches *w, int wd)
{
	if (wd < 0 || (size_t)wd >= w->folders_cap)
		return;
	w->nfolders -= w->folder[wd] != NULL;
	rk_free(w->folder[wd]);
	w->folder[wd] = NULL;
}

void rk_watches_drop(struct rk_watches *w, const char *path)
{
	size_t n = strlen(path);

	for (size_t wd = 0; wd < w->folders_cap; wd++) {
		const char *p = w->folder[wd];

		if (!p || strncmp(p, path, n) != 0 || (p[n] && p[n] != '/'))
			continue;
		inotify_rm_watch(w->fd, (int)wd);
		rk_watches_forget(w, (int)wd);
	}
}

/* Root has another way: the file system of the source, as a whole. */
static int watch_file_system(struct rk_watches *w, const char *path)
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
		rk_watches_drop(w, name);
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

static void limit_reached(struct rk_watches *w, const char *path)
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

void rk_watches_add(void *ctx, const char *path, const char *real,
		    struct rk_ignore_set *rules)
{
	struct rk_watches *w = ctx;
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
	rk_watches_forget(w, wd); /* the same folder under another name */
	w->folder[wd] = rk_strndup(path, strlen(path));
	w->nfolders += w->folder[wd] != NULL;
}

const char *rk_watches_folder(const struct rk_watches *w, int wd)
{
	return wd >= 0 && (size_t)wd < w->folders_cap ? w->folder[wd] : NULL;
}

void rk_watches_open(struct rk_watches *w, struct rk_index *ix)
{
	*w = (struct rk_watches){.ix = ix, .fan = -1};
	w->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (w->fd < 0)
		limit_reached(w, NULL);
}

void rk_watches_close(struct rk_watches *w)
{
	for (size_t i = 0; i < w->folders_cap; i++)
		rk_free(w->folder[i]);
	rk_free(w->folder);
	if (w->fd >= 0)
		close(w->fd);
	if (w->fan >= 0)
		close(w->fan);
}
