/* SPDX-License-Identifier: MIT */
/*
 * Documents: plain files in the backing directory, passed through. Each
 * change is told to the index (rk_touch) in the request that makes it final:
 * data at FLUSH (data.c), names in the request that changes them (names.c).
 */
#include "fs/documents/documents.h"

const struct fs_kind FS_DOCUMENT = {
	.name = "document",
	.document = 1,
	.lookup = fs_doc_lookup,
	.getattr = fs_doc_getattr,
	.setattr = fs_doc_setattr,
	.open = fs_doc_open,
	.read = fs_doc_read,
	.write = fs_doc_write,
	.flush = fs_doc_flush,
	.release = fs_doc_release,
	.readdir = fs_doc_readdir,
	.readlink = fs_doc_readlink,
	.symlink = fs_doc_symlink,
	.link = fs_doc_link,
	.mkdir = fs_doc_mkdir,
	.unlink = fs_doc_unlink,
	.rmdir = fs_doc_rmdir,
	.rename = fs_doc_rename,
};
