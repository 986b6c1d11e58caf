/* SPDX-License-Identifier: MIT */
/* Changing the attributes of documents: mode, owner, times, size. */
#include "fs/base/descriptors.h"
#include "fs/base/errno.h"
#include "fs/base/node.h"
#include "fs/base/quota.h"
#include "fs/base/walls.h"
#include "fs/documents/documents.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static int set_mode(struct fs *fs, struct fs_node *n, mode_t mode)
{
	const char *name;
	char proc[40];
	int dir, rc;

	if (geteuid() != 0 && (rc = fs_node_keep_fds(fs, n)) < 0)
		return rc;
	if (n->open && n->open->fd >= 0)
		return fchmod(n->open->fd, mode) < 0 ? -errno : 0;
	if ((rc = fs_node_at(fs, n, &dir, &name)) < 0)
		return rc;
	if (S_ISLNK(n->type))
		return -EOPNOTSUPP;
	if (!*name)
		name = fs_fd_path(dir, proc);
	return fchmodat(dir, name, mode, 0) < 0 ? -errno : 0;
}

static int set_owner(struct fs *fs, struct fs_node *n, uid_t uid, gid_t gid)
{
	const char *name;
	int dir, flags;

	if (n->open && n->open->fd >= 0 && !n->links)
		return fchown(n->open->fd, uid, gid) < 0 ? -errno : 0;
	if ((flags = fs_node_at(fs, n, &dir, &name)) < 0)
		return flags;
	return fchownat(dir, name, uid, gid, flags) < 0 ? -errno : 0;
}

static int set_times(struct fs *fs, struct fs_node *n, const struct stat *attr,
		     int to_set)
{
	struct timespec ts[2] = {{0, UTIME_OMIT}, {0, UTIME_OMIT}};
	const char *name;
	char proc[40];
	int dir, flags, rc;

	if (to_set & FUSE_SET_ATTR_ATIME_NOW)
		ts[0].tv_nsec = UTIME_NOW;
	else if (to_set & FUSE_SET_ATTR_ATIME)
		ts[0] = attr->st_atim;
	if (to_set & FUSE_SET_ATTR_MTIME_NOW)
		ts[1].tv_nsec = UTIME_NOW;
	else if (to_set & FUSE_SET_ATTR_MTIME)
		ts[1] = attr->st_mtim;
	if (n->open && n->open->fd >= 0)
		return futimens(n->open->fd, ts) < 0 ? -errno : 0;
	if ((flags = fs_node_at(fs, n, &dir, &name)) < 0)
		return flags;
	rc = utimensat(dir, *name ? name : fs_fd_path(dir, proc), ts,
		       *name ? AT_SYMLINK_NOFOLLOW : 0);
	return rc < 0 ? -errno : 0;
}

static struct fs_handle *writer_of(struct fs_node *n)
{
	for (struct fs_handle *h = n->open; h; h = h->next)
		if (h->writes)
			return h;
	return NULL;
}

/*
 * A write by somebody else than root takes the set-id bits away. The kernel
 * leaves that to us (kernel.c); once per handle and change is enough.
 */
void fs_doc_drop_set_id(fuse_req_t req, int fd)
{
	struct stat st;
	mode_t bits;

	if (fuse_req_ctx(req)->uid == 0 || fstat(fd, &st) < 0)
		return;
	bits = st.st_mode & (S_ISUID | (st.st_mode & S_IXGRP ? S_ISGID : 0));
	if (bits && fchmod(fd, st.st_mode & 07777 & ~bits) < 0) {
		/* not the owner's daemon: then it cannot be set-id for it */
	}
}

/* Room for another size, and that size. */
static int resize(struct fs_node *n, int fd, off_t size)
{
	struct stat st;
	int rc = fstat(fd, &st) < 0 ? -errno
				    : fs_quota_resize(n, st.st_size, size);

	if (rc < 0 || ftruncate(fd, size) == 0)
		return rc;
	rc = -errno;
	fs_quota_resize(n, size, st.st_size);
	return rc;
}

static int set_size(fuse_req_t req, struct fs *fs, struct fs_node *n,
		    off_t size, struct fuse_file_info *fi)
{
	struct fs_handle *h = fi ? (struct fs_handle *)fi->fh : writer_of(n);
	int fd, rc;

	if (h) { /* its FLUSH will tell the index */
		if ((fd = fs_handle_fd(fs, h)) < 0)
			return fd;
		if ((rc = resize(n, fd, size)) < 0)
			return rc;
		fs_doc_drop_set_id(req, fd);
		h->dirty = 1;
		return 0;
	}
	if ((fd = fs_node_open(fs, n, O_WRONLY)) < 0)
		return fd;
	rc = resize(n, fd, size);
	fs_doc_drop_set_id(req, fd);
	close(fd);
	return rc ? rc : fs_doc_touch(n, NULL);
}

/* What is being written is indexed when it is closed. */
static int any_dirty(const struct fs_node *n)
{
	for (const struct fs_handle *h = n->open; h; h = h->next)
		if (h->dirty || h->fresh)
			return 1;
	return 0;
}

void fs_doc_setattr(fuse_req_t req, struct fs *fs, struct fs_node *n,
		    struct stat *attr, int to_set, struct fuse_file_info *fi)
{
	const int times = FUSE_SET_ATTR_ATIME | FUSE_SET_ATTR_MTIME |
			  FUSE_SET_ATTR_ATIME_NOW | FUSE_SET_ATTR_MTIME_NOW;
	int rc = 0;

	if (to_set & FUSE_SET_ATTR_SIZE)
		rc = set_size(req, fs, n, attr->st_size, fi);
	/* chown(-1, -1) changes nothing and moves the ctime */
	if (rc == 0 &&
	    (to_set & (FUSE_SET_ATTR_UID | FUSE_SET_ATTR_GID) || to_set == 0))
		rc = set_owner(
			fs, n,
			to_set & FUSE_SET_ATTR_UID ? attr->st_uid : (uid_t)-1,
			to_set & FUSE_SET_ATTR_GID ? attr->st_gid : (gid_t)-1);
	if (rc == 0 && to_set & FUSE_SET_ATTR_MODE)
		rc = set_mode(fs, n, attr->st_mode & 07777);
	if (rc == 0 && to_set & times)
		rc = set_times(fs, n, attr, to_set);
	if (rc == 0 && to_set & (FUSE_SET_ATTR_MODE | FUSE_SET_ATTR_UID |
				 FUSE_SET_ATTR_GID)) {
		if (n->links)
			fs_wall_note(n->index, n->links->parent,
				     n->links->name);
		else if (n == n->index->root)
			fs_wall_recheck(n->index);
		/* whose a link is decides whether it is a source */
		if (S_ISLNK(n->type))
			rk_links_changed(n->index->ix);
	}
	/* the index knows a document by its mtime, too */
	if (rc == 0 && S_ISREG(n->type) && !any_dirty(n) &&
	    to_set & (FUSE_SET_ATTR_MTIME | FUSE_SET_ATTR_MTIME_NOW))
		rc = fs_doc_touch(n, NULL);
	if (rc < 0)
		fuse_reply_err(req, fs_errno(rc));
	else
		fs_doc_getattr(req, fs, n);
}
