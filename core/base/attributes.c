/* SPDX-License-Identifier: MIT */
#include "base/attributes.h"
#include "base/buf.h"
#include "base/mem.h"
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <limits.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#define FOLDER "../attributes"
static const char POINTER[] = "user.rankfs.attributes";
static const char MOVED[] = "rankfs:attributes:"; /* and the ID */
enum {
	MOVED_BYTES = sizeof(MOVED) - 1 + RK_ATTR_ID,
	ALL_MAX = 4 << 20,
	MANY_NAMES = 256
};

/* Changes of what lies beside files, one at a time. */
static pthread_mutex_t changing = PTHREAD_MUTEX_INITIALIZER;

/* --- names --- */

static int is_id(const char *s, size_t n)
{
	if (n != RK_ATTR_ID)
		return 0;
	for (; n > 0; n--, s++)
		if (!isxdigit((unsigned char)*s) || isupper((unsigned char)*s))
			return 0;
	return 1;
}

static int is_user(const char *name)
{
	return strncmp(name, "user.", 5) == 0 && strcmp(name, POINTER) != 0;
}

int rk_attr_id(const char *file, char id[RK_ATTR_ID + 1])
{
	ssize_t n = getxattr(file, POINTER, id, RK_ATTR_ID);

	id[RK_ATTR_ID] = '\0';
	return n == RK_ATTR_ID && is_id(id, RK_ATTR_ID);
}

static int make_id(char id[RK_ATTR_ID + 1])
{
	uint64_t x;

	if (getrandom(&x, sizeof(x), 0) != (ssize_t)sizeof(x))
		return -EIO;
	snprintf(id, RK_ATTR_ID + 1, "%016llx", (unsigned long long)x);
	return 0;
}

/* NAME as a file's name: 0, or -ENOSPC if it is too long for one. */
static int to_file(const char *name, char out[NAME_MAX + 1])
{
	size_t n = 0;

	for (const char *s = name + 5; *s; s++) {
		int plain = *s != '/' && *s != '%' && !(*s == '.' && n == 0);

		if (n + 3 > NAME_MAX)
			return -ENOSPC;
		if (plain)
			out[n++] = *s;
		else
			n += (size_t)snprintf(out + n, 4, "%%%02X",
					      (unsigned)*s);
	}
	out[n] = '\0';
	return n > 0 ? 0 : -ENOSPC;
}

static void from_file(const char *s, char out[NAME_MAX + 6])
{
	size_t n = (size_t)snprintf(out, 6, "user.");

	for (; *s && n < NAME_MAX + 5; s++) {
		unsigned c;

		if (*s == '%' && sscanf(s + 1, "%2X", &c) == 1) {
			out[n++] = (char)c;
			s += 2;
		} else {
			out[n++] = *s;
		}
	}
	out[n] = '\0';
}

