/* SPDX-License-Identifier: MIT */
#include "base/env.h"
#include "base/noatime.h"
#include "base/status.h"
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static int posix_openat(void *ctx, int dir, const char *name, int flags,
			mode_t mode)
{
	int fd = openat(dir, name, flags | O_CLOEXEC, mode);

	(void)ctx;
	return fd < 0 ? -errno : fd;
}

static int posix_close(void *ctx, int fd)
{
	(void)ctx;
	return close(fd) < 0 ? -errno : 0;
}

static ssize_t posix_pread(void *ctx, int fd, void *p, size_t n, off_t off)
{
	ssize_t r = pread(fd, p, n, off);

	(void)ctx;
	return r < 0 ? -errno : r;
}

static ssize_t posix_pwrite(void *ctx, int fd, const void *p, size_t n,
			    off_t off)
{
	ssize_t r = pwrite(fd, p, n, off);

	(void)ctx;
	return r < 0 ? -errno : r;
}

static int posix_sync(void *ctx, int fd, int data_only)
{
	(void)ctx;
	return (data_only ? fdatasync(fd) : fsync(fd)) < 0 ? -errno : 0;
}

static int posix_rename(void *ctx, int dir, const char *from, const char *to)
{
	(void)ctx;
	return renameat(dir, from, dir, to) < 0 ? -errno : 0;
}

static int posix_unlink(void *ctx, int dir, const char *name)
{
	(void)ctx;
	return unlinkat(dir, name, 0) < 0 ? -errno : 0;
}

static int posix_truncate(void *ctx, int fd, off_t size)
{
	(void)ctx;
	return ftruncate(fd, size) < 0 ? -errno : 0;
}

static const struct rk_io POSIX_IO = {
	.openat = posix_openat,
	.close = posix_close,
	.pread = posix_pread,
	.pwrite = posix_pwrite,
	.sync = posix_sync,
	.rename = posix_rename,
	.unlink = posix_unlink,
	.truncate = posix_truncate,
};

static int64_t wall_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static const struct rk_env POSIX_ENV = {.io = &POSIX_IO, .now_ns = wall_ns};

const struct rk_env *rk_env_posix(void)
{
	return &POSIX_ENV;
}

uint64_t rk_mono_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

int rk_io_write_all(const struct rk_io *io, int fd, const void *p, size_t n,
		    off_t off)
{
	const char *c = p;

	assert(off >= 0);
	while (n > 0) {
		ssize_t r = io->pwrite(io->ctx, fd, c, n, off);

		if (r == -EINTR)
			continue;
		if (r <= 0)
			return r < 0 ? (int)r : -EIO;
		c += r;
		off += r;
		n -= (size_t)r;
	}
	return 0;
}

int rk_io_read_all(const struct rk_io *io, int fd, void *p, size_t n, off_t off)
{
	char *c = p;

	assert(off >= 0);
	while (n > 0) {
		ssize_t r = io->pread(io->ctx, fd, c, n, off);

		if (r == -EINTR)
			continue;
		if (r <= 0)
			return r < 0 ? (int)r : RK_ECORRUPT;
		c += r;
		off += r;
		n -= (size_t)r;
	}
	return 0;
}

int rk_io_read_file(const struct rk_io *io, int dir, const char *name,
		    size_t max, struct rk_buf *out)
{
	int fd = io->openat(io->ctx, dir, name, O_RDONLY | O_NOFOLLOW, 0);
	struct stat st;
	int rc = 0;

	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0)
		rc = -errno;
	else if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size > max)
		rc = RK_ECORRUPT;
	if (rc == 0 && st.st_size > 0 &&
	    (rc = rk_buf_reserve(out, (size_t)st.st_size)) == 0 &&
	    (rc = rk_io_read_all(io, fd, out->p + out->n, (size_t)st.st_size,
				 0)) == 0)
		out->n += (size_t)st.st_size;
	io->close(io->ctx, fd);
	return rc;
}

int rk_dir_open(int dir, const char *name, DIR **out)
{
	int fd = rk_openat_noatime(dir, name,
				   O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
	int rc = fd < 0 ? -errno : 0;

	if (rc == 0 && !(*out = fdopendir(fd))) {
		rc = -errno;
		close(fd);
	}
	return rc;
}

int rk_dir_next(DIR *d, struct dirent **out)
{
	errno = 0;
	*out = readdir(d);
	return *out ? 1 : -errno;
}

int rk_io_replace(const struct rk_io *io, int dir, const char *name,
		  const void *p, size_t n)
{
	char tmp[NAME_MAX + 8];
	int fd, rc;

	assert(!strchr(name, '/'));
	snprintf(tmp, sizeof(tmp), "%s.tmp", name);
	fd = io->openat(io->ctx, dir, tmp, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (fd < 0)
		return fd;
	if ((rc = rk_io_write_all(io, fd, p, n, 0)) == 0)
		rc = io->sync(io->ctx, fd, 0);
	io->close(io->ctx, fd);
	if (rc == 0)
		rc = io->rename(io->ctx, dir, tmp, name); /* commit point */
	if (rc < 0) {
		io->unlink(io->ctx, dir, tmp);
		return rc;
	}
	return io->sync(io->ctx, dir, 0);
}
