/* SPDX-License-Identifier: MIT */
#ifndef FS_CONTROL_IMPORT_DOCUMENT_H
#define FS_CONTROL_IMPORT_DOCUMENT_H

#include "fs/base/fs.h"
#include <jansson.h>

/*
 * One line of .rankfs/import as a document: all of it, in the place of what
 * was there, or nothing. In a job, not under loop. 0; -EINVAL with the reason
 * in err; another -errno, err is empty then.
 */
int fs_import_document(struct fs_index *x, json_t *line, char *err,
		       size_t err_n);
/* Remove what a crash has left half done; x has just been opened to write. */
void fs_import_tidy(struct fs_index *x);

#endif
