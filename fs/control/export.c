/* SPDX-License-Identifier: MIT */
/*
 * .rankfs/export: the index as one file. Each open makes its own, in a
 * temporary file of the backing folder; its size is known once it is open, to
 * the process that opened it.
 */
#include "fs/base/errno.h"
#include "fs/base/mounted.h"
#include "fs/base/node.h"
#include "fs/base/pool.h"
#include "fs/base/spool.h"
#include "fs/base/tree.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

static void export_stat(struct fs_node *n, struct stat *st)
{
	fs_virtual_stat(n, S_IFREG | 0400, 0, st);
}

static void export_getattr(fuse_req_t req, struct fs *fs, struct fs_node *n)
{
	struct stat st;
	int mine = n->opened && n->opener == fuse_req_ctx(req)->pid;

	(void)fs;
	fs_virtual_stat(n, S_IFREG | 0400, mine ? n->size : 0, &st);
	fuse_reply_attr(req, &st, 0);
}

struct export_job {
	struct fs_job job;
	fuse_req_t req;
	struct fs_node *n;
	struct fuse_file_info fi;
	pid_t pid;
};

/* An open file is a descriptor, in `dir`. */
struct spooled {
	int fd;
};

static int make(struct fs_node *n, struct spooled *s, off_t *size)
{
	struct stat st;
	int rc;

	if ((s->fd = fs_spool(n->index->fs)) < 0)
		return s->fd;
	if ((rc = rk_export(n->index->ix, s->fd)) < 0 ||
	    (rc = fstat(s->fd, &st) < 0 ? -errno : 0) < 0) {
		close(s->fd);
		return rc;
	}
	*size = st.st_size;
	return 0;
}

static void export_run(struct fs_job *job)
{
	struct export_job *j = (struct export_job *)job;
	struct fs_handle *h = fs_handle_blob(j->n, NULL);
	struct spooled *s = calloc(1, sizeof(*s));
	off_t size = 0;
	int rc = h && s ? make(j->n, s, &size) : -ENOMEM;

	if (rc < 0) {
		free(h);
		free(s);
		fuse_reply_err(j->req, fs_errno(rc));
		free(j);
		return;
	}
	h->dir = s;
	pthread_mutex_lock(&j->n->index->fs->loop);
	j->n->opener = j->pid;
	j->n->opened++;
	j->n->size = (size_t)size;
	pthread_mutex_unlock(&j->n->index->fs->loop);
	j->fi.fh = (uintptr_t)h;
	j->fi.direct_io = 1;
	j->fi.noflush = 1;
	fuse_reply_open(j->req, &j->fi);
	free(j);
}

static void export_open(fuse_req_t req, struct fs *fs, struct fs_node *n,
			struct fuse_file_info *fi)
{
	struct export_job *j;

	if ((fi->flags & O_ACCMODE) != O_RDONLY ||
	    !fs_is_owner(n->index, fuse_req_ctx(req)->uid)) {
		fuse_reply_err(req, EACCES);
		return;
	}
	if (!(j = calloc(1, sizeof(*j)))) {
		fuse_reply_err(req, ENOMEM);
		return;
	}
	*j = (struct export_job){{.run = export_run, .x = n->index},
				 req,
				 n,
				 *fi,
				 fuse_req_ctx(req)->pid};
	fs_pool_add(fs->pool, &j->job);
}

static void export_read(fuse_req_t req, struct fs *fs, struct fs_handle *h,
			size_t n, off_t off)
{
	const struct spooled *s = h->dir;
	char *buf = malloc(n);
	ssize_t r = buf ? pread(s->fd, buf, n, off) : -1;

	(void)fs;
	if (r < 0)
		fuse_reply_err(req, buf ? errno : ENOMEM);
	else
		fuse_reply_buf(req, buf, (size_t)r);
	free(buf);
}

static void export_release(fuse_req_t req, struct fs *fs, struct fs_handle *h)
{
	struct spooled *s = h->dir;

	h->node->opened--;
	close(s->fd);
	free(s);
	h->dir = NULL;
	fs_blob_release(req, fs, h);
}

const struct fs_kind FS_EXPORT = {
	.name = ".rankfs/export",
	.getattr = export_getattr,
	.open = export_open,
	.read = export_read,
	.release = export_release,
	.stat = export_stat,
};
