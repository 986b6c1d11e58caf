/* SPDX-License-Identifier: MIT */
/*
 * Saved queries: symbolic links in query/ from a name to a query beside it.
 * The index keeps them. `ln -s`, `ln -sf`, `mv` and `rm` make, change, rename
 * and remove them.
 *
 * In query/ every name is there, so that link(2) and rename(2) would find
 * their target taken before they ask us. A lookup by a process that is just
 * now making a name is therefore answered as if nothing were there (caller.c).
 */
#include "fs/query/saved.h"
#include "base/hash.h"
#include "fs/base/capabilities.h"
#include "fs/base/errno.h"
#include "fs/base/errors.h"
#include "fs/base/mounted.h"
#include "fs/base/names.h"
#include "fs/base/node.h"
#include "fs/base/tree.h"
#include "fs/query/followed.h"
#include "fs/query/query.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- the links --- */

/* Its key: the name, a newline, what it points to. */
static const char *target_of(const struct fs_node *n)
{
	return strchr(n->text, '\n') + 1;
}

static void link_stat(struct fs_node *n, struct stat *st)
{
	fs_virtual_stat(n, S_IFLNK | 0777, strlen(target_of(n)), st);
}

static void link_readlink(fuse_req_t req, struct fs *fs, struct fs_node *n)
{
	(void)fs;
	fuse_reply_readlink(req, target_of(n));
}

const struct fs_kind FS_SAVED = {
	.name = "saved query",
	.readlink = link_readlink,
	.stat = link_stat,
};

/* After `ln -sf` a name is another link: names are looked up each time. */
static void reply_link(fuse_req_t req, struct fs_index *x, const char *name)
{
	struct rk_buf key = RK_BUF_INIT;
	struct fs_node *n = NULL;
	struct stat st;

	rk_buf_printf(&key, "%s\n", name);
	rk_saved_text(x->ix, name, &key);
	rk_buf_byte(&key, 0);
	if (!key.err)
		n = fs_keyed_node(x, &FS_SAVED, NULL, (char *)key.p);
	rk_buf_release(&key);
	if (!n) {
		fuse_reply_err(req, ENOMEM);
		return;
	}
	n->nlookup++;
	link_stat(n, &st);
	fs_reply_virtual(req, x->fs, n, &st, 0);
}

int fs_saved_lookup(fuse_req_t req, struct fs_node *dir, const char *name)
{
	if (!dir->index->ix)
		return 0; /* of many indexes: nothing is saved there */
	if (rk_saved_text(dir->index->ix, name, NULL)) {
		reply_link(req, dir->index, name);
		return 1;
	}
	return 0;
}

/* --- changing them --- */

/* Only who mounted saves for all; else the refusal is replied. */
static int may_save(fuse_req_t req, struct fs_index *x)
{
	if (x->ix)
		return fs_may_else_reply(req, x, FS_DO_SAVE);
	fs_remember_error(x->fs, fuse_req_ctx(req)->uid,
			  "queries are saved in an index");
	fuse_reply_err(req, EPERM);
	return 0;
}

static void reply_done(fuse_req_t req, struct fs_index *x, const char *name,
		       int rc)
{
	char err[256];

	if (rc < 0) {
		snprintf(err, sizeof(err), "query/%.100s: %s", name,
			 rk_strerror(rc));
		fs_remember_error(x->fs, fuse_req_ctx(req)->uid, err);
	}
	fuse_reply_err(req, fs_errno(rc));
}

static const char *why_not(const char *name, const char *target)
{
	if (*target == '/' || strncmp(target, "../", 3) == 0)
		return "the target is a query, whose first / is written %2F";
	if (strchr(target, '\n') || strchr(name, '\n'))
		return "a newline is written %0A";
	if (strcmp(name, "README") == 0)
		return "README is taken";
	if (fs_may_be_probe(name))
		return "programs look for that name in every folder";
	if (strlen(target) > FS_QUERY_BYTES || strlen(name) > FS_QUERY_BYTES)
		return "longer than 1024 bytes";
	return NULL;
}

/* The node of what a name stands for, kept; NULL: no memory. */
static struct fs_node *keep(struct fs_index *x, const char *name)
{
	char text[FS_QUERY_BYTES * 4 + 1] = "";
	struct rk_buf target = RK_BUF_INIT;
	struct fs_node *n = NULL;

	rk_saved_text(x->ix, name, &target);
	rk_buf_byte(&target, 0);
	if (!target.err && target.n <= sizeof(text)) {
		fs_decode_name((char *)target.p, text);
		n = fs_view_node(x, &FS_QUERY_FILE, text);
	}
	if (n) {
		n->nlookup++;
		fs_live_add(n, NULL, x->uid);
		fs_live_hold(n);
	}
	rk_buf_release(&target);
	return n;
}

void fs_saved_release(struct fs_index *x)
{
	for (size_t i = 0; i < x->nsaved; i++) {
		fs_live_unhold(x->saved[i]);
		fs_node_forget(x->fs, x->saved[i], 1);
	}
	free(x->saved);
	x->saved = NULL;
	x->nsaved = 0;
}

