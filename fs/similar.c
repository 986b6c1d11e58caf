/* SPDX-License-Identifier: MIT */
/*
 * .rankfs/similar/<path>: what is like the document at <path>, as a file. The
 * folders mirror those of the documents, but are not listed.
 */
#include "fs.h"
#include "base/hash.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void dir_free(struct fs *fs, struct fs_node *n)
{
	(void)fs;
	free(n->path);
	free(n);
}

/* A folder below; each lookup makes its own node. */
static void reply_folder(fuse_req_t req, struct fs *fs, const char *path)
{
	struct fs_node *n = fs_node_virtual(fs, &FS_SIMILAR_DIR);
	struct stat st;

	if (!n || !(n->path = strdup(path))) {
		free(n);
		fuse_reply_err(req, ENOMEM);
		return;
	}
	n->nlookup = 1;
	n->ino = (ino_t)(rk_hash64(path, strlen(path)) >> 8 | (uint64_t)0x7c
								      << 56);
	fs_virtual_stat(fs, n, S_IFDIR | 0555, 0, &st);
	fs_reply_virtual(req, fs, n, &st, fs->timeout);
}

static void reply_query(fuse_req_t req, struct fs *fs, const char *path)
{
	char text[4096 + 16];
	struct fs_node *n;

	if (strchr(path, '"')) { /* a quoted value cannot hold one */
		fuse_reply_err(req, ENOENT);
		return;
	}
	snprintf(text, sizeof(text), "like:\"%s\"", path);
	if (!(n = fs_query_node(fs, text)))
		fuse_reply_err(req, ENOMEM);
	else
		fs_query_reply(req, fs, n);
}

static void dir_lookup(fuse_req_t req, struct fs *fs, struct fs_node *parent,
		       const char *name)
{
	const char *dir = parent->path ? parent->path : "";
	char path[4096];
	struct stat st;

	if ((size_t)snprintf(path, sizeof(path), "%s%s%s", dir, *dir ? "/" : "",
			     name) >= sizeof(path)) {
		fuse_reply_err(req, ENAMETOOLONG);
		return;
	}
	if (fstatat(fs->files_fd, path, &st, AT_SYMLINK_NOFOLLOW) < 0)
		fuse_reply_err(req, errno);
	else if (S_ISDIR(st.st_mode))
		reply_folder(req, fs, path);
	else
		reply_query(req, fs, path);
}

static void dir_readdir(fuse_req_t req, struct fs *fs, struct fs_handle *h,
			size_t size, off_t off, int plus)
{
	static const char *const NAMES[] = {".", ".."};

	(void)h;
	fs_list_names(req, fs, NAMES, 2, size, off, plus);
}

static void dir_stat(struct fs *fs, struct fs_node *n, struct stat *st)
{
	fs_virtual_stat(fs, n, S_IFDIR | 0555, 0, st);
}

const struct fs_kind FS_SIMILAR_DIR = {
	.name = ".rankfs/similar/",
	.lookup = dir_lookup,
	.getattr = fs_virtual_dir_getattr,
	.release = fs_blob_release,
	.readdir = dir_readdir,
	.forget = dir_free,
	.stat = dir_stat,
};
