/* SPDX-License-Identifier: MIT */
/*
 * Walking a linked source as git would: what .gitignore, .rankfsignore and
 * .git/info/exclude leave out is not visited, nor what lies behind symbolic
 * links, on pseudo file systems, or in our own mount and backing directory.
 */
#include "index/documents/linkwalk.h"
#include "index/state/internal.h"
#include "base/noatime.h"
#include "base/mem.h"
#include "text/match/ignore.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/statfs.h>
#include <unistd.h>

enum { DEPTH_MAX = 256, IGNORE_BYTES = 1 << 20, PREFIX_MAX = 1024 };

/* --- rules --- */

static void add_file(struct rk_ignore_set *set, int dir, const char *name)
{
	int fd = rk_openat_noatime(dir, name,
				   O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
	struct rk_buf b = RK_BUF_INIT;
	struct stat st;
	ssize_t n;

	if (fd < 0)
		return;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0 &&
	    st.st_size <= IGNORE_BYTES &&
	    rk_buf_reserve(&b, (size_t)st.st_size) == 0) {
		n = pread(fd, b.p, (size_t)st.st_size, 0);
		if (n > 0)
			rk_ignore_add(set, (char *)b.p, (size_t)n);
	}
	rk_buf_release(&b);
	close(fd);
}

