/* SPDX-License-Identifier: MIT */
/*
 * What others than its owner are told of an index under -o allow_other: what
 * is made of its documents, or nothing. Hits, counts, weights, suggestions
 * and lists speak of all documents at once, so they are open to others only
 * while nobody who may read the root is kept from a document below it. One
 * document with a narrower mode is a wall: virtual files then have the bits
 * of their owner alone, and the kernel refuses the rest.
 *
 * Requests that may narrow a mode raise the wall before they are answered;
 * whether it may come down is found by looking at all documents, off the
 * loop. While that is not known there is a wall.
 */
#include "fs/base/walls.h"
#include "base/noatime.h"
#include "fs/base/capabilities.h"
#include "fs/base/mounted.h"
#include "fs/base/node.h"
#include "fs/base/pool.h"
#include "text/match/ignore.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	GROUPS_MAX = 256,
	DEPTH_MAX = 200,
	PATH_BYTES = 4096,
	AT_ONCE = 1000, /* documents that are looked at without a thread */
};

struct scan {
	const struct fs_index *x;
	long left; /* entries that may still be looked at */
	char path[PATH_BYTES];
};

/* May everybody who may read the root read this, too? */
static int is_open_to(const struct fs_index *x, const struct stat *st)
{
	mode_t want = S_ISDIR(st->st_mode) ? 0555 : 0444;

	if (!S_ISREG(st->st_mode) && !S_ISDIR(st->st_mode))
		return 1;
	if (x->mode & 0004 || st->st_gid != x->gid)
		return (st->st_mode & want) == want;
	/* the root is for its group alone */
	return (st->st_mode & want & 0770) == (want & 0770);
}

/* A source follows the permissions of another place, unseen from here. */
static int is_source(int dir, const char *name)
{
	char target[2];

	return readlinkat(dir, name, target, 1) == 1 && target[0] == '/';
}

static int all_open(struct scan *s, int dir, size_t len, int depth);

