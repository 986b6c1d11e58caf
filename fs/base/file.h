/* SPDX-License-Identifier: MIT */
#ifndef FS_FILE_H
#define FS_FILE_H

/* Virtual files that a row of a table describes: struct fs_file. */
#include "fs/base/fs.h"

/* The node of a row that stands for a text; NULL: no memory. */
struct fs_node *fs_file_node(struct fs_index *x, const struct fs_file *file,
			     const char *text);

/* Its attributes for a lookup; 0 or negative. */
int fs_file_stat(struct fs_node *n, struct stat *st);
/* Answer a poll of what is always ready. */
void fs_poll_ready(fuse_req_t req, struct fuse_pollhandle *ph);

#endif
