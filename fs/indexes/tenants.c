/* SPDX-License-Identifier: MIT */
/*
 * The root of a mount with -o multi: a folder for each index of the backing
 * folder. mkdir makes one, rmdir removes an empty one, mv renames it. Owner,
 * group and mode of an index's root are those of its files/, which the kernel
 * checks on the way into it.
 */
#include "fs/indexes/tenants.h"
#include "fs/base/errno.h"
#include "fs/base/errors.h"
#include "fs/base/mounted.h"
#include "fs/base/node.h"
#include "fs/base/options.h"
#include "fs/base/pool.h"
#include "fs/base/tree.h"
#include "fs/indexes/index.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { NAME_BYTES = 63, PATH_BYTES = 4096 };

int fs_tenant_name_ok(const char *name)
{
	if (!*name || *name == '.' || strlen(name) > NAME_BYTES)
		return 0;
	for (; *name; name++)
		if ((unsigned char)*name < ' ' || *name == 0x7f || *name == '/')
			return 0;
	return 1;
}

static int stat_files(struct fs *fs, const char *name, struct stat *st)
{
	char path[PATH_BYTES];

	snprintf(path, sizeof(path), "%s/files", name);
	if (fstatat(fs->indexes_fd, path, st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	return S_ISDIR(st->st_mode) ? 0 : -ENOENT;
}

static struct fs_index *find(struct fs *fs, const char *name)
{
	for (struct fs_index *x = fs->indexes; x; x = x->next)
		if (!x->removed && strcmp(x->name, name) == 0)
			return x;
	return NULL;
}

struct fs_index *fs_tenant(struct fs *fs, const char *name)
{
	struct fs_index *x = find(fs, name);
	char path[PATH_BYTES * 2];
	struct stat st;

	if (x || !fs_tenant_name_ok(name) || stat_files(fs, name, &st) < 0)
		return x;
	snprintf(path, sizeof(path), "%s/%s", fs->mountpoint, name);
	x = fs_index_new(fs, name, path, &FS_DOCUMENT);
	if (!x)
		return NULL;
	x->uid = st.st_uid;
	x->gid = st.st_gid;
	x->mode = st.st_mode & 0777;
	x->next = fs->indexes;
	fs->indexes = x;
	return x;
}

/* --- names --- */

static void reply_index(fuse_req_t req, struct fs_index *x)
{
	struct fs *fs = x->fs;
	struct fuse_entry_param e = {.ino = fs_nodeid(fs, x->root),
				     .attr_timeout = fs->timeout,
				     .entry_timeout = fs->timeout};
	int rc = fs_index_stat(x, &e.attr);

	if (rc < 0) {
		fuse_reply_err(req, fs_errno(rc));
		return;
	}
	x->root->nlookup++;
	if (fuse_reply_entry(req, &e) < 0)
		fs_node_forget(fs, x->root, 1);
}

static void top_lookup(fuse_req_t req, struct fs *fs, struct fs_node *root,
		       const char *name)
{
	struct fs_node *v = fs_fixed_find(root->index, FS_IN_TOP, name);
	struct fs_index *x;

	if (v)
		fs_fixed_reply(req, v);
	else if ((x = fs_tenant(fs, name)) != NULL)
		reply_index(req, x);
	else
		fuse_reply_err(req, ENOENT);
}

static int top_stat(struct fs *fs, struct stat *st)
{
	return fstat(fs->indexes_fd, st) < 0 ? -errno : 0;
}

static void top_getattr(fuse_req_t req, struct fs *fs, struct fs_node *n)
{
	struct stat st;
	int rc = top_stat(fs, &st);

	(void)n;
	if (rc < 0)
		fuse_reply_err(req, -rc);
	else
		fuse_reply_attr(req, &st, fs->timeout);
}

/* chmod 1777 lets others make indexes of their own. */
static void top_setattr(fuse_req_t req, struct fs *fs, struct fs_node *n,
			struct stat *attr, int to_set,
			struct fuse_file_info *fi)
{
	int rc = 0;

	(void)fi;
	if (to_set & FUSE_SET_ATTR_MODE)
		rc = fchmod(fs->indexes_fd, attr->st_mode & 07777);
	if (rc == 0 && to_set & (FUSE_SET_ATTR_UID | FUSE_SET_ATTR_GID))
		rc = fchown(
			fs->indexes_fd,
			to_set & FUSE_SET_ATTR_UID ? attr->st_uid : (uid_t)-1,
			to_set & FUSE_SET_ATTR_GID ? attr->st_gid : (gid_t)-1);
	if (rc < 0)
		fuse_reply_err(req, errno);
	else
		top_getattr(req, fs, n);
}

int fs_tenants_list(struct fs *fs, struct rk_buf *out)
{
	int fd =
		openat(fs->indexes_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;

	if (!d)
		return -errno;
	while ((e = readdir(d)))
		if (fs_tenant_name_ok(e->d_name))
			rk_buf_name(out, e->d_name);
	closedir(d);
	return out->err;
}

static int top_list(struct fs_node *root, const _Atomic int *cancel,
		    struct rk_buf *b)
{
	struct rk_buf names = RK_BUF_INIT;
	const char *name;
	size_t at = 0;

	(void)cancel;
	fs_fixed_list(root->index, FS_IN_TOP, b);
	fs_tenants_list(root->index->fs, &names);
	while ((name = rk_buf_next(&names, &at)))
		fs_list_add(b, 'd', name);
	rk_buf_release(&names);
	return 0;
}

/* --- making and removing --- */

static int is_taken(const struct fs *fs, const char *name)
{
	return fs_fixed_find(fs->top, FS_IN_TOP, name) != NULL;
}

static int refuse(fuse_req_t req, struct fs *fs, int err, const char *why)
{
	fs_remember_error(fs, fuse_req_ctx(req)->uid, why);
	fuse_reply_err(req, err);
	return 1;
}

static int refused(fuse_req_t req, struct fs *fs, const char *name)
{
	if (is_taken(fs, name))
		return refuse(req, fs, EEXIST, "a reserved name");
	if (!fs_tenant_name_ok(name))
		return refuse(req, fs, EINVAL,
			      "an index has a name of at most 63 bytes, "
			      "without a dot in front");
	return 0;
}

/* The folders of a new index, its documents' the caller's. 0 or -errno. */
static int make(fuse_req_t req, struct fs *fs, const char *name, mode_t mode)
{
	const struct fuse_ctx *c = fuse_req_ctx(req);
	char files[PATH_BYTES];

	snprintf(files, sizeof(files), "%s/files", name);
	if (mkdirat(fs->indexes_fd, name, 0700) < 0)
		return -errno;
	if (mkdirat(fs->indexes_fd, files, mode & 07777) == 0 &&
	    (c->uid == geteuid() ||
	     fchownat(fs->indexes_fd, files, c->uid, c->gid, 0) == 0) &&
	    fsync(fs->indexes_fd) == 0)
		return 0;
	mode = (mode_t)errno;
	unlinkat(fs->indexes_fd, files, AT_REMOVEDIR);
	unlinkat(fs->indexes_fd, name, AT_REMOVEDIR);
	return -(int)mode;
}

static void top_mkdir(fuse_req_t req, struct fs *fs, struct fs_node *root,
		      const char *name, mode_t mode)
{
	struct fs_index *x;
	int rc;

	(void)root;
	if (refused(req, fs, name))
		return;
	if ((rc = make(req, fs, name, mode)) < 0) {
		fuse_reply_err(req, -rc);
		return;
	}
	fs->epoch++;
	if ((x = fs_tenant(fs, name)) != NULL)
		reply_index(req, x);
	else
		fuse_reply_err(req, ENOMEM);
}

static int is_empty(struct fs *fs, const char *name)
{
	char files[PATH_BYTES];
	struct dirent *e;
	int fd, empty = 1;
	DIR *d;

	snprintf(files, sizeof(files), "%s/files", name);
	fd = openat(fs->indexes_fd, files, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	d = fd < 0 ? NULL : fdopendir(fd);
	if (!d)
		return -errno;
	while (empty && (e = readdir(d)))
		empty = strcmp(e->d_name, ".") == 0 ||
			strcmp(e->d_name, "..") == 0;
	closedir(d);
	return empty;
}

static void remove_below(int at, const char *name)
{
	int fd = openat(at, name,
			O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;

	while (d && (e = readdir(d))) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		if (unlinkat(dirfd(d), e->d_name, 0) < 0)
			remove_below(dirfd(d), e->d_name);
	}
	if (d)
		closedir(d);
	unlinkat(at, name, AT_REMOVEDIR);
}

/* Files take a while: in the closer's thread. */
struct remove_job {
	struct fs_job job;
	struct fs *fs;
	char name[64];
};

static void remove_run(struct fs_job *job)
{
	struct remove_job *j = (struct remove_job *)job;

	remove_below(j->fs->indexes_fd, j->name);
	free(j);
}

/*
 * The name goes in one step; what was behind it is removed afterwards, also
 * when a daemon died in between.
 */
int fs_tenant_remove(struct fs *fs, const char *name)
{
	struct fs_index *x = find(fs, name);
	struct remove_job *j;
	int rc = x ? fs_index_shut(x) : 0;

	if (rc < 0)
		return rc;
	if (!(j = calloc(1, sizeof(*j))))
		return -ENOMEM;
	j->job.run = remove_run;
	j->fs = fs;
	snprintf(j->name, sizeof(j->name), ".removed-%llx",
		 (unsigned long long)rk_mono_ns());
	if (renameat(fs->indexes_fd, name, fs->indexes_fd, j->name) < 0) {
		rc = -errno;
		free(j);
		return rc;
	}
	fsync(fs->indexes_fd);
	fs_pool_add(fs->closer, &j->job);
	rk_index_forget(fs_env(), fs->backing, name);
	if (x)
		x->removed = 1;
	fs->epoch++;
	return 0;
}

void fs_tenants_clean(struct fs *fs)
{
	int fd =
		openat(fs->indexes_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;

	while (d && (e = readdir(d)))
		if (strncmp(e->d_name, ".removed-", 9) == 0)
			remove_below(fs->indexes_fd, e->d_name);
	if (d)
		closedir(d);
}

static void top_rmdir(fuse_req_t req, struct fs *fs, struct fs_node *root,
		      const char *name)
{
	int rc;

	(void)root;
	if (is_taken(fs, name)) {
		fuse_reply_err(req, EPERM);
		return;
	}
	if (!fs_tenant_name_ok(name)) {
		fuse_reply_err(req, ENOENT);
		return;
	}
	rc = is_empty(fs, name);
	if (rc == 1)
		rc = fs_tenant_remove(fs, name);
	else if (rc == 0)
		rc = -ENOTEMPTY;
	fuse_reply_err(req, fs_errno(rc));
}

static int rename_index(struct fs *fs, const char *name, const char *to)
{
	struct fs_index *x = fs_tenant(fs, name);
	char path[PATH_BYTES * 2], *a, *b;
	int rc = x ? fs_index_shut(x) : -ENOENT;

	if (rc < 0)
		return rc;
	snprintf(path, sizeof(path), "%s/%s", fs->mountpoint, to);
	a = strdup(to);
	b = strdup(path);
	if (!a || !b ||
	    renameat(fs->indexes_fd, name, fs->indexes_fd, to) < 0) {
		rc = a && b ? -errno : -ENOMEM;
		free(a);
		free(b);
		return rc;
	}
	rk_index_forget(fs_env(), fs->backing, name);
	free(x->name);
	free(x->path);
	x->name = a;
	x->path = b;
	fs->epoch++;
	return 0;
}

static void top_rename(fuse_req_t req, struct fs *fs, struct fs_node *root,
		       const char *name, struct fs_node *to,
		       const char *to_name, unsigned flags)
{
	struct stat st;

	if (is_taken(fs, name)) {
		fuse_reply_err(req, EPERM);
		return;
	}
	if (refused(req, fs, to_name))
		return;
	if (to != root || (flags & ~(unsigned)RENAME_NOREPLACE))
		fuse_reply_err(req, to == root ? EINVAL : EXDEV);
	else if (stat_files(fs, to_name, &st) == 0)
		fuse_reply_err(req, EEXIST);
	else
		fuse_reply_err(req, fs_errno(rename_index(fs, name, to_name)));
}

const struct fs_kind FS_TOP = {
	.name = "indexes",
	.in = FS_IN_TOP | FS_IN_TOP_CONTROL,
	.lookup = top_lookup,
	.getattr = top_getattr,
	.setattr = top_setattr,
	.list = top_list,
	.mkdir = top_mkdir,
	.rmdir = top_rmdir,
	.rename = top_rename,
};

/* --- what nobody uses any more --- */

/* An index writes its lock file whenever it is opened. */
static int64_t idle_s(struct fs *fs, const char *name)
{
	char lock[PATH_BYTES];
	struct stat st;

	snprintf(lock, sizeof(lock), "%s/LOCK", name);
	if (fstatat(fs->indexes_fd, lock, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return 0; /* never used: it may be about to be */
	return (int64_t)(time(NULL) - st.st_mtim.tv_sec);
}

int fs_tenants_expire(struct fs *fs, int64_t seconds)
{
	struct rk_buf names = RK_BUF_INIT;
	const char *name;
	size_t at = 0;
	int n = 0;

	pthread_mutex_lock(&fs->loop);
	fs_tenants_list(fs, &names);
	while ((name = rk_buf_next(&names, &at))) {
		struct fs_index *x = find(fs, name);

		if ((!x || !x->ix) && idle_s(fs, name) >= seconds)
			n += fs_tenant_remove(fs, name) == 0;
	}
	pthread_mutex_unlock(&fs->loop);
	rk_buf_release(&names);
	return n;
}
