/* SPDX-License-Identifier: MIT */
#include "index/documents/links.h"
#include "index/state/internal.h"
#include "index/state/requests.h"
#include "base/mem.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct rk_links *rk_links_new(void)
{
	struct rk_links *l = rk_calloc(1, sizeof(*l));

	if (l)
		pthread_mutex_init(&l->lock, NULL);
	return l;
}

static void link_release(struct rk_link *l)
{
	rk_free(l->name);
	rk_free(l->root);
	memset(l, 0, sizeof(*l));
}

void rk_links_free(struct rk_links *l)
{
	if (!l)
		return;
	for (unsigned i = 0; i < l->n; i++)
		link_release(&l->v[i]);
	rk_free(l->backing);
	rk_free(l->mount);
	pthread_mutex_destroy(&l->lock);
	rk_free(l);
}

/* --- what may be linked --- */

static int is_below(const char *path, const char *dir)
{
	size_t n = dir ? strlen(dir) : 0;

	return n && strncmp(path, dir, n) == 0 &&
	       (path[n] == '/' || path[n] == '\0');
}

/* Our own documents would be found twice, and walks never end. */
static int refused(const struct rk_links *l, const char *root)
{
	return is_below(root, l->backing) || is_below(root, l->mount);
}

/* 1: a link to a folder, 0: none, -errno: it cannot be read now. */
static int read_link(struct rk_index *ix, const char *name, struct rk_link *out)
{
	char target[PATH_MAX], real[PATH_MAX];
	ssize_t n = readlinkat(ix->files_fd, name, target, sizeof(target) - 1);
	struct stat st;

	memset(out, 0, sizeof(*out));
	if (n < 0 && errno != EINVAL && rk_unreadable(-errno))
		return -errno;
	if (n <= 0 || n == sizeof(target) - 1 || target[0] != '/')
		return 0;
	target[n] = '\0';
	/* compared as text first: looking could mean asking ourselves */
	if (!rk_link_allowed(ix, target))
		return 0;
	out->missing = !realpath(target, real) || stat(real, &st) < 0;
	if (out->missing)
		memcpy(real, target, (size_t)n + 1);
	else if (!S_ISDIR(st.st_mode) || !rk_link_allowed(ix, real))
		return 0;
	out->dev = out->missing ? 0 : st.st_dev;
	out->ino = out->missing ? 0 : st.st_ino;
	out->state = out->missing ? "missing" : "new";
	out->scan = !out->missing;
	out->name = rk_strndup(name, strlen(name));
	out->root = rk_strndup(real, strlen(real));
	if (out->name && out->root)
		return 1;
	link_release(out);
	return -ENOMEM;
}

/* How many there are, at most RK_LINKS_MAX, or -errno. */
static int list_links(struct rk_index *ix, struct rk_link *v)
{
	struct dirent *e = NULL;
	int n = 0, rc;
	DIR *d;

	if ((rc = rk_dir_open(ix->files_fd, ".", &d)) < 0)
		return rc;
	while (rc >= 0 && n < RK_LINKS_MAX && (rc = rk_dir_next(d, &e)) == 1)
		if ((e->d_type == DT_LNK || e->d_type == DT_UNKNOWN) &&
		    (rc = read_link(ix, e->d_name, &v[n])) == 1)
			n++;
	closedir(d);
	while (rc < 0 && n > 0)
		link_release(&v[--n]);
	return rc < 0 ? rc : n;
}

static struct rk_link *find(struct rk_link *v, unsigned n, const char *name)
{
	for (unsigned i = 0; i < n; i++)
		if (strcmp(v[i].name, name) == 0)
			return &v[i];
	return NULL;
}

/* What is known of a link that is still there stays known. */
static void carry_over(struct rk_link *to, const struct rk_link *from)
{
	if (strcmp(to->root, from->root) != 0)
		return;
	if (!from->missing && !to->missing && from->dev == to->dev &&
	    from->ino == to->ino) {
		to->scan = from->scan;
		to->fan = from->fan;
		to->state = from->state;
	}
	if (to->missing && from->dev) {
		to->dev = from->dev;
		to->ino = from->ino;
	}
}