/* One entry of a folder. 1: open, 0: not, -errno. */
static int entry_open(struct scan *s, int dir, const char *name, size_t len,
		      int depth)
{
	size_t n = strlen(name);
	struct stat st;

	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return 1;
	if (depth == DEPTH_MAX || len + n + 2 > PATH_BYTES)
		return 0; /* nothing is known of what is deeper */
	if (s->left-- == 0)
		return -EAGAIN;
	memcpy(s->path + len, name, n + 1);
	if (rk_ignored(s->path) ||
	    fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return 1;
	if (!is_open_to(s->x, &st) ||
	    (depth == 0 && S_ISLNK(st.st_mode) && is_source(dir, name)))
		return 0;
	if (!S_ISDIR(st.st_mode))
		return 1;
	memcpy(s->path + len + n, "/", 2);
	return all_open(s,
			rk_openat_noatime(dir, name,
					  O_RDONLY | O_DIRECTORY | O_NOFOLLOW),
			len + n + 1, depth + 1);
}

/* Everything below `dir`, which is taken over. 1: open, 0: not, -errno. */
static int all_open(struct scan *s, int dir, size_t len, int depth)
{
	DIR *d = dir < 0 ? NULL : fdopendir(dir);
	struct dirent *e;
	int rc = 1;

	if (dir < 0) /* removed meanwhile */
		return errno == ENOENT ? 1 : -errno;
	if (!d) {
		close(dir);
		return -ENOMEM;
	}
	while (rc == 1 && (e = readdir(d)))
		rc = entry_open(s, dir, e->d_name, len, depth);
	closedir(d);
	return rc;
}

/* 0, or -EAGAIN: more entries than `most`. */
static int scan(struct fs_index *x, long most)
{
	unsigned before = x->wall_changes;
	struct scan s = {.x = x, .left = most};
	char dir[PATH_BYTES];
	int rc;

	snprintf(dir, sizeof(dir), "%s/indexes/%s/files", x->fs->backing,
		 x->name);
	rc = all_open(&s,
		      rk_openat_noatime(AT_FDCWD, dir, O_RDONLY | O_DIRECTORY),
		      0, 0);
	if (rc == -EAGAIN)
		return rc;
	/* what changed meanwhile may have been missed: look again then */
	if (x->wall_changes == before)
		x->wall = rc == 1 ? FS_WALL_NONE : FS_WALL;
	return 0;
}

int fs_wall_scan(struct fs_index *x)
{
	if (x->fs->allow_other && x->wall == FS_WALL_UNKNOWN)
		scan(x, LONG_MAX);
	return x->fs->allow_other && x->wall != FS_WALL_NONE;
}

struct scan_job {
	struct fs_job job;
	struct fs_index *x;
};

static void scan_run(struct fs_job *job)
{
	struct scan_job *j = (struct scan_job *)job;

	fs_wall_scan(j->x);
	j->x->wall_scanning = 0;
	free(j);
}

static void scan_later(struct fs_index *x)
{
	struct scan_job *j;

	int none = 0;

	if (!atomic_compare_exchange_strong(&x->wall_scanning, &none, 1))
		return;
	if (!x->fs->slow || !(j = malloc(sizeof(*j)))) {
		x->wall_scanning = 0;
		return;
	}
	*j = (struct scan_job){{.run = scan_run, .x = x}, x};
	fs_pool_add(x->fs->slow, &j->job);
}

int fs_walled(struct fs_index *x)
{
	if (!x->fs->allow_other || x == x->fs->top)
		return 0;
	/* an old checkpoint may speak of what was there and was not open */
	if (x->checkpoint)
		return 1;
	if (x->wall == FS_WALL_UNKNOWN && x->mode & 0077 &&
	    scan(x, AT_ONCE) == -EAGAIN)
		scan_later(x);
	return x->wall != FS_WALL_NONE;
}

static void set_wall(struct fs_index *x, enum fs_wall wall)
{
	x->wall_changes++;
	x->wall = wall;
	x->fs->walls++;
	x->fs->epoch++; /* answers over many indexes are others now */
}

void fs_wall_note(struct fs_index *x, struct fs_node *parent, const char *name)
{
	char path[PATH_BYTES];
	struct stat st;
	int dir;

	if (!x->fs->allow_other)
		return;
	if (x->wall != FS_WALL_NONE) {
		fs_wall_recheck(x); /* perhaps that was the one */
		return;
	}
	dir = fs_node_dirfd(x->fs, parent);
	if (dir < 0 || fs_child_path(parent, name, path, sizeof(path)) < 0 ||
	    fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		fs_wall_recheck(x);
	else if (S_ISREG(st.st_mode) && st.st_nlink > 1)
		fs_wall_recheck(x); /* under a name that counts, perhaps */
	else if (!rk_ignored(path) && !is_open_to(x, &st))
		set_wall(x, FS_WALL);
}

void fs_wall_recheck(struct fs_index *x)
{
	if (x->fs->allow_other)
		set_wall(x, FS_WALL_UNKNOWN);
}

/* --- what is open already --- */

static int is_in_group(fuse_req_t req, uid_t uid, gid_t own, gid_t gid)
{
	gid_t v[GROUPS_MAX];
	int n;

	if (own == gid)
		return 1;
	if (fuse_req_ctx(req)->uid != uid)
		return 0; /* passed on: of the opener no more is known */
	n = fuse_req_getgroups(req, GROUPS_MAX, v);
	for (int i = 0; i < n && i < GROUPS_MAX; i++)
		if (v[i] == gid)
			return 1;
	return 0;
}

/* As the kernel would decide about opening it now. */
static int may_open(fuse_req_t req, const struct fs_node *n, uid_t uid,
		    gid_t gid)
{
	struct fs_index *x = n->index;
	int is_private = n->file && n->file->mode && !(n->file->mode & 0066);

	if (fs_may(x, uid, FS_DO_SEE))
		return 1;
	if (is_private || fs_walled(x))
		return 0;
	return (x->mode & (is_in_group(req, uid, gid, x->gid) ? 0040 : 0004)) !=
	       0;
}

int fs_may_use(fuse_req_t req, struct fs_handle *h)
{
	const struct fs_node *n = h->node;
	struct fs *fs = n->index->fs;
	unsigned walls = fs->walls; /* before what it counts is looked at */

	if (!fs->allow_other || h->walls == walls)
		return 1;
	/* an answer over many indexes may hold what is behind a wall by now */
	if (n->file && n->file->is_allowed &&
	    !fs_may(n->index, h->uid, FS_DO_SEE))
		return 0;
	if (n->index != fs->top && !may_open(req, n, h->uid, h->gid))
		return 0;
	h->walls = walls;
	return 1;
}

int fs_may_see(fuse_req_t req, const struct fs_node *n)
{
	const struct fuse_ctx *c = fuse_req_ctx(req);
	struct fs *fs = n->index->fs;

	/* fixed folders say nothing by their attributes */
	if (!fs->allow_other || n->index == fs->top ||
	    (n->kind->lookup && !n->keyed))
		return 1;
	return may_open(req, n, c->uid, c->gid);
}
