/* SPDX-License-Identifier: MIT */
/*
 * What virtual nodes have in common, and the fixed ones found by name. What
 * each kind of node does is in the file that defines its fs_kind.
 */
#include "fs/base/tree.h"
#include "fs/base/errno.h"
#include "fs/base/names.h"
#include "fs/base/node.h"
#include "fs/base/pool.h"
#include "fs/base/users.h"
#include "fs/base/walls.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* --- fixed nodes --- */

unsigned fs_fixed_places(const struct fs_index *x)
{
	unsigned in = x->root->kind->in;

	return in ? in : FS_IN_ROOT | FS_IN_CONTROL;
}

struct fs_node *fs_fixed_find(const struct fs_index *x, unsigned where,
			      const char *name)
{
	for (int i = 0; x->rows[i].name; i++)
		if (x->fixed[i] && x->rows[i].in & where &&
		    strcmp(x->rows[i].name, name) == 0)
			return x->fixed[i];
	return NULL;
}

struct fs_node *fs_fixed_listed(const struct fs_index *x, unsigned where, int i)
{
	for (int row = 0; x->rows[row].name; row++)
		if (x->fixed[row] && x->rows[row].in & where &&
		    !(x->rows[row].hidden & where) && i-- == 0)
			return x->fixed[row];
	return NULL;
}

void fs_fixed_list(const struct fs_index *x, unsigned where, struct rk_buf *b)
{
	const struct fs_node *n;

	for (int i = 0; (n = fs_fixed_listed(x, where, i)) != NULL; i++)
		fs_list_add(b, n->kind->lookup ? 'd' : 'f', n->file->name);
}

void fs_fixed_reply(fuse_req_t req, struct fs_node *n)
{
	struct stat st;

	if (!n) {
		fuse_reply_err(req, ENOENT);
		return;
	}
	n->nlookup++;
	fs_node_stat(n, &st);
	fs_reply_virtual(req, n->index->fs, n, &st, n->index->fs->timeout);
}

struct fs_node *fs_help(const struct fs_index *x)
{
	return fs_fixed_find(x, FS_IN_CONTROL | FS_IN_TOP_CONTROL, "README");
}

int fs_reserved(const struct fs_node *parent, const char *name)
{
	return parent == parent->index->root &&
	       fs_fixed_find(parent->index, FS_IN_ROOT, name);
}

/* --- what virtual nodes share --- */

void fs_virtual_stat(const struct fs_node *n, mode_t mode, size_t size,
		     struct stat *st)
{
	struct fs_index *x = n->index;
	mode_t readers = x->mode & (fs_walled(x) ? 0400 : 0444);

	memset(st, 0, sizeof(*st));
	st->st_ino = n->ino;
	/* who may read the documents may read what is made of them */
	if (S_ISDIR(mode))
		mode &= ~(mode_t)0777 | 0200 | readers | readers >> 2;
	else if (!S_ISLNK(mode))
		mode &= ~(mode_t)0777 | 0200 | readers | readers >> 1;
	st->st_mode = mode;
	st->st_nlink = S_ISDIR(mode) ? 2 : 1;
	st->st_uid = x->uid;
	st->st_gid = x->gid;
	st->st_size = (off_t)size;
	st->st_blocks = (blkcnt_t)((size + 511) / 512);
	st->st_blksize = 4096;
	st->st_mtim.tv_sec = x->fs->started;
	if (n->mtime.tv_sec)
		st->st_mtim = n->mtime;
	st->st_atim = st->st_ctim = st->st_mtim;
}

void fs_reply_virtual(fuse_req_t req, struct fs *fs, struct fs_node *n,
		      const struct stat *st, double entry_timeout)
{
	struct fuse_entry_param e = {
		.ino = fs_nodeid(fs, n),
		.attr = *st,
		.attr_timeout = 0, /* sizes are computed when asked for */
		.entry_timeout = entry_timeout,
	};

	if (fuse_reply_entry(req, &e) < 0)
		fs_node_forget(fs, n, 1);
}

void fs_node_stat(struct fs_node *n, struct stat *st)
{
	mode_t mode = n->kind->mode ? n->kind->mode : 0555;

	if (n->kind->stat)
		n->kind->stat(n, st);
	else
		fs_virtual_stat(n, S_IFDIR | mode, 0, st);
}

void fs_virtual_getattr(fuse_req_t req, struct fs *fs, struct fs_node *n)
{
	struct stat st;

	fs_node_stat(n, &st);
	/* with others about, each access asks anew whether it is allowed */
	fuse_reply_attr(req, &st,
			n->kind->stat || fs->allow_other ? 0 : fs->timeout);
}

struct fs_blob *fs_blob_from(struct rk_buf *b)
{
	struct fs_blob *blob = b->err ? NULL : malloc(sizeof(*blob) + b->n + 1);

	if (blob) {
		blob->refs = 1;
		blob->n = b->n;
		blob->body_hash = 0;
		if (b->n)
			memcpy(blob->p, b->p, b->n);
	}
	rk_buf_release(b);
	return blob;
}

struct fs_blob *fs_blob_ref(struct fs_blob *b)
{
	b->refs++;
	return b;
}

void fs_blob_unref(struct fs_blob *b)
{
	if (b && --b->refs == 0)
		free(b);
}

struct fs_handle *fs_handle_new(fuse_req_t req, struct fs_node *n,
				struct fs_blob *b)
{
	const struct fuse_ctx *c = fuse_req_ctx(req);
	struct fs_handle *h = calloc(1, sizeof(*h));
	int rc = h ? 0 : -ENOMEM;

