/* SPDX-License-Identifier: MIT */
/* Listing a folder of documents; that of the root has virtual ones behind. */
#include "fs/base/node.h"
#include "fs/base/tree.h"
#include "fs/documents/documents.h"
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { DIR_BYTES_MAX = 1 << 17 };

/* Offsets of the virtual folders, behind every one the file system gives. */
static const off_t VIRTUAL_OFF = 0x7fffffffffffff00;

struct listing {
	fuse_req_t req;
	struct fs *fs;
	char *buf;
	size_t n, cap;
	int plus;
};

/* 1: it did not fit. */
static int put_entry(struct listing *l, const char *name,
		     struct fuse_entry_param *e, off_t off)
{
	size_t k =
		l->plus ? fuse_add_direntry_plus(l->req, l->buf + l->n,
						 l->cap - l->n, name, e, off)
			: fuse_add_direntry(l->req, l->buf + l->n,
					    l->cap - l->n, name, &e->attr, off);

	if (k > l->cap - l->n)
		return 1;
	l->n += k;
	return 0;
}

static int put_document(struct listing *l, struct fs_node *dir,
			const struct dirent *d)
{
	struct fuse_entry_param e = {.ino = 0};
	int dots = !strcmp(d->d_name, ".") || !strcmp(d->d_name, "..");

	e.attr.st_ino = d->d_ino;
	e.attr.st_mode = (mode_t)d->d_type << 12;
	if (fs_reserved(dir, d->d_name))
		return 0;
	if (l->plus && !dots && fs_doc_entry(l->fs, dir, d->d_name, &e) < 0)
		return 0; /* gone meanwhile */
	if (put_entry(l, d->d_name, &e, d->d_off)) {
		if (e.ino)
			fs_node_forget(l->fs, fs_node(l->fs, e.ino), 1);
		return 1;
	}
	return 0;
}

static void put_virtual(struct listing *l, struct fs_index *x, off_t off)
{
	struct fs_node *n;

	for (int i = (int)(off - VIRTUAL_OFF);
	     i >= 0 && (n = fs_fixed_listed(x, FS_IN_ROOT, i)) != NULL; i++) {
		struct fuse_entry_param e = {.ino = 0};

		fs_node_stat(n, &e.attr);
		if (l->plus) {
			e.ino = fs_nodeid(l->fs, n);
			e.attr_timeout = e.entry_timeout = l->fs->timeout;
		}
		if (put_entry(l, n->file->name, &e, VIRTUAL_OFF + i + 1))
			return;
		if (l->plus)
			n->nlookup++;
	}
}

void fs_doc_readdir(fuse_req_t req, struct fs *fs, struct fs_handle *h,
		    size_t size, off_t off, int plus)
{
	struct listing l = {
		req, fs, NULL, 0, size < DIR_BYTES_MAX ? size : DIR_BYTES_MAX,
		plus};
	int full = 0;
	struct dirent *d = NULL;

	if (!(l.buf = malloc(l.cap))) {
		fuse_reply_err(req, ENOMEM);
		return;
	}
	if (off < VIRTUAL_OFF || off == 0x7fffffffffffffff) {
		if (off != telldir(h->dir))
			seekdir(h->dir, off);
		while (!full && (d = readdir(h->dir)))
			full = put_document(&l, h->node, d);
		off = VIRTUAL_OFF;
	}
	/* what did not fit is read again: the next offset says where */
	if (!full && h->node == h->node->index->root)
		put_virtual(&l, h->node->index, off);
	if (full)
		seekdir(h->dir, 0);
	fuse_reply_buf(req, l.buf, l.n);
	free(l.buf);
}
