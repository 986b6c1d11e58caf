/* SPDX-License-Identifier: MIT */
/* Room, and ranges of documents: reserved, copied, looked for. */
#include "fs/base/descriptors.h"
#include "fs/base/mounted.h"
#include "fs/base/node.h"
#include "fs/base/pool.h"
#include "fs/base/quota.h"
#include "fs/documents/documents.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/statvfs.h>
#include <unistd.h>

void fs_doc_statfs(fuse_req_t req, fuse_ino_t ino)
{
	struct fs *fs = fs_of(req);
	struct fs_node *n = fs_node(fs, ino);
	struct statvfs st;

	if (fstatvfs(fs_index_files(n->index), &st) < 0) {
		fuse_reply_err(req, errno);
		return;
	}
	fs_quota_statfs(n->index, &st);
	fuse_reply_statfs(req, &st);
}

struct range_job {
	struct fs_job job;
	fuse_req_t req;
	struct fs_handle *from, *to; /* pinned; from may be NULL */
	int in, out, mode;
	off_t in_off, off, len;
};

/* What it has become, before anybody is told. */
static void settle(struct range_job *j)
{
	struct fs *fs = j->to->node->index->fs;

	pthread_mutex_lock(&fs->loop);
	fs_quota_settle(j->to->node, j->out);
	pthread_mutex_unlock(&fs->loop);
	fs_handle_unpin_fd(j->to);
}

static void allocate_run(struct fs_job *job)
{
	struct range_job *j = (struct range_job *)job;

	int err = fallocate(j->out, j->mode, j->off, j->len) < 0 ? errno : 0;

	settle(j);
	fuse_reply_err(j->req, err);
	free(j);
}

static void copy_run(struct fs_job *job)
{
	struct range_job *j = (struct range_job *)job;
	ssize_t r = copy_file_range(j->in, &j->in_off, j->out, &j->off,
				    (size_t)j->len, 0);
	int err = errno;

	fs_handle_unpin_fd(j->from);
	settle(j);
	if (r < 0)
		fuse_reply_err(j->req, err);
	else
		fuse_reply_write(j->req, (size_t)r);
	free(j);
}

/* Pins what it reads from, if anything, and writes to; room is taken. */
static void range_later(fuse_req_t req, struct fs *fs, struct range_job want)
{
	struct range_job *j = malloc(sizeof(*j));
	int rc = j ? 0 : -ENOMEM;

	if (rc == 0 && want.from)
		rc = want.in = fs_handle_pin_fd(fs, want.from);
	if (rc >= 0 && (rc = want.out = fs_handle_pin_fd(fs, want.to)) < 0 &&
	    want.from)
		fs_handle_unpin_fd(want.from);
	if (rc < 0) {
		free(j);
		fs_quota_settle(want.to->node, fs_handle_fd(fs, want.to));
		fuse_reply_err(req, -rc);
		return;
	}
	want.to->dirty = 1;
	*j = want;
	j->req = req;
	fs_pool_add(fs->io, &j->job);
}

void fs_doc_fallocate(fuse_req_t req, fuse_ino_t ino, int mode, off_t off,
		      off_t len, struct fuse_file_info *fi)
{
	struct fs_handle *h = (struct fs_handle *)fi->fh;
	struct fs *fs = fs_of(req);
	int fd;

	(void)ino;
	if (!h->node->kind->document) {
		fuse_reply_err(req, EOPNOTSUPP);
	} else if ((fd = fs_handle_fd(fs, h)) < 0) {
		fuse_reply_err(req, -fd);
	} else if (fs_quota_grow(h->node, fd,
				 mode & FALLOC_FL_KEEP_SIZE ? 0 : off + len) <
		   0) {
		fuse_reply_err(req, EDQUOT);
	} else {
		range_later(req, fs,
			    (struct range_job){.job.run = allocate_run,
					       .to = h,
					       .mode = mode,
					       .off = off,
					       .len = len});
	}
}

/* Where the kernel has to read and write itself, it is told EOPNOTSUPP. */
void fs_doc_copy(fuse_req_t req, fuse_ino_t in, off_t in_off,
		 struct fuse_file_info *in_fi, fuse_ino_t out, off_t off,
		 struct fuse_file_info *fi, size_t len, int flags)
{
	struct fs_handle *a = (struct fs_handle *)in_fi->fh;
	struct fs_handle *b = (struct fs_handle *)fi->fh;
	struct fs *fs = fs_of(req);
	int fd;

	(void)in;
	(void)out;
	(void)flags;
	if (!a->node->kind->document || !b->node->kind->document) {
		fuse_reply_err(req, EOPNOTSUPP);
	} else if ((fd = fs_handle_fd(fs, b)) < 0) {
		fuse_reply_err(req, -fd);
	} else if (fs_quota_grow(b->node, fd, off + (off_t)len) < 0) {
		fuse_reply_err(req, EOPNOTSUPP); /* as much as has room */
	} else {
		range_later(req, fs,
			    (struct range_job){.job.run = copy_run,
					       .from = a,
					       .to = b,
					       .in_off = in_off,
					       .off = off,
					       .len = (off_t)len});
	}
}

void fs_doc_lseek(fuse_req_t req, fuse_ino_t ino, off_t off, int whence,
		  struct fuse_file_info *fi)
{
	struct fs_handle *h = (struct fs_handle *)fi->fh;
	off_t r;

	(void)ino;
	if (!h->node->kind->document) {
		fuse_reply_err(req, EINVAL);
		return;
	}
	r = fs_handle_fd(fs_of(req), h);
	if (r >= 0 && (r = lseek((int)r, off, whence)) < 0)
		r = -errno;
	if (r < 0)
		fuse_reply_err(req, (int)-r);
	else
		fuse_reply_lseek(req, r);
}
