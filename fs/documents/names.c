/* SPDX-License-Identifier: MIT */
/*
 * Making, removing and renaming documents. The index is told in the request
 * that changes a name.
 */
#include "fs/base/capabilities.h"
#include "fs/base/descriptors.h"
#include "fs/base/errno.h"
#include "fs/base/errors.h"
#include "fs/base/mounted.h"
#include "fs/base/node.h"
#include "fs/base/quota.h"
#include "fs/base/tree.h"
#include "fs/base/walls.h"
#include "fs/documents/documents.h"
#include "fs/documents/xattr.h"
#include "text/match/ignore.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A folder in which documents may be made; else the error is replied. */
static struct fs_node *parent_for(fuse_req_t req, struct fs_node *n,
				  const char *name, int *dir)
{
	struct fs *fs = fs_of(req);

	if (!n->kind->document)
		fuse_reply_err(req, EPERM);
	else if (fs_reserved(n, name))
		fuse_reply_err(req, EEXIST);
	else if ((*dir = fs_node_dirfd(fs, n)) < 0)
		fuse_reply_err(req, -*dir);
	else
		return n;
	return NULL;
}

/* Made by the daemon for the caller: give it to the caller. */
static void own(fuse_req_t req, int dir, const char *name, mode_t mode)
{
	const struct fuse_ctx *c = fuse_req_ctx(req);
	struct stat st;
	gid_t gid = c->gid;

	if (c->uid == geteuid() && c->gid == getegid())
		return;
	if (fstat(dir, &st) == 0 && st.st_mode & S_ISGID)
		gid = (gid_t)-1; /* the folder's group */
	if (fchownat(dir, name, c->uid, gid, AT_SYMLINK_NOFOLLOW) < 0)
		return; /* not root: then nobody but the owner gets here */
	/* a new owner takes these away; they were asked for by the new owner */
	if (mode & (S_ISUID | S_ISGID) && !S_ISLNK(mode))
		fchmodat(dir, name, mode & 07777, 0);
}

static void finish_new(fuse_req_t req, struct fs_node *parent, int dir,
		       const char *name, mode_t mode, int rc)
{
	struct fs *fs = fs_of(req);

	if (rc < 0) {
		fuse_reply_err(req, -rc);
		return;
	}
	own(req, dir, name, mode);
	fs_wall_note(parent->index, parent, name);
	if (S_ISREG(mode) && (rc = fs_doc_touch_child(parent, name, 0)) < 0)
		fuse_reply_err(req, fs_errno(rc));
	else
		fs_doc_reply_entry(req, fs, parent, name);
}

void fs_doc_mkdir(fuse_req_t req, struct fs *fs, struct fs_node *parent,
		  const char *name, mode_t mode)
{
	int dir, rc;
	struct fs_node *p = parent_for(req, parent, name, &dir);

	(void)fs;
	if (!p)
		return;
	fs_loop_leave(p);
	rc = mkdirat(dir, name, mode) < 0 ? -errno : 0;
	fs_loop_enter(p);
	finish_new(req, p, dir, name, S_IFDIR | (mode & 01777), rc);
}

void fs_doc_mknod(fuse_req_t req, fuse_ino_t ino, const char *name, mode_t mode,
		  dev_t rdev)
{
	int dir, rc;
	struct fs_node *p =
		parent_for(req, fs_node(fs_of(req), ino), name, &dir);

	if (!p)
		return;
	if ((rc = fs_quota_take(p->index, 0, 1)) < 0) {
		fuse_reply_err(req, -rc);
		return;
	}
	fs_loop_leave(p);
	rc = mknodat(dir, name, mode, rdev) < 0 ? -errno : 0;
	fs_loop_enter(p);
	if (rc < 0)
		fs_quota_give(p->index, 0, 1);
	finish_new(req, p, dir, name, mode, rc);
}

