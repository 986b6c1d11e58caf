/* SPDX-License-Identifier: MIT */
/* An index as it is mounted: its root and the fixed nodes below it. */
#include "fs.h"
#include "options.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int make_nodes(struct fs_index *x)
{
	x->root = fs_node_virtual(x, &FS_DOCUMENT);
	if (!x->root)
		return -ENOMEM;
	x->root->type = S_IFDIR;
	x->root->nlookup = 1;
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
		rc = make_nodes(x);
	}
	if (rc == 0) {
		*out = x;
		fs_saved_follow(x);
		rk_listen(x->ix, fs_live_wake, fs);
	}
	if (rc < 0)
		fs_index_close(x);
	return rc;
}

int fs_index_close(struct fs_index *x)
{
	int rc;

	if (!x)
		return 0;
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
