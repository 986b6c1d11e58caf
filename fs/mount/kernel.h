/* SPDX-License-Identifier: MIT */
#ifndef FS_KERNEL_H
#define FS_KERNEL_H

/* What libfuse and the kernel are told beside the mount. */
#include "fs/base/fs.h"

/* After fuse_session_mount(); 0 or -errno. */
int fs_kernel_setup(struct fs *fs);

#endif