static int is_repository(int dir)
{
	return faccessat(dir, ".git", F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/*
 * The rules inside a folder; takes over `above`. A repository starts anew,
 * as what is above knows nothing of it.
 */
static struct rk_ignore_set *rules_of(int dir, const char *base,
				      struct rk_ignore_set *above)
{
	struct rk_ignore_set *s;

	if (is_repository(dir)) {
		rk_ignore_unref(above);
		above = rk_ignore_new(base, NULL);
		if (above)
			add_file(above, dir, ".git/info/exclude");
	}
	s = rk_ignore_new(base, rk_ignore_ref(above));
	if (s) {
		add_file(s, dir, ".gitignore");
		add_file(s, dir, ".rankfsignore");
	}
	if (s && !rk_ignore_empty(s)) {
		rk_ignore_unref(above);
		return s;
	}
	rk_ignore_unref(s); /* nothing of its own: share */
	return above;
}

/*
 * A source may be a folder inside a repository, whose rules hold for it.
 * `top` gets the path of the source below the repository, with a slash.
 */
static struct rk_ignore_set *rules_above(const char *root, char *top)
{
	struct rk_ignore_set *s = NULL;
	char path[PATH_MAX];
	size_t end[64], n = strlen(root), k = 0;

	*top = '\0';
	if (n >= sizeof(path))
		return NULL;
	memcpy(path, root, n + 1);
	/* folders from the root upwards until one is a repository */
	for (;;) {
		int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
		int found = fd >= 0 && is_repository(fd);
		char *slash;

		if (fd >= 0)
			close(fd);
		if (found)
			break;
		slash = strrchr(path, '/');
		if (!slash || slash == path || k == 64)
			return NULL;
		end[k++] = strlen(path);
		*slash = '\0';
	}
	if (k == 0 || n - strlen(path) >= PREFIX_MAX)
		return NULL; /* the source is the repository */
	snprintf(top, PREFIX_MAX, "%s/", root + strlen(path) + 1);
	for (size_t above = strlen(path); k-- > 0; above = end[k]) {
		size_t from = strlen(path) + 1;
		char dir[PATH_MAX], base[PATH_MAX] = "";
		int fd;

		memcpy(dir, root, above);
		dir[above] = '\0';
		if (above > from)
			snprintf(base, sizeof(base), "%.*s/",
				 (int)(above - from), root + from);
		fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (fd >= 0) {
			s = rules_of(fd, base, s);
			close(fd);
		}
	}
	return s;
}

/* --- the walk --- */

struct walk {
	const struct rk_link_walk *w;
	size_t name_n; /* of the link and its slash, in path */
	char path[PATH_MAX];
	/* the same path as ignore files see it: below the repository */
	char seen[PREFIX_MAX + PATH_MAX];
	size_t top_n;
	int depth;
};

static int left_out(struct walk *w, const struct rk_ignore_set *rules,
		    int is_dir)
{
	const char *rel = w->path + w->name_n;

	if (rk_ignored(w->path))
		return 1;
	memcpy(w->seen + w->top_n, rel, strlen(rel) + 1);
	return rk_ignore_match(rules, w->seen, is_dir);
}

static int is_pseudo(int fd)
{
	static const long TYPES[] = {
		PROC_SUPER_MAGIC,   SYSFS_MAGIC,      CGROUP2_SUPER_MAGIC,
		CGROUP_SUPER_MAGIC, DEBUGFS_MAGIC,    TRACEFS_MAGIC,
		DEVPTS_SUPER_MAGIC, SECURITYFS_MAGIC, BPF_FS_MAGIC,
		EFIVARFS_MAGIC,	    BINFMTFS_MAGIC,   PSTOREFS_MAGIC};
	struct statfs st;

	if (fstatfs(fd, &st) < 0)
		return 0;
	for (size_t i = 0; i < sizeof(TYPES) / sizeof(TYPES[0]); i++)
		if ((long)st.f_type == TYPES[i])
			return 1;
	return 0;
}

static int is_ours(struct walk *w)
{
	struct rk_links *l = w->w->ix->links;
	char real[PATH_MAX];
	int yes;

	if ((size_t)snprintf(real, sizeof(real), "%s%s%s", w->w->root,
			     strcmp(w->w->root, "/") == 0 ? "" : "/",
			     w->path + w->name_n) >= sizeof(real))
		return 1;
	pthread_mutex_lock(&l->lock);
	yes = (l->backing && strcmp(real, l->backing) == 0) ||
	      (l->mount && strcmp(real, l->mount) == 0);
	pthread_mutex_unlock(&l->lock);
	return yes;
}

static int walk_dir(struct walk *w, int fd, size_t n,
		    struct rk_ignore_set *above);

static int enter(struct walk *w, int dirfd, const char *name, size_t n,
		 struct rk_ignore_set *rules)
{
	int fd;

	if (w->depth >= DEPTH_MAX || is_ours(w))
		return 0; /* not even opened */
	fd = rk_openat_noatime(dirfd, name,
			       O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
	if (fd < 0)
		return 0;
	if (is_pseudo(fd)) {
		close(fd);
		return 0;
	}
	return walk_dir(w, fd, n, rk_ignore_ref(rules));
}

static int walk_entry(struct walk *w, int dirfd, const struct dirent *e,
		      size_t n, struct rk_ignore_set *rules)
{
	size_t len = strlen(e->d_name);
	unsigned char type = e->d_type;
	struct stat st;

	if (n + 1 + len >= 4096)
		return 0;
	w->path[n] = '/';
	memcpy(w->path + n + 1, e->d_name, len + 1);
	if (type == DT_UNKNOWN) {
		if (fstatat(dirfd, e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			return 0;
		type = S_ISDIR(st.st_mode)   ? DT_DIR
		       : S_ISREG(st.st_mode) ? DT_REG
					     : DT_FIFO;
	}
	if ((type != DT_DIR && type != DT_REG) ||
	    left_out(w, rules, type == DT_DIR))
		return 0;
	if (type == DT_DIR)
		return enter(w, dirfd, e->d_name, n + 1 + len, rules);
	if (fstatat(dirfd, e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	    !S_ISREG(st.st_mode))
		return 0;
	return w->w->file(w->w->ctx, w->path, &st);
}

/* Takes over fd and `above`; w->path[0, n) names the folder. */
static int walk_dir(struct walk *w, int fd, size_t n,
		    struct rk_ignore_set *above)
{
	char base[PREFIX_MAX + PATH_MAX], real[PATH_MAX];
	const char *rel = n > w->name_n ? w->path + w->name_n : "";
	struct rk_ignore_set *rules;
	struct dirent *e;
	DIR *d = fdopendir(fd);
	int rc = 0;

	if (!d) {
		rk_ignore_unref(above);
		close(fd);
		return 0;
	}
	w->path[n] = '\0';
	snprintf(base, sizeof(base), "%.*s%s%s", (int)w->top_n, w->seen, rel,
		 *rel ? "/" : "");
	rules = rules_of(fd, base, above);
	if (w->w->folder &&
	    (size_t)snprintf(real, sizeof(real), "%s%s%s", w->w->root,
			     *rel ? "/" : "", rel) < sizeof(real))
		w->w->folder(w->w->ctx, w->path, real, rules);
	w->depth++;
	while (rc == 0 && !w->w->ix->stopping && (e = readdir(d))) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		rc = walk_entry(w, dirfd(d), e, n, rules);
		w->path[n] = '\0';
	}
	w->depth--;
	rk_ignore_unref(rules);
	closedir(d);
	return rc;
}

static int open_folder(int dir, const char *name, int flags)
{
	int fd = rk_openat_noatime(dir, name, O_RDONLY | O_DIRECTORY | flags);

	return fd < 0 ? -errno : fd;
}

static struct walk *walk_new(const struct rk_link_walk *lw,
			     struct rk_ignore_set **rules)
{
	struct walk *w = rk_calloc(1, sizeof(*w));

	if (!w)
		return NULL;
	w->w = lw;
	w->name_n = strlen(lw->name) + 1;
	*rules = rules_above(lw->root, w->seen);
	w->top_n = strlen(w->seen);
	memcpy(w->path, lw->name, w->name_n);
	return w;
}

/*
 * Go down to the folder `below`, taking rules along; -ENOENT if it is not
 * there or left out, -errno. *n gets the length of its path.
 */
static int descend(struct walk *w, const char *below,
		   struct rk_ignore_set **rules, size_t *n)
{
	int fd = open_folder(AT_FDCWD, w->w->root, 0);

	*n = w->name_n - 1;
	w->path[*n] = '\0';
	while (fd >= 0 && *below) {
		size_t k = strcspn(below, "/");
		char base[PREFIX_MAX + PATH_MAX];
		const char *rel = *n > w->name_n ? w->path + w->name_n : "";
		int next;

		snprintf(base, sizeof(base), "%.*s%s%s", (int)w->top_n, w->seen,
			 rel, *rel ? "/" : "");
		*rules = rules_of(fd, base, *rules);
		if (*n + 1 + k >= 4096) {
			close(fd);
			return -ENAMETOOLONG;
		}
		w->path[*n] = '/';
		memcpy(w->path + *n + 1, below, k);
		w->path[*n + 1 + k] = '\0';
		next = left_out(w, *rules, 1) || is_ours(w)
			       ? -ENOENT
			       : open_folder(fd, w->path + *n + 1, O_NOFOLLOW);
		*n += 1 + k;
		close(fd);
		fd = next;
		below += k + (below[k] == '/');
	}
	return fd >= 0 || rk_unreadable(fd) ? fd : -ENOENT;
}

int rk_link_walk(const struct rk_link_walk *lw, const char *below)
{
	struct rk_ignore_set *rules;
	struct walk *w = walk_new(lw, &rules);
	size_t n;
	int fd, rc;

	if (!w)
		return -ENOMEM;
	fd = descend(w, below, &rules, &n);
	if (fd >= 0) {
		rc = walk_dir(w, fd, n, rules);
	} else {
		rk_ignore_unref(rules);
		rc = fd;
	}
	rk_free(w);
	return rc;
}

int rk_link_ignored(struct rk_index *ix, const char *path)
{
	char root[PATH_MAX], name[256], folder[PATH_MAX];
	struct rk_link_walk lw = {.ix = ix, .name = name, .root = root};
	struct rk_ignore_set *rules;
	const char *rest, *slash;
	struct walk *w;
	size_t n;
	int fd, yes = 1;

	if (!rk_link_of(ix, path, root, &rest) ||
	    (size_t)(rest - path) > sizeof(name))
		return 0;
	memcpy(name, path, (size_t)(rest - path) - 1);
	name[rest - path - 1] = '\0';
	slash = strrchr(rest, '/');
	n = slash ? (size_t)(slash - rest) : 0;
	memcpy(folder, rest, n);
	folder[n] = '\0';
	if (!(w = walk_new(&lw, &rules)))
		return -ENOMEM;
	fd = descend(w, folder, &rules, &n);
	if (fd >= 0) {
		char base[PREFIX_MAX + PATH_MAX];
		size_t len = strlen(path);

		snprintf(base, sizeof(base), "%.*s%s%s", (int)w->top_n, w->seen,
			 folder, *folder ? "/" : "");
		rules = rules_of(fd, base, rules);
		memcpy(w->path, path, len + 1);
		yes = left_out(w, rules, 0);
		close(fd);
	} else if (fd != -ENOENT) {
		yes = fd;
	}
	rk_ignore_unref(rules);
	rk_free(w);
	return yes;
}
