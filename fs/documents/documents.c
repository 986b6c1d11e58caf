/* SPDX-License-Identifier: MIT */
/*
 * Documents: plain files in the backing directory, passed through. Each
 * change is told to the index (rk_touch) in the request that makes it final:
 * data at FLUSH, because its error is close()'s error and it comes before
 * close() returns; names in the request that changes them.
 */
#include "fs/base/fs.h"
#include "text/match/ignore.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

enum { PATH_BYTES = 4096, READ_MAX = 1 << 20, DIR_BYTES_MAX = 1 << 17 };

static struct fs *fs_of(fuse_req_t req)
{
	return fuse_req_userdata(req);
}

/* --- telling the index --- */

int fs_touch(struct fs_index *x, const char *path, unsigned flags,
	     uint64_t *seq)
{
	x->fs->epoch++; /* answers over all are to wait for it */
	return rk_touch(x->ix, path, flags, seq);
}

static int touch_node(const struct fs_node *n, uint64_t *seq)
{
	char path[PATH_BYTES];
	int rc = fs_node_path(n, path, sizeof(path));

	/* unlinked, or too deep: stored, and nothing to be found by */
	if (rc < 0 || !S_ISREG(n->type))
		return 0;
	return fs_touch(n->index, path, 0, seq);
}

static int touch_child(const struct fs_node *parent, const char *name,
		       unsigned flags)
{
	char path[PATH_BYTES];

	if (fs_child_path(parent, name, path, sizeof(path)) < 0)
		return 0;
	return fs_touch(parent->index, path, flags, NULL);
}

static int touch_handle(struct fs_handle *h, uint64_t *seq)
{
	int dirty = h->dirty, fresh = h->fresh, rc;

	/* before: a write may come meanwhile */
	h->dirty = h->fresh = 0;
	if ((rc = touch_node(h->node, seq)) < 0) {
		h->dirty |= dirty;
		h->fresh |= fresh;
	}
	return rc;
}

/* --- looking up --- */

static int node_at(struct fs *fs, struct fs_node *n, int *dir,
		   const char **name)
{
	*dir = -1;
	*name = "";
	if (n == n->index->root) {
		*dir = fs_index_files(n->index);
		return *dir < 0 ? *dir : AT_EMPTY_PATH;
	}
	/* also while the last name is being removed */
	if (!n->links || n->gone_fd >= 0) {
		*dir = n->gone_fd;
		return *dir < 0 ? -ENOENT : AT_EMPTY_PATH;
	}
	*dir = fs_node_dirfd(fs, n->links->parent);
	*name = n->links->name;
	return *dir < 0 ? *dir : AT_SYMLINK_NOFOLLOW;
}

/* A path that leads to what a descriptor, O_PATH too, was opened from. */
static const char *fd_path(int fd, char out[static 40])
{
	snprintf(out, 40, "/proc/self/fd/%d", fd);
	return out;
}

int fs_doc_stat(struct fs *fs, struct fs_node *n, struct stat *st)
{
	const char *name = "";
	int dir = -1, flags;

	if (n == n->index->root)
		return fs_index_stat(n->index, st);
	for (struct fs_handle *h = n->open; h; h = h->next)
		if (h->fd >= 0 && fstat(h->fd, st) == 0)
			return 0;
	flags = node_at(fs, n, &dir, &name);
	if (flags < 0)
		return flags;
	return fstatat(dir, name, st, flags) < 0 ? -errno : 0;
}

static void fill_entry(struct fs *fs, struct fs_node *n, const struct stat *st,
		       struct fuse_entry_param *e)
{
	memset(e, 0, sizeof(*e));
	e->ino = fs_nodeid(fs, n);
	e->attr = *st;
	e->attr_timeout = e->entry_timeout = fs->timeout;
}

/* Look a document up and count one more kernel reference. 0 or -errno. */
static int lookup_entry(struct fs *fs, struct fs_node *parent, const char *name,
			struct fuse_entry_param *e)
{
	int dir = fs_node_dirfd(fs, parent);
	struct fs_node *n;
	struct stat st;

	if (dir < 0)
		return dir;
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	n = fs_node_get(fs, parent, name, &st);
	if (!n)
		return -ENOMEM;
	fill_entry(fs, n, &st, e);
	return 0;
}

static void reply_new_entry(fuse_req_t req, struct fs *fs,
			    struct fs_node *parent, const char *name)
{
	struct fuse_entry_param e = {.ino = 0};
	int rc = lookup_entry(fs, parent, name, &e);

	if (rc < 0)
		fuse_reply_err(req, -rc);
	else if (fuse_reply_entry(req, &e) == -ENOENT)
		fs_node_forget(fs, fs_node(fs, e.ino), 1);
}

static void doc_lookup(fuse_req_t req, struct fs *fs, struct fs_node *parent,
		       const char *name)
{
	struct fs_node *v = parent == parent->index->root
				    ? fs_root_entry(parent->index, name)
				    : NULL;
	struct stat st;

	if (v) {
		v->nlookup++;
		fs_dir_stat(v, &st);
		fs_reply_virtual(req, fs, v, &st, fs->timeout);
	} else if (fs_reserved(parent, name)) {
		fuse_reply_err(req, ENOENT);
	} else {
		reply_new_entry(req, fs, parent, name);
	}
}

static void doc_getattr(fuse_req_t req, struct fs *fs, struct fs_node *n)
{
	struct stat st;
	int rc = fs_doc_stat(fs, n, &st);

	if (rc < 0)
		fuse_reply_err(req, -rc);
	else
		fuse_reply_attr(req, &st, fs->timeout);
}