/* A name at the top that is, or may have been, a link to a source. */
static void note_link(const struct fs_node *p, const struct fs_node *n)
{
	if (p == p->index->root && (!n || S_ISLNK(n->type))) {
		rk_links_changed(p->index->ix);
		fs_wall_recheck(p->index);
	}
}

/*
 * A link to elsewhere is only a link below the top, and at the top a source,
 * which is read with the rights of who mounted. May the caller give a name at
 * the top to what is at `name`? Else the refusal is replied.
 */
static int may_link(fuse_req_t req, const struct fs_node *to, int dir,
		    const char *name)
{
	char target[2];
	int is_out = to == to->index->root &&
		     readlinkat(dir, name, target, 1) == 1 && target[0] == '/';

	return !is_out || fs_may_else_reply(req, to->index, FS_DO_LINK_OUT);
}

void fs_doc_symlink(fuse_req_t req, struct fs *fs, struct fs_node *parent,
		    const char *name, const char *target)
{
	int dir, rc;
	struct fs_node *p = parent_for(req, parent, name, &dir);

	(void)fs;
	if (!p || (p == p->index->root && *target == '/' &&
		   !fs_may_else_reply(req, p->index, FS_DO_LINK_OUT)))
		return;
	if ((rc = fs_quota_take(p->index, (int64_t)strlen(target), 1)) < 0) {
		fuse_reply_err(req, -rc);
		return;
	}
	fs_loop_leave(p);
	rc = symlinkat(target, dir, name) < 0 ? -errno : 0;
	fs_loop_enter(p);
	if (rc < 0)
		fs_quota_give(p->index, (int64_t)strlen(target), 1);
	finish_new(req, p, dir, name, S_IFLNK, rc);
	note_link(p, NULL);
}

void fs_doc_link(fuse_req_t req, struct fs *fs, struct fs_node *n,
		 struct fs_node *newparent, const char *newname)
{
	struct fs_node *p;
	const char *name = "";
	int dir, from = -1, rc;

	if (!n->kind->document || n->index != newparent->index) {
		fuse_reply_err(req, n->kind->document ? EXDEV : EPERM);
		return;
	}
	if (!(p = parent_for(req, newparent, newname, &dir)))
		return;
	p->pinned++;
	rc = fs_node_at(fs, n, &from, &name);
	if (rc >= 0 && !may_link(req, p, from, name)) {
		p->pinned--;
		return;
	}
	if (rc >= 0 && (rc = fs_quota_take(p->index, 0, 1)) == 0 &&
	    linkat(from, name, dir, newname, 0) < 0) {
		rc = -errno;
		fs_quota_give(p->index, 0, 1);
	}
	p->pinned--;
	if (rc == 0)
		fs_wall_note(p->index, p, newname);
	if (rc == 0 && S_ISLNK(n->type))
		note_link(p, n);
	if (rc < 0)
		fuse_reply_err(req, -rc);
	else if ((rc = fs_doc_touch_child(p, newname, 0)) < 0)
		fuse_reply_err(req, fs_errno(rc));
	else
		fs_doc_reply_entry(req, fs, p, newname);
}

