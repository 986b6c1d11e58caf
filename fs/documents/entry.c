/* SPDX-License-Identifier: MIT */
/*
 * A document as the kernel knows it: its entry, its attributes. And what the
 * index is told of it: each change in the request that makes it final.
 */
#include "fs/base/mounted.h"
#include "fs/base/node.h"
#include "fs/base/tree.h"
#include "fs/documents/documents.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>

/* --- telling the index --- */

int fs_touch(struct fs_index *x, const char *path, unsigned flags,
	     uint64_t *seq)
{
	x->fs->epoch++; /* answers over all are to wait for it */
	return rk_touch(x->ix, path, flags, seq);
}

int fs_doc_touch(const struct fs_node *n, uint64_t *seq)
{
	char path[FS_DOC_PATH];
	int rc = fs_node_path(n, path, sizeof(path));

	/* unlinked, or too deep: stored, and nothing to be found by */
	if (rc < 0 || !S_ISREG(n->type))
		return 0;
	return fs_touch(n->index, path, 0, seq);
}

int fs_doc_touch_child(const struct fs_node *parent, const char *name,
		       unsigned flags)
{
	char path[FS_DOC_PATH];

	if (fs_child_path(parent, name, path, sizeof(path)) < 0)
		return 0;
	return fs_touch(parent->index, path, flags, NULL);
}

int fs_doc_renamed(const struct fs_node *p, const char *name,
		   const struct fs_node *to, const char *to_name,
		   unsigned flags)
{
	char a[FS_DOC_PATH], b[FS_DOC_PATH];

	if (fs_child_path(p, name, a, sizeof(a)) < 0)
		return fs_doc_touch_child(to, to_name, flags);
	if (fs_child_path(to, to_name, b, sizeof(b)) < 0)
		return fs_doc_touch_child(p, name, flags);
	p->index->fs->epoch++;
	return rk_renamed(p->index->ix, a, b, flags, NULL);
}

int fs_doc_touch_handle(struct fs_handle *h, uint64_t *seq)
{
	int dirty = h->dirty, fresh = h->fresh, rc;

	/* before: a write may come meanwhile */
	h->dirty = h->fresh = 0;
	if ((rc = fs_doc_touch(h->node, seq)) < 0) {
		h->dirty |= dirty;
		h->fresh |= fresh;
	}
	return rc;
}

/* --- looking up --- */

int fs_doc_stat(struct fs *fs, struct fs_node *n, struct stat *st)
{
	const char *name = "";
	int dir = -1, flags;

	if (n == n->index->root)
		return fs_index_stat(n->index, st);
	for (struct fs_handle *h = n->open; h; h = h->next)
		if (h->fd >= 0 && fstat(h->fd, st) == 0)
			return 0;
	flags = fs_node_at(fs, n, &dir, &name);
	if (flags < 0)
		return flags;
	return fstatat(dir, name, st, flags) < 0 ? -errno : 0;
}

static void fill_entry(struct fs *fs, struct fs_node *n, const struct stat *st,
		       struct fuse_entry_param *e)
{
	memset(e, 0, sizeof(*e));
	e->ino = fs_nodeid(fs, n);
	e->attr = *st;
	e->attr_timeout = e->entry_timeout = fs->timeout;
}

/* Look a document up and count one more kernel reference. 0 or -errno. */
int fs_doc_entry(struct fs *fs, struct fs_node *parent, const char *name,
		 struct fuse_entry_param *e)
{
	int dir = fs_node_dirfd(fs, parent);
	struct fs_node *n;
	struct stat st;

	if (dir < 0)
		return dir;
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	n = fs_node_get(fs, parent, name, &st);
	if (!n)
		return -ENOMEM;
	fill_entry(fs, n, &st, e);
	return 0;
}

void fs_doc_reply_entry(fuse_req_t req, struct fs *fs, struct fs_node *parent,
			const char *name)
{
	struct fuse_entry_param e = {.ino = 0};
	int rc = fs_doc_entry(fs, parent, name, &e);

	if (rc < 0)
		fuse_reply_err(req, -rc);
	else if (fuse_reply_entry(req, &e) == -ENOENT)
		fs_node_forget(fs, fs_node(fs, e.ino), 1);
}

void fs_doc_lookup(fuse_req_t req, struct fs *fs, struct fs_node *parent,
		   const char *name)
{
	struct fs_node *v =
		parent == parent->index->root
			? fs_fixed_find(parent->index, FS_IN_ROOT, name)
			: NULL;

	if (v)
		fs_fixed_reply(req, v);
	else
		fs_doc_reply_entry(req, fs, parent, name);
}

void fs_doc_getattr(fuse_req_t req, struct fs *fs, struct fs_node *n)
{
	struct stat st;
	int rc = fs_doc_stat(fs, n, &st);

	if (rc < 0)
		fuse_reply_err(req, -rc);
	else
		fuse_reply_attr(req, &st, fs->timeout);
}
