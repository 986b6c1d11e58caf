/* SPDX-License-Identifier: MIT */
#ifndef RK_BASE_NOATIME_H
#define RK_BASE_NOATIME_H

/*
 * openat(2), close-on-exec, that does not move the access time of a file which
 * is only read: nobody looked at a document because it was indexed. The owner
 * of a file and root may ask for that; for others, and on file systems without
 * it, the file is opened as usual. Returns the descriptor, or -1 and errno.
 */
int rk_openat_noatime(int dir, const char *name, int flags);

/* The same with openat2(2): nothing on the way leads out of `dir`. */
int rk_openat_beneath(int dir, const char *name, int flags);

#endif
