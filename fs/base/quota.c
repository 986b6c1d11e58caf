/* SPDX-License-Identifier: MIT */
/*
 * How much an index may hold: bytes and files of its documents, as they are in
 * `quota` of its folder ("BYTES FILES", 0: no limit). Who mounted sets it. What
 * there is is counted once, when a limit first matters, and kept up to date by
 * whoever changes it: every name is a file, every inode's bytes count once,
 * also those of a file without a name until it is closed for the last time.
 */
#include "fs/base/quota.h"
#include "base/env.h"
#include "base/noatime.h"
#include "fs/base/mounted.h"
#include "fs/base/node.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TEXT_MAX = 64 };
static const char NAME[] = "quota";

/* --- a count --- */

struct count {
	uint64_t bytes, files;
	void *linked; /* tsearch(3): files with several names, once each */
};

struct inode {
	dev_t dev;
	ino_t ino;
};

static int by_inode(const void *a, const void *b)
{
	const struct inode *x = a, *y = b;

	if (x->dev != y->dev)
		return x->dev < y->dev ? -1 : 1;
	return (x->ino > y->ino) - (x->ino < y->ino);
}

/* Is this one of its names, and not the first? */
static int is_known(struct count *c, const struct stat *st)
{
	struct inode *i, **found;

	if (st->st_nlink < 2 || !(i = malloc(sizeof(*i))))
		return 0;
	*i = (struct inode){st->st_dev, st->st_ino};
	found = tsearch(i, &c->linked, by_inode);
	if (found && *found == i)
		return 0;
	free(i);
	return found != NULL;
}

