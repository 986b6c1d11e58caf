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
 * The lines before it are in; it, and what the same write has after it, is not.
 */
#include "fs/control/import.h"
#include "fs/control/import_document.h"
#include "fs/base/capabilities.h"
#include "fs/base/errno.h"
#include "fs/base/errors.h"
#include "fs/base/mounted.h"
#include "fs/base/node.h"
#include "fs/base/pool.h"
#include "fs/base/quota.h"
#include "fs/base/spool.h"
#include "fs/base/tree.h"
#include "fs/base/walls.h"
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LINE_MAX_BYTES = 64 << 20 };

/* A handle's unfinished line; or, of an export, all that has come. */
struct fs_lines {
	int spool; /* its file; -1: lines */
	int begun;
	struct rk_buf rest;
	uint64_t line;
};

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
	if (!json_is_object(o)) {
		snprintf(err, err_n, "%s", o ? "not an object" : e.text);
		rc = -EINVAL;
	} else
		rc = fs_import_document(x, o, err, err_n);
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
	if (rc < 0)
		at = l->rest.n; /* the write has failed: nothing is left of it
				 */
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
	fs_pool_add_for(fs->pool, req, &j->job);
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
	if (!l->begun && is_archive(p, n)) {
		if (!fs_may_by(req, h, FS_DO_RESTORE)) {
			fs_remember_error(fs, h->uid,
					  fs_may_not(FS_DO_RESTORE));
			fuse_reply_err(req, EPERM);
			return;
		}
		if ((l->spool = fs_spool(fs)) < 0) {
			fuse_reply_err(req, fs_errno(l->spool));
			return;
		}
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