/* --- attributes --- */

static int set_mode(struct fs *fs, struct fs_node *n, mode_t mode)
{
	const char *name;
	char proc[40];
	int dir, rc;

	if (geteuid() != 0 && (rc = fs_node_keep_fds(fs, n)) < 0)
		return rc;
	if (n->open && n->open->fd >= 0)
		return fchmod(n->open->fd, mode) < 0 ? -errno : 0;
	if ((rc = node_at(fs, n, &dir, &name)) < 0)
		return rc;
	if (S_ISLNK(n->type))
		return -EOPNOTSUPP;
	if (!*name)
		name = fd_path(dir, proc);
	return fchmodat(dir, name, mode, 0) < 0 ? -errno : 0;
}

static int set_owner(struct fs *fs, struct fs_node *n, uid_t uid, gid_t gid)
{
	const char *name;
	int dir, flags;

	if (n->open && n->open->fd >= 0 && !n->links)
		return fchown(n->open->fd, uid, gid) < 0 ? -errno : 0;
	if ((flags = node_at(fs, n, &dir, &name)) < 0)
		return flags;
	return fchownat(dir, name, uid, gid, flags) < 0 ? -errno : 0;
}

static int set_times(struct fs *fs, struct fs_node *n, const struct stat *attr,
		     int to_set)
{
	struct timespec ts[2] = {{0, UTIME_OMIT}, {0, UTIME_OMIT}};
	const char *name;
	char proc[40];
	int dir, flags, rc;

	if (to_set & FUSE_SET_ATTR_ATIME_NOW)
		ts[0].tv_nsec = UTIME_NOW;
	else if (to_set & FUSE_SET_ATTR_ATIME)
		ts[0] = attr->st_atim;
	if (to_set & FUSE_SET_ATTR_MTIME_NOW)
		ts[1].tv_nsec = UTIME_NOW;
	else if (to_set & FUSE_SET_ATTR_MTIME)
		ts[1] = attr->st_mtim;
	if (n->open && n->open->fd >= 0)
		return futimens(n->open->fd, ts) < 0 ? -errno : 0;
	if ((flags = node_at(fs, n, &dir, &name)) < 0)
		return flags;
	rc = utimensat(dir, *name ? name : fd_path(dir, proc), ts,
		       *name ? AT_SYMLINK_NOFOLLOW : 0);
	return rc < 0 ? -errno : 0;
}

static int open_once(struct fs *fs, struct fs_node *n, int flags)
{
	const char *name;
	char proc[40];
	int dir, fd, rc = node_at(fs, n, &dir, &name);

	if (rc < 0)
		return rc;
	fd = *name ? openat(dir, name, flags | O_NOFOLLOW)
		   : open(fd_path(dir, proc), flags);
	return fd < 0 ? -errno : fd;
}

int fs_node_open(struct fs *fs, struct fs_node *n, int flags)
{
	int fd;

	flags = (flags & ~(O_NOFOLLOW | O_CREAT | O_EXCL)) | O_CLOEXEC;
	do
		fd = open_once(fs, n, flags);
	while (fs_descriptors_retry(fs, fd));
	return fd;
}

static struct fs_handle *writer_of(struct fs_node *n)
{
	for (struct fs_handle *h = n->open; h; h = h->next)
		if (h->writes)
			return h;
	return NULL;
}

/*
 * A write by somebody else than root takes the set-id bits away. The kernel
 * leaves that to us (kernel.c); once per handle and change is enough.
 */
static void drop_set_id(fuse_req_t req, int fd)
{
	struct stat st;
	mode_t bits;

	if (fuse_req_ctx(req)->uid == 0 || fstat(fd, &st) < 0)
		return;
	bits = st.st_mode & (S_ISUID | (st.st_mode & S_IXGRP ? S_ISGID : 0));
	if (bits && fchmod(fd, st.st_mode & 07777 & ~bits) < 0) {
		/* not the owner's daemon: then it cannot be set-id for it */
	}
}

/* Room for another size. */
static int resize(struct fs_index *x, int fd, off_t size)
{
	struct stat st;

	return fstat(fd, &st) < 0 ? -errno
				  : fs_quota_take(x, size - st.st_size, 0);
}

static int set_size(fuse_req_t req, struct fs *fs, struct fs_node *n,
		    off_t size, struct fuse_file_info *fi)
{
	struct fs_handle *h = fi ? (struct fs_handle *)fi->fh : writer_of(n);
	int fd, rc;

	if (h) { /* its FLUSH will tell the index */
		if ((fd = fs_handle_fd(fs, h)) < 0)
			return fd;
		if ((rc = resize(n->index, fd, size)) < 0)
			return rc;
		if (ftruncate(fd, size) < 0)
			return -errno;
		drop_set_id(req, fd);
		h->dirty = 1;
		return 0;
	}
	if ((fd = fs_node_open(fs, n, O_WRONLY)) < 0)
		return fd;
	rc = resize(n->index, fd, size);
	if (rc == 0 && ftruncate(fd, size) < 0)
		rc = -errno;
	drop_set_id(req, fd);
	close(fd);
	return rc ? rc : touch_node(n, NULL);
}

/* What is being written is indexed when it is closed. */
static int any_dirty(const struct fs_node *n)
{
	for (const struct fs_handle *h = n->open; h; h = h->next)
		if (h->dirty || h->fresh)
			return 1;
	return 0;
}

