/* SPDX-License-Identifier: MIT */
/*
 * One kind of virtual file for all of them: what is different is said by a row
 * of a table (struct fs_file). It is one of two things: a text that is made
 * whole when the file is opened, which a write may have to do with or not; or
 * a stream, where each open file is a conversation of its own.
 */
#include "fs/base/file.h"
#include "fs/base/capabilities.h"
#include "fs/base/errno.h"
#include "fs/base/errors.h"
#include "fs/base/mounted.h"
#include "fs/base/node.h"
#include "fs/base/pool.h"
#include "fs/base/users.h"
#include "fs/base/tree.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct fs_node *fs_file_node(struct fs_index *x, const struct fs_file *file,
			     const char *text)
{
	return fs_keyed_node(x, &FS_FILE, file, text);
}

static struct fs_use use_of(fuse_req_t req, struct fs_node *n)
{
	const struct fuse_ctx *c = fuse_req_ctx(req);

	return (struct fs_use){n, n->index, c->uid, c->pid};
}

/* --- its text --- */

/* A reference; NULL and *err: negative. */
static struct fs_blob *text_of(const struct fs_use *u, int *err)
{
	struct rk_buf b = RK_BUF_INIT;

	if (u->n->content)
		return fs_blob_ref(u->n->content);
	u->n->file->read(u, &b);
	*err = b.err ? b.err : -ENOMEM;
	return fs_blob_from(&b);
}

/* --- attributes --- */

static int stat_for(const struct fs_use *u, struct stat *st)
{
	const struct fs_file *f = u->n->file;
	struct fs_blob *b;
	int err;

	fs_virtual_stat(u->n, S_IFREG | f->mode, 0, st);
	if (f->stat)
		return f->stat(u, st);
	if (f->stream)
		return 0;
	if (!(b = text_of(u, &err)))
		return err;
	fs_virtual_stat(u->n, S_IFREG | f->mode, b->n, st);
	fs_blob_unref(b);
	if (!f->lasts)
		clock_gettime(CLOCK_REALTIME, &st->st_mtim);
	return 0;
}

int fs_file_stat(struct fs_node *n, struct stat *st)
{
	return stat_for(&(struct fs_use){n, n->index, n->index->fs->uid, 0},
			st);
}

static void file_stat(struct fs_node *n, struct stat *st)
{
	fs_file_stat(n, st);
}

static void file_getattr(fuse_req_t req, struct fs *fs, struct fs_node *n)
{
	struct fs_use u = use_of(req, n);
	struct stat st;
	int rc = stat_for(&u, &st);

	(void)fs;
	if (rc < 0)
		fuse_reply_err(req, fs_errno(rc));
	else
		fuse_reply_attr(req, &st, 0);
}

static int takes_writes(const struct fs_file *f)
{
	return f->write || (f->stream && f->stream->write);
}

/* `>` truncates first: there is nothing to lose. touch(1) is harmless. */
static void file_setattr(fuse_req_t req, struct fs *fs, struct fs_node *n,
			 struct stat *attr, int to_set,
			 struct fuse_file_info *fi)
{
	(void)attr;
	(void)fi;
	if (to_set & (FUSE_SET_ATTR_MODE | FUSE_SET_ATTR_UID |
		      FUSE_SET_ATTR_GID) ||
	    (to_set & FUSE_SET_ATTR_SIZE && !takes_writes(n->file)))
		fuse_reply_err(req, EPERM);
	else
		file_getattr(req, fs, n);
}

/* --- opening --- */

static int is_refused(fuse_req_t req, const struct fs_node *n, int flags)
{
	const struct fs_file *f = n->file;

	/* root gets here although a mode says that nobody may */
	if ((flags & O_ACCMODE) == O_RDONLY)
		flags = f->stream && !f->stream->read;
	else
		flags = !takes_writes(f);
	return flags || !fs_may(n->index, fuse_req_ctx(req)->uid, f->to_open);
}

static void reply_opened(fuse_req_t req, struct fs_handle *h,
			 struct fuse_file_info *fi)
{
	const struct fs_file *f = h->node->file;

	fi->fh = (uintptr_t)h;
	/* it never changes; but with others about, each read asks who it is */
	fi->keep_cache = h->node->content && !h->node->index->fs->allow_other;
	fi->direct_io = !fi->keep_cache;
	fi->noflush = !f->stream || !f->stream->flush;
	fi->nonseekable = f->stream && f->stream->no_seek;
	fuse_reply_open(req, fi);
}

static int begin(struct fs_handle *h)
{
	const struct fs_stream *s = h->node->file->stream;

	if (!(h->dir = calloc(1, s->state)))
		return -ENOMEM;
	return s->begin ? s->begin(h) : 0;
}

/* Takes the handle. */
static void open_stream(fuse_req_t req, struct fs_handle *h,
			struct fuse_file_info *fi)
{
	int rc = begin(h);

	if (rc == 0) {
		reply_opened(req, h, fi);
		return;
	}
	fs_handle_free(h);
	fuse_reply_err(req, fs_errno(rc));
}

struct open_job {
	struct fs_job job;
	fuse_req_t req;
	struct fs_handle *h;
	struct fuse_file_info fi;
};

static void open_run(struct fs_job *job)
{
	struct open_job *j = (struct open_job *)job;

	open_stream(j->req, j->h, &j->fi);
	free(j);
}

