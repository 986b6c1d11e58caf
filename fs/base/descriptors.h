/* SPDX-License-Identifier: MIT */
#ifndef FS_DESCRIPTORS_H
#define FS_DESCRIPTORS_H

/* Descriptors of open documents; loop held. */
#include "fs/base/fs.h"
#include "fs/base/node.h"

void fs_descriptors_init(struct fs *fs);
/* rc says that there are too many, and one has been closed: try again. */
int fs_descriptors_retry(struct fs *fs, int rc);
/* The handle gets, or loses, its descriptor. */
void fs_handle_give_fd(struct fs *fs, struct fs_handle *h, int fd);
void fs_handle_drop_fd(struct fs *fs, struct fs_handle *h);
/* Valid until the next call of this kind; or -errno. */
int fs_handle_fd(struct fs *fs, struct fs_handle *h);
/* The same for a job, which ends with unpin (any thread). */
int fs_handle_pin_fd(struct fs *fs, struct fs_handle *h);
void fs_handle_unpin_fd(struct fs_handle *h);
/* All handles of the file stay open: its mode is about to change. */
int fs_node_keep_fds(struct fs *fs, struct fs_node *n);

/* Open a document by its node; flags as for openat(2). Or -errno. */
int fs_node_open(struct fs *fs, struct fs_node *n, int flags);

/*
 * Close a descriptor once the loop is given up: the last one of a removed file
 * frees its blocks, which may take a while.
 */
void fs_close_later(struct fs *fs, int fd);
/* Those that have come together, to be closed by the caller; how many. */
unsigned fs_take_unused(struct fs *fs, int fds[FS_UNUSED_FDS]);
/*
 * Give up the loop for a system call that takes a while, for the sake of other
 * requests; the index and the folder stay open. What was looked up before holds
 * as long as the kernel keeps others from it: the folder of a name that is made
 * or removed is locked by the kernel until the request is answered.
 */
void fs_loop_leave(struct fs_node *dir);
void fs_loop_enter(struct fs_node *dir);

#endif