static void count_below(struct count *c, int at, const char *name)
{
	int fd = rk_openat_noatime(at, name,
				   O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;

	while (d && (e = readdir(d))) {
		struct stat st;

		if (strcmp(e->d_name, ".") == 0 ||
		    strcmp(e->d_name, "..") == 0 ||
		    fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		if (S_ISDIR(st.st_mode)) {
			count_below(c, dirfd(d), e->d_name);
			continue;
		}
		c->files++;
		if (!is_known(c, &st))
			c->bytes += (uint64_t)st.st_size;
	}
	if (d)
		closedir(d);
}

/* An open document, by whatever leads to it. 0 or -1. */
static int stat_open(const struct fs_node *n, struct stat *st)
{
	for (const struct fs_handle *h = n->open; h; h = h->next)
		if (h->fd >= 0)
			return fstat(h->fd, st);
	return n->gone_fd >= 0 ? fstat(n->gone_fd, st) : -1;
}

/* What its bytes are taken for: more may be about to be written. */
static uint64_t charge(const struct fs_node *n, off_t size)
{
	return (uint64_t)(n->reserved > size ? n->reserved : size);
}

/* What no name leads to, and space that jobs are about to fill. */
static void count_open(struct count *c, const struct fs_index *x)
{
	const struct fs *fs = x->fs;

	for (size_t i = 0; i <= fs->ino_mask; i++)
		for (const struct fs_node *n = fs->by_ino[i]; n; n = n->chain) {
			struct stat st;

			if (n->index != x || !n->open || stat_open(n, &st) < 0)
				continue;
			c->bytes += charge(n, st.st_size) -
				    (st.st_nlink ? (uint64_t)st.st_size : 0);
		}
}

static void count_all(struct fs_index *x)
{
	struct count c = {0, 0, NULL};

	count_below(&c, fs_index_files(x), ".");
	count_open(&c, x);
	tdestroy(c.linked, free);
	x->quota.used_bytes = c.bytes;
	x->quota.used_files = c.files;
	x->quota.counted = 1;
}

/* --- the limits --- */

static int open_folder(struct fs_index *x)
{
	char path[4096];
	int fd;

	snprintf(path, sizeof(path), "%s/indexes/%s", x->fs->backing, x->name);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* 0, also if there is no limit; -errno if that is not known. */
static int load(struct fs_index *x)
{
	unsigned long long bytes = 0, files = 0;
	struct rk_buf b = RK_BUF_INIT;
	int dir = open_folder(x), rc;

	if (dir < 0)
		return dir;
	rc = rk_io_read_file(rk_env_posix()->io, dir, NAME, TEXT_MAX, &b);
	close(dir);
	rk_buf_byte(&b, 0);
	if (rc == 0 && !b.err &&
	    sscanf((char *)b.p, "%llu %llu", &bytes, &files) == 2) {
		x->quota.bytes = bytes;
		x->quota.files = files;
	}
	rk_buf_release(&b);
	x->quota.loaded = !rk_unreadable(rc);
	return x->quota.loaded ? 0 : rc;
}

int fs_quota_set(struct fs_index *x, uint64_t bytes, uint64_t files)
{
	char text[TEXT_MAX];
	int n = snprintf(text, sizeof(text), "%llu %llu\n",
			 (unsigned long long)bytes, (unsigned long long)files);
	int dir = open_folder(x), rc;

	if (dir < 0)
		return dir;
	rc = rk_io_replace(rk_env_posix()->io, dir, NAME, text, (size_t)n);
	close(dir);
	if (rc == 0) {
		x->quota.loaded = 1;
		x->quota.bytes = bytes;
		x->quota.files = files;
		x->quota.counted = 0; /* nobody did while there was none */
	}
	return rc;
}

/* What the index has removed by itself (cache_dir) nobody tells us. */
static void note_evicted(struct fs_index *x)
{
	struct rk_status st = {.size = sizeof(st)};

	if (!x->ix)
		return;
	rk_status(x->ix, &st);
	if (st.evicted != x->quota.evicted)
		x->quota.counted = 0;
	x->quota.evicted = st.evicted;
}

/* Is there a limit? Then what there is has been counted. 1, 0, -errno. */
static int limited(struct fs_index *x)
{
	int rc;

	if (!x->fs->multi)
		return 0;
	if (!x->quota.loaded && (rc = load(x)) < 0)
		return rc;
	if (!x->quota.bytes && !x->quota.files)
		return 0;
	if (!x->quota.counted)
		count_all(x);
	return 1;
}

static int is_over(uint64_t used, int64_t more, uint64_t limit)
{
	return limit && more > 0 && used + (uint64_t)more > limit;
}

static uint64_t plus(uint64_t used, int64_t more)
{
	if (more < 0 && used < (uint64_t)-more)
		return 0;
	return used + (uint64_t)more;
}

int fs_quota_limited(struct fs_index *x)
{
	return limited(x) != 0;
}

static int has_no_room(const struct fs_index *x, int64_t bytes, int files)
{
	return is_over(x->quota.used_bytes, bytes, x->quota.bytes) ||
	       is_over(x->quota.used_files, files, x->quota.files);
}

int fs_quota_take(struct fs_index *x, int64_t bytes, int files)
{
	int rc = limited(x);

	if (rc <= 0)
		return rc;
	if (has_no_room(x, bytes, files)) {
		note_evicted(x);
		if (limited(x) > 0 && has_no_room(x, bytes, files))
			return -EDQUOT;
	}
	x->quota.used_bytes = plus(x->quota.used_bytes, bytes);
	x->quota.used_files = plus(x->quota.used_files, files);
	return 0;
}

/* The next count sees what is not counted now. */
void fs_quota_give(struct fs_index *x, int64_t bytes, int files)
{
	if (!x->quota.counted)
		return;
	x->quota.used_bytes = plus(x->quota.used_bytes, -bytes);
	x->quota.used_files = plus(x->quota.used_files, -files);
}

int fs_quota_grow(struct fs_node *n, int fd, off_t end)
{
	struct stat st;
	uint64_t have;
	int rc = limited(n->index);

	if (rc > 0 && fstat(fd, &st) < 0)
		rc = -errno;
	if (rc > 0) {
		have = charge(n, st.st_size);
		if ((uint64_t)end > have)
			rc = fs_quota_take(n->index, end - (off_t)have, 0);
	}
	if (rc < 0)
		return rc;
	if (end > n->reserved)
		n->reserved = end;
	n->reserving++;
	return 0;
}

void fs_quota_settle(struct fs_node *n, int fd)
{
	struct stat st;
	uint64_t had;

	if (--n->reserving > 0)
		return;
	if (n->index->quota.counted && fstat(fd, &st) == 0) {
		had = charge(n, st.st_size);
		fs_quota_give(n->index, (int64_t)had - st.st_size, 0);
	}
	n->reserved = 0;
}

int fs_quota_resize(struct fs_node *n, int64_t from, off_t to)
{
	return fs_quota_take(
		n->index, (int64_t)charge(n, to) - (int64_t)charge(n, from), 0);
}

int fs_quota_empty(struct fs_node *n, const struct stat *st)
{
	struct fs_index *x = n->index;

	if (st->st_size > 0 && limited(x) > 0 && x->quota.bytes &&
	    x->quota.used_bytes >= x->quota.bytes + (uint64_t)st->st_size)
		return -EDQUOT;
	return fs_quota_resize(n, st->st_size, 0);
}

void fs_quota_opened(struct fs_node *n, int fd)
{
	struct stat st;

	if (!n->open && n->index->quota.counted && fstat(fd, &st) == 0 &&
	    st.st_nlink == 0)
		fs_quota_give(n->index, -st.st_size, 0);
}

void fs_quota_closing(struct fs_node *n)
{
	struct stat st;

	if (n->open->next || !n->index->quota.counted ||
	    stat_open(n, &st) < 0 || st.st_nlink > 0)
		return;
	fs_quota_give(n->index, st.st_size, 0);
}

int64_t fs_quota_of(struct fs_index *x, int dir, const char *name, int *files)
{
	const struct fs_node *n;
	struct stat st;

	*files = 0;
	if (limited(x) <= 0 ||
	    fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	    S_ISDIR(st.st_mode))
		return 0;
	*files = 1;
	n = fs_node_of_inode(x->fs, st.st_dev, st.st_ino);
	return st.st_nlink > 1 || (n && n->open) ? 0 : st.st_size;
}

int fs_quota_recount(struct fs_index *x)
{
	x->quota.counted = 0;
	return limited(x) > 0;
}

void fs_quota_statfs(struct fs_index *x, struct statvfs *st)
{
	fsblkcnt_t size = st->f_frsize ? st->f_frsize : 4096;

	if (limited(x) <= 0)
		return;
	if (x->quota.bytes) {
		uint64_t left = x->quota.bytes > x->quota.used_bytes
					? x->quota.bytes - x->quota.used_bytes
					: 0;

		st->f_blocks = x->quota.bytes / size;
		if (left / size < st->f_bavail)
			st->f_bavail = st->f_bfree = left / size;
	}
	if (x->quota.files) {
		st->f_files = x->quota.files;
		st->f_ffree = st->f_favail =
			x->quota.files > x->quota.used_files
				? x->quota.files - x->quota.used_files
				: 0;
	}
}

void fs_quota_print(struct fs_index *x, struct rk_buf *out)
{
	note_evicted(x);
	if (limited(x) <= 0)
		return;
	rk_buf_printf(out,
		      "quota_bytes %llu of %llu\nquota_files %llu of %llu\n",
		      (unsigned long long)x->quota.used_bytes,
		      (unsigned long long)x->quota.bytes,
		      (unsigned long long)x->quota.used_files,
		      (unsigned long long)x->quota.files);
}
