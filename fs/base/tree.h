/* SPDX-License-Identifier: MIT */
#ifndef FS_TREE_H
#define FS_TREE_H

/* What virtual nodes share: fixed ones, attributes, bytes, listings. */
#include "fs/base/fs.h"
#include "fs/base/node.h"

/* Bytes. */
/* Takes the bytes of b. NULL: no memory (b is released all the same). */
struct fs_blob *fs_blob_from(struct rk_buf *b);
struct fs_blob *fs_blob_ref(struct fs_blob *b);
void fs_blob_unref(struct fs_blob *b);

/* Fixed nodes. */
/* One with that inode number; NULL: no memory. */
struct fs_node *fs_fixed_node(struct fs_index *x, const struct fs_kind *kind,
			      int number);
struct fs_node **fs_fixed_slot(const struct fs_index *x,
			       const struct fs_fixed *f);
/* The node of that name, or NULL. */
struct fs_node *fs_fixed_find(const struct fs_index *x, enum fs_where where,
			      const char *name);
/* Those that a listing shows; i from 0. NULL: no more. */
const char *fs_fixed_listed(const struct fs_index *x, enum fs_where where,
			    int i, struct fs_node **n);
/* Is this name taken by the tree? */
int fs_reserved(const struct fs_node *parent, const char *name);

/* .rankfs/README, which query/ shows, too. */
struct fs_node *fs_query_readme(struct fs_index *x);

/* Shared by virtual files. */
void fs_virtual_stat(const struct fs_node *n, mode_t mode, size_t size,
		     struct stat *st);
/* For kinds with `stat`. `>` truncates first: there is nothing to lose. */
void fs_virtual_getattr(fuse_req_t req, struct fs *fs, struct fs_node *n);
void fs_virtual_setattr(fuse_req_t req, struct fs *fs, struct fs_node *n,
			struct stat *attr, int to_set,
			struct fuse_file_info *fi);
/* A folder that nobody writes to. */
void fs_virtual_dir_stat(struct fs_node *n, struct stat *st);
/* As its kind says; else the same. */
void fs_dir_stat(struct fs_node *n, struct stat *st);
void fs_virtual_dir_getattr(fuse_req_t req, struct fs *fs, struct fs_node *n);
void fs_reply_virtual(fuse_req_t req, struct fs *fs, struct fs_node *n,
		      const struct stat *st, double entry_timeout);
struct fs_handle *fs_handle_blob(struct fs_node *n, struct fs_blob *b);
void fs_blob_read(fuse_req_t req, struct fs *fs, struct fs_handle *h, size_t n,
		  off_t off);
void fs_blob_release(fuse_req_t req, struct fs *fs, struct fs_handle *h);

/*
 * A listing of names, "." and ".." first: each a letter (d folder, f file,
 * l link), the name, a NUL.
 */
/* Begin such a listing, and add a name. */
void fs_list_begin(struct rk_buf *b);
void fs_list_add(struct rk_buf *b, char type, const char *name);
/* Keep it in the handle for as long as it is read, and answer from it. */
void fs_list_reply(fuse_req_t req, struct fs_handle *h, struct rk_buf *b,
		   size_t size, off_t off, int plus);
void fs_list_blob(fuse_req_t req, const struct fs_blob *names, size_t size,
		  off_t off, int plus);
/* A listing of fixed names; "." and ".." first. */
void fs_list_names(fuse_req_t req, struct fs *fs, const char *const *names,
		   int count, size_t size, off_t off, int plus);
void fs_empty_readdir(fuse_req_t req, struct fs *fs, struct fs_handle *h,
		      size_t size, off_t off, int plus);

#endif
