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
/* The places that are this index's own: bits of enum fs_where. */
unsigned fs_fixed_places(const struct fs_index *x);
/* The node of that name, or NULL. */
struct fs_node *fs_fixed_find(const struct fs_index *x, unsigned where,
			      const char *name);
/* Those that a listing shows; i from 0. NULL: no more. */
struct fs_node *fs_fixed_listed(const struct fs_index *x, unsigned where,
				int i);
/* All of them. */
void fs_fixed_list(const struct fs_index *x, unsigned where, struct rk_buf *b);
/* Answer a lookup with one. */
void fs_fixed_reply(fuse_req_t req, struct fs_node *n);
/* .rankfs/README, which query/ shows, too. */
struct fs_node *fs_help(const struct fs_index *x);
/* Is this name taken by the tree? */
int fs_reserved(const struct fs_node *parent, const char *name);

/* Shared by virtual files. */
void fs_virtual_stat(const struct fs_node *n, mode_t mode, size_t size,
		     struct stat *st);
/* For kinds with `stat`, and folders. */
void fs_node_stat(struct fs_node *n, struct stat *st);
void fs_virtual_getattr(fuse_req_t req, struct fs *fs, struct fs_node *n);
void fs_reply_virtual(fuse_req_t req, struct fs *fs, struct fs_node *n,
		      const struct stat *st, double entry_timeout);
/*
 * An open one, the caller's; b is taken over. NULL and errno: no memory, or
 * too many (b is not).
 */
struct fs_handle *fs_handle_new(fuse_req_t req, struct fs_node *n,
				struct fs_blob *b);
void fs_handle_free(struct fs_handle *h);
void fs_blob_read(fuse_req_t req, struct fs *fs, struct fs_handle *h, size_t n,
		  off_t off);
void fs_blob_release(fuse_req_t req, struct fs *fs, struct fs_handle *h);

/*
 * A listing of names, "." and ".." first: each a letter (d folder, f file,
 * l link), the name, a NUL.
 */
/* Add a name. */
void fs_list_add(struct rk_buf *b, char type, const char *name);
/* The same of names that lie behind each other, encoded as names are. */
void fs_list_add_all(struct rk_buf *b, char type, const struct rk_buf *names);
/*
 * Readdir for kinds with `list`, or without one. What is listed from the start
 * stays with the handle for as long as it is read on.
 */
void fs_virtual_readdir(fuse_req_t req, struct fs *fs, struct fs_handle *h,
			size_t size, off_t off, int plus);

#endif
