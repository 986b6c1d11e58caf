/* SPDX-License-Identifier: MIT */
#ifndef FS_NAMES_H
#define FS_NAMES_H

/* Names that are texts. */
#include "fs/base/fs.h"

/*
 * Is the name what editors, shells, version control and build tools ask every
 * folder for? Those that are good questions, too (`tags`, `go.mod`), are so
 * only to the programs that look for them: pid is the thread that asks.
 */
int fs_is_probe(const char *name, pid_t pid);
/* To any program at all. */
int fs_may_be_probe(const char *name);
/*
 * The text that a name stands for: %2F, %0A and %25 decode, nothing else
 * does, and a leading = is dropped. out has room for the name; returns bytes.
 */
size_t fs_decode_name(const char *name, char *out);
/* The other way round. */
void fs_encode_name(const char *text, struct rk_buf *out);

#endif
