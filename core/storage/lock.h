/* SPDX-License-Identifier: MIT */
#ifndef RK_STORAGE_LOCK_H
#define RK_STORAGE_LOCK_H

#include <stddef.h>

/*
 * The writer's lock of a directory: an open-file-description lock
 * (fcntl(2), F_OFD_SETLK) on the file LOCK. The kernel drops it when its
 * holder dies, so there are no stale locks; the pid in the file is for
 * messages alone.
 * Returns the descriptor to keep open, RK_ELOCKED, or -errno.
 */
int rk_lock_take(int dir);
/* Who holds it: 0 and a text such as "process 123", or -ENOENT: nobody. */
int rk_lock_holder(int dir, char *out, size_t n);

#endif
