/* SPDX-License-Identifier: MIT */
#ifndef FS_FOLDER_H
#define FS_FOLDER_H

/* Names in query/ that have slashes. */
#include "fs/base/fs.h"
#include "fs/base/node.h"

/*
 * In a folder whose texts may have slashes: the names from it on, to out
 * (FS_QUERY_BYTES + 1 bytes). 0, -ENAMETOOLONG, or -ENOENT: programs look for
 * the first in every folder.
 */
int fs_slashes_join(const struct fs_node *parent, const char *name, pid_t pid,
		    char *out);
/* Ends it in a name that programs look for in every folder? */
int fs_slashes_probe(const char *names, pid_t pid);
/* Answer a lookup with the folder that such a text is the beginning of. */
void fs_slashes_reply(fuse_req_t req, struct fs_index *x,
		      const struct fs_kind *kind, const char *names);

#endif
