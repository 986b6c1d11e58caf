/* SPDX-License-Identifier: MIT */
#ifndef FS_QUOTA_H
#define FS_QUOTA_H

/* How much an index may hold; on the loop. */
#include "fs/base/fs.h"

/* 1: there is a limit, or one that cannot be read. */
int fs_quota_limited(struct fs_index *x);
/* Room for so much more (or less): 0 or -EDQUOT. */
int fs_quota_take(struct fs_index *x, int64_t bytes, int files);
/* That much is gone. */
void fs_quota_give(struct fs_index *x, int64_t bytes, int files);
/*
 * Room for a file to reach `end`: 0 or negative; then, once it has or has not,
 * settle: what it did not come to is given back.
 */
int fs_quota_grow(struct fs_node *n, int fd, off_t end);
void fs_quota_settle(struct fs_node *n, int fd);
/* Room for another size than it has. */
int fs_quota_resize(struct fs_node *n, int64_t from, off_t to);
/*
 * It is about to be emptied, to be written anew: not where so much is over the
 * limit that nothing could be.
 */
int fs_quota_empty(struct fs_node *n, const struct stat *st);
/* A document is opened, before the handle is there; closed, while it is. */
void fs_quota_opened(struct fs_node *n, int fd);
void fs_quota_closing(struct fs_node *n);
/*
 * What removing a name gives back: bytes, unless the file has other names or
 * is open, and 1 file.
 */
int64_t fs_quota_of(struct fs_index *x, int dir, const char *name, int *files);
/* Set the limits; 0 is none. 0 or -errno. */
int fs_quota_set(struct fs_index *x, uint64_t bytes, uint64_t files);
/* Count anew, when it next matters; 1: there is a limit. */
int fs_quota_recount(struct fs_index *x);
void fs_quota_statfs(struct fs_index *x, struct statvfs *st);
void fs_quota_print(struct fs_index *x, struct rk_buf *out);

#endif
