/* SPDX-License-Identifier: MIT */
/*
 * Getting at the documents: the one place that turns their paths into files.
 */
#include "index/search_internal.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Nothing below a folder of documents leads out of it. */
static int open_below(int dir, const char *path)
{
	struct open_how how = {.flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK |
					O_CLOEXEC | O_NOCTTY,
			       .resolve =
				       RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS};
	long fd = syscall(SYS_openat2, dir, path, &how, sizeof(how));

	if (fd >= 0)
		return (int)fd;
	if (errno != ENOSYS)
		return -errno;
	fd = openat(dir, path, (int)how.flags);
	return fd < 0 ? -errno : (int)fd;
}

int rk_open_document(struct rk_index *ix, const char *path)
{
	char root[PATH_MAX];
	const char *rest;
	int dir, fd;

	if (!rk_link_of(ix, path, root, &rest))
		return open_below(ix->files_fd, path);
	if ((dir = rk_link_open(root)) < 0)
		return dir;
	fd = open_below(dir, rest);
	close(dir);
	return fd;
}

int rk_is_unchanged(const struct rk_doc_rec *d, const struct stat *st)
{
	return d->ino == st->st_ino && d->size == (uint64_t)st->st_size &&
	       d->mtime_ns == (int64_t)st->st_mtim.tv_sec * 1000000000 +
				      st->st_mtim.tv_nsec;
}

int rk_load_chunk(struct rk_searching *s, const char *path,
		  const struct rk_chunk_rec *c, struct rk_text *out)
{
	int fd = rk_open_document(s->ix, path), rc;

	if (fd < 0)
		return fd;
	rc = rk_read_range(s->ix, fd, path, c->off, c->len, out);
	close(fd);
	return rc;
}
