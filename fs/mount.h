/* SPDX-License-Identifier: MIT */
#ifndef FS_MOUNT_H
#define FS_MOUNT_H

#include "options.h"

/*
 * Mount and serve. Unless foreground, returns in the parent once the kernel
 * has answered (0), or with what went wrong on stderr (1): nobody sees a
 * mount that is not there yet. In the daemon it returns when unmounted.
 */
int fs_mount(struct fs_options *o);
/* For a service manager: requests are being answered. */
void fs_notify_ready(void);
/* Where a backing folder is mounted, or NULL; malloc'd. */
char *fs_find_mount(const char *backing);
/* Unmount; 0, or 1 with a message. */
int fs_unmount(const char *mountpoint);

#endif
