/* SPDX-License-Identifier: MIT */
/*
 * The bytes of documents: open, read, write, flush, close. What would wait for
 * a disk does so in the pool `io`; a writer that is faster than the index waits
 * in `throttle`. The index is told at FLUSH, because its error is close()'s
 * error and it comes before close() returns.
 */
#include "fs/base/descriptors.h"
#include "fs/base/errno.h"
#include "fs/base/node.h"
#include "fs/base/pool.h"
#include "fs/base/quota.h"
#include "fs/documents/documents.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { READ_MAX = 1 << 20 };

/* --- open files --- */

struct fs_handle *fs_doc_handle_new(struct fs_node *n, int fd)
{
	struct fs_handle *h = calloc(1, sizeof(*h));

	if (!h)
		return NULL;
	fs_quota_opened(n, fd);
	h->node = n;
	h->flags = fcntl(fd, F_GETFL) & (O_ACCMODE | O_NOATIME | O_SYNC);
	fs_handle_give_fd(n->index->fs, h, fd);
	h->writes = (h->flags & O_ACCMODE) != O_RDONLY;
	n->index->busy += (unsigned)h->writes;
	h->next = n->open;
	n->open = h;
	return h;
}

void fs_doc_handle_free(struct fs_handle *h)
{
	struct fs_handle **p = &h->node->open;

	fs_quota_closing(h->node);
	while (*p != h)
		p = &(*p)->next;
	*p = h->next;
	fs_handle_drop_fd(h->node->index->fs, h);
	h->node->index->busy -= (unsigned)h->writes;
	free(h);
}

static void doc_opendir(fuse_req_t req, struct fs *fs, struct fs_node *n,
			struct fuse_file_info *fi)
{
	int fd = fs_node_open(fs, n, O_RDONLY | O_DIRECTORY);
	struct fs_handle *h;

	if (fd < 0) {
		fuse_reply_err(req, -fd);
		return;
	}
	h = calloc(1, sizeof(*h));
	if (!h || !(h->dir = fdopendir(fd))) {
		free(h);
		close(fd);
		fuse_reply_err(req, ENOMEM);
		return;
	}
	h->node = n;
	h->fd = -1;
	fi->fh = (uintptr_t)h;
	fuse_reply_open(req, fi);
}

/* With what it gives back if it is emptied by that. */
static int open_document(struct fs *fs, struct fs_node *n, int flags)
{
	struct stat st = {.st_size = 0};
	int fd, rc = 0;

	if (flags & O_TRUNC && fs_quota_limited(n->index) &&
	    (rc = fs_doc_stat(fs, n, &st)) == 0)
		rc = fs_quota_empty(n, &st);
	if (rc < 0)
		return rc;
	if ((fd = fs_node_open(fs, n, flags)) < 0 && flags & O_TRUNC)
		fs_quota_resize(n, 0, st.st_size);
	return fd;
}

void fs_doc_open(fuse_req_t req, struct fs *fs, struct fs_node *n,
		 struct fuse_file_info *fi)
{
	struct fs_handle *h;
	int fd;

	if (S_ISDIR(n->type)) {
		doc_opendir(req, fs, n, fi);
		return;
	}
	fd = open_document(fs, n, fi->flags & ~FS_DOC_NOT_OURS);
	if (fd < 0) {
		fuse_reply_err(req, -fd);
		return;
	}
	if (!(h = fs_doc_handle_new(n, fd))) {
		close(fd);
		fuse_reply_err(req, ENOMEM);
		return;
	}
	if (fi->flags & O_TRUNC) {
		fs_doc_drop_set_id(req, fd);
		h->dirty = 1;
	}
	fi->fh = (uintptr_t)h;
	fi->keep_cache = 1; /* nobody else writes the backing files */
	fi->noflush = (fi->flags & O_ACCMODE) == O_RDONLY;
	if (fuse_reply_open(req, fi) == -ENOENT)
		fs_doc_handle_free(h);
}

/* --- reading --- */

struct read_job {
	struct fs_job job;
	fuse_req_t req;
	struct fs_handle *h;
	int fd;
	size_t n;
	off_t off;
};

static void read_run(struct fs_job *job)
{
	struct read_job *j = (struct read_job *)job;
	char *buf = malloc(j->n);
	ssize_t r = buf ? pread(j->fd, buf, j->n, j->off) : -1;
	int err = buf ? errno : ENOMEM;

	fs_handle_unpin_fd(j->h);
	if (r < 0)
		fuse_reply_err(j->req, err);
	else
		fuse_reply_buf(j->req, buf, (size_t)r);
	free(buf);
	free(j);
}

