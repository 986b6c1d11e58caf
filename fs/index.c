/* SPDX-License-Identifier: MIT */
/* An index as it is mounted: its root and the fixed nodes below it. */
#include "fs.h"
#include "options.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int make_nodes(struct fs_index *x, const struct fs_kind *root)
{
	x->root = fs_node_virtual(x, root);
	if (!x->root)
		return -ENOMEM;
	x->root->type = S_IFDIR;
	if (!(x->events = fs_events_new()))
		return -ENOMEM;
	return fs_control_init(x);
}

int fs_index_open(struct fs *fs, const char *name, const char *path,
		  struct fs_index **out)
{
	struct fs_index *x = calloc(1, sizeof(*x));
	int rc = -ENOMEM;

	if (x && (x->path = strdup(path))) {
		x->fs = fs;
		rc = rk_index_open(fs_env(), fs->backing, name,
				   fs->read_only ? RK_READ_ONLY : 0, &x->ix);
	}
	if (rc == 0) {
		rk_index_set_mount(x->ix, fs->mountpoint);
		x->files_fd = rk_index_files_fd(x->ix);
		rc = make_nodes(x, &FS_DOCUMENT);
	}
	if (rc == 0) {
		*out = x;
		x->root->nlookup = 1;
		fs_saved_follow(x);
		rk_listen(x->ix, fs_live_wake, fs);
	}
	if (rc < 0)
		fs_index_close(x);
	return rc;
}

int fs_index_open_at(struct fs_index *of, uint64_t checkpoint,
		     struct fs_index **out)
{
	struct fs_index *x = calloc(1, sizeof(*x));
	int rc = -ENOMEM;

	if (x && (x->path = strdup(of->path))) {
		x->fs = of->fs;
		x->checkpoint = checkpoint;
		rc = rk_index_open_at(fs_env(), of->fs->backing, "main",
				      checkpoint, &x->ix);
	}
	if (rc == 0) {
		x->files_fd = rk_index_files_fd(x->ix);
		rc = make_nodes(x, &FS_AT_ROOT);
	}
	if (rc == 0) {
		x->root->ino = ((ino_t)0x7a << 56) | (ino_t)checkpoint;
		*out = x;
	} else {
		fs_index_close(x);
	}
	return rc;
}

int fs_index_in_use(const struct fs_index *x)
{
	if (x->root->nlookup || x->query_dir->nlookup || x->find_dir->nlookup)
		return 1;
	for (size_t i = 0; i < FS_KEYED_BUCKETS; i++)
		for (struct fs_node *n = x->fs->keyed[i]; n; n = n->chain)
			if (n->index == x)
				return 1;
	return 0;
}

int fs_index_close(struct fs_index *x)
{
	int rc;

	if (!x)
		return 0;
	for (int i = 0; i < FS_AT_MAX; i++)
		fs_index_close(x->at[i]);
	rc = rk_index_close(x->ix);
	fs_events_free(x->events);
	fs_control_release(x);
	free(x->root);
	free(x->path);
	free(x);
	return rc;
}

void fs_index_each(struct fs *fs, void (*fn)(struct fs_index *x, void *ctx),
		   void *ctx)
{
	fn(fs->main, ctx);
}

int fs_is_owner(const struct fs_index *x, uid_t uid)
{
	return uid == 0 || uid == x->fs->uid;
}
