/* SPDX-License-Identifier: MIT */
#ifndef FS_SAVED_H
#define FS_SAVED_H

/* Saved queries; all on the loop. */
#include "fs/base/fs.h"
#include "fs/base/node.h"

/* 1: it is one, and the lookup in query/ has been answered. */
int fs_saved_lookup(fuse_req_t req, struct fs_node *dir, const char *name);
void fs_saved_symlink(fuse_req_t, struct fs *, struct fs_node *dir,
		      const char *name, const char *target);
void fs_saved_unlink(fuse_req_t, struct fs *, struct fs_node *dir,
		     const char *name);
void fs_saved_rename(fuse_req_t, struct fs *, struct fs_node *dir,
		     const char *name, struct fs_node *to, const char *to_name,
		     unsigned flags);
/* Verbs of ctl; in a pool thread. */
int fs_saved_verb_save(struct fs_index *x, const char *arg);
int fs_saved_verb_unsave(struct fs_index *x, const char *arg);
int fs_saved_verb_unmark(struct fs_index *x, const char *arg);
/* Keep the nodes of what is saved now. */
void fs_saved_follow(struct fs_index *x);
void fs_saved_release(struct fs_index *x);

#endif
