/* SPDX-License-Identifier: MIT */
#ifndef FS_FEDERATED_H
#define FS_FEDERATED_H

/* Queries over many indexes. */
#include "fs/base/fs.h"
#include "fs/base/node.h"

/* The node of a query over all that the caller may read; NULL. */
struct fs_node *fs_federated_node(fuse_req_t req, struct fs_index *top,
				  const char *text);

#endif
