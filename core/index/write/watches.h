/* SPDX-License-Identifier: MIT */
#ifndef RK_INDEX_WATCHES_H
#define RK_INDEX_WATCHES_H

#include "index/documents/links.h"

/*
 * The folders of linked sources that are watched, each by inotify, or the
 * file system of a source as a whole where there are more folders than
 * watches and the caller is root. Belongs to the thread of watch.c.
 */
struct rk_watches {
	struct rk_index *ix;
	int fd;	       /* of inotify; -1: it could not be opened */
	int fan;       /* watches file systems; -1: not used */
	char **folder; /* by watch descriptor: its path, or NULL */
	size_t folders_cap, nfolders;
	int told_limit;
};

void rk_watches_open(struct rk_watches *w, struct rk_index *ix);
void rk_watches_close(struct rk_watches *w);
/* Watch a folder: the `folder` of struct rk_link_walk, with w as context. */
void rk_watches_add(void *w, const char *path, const char *real,
		    struct rk_ignore_set *rules);
/* Folders below a path that has gone or moved away. */
void rk_watches_drop(struct rk_watches *w, const char *path);
/* The kernel has dropped a watch. */
void rk_watches_forget(struct rk_watches *w, int wd);
/* The path of a watched folder, or NULL. */
const char *rk_watches_folder(const struct rk_watches *w, int wd);

#endif
