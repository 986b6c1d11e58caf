/* SPDX-License-Identifier: MIT */
#ifndef FS_QUERY_H
#define FS_QUERY_H

/* Files whose content is computed from a text. */
#include "fs/base/fs.h"
#include "fs/base/node.h"

extern const struct fs_file FS_QUERY_FILE;
/* The node of a text in a view, made if need be; NULL: no memory. */
struct fs_node *fs_view_node(struct fs_index *x, const struct fs_file *file,
			     const char *text);
/* Answer a lookup with it. `name`: (its first) in query/; NULL elsewhere. */
void fs_view_reply(fuse_req_t req, struct fs *fs, struct fs_node *n,
		   const char *name);
/* Where a view's file is, for who has a name of it; 0 or -ENAMETOOLONG. */
int fs_view_path(const struct fs_node *n, char *out, size_t cap);
/*
 * Bring a view's answer up to date without waiting for changes that are not
 * indexed yet. Any thread, off the loop, which keeps the node. 0 or negative.
 */
int fs_view_refresh(struct fs *fs, struct fs_node *n,
		    const _Atomic int *cancel);

#endif
