/* SPDX-License-Identifier: MIT */
/* What a folder of results holds: files with excerpts, links to documents. */
#include "fs/base/file.h"
#include "fs/base/node.h"
#include "fs/base/tree.h"
#include "fs/find/find.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct fs_file HIT = {
	.name = "find/<text>/01-name",
	.mode = 0444,
	.lasts = 1,
};

/* A node for each content: an open one never changes. */
struct fs_node *fs_find_file(struct fs_node *dir, const struct fs_entry *e)
{
	struct fs_node *n = NULL;
	char *key;

	if (asprintf(&key, "%s/%s#%016llx", dir->text, e->name,
		     (unsigned long long)e->blob->body_hash) < 0)
		return NULL;
	n = fs_file_node(dir->index, &HIT, key);
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
	.readlink = link_readlink,
	.stat = link_stat,
};
