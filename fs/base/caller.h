/* SPDX-License-Identifier: MIT */
#ifndef FS_CALLER_H
#define FS_CALLER_H

/* What the thread that looks a name up is about to do. */
#include "fs/base/fs.h"

enum fs_aim {
	FS_AIM_FILE,   /* to use what the name stands for; or it is unknown */
	FS_AIM_BEYOND, /* to go on from there: its path has more names */
	FS_AIM_MAKE,   /* to make the name, so that it must not be there */
};
/*
 * names: what has been looked up below the folder `dir`, with slashes between.
 * Reads the caller's memory, which may wait for a file of this mount: off the
 * loop.
 */
enum fs_aim fs_caller_aim(pid_t pid, const char *dir, const char *names);
/* What its thread (or its program) is called; "" if that is not known. */
void fs_caller_name(pid_t pid, int program, char *out, size_t cap);
/* FS_AIM_MAKE? Without reading its memory. */
int fs_is_making(pid_t pid);

#endif
