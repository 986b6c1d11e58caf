/* SPDX-License-Identifier: MIT */
#ifndef FS_EXPORT_H
#define FS_EXPORT_H

/* .rankfs/export: each open file is an archive of its own. */
#include "fs/base/fs.h"

extern const struct fs_stream FS_EXPORT_STREAM;
int fs_export_stat(const struct fs_use *u, struct stat *st);

#endif
