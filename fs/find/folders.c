/* SPDX-License-Identifier: MIT */
/*
 * A folder of results. A listing searches, unless nothing has changed; what it
 * showed stays until the next one, so that names and sizes fit each other for
 * whoever copies it.
 */
#include "fs/base/caller.h"
#include "fs/base/errno.h"
#include "fs/base/names.h"
#include "fs/base/node.h"
#include "fs/base/pool.h"
#include "fs/base/tree.h"
#include "fs/find/find.h"
#include "fs/find/found.h"
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FRESH_NS 2000000000u

/* --- results of a folder --- */

struct fs_found *fs_find_shown(struct fs_node *dir, int *current)
{
	struct rk_index *ix = dir->index->ix;
	struct fs_found *f;

	pthread_mutex_lock(&dir->index->fs->answers);
	f = dir->found ? fs_found_ref(dir->found) : NULL;
	*current = f && f->complete && !dir->stale &&
		   dir->saved_epoch == dir->index->saved_epoch;
	pthread_mutex_unlock(&dir->index->fs->answers);
	*current = *current && rk_pending(ix) == 0 &&
		   f->generation == rk_generation(ix);
	return f;
}

/* Somebody is going through the names of the last listing. */
static int is_used(struct fs_found *f)
{
	uint64_t now = rk_mono_ns(), last = f->used_ns;

	f->used_ns = now;
	return now - last < FRESH_NS;
}

/* Off the loop: results for a listing, or for a name of the last one. */
static int results(struct fs_node *dir, int listing, const _Atomic int *cancel,
		   struct fs_found **out)
{
	struct rk_search_opts opts = {
		.size = sizeof(opts), .wait_ms = -1, .cancel = cancel};
	struct fs *fs = dir->index->fs;
	struct fs_scope s;
	uint64_t epoch;
	int rc, current;

	*out = fs_find_shown(dir, &current);
	if (*out && (current || (!listing && is_used(*out))))
		return 0;
	fs_found_unref(*out);
	*out = NULL;
	epoch = dir->index->saved_epoch;
	if ((rc = fs_scope_of(dir->index, dir->text, &s)) < 0 ||
	    (rc = fs_found_search(dir->index, s.query,
				  *s.saved ? s.saved : NULL, &opts, out)) < 0)
		return rc;
	pthread_mutex_lock(&fs->answers);
	if (!dir->found || dir->found->hash != (*out)->hash)
		dir->mtime = (*out)->made;
	fs_found_unref(dir->found);
	(*out)->used_ns = rk_mono_ns();
	dir->found = fs_found_ref(*out);
	dir->stale = 0;
	dir->saved_epoch = epoch;
	pthread_mutex_unlock(&fs->answers);
	return 0;
}

static int is_gone(struct fs *fs, const struct fs_entry *e)
{
	int gone;

	pthread_mutex_lock(&fs->answers);
	gone = e->gone;
	pthread_mutex_unlock(&fs->answers);
	return gone;
}

struct fs_entry *fs_find_entry(struct fs *fs, struct fs_found *f,
			       const char *name)
{
	for (size_t i = 0; i < f->n; i++)
		if (strcmp(f->v[i].name, name) == 0)
			return is_gone(fs, &f->v[i]) ? NULL : &f->v[i];
	return NULL;
}

/* Names of results begin with their number. */
static int is_numbered(const char *name)
{
	size_t digits = strspn(name, "0123456789");

	return digits >= 2 && name[digits] == '-';
}

/* --- the folder --- */

/* A lookup of name. */
struct find_job {
	struct fs_job job;
	fuse_req_t req;
	struct fs_node *dir;
	int links; /* the entries are links to documents */
	_Atomic int cancel;
	char name[];
};

static void interrupted(fuse_req_t req, void *data)
{
	struct find_job *j = data;

	(void)req;
	j->cancel = 1;
}

/* The folder that holds the results: of files/ the one above. */
static struct fs_node *results_dir(struct fs_node *dir)
{
	const char *name = strrchr(dir->text, '/');
	struct fs_node *up;
	struct fs_scope s;
	char *path;

	/* by-dir/files is a value: only the scope tells them apart */
	if (!name || fs_scope_of(dir->index, dir->text, &s) < 0 || !s.files)
		return dir;
	if (!(path = strndup(dir->text, (size_t)(name - dir->text))))
		return NULL;
	up = fs_find_dir(dir->index, path);
	free(path);
	return up;
}

/* A reference to it; NULL: no memory. Off the loop. */
static struct fs_node *take_owner(struct fs_node *dir)
{
	struct fs *fs = dir->index->fs;
	struct fs_node *owner;

	pthread_mutex_lock(&fs->loop);
	if ((owner = results_dir(dir)) != NULL)
		owner->nlookup++;
	pthread_mutex_unlock(&fs->loop);
	return owner;
}

