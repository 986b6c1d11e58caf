/* SPDX-License-Identifier: MIT */
/*
 * An index as one file, and back (core/doc/format-export.md): a pax archive,
 * compressed with zstd. The documents are in it as they are, with modes, times
 * and extended attributes; the index is made from them.
 */
#include "index/answers/archive_attributes.h"
#include "index/answers/saved.h"
#include "index/state/internal.h"
#include "index/state/requests.h"
#include "base/mem.h"
#include <assert.h>
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { VERSION = 1, BLOCK_BYTES = 65536, META_MAX = 64 << 20 };
static const char HEAD[] = "rankfs-export", FILES[] = "files/";

static int fail(struct archive *a)
{
	int e = archive_errno(a);

	return e > 0 && e < 4096 ? -e : RK_ECORRUPT;
}

/* --- out --- */

static int put_bytes(struct archive *a, const char *name, const void *p,
		     size_t n)
{
	struct archive_entry *e = archive_entry_new();
	int rc = e ? 0 : -ENOMEM;

	if (e) {
		archive_entry_set_pathname(e, name);
		archive_entry_set_filetype(e, AE_IFREG);
		archive_entry_set_perm(e, 0600);
		archive_entry_set_size(e, (int64_t)n);
		if (archive_write_header(a, e) != ARCHIVE_OK ||
		    archive_write_data(a, p, n) != (la_ssize_t)n)
			rc = fail(a);
	}
	archive_entry_free(e);
	return rc;
}

/* A file of the index's directory, if it is there. */
static int put_file(struct rk_index *ix, struct archive *a, const char *name)
{
	struct rk_buf b = RK_BUF_INIT;
	int rc = rk_io_read_file(ix->env->io, ix->dir_fd, name, META_MAX, &b);

	if (rc == 0)
		rc = put_bytes(a, name, b.p, b.n);
	rk_buf_release(&b);
	return rc == -ENOENT ? 0 : rc;
}

static int put_head(struct rk_index *ix, struct archive *a)
{
	char text[256];
	uint64_t docs;
	int n;

	pthread_mutex_lock(&ix->lock);
	docs = ix->stats.docs;
	pthread_mutex_unlock(&ix->lock);
	n = snprintf(text, sizeof(text), "%s %d\nname %.100s\ndocuments %llu\n",
		     HEAD, VERSION, ix->name, (unsigned long long)docs);

	return put_bytes(a, HEAD, text, (size_t)n);
}

static int copy_data(struct archive *from, struct archive *to)
{
	const void *p;
	size_t n;
	int64_t off;
	int rc;

	while ((rc = archive_read_data_block(from, &p, &n, &off)) == ARCHIVE_OK)
		if (archive_write_data_block(to, p, n, off) < ARCHIVE_OK)
			return fail(to);
	return rc == ARCHIVE_EOF ? 0 : fail(from);
}

/*
 * pax has no sparse blocks on its way out: bytes in order. A file that has
 * become shorter meanwhile is filled up with zeros by the archive.
 */
static int put_data(struct archive *disk, struct archive *a)
{
	static const char ZEROS[BLOCK_BYTES];
	const void *p;
	size_t n;
	int64_t off, at = 0;
	int rc;

	while ((rc = archive_read_data_block(disk, &p, &n, &off)) ==
	       ARCHIVE_OK) {
		while (at < off) {
			size_t k = off - at < BLOCK_BYTES ? (size_t)(off - at)
							  : BLOCK_BYTES;

			if (archive_write_data(a, ZEROS, k) < 0)
				return fail(a);
			at += (int64_t)k;
		}
		if (archive_write_data(a, p, n) < 0)
			return fail(a);
		at += (int64_t)n;
	}
	return rc == ARCHIVE_EOF ? 0 : fail(disk);
}

static int put_entry(struct archive *disk, struct archive *a,
		     struct archive_entry *e, size_t prefix)
{
	const char *path = archive_entry_pathname(e);
	char name[PATH_MAX + 16];

