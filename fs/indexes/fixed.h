/* SPDX-License-Identifier: MIT */
#ifndef FS_FIXED_H
#define FS_FIXED_H

#include "fs/control/control.h"

/* The fixed nodes of an index; on the loop. 0 or -ENOMEM, then release. */
int fs_fixed_init(struct fs_index *x);
void fs_fixed_release(struct fs_index *x);
/* Does the kernel know one of them? */
int fs_fixed_in_use(const struct fs_index *x);
/* Is this name taken by the tree at an index root? */
int fs_reserved_name(const char *name);

/* top.c: what .rankfs/ of many says and takes */
void fs_top_status(const struct fs_use *u, struct rk_buf *out);
void fs_top_metrics(const struct fs_use *u, struct rk_buf *out);
extern const struct fs_verb FS_TOP_VERBS[];

#endif