static void give_owner(struct fs_node *owner)
{
	struct fs *fs = owner->index->fs;

	pthread_mutex_lock(&fs->loop);
	fs_node_forget(fs, owner, 1);
	pthread_mutex_unlock(&fs->loop);
}

/* --- looking up --- */

static void reply_entry(struct find_job *j, struct fs_node *owner)
{
	struct fs *fs = owner->index->fs;
	struct fs_found *f = NULL;
	int rc = results(owner, 0, &j->cancel, &f);
	struct fs_entry *e = rc == 0 ? fs_find_entry(fs, f, j->name) : NULL;

	pthread_mutex_lock(&fs->loop);
	if (rc < 0 || !e)
		fuse_reply_err(j->req, rc < 0 ? fs_errno(rc) : ENOENT);
	else
		fs_find_reply(j->req, fs,
			      j->links ? fs_find_link(owner, e)
				       : fs_find_file(owner, e));
	pthread_mutex_unlock(&fs->loop);
	fs_found_unref(f);
}

static void lookup_run(struct fs_job *job)
{
	struct find_job *j = (struct find_job *)job;
	struct fs_node *owner = take_owner(j->dir);

	if (owner) {
		reply_entry(j, owner);
		give_owner(owner);
	} else {
		fuse_reply_err(j->req, ENOMEM);
	}
	free(j);
}

static struct find_job *job_new(fuse_req_t req, struct fs_node *dir,
				const char *name)
{
	struct find_job *j = calloc(1, sizeof(*j) + strlen(name) + 1);

	if (!j) {
		fuse_reply_err(req, ENOMEM);
		return NULL;
	}
	strcpy(j->name, name);
	j->job.run = lookup_run;
	j->job.x = dir->index;
	j->req = req;
	j->dir = dir;
	fuse_req_interrupt_func(req, interrupted, j);
	return j;
}

static void folder_lookup(fuse_req_t req, struct fs *fs, struct fs_node *dir,
			  const char *name)
{
	struct fs_scope s;
	struct find_job *j;
	int rc = fs_scope_of(dir->index, dir->text, &s);

	dir->used_ns = rk_mono_ns();
	if (rc < 0) {
		fuse_reply_err(req, fs_errno(rc));
	} else if (s.files || (s.facet < 0 && is_numbered(name))) {
		if ((j = job_new(req, dir, name)) == NULL)
			return;
		j->links = s.files || s.value;
		fs_run(fs, req, &j->job);
	} else if (fs_is_probe(name, fuse_req_ctx(req)->pid) ||
		   (*s.saved && fs_is_making(fuse_req_ctx(req)->pid))) {
		fuse_reply_err(req, ENOENT);
	} else {
		fs_find_reply_dir(req, dir, name);
	}
}

/* --- listing --- */

static int list_facet(struct fs_node *dir, const struct fs_scope *s,
		      const _Atomic int *cancel, struct rk_buf *b)
{
	struct rk_search_opts opts = {
		.size = sizeof(opts), .wait_ms = -1, .cancel = cancel};
	struct rk_buf values = RK_BUF_INIT;
	int rc = fs_found_facet(dir->index, s->query, (enum fs_facet)s->facet,
				&opts, &values);

	if (rc == 0)
		fs_list_add_all(b, 'd', &values);
	rk_buf_release(&values);
	return rc;
}

static int list_results(struct fs_node *owner, int links,
			const _Atomic int *cancel, struct rk_buf *b)
{
	struct fs_found *f = NULL;
	int rc = results(owner, 1, cancel, &f);

	if (rc < 0)
		return rc;
	for (size_t i = 0; i < f->n; i++)
		if (!is_gone(owner->index->fs, &f->v[i]))
			fs_list_add(b, links ? 'l' : 'f', f->v[i].name);
	if (!links && f->n) {
		fs_list_add(b, 'd', "files");
		for (int i = 0; i < FS_FACETS; i++)
			fs_list_add(b, 'd', FS_FACET_NAMES[i]);
	}
	fs_found_unref(f);
	return 0;
}

static int folder_list(struct fs_node *dir, const _Atomic int *cancel,
		       struct rk_buf *b)
{
	struct fs_node *owner;
	struct fs_scope s;
	int rc = fs_scope_of(dir->index, dir->text, &s);

	if (rc < 0)
		return rc;
	if (s.facet >= 0)
		return list_facet(dir, &s, cancel, b);
	if (!(owner = take_owner(dir)))
		return -ENOMEM;
	rc = list_results(owner, s.files || s.value, cancel, b);
	give_owner(owner);
	return rc;
}

const struct fs_kind FS_FIND = {
	.name = "find/<text>/",
	.lookup = folder_lookup,
	.mode = 0755, /* its owner takes results out, puts documents in */
	.list = folder_list,
	.list_later = 1,
	.symlink = fs_feedback_symlink,
	.link = fs_feedback_link,
	.unlink = fs_feedback_unlink,
	.forget = fs_find_forget,
};
