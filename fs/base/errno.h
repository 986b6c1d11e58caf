/* SPDX-License-Identifier: MIT */
#ifndef FS_ERRNO_H
#define FS_ERRNO_H

/* The one place where engine codes become errno. */
#include "fs/base/fs.h"

int fs_errno(int rc);

#endif
