/* SPDX-License-Identifier: MIT */
#ifndef RK_INDEX_LINKWALK_H
#define RK_INDEX_LINKWALK_H

#include "index/documents/links.h"
#include <sys/stat.h>

/*
 * A walk over a source or a folder in it. Files and folders that are left
 * out by .gitignore or .rankfsignore are not visited.
 */
struct rk_link_walk {
	struct rk_index *ix;
	const char *name, *root;
	/* a folder that is entered: path as of documents; rules of its files */
	void (*folder)(void *ctx, const char *path, const char *real,
		       struct rk_ignore_set *rules);
	/* a file to index; 0, or negative to end the walk */
	int (*file)(void *ctx, const char *path, const struct stat *st);
	void *ctx;
};
/* `below`: a folder in it, relative, "" for all. Returns 0 or negative. */
int rk_link_walk(const struct rk_link_walk *w, const char *below);

/*
 * Is a document of a source left out, or its folder gone? One look along its
 * path. 1, 0, or -errno where the way there cannot be read now.
 */
int rk_link_ignored(struct rk_index *ix, const char *path);

#endif
