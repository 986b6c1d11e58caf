/* SPDX-License-Identifier: MIT */
/*
 * .rankfs/export: the index as one file. Each open makes its own, in a
 * temporary file of the backing folder; its size is known once it is open, to
 * the process that opened it.
 */
#include "fs/control/export.h"
#include "fs/base/spool.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

/* An open file is a descriptor. */
struct spooled {
	int fd;
};

int fs_export_stat(const struct fs_use *u, struct stat *st)
{
	if (u->n->opened && u->n->opener == u->pid)
		st->st_size = (off_t)u->n->size;
	return 0;
}

static int make(struct fs_index *x, int fd, off_t *size)
{
	struct stat st;
	int rc = rk_export(x->ix, fd);

	if (rc == 0 && fstat(fd, &st) < 0)
		rc = -errno;
	if (rc == 0)
		*size = st.st_size;
	return rc;
}

static int export_begin(struct fs_handle *h)
{
	struct fs_node *n = h->node;
	struct spooled *s = h->dir;
	off_t size = 0;
	int rc;

	if ((s->fd = fs_spool(n->index->fs)) < 0)
		return s->fd;
	if ((rc = make(n->index, s->fd, &size)) < 0) {
		close(s->fd);
		return rc;
	}
	pthread_mutex_lock(&n->index->fs->loop);
	n->opener = h->pid;
	n->opened++;
	n->size = (size_t)size;
	pthread_mutex_unlock(&n->index->fs->loop);
	return 0;
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

static void export_end(struct fs_handle *h)
{
	const struct spooled *s = h->dir;

	h->node->opened--;
	close(s->fd);
}

const struct fs_stream FS_EXPORT_STREAM = {
	.state = sizeof(struct spooled),
	.begin = export_begin,
	.begin_later = 1,
	.end = export_end,
	.read = export_read,
};
