/* SPDX-License-Identifier: MIT */
#ifndef FS_TOUCHER_H
#define FS_TOUCHER_H

/* The process that touches files, so that there are events. */
#include "fs/base/fs.h"

/* What this program is started with for it, and what it does then. */
#define FS_TOUCHER_VERB "touch-helper"
int fs_toucher_main(void);

int fs_toucher_new(struct fs *fs); /* 0 or -errno */
void fs_toucher_free(struct fs *fs);
/* The live thread's: 0, or -errno if nobody can be told. */
int fs_toucher_touch(struct fs *fs, const char *path);
int fs_is_toucher(const struct fs *fs, pid_t pid);

#endif
