/* SPDX-License-Identifier: MIT */
/*
 * Inode flags of documents (chattr(1), lsattr(1)): the ioctl(2) calls that
 * carry them, passed on to the file system below. The kernel has checked that
 * the caller owns the file, and that only a privileged one changes whether it
 * is immutable or only appended to.
 */
#include "fs/base/descriptors.h"
#include "fs/documents/documents.h"
#include <dirent.h>
#include <errno.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>

/* Enough for struct fsxattr, the larger of the two. */
union flags {
	int flags;
	struct fsxattr attr;
};

/* The bytes that a call takes and gives; 0: it is none of ours. */
static size_t size_of(unsigned cmd, int *gives)
{
	*gives = cmd == FS_IOC_GETFLAGS || cmd == FS_IOC_FSGETXATTR;
	if (cmd == FS_IOC_GETFLAGS || cmd == FS_IOC_SETFLAGS)
		return sizeof(int); /* whatever _IOR() says of a long */
	if (cmd == FS_IOC_FSGETXATTR || cmd == FS_IOC_FSSETXATTR)
		return sizeof(struct fsxattr);
	return 0;
}

void fs_doc_ioctl(fuse_req_t req, fuse_ino_t ino, unsigned cmd, void *arg,
		  struct fuse_file_info *fi, unsigned how, const void *in,
		  size_t in_n, size_t out_n)
{
	struct fs_handle *h = (struct fs_handle *)fi->fh;
	union flags v = {0};
	int gives, fd;
	size_t n = size_of(cmd, &gives);

	(void)ino;
	(void)arg;
	(void)how;
	if (n == 0 || !h->node->kind->document) {
		fuse_reply_err(req, ENOTTY);
		return;
	}
	if (gives ? out_n < n : in_n < n) {
		fuse_reply_err(req, EINVAL);
		return;
	}
	if (!gives)
		memcpy(&v, in, n);
	fd = h->dir ? dirfd((DIR *)h->dir)
		    : fs_handle_fd(fuse_req_userdata(req), h);
	if (fd < 0 || ioctl(fd, cmd, &v) < 0)
		fuse_reply_err(req, fd < 0 ? -fd : errno);
	else
		fuse_reply_ioctl(req, 0, gives ? &v : NULL, gives ? n : 0);
}
