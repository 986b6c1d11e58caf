/* SPDX-License-Identifier: MIT */
/*
 * .rankfs/import: JSON Lines in, documents out. Each line is an object:
 *
 *   id        path of the document below the mount; its text replaces what
 *             was there
 *   text      the document
 *   metadata  (optional) an object; strings, numbers and booleans become
 *             extended attributes user.KEY of the document
 *   vector    (optional) an array of numbers, kept with the document as the
 *             extended attribute user.rankfs.vector; used with the embedder
 *             `import:DIM`
 *
 * or an export (.rankfs/export of any index), which is put back when the file
 * is closed.
 *
 * A bad line fails the write with EINVAL; .rankfs/error says which and why.
 * The lines before it are in.
 */
#include "fs/control/import.h"
#include "fs/base/errno.h"
#include "fs/base/errors.h"
#include "fs/base/mounted.h"
#include "fs/base/node.h"
#include "fs/base/pool.h"
#include "fs/base/quota.h"
#include "fs/base/spool.h"
#include "fs/base/tree.h"
#include "fs/base/walls.h"
#include "fs/documents/documents.h"
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <linux/openat2.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

enum { LINE_MAX_BYTES = 64 << 20, DIM_MAX = 16384 };

/* A handle's unfinished line; or, of an export, all that has come. */
struct fs_lines {
	int spool; /* its file; -1: lines */
	int begun;
	struct rk_buf rest;
	uint64_t line;
};

/* --- one document --- */

static int refuse(char *err, size_t err_n, const char *why)
{
	snprintf(err, err_n, "%s", why);
	return -EINVAL;
}

/* A relative path without "." and "..", whose first name is not ours. */
static int check_id(struct fs_index *x, const char *id, char *err, size_t err_n)
{
	const char *p = id;
	char first[256] = "";

	if (!*id || *id == '/' || strlen(id) > 4000)
		return refuse(err, err_n, "id: not a relative path");
	while (*p) {
		size_t n = strcspn(p, "/");

		if (n == 0 || n > 255 || (n == 1 && *p == '.') ||
		    (n == 2 && !memcmp(p, "..", 2)))
			return refuse(err, err_n, "id: not a plain path");
		if (p == id)
			memcpy(first, p, n);
		p += n + (p[n] == '/');
	}
	if (id[strlen(id) - 1] == '/')
		return refuse(err, err_n, "id: the name is missing");
	if (fs_reserved(x->root, first))
		return refuse(err, err_n, "id: a reserved name");
	return 0;
}

static int open_beneath(struct fs_index *x, const char *path, int flags)
{
	struct open_how how = {
		.flags = (unsigned)flags | O_CLOEXEC | O_NOFOLLOW,
		.mode = flags & O_CREAT ? 0644 : 0,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS,
	};
	long fd = syscall(SYS_openat2, x->files_fd, path, &how, sizeof(how));

	return fd < 0 ? -errno : (int)fd;
}

/* Folders on the way; nothing leads out of the documents. */
static int make_folders(struct fs_index *x, const char *id)
{
	char path[4096];
	int at = dup(x->files_fd), next;

	for (const char *p = id, *slash; at >= 0 && (slash = strchr(p, '/'));
	     p = slash + 1) {
		memcpy(path, p, (size_t)(slash - p));
		path[slash - p] = '\0';
		if (mkdirat(at, path, 0755) < 0 && errno != EEXIST) {
			next = -errno;
			close(at);
			return next;
		}
		next = openat(at, path,
			      O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		next = next < 0 ? -errno : next;
		close(at);
		at = next;
	}
	if (at < 0)
		return at;
	close(at);
	return 0;
}

static int set_metadata(int fd, json_t *o, char *err, size_t err_n)
{
	const char *key;
	json_t *v;

	json_object_foreach(o, key, v)
	{
		char name[256], number[64];
		const char *s = json_string_value(v);

		if (json_is_real(v))
			snprintf(number, sizeof(number), "%.17g",
				 json_real_value(v));
		else if (json_is_integer(v))
			snprintf(number, sizeof(number), "%lld",
				 (long long)json_integer_value(v));
		else
			snprintf(number, sizeof(number), "%s",
				 json_is_true(v) ? "true" : "false");
		if (!s && !json_is_number(v) && !json_is_boolean(v))
			return refuse(err, err_n,
				      "metadata: only strings, numbers and "
				      "booleans");
		s = s ? s : number;
		if ((size_t)snprintf(name, sizeof(name), "user.%s", key) >=
			    sizeof(name) ||
		    !*key || strncmp(key, "rankfs.", 7) == 0)
			return refuse(err, err_n, "metadata: a bad key");
		if (fsetxattr(fd, name, s, strlen(s), 0) < 0)
			return -errno;
	}
	return 0;
}

/* IEEE 754 binary16, rounded to nearest; a vector's numbers are small. */
static uint16_t to_half(double x)
{
	uint16_t sign = x < 0 ? 0x8000 : 0;
	int exp;
	double m = frexp(fabs(x), &exp); /* m in [.5, 1) */

	if (m == 0.0)
		return sign;
	if (exp > 16)
		return (uint16_t)(sign | 0x7bff); /* the largest there is */
	if (exp < -13)				  /* subnormal */
		return (uint16_t)(sign | (uint16_t)lrint(ldexp(fabs(x), 24)));
	return (uint16_t)(sign + (uint16_t)((exp + 13) * 1024 +
					    (int)lrint((m * 2) * 1024)));
}

static int set_vector(int fd, const json_t *a, char *err, size_t err_n)
{
	size_t n = json_array_size(a);
	uint16_t *h;
	double len = 0;
	int rc;

	if (n == 0 || n > DIM_MAX)
		return refuse(err, err_n, "vector: not an array of numbers");
	if (!(h = malloc(n * sizeof(*h))))
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		double x = json_number_value(json_array_get(a, i));

		len += json_is_number(json_array_get(a, i)) ? x * x
							    : (double)NAN;
	}
	len = sqrt(len);
	for (size_t i = 0; i < n && len > 0; i++)
		h[i] = to_half(json_number_value(json_array_get(a, i)) / len);
	rc = !(len > 0) || !isfinite(len)
		     ? refuse(err, err_n, "vector: not a direction in numbers")
	     : fsetxattr(fd, "user.rankfs.vector", h, n * sizeof(*h), 0) < 0
		     ? -errno
		     : 0;
	free(h);
	return rc;
}

