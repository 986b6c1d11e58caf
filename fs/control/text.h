/* SPDX-License-Identifier: MIT */
#ifndef FS_TEXT_H
#define FS_TEXT_H

/* The text of a document as a file. */
#include "fs/base/fs.h"

/*
 * Append a document's text as UTF-8; if it is cut, its last line says so.
 * What rk_document_whole() returns.
 */
int fs_document_text(struct rk_index *ix, const char *path, struct rk_buf *out);
/* Answer a lookup with the file that holds it. */
void fs_text_reply(fuse_req_t req, struct fs_index *x, const char *path);

#endif
