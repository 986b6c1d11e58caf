/* SPDX-License-Identifier: MIT */
#ifndef FS_WALLS_H
#define FS_WALLS_H

/* What others than the owner are told. */
#include "fs/base/fs.h"
#include "fs/base/node.h"

enum fs_wall { FS_WALL_UNKNOWN, FS_WALL_NONE, FS_WALL };
/* Virtual files are for their owner alone. x is in use, or `loop` held. */
int fs_walled(struct fs_index *x);
/* The same, known after looking at all documents; any thread, may be slow. */
int fs_wall_scan(struct fs_index *x);
/* `name` was made there, or has another mode, owner or name. loop held. */
void fs_wall_note(struct fs_index *x, struct fs_node *parent, const char *name);
/* Anything may have changed. */
void fs_wall_recheck(struct fs_index *x);

/*
 * May who opened a virtual file go on with it? It is he that counts, not whom
 * it was passed on to. Asked anew once a wall may have been raised. On the
 * loop.
 */
int fs_may_use(fuse_req_t req, struct fs_handle *h);
/* May the caller know a node's attributes? fstat(2) asks nobody else. */
int fs_may_see(fuse_req_t req, const struct fs_node *n);

#endif