int rk_links_read(struct rk_index *ix)
{
	struct rk_links *l = ix->links;
	struct rk_link *v = rk_calloc(RK_LINKS_MAX, sizeof(*v));
	struct rk_link *old = rk_calloc(RK_LINKS_MAX, sizeof(*old));
	int rc = v && old ? list_links(ix, v) : -ENOMEM;
	unsigned n, was;

	if (rc < 0) { /* those that are known stay */
		rk_free(v);
		rk_free(old);
		return rc;
	}
	n = (unsigned)rc;
	pthread_mutex_lock(&l->lock);
	was = l->n;
	memcpy(old, l->v, was * sizeof(*old));
	for (unsigned i = 0; i < n; i++) {
		const struct rk_link *o = find(old, was, v[i].name);

		if (o)
			carry_over(&v[i], o);
	}
	memcpy(l->v, v, n * sizeof(*v));
	l->n = n;
	pthread_mutex_unlock(&l->lock);
	for (unsigned i = 0; i < was; i++) {
		const struct rk_link *now = find(v, n, old[i].name);

		/* gone, or the name of another folder */
		if (!now || strcmp(now->root, old[i].root) != 0)
			rk_queue_push(&ix->queue, old[i].name, RK_TASK_TREE, 0);
		link_release(&old[i]);
	}
	rk_free(v);
	rk_free(old);
	return 0;
}

int rk_links_open(struct rk_index *ix, const char *backing)
{
	char real[PATH_MAX];

	if (realpath(backing, real) &&
	    !(ix->links->backing = rk_strndup(real, strlen(real))))
		return -ENOMEM;
	return rk_links_read(ix);
}

int rk_link_allowed(struct rk_index *ix, const char *root)
{
	int yes;

	pthread_mutex_lock(&ix->links->lock);
	yes = !refused(ix->links, root);
	pthread_mutex_unlock(&ix->links->lock);
	return yes;
}

/* --- paths --- */

int rk_link_of(struct rk_index *ix, const char *path, char *root,
	       const char **rest)
{
	const char *slash = strchr(path, '/');
	struct rk_links *l = ix->links;
	size_t n;
	int yes = 0;

	if (l->n == 0 || !slash)
		return 0;
	n = (size_t)(slash - path);
	pthread_mutex_lock(&l->lock);
	for (unsigned i = 0; i < l->n && !yes; i++) {
		const struct rk_link *x = &l->v[i];

		yes = strlen(x->name) == n && memcmp(x->name, path, n) == 0;
		if (yes)
			memcpy(root, x->root, strlen(x->root) + 1);
	}
	pthread_mutex_unlock(&l->lock);
	*rest = slash + 1;
	return yes;
}

int rk_link_open(const char *root)
{
	int fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

int rk_link_there(struct rk_index *ix, const char *path)
{
	struct rk_links *l = ix->links;
	size_t n = strcspn(path, "/");
	struct rk_link x = {.missing = -1};
	char root[PATH_MAX];
	struct stat st;

	if (l->n == 0)
		return 1;
	pthread_mutex_lock(&l->lock);
	for (unsigned i = 0; i < l->n; i++)
		if (strlen(l->v[i].name) == n &&
		    memcmp(l->v[i].name, path, n) == 0) {
			x = l->v[i];
			memcpy(root, x.root, strlen(x.root) + 1);
		}
	pthread_mutex_unlock(&l->lock);
	if (x.missing)
		return x.missing < 0; /* no source's */
	/* without the lock: a dead network file system answers late */
	return stat(root, &st) == 0 && st.st_dev == x.dev && st.st_ino == x.ino;
}

void rk_index_set_mount(struct rk_index *ix, const char *mountpoint)
{
	char *copy = rk_strndup(mountpoint, strlen(mountpoint));

	pthread_mutex_lock(&ix->links->lock);
	rk_free(ix->links->mount);
	ix->links->mount = copy;
	pthread_mutex_unlock(&ix->links->lock);
	rk_links_changed(ix);
}

void rk_sources_print(struct rk_index *ix, struct rk_buf *out)
{
	struct rk_links *l = ix->links;

	pthread_mutex_lock(&l->lock);
	for (unsigned i = 0; i < l->n; i++)
		rk_buf_printf(out, "source %s %s %s\n", l->v[i].name,
			      l->v[i].root,
			      l->v[i].state ? l->v[i].state : "ok");
	pthread_mutex_unlock(&l->lock);
}

void rk_links_changed(struct rk_index *ix)
{
	ix->links_changed = 1;
	rk_watch_wake(ix);
}
