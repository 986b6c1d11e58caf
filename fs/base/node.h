/* SPDX-License-Identifier: MIT */
#ifndef FS_NODE_H
#define FS_NODE_H

/* Nodes, by inode and by name; on the loop. */
#include "fs/base/fs.h"

int fs_nodes_init(struct fs *fs); /* 0 or -ENOMEM */
void fs_nodes_release(struct fs *fs);
struct fs_node *fs_node(struct fs *fs, fuse_ino_t ino);
static inline fuse_ino_t fs_nodeid(const struct fs *fs, const struct fs_node *n)
{
	return n == fs->root ? FUSE_ROOT_ID : (fuse_ino_t)(uintptr_t)n;
}
/* The document node of an inode, made if need be, under one more name. */
struct fs_node *fs_node_get(struct fs *fs, struct fs_node *parent,
			    const char *name, const struct stat *st);
/* The same, or NULL. */
struct fs_node *fs_node_of_inode(struct fs *fs, dev_t dev, ino_t ino);
struct fs_node *fs_node_find(struct fs *fs, struct fs_node *parent,
			     const char *name);
/* A node outside the tables, unknown to the kernel; NULL: no memory. */
struct fs_node *fs_node_virtual(struct fs_index *x, const struct fs_kind *kind);
/*
 * The node of a kind (and a row of a table, or NULL) that stands for a text,
 * made if need be; one a text, so that it keeps its inode. It belongs to the
 * table, which frees it when the kernel forgets it. NULL: no memory.
 */
struct fs_node *fs_keyed_node(struct fs_index *x, const struct fs_kind *kind,
			      const struct fs_file *file, const char *text);
/* At the end: all that are left. */
void fs_keyed_release(struct fs *fs);
/*
 * Before `name` (in parent, open as dir) is removed: if that was the node's
 * last name, hold on to the inode until the kernel forgets it. Somebody may
 * be in the folder or have the file open, and until then the inode's number
 * must not become another file's. unkeep: the name was not removed.
 */
void fs_node_keep(struct fs *fs, struct fs_node *parent, const char *name,
		  int dir);
void fs_node_unkeep(struct fs *fs, struct fs_node *parent, const char *name);
/* The name is gone, or now belongs to another inode. */
void fs_link_drop(struct fs *fs, struct fs_node *parent, const char *name);
void fs_link_move(struct fs *fs, struct fs_node *parent, const char *name,
		  struct fs_node *to, const char *to_name, int exchange);
void fs_node_forget(struct fs *fs, struct fs_node *n, uint64_t count);
/*
 * O_PATH descriptor of a folder; borrowed until the next call that needs
 * one, unless pinned. -errno.
 */
int fs_node_dirfd(struct fs *fs, struct fs_node *n);
/*
 * Where it is for the *at() calls: the flags for them, or -errno; *name is ""
 * if *dir is the node itself. Borrowed as fs_node_dirfd() lends.
 */
int fs_node_at(struct fs *fs, struct fs_node *n, int *dir, const char **name);
/* A path that leads to what a descriptor, O_PATH too, was opened from. */
const char *fs_fd_path(int fd, char out[static 40]);
/* Path relative to the documents' root; -ENOENT if unlinked, -ENAMETOOLONG. */
int fs_node_path(const struct fs_node *n, char *out, size_t cap);
/* The same for a name inside a folder. */
int fs_child_path(const struct fs_node *parent, const char *name, char *out,
		  size_t cap);

#endif