static void doc_setattr(fuse_req_t req, struct fs *fs, struct fs_node *n,
			struct stat *attr, int to_set,
			struct fuse_file_info *fi)
{
	const int times = FUSE_SET_ATTR_ATIME | FUSE_SET_ATTR_MTIME |
			  FUSE_SET_ATTR_ATIME_NOW | FUSE_SET_ATTR_MTIME_NOW;
	int rc = 0;

	if (to_set & FUSE_SET_ATTR_SIZE)
		rc = set_size(req, fs, n, attr->st_size, fi);
	/* chown(-1, -1) changes nothing and moves the ctime */
	if (rc == 0 &&
	    (to_set & (FUSE_SET_ATTR_UID | FUSE_SET_ATTR_GID) || to_set == 0))
		rc = set_owner(
			fs, n,
			to_set & FUSE_SET_ATTR_UID ? attr->st_uid : (uid_t)-1,
			to_set & FUSE_SET_ATTR_GID ? attr->st_gid : (gid_t)-1);
	if (rc == 0 && to_set & FUSE_SET_ATTR_MODE)
		rc = set_mode(fs, n, attr->st_mode & 07777);
	if (rc == 0 && to_set & times)
		rc = set_times(fs, n, attr, to_set);
	if (rc == 0 && to_set & (FUSE_SET_ATTR_MODE | FUSE_SET_ATTR_UID |
				 FUSE_SET_ATTR_GID)) {
		if (n->links)
			fs_wall_note(n->index, n->links->parent,
				     n->links->name);
		else if (n == n->index->root)
			fs_wall_recheck(n->index);
	}
	/* the index knows a document by its mtime, too */
	if (rc == 0 && S_ISREG(n->type) && !any_dirty(n) &&
	    to_set & (FUSE_SET_ATTR_MTIME | FUSE_SET_ATTR_MTIME_NOW))
		rc = touch_node(n, NULL);
	if (rc < 0)
		fuse_reply_err(req, fs_errno(rc));
	else
		doc_getattr(req, fs, n);
}

/* --- open files --- */

/*
 * O_APPEND is the kernel's: it says where to write. With it on our descriptor
 * a page that comes back from a map would land at the end of the file.
 */
enum { NOT_OURS = O_DIRECT | O_APPEND };

static struct fs_handle *handle_new(struct fs_node *n, int fd)
{
	struct fs_handle *h = calloc(1, sizeof(*h));

	if (!h)
		return NULL;
	h->node = n;
	h->flags = fcntl(fd, F_GETFL) & (O_ACCMODE | O_NOATIME | O_SYNC);
	fs_handle_give_fd(n->index->fs, h, fd);
	h->writes = (h->flags & O_ACCMODE) != O_RDONLY;
	n->index->busy += (unsigned)h->writes;
	h->next = n->open;
	n->open = h;
	return h;
}

static void handle_free(struct fs_handle *h)
{
	struct fs_handle **p = &h->node->open;

	while (*p != h)
		p = &(*p)->next;
	*p = h->next;
	fs_handle_drop_fd(h->node->index->fs, h);
	h->node->index->busy -= (unsigned)h->writes;
	free(h);
}

static void doc_opendir(fuse_req_t req, struct fs *fs, struct fs_node *n,
			struct fuse_file_info *fi)
{
	int fd = fs_node_open(fs, n, O_RDONLY | O_DIRECTORY);
	struct fs_handle *h;

	if (fd < 0) {
		fuse_reply_err(req, -fd);
		return;
	}
	h = calloc(1, sizeof(*h));
	if (!h || !(h->dir = fdopendir(fd))) {
		free(h);
		close(fd);
		fuse_reply_err(req, ENOMEM);
		return;
	}
	h->node = n;
	h->fd = -1;
	fi->fh = (uintptr_t)h;
	fuse_reply_open(req, fi);
}

static void doc_open(fuse_req_t req, struct fs *fs, struct fs_node *n,
		     struct fuse_file_info *fi)
{
	struct fs_handle *h;
	int fd;

	if (S_ISDIR(n->type)) {
		doc_opendir(req, fs, n, fi);
		return;
	}
	fd = fs_node_open(fs, n, fi->flags & ~NOT_OURS);
	if (fd < 0) {
		fuse_reply_err(req, -fd);
		return;
	}
	if (!(h = handle_new(n, fd))) {
		close(fd);
		fuse_reply_err(req, ENOMEM);
		return;
	}
	if (fi->flags & O_TRUNC) {
		drop_set_id(req, fd);
		h->dirty = 1;
	}
	fi->fh = (uintptr_t)h;
	fi->keep_cache = 1; /* nobody else writes the backing files */
	fi->noflush = (fi->flags & O_ACCMODE) == O_RDONLY;
	if (fuse_reply_open(req, fi) == -ENOENT)
		handle_free(h);
}

/* --- reading --- */

struct read_job {
	struct fs_job job;
	fuse_req_t req;
	struct fs_handle *h;
	int fd;
	size_t n;
	off_t off;
};

static void read_run(struct fs_job *job)
{
	struct read_job *j = (struct read_job *)job;
	char *buf = malloc(j->n);
	ssize_t r = buf ? pread(j->fd, buf, j->n, j->off) : -1;
	int err = buf ? errno : ENOMEM;

	fs_handle_unpin_fd(j->h);
	if (r < 0)
		fuse_reply_err(j->req, err);
	else
		fuse_reply_buf(j->req, buf, (size_t)r);
	free(buf);
	free(j);
}