static void open_later(fuse_req_t req, struct fs *fs, struct fs_handle *h,
		       const struct fuse_file_info *fi)
{
	struct open_job *j = calloc(1, sizeof(*j));

	if (!j) {
		fs_handle_free(h);
		fuse_reply_err(req, ENOMEM);
		return;
	}
	*j = (struct open_job){
		{.run = open_run, .x = h->node->index}, req, h, *fi};
	fs_pool_add_for(fs->pool, req, &j->job);
}

static void open_text(fuse_req_t req, struct fs_handle *h,
		      struct fuse_file_info *fi)
{
	struct fs_use u = use_of(req, h->node);
	int err;

	if ((h->blob = text_of(&u, &err)) != NULL &&
	    (err = fs_user_holds(h, h->blob->n)) == 0) {
		reply_opened(req, h, fi);
		return;
	}
	fs_handle_free(h);
	fuse_reply_err(req, fs_errno(err));
}

static void file_open(fuse_req_t req, struct fs *fs, struct fs_node *n,
		      struct fuse_file_info *fi)
{
	const struct fs_file *f = n->file;
	struct fs_handle *h;

	if (is_refused(req, n, fi->flags)) {
		fuse_reply_err(req, EACCES);
		return;
	}
	if (!(h = fs_handle_new(req, n, NULL))) {
		fuse_reply_err(req, errno);
		return;
	}
	if (!f->stream)
		open_text(req, h, fi);
	else if (f->stream->begin_later)
		open_later(req, fs, h, fi);
	else
		open_stream(req, h, fi);
}

/* --- reading and writing --- */

static void file_read(fuse_req_t req, struct fs *fs, struct fs_handle *h,
		      size_t n, off_t off)
{
	const struct fs_stream *s = h->node->file->stream;

	if (!s)
		fs_blob_read(req, fs, h, n, off);
	else if (s->read)
		s->read(req, fs, h, n, off);
	else
		fuse_reply_err(req, EBADF);
}

struct write_job {
	struct fs_job job;
	fuse_req_t req;
	struct fs_node *node;
	uid_t uid;
	int reaches_out;
	size_t n;
	char p[];
};

static void write_run(struct fs_job *job)
{
	struct write_job *j = (struct write_job *)job;
	struct fs_index *x = j->node->index;
	char err[256] = "";
	int rc = j->node->file->write(x, j->reaches_out, j->p, j->n, err,
				      sizeof(err));

	fs_remember_error(x->fs, j->uid, err);
	if (rc < 0)
		fuse_reply_err(j->req, fs_errno(rc));
	else
		fuse_reply_write(j->req, j->n);
	free(j);
}

static void write_later(fuse_req_t req, struct fs *fs,
			const struct fs_handle *h, const char *p, size_t n)
{
	struct fs_node *node = h->node;
	struct write_job *j = malloc(sizeof(*j) + n);

	if (!j) {
		fuse_reply_err(req, ENOMEM);
		return;
	}
	j->job = (struct fs_job){.run = write_run, .x = node->index};
	j->req = req;
	j->node = node;
	j->uid = fuse_req_ctx(req)->uid;
	j->reaches_out = fs_may_by(req, h, FS_DO_REACH_OUT);
	j->n = n;
	memcpy(j->p, p, n);
	fs_pool_add_for(fs->pool, req, &j->job);
}

static void file_write(fuse_req_t req, struct fs *fs, struct fs_handle *h,
		       const char *p, size_t n, off_t off)
{
	const struct fs_file *f = h->node->file;

	if (!takes_writes(f) || !fs_may_by(req, h, f->to_open) ||
	    !fs_may_by(req, h, f->to_write))
		fuse_reply_err(req, EACCES);
	else if (f->write)
		write_later(req, fs, h, p, n);
	else
		f->stream->write(req, fs, h, p, n, off);
}

static void file_flush(fuse_req_t req, struct fs *fs, struct fs_handle *h)
{
	const struct fs_stream *s = h->node->file->stream;

	if (s && s->flush)
		s->flush(req, fs, h);
	else
		fuse_reply_err(req, 0);
}

void fs_poll_ready(fuse_req_t req, struct fuse_pollhandle *ph)
{
	if (ph)
		fuse_pollhandle_destroy(ph);
	fuse_reply_poll(req, POLLIN | POLLRDNORM | POLLOUT | POLLWRNORM);
}

static void file_poll(fuse_req_t req, struct fs_handle *h,
		      struct fuse_pollhandle *ph)
{
	const struct fs_stream *s = h->node->file->stream;

	if (s && s->poll)
		s->poll(req, h, ph);
	else
		fs_poll_ready(req, ph);
}

static void file_release(fuse_req_t req, struct fs *fs, struct fs_handle *h)
{
	const struct fs_stream *s = h->node->file->stream;

	if (s && s->end)
		s->end(h);
	fs_blob_release(req, fs, h);
}

static void file_forget(struct fs *fs, struct fs_node *n)
{
	(void)fs;
	fs_blob_unref(n->content);
}

const struct fs_kind FS_FILE = {
	.name = "file",
	.getattr = file_getattr,
	.setattr = file_setattr,
	.open = file_open,
	.read = file_read,
	.write = file_write,
	.flush = file_flush,
	.poll = file_poll,
	.release = file_release,
	.forget = file_forget,
	.stat = file_stat,
};
