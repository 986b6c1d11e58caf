/* SPDX-License-Identifier: MIT */
/* What a reader says of single results: rm demotes a document, ln pins it. */
#include "fs/base/capabilities.h"
#include "fs/base/errno.h"
#include "fs/base/errors.h"
#include "fs/base/mounted.h"
#include "fs/base/node.h"
#include "fs/documents/documents.h"
#include "fs/find/find.h"
#include "fs/find/found.h"
#include <errno.h>
#include <string.h>

/* The saved query whose folder this is; else the refusal is replied. */
static int take_saved(fuse_req_t req, struct fs_node *dir, struct fs_scope *s)
{
	uid_t uid = fuse_req_ctx(req)->uid;
	const char *why = NULL;

	if (fs_scope_of(dir->index, dir->text, s) < 0 || !*s->saved || s->files)
		why = "only results of a saved query can be removed or pinned: "
		      "ln -s \"the query\" query/NAME, then find/NAME";
	else if (!fs_may(dir->index, uid, FS_DO_SAVE))
		why = fs_may_not(FS_DO_SAVE);
	if (!why)
		return 1;
	fs_remember_error(dir->index->fs, uid, why);
	fuse_reply_err(req, EPERM);
	return 0;
}

void fs_feedback_unlink(fuse_req_t req, struct fs *fs, struct fs_node *dir,
			const char *name)
{
	struct fs_found *f;
	struct fs_entry *e;
	struct fs_scope s;
	int rc, current;

	if (!take_saved(req, dir, &s))
		return;
	f = fs_find_shown(dir, &current);
	e = f ? fs_find_entry(fs, f, name) : NULL;
	rc = e ? rk_saved_mark(dir->index->ix, s.saved, e->path,
			       RK_FEEDBACK_DEMOTED)
	       : -ENOENT;
	if (rc == 0) {
		pthread_mutex_lock(&fs->answers);
		for (size_t i = 0; i < f->n; i++)
			if (strcmp(f->v[i].path, e->path) == 0)
				f->v[i].gone = 1;
		dir->stale = 1;
		pthread_mutex_unlock(&fs->answers);
	}
	fs_found_unref(f);
	fuse_reply_err(req, fs_errno(rc));
}

/* 0 and the folder shows the document from its next listing on. */
static int pin(struct fs_node *dir, const char *saved, const char *path)
{
	int rc = rk_saved_mark(dir->index->ix, saved, path, RK_FEEDBACK_PINNED);

	pthread_mutex_lock(&dir->index->fs->answers);
	dir->stale = 1;
	pthread_mutex_unlock(&dir->index->fs->answers);
	return rc;
}

void fs_feedback_link(fuse_req_t req, struct fs *fs, struct fs_node *what,
		      struct fs_node *dir, const char *name)
{
	struct fuse_entry_param e = {.ino = 0};
	char path[4096];
	struct fs_scope s;
	int rc;

	(void)name;
	if (!take_saved(req, dir, &s))
		return;
	if (!what->kind->document || what->index != dir->index) {
		fuse_reply_err(req, EXDEV);
		return;
	}
	rc = fs_node_path(what, path, sizeof(path));
	if (rc == 0)
		rc = fs_doc_stat(fs, what, &e.attr);
	if (rc == 0)
		rc = pin(dir, s.saved, path);
	if (rc < 0) {
		fuse_reply_err(req, fs_errno(rc));
		return;
	}
	/* the new name is the document's until it is looked up again */
	e.ino = fs_nodeid(fs, what);
	what->nlookup++;
	if (fuse_reply_entry(req, &e) < 0)
		fs_node_forget(fs, what, 1);
}

void fs_feedback_symlink(fuse_req_t req, struct fs *fs, struct fs_node *dir,
			 const char *name, const char *target)
{
	size_t n = strlen(dir->index->path);
	struct fs_node *link;
	struct fs_scope s;
	int rc;

	(void)name;
	if (!take_saved(req, dir, &s))
		return;
	if (strncmp(target, dir->index->path, n) != 0 || target[n] != '/') {
		fs_remember_error(fs, fuse_req_ctx(req)->uid,
				  "not the absolute path of a document here");
		fuse_reply_err(req, EINVAL);
		return;
	}
	if ((rc = pin(dir, s.saved, target + n + 1)) < 0) {
		fuse_reply_err(req, fs_errno(rc));
		return;
	}
	link = fs_keyed_node(dir->index, &FS_FOUND_LINK, NULL, target);
	fs_find_reply(req, fs, link);
}
