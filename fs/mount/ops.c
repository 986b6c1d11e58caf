/* SPDX-License-Identifier: MIT */
/* The FUSE table: find the node, call its kind, or refuse. No policy here. */
#include "fs/base/errno.h"
#include "fs/base/file.h"
#include "fs/base/node.h"
#include "fs/base/tree.h"
#include "fs/base/walls.h"
#include "fs/documents/documents.h"
#include "fs/indexes/index.h"
#include "fs/mount/mount.h"
#include <errno.h>
#include <unistd.h>

static struct fs_handle *handle(struct fuse_file_info *fi)
{
	return (struct fs_handle *)fi->fh;
}

/*
 * Virtual files and changes need the index open; looking at documents does
 * not. 1, or 0 with the failure replied.
 */
static int ready(fuse_req_t req, const struct fs_node *n)
{
	int rc = fs_index_use(n->index);

	if (rc < 0)
		fuse_reply_err(req, fs_errno(rc));
	return rc == 0;
}

static int is_document(const struct fs_node *n)
{
	return n->kind->document || n->kind == &FS_TOP;
}

/*
 * The same for an open file. Unlike a document, a virtual file goes on telling
 * of documents while it is open, so each use asks whether it still may.
 */
static int usable(fuse_req_t req, struct fs_handle *h)
{
	if (is_document(h->node))
		return 1;
	if (!ready(req, h->node))
		return 0;
	if (fs_may_use(req, h))
		return 1;
	fuse_reply_err(req, EACCES);
	return 0;
}

static void op_init(void *data, struct fuse_conn_info *conn)
{
	struct fs *fs = data;

	/*
	 * No write-back cache: the kernel would own sizes and times, and hold
	 * data of closed files for half a minute. No splice: measured slower
	 * than one copy here. POSIX locks and flock stay in the kernel. With
	 * asynchronous direct I/O the pages of a file that others read would
	 * stay as they were before such a write.
	 */
	conn->want &= ~(unsigned)(FUSE_CAP_WRITEBACK_CACHE |
				  FUSE_CAP_SPLICE_READ | FUSE_CAP_SPLICE_WRITE |
				  FUSE_CAP_SPLICE_MOVE | FUSE_CAP_ASYNC_DIO);
	fs_notify_ready();
	if (fs->ready_fd >= 0) {
		if (write(fs->ready_fd, "", 1) != 1) {
			/* whoever waited has gone */
		}
		close(fs->ready_fd);
		fs->ready_fd = -1;
	}
}

static void op_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct fs_node *n = fs_node(fs_of(req), parent);

	if (!is_document(n) && !ready(req, n))
		return;
	if (n->kind->lookup)
		n->kind->lookup(req, fs_of(req), n, name);
	else
		fuse_reply_err(req, ENOTDIR);
}

static void op_forget(fuse_req_t req, fuse_ino_t ino, uint64_t count)
{
	fs_node_forget(fs_of(req), fs_node(fs_of(req), ino), count);
	fuse_reply_none(req);
}

static void op_forget_multi(fuse_req_t req, size_t n,
			    struct fuse_forget_data *f)
{
	for (size_t i = 0; i < n; i++)
		fs_node_forget(fs_of(req), fs_node(fs_of(req), f[i].ino),
			       f[i].nlookup);
	fuse_reply_none(req);
}

static void op_getattr(fuse_req_t req, fuse_ino_t ino,
		       struct fuse_file_info *fi)
{
	struct fs_node *n = fs_node(fs_of(req), ino);

	(void)fi; /* fstat(2) never brings a handle */
	if (!is_document(n) && !ready(req, n))
		return;
	if (!fs_may_see(req, n))
		fuse_reply_err(req, EACCES);
	else if (n->kind->getattr)
		n->kind->getattr(req, fs_of(req), n);
	else
		fs_virtual_getattr(req, fs_of(req), n);
}

static void op_setattr(fuse_req_t req, fuse_ino_t ino, struct stat *attr,
		       int to_set, struct fuse_file_info *fi)
{
	struct fs_node *n = fs_node(fs_of(req), ino);

	if (!ready(req, n))
		return;
	if (n->kind->setattr)
		n->kind->setattr(req, fs_of(req), n, attr, to_set, fi);
	else
		fuse_reply_err(req, EPERM);
}

