/* SPDX-License-Identifier: MIT */
#ifndef FS_MIRROR_H
#define FS_MIRROR_H

/* Folders that mirror those of the documents. */
#include "fs/base/fs.h"

/* Answer a lookup with the folder that mirrors a path. */
void fs_mirror_reply_dir(fuse_req_t req, struct fs_index *x,
			 const struct fs_kind *kind, const char *path);

#endif
