/* SPDX-License-Identifier: MIT */
#ifndef FS_PRIVILEGES_H
#define FS_PRIVILEGES_H

/* What root's daemon gives up. */
#include "fs/base/fs.h"

/* Before the first thread. */
void fs_drop_capabilities(void);
/* System calls, in every thread; once it is mounted. */
void fs_refuse_calls(void);

#endif