/* For a text in the place of what is there; 0 or -EDQUOT. */
static int take_room(struct fs_index *x, const char *id, size_t n)
{
	int files, rc;
	int64_t was;

	pthread_mutex_lock(&x->fs->loop);
	was = fs_quota_of(x, x->files_fd, id, &files);
	rc = fs_quota_take(x, (int64_t)n - was, 1 - files);
	pthread_mutex_unlock(&x->fs->loop);
	return rc;
}

static int put_document(struct fs_index *x, json_t *o, char *err, size_t err_n)
{
	const char *id = json_string_value(json_object_get(o, "id"));
	const json_t *text = json_object_get(o, "text");
	json_t *meta = json_object_get(o, "metadata");
	const json_t *vector = json_object_get(o, "vector");
	int fd, rc;

	if (!id || !json_is_string(text))
		return refuse(err, err_n, "id and text are needed, as strings");
	if ((rc = check_id(x, id, err, err_n)) < 0 ||
	    (rc = make_folders(x, id)) < 0)
		return rc;
	if ((rc = take_room(x, id, json_string_length(text))) < 0)
		return rc;
	fd = open_beneath(x, id, O_WRONLY | O_CREAT | O_TRUNC);
	if (fd < 0)
		return fd;
	rc = fs_write_all(fd, json_string_value(text),
			  json_string_length(text));
	if (rc == 0 && meta)
		rc = set_metadata(fd, meta, err, err_n);
	if (rc == 0 && vector)
		rc = set_vector(fd, vector, err, err_n);
	if (close(fd) < 0 && rc == 0)
		rc = -errno;
	if (rc == 0)
		rc = fs_touch(x, id, 0, NULL);
	return rc;
}

/* --- lines --- */

static int put_line(struct fs_index *x, const char *s, size_t n, char *err,
		    size_t err_n)
{
	json_error_t e;
	json_t *o;
	size_t blank = 0;
	int rc;

	while (blank < n && strchr(" \t\r", s[blank]))
		blank++;
	if (blank == n)
		return 0;
	o = json_loadb(s, n, JSON_REJECT_DUPLICATES, &e);
	if (!json_is_object(o))
		rc = refuse(err, err_n, o ? "not an object" : e.text);
	else
		rc = put_document(x, o, err, err_n);
	json_decref(o);
	return rc;
}

/* All whole lines of what has come so far; `last`: the rest is one, too. */
static int put_lines(struct fs_index *x, struct fs_lines *l, int last,
		     char *err, size_t err_n)
{
	char why[200] = "";
	size_t at = 0;
	int rc = 0;

	while (rc == 0 && at < l->rest.n) {
		uint8_t *nl = memchr(l->rest.p + at, '\n', l->rest.n - at);
		size_t n = nl ? (size_t)(nl - l->rest.p) - at : l->rest.n - at;

		if (!nl && !last)
			break;
		l->line++;
		rc = put_line(x, (char *)l->rest.p + at, n, why, sizeof(why));
		at += n + (nl != NULL);
	}
	if (rc < 0)
		snprintf(err, err_n, "import: line %llu: %s",
			 (unsigned long long)l->line,
			 *why ? why : rk_strerror(rc));
	if (at > 0)
		memmove(l->rest.p, l->rest.p + at, l->rest.n - at);
	l->rest.n -= at;
	return rc;
}