void fs_saved_follow(struct fs_index *x)
{
	struct fs_node **old = x->saved, **v;
	size_t nold = x->nsaved, n = 0, at = 0;
	const char *name;
	struct rk_buf names = RK_BUF_INIT;

	rk_saved_names(x->ix, &names);
	v = calloc(names.n + 1, sizeof(struct fs_node *));
	while (v && (name = rk_buf_next(&names, &at)) != NULL)
		if ((v[n] = keep(x, name)) != NULL)
			n++;
	fs_saved_release(
		&(struct fs_index){.fs = x->fs, .saved = old, .nsaved = nold});
	x->saved = v;
	x->nsaved = n;
	rk_buf_release(&names);
}

/* Who follows the link does not say that a path goes on: it is one name. */
static int put(struct fs_index *x, const char *name, const char *target)
{
	struct rk_buf b = RK_BUF_INIT;
	int rc;

	for (; *target; target++)
		if (*target == '/')
			rk_buf_str(&b, "%2F");
		else
			rk_buf_byte(&b, (uint8_t)*target);
	rk_buf_byte(&b, 0);
	rc = b.err ? -ENOMEM : rk_saved_put(x->ix, name, (char *)b.p);
	rk_buf_release(&b);
	return rc;
}

void fs_saved_symlink(fuse_req_t req, struct fs *fs, struct fs_node *dir,
		      const char *name, const char *target)
{
	struct fs_index *x = dir->index;
	const char *why = why_not(name, target);
	int rc;

	(void)fs;
	if (!may_save(req, x))
		return;
	if (why) {
		fs_remember_error(x->fs, fuse_req_ctx(req)->uid, why);
		fuse_reply_err(req, EINVAL);
		return;
	}
	rc = put(x, name, target);
	if (rc < 0) {
		reply_done(req, x, name, rc);
		return;
	}
	fs_saved_follow(x);
	reply_link(req, x, name);
}

void fs_saved_unlink(fuse_req_t req, struct fs *fs, struct fs_node *dir,
		     const char *name)
{
	struct fs_index *x = dir->index;

	if (!may_save(req, x))
		return;
	if (strcmp(name, "README") == 0 && fs->multi) {
		fuse_reply_err(req, 0); /* on the way of `rm -r` */
		return;
	}
	if (!rk_saved_text(x->ix, name, NULL)) {
		fuse_reply_err(req, EPERM); /* a query is no file to remove */
		return;
	}
	reply_done(req, x, name, rk_saved_drop(x->ix, name));
	fs_saved_follow(x);
}

void fs_saved_rename(fuse_req_t req, struct fs *fs, struct fs_node *dir,
		     const char *name, struct fs_node *to, const char *to_name,
		     unsigned flags)
{
	struct fs_index *x = dir->index;
	const char *why = why_not(to_name, "");
	int rc = -EPERM;

	(void)fs;
	if (!may_save(req, x))
		return;
	if (to != dir || (flags & RENAME_EXCHANGE)) {
		fuse_reply_err(req, to == dir ? EINVAL : EXDEV);
		return;
	}
	if (why) {
		fs_remember_error(x->fs, fuse_req_ctx(req)->uid, why);
		fuse_reply_err(req, EINVAL);
		return;
	}
	if ((flags & RENAME_NOREPLACE) && rk_saved_text(x->ix, to_name, NULL))
		rc = -EEXIST;
	else if (rk_saved_text(x->ix, name, NULL))
		rc = rk_saved_rename(x->ix, name, to_name);
	reply_done(req, x, name, rc);
	fs_saved_follow(x);
}

/* --- verbs of ctl --- */

int fs_saved_verb_save(struct fs_index *x, const char *arg)
{
	char name[FS_QUERY_BYTES + 1];
	size_t n = strcspn(arg, " \t");
	struct rk_buf target = RK_BUF_INIT;
	int rc = -EINVAL;

	if (n > FS_QUERY_BYTES || !arg[n])
		return rc;
	memcpy(name, arg, n);
	name[n] = '\0';
	fs_encode_name(arg + n + strspn(arg + n, " \t"), &target);
	rk_buf_byte(&target, 0);
	if (!target.err && !why_not(name, (char *)target.p)) {
		rc = rk_saved_put(x->ix, name, (char *)target.p);
		pthread_mutex_lock(&x->fs->loop);
		fs_saved_follow(x);
		pthread_mutex_unlock(&x->fs->loop);
	}
	rk_buf_release(&target);
	return rc;
}

int fs_saved_verb_unsave(struct fs_index *x, const char *arg)
{
	int rc = rk_saved_drop(x->ix, arg);

	pthread_mutex_lock(&x->fs->loop);
	fs_saved_follow(x);
	pthread_mutex_unlock(&x->fs->loop);
	return rc;
}

int fs_saved_verb_unmark(struct fs_index *x, const char *arg)
{
	int rc = rk_saved_unmark(x->ix, arg);

	x->saved_epoch++; /* folders that show it search again */
	return rc;
}
