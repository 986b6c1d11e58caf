/* SPDX-License-Identifier: MIT */
#ifndef FS_MOUNT_H
#define FS_MOUNT_H

#include "fs/base/options.h"

/*
 * Mount and serve. Unless foreground, returns in the parent once the kernel
 * has answered (0), or with what went wrong on stderr (1): nobody sees a
 * mount that is not there yet. In the daemon it returns when unmounted.
 */
int fs_mount(struct fs_options *o);
/* For a service manager: requests are being answered. */
void fs_notify_ready(void);

/* mountpoint.c */
/* An absolute, existing, free folder; malloc'd. NULL with a message. */
char *fs_check_mountpoint(const char *given);
/* 0, or -1 with a message that says what may have been meant. */
int fs_check_empty(const char *mountpoint);
int fs_check_backing(const char *backing, const char *mountpoint);
char *fs_absolute(const char *path);
/* Who has the backing folder: all of it, or its one index. */
int fs_holder(const char *backing, char *out, size_t n);
/* Where a backing folder is mounted, or NULL; malloc'd. */
char *fs_find_mount(const char *backing);
/* Unmount it, or where it is mounted; 0, or 1 with a message. */
int fs_unmount(const char *given);

#endif
