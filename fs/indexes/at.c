/* SPDX-License-Identifier: MIT */
/*
 * .rankfs/at/<checkpoint>/: the index as a retained checkpoint has it, with
 * query/ and find/ of its own. It is opened with the first lookup, for
 * reading, and closed with the mount; the last FS_AT_MAX stay open.
 */
#include "fs/indexes/at.h"
#include "fs/base/errno.h"
#include "fs/base/node.h"
#include "fs/base/options.h"
#include "fs/base/pool.h"
#include "fs/base/tree.h"
#include "fs/indexes/index.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CHECKPOINTS = 100 };

/* --- which there are --- */

static int at_list(struct fs_node *dir, const _Atomic int *cancel,
		   struct rk_buf *b)
{
	struct rk_checkpoint v[CHECKPOINTS];
	int n = rk_checkpoints(dir->index->ix, v, CHECKPOINTS);

	(void)cancel;
	while (n-- > 0) {
		char name[24];

		snprintf(name, sizeof(name), "%llu",
			 (unsigned long long)v[n].number);
		fs_list_add(b, 'd', name);
	}
	return 0;
}

/* --- one of them --- */

static struct fs_index *find_open(struct fs_index *x, uint64_t number)
{
	for (int i = 0; i < FS_AT_MAX; i++)
		if (x->at[i] && x->at[i]->checkpoint == number)
			return x->at[i];
	return NULL;
}

/* A place for one more: free, or of one that nobody has a file of. */
static struct fs_index **place(struct fs_index *x)
{
	for (int i = 0; i < FS_AT_MAX; i++) {
		if (!x->at[i])
			return &x->at[i];
		if (x->at[i]->busy == 0 && !fs_index_in_use(x->at[i])) {
			fs_index_free(x->at[i]);
			x->at[i] = NULL;
			return &x->at[i];
		}
	}
	return NULL;
}

int fs_index_open_at(struct fs_index *of, uint64_t checkpoint,
		     struct fs_index **out)
{
	struct fs_index *x =
		fs_index_new(of->fs, of->name, of->path, &FS_AT_ROOT);
	int rc = x ? rk_index_open_at(fs_env(), of->fs->backing, of->name,
				      checkpoint, &x->ix)
		   : -ENOMEM;

	if (rc < 0) {
		fs_index_free(x);
		return rc;
	}
	x->uid = of->uid;
	x->gid = of->gid;
	x->mode = of->mode;
	x->checkpoint = checkpoint;
	x->files_fd = rk_index_files_fd(x->ix);
	x->root->ino = ((ino_t)0x7a << 56) | (ino_t)checkpoint;
	*out = x;
	return 0;
}

struct at_job {
	struct fs_job job;
	fuse_req_t req;
	struct fs_index *x;
	uint64_t number;
};

/* Opening reads files: off the loop. Two may open the same one. */
static void at_run(struct fs_job *job)
{
	struct at_job *j = (struct at_job *)job;
	struct fs *fs = j->x->fs;
	struct fs_index *a = NULL, *there, **slot;
	struct stat st;
	int rc = fs_index_open_at(j->x, j->number, &a);

	pthread_mutex_lock(&fs->loop);
	there = find_open(j->x, j->number);
	if (rc == 0 && !there && (slot = place(j->x)) != NULL) {
		*slot = there = a;
		a = NULL;
	}
	if (there) {
		there->root->nlookup++;
		fs_virtual_stat(there->root, S_IFDIR | 0555, 0, &st);
		fs_reply_virtual(j->req, fs, there->root, &st, fs->timeout);
	} else {
		fuse_reply_err(j->req, rc < 0 ? fs_errno(rc) : EBUSY);
	}
	pthread_mutex_unlock(&fs->loop);
	fs_index_free(a);
	free(j);
}

static void at_lookup(fuse_req_t req, struct fs *fs, struct fs_node *dir,
		      const char *name)
{
	struct at_job *j;
	char *end;
	unsigned long long number = strtoull(name, &end, 10);

	if (*name < '1' || *name > '9' || *end) {
		fuse_reply_err(req, ENOENT);
		return;
	}
	if (!(j = calloc(1, sizeof(*j)))) {
		fuse_reply_err(req, ENOMEM);
		return;
	}
	*j = (struct at_job){
		{.run = at_run, .x = dir->index}, req, dir->index, number};
	fs_pool_add_for(fs->pool, req, &j->job);
}

const struct fs_kind FS_AT_DIR = {
	.name = ".rankfs/at/",
	.lookup = at_lookup,
	.list = at_list,
};

static void root_lookup(fuse_req_t req, struct fs *fs, struct fs_node *root,
			const char *name)
{
	(void)fs;
	fs_fixed_reply(req, fs_fixed_find(root->index, FS_IN_AT, name));
}

static int root_list(struct fs_node *root, const _Atomic int *cancel,
		     struct rk_buf *b)
{
	(void)cancel;
	fs_fixed_list(root->index, FS_IN_AT, b);
	return 0;
}

const struct fs_kind FS_AT_ROOT = {
	.name = ".rankfs/at/<checkpoint>/",
	/* of its .rankfs/ only README is ever seen, in its query/ */
	.in = FS_IN_AT | FS_IN_CONTROL,
	.lookup = root_lookup,
	.list = root_list,
};
