/* SPDX-License-Identifier: MIT */
#ifndef RK_BASE_ATTRIBUTES_H
#define RK_BASE_ATTRIBUTES_H

#include <stddef.h>
#include <sys/types.h>

/*
 * Extended attributes, as getxattr(2) and its family answer, of files on a file
 * system that has little room for them: ext4 holds 4 KiB a file, a vector of
 * 3,072 numbers needs 6. What does not fit lies in a folder beside:
 *
 *	FILES/../attributes/ID/NAME	the value, NAME without "user."
 *
 * and the file's attribute `user.rankfs.attributes` holds ID, 16 hex digits
 * at random, so that hard links, renames and `cp -a` of all need no care.
 *
 * A1. An attribute that the file itself holds is the one that counts.
 * A2. While room for ID is made, an attribute's value on the file is
 *     "rankfs:attributes:ID" for a moment: its value lies in the folder.
 *     A crash at any point leaves each attribute with its old or new value.
 * A3. A folder that no file names any more is removed by rk_attr_sweep().
 *
 * `files` is the folder of all the files; `file` a path of one file, most
 * often "/proc/self/fd/N". ID itself is never listed, read or set. Results are
 * those of the calls, with -errno for errors. Any thread.
 */
enum { RK_ATTR_ID = 16, RK_ATTR_VALUE_MAX = 65536 };

/* 0: the attribute is one of those that tell where others are. */
int rk_attr_may_set(const char *name, const void *value, size_t n);
/* The size of the value; n = 0: only asked for. */
ssize_t rk_attr_get(int files, const char *file, const char *name, void *value,
		    size_t n);
/* -ENOSPC also if the file's attributes beside it would pass 4 MiB. */
int rk_attr_set(int files, const char *file, const char *name,
		const void *value, size_t n, int flags);
ssize_t rk_attr_list(int files, const char *file, char *names, size_t n);
int rk_attr_remove(int files, const char *file, const char *name);

/* 1: the file has attributes beside it; their ID. */
int rk_attr_id(const char *file, char id[RK_ATTR_ID + 1]);
/* The file has gone, with its last name. */
void rk_attr_drop(int files, const char *id);
/* 1: some file may have attributes beside it. */
int rk_attr_used(int files);
/* Remove folders that no file names. How many, or -errno. */
int rk_attr_sweep(int files);

#endif
