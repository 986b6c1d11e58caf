/* SPDX-License-Identifier: MIT */
#ifndef FS_ERRORS_H
#define FS_ERRORS_H

/* What .rankfs/error tells a user; any thread. */
#include "fs/base/fs.h"

/* "" forgets. */
void fs_remember_error(struct fs *fs, uid_t uid, const char *text);
/* Append it. */
void fs_read_error(const struct fs_use *u, struct rk_buf *out);

#endif
