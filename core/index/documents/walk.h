/* SPDX-License-Identifier: MIT */
#ifndef RK_INDEX_WALK_H
#define RK_INDEX_WALK_H

#include <sys/stat.h>

struct rk_index;

/*
 * Walk a folder of documents, telling fn each regular, indexable file. A
 * folder that is not there has none; one that cannot be read now is warned
 * about, and its -errno is returned once the others are done.
 */
typedef int rk_file_fn(void *ctx, const char *path, const struct stat *st);
int rk_walk_files(struct rk_index *ix, const char *path, rk_file_fn *fn,
		  void *ctx);

#endif
