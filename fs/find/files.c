/* SPDX-License-Identifier: MIT */
/* What a folder of results holds: files with excerpts, links to documents. */
#include "fs/base/node.h"
#include "fs/base/tree.h"
#include "fs/find/find.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A node for each content: an open one never changes. */
struct fs_node *fs_find_file(struct fs_node *dir, const struct fs_entry *e)
{
	struct fs_node *n = NULL;
	char *key;

	if (asprintf(&key, "%s/%s#%016llx", dir->text, e->name,
		     (unsigned long long)e->blob->body_hash) < 0)
		return NULL;
	n = fs_keyed_node(dir->index, &FS_FOUND, NULL, key);
	if (n && !n->content) {
		n->content = fs_blob_ref(e->blob);
		n->mtime = dir->mtime;
	}
	free(key);
	return n;
}

struct fs_node *fs_find_link(struct fs_node *dir, const struct fs_entry *e)
{
	struct fs_index *x = dir->index;
	struct fs_node *n;
	char *key;

	if (asprintf(&key, "%s/%s", x->path, e->path) < 0)
		return NULL;
	n = fs_keyed_node(x, &FS_FOUND_LINK, NULL, key);
	free(key);
	return n;
}

static void hit_stat(struct fs_node *n, struct stat *st)
{
	fs_virtual_stat(n, S_IFREG | 0444, n->content->n, st);
}

static void hit_open(fuse_req_t req, struct fs *fs, struct fs_node *n,
		     struct fuse_file_info *fi)
{
	struct fs_handle *h;

	(void)fs;
	if ((fi->flags & O_ACCMODE) != O_RDONLY) {
		fuse_reply_err(req, EACCES);
		return;
	}
	if (!(h = fs_handle_blob(n, fs_blob_ref(n->content)))) {
		fs_blob_unref(n->content);
		fuse_reply_err(req, ENOMEM);
		return;
	}
	fi->fh = (uintptr_t)h;
	fi->keep_cache = 1; /* it never changes */
	fi->noflush = 1;
	fuse_reply_open(req, fi);
}

const struct fs_kind FS_FOUND = {
	.name = "find/<text>/01-name",
	.getattr = fs_virtual_getattr,
	.open = hit_open,
	.read = fs_blob_read,
	.release = fs_blob_release,
	.forget = fs_find_forget,
	.stat = hit_stat,
};

static void link_stat(struct fs_node *n, struct stat *st)
{
	fs_virtual_stat(n, S_IFLNK | 0777, strlen(n->text), st);
}

static void link_readlink(fuse_req_t req, struct fs *fs, struct fs_node *n)
{
	(void)fs;
	fuse_reply_readlink(req, n->text);
}

const struct fs_kind FS_FOUND_LINK = {
	.name = "find/<text>/files/01-name",
	.getattr = fs_virtual_getattr,
	.readlink = link_readlink,
	.forget = fs_find_forget,
	.stat = link_stat,
};
