/* SPDX-License-Identifier: MIT */
#ifndef FS_SPOOL_H
#define FS_SPOOL_H

/* Temporary files. */
#include "fs/base/fs.h"

/* A file without a name in the backing folder; or -errno. */
int fs_spool(const struct fs *fs);
/* All of it, whatever interrupts; 0 or -errno. */
int fs_write_all(int fd, const char *s, size_t n);

#endif
