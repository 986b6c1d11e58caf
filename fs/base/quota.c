/* SPDX-License-Identifier: MIT */
/*
 * How much an index may hold: bytes and files of its documents, as they are in
 * `quota` of its folder ("BYTES FILES", 0: no limit). Who mounted sets it. What
 * there is is counted once, when a limit first matters, and kept up to date.
 */
#include "fs/base/quota.h"
#include "base/env.h"
#include "base/noatime.h"
#include "fs/base/mounted.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TEXT_MAX = 64 };
static const char NAME[] = "quota";

static void count_below(int at, const char *name, uint64_t *bytes,
			uint64_t *files)
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
			count_below(dirfd(d), e->d_name, bytes, files);
		} else {
			*bytes += (uint64_t)st.st_size;
			++*files;
		}
	}
	if (d)
		closedir(d);
}

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
	}
	return rc;
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
	if (!x->quota.counted) {
		x->quota.counted = 1;
		x->quota.used_bytes = x->quota.used_files = 0;
		count_below(fs_index_files(x), ".", &x->quota.used_bytes,
			    &x->quota.used_files);
	}
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

int fs_quota_take(struct fs_index *x, int64_t bytes, int files)
{
	int rc = limited(x);

	if (rc <= 0)
		return rc;
	if (is_over(x->quota.used_bytes, bytes, x->quota.bytes) ||
	    is_over(x->quota.used_files, files, x->quota.files))
		return -EDQUOT;
	x->quota.used_bytes = plus(x->quota.used_bytes, bytes);
	x->quota.used_files = plus(x->quota.used_files, files);
	return 0;
}

int fs_quota_grow(struct fs_index *x, int fd, off_t end)
{
	struct stat st;
	int rc = limited(x);

	if (rc <= 0 || fstat(fd, &st) < 0 || end <= st.st_size)
		return rc < 0 ? rc : 0;
	return fs_quota_take(x, end - st.st_size, 0);
}

int64_t fs_quota_of(struct fs_index *x, int dir, const char *name, int *files)
{
	struct stat st;

	*files = 0;
	if (limited(x) <= 0 ||
	    fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	    S_ISDIR(st.st_mode))
		return 0;
	*files = 1;
	return st.st_nlink > 1 ? 0 : st.st_size;
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
	if (limited(x) <= 0)
		return;
	rk_buf_printf(out,
		      "quota_bytes %llu of %llu\nquota_files %llu of %llu\n",
		      (unsigned long long)x->quota.used_bytes,
		      (unsigned long long)x->quota.bytes,
		      (unsigned long long)x->quota.used_files,
		      (unsigned long long)x->quota.files);
}
