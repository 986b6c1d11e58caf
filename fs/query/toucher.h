/* SPDX-License-Identifier: MIT */
#ifndef FS_TOUCHER_H
#define FS_TOUCHER_H

/* The process that touches files, so that there are events. */
#include "fs/base/fs.h"

/* What this program is started with for it, and what it does then. */
#define FS_HELPER_VERB "touch-helper"
int fs_helper_main(void);

int fs_helper_new(struct fs *fs); /* 0 or -errno */
void fs_helper_free(struct fs *fs);
/* The live thread's: 0, or -errno if nobody can be told. */
int fs_helper_touch(struct fs *fs, const char *path);
int fs_is_helper(const struct fs *fs, pid_t pid);

#endif
