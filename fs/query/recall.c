/* SPDX-License-Identifier: MIT */
/*
 * recall/<text>: the content of the document that was put away for this
 * question, or ENOENT. Unlike query/ the name is judged when it is looked up:
 * whether it is there is the answer.
 */
#include "fs/base/caller.h"
#include "fs/base/errno.h"
#include "fs/base/file.h"
#include "fs/base/names.h"
#include "fs/base/node.h"
#include "fs/base/pool.h"
#include "fs/base/tree.h"
#include "fs/query/folder.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PATH_BYTES = 4096, CONTENT_MAX = 64 << 20, READ_BYTES = 65536 };

/* --- the document behind a name --- */

static int hit_stat(const struct fs_use *u, struct stat *st)
{
	struct stat d;

	if (fstatat(u->x->files_fd, u->n->text, &d, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	st->st_size = d.st_size;
	st->st_mtim = d.st_mtim;
	return 0;
}

static void hit_read(const struct fs_use *u, struct rk_buf *b)
{
	int fd = openat(u->x->files_fd, u->n->text,
			O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	ssize_t n = -1;

	while (fd >= 0 && b->n < CONTENT_MAX &&
	       rk_buf_reserve(b, READ_BYTES) == 0 &&
	       (n = pread(fd, b->p + b->n, READ_BYTES, (off_t)b->n)) > 0)
		b->n += (size_t)n;
	if (fd >= 0)
		close(fd);
	if (n < 0)
		b->err = -ENOENT;
}

static const struct fs_file HIT = {
	.name = "recall",
	.mode = 0444,
	.read = hit_read,
	.stat = hit_stat,
};

/* --- the folder --- */

struct recall_job {
	struct fs_job job;
	fuse_req_t req;
	struct fs_index *x;
	_Atomic int cancel;
	char names[];
};

static void interrupted(fuse_req_t req, void *data)
{
	struct recall_job *j = data;

	(void)req;
	j->cancel = 1;
}

/* The document's node: whatever the question was. Nodes are the loop's. */
static void reply(struct recall_job *j, const char *path)
{
	struct fs *fs = j->x->fs;
	struct fs_node *n;
	struct stat st;
	int rc = -ENOMEM;

	pthread_mutex_lock(&fs->loop);
	n = fs_file_node(j->x, &HIT, path);
	if (n)
		n->nlookup++;
	if (n && (rc = fs_file_stat(n, &st)) == 0)
		fs_reply_virtual(j->req, fs, n, &st, 0);
	else
		fuse_reply_err(j->req, -rc);
	if (n && rc < 0)
		fs_node_forget(fs, n, 1);
	pthread_mutex_unlock(&fs->loop);
}

static void recall(struct recall_job *j)
{
	struct rk_search_opts opts = {.size = sizeof(opts),
				      .wait_ms = -1,
				      .cancel = &j->cancel,
				      .no_excerpts = 1};
	char path[PATH_BYTES] = "", text[FS_QUERY_BYTES + 1];
	size_t n = fs_decode_name(j->names, text);
	double score;
	int rc =
		rk_recall(j->x->ix, text, n, &opts, path, sizeof(path), &score);

	fuse_req_interrupt_func(j->req, NULL, NULL);
	if (rc == 1)
		reply(j, path);
	else
		fuse_reply_err(j->req, rc < 0 ? fs_errno(rc) : ENOENT);
}

static void reply_slash(struct recall_job *j)
{
	struct fs *fs = j->x->fs;

	fuse_req_interrupt_func(j->req, NULL, NULL);
	pthread_mutex_lock(&fs->loop);
	fs_slashes_reply(j->req, j->x, &FS_RECALL_SLASH, j->names);
	pthread_mutex_unlock(&fs->loop);
}

static void recall_run(struct fs_job *job)
{
	struct recall_job *j = (struct recall_job *)job;

	if (fs_caller_aim(fuse_req_ctx(j->req)->pid, "recall", j->names) ==
	    FS_AIM_BEYOND)
		reply_slash(j);
	else if (fs_slashes_probe(j->names, fuse_req_ctx(j->req)->pid))
		fuse_reply_err(j->req, ENOENT);
	else
		recall(j);
	free(j);
}

static void dir_lookup(fuse_req_t req, struct fs *fs, struct fs_node *parent,
		       const char *name)
{
	char names[FS_QUERY_BYTES + 1];
	int rc = fs_slashes_join(parent, name, fuse_req_ctx(req)->pid, names);
	struct recall_job *j =
		rc < 0 ? NULL : calloc(1, sizeof(*j) + strlen(names) + 1);

	if (!j) {
		fuse_reply_err(req, rc < 0 ? -rc : ENOMEM);
		return;
	}
	strcpy(j->names, names);
	j->job.run = recall_run;
	j->job.x = parent->index;
	j->req = req;
	j->x = parent->index;
	fuse_req_interrupt_func(req, interrupted, j);
	fs_run(fs, req, &j->job);
}

#define RECALL(id, path)                                                       \
	const struct fs_kind id = {                                            \
		.name = path,                                                  \
		.lookup = dir_lookup,                                          \
	}
RECALL(FS_RECALL_DIR, "recall/");
RECALL(FS_RECALL_SLASH, "recall/<text>/");