	if (!path || strlen(path) <= prefix || !path[prefix + 1])
		return 0; /* the folder itself */
	if (archive_entry_filetype(e) != AE_IFREG &&
	    archive_entry_filetype(e) != AE_IFDIR &&
	    archive_entry_filetype(e) != AE_IFLNK)
		return 0; /* sockets, devices, fifos */
	snprintf(name, sizeof(name), "%s%s", FILES, path + prefix + 1);
	archive_entry_copy_pathname(e, name);
	archive_entry_set_hardlink(e, NULL);
	if (archive_write_header(a, e) < ARCHIVE_WARN)
		return fail(a);
	return archive_entry_filetype(e) == AE_IFREG ? put_data(disk, a) : 0;
}

static int put_documents(struct rk_index *ix, struct archive *a)
{
	struct archive *disk = archive_read_disk_new();
	struct archive_entry *e = archive_entry_new();
	char root[64];
	int rc = disk && e ? 0 : -ENOMEM, n;

	snprintf(root, sizeof(root), "/proc/self/fd/%d/.", ix->files_fd);
	if (rc == 0) {
		archive_read_disk_set_symlink_physical(disk);
		archive_read_disk_set_standard_lookup(disk);
		if (archive_read_disk_open(disk, root) != ARCHIVE_OK)
			rc = fail(disk);
	}
	while (rc == 0) {
		n = archive_read_next_header2(disk, e);
		if (n == ARCHIVE_EOF)
			break;
		if (n < ARCHIVE_WARN) {
			if (n == ARCHIVE_FATAL)
				rc = fail(disk);
			continue; /* one that cannot be read, or has gone */
		}
		if (archive_read_disk_can_descend(disk))
			archive_read_disk_descend(disk);
		rc = rk_archive_put_attributes(ix, e);
		if (rc == 0)
			rc = put_entry(disk, a, e, strlen(root));
	}
	archive_entry_free(e);
	archive_read_free(disk);
	return rc;
}

int rk_export(struct rk_index *ix, int fd)
{
	struct archive *a = archive_write_new();
	int rc = a ? 0 : -ENOMEM;

	assert(fd >= 0);
	if (rc == 0) {
		archive_write_set_format_pax(a);
		archive_write_add_filter_zstd(a);
		archive_write_set_bytes_in_last_block(a, 1);
		if (archive_write_open_fd(a, fd) != ARCHIVE_OK)
			rc = fail(a);
	}
	if (rc == 0)
		rc = put_head(ix, a);
	if (rc == 0)
		rc = put_file(ix, a, "config");
	if (rc == 0)
		rc = put_file(ix, a, "saved.mp");
	if (rc == 0)
		rc = put_documents(ix, a);
	if (rc == 0 && archive_write_close(a) != ARCHIVE_OK)
		rc = fail(a);
	archive_write_free(a);
	return rc;
}

/* --- in --- */

struct restore {
	struct rk_index *ix;
	struct archive *in, *disk;
	char root[PATH_MAX]; /* of the documents, without symbolic links */
	char *err;
	size_t err_n;
};

static int refuse(struct restore *r, const char *why, const char *what)
{
	snprintf(r->err, r->err_n, "%s%s%.200s", why, *what ? ": " : "", what);
	return -EINVAL;
}

static int take_bytes(struct restore *r, struct archive_entry *e,
		      struct rk_buf *out)
{
	int64_t n = archive_entry_size(e);

	if (n < 0 || n > META_MAX)
		return refuse(r, "too large", archive_entry_pathname(e));
	if (rk_buf_reserve(out, (size_t)n + 1) < 0)
		return -ENOMEM;
	if (archive_read_data(r->in, out->p, (size_t)n) != n)
		return fail(r->in);
	out->n = (size_t)n;
	out->p[n] = '\0';
	return 0;
}