void fs_doc_create(fuse_req_t req, fuse_ino_t ino, const char *name,
		   mode_t mode, struct fuse_file_info *fi)
{
	struct fs *fs = fs_of(req);
	struct fuse_entry_param e = {.ino = 0};
	struct fs_handle *h = NULL;
	int dir, fd, rc;
	struct fs_node *p = parent_for(req, fs_node(fs, ino), name, &dir);

	if (!p)
		return;
	/* it is opened here only if it was not there */
	if ((rc = fs_quota_take(p->index, 0, 1)) < 0) {
		fuse_reply_err(req, -rc);
		return;
	}
	do {
		fs_loop_leave(p);
		fd = openat(dir, name,
			    (fi->flags & ~FS_DOC_NOT_OURS) | O_CREAT |
				    O_CLOEXEC | O_NOFOLLOW,
			    mode);
		fd = fd < 0 ? -errno : fd;
		fs_loop_enter(p);
	} while (fs_descriptors_retry(fs, fd));
	if (fd < 0) {
		fs_quota_give(p->index, 0, 1);
		fuse_reply_err(req, -fd);
		return;
	}
	own(req, dir, name, mode);
	fs_wall_note(p->index, p, name);
	rc = fs_doc_entry(fs, p, name, &e);
	if (rc == 0 && !(h = fs_doc_handle_new(fs_node(fs, e.ino), fd))) {
		fs_node_forget(fs, fs_node(fs, e.ino), 1);
		rc = -ENOMEM;
	}
	if (rc < 0 || !h) {
		close(fd);
		fuse_reply_err(req, -rc);
		return;
	}
	h->fresh = 1;
	fi->fh = (uintptr_t)h;
	fi->keep_cache = 1;
	if (fuse_reply_create(req, &e, fi) == -ENOENT) {
		fs_doc_handle_free(h);
		fs_node_forget(fs, fs_node(fs, e.ino), 1);
	}
}

static void remove_name(fuse_req_t req, struct fs_node *p, const char *name,
			int flags)
{
	struct fs *fs = p->index->fs;
	struct fs_node *n;
	int dir, rc = 0, files;
	int64_t bytes;
	char id[RK_ATTR_ID + 1];

	if (fs_reserved(p, name)) {
		/* `rm -r` of one of many indexes ends with its root */
		fuse_reply_err(req, fs->multi && flags ? 0 : EPERM);
		return;
	}
	if ((dir = fs_node_dirfd(fs, p)) < 0) {
		fuse_reply_err(req, -dir);
		return;
	}
	bytes = fs_quota_of(p->index, dir, name, &files);
	fs_node_keep(fs, p, name, dir);
	fs_attr_victim(p->index, dir, name, id);
	fs_loop_leave(p);
	rc = unlinkat(dir, name, flags) < 0 ? errno : 0;
	fs_loop_enter(p);
	if (rc > 0) {
		fs_node_unkeep(fs, p, name);
		fuse_reply_err(req, rc);
		return;
	}
	fs_quota_give(p->index, bytes, files);
	fs_attr_gone(p->index, id);
	n = fs_node_find(fs, p, name);
	if (!flags && (!n || S_ISREG(n->type)))
		rc = fs_doc_touch_child(p, name, RK_TOUCH_REMOVED);
	note_link(p, n);
	fs_link_drop(fs, p, name);
	if (p->index->wall == FS_WALL)
		fs_wall_recheck(p->index); /* it may have been the one */
	fuse_reply_err(req, fs_errno(rc));
}

void fs_doc_unlink(fuse_req_t req, struct fs *fs, struct fs_node *parent,
		   const char *name)
{
	(void)fs;
	remove_name(req, parent, name, 0);
}

void fs_doc_rmdir(fuse_req_t req, struct fs *fs, struct fs_node *parent,
		  const char *name)
{
	(void)fs;
	remove_name(req, parent, name, AT_REMOVEDIR);
}

/* Both names may now be anything, folders included. */
static int touch_renamed(struct fs *fs, struct fs_node *p, const char *name,
			 struct fs_node *to, const char *to_name,
			 unsigned flags)
{
	struct fs_node *a = fs_node_find(fs, p, name);
	struct fs_node *b = fs_node_find(fs, to, to_name);
	unsigned tree = (!a || !S_ISREG(a->type) || (b && !S_ISREG(b->type)))
				? RK_TOUCH_TREE
				: 0;
	int rc;

	/* of a link to a source, the documents are looked for anew */
	if (!(flags & RENAME_EXCHANGE) && a && !S_ISLNK(a->type))
		return fs_doc_renamed(p, name, to, to_name, tree);
	rc = fs_doc_touch_child(p, name, tree);
	return rc ? rc : fs_doc_touch_child(to, to_name, tree);
}

static int is_ignored(const struct fs_node *parent, const char *name)
{
	char path[PATH_MAX];

	return fs_child_path(parent, name, path, sizeof(path)) < 0 ||
	       rk_ignored(path);
}

