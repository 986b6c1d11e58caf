/* SPDX-License-Identifier: MIT */
#ifndef FS_CAPABILITIES_H
#define FS_CAPABILITIES_H

/* Who may do what with an index: the one place that decides it. */
#include "fs/base/fs.h"

enum fs_caller fs_caller(const struct fs_index *x, uid_t uid);
int fs_may(const struct fs_index *x, uid_t uid, enum fs_deed deed);
/*
 * By way of an open file: what both who opened it and who uses it may do. One
 * that was passed on to a program with more rights lends none of them.
 */
int fs_may_by(fuse_req_t req, const struct fs_handle *h, enum fs_deed deed);
/* The same; else why not is kept for .rankfs/error, and EPERM replied. */
int fs_may_else_reply(fuse_req_t req, const struct fs_index *x,
		      enum fs_deed deed);
/* Why somebody may not. */
const char *fs_may_not(enum fs_deed deed);

#endif
