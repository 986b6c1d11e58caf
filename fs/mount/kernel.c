/* SPDX-License-Identifier: MIT */
/*
 * What this libfuse cannot tell the kernel. Before 3.17 it never answers INIT
 * with FUSE_HANDLE_KILLPRIV_V2, so the kernel asks for security.capability
 * before every write instead of once an inode. The answer to INIT passes
 * through here and gets that bit; attributes.c keeps the promise that goes
 * with it (writes and truncations take set-user-id bits away).
 */
#include "fs/mount/kernel.h"
#include <errno.h>
#include <linux/fuse.h>
#include <stddef.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#if FUSE_VERSION < 317

static _Atomic int init_answered;

/* INIT is the first request, and its answer the first that is written. */
static ssize_t write_reply(int fd, struct iovec *iov, int count, void *data)
{
	struct fuse_init_out *out;

	(void)data;
	if (!init_answered && count == 2 &&
	    iov[0].iov_len == sizeof(struct fuse_out_header) &&
	    iov[1].iov_len >= offsetof(struct fuse_init_out, flags2)) {
		init_answered = 1;
		out = iov[1].iov_base;
		if (out->major == FUSE_KERNEL_VERSION)
			out->flags |= FUSE_HANDLE_KILLPRIV_V2;
	}
	return writev(fd, iov, count);
}

static ssize_t read_request(int fd, void *buf, size_t n, void *data)
{
	(void)data;
	return read(fd, buf, n);
}

int fs_kernel_setup(struct fs *fs)
{
	static const struct fuse_custom_io IO = {.writev = write_reply,
						 .read = read_request};

	return fuse_session_custom_io(fs->se, &IO, fuse_session_fd(fs->se));
}

#else

int fs_kernel_setup(struct fs *fs)
{
	(void)fs;
	return 0; /* FUSE_CAP_HANDLE_KILLPRIV_V2 is on by default there */
}

#endif
