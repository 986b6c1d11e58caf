/* SPDX-License-Identifier: MIT */
#ifndef FS_ASK_H
#define FS_ASK_H

/* .rankfs/ask: a conversation for each open file. */
#include "fs/base/fs.h"

extern const struct fs_stream FS_ASK_STREAM;

#endif
