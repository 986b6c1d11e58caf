/* SPDX-License-Identifier: MIT */
#ifndef FS_DOCUMENTS_XATTR_H
#define FS_DOCUMENTS_XATTR_H

/* Extended attributes of documents for other files. */
#include "base/attributes.h"
#include "fs/base/fs.h"

/* Of an open document, in a job: not under loop. 0 or -errno. */
int fs_attr_set(struct fs_index *x, int fd, const char *name, const void *value,
		size_t size);
/* Under loop, before a name is removed or replaced: the ID of what lies beside
 * the document, "" if nothing does or another name keeps it. */
void fs_attr_victim(struct fs_index *x, int dir, const char *name,
		    char id[RK_ATTR_ID + 1]);
/* Afterwards. */
void fs_attr_gone(struct fs_index *x, const char *id);

#endif
