/* SPDX-License-Identifier: MIT */
#ifndef FS_MOUNTED_H
#define FS_MOUNTED_H

/* What is known of an index as it is mounted. */
#include "fs/base/fs.h"

/* The folder of its documents, which needs no open index; or -errno. */
int fs_index_files(struct fs_index *x);
/* Attributes of its root, and remember who owns it. */
int fs_index_stat(struct fs_index *x, struct stat *st);
/* For each index that is open, off the loop. */
void fs_index_each(struct fs *fs, void (*fn)(struct fs_index *x, void *ctx),
		   void *ctx);

#endif