static int check_head(struct restore *r)
{
	struct rk_buf b = RK_BUF_INIT;
	struct archive_entry *e;
	int version, rc;

	if (archive_read_next_header(r->in, &e) != ARCHIVE_OK ||
	    strcmp(archive_entry_pathname(e) ? archive_entry_pathname(e) : "",
		   HEAD) != 0)
		return refuse(r, "not an export of rankfs", "");
	rc = take_bytes(r, e, &b);
	if (rc == 0 && sscanf((char *)b.p, "rankfs-export %d", &version) != 1)
		rc = refuse(r, "not an export of rankfs", "");
	if (rc == 0 && version != VERSION) {
		snprintf(r->err, r->err_n,
			 "an export of version %d, which a newer rankfs wrote",
			 version);
		rc = RK_EVERSION;
	}
	rk_buf_release(&b);
	return rc;
}

/*
 * An archive may come from anywhere: lines that run a program, name a file or
 * send text to a server are not taken over.
 */
static int is_harmless(struct rk_index *ix, const char *line, size_t n)
{
	struct rk_config now, next;
	char why[256];

	pthread_mutex_lock(&ix->config_lock);
	next = now = ix->config;
	pthread_mutex_unlock(&ix->config_lock);
	/* a line that is none fails with the rest */
	return rk_config_parse(&next, line, n, why, sizeof(why)) < 0 ||
	       !rk_config_outside(&now, &next, RK_CONFIG_REACHES);
}

static int take_config(struct restore *r, struct archive_entry *e)
{
	struct rk_buf b = RK_BUF_INIT, safe = RK_BUF_INIT;
	int rc = take_bytes(r, e, &b);

	for (size_t at = 0, n; rc == 0 && at < b.n; at += n) {
		const char *line = (char *)b.p + at;
		const char *nl = memchr(line, '\n', b.n - at);
		size_t text = nl ? (size_t)(nl - line) : b.n - at;

		n = text + (nl != NULL);
		if (is_harmless(r->ix, line, text))
			rk_buf_add(&safe, line, n);
		else
			rk_warn(&r->ix->warnings, "import: left out: %.*s",
				text < 200 ? (int)text : 200, line);
	}
	if (rc == 0 && (rc = safe.err) == 0)
		rc = rk_config_set(r->ix, (char *)safe.p, safe.n, r->err,
				   r->err_n);
	rk_buf_release(&b);
	rk_buf_release(&safe);
	return rc;
}

/* Names that are there already stay as they are. */
static int take_saved(struct restore *r, struct archive_entry *e)
{
	struct rk_buf b = RK_BUF_INIT;
	struct rk_saved s;
	int rc = take_bytes(r, e, &b);

	rk_saved_init(&s);
	if (rc == 0)
		rc = rk_saved_decode(&s, b.p, b.n);
	for (size_t i = 0; i < s.n && rc == 0; i++) {
		const struct rk_saved_query *q = &s.v[i];

		rc = rk_saved_put(r->ix, q->name, q->text);
		if (rc == -EEXIST) {
			rc = 0;
			continue;
		}
		for (size_t k = 0; k < q->nmarks && rc == 0; k++)
			rc = rk_saved_mark(r->ix, q->name, q->marks[k].path,
					   (enum rk_feedback)q->marks[k].mark);
	}
	rk_saved_release(&s);
	rk_buf_release(&b);
	return rc;
}

