/* SPDX-License-Identifier: MIT */
#ifndef FS_AT_H
#define FS_AT_H

/* An index at a checkpoint. */
#include "fs/base/fs.h"

/* The same index as one of its checkpoints has it; off the loop. */
int fs_index_open_at(struct fs_index *of, uint64_t checkpoint,
		     struct fs_index **out);

#endif