/* Modes do not change, but what was ignored by its name may count now. */
static void note_renamed(struct fs_index *x, const struct fs_node *p,
			 const char *name, const struct fs_node *to,
			 const char *to_name)
{
	if (x->wall == FS_WALL || is_ignored(p, name) ||
	    is_ignored(to, to_name))
		fs_wall_recheck(x);
}

/* 0 or negative, of the index. */
static int tell_renamed(struct fs_node *p, const char *name, struct fs_node *to,
			const char *to_name, unsigned flags)
{
	struct fs *fs = p->index->fs;
	int rc;

	note_link(p, fs_node_find(fs, p, name));
	note_link(to, fs_node_find(fs, p, name));
	rc = touch_renamed(fs, p, name, to, to_name, flags);
	fs_link_move(fs, p, name, to, to_name, (flags & RENAME_EXCHANGE) != 0);
	note_renamed(p->index, p, name, to, to_name);
	return rc;
}

/* Two names of one file: rename(2) leaves both. */
static int is_same(int from, const char *name, int to, const char *to_name)
{
	struct stat a, b;

	return fstatat(from, name, &a, AT_SYMLINK_NOFOLLOW) == 0 &&
	       fstatat(to, to_name, &b, AT_SYMLINK_NOFOLLOW) == 0 &&
	       a.st_ino == b.st_ino && a.st_dev == b.st_dev;
}

void fs_doc_rename(fuse_req_t req, struct fs *fs, struct fs_node *p,
		   const char *name, struct fs_node *newparent,
		   const char *newname, unsigned flags)
{
	struct fs_node *to;
	int dir, from, rc, files = 0;
	int64_t bytes = 0;
	char id[RK_ATTR_ID + 1] = "";

	if (fs_reserved(p, name) || newparent->index != p->index) {
		fuse_reply_err(req, fs_reserved(p, name) ? EPERM : EXDEV);
		return;
	}
	if (!(to = parent_for(req, newparent, newname, &dir)))
		return;
	to->pinned++;
	from = fs_node_dirfd(fs, p);
	if (p != to && from >= 0 &&
	    !(may_link(req, to, from, name) &&
	      (!(flags & RENAME_EXCHANGE) || may_link(req, p, dir, newname)))) {
		to->pinned--;
		return;
	}
	if (!(flags & RENAME_EXCHANGE)) {
		if (from >= 0 && is_same(from, name, dir, newname)) {
			to->pinned--;
			fuse_reply_err(req, 0);
			return;
		}
		bytes = fs_quota_of(p->index, dir, newname, &files);
		fs_node_keep(fs, to, newname, dir);
		fs_attr_victim(p->index, dir, newname, id);
	}
	rc = from < 0					      ? from
	     : renameat2(from, name, dir, newname, flags) < 0 ? -errno
							      : 0;
	to->pinned--;
	if (rc < 0)
		fs_node_unkeep(fs, to, newname);
	if (rc == 0) {
		/* a whiteout stays where it was */
		fs_quota_give(p->index, bytes,
			      files - ((flags & RENAME_WHITEOUT) != 0));
		fs_attr_gone(p->index, id);
		rc = tell_renamed(p, name, to, newname, flags);
	}
	fuse_reply_err(req, fs_errno(rc));
}

void fs_doc_readlink(fuse_req_t req, struct fs *fs, struct fs_node *n)
{
	char buf[PATH_MAX + 1];
	const char *name;
	ssize_t r;
	int dir, rc;

	if ((rc = fs_node_at(fs, n, &dir, &name)) < 0) {
		fuse_reply_err(req, -rc);
		return;
	}
	r = readlinkat(dir, name, buf, sizeof(buf) - 1);
	if (r < 0) {
		fuse_reply_err(req, errno);
		return;
	}
	buf[r] = '\0';
	fuse_reply_readlink(req, buf);
}
