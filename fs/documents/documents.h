/* SPDX-License-Identifier: MIT */
#ifndef FS_DOCUMENTS_H
#define FS_DOCUMENTS_H

/*
 * What the files of this room share, and the operations that only documents
 * know. All of it on the loop.
 */
#include "fs/base/fs.h"
#include "fs/base/node.h"
#include <fcntl.h>

enum { FS_DOC_PATH = 4096 };

/*
 * O_APPEND is the kernel's: it says where to write. With it on our descriptor
 * a page that comes back from a map would land at the end of the file.
 */
enum { FS_DOC_NOT_OURS = O_DIRECT | O_APPEND };

static inline struct fs *fs_of(fuse_req_t req)
{
	return fuse_req_userdata(req);
}

/* entry.c: telling the index; 0 or negative */
int fs_doc_touch(const struct fs_node *n, uint64_t *seq);
/* Tell the index that one became the other (RENAME_EXCHANGE is two touches). */
int fs_doc_renamed(const struct fs_node *p, const char *name,
		   const struct fs_node *to, const char *to_name,
		   unsigned flags);
int fs_doc_touch_child(const struct fs_node *parent, const char *name,
		       unsigned flags);
int fs_doc_touch_handle(struct fs_handle *h, uint64_t *seq);
/* Look a document up and count one more kernel reference. 0 or -errno. */
int fs_doc_entry(struct fs *fs, struct fs_node *parent, const char *name,
		 struct fuse_entry_param *e);
void fs_doc_reply_entry(fuse_req_t req, struct fs *fs, struct fs_node *parent,
			const char *name);

/* attributes.c */
/* A write is about to come through fd. */
void fs_doc_drop_set_id(fuse_req_t req, int fd);

/* data.c: the handle of a document; NULL: no memory, and fd is the caller's */
struct fs_handle *fs_doc_handle_new(struct fs_node *n, int fd);
void fs_doc_handle_free(struct fs_handle *h);

/* What the kind does, by file. */
void fs_doc_lookup(fuse_req_t req, struct fs *fs, struct fs_node *parent,
		   const char *name);
void fs_doc_getattr(fuse_req_t req, struct fs *fs, struct fs_node *n);
void fs_doc_setattr(fuse_req_t req, struct fs *fs, struct fs_node *n,
		    struct stat *attr, int to_set, struct fuse_file_info *fi);
void fs_doc_open(fuse_req_t req, struct fs *fs, struct fs_node *n,
		 struct fuse_file_info *fi);
void fs_doc_read(fuse_req_t req, struct fs *fs, struct fs_handle *h, size_t n,
		 off_t off);
void fs_doc_write(fuse_req_t req, struct fs *fs, struct fs_handle *h,
		  const char *p, size_t n, off_t off);
void fs_doc_flush(fuse_req_t req, struct fs *fs, struct fs_handle *h);
void fs_doc_release(fuse_req_t req, struct fs *fs, struct fs_handle *h);
void fs_doc_readdir(fuse_req_t req, struct fs *fs, struct fs_handle *h,
		    size_t size, off_t off, int plus);
void fs_doc_readlink(fuse_req_t req, struct fs *fs, struct fs_node *n);
void fs_doc_symlink(fuse_req_t req, struct fs *fs, struct fs_node *parent,
		    const char *name, const char *target);
void fs_doc_link(fuse_req_t req, struct fs *fs, struct fs_node *n,
		 struct fs_node *newparent, const char *newname);
void fs_doc_mkdir(fuse_req_t req, struct fs *fs, struct fs_node *parent,
		  const char *name, mode_t mode);
void fs_doc_unlink(fuse_req_t req, struct fs *fs, struct fs_node *parent,
		   const char *name);
void fs_doc_rmdir(fuse_req_t req, struct fs *fs, struct fs_node *parent,
		  const char *name);
void fs_doc_rename(fuse_req_t req, struct fs *fs, struct fs_node *p,
		   const char *name, struct fs_node *newparent,
		   const char *newname, unsigned flags);

/* Operations that only documents know */
void fs_doc_create(fuse_req_t, fuse_ino_t, const char *, mode_t,
		   struct fuse_file_info *);
void fs_doc_mknod(fuse_req_t, fuse_ino_t, const char *, mode_t, dev_t);
void fs_doc_statfs(fuse_req_t, fuse_ino_t);
void fs_doc_fsync(fuse_req_t, fuse_ino_t, int, struct fuse_file_info *);
void fs_doc_fsyncdir(fuse_req_t, fuse_ino_t, int, struct fuse_file_info *);
void fs_doc_fallocate(fuse_req_t, fuse_ino_t, int, off_t, off_t,
		      struct fuse_file_info *);
void fs_doc_lseek(fuse_req_t, fuse_ino_t, off_t, int, struct fuse_file_info *);
void fs_doc_copy(fuse_req_t, fuse_ino_t, off_t, struct fuse_file_info *,
		 fuse_ino_t, off_t, struct fuse_file_info *, size_t, int);
void fs_doc_setxattr(fuse_req_t, fuse_ino_t, const char *, const char *, size_t,
		     int);
void fs_doc_getxattr(fuse_req_t, fuse_ino_t, const char *, size_t);
void fs_doc_listxattr(fuse_req_t, fuse_ino_t, size_t);
void fs_doc_removexattr(fuse_req_t, fuse_ino_t, const char *);
/* flags.c: inode flags */
void fs_doc_ioctl(fuse_req_t, fuse_ino_t, unsigned cmd, void *arg,
		  struct fuse_file_info *, unsigned how, const void *in,
		  size_t in_n, size_t out_n);
/* entry.c */
/* rk_touch(), and cached answers over many indexes are none any more. */
int fs_touch(struct fs_index *x, const char *path, unsigned flags,
	     uint64_t *seq);
/* Fill st for a document node; 0 or -errno. */
int fs_doc_stat(struct fs *fs, struct fs_node *n, struct stat *st);

#endif