	if (h) {
		h->uid = c->uid;
		h->gid = c->gid;
		h->pid = c->pid;
		/* asked with its first use: the kernel has done so before */
		h->walls = n->index->fs->walls - 1;
		h->node = n;
		h->fd = -1;
	}
	if (h && (rc = fs_user_opens(h)) == 0 &&
	    (rc = fs_user_holds(h, b ? b->n : 0)) < 0)
		fs_user_closes(h);
	if (rc < 0) {
		free(h);
		errno = -rc;
		return NULL;
	}
	h->blob = b;
	return h;
}

void fs_handle_free(struct fs_handle *h)
{
	fs_blob_unref(h->blob);
	fs_user_closes(h);
	free(h->dir);
	free(h);
}

void fs_blob_read(fuse_req_t req, struct fs *fs, struct fs_handle *h, size_t n,
		  off_t off)
{
	size_t at = (size_t)off;

	(void)fs;
	if (!h->blob || at >= h->blob->n)
		fuse_reply_buf(req, NULL, 0);
	else
		fuse_reply_buf(req, h->blob->p + at,
			       h->blob->n - at < n ? h->blob->n - at : n);
}

void fs_blob_release(fuse_req_t req, struct fs *fs, struct fs_handle *h)
{
	(void)fs;
	fs_handle_free(h);
	fuse_reply_err(req, 0);
}

/* --- listings --- */

/* A name that no folder can have would make the kernel refuse the whole list.
 */
void fs_list_add(struct rk_buf *b, char type, const char *name)
{
	if (!*name || strchr(name, '/') || strlen(name) > FS_QUERY_BYTES)
		return;
	rk_buf_byte(b, (uint8_t)type);
	rk_buf_name(b, name);
}

void fs_list_add_all(struct rk_buf *b, char type, const struct rk_buf *names)
{
	struct rk_buf name = RK_BUF_INIT;
	const char *s;
	size_t at = 0;

	while ((s = rk_buf_next(names, &at))) {
		name.n = 0;
		fs_encode_name(s, &name);
		rk_buf_byte(&name, 0);
		if (!name.err)
			fs_list_add(b, type, (char *)name.p);
	}
	rk_buf_release(&name);
}

static mode_t type_of(char letter)
{
	return letter == 'd' ? S_IFDIR : letter == 'l' ? S_IFLNK : S_IFREG;
}

static void reply_list(fuse_req_t req, const struct fs_blob *names, size_t size,
		       off_t off, int plus)
{
	char buf[4096];
	size_t n = 0, cap = size < sizeof(buf) ? size : sizeof(buf);
	off_t i = 0;

	for (size_t at = 0; at < names->n; i++) {
		const char *name = names->p + at + 1;
		/* ino 0 in a "plus" entry: the kernel looks it up itself */
		struct fuse_entry_param e = {.ino = 0};
		size_t k;

		e.attr.st_mode = type_of(names->p[at]);
		at += strlen(name) + 2;
		if (i < off)
			continue;
		e.attr.st_ino = (ino_t)i + 10;
		k = plus ? fuse_add_direntry_plus(req, buf + n, cap - n, name,
						  &e, i + 1)
			 : fuse_add_direntry(req, buf + n, cap - n, name,
					     &e.attr, i + 1);
		if (k > cap - n)
			break;
		n += k;
	}
	fuse_reply_buf(req, buf, n);
}

struct list_job {
	struct fs_job job;
	fuse_req_t req;
	struct fs_handle *h;
	size_t size;
	off_t off;
	int plus;
	_Atomic int cancel;
};

static void list_run(struct fs_job *job)
{
	struct list_job *j = (struct list_job *)job;
	const struct fs_kind *kind = j->h->node->kind;
	struct rk_buf b = RK_BUF_INIT;
	int rc;

	fs_list_add(&b, 'd', ".");
	fs_list_add(&b, 'd', "..");
	rc = kind->list ? kind->list(j->h->node, &j->cancel, &b) : 0;
	if (rc < 0)
		rk_buf_release(&b);
	else if (!(j->h->blob = fs_blob_from(&b)))
		rc = -ENOMEM;
	fuse_req_interrupt_func(j->req, NULL, NULL);
	if (rc < 0)
		fuse_reply_err(j->req, fs_errno(rc));
	else
		reply_list(j->req, j->h->blob, j->size, j->off, j->plus);
}

static void list_later_run(struct fs_job *job)
{
	list_run(job);
	free(job);
}

static void interrupted(fuse_req_t req, void *data)
{
	struct list_job *j = data;

	(void)req;
	j->cancel = 1;
}

static void list_later(fuse_req_t req, struct fs *fs,
		       const struct list_job *from)
{
	struct list_job *j = calloc(1, sizeof(*j));

	if (!j) {
		fuse_reply_err(req, ENOMEM);
		return;
	}
	*j = *from;
	j->job.run = list_later_run;
	j->job.x = j->h->node->index;
	fuse_req_interrupt_func(req, interrupted, j);
	fs_run(fs, req, &j->job);
}

void fs_virtual_readdir(fuse_req_t req, struct fs *fs, struct fs_handle *h,
			size_t size, off_t off, int plus)
{
	struct list_job j = {
		.req = req, .h = h, .size = size, .off = off, .plus = plus};

	if (off == 0) { /* also rewinddir(3): as it is now */
		fs_blob_unref(h->blob);
		h->blob = NULL;
	}
	if (h->blob)
		reply_list(req, h->blob, size, off, plus);
	else if (h->node->kind->list_later)
		list_later(req, fs, &j);
	else
		list_run(&j.job);
}