static void read_later(fuse_req_t req, struct fs *fs, struct fs_handle *h,
		       size_t n, off_t off)
{
	struct read_job *j = malloc(sizeof(*j));
	int fd = j ? fs_handle_pin_fd(fs, h) : -ENOMEM;

	if (fd < 0) {
		free(j);
		fuse_reply_err(req, -fd);
		return;
	}
	*j = (struct read_job){{.run = read_run}, req, h, fd, n, off};
	fs_run_io(fs, &j->job);
}

static int at_end(int fd, off_t off)
{
	struct stat st;

	return fstat(fd, &st) == 0 && off >= st.st_size;
}

/* From the page cache at once; what would wait for the disk goes away. */
static void doc_read(fuse_req_t req, struct fs *fs, struct fs_handle *h,
		     size_t n, off_t off)
{
	static char buf[READ_MAX]; /* the loop's own */
	struct iovec iov = {buf, n};
	int fd = n > sizeof(buf) ? -1 : fs_handle_fd(fs, h);
	ssize_t r = fd < 0 ? -1 : preadv2(fd, &iov, 1, off, RWF_NOWAIT);

	if (r == (ssize_t)n || (r >= 0 && at_end(fd, off + r)))
		fuse_reply_buf(req, buf, (size_t)r);
	else
		read_later(req, fs, h, n, off);
}

/* --- writing --- */

static void doc_write(fuse_req_t req, struct fs *fs, struct fs_handle *h,
		      const char *p, size_t n, off_t off)
{
	size_t done = 0;
	int fd = fs_handle_fd(fs, h), rc = fd;

	if (fd >= 0)
		rc = fs_quota_grow(h->node->index, fd, off + (off_t)n);
	if (rc < 0) {
		fuse_reply_err(req, -rc);
		return;
	}
	if (!h->dirty)
		drop_set_id(req, fd);
	h->dirty = 1;
	while (done < n) {
		ssize_t r = pwrite(fd, p + done, n - done, off + (off_t)done);

		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0 && done == 0) {
			fuse_reply_err(req, errno);
			return;
		}
		if (r <= 0)
			break;
		done += (size_t)r;
	}
	fuse_reply_write(req, done);
}

struct throttle_job {
	struct fs_job job;
	fuse_req_t req;
	struct rk_index *ix;
};

/* The close of a bulk copy waits here while the workers catch up. */
static void throttle_run(struct fs_job *job)
{
	struct throttle_job *j = (struct throttle_job *)job;
	const struct timespec ts = {0, 1000000};

	for (int i = 0; i < 30000 && rk_congested(j->ix); i++)
		nanosleep(&ts, NULL);
	fuse_reply_err(j->req, 0);
	free(j);
}

static void reply_throttled(fuse_req_t req, struct fs_index *x)
{
	struct throttle_job *j;

	if (!rk_congested(x->ix) || !(j = malloc(sizeof(*j)))) {
		fuse_reply_err(req, 0);
		return;
	}
	*j = (struct throttle_job){{.run = throttle_run, .x = x}, req, x->ix};
	fs_pool_add(x->fs->throttle, &j->job);
}

static void doc_flush(fuse_req_t req, struct fs *fs, struct fs_handle *h)
{
	int rc = 0;

	(void)fs;
	if (!h->dirty) {
		fuse_reply_err(req, 0);
		return;
	}
	rc = touch_handle(h, NULL);
	if (rc < 0)
		fuse_reply_err(req, fs_errno(rc));
	else
		reply_throttled(req, h->node->index);
}

static void doc_release(fuse_req_t req, struct fs *fs, struct fs_handle *h)
{
	(void)fs;
	if (h->dir) {
		closedir(h->dir);
		free(h);
	} else {
		/* written through a map after the last close, or left empty */
		if (h->dirty || h->fresh)
			touch_handle(h, NULL);
		handle_free(h);
	}
	fuse_reply_err(req, 0);
}

/* --- syncing --- */

/*
 * The file and the log are synced at the same time, by a thread each: one
 * flush of the disk after the other would cost twice. The order does not
 * matter, because a record only says what to look at again. The later of the
 * two jobs replies.
 */
struct sync_job {
	struct fs_job file, log;
	fuse_req_t req;
	struct rk_index *ix;
	struct fs_handle *h; /* the file, its descriptor pinned; or NULL: */
	int fd;		     /* a folder's, opened for this, to be closed */
	int data_only;
	uint64_t seq; /* of the log */
	_Atomic int left;
	_Atomic int rc; /* of the first that failed */
};

static void sync_done(struct sync_job *j, int rc)
{
	int none = 0;

	if (rc < 0)
		atomic_compare_exchange_strong(&j->rc, &none, rc);
	if (--j->left > 0)
		return;
	if (j->h)
		fs_handle_unpin_fd(j->h);
	else
		close(j->fd);
	fuse_reply_err(j->req, fs_errno(j->rc));
	free(j);
}

static void sync_file_run(struct fs_job *job)
{
	struct sync_job *j = (struct sync_job *)job;
	int rc = j->data_only ? fdatasync(j->fd) : fsync(j->fd);

	sync_done(j, rc < 0 ? -errno : 0);
}

static void sync_log_run(struct fs_job *job)
{
	char *log = (char *)job;
	struct sync_job *j =
		(struct sync_job *)(log - offsetof(struct sync_job, log));

	sync_done(j, rk_sync(j->ix, j->seq));
}

