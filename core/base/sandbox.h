/* SPDX-License-Identifier: MIT */
#ifndef RK_BASE_SANDBOX_H
#define RK_BASE_SANDBOX_H

#include <sys/types.h>

/*
 * What a program may do that reads documents from anywhere: run and read what
 * is installed (/usr, /opt), and nothing else of the file system; write to what
 * it was given open; no TCP. Landlock (landlock(7)) sees to it where the
 * kernel has it.
 */

/* The version of the kernel's Landlock; 0: it has none, or it is off. */
int rk_sandbox_version(void);

/*
 * Put the calling thread, and what it starts, into one, for ever. `argv` is
 * what will be run: files that it names by an absolute path may be read, too.
 * `uid`, if it is not 0 and we are root: whom the thread becomes, without
 * groups but `gid`. 0; -errno: the thread must not run the program.
 */
int rk_sandbox_enter(char *const argv[], uid_t uid, gid_t gid);

#endif
