/* SPDX-License-Identifier: MIT */
#ifndef RK_BASE_ENV_H
#define RK_BASE_ENV_H

#include "base/buf.h"
#include <dirent.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * The outside world as a table, handed to rk_index_open(), so that crash,
 * I/O-error and clock tests are ordinary tests. Every function gives -errno
 * on failure. File descriptors are real ones (segments are mapped from them).
 * Tables must outlive every object opened with them and be thread-safe.
 */
struct rk_io {
	int (*openat)(void *ctx, int dir, const char *name, int flags,
		      mode_t mode);
	int (*close)(void *ctx, int fd);
	ssize_t (*pread)(void *ctx, int fd, void *p, size_t n, off_t off);
	ssize_t (*pwrite)(void *ctx, int fd, const void *p, size_t n,
			  off_t off);
	/* data_only: fdatasync(2); else fsync(2), directories included */
	int (*sync)(void *ctx, int fd, int data_only);
	int (*rename)(void *ctx, int dir, const char *from, const char *to);
	int (*unlink)(void *ctx, int dir, const char *name);
	int (*truncate)(void *ctx, int fd, off_t size);
	void *ctx;
};

struct rk_env {
	const struct rk_io *io;
	int64_t (*now_ns)(void); /* wall clock, nanoseconds since 1970 */
	/* bearer token for an embedding server, or NULL; never written down */
	const char *embed_key;
};

/* The real world. Static storage. */
const struct rk_env *rk_env_posix(void);

/* A monotonic clock for measuring, nanoseconds from some fixed moment. */
uint64_t rk_mono_ns(void);

/* Write or read all n bytes at off; a short read gives RK_ECORRUPT. */
int rk_io_write_all(const struct rk_io *io, int fd, const void *p, size_t n,
		    off_t off);
int rk_io_read_all(const struct rk_io *io, int fd, void *p, size_t n,
		   off_t off);

/*
 * Append the whole of `name` to out. Returns 0, -errno (-ENOENT), -ENOMEM, or
 * RK_ECORRUPT if it is no regular file or larger than max bytes.
 */
int rk_io_read_file(const struct rk_io *io, int dir, const char *name,
		    size_t max, struct rk_buf *out);

/*
 * A folder's entries, told apart from not being able to read them. Open
 * gives 0 or -errno; next 1 and the entry, 0 at the end, or -errno.
 */
int rk_dir_open(int dir, const char *name, DIR **out);
int rk_dir_next(DIR *d, struct dirent **out);

/*
 * Replace `name` in directory `dir` by n bytes, durably and in one step:
 * temporary file, fsync, rename, fsync of the directory. On failure the old
 * file is untouched and the temporary one removed.
 */
int rk_io_replace(const struct rk_io *io, int dir, const char *name,
		  const void *p, size_t n);

#endif
