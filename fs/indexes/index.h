/* SPDX-License-Identifier: MIT */
#ifndef FS_INDEX_H
#define FS_INDEX_H

/* An index and its nodes; on the loop, unless it is said. */
#include "fs/base/fs.h"

/* One that is not open yet; NULL: no memory. */
struct fs_index *fs_index_new(struct fs *fs, const char *name, const char *path,
			      const struct fs_kind *root);
/* NULL is allowed. What rk_index_close() says. */
int fs_index_free(struct fs_index *x);
/*
 * Make sure that it is open, and stays so while this request is handled. The
 * loop may be given up meanwhile. 0, or what rk_index_open() says.
 */
int fs_index_use(struct fs_index *x);
/* Off the loop, with -o multi: close what has not been used, if it is much. */
void fs_index_tidy(struct fs *fs);
/* Close it; -EBUSY if somebody goes on needing it. */
int fs_index_shut(struct fs_index *x);
/* Does the kernel know any file of it? */
int fs_index_in_use(const struct fs_index *x);

#endif