/* ../attributes/ID; -errno. */
static int open_folder(int files, const char *id, int make)
{
	char path[sizeof(FOLDER) + RK_ATTR_ID + 2];
	int fd;

	snprintf(path, sizeof(path), FOLDER "/%s", id);
	if (make && mkdirat(files, FOLDER, 0700) < 0 && errno != EEXIST)
		return -errno;
	if (make && mkdirat(files, path, 0700) < 0 && errno != EEXIST)
		return -errno;
	fd = openat(files, path,
		    O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	return fd < 0 ? -errno : fd;
}

/* --- values beside the file --- */

static ssize_t read_beside(int files, const char *id, const char *name,
			   void *value, size_t n)
{
	char file[NAME_MAX + 1];
	int folder, fd;
	struct stat st;
	ssize_t got = -ENODATA;

	if (to_file(name, file) < 0 || (folder = open_folder(files, id, 0)) < 0)
		return -ENODATA;
	fd = openat(folder, file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	close(folder);
	if (fd < 0)
		return errno == ENOENT ? -ENODATA : -errno;
	if (fstat(fd, &st) < 0)
		got = -errno;
	else if (st.st_size > RK_ATTR_VALUE_MAX)
		got = -EIO;
	else if (n == 0)
		got = st.st_size;
	else if ((size_t)st.st_size > n)
		got = -ERANGE;
	else if ((got = pread(fd, value, n, 0)) != st.st_size)
		got = got < 0 ? -errno : -EIO;
	close(fd);
	return got;
}

/* The new file has its name only when its bytes are on disk. */
static int write_beside(int folder, const char *file, const void *value,
			size_t n)
{
	static const char NEW[] = ".new";
	int fd = openat(folder, NEW, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
			0600);
	int rc;

	if (fd < 0)
		return -errno;
	rc = write(fd, value, n) == (ssize_t)n ? 0 : -ENOSPC;
	if (rc == 0 && fsync(fd) < 0)
		rc = -errno;
	close(fd);
	if (rc == 0 && renameat(folder, NEW, folder, file) < 0)
		rc = -errno;
	if (rc < 0)
		unlinkat(folder, NEW, 0);
	else if (fsync(folder) < 0)
		rc = -errno;
	return rc;
}

/* Each name in an open folder, with its directory's descriptor. */
static int each_beside(int folder, int (*fn)(void *, int, const char *),
		       void *ctx)
{
	int fd = dup(folder), rc = 0;
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;

	if (!d) {
		rc = -errno;
		if (fd >= 0)
			close(fd);
		return rc;
	}
	rewinddir(d);
	while (rc == 0 && (e = readdir(d)) != NULL)
		if (e->d_name[0] != '.')
			rc = fn(ctx, folder, e->d_name);
	closedir(d);
	return rc;
}

static int add_size(void *ctx, int folder, const char *file)
{
	struct stat st;
	size_t *sum = ctx;

	if (fstatat(folder, file, &st, AT_SYMLINK_NOFOLLOW) == 0)
		*sum += strlen(file) + (size_t)st.st_size;
	return 0;
}

/* --- making room on the file --- */

static int is_moved(const char *value, ssize_t n)
{
	return n == MOVED_BYTES &&
	       memcmp(value, MOVED, sizeof(MOVED) - 1) == 0 &&
	       is_id(value + sizeof(MOVED) - 1, RK_ATTR_ID);
}

/* Of the names that the file holds, the one with the longest value: long
 * enough that an ID instead leaves room for the attribute that names it. */
static const char *longest(const char *file, const char *names, ssize_t n)
{
	const char *best = NULL;
	ssize_t most = MOVED_BYTES + 80;

	for (ssize_t at = 0; at < n; at += (ssize_t)strlen(names + at) + 1) {
		ssize_t size = is_user(names + at)
				       ? getxattr(file, names + at, NULL, 0)
				       : 0;

		if (size > most) {
			most = size;
			best = names + at;
		}
	}
	return best;
}

/* Move one attribute beside the file, and set the ID in its place. */
static int swap_for_id(const char *file, int folder, const char *name,
		       const char *id)
{
	char *value = rk_malloc(RK_ATTR_VALUE_MAX), as[NAME_MAX + 1];
	char moved[MOVED_BYTES + 1];
	ssize_t n = 0;
	int rc = value ? to_file(name, as) : -ENOMEM;

	if (rc == 0) {
		n = getxattr(file, name, value, RK_ATTR_VALUE_MAX);
		rc = n < 0 ? -errno
			   : write_beside(folder, as, value, (size_t)n);
	}
	snprintf(moved, sizeof(moved), "%s%s", MOVED, id);
	if (rc == 0 &&
	    setxattr(file, name, moved, MOVED_BYTES, XATTR_REPLACE) < 0)
		rc = -errno;
	if (rc == 0 && setxattr(file, POINTER, id, RK_ATTR_ID, 0) < 0)
		rc = setxattr(file, name, value, (size_t)n, 0) < 0 ? -EIO
								   : -ENOSPC;
	else if (rc == 0 && removexattr(file, name) < 0)
		rc = -errno;
	rk_free(value);
	return rc;
}

static int set_id(const char *file, int folder, const char *id)
{
	char *names;
	const char *name;
	ssize_t n;
	int rc;

	if (setxattr(file, POINTER, id, RK_ATTR_ID, 0) == 0)
		return 0;
	if (errno != ENOSPC)
		return -errno;
	if (!(names = rk_malloc(XATTR_LIST_MAX)))
		return -ENOMEM;
	n = listxattr(file, names, XATTR_LIST_MAX);
	name = longest(file, names, n);
	rc = name ? swap_for_id(file, folder, name, id) : -ENOSPC;
	rk_free(names);
	return rc;
}

/* The ID with which an attribute's value was moved away; 1: it was. */
static int moved_id(const char *file, const char *name, char id[RK_ATTR_ID + 1])
{
	char value[MOVED_BYTES];
	ssize_t n = getxattr(file, name, value, sizeof(value));

	if (!is_moved(value, n))
		return 0;
	memcpy(id, value + sizeof(MOVED) - 1, RK_ATTR_ID);
	id[RK_ATTR_ID] = '\0';
	return 1;
}

/* The file's ID, also where a crash left it in a value alone. */
static int find_id(const char *file, const char *name, char id[RK_ATTR_ID + 1])
{
	return rk_attr_id(file, id) || moved_id(file, name, id);
}

static int has_room(int folder, size_t n)
{
	size_t sum = n;

	return each_beside(folder, add_size, &sum) == 0 && sum <= ALL_MAX;
}

static int put_beside(int files, const char *file, const char *name,
		      const void *value, size_t n)
{
	char id[RK_ATTR_ID + 1], as[NAME_MAX + 1];
	int had = find_id(file, name, id), folder, rc;

	if (n > RK_ATTR_VALUE_MAX)
		return -E2BIG;
	if ((rc = to_file(name, as)) < 0 || (!had && (rc = make_id(id)) < 0))
		return rc;
	if ((folder = open_folder(files, id, 1)) < 0)
		return folder;
	rc = has_room(folder, n) ? write_beside(folder, as, value, n) : -ENOSPC;
	if (rc == 0)
		rc = set_id(file, folder, id);
	close(folder);
	if (rc == 0 && removexattr(file, name) < 0 && errno != ENODATA)
		rc = -errno;
	if (rc < 0 && rc != -EIO && !had)
		rk_attr_drop(files, id);
	return rc;
}

/* --- the calls --- */

int rk_attr_may_set(const char *name, const void *value, size_t n)
{
	return strcmp(name, POINTER) != 0 && !is_moved(value, (ssize_t)n);
}

ssize_t rk_attr_get(int files, const char *file, const char *name, void *value,
		    size_t n)
{
	char id[RK_ATTR_ID + 1];
	ssize_t got;

	if (strcmp(name, POINTER) == 0)
		return -ENODATA;
	got = getxattr(file, name, value, n);
	if (!is_user(name))
		return got < 0 ? -errno : got;
	if (got == MOVED_BYTES && moved_id(file, name, id))
		return read_beside(files, id, name, value, n);
	if (got >= 0 || errno != ENODATA)
		return got < 0 ? -errno : got;
	return rk_attr_id(file, id) ? read_beside(files, id, name, value, n)
				    : -ENODATA;
}

/*
 * Many short values leave none that is long enough to make room for an ID: it
 * is there before the file is full.
 */
static void prepare(const char *file)
{
	char id[RK_ATTR_ID + 1];

	if (listxattr(file, NULL, 0) > MANY_NAMES && !rk_attr_id(file, id) &&
	    make_id(id) == 0)
		setxattr(file, POINTER, id, RK_ATTR_ID, XATTR_CREATE);
}

static int set(int files, const char *file, const char *name, const void *value,
	       size_t n, int flags)
{
	char id[RK_ATTR_ID + 1];
	int beside = rk_attr_id(file, id) &&
		     read_beside(files, id, name, NULL, 0) >= 0;
	int there;

	if (!beside && setxattr(file, name, value, n, flags) == 0) {
		prepare(file);
		return 0;
	}
	if (!beside && errno != ENOSPC && errno != E2BIG)
		return -errno;
	there = beside || getxattr(file, name, NULL, 0) >= 0;
	if (there && flags & XATTR_CREATE)
		return -EEXIST;
	if (!there && flags & XATTR_REPLACE)
		return -ENODATA;
	return put_beside(files, file, name, value, n);
}

int rk_attr_set(int files, const char *file, const char *name,
		const void *value, size_t n, int flags)
{
	int rc;

	if (!rk_attr_may_set(name, value, n))
		return -EPERM;
	if (!is_user(name))
		return setxattr(file, name, value, n, flags) < 0 ? -errno : 0;
	pthread_mutex_lock(&changing);
	rc = set(files, file, name, value, n, flags);
	pthread_mutex_unlock(&changing);
	return rc;
}

struct names {
	const char *file;
	struct rk_buf b;
};

static int add_name(void *ctx, int folder, const char *as)
{
	struct names *l = ctx;
	char name[NAME_MAX + 6];

	(void)folder;
	from_file(as, name);
	if (getxattr(l->file, name, NULL, 0) < 0)
		rk_buf_name(&l->b, name);
	return l->b.err;
}

/* Those that the file holds, without the ID. */
static int list_held(struct names *l)
{
	ssize_t n = listxattr(l->file, NULL, 0);
	char *all = n > 0 ? rk_malloc((size_t)n) : NULL;

	if (n <= 0)
		return n < 0 ? -errno : 0;
	if (!all)
		return -ENOMEM;
	n = listxattr(l->file, all, (size_t)n);
	for (ssize_t at = 0; at < n; at += (ssize_t)strlen(all + at) + 1)
		if (strcmp(all + at, POINTER) != 0)
			rk_buf_name(&l->b, all + at);
	rk_free(all);
	return n < 0 ? -errno : l->b.err;
}

ssize_t rk_attr_list(int files, const char *file, char *names, size_t n)
{
	struct names l = {.file = file, .b = RK_BUF_INIT};
	char id[RK_ATTR_ID + 1];
	int folder, rc = list_held(&l);
	ssize_t got;

	if (rc == 0 && rk_attr_id(file, id) &&
	    (folder = open_folder(files, id, 0)) >= 0) {
		rc = each_beside(folder, add_name, &l);
		close(folder);
	}
	got = rc < 0			   ? rc
	      : l.b.n > XATTR_LIST_MAX	   ? -E2BIG
	      : n > 0 && (size_t)l.b.n > n ? -ERANGE
					   : (ssize_t)l.b.n;
	if (got > 0 && n > 0)
		memcpy(names, l.b.p, (size_t)got);
	rk_buf_release(&l.b);
	return got;
}

static int remove_beside(int files, const char *file, const char *id,
			 const char *name)
{
	char as[NAME_MAX + 1], path[sizeof(FOLDER) + RK_ATTR_ID + 2];
	int folder, rc;

	if (to_file(name, as) < 0 || (folder = open_folder(files, id, 0)) < 0)
		return -ENODATA;
	rc = unlinkat(folder, as, 0) < 0 ? -ENODATA : 0;
	close(folder);
	snprintf(path, sizeof(path), FOLDER "/%s", id);
	if (rc == 0 && unlinkat(files, path, AT_REMOVEDIR) == 0)
		removexattr(file, POINTER); /* that was the last */
	return rc;
}

int rk_attr_remove(int files, const char *file, const char *name)
{
	char id[RK_ATTR_ID + 1];
	int held, beside = -ENODATA;

	if (strcmp(name, POINTER) == 0)
		return -ENODATA;
	if (!is_user(name))
		return removexattr(file, name) < 0 ? -errno : 0;
	pthread_mutex_lock(&changing);
	if (find_id(file, name, id))
		beside = remove_beside(files, file, id, name);
	held = removexattr(file, name) < 0 ? -errno : 0;
	pthread_mutex_unlock(&changing);
	return held == -ENODATA ? beside : held;
}

/* --- files that go --- */

static int remove_one(void *ctx, int folder, const char *file)
{
	(void)ctx;
	unlinkat(folder, file, 0);
	return 0;
}

void rk_attr_drop(int files, const char *id)
{
	char path[sizeof(FOLDER) + RK_ATTR_ID + 2];
	int folder = open_folder(files, id, 0);

	if (folder < 0)
		return;
	each_beside(folder, remove_one, NULL);
	unlinkat(folder, ".new", 0);
	close(folder);
	snprintf(path, sizeof(path), FOLDER "/%s", id);
	unlinkat(files, path, AT_REMOVEDIR);
}

int rk_attr_used(int files)
{
	return faccessat(files, FOLDER, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static int add_folder(void *ctx, int folder, const char *name)
{
	(void)folder;
	if (is_id(name, strlen(name)))
		rk_buf_add(ctx, name, RK_ATTR_ID);
	return ((struct rk_buf *)ctx)->err;
}

/* Blank an ID that a file still names, or a value of it that was moved. */
static void keep(struct rk_buf *ids, const char *id)
{
	for (size_t at = 0; at < ids->n; at += RK_ATTR_ID)
		if (memcmp(ids->p + at, id, RK_ATTR_ID) == 0)
			ids->p[at] = '-';
}

static void keep_of(struct rk_buf *ids, const char *file)
{
	char id[RK_ATTR_ID + 1];
	struct names l = {.file = file, .b = RK_BUF_INIT};
	const char *name;
	size_t at = 0;

	if (rk_attr_id(file, id))
		keep(ids, id);
	else if (list_held(&l) == 0)
		while ((name = rk_buf_next(&l.b, &at)) != NULL)
			if (is_user(name) && moved_id(file, name, id))
				keep(ids, id);
	rk_buf_release(&l.b);
}

static int keep_named(int files, struct rk_buf *ids)
{
	char root[64], *top[] = {root, NULL};
	FTS *walk;
	FTSENT *e;

	snprintf(root, sizeof(root), "/proc/self/fd/%d/", files);
	walk = fts_open(top, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	if (!walk)
		return -errno;
	errno = 0;
	while ((e = fts_read(walk)) != NULL) {
		if (e->fts_info == FTS_DNR || e->fts_info == FTS_ERR) {
			errno = e->fts_errno;
			break;
		}
		if (e->fts_info == FTS_F || e->fts_info == FTS_D)
			keep_of(ids, e->fts_accpath);
	}
	fts_close(walk);
	return e ? -errno : 0;
}

int rk_attr_sweep(int files)
{
	struct rk_buf ids = RK_BUF_INIT;
	int folder = openat(files, FOLDER, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc, count = 0;

	if (folder < 0)
		return errno == ENOENT ? 0 : -errno;
	rc = each_beside(folder, add_folder, &ids);
	close(folder);
	if (rc == 0 && ids.n > 0)
		rc = keep_named(files, &ids);
	for (size_t at = 0; rc == 0 && at < ids.n; at += RK_ATTR_ID) {
		char id[RK_ATTR_ID + 1] = "";

		memcpy(id, ids.p + at, RK_ATTR_ID);
		if (*id != '-') {
			rk_attr_drop(files, id);
			count++;
		}
	}
	rk_buf_release(&ids);
	return rc < 0 ? rc : count;
}
