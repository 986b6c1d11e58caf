/* SPDX-License-Identifier: MIT */
#ifndef RK_INDEX_DOCUMENT_H
#define RK_INDEX_DOCUMENT_H

#include "index/state/internal.h"
#include <sys/stat.h>

/*
 * Extended attributes of a file are metadata, too (ours are not): appended as
 * properties, each with its NUL. Returns 0 or -ENOMEM.
 */
int rk_attached(struct rk_index *ix, int fd, struct rk_buf *props);
/*
 * The folder that a document is in, on the terms of rk_open_document(), and
 * its name there. An O_PATH descriptor, the caller's; or -errno.
 */
int rk_open_parent(struct rk_index *ix, const char *path, const char **name);
/* Is the file what it was when it was indexed? */
int rk_is_unchanged(const struct rk_doc_rec *d, const struct stat *st);

#endif