static void read_later(fuse_req_t req, struct fs *fs, struct fs_handle *h,
		       size_t n, off_t off)
{
	struct read_job *j = malloc(sizeof(*j));
	int fd = j ? fs_handle_pin_fd(fs, h) : -ENOMEM;

	if (fd < 0) {
		free(j);
		fuse_reply_err(req, -fd);
		return;
	}
	*j = (struct read_job){{.run = read_run}, req, h, fd, n, off};
	fs_run_io(fs, &j->job);
}

static int at_end(int fd, off_t off)
{
	struct stat st;

	return fstat(fd, &st) == 0 && off >= st.st_size;
}

/* From the page cache at once; what would wait for the disk goes away. */
void fs_doc_read(fuse_req_t req, struct fs *fs, struct fs_handle *h, size_t n,
		 off_t off)
{
	static char buf[READ_MAX]; /* the loop's own */
	struct iovec iov = {buf, n};
	int fd = n > sizeof(buf) ? -1 : fs_handle_fd(fs, h);
	ssize_t r = fd < 0 ? -1 : preadv2(fd, &iov, 1, off, RWF_NOWAIT);

	if (r == (ssize_t)n || (r >= 0 && at_end(fd, off + r)))
		fuse_reply_buf(req, buf, (size_t)r);
	else
		read_later(req, fs, h, n, off);
}

/* --- writing --- */

/* 0, and how many; -errno: none. */
static int write_bytes(int fd, const char *p, size_t n, off_t off, size_t *done)
{
	while (*done < n) {
		ssize_t r =
			pwrite(fd, p + *done, n - *done, off + (off_t)*done);

		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0 && *done == 0)
			return -errno;
		if (r <= 0)
			break;
		*done += (size_t)r;
	}
	return 0;
}

void fs_doc_write(fuse_req_t req, struct fs *fs, struct fs_handle *h,
		  const char *p, size_t n, off_t off)
{
	size_t done = 0;
	int fd = fs_handle_fd(fs, h), rc = fd;

	if (fd >= 0)
		rc = fs_quota_grow(h->node, fd, off + (off_t)n);
	if (rc < 0) {
		fuse_reply_err(req, -rc);
		return;
	}
	if (!h->dirty)
		fs_doc_drop_set_id(req, fd);
	h->dirty = 1;
	rc = write_bytes(fd, p, n, off, &done);
	fs_quota_settle(h->node, fd);
	if (rc < 0)
		fuse_reply_err(req, -rc);
	else
		fuse_reply_write(req, done);
}

struct throttle_job {
	struct fs_job job;
	fuse_req_t req;
	struct rk_index *ix;
};

/* The close of a bulk copy waits here while the workers catch up. */
static void throttle_run(struct fs_job *job)
{
	struct throttle_job *j = (struct throttle_job *)job;
	const struct timespec ts = {0, 1000000};

	for (int i = 0; i < 30000 && rk_congested(j->ix); i++)
		nanosleep(&ts, NULL);
	fuse_reply_err(j->req, 0);
	free(j);
}

static void reply_throttled(fuse_req_t req, struct fs_index *x)
{
	struct throttle_job *j;

	if (!rk_congested(x->ix) || !(j = malloc(sizeof(*j)))) {
		fuse_reply_err(req, 0);
		return;
	}
	*j = (struct throttle_job){{.run = throttle_run, .x = x}, req, x->ix};
	fs_pool_add(x->fs->throttle, &j->job);
}

void fs_doc_flush(fuse_req_t req, struct fs *fs, struct fs_handle *h)
{
	int rc = 0;

	(void)fs;
	if (!h->dirty) {
		fuse_reply_err(req, 0);
		return;
	}
	rc = fs_doc_touch_handle(h, NULL);
	if (rc < 0)
		fuse_reply_err(req, fs_errno(rc));
	else
		reply_throttled(req, h->node->index);
}

void fs_doc_release(fuse_req_t req, struct fs *fs, struct fs_handle *h)
{
	(void)fs;
	if (h->dir) {
		closedir(h->dir);
		free(h);
	} else {
		/* written through a map after the last close, or left empty */
		if (h->dirty || h->fresh)
			fs_doc_touch_handle(h, NULL);
		fs_doc_handle_free(h);
	}
	fuse_reply_err(req, 0);
}
