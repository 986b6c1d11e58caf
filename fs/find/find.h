/* SPDX-License-Identifier: MIT */
#ifndef FS_FIND_H
#define FS_FIND_H

#include "fs/base/node.h"
#include "fs/find/found.h"

enum { FS_FIND_QUERY = 16 * 1024 };

/* What a path below find/ says. */
struct fs_scope {
	char query[FS_FIND_QUERY];
	char saved[FS_QUERY_BYTES + 1]; /* the saved query itself, or "" */
	int files; /* .../files: links to what the folder above shows */
	int facet; /* .../by-ext: which; else -1 */
	int value; /* .../by-ext/c: links, so that walks see a text once */
};

/* scope.c; 0, -ENOENT, -ENAMETOOLONG or -ENOMEM */
int fs_scope_of(struct fs_index *x, const char *path, struct fs_scope *s);

/* find.c: nodes, on the loop */
void fs_find_forget(struct fs *fs, struct fs_node *n);
/* The folder of a path, in use now; NULL: no memory. */
struct fs_node *fs_find_dir(struct fs_index *x, const char *path);
/* Takes one lookup of the node; NULL: no memory. */
void fs_find_reply(fuse_req_t req, struct fs *fs, struct fs_node *n);
void fs_find_reply_dir(fuse_req_t req, struct fs_node *dir, const char *name);
/* Let the kernel forget folders of results that are not used */
void fs_find_sweep(struct fs *fs);

/* files.c: nodes of an entry; NULL: no memory */
struct fs_node *fs_find_file(struct fs_node *dir, const struct fs_entry *e);
struct fs_node *fs_find_link(struct fs_node *dir, const struct fs_entry *e);

/* folders.c */
/* What the folder shows now, a reference, or NULL. Is it also what is so? */
struct fs_found *fs_find_shown(struct fs_node *dir, int *current);
/* The entry of a name that is not gone; NULL. */
struct fs_entry *fs_find_entry(struct fs *fs, struct fs_found *f,
			       const char *name);

/* feedback.c */
void fs_feedback_unlink(fuse_req_t req, struct fs *fs, struct fs_node *dir,
			const char *name);
void fs_feedback_link(fuse_req_t req, struct fs *fs, struct fs_node *what,
		      struct fs_node *dir, const char *name);
void fs_feedback_symlink(fuse_req_t req, struct fs *fs, struct fs_node *dir,
			 const char *name, const char *target);

#endif
