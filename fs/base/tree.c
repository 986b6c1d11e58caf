/* SPDX-License-Identifier: MIT */
/*
 * What virtual nodes have in common, and the fixed ones found by name. What
 * each kind of node does is in the file that defines its fs_kind.
 */
#include "fs/base/tree.h"
#include "fs/base/node.h"
#include "fs/base/walls.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* --- fixed nodes --- */

/* Inode numbers that no backing file system uses. */
struct fs_node *fs_fixed_node(struct fs_index *x, const struct fs_kind *kind,
			      int number)
{
	struct fs_node *n = fs_node_virtual(x, kind);

	if (n)
		n->ino = ((ino_t)0x7f << 56) | (ino_t)number;
	return n;
}

struct fs_node **fs_fixed_slot(const struct fs_index *x,
			       const struct fs_fixed *f)
{
	return (struct fs_node **)((uintptr_t)x + f->node);
}

struct fs_node *fs_fixed_find(const struct fs_index *x, enum fs_where where,
			      const char *name)
{
	for (const struct fs_fixed *f = x->fixed; f->name; f++)
		if (f->where == where && strcmp(f->name, name) == 0)
			return *fs_fixed_slot(x, f);
	return NULL;
}

const char *fs_fixed_listed(const struct fs_index *x, enum fs_where where,
			    int i, struct fs_node **n)
{
	for (const struct fs_fixed *f = x->fixed; f->name; f++)
		if (f->where == where && f->listed && i-- == 0) {
			*n = *fs_fixed_slot(x, f);
			return f->name;
		}
	return NULL;
}

int fs_reserved(const struct fs_node *parent, const char *name)
{
	return parent == parent->index->root &&
	       fs_fixed_find(parent->index, FS_IN_ROOT, name);
}

struct fs_node *fs_query_readme(struct fs_index *x)
{
	return x->files[0];
}

/* --- what virtual nodes share --- */

void fs_virtual_stat(const struct fs_node *n, mode_t mode, size_t size,
		     struct stat *st)
{
	struct fs_index *x = n->index;
	mode_t readers = x->mode & (fs_walled(x) ? 0400 : 0444);

	memset(st, 0, sizeof(*st));
	st->st_ino = n->ino;
	/* who may read the documents may read what is made of them */
	if (S_ISDIR(mode))
		mode &= ~(mode_t)0777 | 0200 | readers | readers >> 2;
	else if (!S_ISLNK(mode))
		mode &= ~(mode_t)0777 | 0200 | readers | readers >> 1;
	st->st_mode = mode;
	st->st_nlink = S_ISDIR(mode) ? 2 : 1;
	st->st_uid = x->uid;
	st->st_gid = x->gid;
	st->st_size = (off_t)size;
	st->st_blocks = (blkcnt_t)((size + 511) / 512);
	st->st_blksize = 4096;
	st->st_mtim.tv_sec = x->fs->started;
	if (n->mtime.tv_sec)
		st->st_mtim = n->mtime;
	st->st_atim = st->st_ctim = st->st_mtim;
}

void fs_reply_virtual(fuse_req_t req, struct fs *fs, struct fs_node *n,
		      const struct stat *st, double entry_timeout)
{
	struct fuse_entry_param e = {
		.ino = fs_nodeid(fs, n),
		.attr = *st,
		.attr_timeout = 0, /* sizes are computed when asked for */
		.entry_timeout = entry_timeout,
	};

	if (fuse_reply_entry(req, &e) < 0)
		fs_node_forget(fs, n, 1);
}

void fs_virtual_getattr(fuse_req_t req, struct fs *fs, struct fs_node *n)
{
	struct stat st;

	(void)fs;
	n->kind->stat(n, &st);
	fuse_reply_attr(req, &st, 0);
}

void fs_virtual_setattr(fuse_req_t req, struct fs *fs, struct fs_node *n,
			struct stat *attr, int to_set,
			struct fuse_file_info *fi)
{
	(void)attr;
	(void)fi;
	if (to_set &
	    (FUSE_SET_ATTR_MODE | FUSE_SET_ATTR_UID | FUSE_SET_ATTR_GID))
		fuse_reply_err(req, EPERM);
	else
		fs_virtual_getattr(req, fs, n);
}

void fs_virtual_dir_stat(struct fs_node *n, struct stat *st)
{
	fs_virtual_stat(n, S_IFDIR | 0555, 0, st);
}

void fs_dir_stat(struct fs_node *n, struct stat *st)
{
	if (n->kind->stat)
		n->kind->stat(n, st);
	else
		fs_virtual_stat(n, S_IFDIR | 0555, 0, st);
}

void fs_virtual_dir_getattr(fuse_req_t req, struct fs *fs, struct fs_node *n)
{
	struct stat st;

	fs_dir_stat(n, &st);
	/* with others about, each access asks anew whether it is allowed */
	fuse_reply_attr(req, &st, fs->allow_other ? 0 : fs->timeout);
}

