/* SPDX-License-Identifier: MIT */
#ifndef FS_BACKGROUND_H
#define FS_BACKGROUND_H

/* The thread of live queries, and of what else waits. */
#include "fs/base/fs.h"

/* Once it is mounted; 0 or -errno. */
int fs_live_start(struct fs *fs);
/* Wait for its thread; what it knows of nodes stays until fs_live_free(). */
void fs_live_stop(struct fs *fs);

#endif
