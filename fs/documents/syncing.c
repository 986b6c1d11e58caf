/* SPDX-License-Identifier: MIT */
/* fsync(2) of documents and of their folders: the file, and the log. */
#include "fs/base/descriptors.h"
#include "fs/base/errno.h"
#include "fs/base/node.h"
#include "fs/base/pool.h"
#include "fs/documents/documents.h"
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

/*
 * The file and the log are synced at the same time, by a thread each: one
 * flush of the disk after the other would cost twice. The order does not
 * matter, because a record only says what to look at again. The later of the
 * two jobs replies.
 */
struct sync_job {
	struct fs_job file, log;
	fuse_req_t req;
	struct rk_index *ix;
	struct fs_handle *h; /* the file, its descriptor pinned; or NULL: */
	int fd;		     /* a folder's, opened for this, to be closed */
	int data_only;
	uint64_t seq; /* of the log */
	_Atomic int left;
	_Atomic int rc; /* of the first that failed */
};

static void sync_done(struct sync_job *j, int rc)
{
	int none = 0;

	if (rc < 0)
		atomic_compare_exchange_strong(&j->rc, &none, rc);
	if (--j->left > 0)
		return;
	if (j->h)
		fs_handle_unpin_fd(j->h);
	else
		close(j->fd);
	fuse_reply_err(j->req, fs_errno(j->rc));
	free(j);
}

static void sync_file_run(struct fs_job *job)
{
	struct sync_job *j = (struct sync_job *)job;
	int rc = j->data_only ? fdatasync(j->fd) : fsync(j->fd);

	sync_done(j, rc < 0 ? -errno : 0);
}

static void sync_log_run(struct fs_job *job)
{
	char *log = (char *)job;
	struct sync_job *j =
		(struct sync_job *)(log - offsetof(struct sync_job, log));

	sync_done(j, rk_sync(j->ix, j->seq));
}

/* Takes fd over, or the pin of h's. */
static void sync_later(fuse_req_t req, struct fs_index *x, struct fs_handle *h,
		       int fd, int data_only, uint64_t seq)
{
	struct sync_job *j = malloc(sizeof(*j));

	if (!j) {
		if (h)
			fs_handle_unpin_fd(h);
		else
			close(fd);
		fuse_reply_err(req, ENOMEM);
		return;
	}
	*j = (struct sync_job){
		.file = {.run = sync_file_run, .x = x},
		.log = {.run = sync_log_run, .x = x},
		.req = req,
		.ix = x->ix,
		.h = h,
		.fd = fd,
		.data_only = data_only,
		.seq = seq,
		.left = 2,
	};
	fs_pool_add(x->fs->log, &j->log);
	fs_pool_add(x->fs->io, &j->file);
}

void fs_doc_fsync(fuse_req_t req, fuse_ino_t ino, int datasync,
		  struct fuse_file_info *fi)
{
	struct fs_handle *h = (struct fs_handle *)fi->fh;
	uint64_t seq = rk_last_touch(h->node->index->ix);
	int rc = 0, fd;

	(void)ino;
	if (h->dirty || h->fresh)
		rc = fs_doc_touch_handle(h, &seq);
	if (rc < 0)
		fuse_reply_err(req, fs_errno(rc));
	else if ((fd = fs_handle_pin_fd(fs_of(req), h)) < 0)
		fuse_reply_err(req, -fd);
	else
		sync_later(req, h->node->index, h, fd, datasync, seq);
}

void fs_doc_fsyncdir(fuse_req_t req, fuse_ino_t ino, int datasync,
		     struct fuse_file_info *fi)
{
	struct fs *fs = fs_of(req);
	struct fs_node *n = fs_node(fs, ino);
	int fd;

	(void)fi;
	fd = fs_node_open(fs, n, O_RDONLY | O_DIRECTORY);
	if (fd < 0)
		fuse_reply_err(req, -fd);
	else
		sync_later(req, n->index, NULL, fd, datasync,
			   rk_last_touch(n->index->ix));
}