static int take_document(struct restore *r, struct archive_entry *e,
			 const char *path)
{
	char full[PATH_MAX * 2];
	int type = (int)archive_entry_filetype(e), rc;

	if (!*path || strlen(path) >= PATH_MAX || archive_entry_hardlink(e) ||
	    (type != AE_IFREG && type != AE_IFDIR && type != AE_IFLNK))
		return refuse(r, "not a document", path);
	if ((rc = rk_archive_take_attributes(e)) < 0)
		return rc == -EPERM
			       ? refuse(r, "an attribute that only rankfs sets",
					path)
			       : rc;
	snprintf(full, sizeof(full), "%s/%s", r->root, path);
	archive_entry_copy_pathname(e, full);
	archive_entry_set_perm(e, archive_entry_perm(e) & 01777);
	if (archive_write_header(r->disk, e) < ARCHIVE_WARN) {
		snprintf(r->err, r->err_n, "%.200s: %.200s", path,
			 archive_error_string(r->disk));
		rc = fail(r->disk);
		return rc == RK_ECORRUPT ? -EINVAL : rc;
	}
	rc = type == AE_IFREG ? copy_data(r->in, r->disk) : 0;
	if (rc == 0 && archive_write_finish_entry(r->disk) < ARCHIVE_WARN)
		rc = fail(r->disk);
	if (rc == 0 && type != AE_IFLNK)
		rc = rk_archive_set_attributes(r->ix, e, full);
	if (rc == 0 && type == AE_IFREG)
		rc = rk_touch(r->ix, path, 0, NULL);
	if (rc == 0 && type == AE_IFLNK && !strchr(path, '/'))
		rk_links_changed(r->ix);
	return rc;
}

static int take_entry(struct restore *r, struct archive_entry *e)
{
	const char *given = archive_entry_pathname(e);
	char path[PATH_MAX];

	if (!given || strlen(given) >= sizeof(path))
		return refuse(r, "a name that is too long", "");
	strcpy(path, given); /* the entry gets another one */
	if (strcmp(path, "config") == 0)
		return take_config(r, e);
	if (strcmp(path, "saved.mp") == 0)
		return take_saved(r, e);
	if (strncmp(path, FILES, strlen(FILES)) != 0)
		return 0; /* of a newer kind */
	/* an absolute name is one below the documents */
	return take_document(
		r, e, path + strlen(FILES) + strspn(path + strlen(FILES), "/"));
}

static int open_restore(struct restore *r, int fd)
{
	char proc[40];
	ssize_t n;
	int flags = ARCHIVE_EXTRACT_TIME | ARCHIVE_EXTRACT_PERM |
		    ARCHIVE_EXTRACT_XATTR | ARCHIVE_EXTRACT_SAFE_WRITES |
		    ARCHIVE_EXTRACT_SECURE_NODOTDOT |
		    ARCHIVE_EXTRACT_SECURE_SYMLINKS;

	snprintf(proc, sizeof(proc), "/proc/self/fd/%d", r->ix->files_fd);
	n = readlink(proc, r->root, sizeof(r->root) - 1);
	if (n < 0)
		return -errno;
	r->root[n] = '\0';
	r->in = archive_read_new();
	r->disk = archive_write_disk_new();
	if (!r->in || !r->disk)
		return -ENOMEM;
	archive_write_disk_set_options(
		r->disk, flags | (geteuid() == 0 ? ARCHIVE_EXTRACT_OWNER : 0));
	archive_read_support_format_tar(r->in);
	archive_read_support_filter_zstd(r->in);
	if (archive_read_open_fd(r->in, fd, BLOCK_BYTES) != ARCHIVE_OK)
		return refuse(r, "not an export of rankfs", "");
	return 0;
}

int rk_restore(struct rk_index *ix, int fd, char *err, size_t err_n)
{
	struct restore r = {.ix = ix, .err = err, .err_n = err_n};
	struct archive_entry *e;
	int rc, n = ARCHIVE_OK;

	assert(fd >= 0 && err_n > 0);
	err[0] = '\0';
	if (ix->flags & RK_READ_ONLY)
		return RK_EREADONLY;
	rc = open_restore(&r, fd);
	if (rc == 0)
		rc = check_head(&r);
	while (rc == 0 &&
	       (n = archive_read_next_header(r.in, &e)) == ARCHIVE_OK) {
		rk_throttle(ix);
		rc = take_entry(&r, e);
	}
	if (rc == 0 && n != ARCHIVE_EOF)
		rc = refuse(&r, "the archive breaks off", "");
	archive_read_free(r.in);
	archive_write_free(r.disk); /* sets the times of folders */
	if (rc < 0 && !*err)
		snprintf(err, err_n, "%s", rk_strerror(rc));
	return rc;
}
