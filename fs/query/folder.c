/* SPDX-License-Identifier: MIT */
/*
 * The folder query/: what its names mean, and its listing.
 *
 * A name with slashes is a longer text. To the kernel that is folders, and
 * query/TCP cannot be a file and a folder: which of the two it is told depends
 * on where the path of the caller goes (caller.c). So the kernel must ask each
 * time: no name here may be cached.
 */
#include "fs/query/folder.h"
#include "fs/base/caller.h"
#include "fs/base/names.h"
#include "fs/base/node.h"
#include "fs/base/pool.h"
#include "fs/base/tree.h"
#include "fs/query/query.h"
#include "fs/query/saved.h"
#include "fs/query/toucher.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- names with slashes --- */

int fs_slashes_join(const struct fs_node *parent, const char *name, pid_t pid,
		    char *out)
{
	const char *before = parent->text;
	int n = snprintf(out, FS_QUERY_BYTES + 1, "%s%s%s",
			 before ? before : "", before ? "/" : "", name);

	if (n > FS_QUERY_BYTES)
		return -ENAMETOOLONG;
	return !before && fs_is_probe(name, pid) ? -ENOENT : 0;
}

int fs_slashes_probe(const char *names, pid_t pid)
{
	const char *last = strrchr(names, '/');

	return *names != '=' && last && fs_is_probe(last + 1, pid);
}

void fs_slashes_reply(fuse_req_t req, struct fs_index *x,
		      const struct fs_kind *kind, const char *names)
{
	struct fs_node *n = fs_keyed_node(x, kind, NULL, names);
	struct stat st;

	if (!n) {
		fuse_reply_err(req, ENOMEM);
		return;
	}
	n->nlookup++;
	fs_node_stat(n, &st);
	fs_reply_virtual(req, x->fs, n, &st, 0);
}

/* --- looking up --- */

struct lookup_job {
	struct fs_job job;
	fuse_req_t req;
	struct fs_index *x;
	char names[];
};

/* When the first name is forgotten, so are those behind it. */
static void reply_query(fuse_req_t req, struct fs_index *x, char *names)
{
	char text[FS_QUERY_BYTES + 1];
	struct fs_node *n;

	fs_decode_name(names, text);
	if (x->query_node)
		n = x->query_node(req, x, text);
	else
		n = fs_view_node(x, &FS_QUERY_FILE, text);
	names[strcspn(names, "/")] = '\0';
	if (!n)
		fuse_reply_err(req, ENOMEM);
	else
		fs_view_reply(req, x->fs, n, names);
}

static void lookup_run(struct fs_job *job)
{
	struct lookup_job *j = (struct lookup_job *)job;
	struct fs *fs = j->x->fs;
	pid_t pid = fuse_req_ctx(j->req)->pid;
	enum fs_aim aim = fs_is_toucher(fs, pid)
				  ? FS_AIM_FILE
				  : fs_caller_aim(pid, "query", j->names);

	pthread_mutex_lock(&fs->loop);
	if (aim == FS_AIM_BEYOND)
		fs_slashes_reply(j->req, j->x, &FS_QUERY_SLASH, j->names);
	else if (aim == FS_AIM_MAKE || fs_slashes_probe(j->names, pid))
		fuse_reply_err(j->req, ENOENT);
	else
		reply_query(j->req, j->x, j->names);
	pthread_mutex_unlock(&fs->loop);
	free(j);
}

static void slash_lookup(fuse_req_t req, struct fs *fs, struct fs_node *parent,
			 const char *name)
{
	char names[FS_QUERY_BYTES + 1];
	int rc = fs_slashes_join(parent, name, fuse_req_ctx(req)->pid, names);
	struct lookup_job *j =
		rc < 0 ? NULL : calloc(1, sizeof(*j) + strlen(names) + 1);

	if (!j) {
		fuse_reply_err(req, rc < 0 ? -rc : ENOMEM);
		return;
	}
	strcpy(j->names, names);
	j->job.run = lookup_run;
	j->job.x = j->x = parent->index;
	j->req = req;
	fs_run(fs, &j->job);
}

static void dir_lookup(fuse_req_t req, struct fs *fs, struct fs_node *parent,
		       const char *name)
{
	if (strcmp(name, "README") == 0)
		fs_fixed_reply(req, fs_help(parent->index));
	else if (!fs_saved_lookup(req, parent, name))
		slash_lookup(req, fs, parent, name);
}

const struct fs_kind FS_QUERY_SLASH = {
	.name = "query/<text>/",
	.lookup = slash_lookup,
};

/* --- the folder --- */

/* README and the saved queries. */
static int dir_list(struct fs_node *n, const _Atomic int *cancel,
		    struct rk_buf *b)
{
	struct rk_buf names = RK_BUF_INIT;
	const char *name;
	size_t at = 0;

	(void)cancel;
	fs_list_add(b, 'f', "README");
	if (n->index->ix)
		rk_saved_names(n->index->ix, &names);
	while ((name = rk_buf_next(&names, &at)))
		fs_list_add(b, 'l', name);
	rk_buf_release(&names);
	return 0;
}

const struct fs_kind FS_QUERY_DIR = {
	.name = "query/",
	.lookup = dir_lookup,
	.mode = 0755,
	.list = dir_list,
	.symlink = fs_saved_symlink,
	.unlink = fs_saved_unlink,
	.rename = fs_saved_rename,
};