/* Takes fd over, or the pin of h's. */
static void sync_later(fuse_req_t req, struct fs_index *x, struct fs_handle *h,
		       int fd, int data_only, uint64_t seq)
{
	struct sync_job *j = malloc(sizeof(*j));

	if (!j) {
		if (h)
			fs_handle_unpin_fd(h);
		else
			close(fd);
		fuse_reply_err(req, ENOMEM);
		return;
	}
	*j = (struct sync_job){
		.file = {.run = sync_file_run, .x = x},
		.log = {.run = sync_log_run, .x = x},
		.req = req,
		.ix = x->ix,
		.h = h,
		.fd = fd,
		.data_only = data_only,
		.seq = seq,
		.left = 2,
	};
	fs_pool_add(x->fs->log, &j->log);
	fs_pool_add(x->fs->io, &j->file);
}

void fs_doc_fsync(fuse_req_t req, fuse_ino_t ino, int datasync,
		  struct fuse_file_info *fi)
{
	struct fs_handle *h = (struct fs_handle *)fi->fh;
	uint64_t seq = rk_last_touch(h->node->index->ix);
	int rc = 0, fd;

	(void)ino;
	if (h->dirty || h->fresh)
		rc = touch_handle(h, &seq);
	if (rc < 0)
		fuse_reply_err(req, fs_errno(rc));
	else if ((fd = fs_handle_pin_fd(fs_of(req), h)) < 0)
		fuse_reply_err(req, -fd);
	else
		sync_later(req, h->node->index, h, fd, datasync, seq);
}

void fs_doc_fsyncdir(fuse_req_t req, fuse_ino_t ino, int datasync,
		     struct fuse_file_info *fi)
{
	struct fs *fs = fs_of(req);
	struct fs_node *n = fs_node(fs, ino);
	int fd;

	(void)fi;
	fd = fs_node_open(fs, n, O_RDONLY | O_DIRECTORY);
	if (fd < 0)
		fuse_reply_err(req, -fd);
	else
		sync_later(req, n->index, NULL, fd, datasync,
			   rk_last_touch(n->index->ix));
}

/* --- making and removing names --- */

/* A folder in which documents may be made; else the error is replied. */
static struct fs_node *parent_for(fuse_req_t req, struct fs_node *n,
				  const char *name, int *dir)
{
	struct fs *fs = fs_of(req);

	if (n->kind != &FS_DOCUMENT)
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
	if (S_ISREG(mode) && (rc = touch_child(parent, name, 0)) < 0)
		fuse_reply_err(req, fs_errno(rc));
	else
		reply_new_entry(req, fs, parent, name);
}

static void doc_mkdir(fuse_req_t req, struct fs *fs, struct fs_node *parent,
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
		fs_quota_take(p->index, 0, -1);
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

static void doc_symlink(fuse_req_t req, struct fs *fs, struct fs_node *parent,
			const char *name, const char *target)
{
	uid_t uid = fuse_req_ctx(req)->uid;
	int dir, rc;
	struct fs_node *p = parent_for(req, parent, name, &dir);

	if (!p)
		return;
	/* it would be read with the rights of who mounted */
	if (p == p->index->root && *target == '/' &&
	    !fs_is_owner(p->index, uid)) {
		fs_remember_error(fs, uid,
				  "only who mounted may link a source");
		fuse_reply_err(req, EPERM);
		return;
	}
	fs_loop_leave(p);
	rc = symlinkat(target, dir, name) < 0 ? -errno : 0;
	fs_loop_enter(p);
	finish_new(req, p, dir, name, S_IFLNK, rc);
	note_link(p, NULL);
}

static void doc_link(fuse_req_t req, struct fs *fs, struct fs_node *n,
		     struct fs_node *newparent, const char *newname)
{
	struct fs_node *p;
	const char *name = "";
	int dir, from = -1, rc;

	if (n->kind != &FS_DOCUMENT || n->index != newparent->index) {
		fuse_reply_err(req, n->kind == &FS_DOCUMENT ? EXDEV : EPERM);
		return;
	}
	if (!(p = parent_for(req, newparent, newname, &dir)))
		return;
	p->pinned++;
	rc = node_at(fs, n, &from, &name);
	if (rc >= 0)
		rc = linkat(from, name, dir, newname, 0) < 0 ? -errno : 0;
	p->pinned--;
	if (rc == 0)
		fs_wall_note(p->index, p, newname);
	if (rc < 0)
		fuse_reply_err(req, -rc);
	else if ((rc = touch_child(p, newname, 0)) < 0)
		fuse_reply_err(req, fs_errno(rc));
	else
		reply_new_entry(req, fs, p, newname);
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
			    (fi->flags & ~NOT_OURS) | O_CREAT | O_CLOEXEC |
				    O_NOFOLLOW,
			    mode);
		fd = fd < 0 ? -errno : fd;
		fs_loop_enter(p);
	} while (fs_descriptors_retry(fs, fd));
	if (fd < 0) {
		fs_quota_take(p->index, 0, -1);
		fuse_reply_err(req, -fd);
		return;
	}
	own(req, dir, name, mode);
	fs_wall_note(p->index, p, name);
	rc = lookup_entry(fs, p, name, &e);
	if (rc == 0 && !(h = handle_new(fs_node(fs, e.ino), fd))) {
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
		handle_free(h);
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
	fs_loop_leave(p);
	rc = unlinkat(dir, name, flags) < 0 ? errno : 0;
	fs_loop_enter(p);
	if (rc > 0) {
		fs_node_unkeep(fs, p, name);
		fuse_reply_err(req, rc);
		return;
	}
	fs_quota_take(p->index, -bytes, -files);
	n = fs_node_find(fs, p, name);
	if (!flags && (!n || S_ISREG(n->type)))
		rc = touch_child(p, name, RK_TOUCH_REMOVED);
	note_link(p, n);
	fs_link_drop(fs, p, name);
	if (p->index->wall == FS_WALL)
		fs_wall_recheck(p->index); /* it may have been the one */
	fuse_reply_err(req, fs_errno(rc));
}