static void op_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct fs_node *n = fs_node(fs_of(req), ino);

	if ((!is_document(n) || (fi->flags & O_ACCMODE) != O_RDONLY ||
	     fi->flags & O_TRUNC) &&
	    !ready(req, n))
		return;
	if (n->kind->open)
		n->kind->open(req, fs_of(req), n, fi);
	else
		fuse_reply_err(req, EISDIR);
}

static void op_opendir(fuse_req_t req, fuse_ino_t ino,
		       struct fuse_file_info *fi)
{
	struct fs_node *n = fs_node(fs_of(req), ino);

	if (n->kind->open && n->kind->document) {
		n->kind->open(req, fs_of(req), n, fi);
		return;
	}
	fi->fh = (uintptr_t)fs_handle_new(req, n, NULL);
	if (fi->fh)
		fuse_reply_open(req, fi);
	else
		fuse_reply_err(req, errno);
}

static void op_read(fuse_req_t req, fuse_ino_t ino, size_t n, off_t off,
		    struct fuse_file_info *fi)
{
	struct fs_handle *h = handle(fi);

	(void)ino;
	if (!usable(req, h))
		return;
	if (h->node->kind->read)
		h->node->kind->read(req, fs_of(req), h, n, off);
	else
		fuse_reply_err(req, EBADF);
}

static void op_write(fuse_req_t req, fuse_ino_t ino, const char *p, size_t n,
		     off_t off, struct fuse_file_info *fi)
{
	struct fs_handle *h = handle(fi);

	(void)ino;
	if (!ready(req, h->node) || !usable(req, h))
		return;
	if (h->node->kind->write)
		h->node->kind->write(req, fs_of(req), h, p, n, off);
	else
		fuse_reply_err(req, EBADF);
}

static void op_flush(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct fs_handle *h = handle(fi);

	(void)ino;
	if (!ready(req, h->node))
		return;
	if (h->node->kind->flush)
		h->node->kind->flush(req, fs_of(req), h);
	else
		fuse_reply_err(req, 0);
}

static void op_release(fuse_req_t req, fuse_ino_t ino,
		       struct fuse_file_info *fi)
{
	struct fs_handle *h = handle(fi);

	(void)ino;
	if (h->node->kind->release)
		h->node->kind->release(req, fs_of(req), h);
	else
		fs_blob_release(req, fs_of(req), h);
}

static void list(fuse_req_t req, struct fs_handle *h, size_t size, off_t off,
		 int plus)
{
	if (!usable(req, h))
		return;
	if (h->node->kind->readdir)
		h->node->kind->readdir(req, fs_of(req), h, size, off, plus);
	else
		fs_virtual_readdir(req, fs_of(req), h, size, off, plus);
}

static void op_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
		       struct fuse_file_info *fi)
{
	struct fs_handle *h = handle(fi);

	(void)ino;
	list(req, h, size, off, 0);
}

static void op_readdirplus(fuse_req_t req, fuse_ino_t ino, size_t size,
			   off_t off, struct fuse_file_info *fi)
{
	struct fs_handle *h = handle(fi);

	(void)ino;
	list(req, h, size, off, 1);
}

/* --- names: what a kind of folder does not know is not permitted --- */

static void op_readlink(fuse_req_t req, fuse_ino_t ino)
{
	struct fs_node *n = fs_node(fs_of(req), ino);

	if (n->kind->readlink)
		n->kind->readlink(req, fs_of(req), n);
	else
		fuse_reply_err(req, EINVAL);
}

static void op_symlink(fuse_req_t req, const char *target, fuse_ino_t parent,
		       const char *name)
{
	struct fs_node *n = fs_node(fs_of(req), parent);

	if (!ready(req, n))
		return;
	if (n->kind->symlink)
		n->kind->symlink(req, fs_of(req), n, name, target);
	else
		fuse_reply_err(req, EPERM);
}

static void op_link(fuse_req_t req, fuse_ino_t ino, fuse_ino_t parent,
		    const char *name)
{
	struct fs_node *n = fs_node(fs_of(req), parent);

	if (!ready(req, n))
		return;
	if (n->kind->link)
		n->kind->link(req, fs_of(req), fs_node(fs_of(req), ino), n,
			      name);
	else
		fuse_reply_err(req, EPERM);
}

static void op_mkdir(fuse_req_t req, fuse_ino_t parent, const char *name,
		     mode_t mode)
{
	struct fs_node *n = fs_node(fs_of(req), parent);

	if (!ready(req, n))
		return;
	if (n->kind->mkdir)
		n->kind->mkdir(req, fs_of(req), n, name, mode);
	else
		fuse_reply_err(req, EPERM);
}

