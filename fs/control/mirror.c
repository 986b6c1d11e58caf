/* SPDX-License-Identifier: MIT */
/*
 * Folders in .rankfs/ that mirror those of the documents: similar/<path> is
 * what is like a document, chunks/<path>/ what it was cut into, text/<path> its
 * text. They are found by name and not listed.
 */
#include "fs/control/mirror.h"
#include "base/hash.h"
#include "fs/base/node.h"
#include "fs/base/tree.h"
#include "fs/control/text.h"
#include "fs/query/query.h"
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void fs_mirror_reply_dir(fuse_req_t req, struct fs_index *x,
			 const struct fs_kind *kind, const char *path)
{
	struct fs_node *n = fs_keyed_node(x, kind, NULL, path);
	struct stat st;

	if (!n) {
		fuse_reply_err(req, ENOMEM);
		return;
	}
	n->nlookup++;
	fs_node_stat(n, &st);
	fs_reply_virtual(req, x->fs, n, &st, x->fs->timeout);
}

static void similar_leaf(fuse_req_t req, struct fs_index *x, const char *path)
{
	char text[4096 + 16];
	struct fs_node *n;

	if (strchr(path, '"')) { /* a quoted value cannot hold one */
		fuse_reply_err(req, ENOENT);
		return;
	}
	snprintf(text, sizeof(text), "like:\"%s\"", path);
	if (!(n = fs_view_node(x, &FS_QUERY_FILE, text)))
		fuse_reply_err(req, ENOMEM);
	else
		fs_view_reply(req, x->fs, n, NULL);
}

static void chunks_leaf(fuse_req_t req, struct fs_index *x, const char *path)
{
	fs_mirror_reply_dir(req, x, &FS_CHUNKS, path);
}

/* -ELOOP if the link is none of a source. */
static int stat_source(struct fs_index *x, const char *name, struct stat *st)
{
	char path[NAME_MAX + 2];

	snprintf(path, sizeof(path), "%s/", name);
	return rk_stat_document(x->ix, path, st);
}

static void lookup(fuse_req_t req, struct fs_node *parent, const char *name,
		   void (*leaf)(fuse_req_t, struct fs_index *, const char *))
{
	struct fs_index *x = parent->index;
	const char *dir = parent->text ? parent->text : "";
	char path[4096];
	struct stat st;
	int rc;

	if ((size_t)snprintf(path, sizeof(path), "%s%s%s", dir, *dir ? "/" : "",
			     name) >= sizeof(path)) {
		fuse_reply_err(req, ENAMETOOLONG);
		return;
	}
	rc = rk_stat_document(x->ix, path, &st);
	if (rc == 0 && !*dir && S_ISLNK(st.st_mode)) /* a linked source? */
		rc = stat_source(x, name, &st);
	if (rc < 0)
		fuse_reply_err(req, rc == -ELOOP ? ENOENT : -rc);
	else if (S_ISDIR(st.st_mode))
		fs_mirror_reply_dir(req, x, parent->kind, path);
	else
		leaf(req, x, path);
}

static void similar_lookup(fuse_req_t req, struct fs *fs,
			   struct fs_node *parent, const char *name)
{
	(void)fs;
	lookup(req, parent, name, similar_leaf);
}

static void chunks_lookup(fuse_req_t req, struct fs *fs, struct fs_node *parent,
			  const char *name)
{
	(void)fs;
	lookup(req, parent, name, chunks_leaf);
}

static void text_lookup(fuse_req_t req, struct fs *fs, struct fs_node *parent,
			const char *name)
{
	(void)fs;
	lookup(req, parent, name, fs_text_reply);
}

#define MIRROR(id, path, find)                                                 \
	const struct fs_kind id = {                                            \
		.name = path,                                                  \
		.lookup = find,                                                \
	}
MIRROR(FS_SIMILAR_DIR, ".rankfs/similar/", similar_lookup);
MIRROR(FS_CHUNKS_DIR, ".rankfs/chunks/", chunks_lookup);
MIRROR(FS_TEXT_DIR, ".rankfs/text/", text_lookup);
