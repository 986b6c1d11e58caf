/* SPDX-License-Identifier: MIT */
#ifndef FS_IMPORT_H
#define FS_IMPORT_H

/* .rankfs/import: lines, or an archive, that an open file takes. */
#include "fs/base/fs.h"

extern const struct fs_stream FS_IMPORT_STREAM;

#endif