static void doc_unlink(fuse_req_t req, struct fs *fs, struct fs_node *parent,
		       const char *name)
{
	(void)fs;
	remove_name(req, parent, name, 0);
}

static void doc_rmdir(fuse_req_t req, struct fs *fs, struct fs_node *parent,
		      const char *name)
{
	(void)fs;
	remove_name(req, parent, name, AT_REMOVEDIR);
}

/* Both names may now be anything, folders included. */
static int touch_renamed(struct fs *fs, struct fs_node *p, const char *name,
			 struct fs_node *to, const char *to_name)
{
	struct fs_node *a = fs_node_find(fs, p, name);
	struct fs_node *b = fs_node_find(fs, to, to_name);
	unsigned tree = (!a || !S_ISREG(a->type) || (b && !S_ISREG(b->type)))
				? RK_TOUCH_TREE
				: 0;
	int rc = touch_child(p, name, tree);

	return rc ? rc : touch_child(to, to_name, tree);
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

static void doc_rename(fuse_req_t req, struct fs *fs, struct fs_node *p,
		       const char *name, struct fs_node *newparent,
		       const char *newname, unsigned flags)
{
	struct fs_node *to;
	int dir, from, rc, files = 0;
	int64_t bytes = 0;

	if (fs_reserved(p, name) || newparent->index != p->index) {
		fuse_reply_err(req, fs_reserved(p, name) ? EPERM : EXDEV);
		return;
	}
	if (!(to = parent_for(req, newparent, newname, &dir)))
		return;
	to->pinned++;
	from = fs_node_dirfd(fs, p);
	if (!(flags & RENAME_EXCHANGE)) {
		bytes = fs_quota_of(p->index, dir, newname, &files);
		fs_node_keep(fs, to, newname, dir);
	}
	rc = from < 0					      ? from
	     : renameat2(from, name, dir, newname, flags) < 0 ? -errno
							      : 0;
	to->pinned--;
	if (rc < 0)
		fs_node_unkeep(fs, to, newname);
	if (rc == 0) {
		fs_quota_take(p->index, -bytes, -files);
		note_link(p, fs_node_find(fs, p, name));
		note_link(to, fs_node_find(fs, p, name));
		rc = touch_renamed(fs, p, name, to, newname);
		fs_link_move(fs, p, name, to, newname,
			     (flags & RENAME_EXCHANGE) != 0);
		note_renamed(p->index, p, name, to, newname);
	}
	fuse_reply_err(req, fs_errno(rc));
}

static void doc_readlink(fuse_req_t req, struct fs *fs, struct fs_node *n)
{
	char buf[PATH_MAX + 1];
	const char *name;
	ssize_t r;
	int dir, rc;

	if ((rc = node_at(fs, n, &dir, &name)) < 0) {
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

/* --- space and ranges --- */

void fs_doc_statfs(fuse_req_t req, fuse_ino_t ino)
{
	struct fs *fs = fs_of(req);
	struct fs_node *n = fs_node(fs, ino);
	struct statvfs st;

	if (fstatvfs(fs_index_files(n->index), &st) < 0) {
		fuse_reply_err(req, errno);
		return;
	}
	fs_quota_statfs(n->index, &st);
	fuse_reply_statfs(req, &st);
}

struct range_job {
	struct fs_job job;
	fuse_req_t req;
	struct fs_handle *from, *to; /* pinned; from may be NULL */
	int in, out, mode;
	off_t in_off, off, len;
};

static void allocate_run(struct fs_job *job)
{
	struct range_job *j = (struct range_job *)job;

	int err = fallocate(j->out, j->mode, j->off, j->len) < 0 ? errno : 0;

	fs_handle_unpin_fd(j->to);
	fuse_reply_err(j->req, err);
	free(j);
}

static void copy_run(struct fs_job *job)
{
	struct range_job *j = (struct range_job *)job;
	ssize_t r = copy_file_range(j->in, &j->in_off, j->out, &j->off,
				    (size_t)j->len, 0);
	int err = errno;

	fs_handle_unpin_fd(j->from);
	fs_handle_unpin_fd(j->to);
	if (r < 0)
		fuse_reply_err(j->req, err);
	else
		fuse_reply_write(j->req, (size_t)r);
	free(j);
}

/* Pins what it reads from, if anything, and writes to. */
static void range_later(fuse_req_t req, struct fs *fs, struct range_job want)
{
	struct range_job *j = malloc(sizeof(*j));
	int rc = j ? 0 : -ENOMEM;

	if (rc == 0 && want.from)
		rc = want.in = fs_handle_pin_fd(fs, want.from);
	if (rc >= 0 && (rc = want.out = fs_handle_pin_fd(fs, want.to)) < 0 &&
	    want.from)
		fs_handle_unpin_fd(want.from);
	if (rc < 0) {
		free(j);
		fuse_reply_err(req, -rc);
		return;
	}
	want.to->dirty = 1;
	*j = want;
	j->req = req;
	fs_pool_add(fs->io, &j->job);
}

void fs_doc_fallocate(fuse_req_t req, fuse_ino_t ino, int mode, off_t off,
		      off_t len, struct fuse_file_info *fi)
{
	struct fs_handle *h = (struct fs_handle *)fi->fh;
	struct fs *fs = fs_of(req);
	int fd;

	(void)ino;
	if (h->node->kind != &FS_DOCUMENT) {
		fuse_reply_err(req, EOPNOTSUPP);
	} else if ((fd = fs_handle_fd(fs, h)) < 0) {
		fuse_reply_err(req, -fd);
	} else if (!(mode & FALLOC_FL_KEEP_SIZE) &&
		   fs_quota_grow(h->node->index, fd, off + len) < 0) {
		fuse_reply_err(req, EDQUOT);
	} else {
		range_later(req, fs,
			    (struct range_job){.job.run = allocate_run,
					       .to = h,
					       .mode = mode,
					       .off = off,
					       .len = len});
	}
}

/* Where the kernel has to read and write itself, it is told EOPNOTSUPP. */
void fs_doc_copy(fuse_req_t req, fuse_ino_t in, off_t in_off,
		 struct fuse_file_info *in_fi, fuse_ino_t out, off_t off,
		 struct fuse_file_info *fi, size_t len, int flags)
{
	struct fs_handle *a = (struct fs_handle *)in_fi->fh;
	struct fs_handle *b = (struct fs_handle *)fi->fh;
	struct fs *fs = fs_of(req);
	int fd;

	(void)in;
	(void)out;
	(void)flags;
	if (a->node->kind != &FS_DOCUMENT || b->node->kind != &FS_DOCUMENT) {
		fuse_reply_err(req, EOPNOTSUPP);
	} else if ((fd = fs_handle_fd(fs, b)) < 0) {
		fuse_reply_err(req, -fd);
	} else if (fs_quota_grow(b->node->index, fd, off + (off_t)len) < 0) {
		fuse_reply_err(req, EOPNOTSUPP); /* as much as has room */
	} else {
		range_later(req, fs,
			    (struct range_job){.job.run = copy_run,
					       .from = a,
					       .to = b,
					       .in_off = in_off,
					       .off = off,
					       .len = (off_t)len});
	}
}

void fs_doc_lseek(fuse_req_t req, fuse_ino_t ino, off_t off, int whence,
		  struct fuse_file_info *fi)
{
	struct fs_handle *h = (struct fs_handle *)fi->fh;
	off_t r;

	(void)ino;
	if (h->node->kind != &FS_DOCUMENT) {
		fuse_reply_err(req, EINVAL);
		return;
	}
	r = fs_handle_fd(fs_of(req), h);
	if (r >= 0 && (r = lseek((int)r, off, whence)) < 0)
		r = -errno;
	if (r < 0)
		fuse_reply_err(req, (int)-r);
	else
		fuse_reply_lseek(req, r);
}

/* --- extended attributes --- */

/*
 * A name for the *xattr(2) calls. Capabilities mean nothing on a nosuid
 * mount, and the kernel asks for them before every write: they are answered
 * without looking. ACLs would need their permission checks.
 */
static int xattr_path(fuse_req_t req, fuse_ino_t ino, const char *name, int *fd,
		      char out[40])
{
	struct fs *fs = fs_of(req);
	struct fs_node *n = fs_node(fs, ino);
	const char *base;
	int dir, rc;

	*fd = -1;
	if (n->kind != &FS_DOCUMENT)
		return -EOPNOTSUPP;
	if (name && strcmp(name, "security.capability") == 0)
		return -ENODATA;
	if (name && strncmp(name, "system.posix_acl", 16) == 0)
		return -EOPNOTSUPP;
	if (S_ISLNK(n->type))
		return -EPERM;
	rc = node_at(fs, n, &dir, &base);
	if (rc == -ENOENT && n->open && n->open->fd >= 0) {
		snprintf(out, 40, "/proc/self/fd/%d", n->open->fd);
		return 0;
	}
	if (rc < 0)
		return rc;
	*fd = openat(dir, *base ? base : ".", O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (*fd < 0)
		return -errno;
	snprintf(out, 40, "/proc/self/fd/%d", *fd);
	return 0;
}

static void xattr_done(int fd)
{
	if (fd >= 0)
		close(fd);
}

/* What users attach to a document is a part of what it is found by. */
static int touch_attached(fuse_req_t req, fuse_ino_t ino, const char *name)
{
	struct fs *fs = fs_of(req);

	if (strncmp(name, "user.", 5) != 0)
		return 0;
	return touch_node(fs_node(fs, ino), NULL);
}

void fs_doc_setxattr(fuse_req_t req, fuse_ino_t ino, const char *name,
		     const char *value, size_t size, int flags)
{
	char path[40];
	int fd, rc = xattr_path(req, ino, name, &fd, path);

	if (rc == -ENODATA)
		rc = -EOPNOTSUPP;
	if (rc == 0 && setxattr(path, name, value, size, flags) < 0)
		rc = -errno;
	xattr_done(fd);
	if (rc == 0)
		rc = touch_attached(req, ino, name);
	fuse_reply_err(req, -rc);
}

static void reply_xattr(fuse_req_t req, ssize_t r, const char *buf, size_t size)
{
	if (r < 0)
		fuse_reply_err(req, errno);
	else if (size == 0)
		fuse_reply_xattr(req, (size_t)r);
	else
		fuse_reply_buf(req, buf, (size_t)r);
}

void fs_doc_getxattr(fuse_req_t req, fuse_ino_t ino, const char *name,
		     size_t size)
{
	char path[40], *buf;
	int fd, rc = xattr_path(req, ino, name, &fd, path);

	if (rc < 0) {
		fuse_reply_err(req, rc == -EPERM ? ENODATA : -rc);
		return;
	}
	buf = size ? malloc(size) : NULL;
	if (size && !buf)
		fuse_reply_err(req, ENOMEM);
	else
		reply_xattr(req, getxattr(path, name, buf, size), buf, size);
	free(buf);
	xattr_done(fd);
}

void fs_doc_listxattr(fuse_req_t req, fuse_ino_t ino, size_t size)
{
	char path[40], *buf;
	int fd, rc = xattr_path(req, ino, NULL, &fd, path);

	if (rc == -EPERM || rc == -EOPNOTSUPP) { /* has none */
		if (size == 0)
			fuse_reply_xattr(req, 0);
		else
			fuse_reply_buf(req, "", 0);
		return;
	}
	if (rc < 0) {
		fuse_reply_err(req, -rc);
		return;
	}
	buf = size ? malloc(size) : NULL;
	if (size && !buf)
		fuse_reply_err(req, ENOMEM);
	else
		reply_xattr(req, listxattr(path, buf, size), buf, size);
	free(buf);
	xattr_done(fd);
}

void fs_doc_removexattr(fuse_req_t req, fuse_ino_t ino, const char *name)
{
	char path[40];
	int fd, rc = xattr_path(req, ino, name, &fd, path);

	if (rc == 0 && removexattr(path, name) < 0)
		rc = -errno;
	xattr_done(fd);
	if (rc == 0)
		rc = touch_attached(req, ino, name);
	fuse_reply_err(req, -rc);
}

/* --- listing --- */

/* Offsets of the virtual folders, behind every one the file system gives. */
static const off_t VIRTUAL_OFF = 0x7fffffffffffff00;

struct listing {
	fuse_req_t req;
	struct fs *fs;
	char *buf;
	size_t n, cap;
	int plus;
};

/* 1: it did not fit. */
static int put_entry(struct listing *l, const char *name,
		     struct fuse_entry_param *e, off_t off)
{
	size_t k =
		l->plus ? fuse_add_direntry_plus(l->req, l->buf + l->n,
						 l->cap - l->n, name, e, off)
			: fuse_add_direntry(l->req, l->buf + l->n,
					    l->cap - l->n, name, &e->attr, off);

	if (k > l->cap - l->n)
		return 1;
	l->n += k;
	return 0;
}

static int put_document(struct listing *l, struct fs_node *dir,
			const struct dirent *d)
{
	struct fuse_entry_param e = {.ino = 0};
	int dots = !strcmp(d->d_name, ".") || !strcmp(d->d_name, "..");

	e.attr.st_ino = d->d_ino;
	e.attr.st_mode = (mode_t)d->d_type << 12;
	if (fs_reserved(dir, d->d_name))
		return 0;
	if (l->plus && !dots && lookup_entry(l->fs, dir, d->d_name, &e) < 0)
		return 0; /* gone meanwhile */
	if (put_entry(l, d->d_name, &e, d->d_off)) {
		if (e.ino)
			fs_node_forget(l->fs, fs_node(l->fs, e.ino), 1);
		return 1;
	}
	return 0;
}

static void put_virtual(struct listing *l, struct fs_index *x, off_t off)
{
	struct fs_node *n;
	const char *name;

	for (int i = (int)(off - VIRTUAL_OFF);
	     i >= 0 && (name = fs_root_listed(x, i, &n)); i++) {
		struct fuse_entry_param e = {.ino = 0};

		fs_dir_stat(n, &e.attr);
		if (l->plus) {
			e.ino = fs_nodeid(l->fs, n);
			e.attr_timeout = e.entry_timeout = l->fs->timeout;
		}
		if (put_entry(l, name, &e, VIRTUAL_OFF + i + 1))
			return;
		if (l->plus)
			n->nlookup++;
	}
}

static void doc_readdir(fuse_req_t req, struct fs *fs, struct fs_handle *h,
			size_t size, off_t off, int plus)
{
	struct listing l = {
		req, fs, NULL, 0, size < DIR_BYTES_MAX ? size : DIR_BYTES_MAX,
		plus};
	int full = 0;
	struct dirent *d = NULL;

	if (!(l.buf = malloc(l.cap))) {
		fuse_reply_err(req, ENOMEM);
		return;
	}
	if (off < VIRTUAL_OFF || off == 0x7fffffffffffffff) {
		if (off != telldir(h->dir))
			seekdir(h->dir, off);
		while (!full && (d = readdir(h->dir)))
			full = put_document(&l, h->node, d);
		off = VIRTUAL_OFF;
	}
	/* what did not fit is read again: the next offset says where */
	if (!full && h->node == h->node->index->root)
		put_virtual(&l, h->node->index, off);
	if (full)
		seekdir(h->dir, 0);
	fuse_reply_buf(req, l.buf, l.n);
	free(l.buf);
}

const struct fs_kind FS_DOCUMENT = {
	.name = "document",
	.lookup = doc_lookup,
	.getattr = doc_getattr,
	.setattr = doc_setattr,
	.open = doc_open,
	.read = doc_read,
	.write = doc_write,
	.flush = doc_flush,
	.release = doc_release,
	.readdir = doc_readdir,
	.readlink = doc_readlink,
	.symlink = doc_symlink,
	.link = doc_link,
	.mkdir = doc_mkdir,
	.unlink = doc_unlink,
	.rmdir = doc_rmdir,
	.rename = doc_rename,
};