struct fs_blob *fs_blob_from(struct rk_buf *b)
{
	struct fs_blob *blob = b->err ? NULL : malloc(sizeof(*blob) + b->n + 1);

	if (blob) {
		blob->refs = 1;
		blob->n = b->n;
		blob->body_hash = 0;
		if (b->n)
			memcpy(blob->p, b->p, b->n);
	}
	rk_buf_release(b);
	return blob;
}

struct fs_blob *fs_blob_ref(struct fs_blob *b)
{
	b->refs++;
	return b;
}

void fs_blob_unref(struct fs_blob *b)
{
	if (b && --b->refs == 0)
		free(b);
}

struct fs_handle *fs_handle_blob(struct fs_node *n, struct fs_blob *b)
{
	struct fs_handle *h = calloc(1, sizeof(*h));

	if (h) {
		h->node = n;
		h->fd = -1;
		h->blob = b;
	}
	return h;
}

void fs_blob_read(fuse_req_t req, struct fs *fs, struct fs_handle *h, size_t n,
		  off_t off)
{
	size_t at = (size_t)off;

	(void)fs;
	if (!h->blob || at >= h->blob->n)
		fuse_reply_buf(req, NULL, 0);
	else
		fuse_reply_buf(req, h->blob->p + at,
			       h->blob->n - at < n ? h->blob->n - at : n);
}

void fs_blob_release(fuse_req_t req, struct fs *fs, struct fs_handle *h)
{
	(void)fs;
	fs_blob_unref(h->blob);
	free(h);
	fuse_reply_err(req, 0);
}

void fs_list_names(fuse_req_t req, struct fs *fs, const char *const *names,
		   int count, size_t size, off_t off, int plus)
{
	char buf[4096];
	size_t n = 0, cap = size < sizeof(buf) ? size : sizeof(buf);

	(void)fs;
	for (int i = (int)off; i >= 0 && i < count; i++) {
		/* ino 0 in a "plus" entry: the kernel looks it up itself */
		struct fuse_entry_param e = {.ino = 0};
		size_t k;

		e.attr.st_ino = (ino_t)i + 10;
		e.attr.st_mode = i < 2 ? S_IFDIR : S_IFREG;
		k = plus ? fuse_add_direntry_plus(req, buf + n, cap - n,
						  names[i], &e, i + 1)
			 : fuse_add_direntry(req, buf + n, cap - n, names[i],
					     &e.attr, i + 1);
		if (k > cap - n)
			break;
		n += k;
	}
	fuse_reply_buf(req, buf, n);
}

void fs_empty_readdir(fuse_req_t req, struct fs *fs, struct fs_handle *h,
		      size_t size, off_t off, int plus)
{
	static const char *const NAMES[] = {".", ".."};

	(void)h;
	fs_list_names(req, fs, NAMES, 2, size, off, plus);
}

/* A name that no folder can have would make the kernel refuse the whole list. */
void fs_list_add(struct rk_buf *b, char type, const char *name)
{
	if (!*name || strchr(name, '/') || strlen(name) > FS_QUERY_BYTES)
		return;
	rk_buf_byte(b, (uint8_t)type);
	rk_buf_name(b, name);
}

void fs_list_begin(struct rk_buf *b)
{
	fs_list_add(b, 'd', ".");
	fs_list_add(b, 'd', "..");
}

void fs_list_reply(fuse_req_t req, struct fs_handle *h, struct rk_buf *b,
		   size_t size, off_t off, int plus)
{
	fs_blob_unref(h->blob);
	if ((h->blob = fs_blob_from(b)) != NULL)
		fs_list_blob(req, h->blob, size, off, plus);
	else
		fuse_reply_err(req, ENOMEM);
}

void fs_list_blob(fuse_req_t req, const struct fs_blob *names, size_t size,
		  off_t off, int plus)
{
	char buf[4096];
	size_t n = 0, cap = size < sizeof(buf) ? size : sizeof(buf);
	off_t i = 0;

	for (size_t at = 0; at < names->n; i++) {
		char type = names->p[at];
		const char *name = names->p + at + 1;
		struct fuse_entry_param e = {.ino = 0};
		size_t k;

		at += strlen(name) + 2;
		if (i < off)
			continue;
		e.attr.st_ino = (ino_t)i + 10;
		e.attr.st_mode = type == 'd'   ? S_IFDIR
				 : type == 'l' ? S_IFLNK
					       : S_IFREG;
		k = plus ? fuse_add_direntry_plus(req, buf + n, cap - n, name,
						  &e, i + 1)
			 : fuse_add_direntry(req, buf + n, cap - n, name,
					     &e.attr, i + 1);
		if (k > cap - n)
			break;
		n += k;
	}
	fuse_reply_buf(req, buf, n);
}
