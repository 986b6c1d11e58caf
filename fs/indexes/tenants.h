/* SPDX-License-Identifier: MIT */
#ifndef FS_TENANTS_H
#define FS_TENANTS_H

/* The folder of many indexes; on the loop. */
#include "fs/base/fs.h"

int fs_tenant_name_ok(const char *name);
/* The index of that name, made known if it is there; NULL. */
struct fs_index *fs_tenant(struct fs *fs, const char *name);
/* All names, each with a NUL behind it. Any thread. 0 or -errno. */
int fs_tenants_list(struct fs *fs, struct rk_buf *out);
/* It and its documents. 0, -EBUSY, -errno. */
int fs_tenant_remove(struct fs *fs, const char *name);
/* What a daemon that died has left of removed ones. */
void fs_tenants_clean(struct fs *fs);
/* Remove those that nobody has opened for so long; how many. Off the loop. */
int fs_tenants_expire(struct fs *fs, int64_t seconds);

#endif