/* --- the file --- */

static int import_begin(struct fs_handle *h)
{
	struct fs_lines *l = h->dir;

	l->spool = -1;
	return 0;
}

struct import_job {
	struct fs_job job;
	fuse_req_t req;
	struct fs_index *x;
	struct fs_lines *lines;
	uid_t uid;
	size_t n;
	int last;
};

/* When the file is closed; a later write would begin anew. */
static int restore(struct fs_index *x, struct fs_lines *l, char *err,
		   size_t err_n)
{
	int rc;

	pthread_mutex_lock(&x->fs->loop);
	rc = fs_quota_recount(x);
	pthread_mutex_unlock(&x->fs->loop);
	if (rc > 0) /* what it would take is not known before */
		snprintf(err, err_n, "an index with a quota takes no export");
	rc = rc > 0 ? -EDQUOT
	     : lseek(l->spool, 0, SEEK_SET) < 0
		     ? -errno
		     : rk_restore(x->ix, l->spool, err, err_n);

	close(l->spool);
	l->spool = -1;
	l->begun = 0;
	return rc;
}

static void import_run(struct fs_job *job)
{
	struct import_job *j = (struct import_job *)job;
	char err[256] = "";
	int rc;

	fs_wall_recheck(j->x); /* modes are those of the archive */
	rc = j->lines->spool >= 0
		     ? restore(j->x, j->lines, err, sizeof(err))
		     : put_lines(j->x, j->lines, j->last, err, sizeof(err));
	fs_wall_recheck(j->x);
	fs_remember_error(j->x->fs, j->uid, err);
	if (rc < 0 || j->last)
		fuse_reply_err(j->req, fs_errno(rc));
	else
		fuse_reply_write(j->req, j->n);
	free(j);
}

static void start(fuse_req_t req, struct fs *fs, struct fs_handle *h, size_t n,
		  int last)
{
	struct import_job *j = calloc(1, sizeof(*j));

	if (!j) {
		fuse_reply_err(req, ENOMEM);
		return;
	}
	j->job.run = import_run;
	j->job.x = h->node->index;
	j->req = req;
	j->x = h->node->index;
	j->lines = h->dir;
	j->uid = fuse_req_ctx(req)->uid;
	j->n = n;
	j->last = last;
	fs_pool_add(fs->pool, &j->job);
}

/* zstd, or a pax archive that is not compressed (of its own header). */
static int is_archive(const char *p, size_t n)
{
	return (n >= 4 && memcmp(p, "\x28\xb5\x2f\xfd", 4) == 0) ||
	       (n > 262 && memcmp(p + 257, "ustar", 5) == 0);
}

static void spool(fuse_req_t req, struct fs_lines *l, const char *p, size_t n)
{
	int rc = fs_write_all(l->spool, p, n);

	if (rc < 0)
		fuse_reply_err(req, -rc);
	else
		fuse_reply_write(req, n);
}

static void import_write(fuse_req_t req, struct fs *fs, struct fs_handle *h,
			 const char *p, size_t n, off_t off)
{
	struct fs_lines *l = h->dir;

	(void)off;
	if (!l->begun && is_archive(p, n) && (l->spool = fs_spool(fs)) < 0) {
		fuse_reply_err(req, fs_errno(l->spool));
		return;
	}
	l->begun = 1;
	if (l->spool >= 0) {
		spool(req, l, p, n);
		return;
	}
	if (l->rest.n + n > LINE_MAX_BYTES) {
		fuse_reply_err(req, EFBIG);
		return;
	}
	rk_buf_add(&l->rest, p, n);
	if (l->rest.err)
		fuse_reply_err(req, ENOMEM);
	else
		start(req, fs, h, n, 0);
}

/* A last line without a newline counts when the file is closed. */
static void import_flush(fuse_req_t req, struct fs *fs, struct fs_handle *h)
{
	struct fs_lines *l = h->dir;

	if (l->rest.n == 0 && l->spool < 0)
		fuse_reply_err(req, 0);
	else
		start(req, fs, h, 0, 1);
}

static void import_end(struct fs_handle *h)
{
	struct fs_lines *l = h->dir;

	if (l->spool >= 0)
		close(l->spool);
	rk_buf_release(&l->rest);
}

const struct fs_stream FS_IMPORT_STREAM = {
	.state = sizeof(struct fs_lines),
	.begin = import_begin,
	.end = import_end,
	.write = import_write,
	.flush = import_flush,
	.no_seek = 1,
};
