/* SPDX-License-Identifier: MIT */
/* Extended attributes of documents. */
#include "base/attributes.h"
#include "fs/base/mounted.h"
#include "fs/base/node.h"
#include "fs/base/quota.h"
#include "fs/documents/documents.h"
#include "fs/documents/xattr.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

/*
 * A name for the *xattr(2) calls. Capabilities mean nothing on a nosuid
 * mount, and the kernel asks for them before every write: they are answered
 * without looking. ACLs would need their permission checks.
 */
static int xattr_path(fuse_req_t req, fuse_ino_t ino, const char *name, int *fd,
		      char out[40])
{
	struct fs *fs = fs_of(req);
	struct fs_node *n = fs_node(fs, ino);
	const char *base;
	int dir, rc;

	*fd = -1;
	if (!n->kind->document)
		return -EOPNOTSUPP;
	if (name && strcmp(name, "security.capability") == 0)
		return -ENODATA;
	if (name && strncmp(name, "system.posix_acl", 16) == 0)
		return -EOPNOTSUPP;
	if (S_ISLNK(n->type))
		return -EPERM;
	rc = fs_node_at(fs, n, &dir, &base);
	if (rc == -ENOENT && n->open && n->open->fd >= 0) {
		snprintf(out, 40, "/proc/self/fd/%d", n->open->fd);
		return 0;
	}
	if (rc < 0)
		return rc;
	*fd = openat(dir, *base ? base : ".", O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (*fd < 0)
		return -errno;
	snprintf(out, 40, "/proc/self/fd/%d", *fd);
	return 0;
}

static int files_of(fuse_req_t req, fuse_ino_t ino)
{
	return fs_index_files(fs_node(fs_of(req), ino)->index);
}

static void xattr_done(int fd)
{
	if (fd >= 0)
		close(fd);
}

/* What users attach to a document is a part of what it is found by. */
static int touch_attached(fuse_req_t req, fuse_ino_t ino, const char *name)
{
	struct fs *fs = fs_of(req);

	if (strncmp(name, "user.", 5) != 0)
		return 0;
	return fs_doc_touch(fs_node(fs, ino), NULL);
}

/*
 * Where bytes are counted, an attribute must fit on its file: what lies
 * beside it counts nowhere.
 */
static int set(struct fs_index *x, int limited, const char *path,
	       const char *name, const void *value, size_t size, int flags)
{
	int files = fs_index_files(x), rc;

	if (limited)
		return setxattr(path, name, value, size, flags) < 0 ? -errno
								    : 0;
	rc = rk_attr_set(files, path, name, value, size, flags);
	if (rc == 0 && !x->attributes)
		x->attributes = rk_attr_used(files);
	return rc;
}

int fs_attr_set(struct fs_index *x, int fd, const char *name, const void *value,
		size_t size)
{
	char path[40];
	int limited;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	pthread_mutex_lock(&x->fs->loop);
	limited = fs_quota_limited(x);
	pthread_mutex_unlock(&x->fs->loop);
	return set(x, limited, path, name, value, size, 0);
}

/* The last name of a document is about to go: what lies beside it, if any. */
void fs_attr_victim(struct fs_index *x, int dir, const char *name,
		    char id[RK_ATTR_ID + 1])
{
	char path[40];
	struct stat st;
	int fd;

	*id = '\0';
	if (!x->attributes)
		return;
	fd = openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (fstat(fd, &st) == 0 && (S_ISDIR(st.st_mode) || st.st_nlink == 1))
		if (!rk_attr_id(path, id))
			*id = '\0';
	close(fd);
}

void fs_attr_gone(struct fs_index *x, const char *id)
{
	if (*id)
		rk_attr_drop(fs_index_files(x), id);
}

void fs_doc_setxattr(fuse_req_t req, fuse_ino_t ino, const char *name,
		     const char *value, size_t size, int flags)
{
	struct fs_index *x = fs_node(fs_of(req), ino)->index;
	char path[40];
	int fd, rc = xattr_path(req, ino, name, &fd, path);

	if (rc == -ENODATA)
		rc = -EOPNOTSUPP;
	if (rc == 0)
		rc = set(x, fs_quota_limited(x), path, name, value, size,
			 flags);
	xattr_done(fd);
	if (rc == 0)
		rc = touch_attached(req, ino, name);
	fuse_reply_err(req, -rc);
}

static void reply_xattr(fuse_req_t req, ssize_t r, const char *buf, size_t size)
{
	if (r < 0)
		fuse_reply_err(req, (int)-r);
	else if (size == 0)
		fuse_reply_xattr(req, (size_t)r);
	else
		fuse_reply_buf(req, buf, (size_t)r);
}

void fs_doc_getxattr(fuse_req_t req, fuse_ino_t ino, const char *name,
		     size_t size)
{
	char path[40], *buf;
	int fd, rc = xattr_path(req, ino, name, &fd, path);

	if (rc < 0) {
		fuse_reply_err(req, rc == -EPERM ? ENODATA : -rc);
		return;
	}
	buf = size ? malloc(size) : NULL;
	if (size && !buf)
		fuse_reply_err(req, ENOMEM);
	else
		reply_xattr(
			req,
			rk_attr_get(files_of(req, ino), path, name, buf, size),
			buf, size);
	free(buf);
	xattr_done(fd);
}

void fs_doc_listxattr(fuse_req_t req, fuse_ino_t ino, size_t size)
{
	char path[40], *buf;
	int fd, rc = xattr_path(req, ino, NULL, &fd, path);

	if (rc == -EPERM || rc == -EOPNOTSUPP) { /* has none */
		if (size == 0)
			fuse_reply_xattr(req, 0);
		else
			fuse_reply_buf(req, "", 0);
		return;
	}
	if (rc < 0) {
		fuse_reply_err(req, -rc);
		return;
	}
	buf = size ? malloc(size) : NULL;
	if (size && !buf)
		fuse_reply_err(req, ENOMEM);
	else
		reply_xattr(req,
			    rk_attr_list(files_of(req, ino), path, buf, size),
			    buf, size);
	free(buf);
	xattr_done(fd);
}

void fs_doc_removexattr(fuse_req_t req, fuse_ino_t ino, const char *name)
{
	char path[40];
	int fd, rc = xattr_path(req, ino, name, &fd, path);

	if (rc == 0)
		rc = rk_attr_remove(files_of(req, ino), path, name);
	xattr_done(fd);
	if (rc == 0)
		rc = touch_attached(req, ino, name);
	fuse_reply_err(req, -rc);
}