static void op_unlink(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct fs_node *n = fs_node(fs_of(req), parent);

	if (!ready(req, n))
		return;
	if (n->kind->unlink)
		n->kind->unlink(req, fs_of(req), n, name);
	else
		fuse_reply_err(req, EPERM);
}

static void op_rmdir(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct fs_node *n = fs_node(fs_of(req), parent);

	if (!ready(req, n))
		return;
	if (n->kind->rmdir)
		n->kind->rmdir(req, fs_of(req), n, name);
	else
		fuse_reply_err(req, EPERM);
}

static void op_rename(fuse_req_t req, fuse_ino_t parent, const char *name,
		      fuse_ino_t newparent, const char *newname, unsigned flags)
{
	struct fs_node *n = fs_node(fs_of(req), parent);

	if (!ready(req, n))
		return;
	if (n->kind->rename)
		n->kind->rename(req, fs_of(req), n, name,
				fs_node(fs_of(req), newparent), newname, flags);
	else
		fuse_reply_err(req, EPERM);
}

static void op_create(fuse_req_t req, fuse_ino_t ino, const char *name,
		      mode_t mode, struct fuse_file_info *fi)
{
	if (ready(req, fs_node(fs_of(req), ino)))
		fs_doc_create(req, ino, name, mode, fi);
}

static void op_mknod(fuse_req_t req, fuse_ino_t ino, const char *name,
		     mode_t mode, dev_t rdev)
{
	if (ready(req, fs_node(fs_of(req), ino)))
		fs_doc_mknod(req, ino, name, mode, rdev);
}

/* Nothing virtual is ever only in memory. */
static void op_fsync(fuse_req_t req, fuse_ino_t ino, int datasync,
		     struct fuse_file_info *fi)
{
	struct fs_node *n = fs_node(fs_of(req), ino);

	if (!n->kind->document)
		fuse_reply_err(req, 0);
	else if (ready(req, n))
		fs_doc_fsync(req, ino, datasync, fi);
}

static void op_fsyncdir(fuse_req_t req, fuse_ino_t ino, int datasync,
			struct fuse_file_info *fi)
{
	struct fs_node *n = fs_node(fs_of(req), ino);

	if (!n->kind->document)
		fuse_reply_err(req, 0);
	else if (ready(req, n))
		fs_doc_fsyncdir(req, ino, datasync, fi);
}

static void op_setxattr(fuse_req_t req, fuse_ino_t ino, const char *name,
			const char *value, size_t size, int flags)
{
	if (ready(req, fs_node(fs_of(req), ino)))
		fs_doc_setxattr(req, ino, name, value, size, flags);
}

static void op_removexattr(fuse_req_t req, fuse_ino_t ino, const char *name)
{
	if (ready(req, fs_node(fs_of(req), ino)))
		fs_doc_removexattr(req, ino, name);
}

/* Files are always ready, but for those that say otherwise. */
static void op_poll(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi,
		    struct fuse_pollhandle *ph)
{
	struct fs_handle *h = handle(fi);

	(void)ino;
	if (h->node->kind->poll && fs_may_use(req, h))
		h->node->kind->poll(req, h, ph);
	else
		fs_poll_ready(req, ph);
}

const struct fuse_lowlevel_ops FS_OPS = {
	.init = op_init,
	.lookup = op_lookup,
	.forget = op_forget,
	.forget_multi = op_forget_multi,
	.getattr = op_getattr,
	.setattr = op_setattr,
	.open = op_open,
	.read = op_read,
	.write = op_write,
	.flush = op_flush,
	.release = op_release,
	.opendir = op_opendir,
	.readdir = op_readdir,
	.readdirplus = op_readdirplus,
	.releasedir = op_release,
	.poll = op_poll,
	.create = op_create,
	.mknod = op_mknod,
	.mkdir = op_mkdir,
	.symlink = op_symlink,
	.link = op_link,
	.unlink = op_unlink,
	.rmdir = op_rmdir,
	.rename = op_rename,
	.readlink = op_readlink,
	.statfs = fs_doc_statfs,
	.fsync = op_fsync,
	.fsyncdir = op_fsyncdir,
	.fallocate = fs_doc_fallocate,
	.copy_file_range = fs_doc_copy,
	.lseek = fs_doc_lseek,
	.setxattr = op_setxattr,
	.getxattr = fs_doc_getxattr,
	.listxattr = fs_doc_listxattr,
	.removexattr = op_removexattr,
	.ioctl = fs_doc_ioctl,
};
