/* SPDX-License-Identifier: MIT */
/*
 * Getting at the documents: the one place that turns their paths into files.
 */
#include "index/documents/document.h"
#include "index/documents/links.h"
#include "index/documents/texts.h"
#include "base/attributes.h"
#include "base/noatime.h"
#include "text/extract/metadata.h"
#include "text/extract/property.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

/* Nothing below a folder of documents leads out of it. */
static int open_below(int dir, const char *path, int flags)
{
	int fd = rk_openat_beneath(dir, path, flags | O_NOFOLLOW);

	return fd < 0 ? -errno : fd;
}

static int open_path(struct rk_index *ix, const char *path, int flags)
{
	char root[PATH_MAX];
	const char *rest;
	int dir, fd;

	if (!rk_link_of(ix, path, root, &rest))
		return open_below(ix->files_fd, path, flags);
	dir = rk_link_open(root);
	if (dir < 0 || !*rest)
		return dir;
	fd = open_below(dir, rest, flags);
	close(dir);
	return fd;
}

int rk_open_document(struct rk_index *ix, const char *path)
{
	return open_path(ix, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
}

int rk_stat_document(struct rk_index *ix, const char *path, struct stat *st)
{
	int fd = open_path(ix, path, O_PATH), rc = 0;

	if (fd < 0)
		return fd;
	if (fstat(fd, st) < 0)
		rc = -errno;
	close(fd);
	return rc;
}

int rk_open_parent(struct rk_index *ix, const char *path, const char **name)
{
	const char *slash = strrchr(path, '/');
	char folder[PATH_MAX] = ".";

	*name = slash ? slash + 1 : path;
	if (slash && (size_t)(slash - path) >= sizeof(folder))
		return -ENAMETOOLONG;
	if (slash) {
		memcpy(folder, path, (size_t)(slash - path));
		folder[slash - path] = '\0';
	}
	return open_path(ix, folder, O_PATH | O_DIRECTORY);
}

int rk_is_unchanged(const struct rk_doc_rec *d, const struct stat *st)
{
	return d->ino == st->st_ino && d->size == (uint64_t)st->st_size &&
	       d->mtime_ns == (int64_t)st->st_mtim.tv_sec * 1000000000 +
				      st->st_mtim.tv_nsec;
}

int rk_attached(struct rk_index *ix, int fd, struct rk_buf *props)
{
	char names[8192], value[1024], file[32];
	ssize_t n = flistxattr(fd, NULL, 0);

	if (n <= 0)
		return 0; /* as a rule */
	snprintf(file, sizeof(file), "/proc/self/fd/%d", fd);
	n = rk_attr_list(ix->files_fd, file, names, sizeof(names));

	for (ssize_t i = 0; i < n;) {
		const char *name = names + i;
		size_t len = strlen(name);
		ssize_t v;

		i += (ssize_t)len + 1;
		if (strncmp(name, "user.", 5) != 0 ||
		    strncmp(name, "user.rankfs.", 12) == 0)
			continue;
		v = rk_attr_get(ix->files_fd, file, name, value, sizeof(value));
		if (v > 0 && rk_metadata_add(props, name + 5, len - 5, value,
					     (size_t)v) < 0)
			return -ENOMEM;
	}
	return 0;
}

/* A tag as a property: RK_PROPERTY_MARK, what it is, its name. */
static void add_tag(const char *term, struct rk_buf *out)
{
	if (term[0] == RK_PROPERTY_MARK && term[1] == RK_PROP_TAG && term[2])
		rk_buf_name(out, term + 2);
}

int rk_document_tags(struct rk_index *ix, const char *path, struct rk_buf *out)
{
	int fd = rk_open_document(ix, path), rc;
	struct rk_buf props = RK_BUF_INIT;
	struct rk_text t = RK_TEXT_INIT;
	const char *term;
	size_t at = 0;

	if (fd < 0)
		return fd;
	rc = rk_read_text(ix, fd, path, RK_READ_AGAIN, &t);
	if (rc == 0)
		rc = rk_metadata(t.kind, t.p, t.n, &props);
	if (rc == 0)
		rc = rk_attached(ix, fd, &props);
	while (rc == 0 && (term = rk_buf_next(&props, &at)) != NULL)
		add_tag(term, out);
	close(fd);
	rk_buf_release(&props);
	rk_text_release(&t);
	return rc ? rc : out->err;
}
