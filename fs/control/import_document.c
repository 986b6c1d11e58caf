/* SPDX-License-Identifier: MIT */
/*
 * A document from a line: it is written under another name in the folder
 * incoming/ beside the documents, with its attributes, and then renamed. After
 * a crash at any moment, the old document is there or the new one.
 */
#include "fs/control/import_document.h"
#include "fs/base/mounted.h"
#include "fs/base/node.h"
#include "fs/base/quota.h"
#include "fs/base/spool.h"
#include "fs/base/tree.h"
#include "fs/documents/documents.h"
#include "fs/documents/xattr.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DIM_MAX = 16384, ID_MAX = 4000 };
#define INCOMING "../incoming"

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

	if (!*id || *id == '/' || strlen(id) > ID_MAX)
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

/* A new folder is its owner's, as a new document is. */
static int make_folder(struct fs_index *x, int at, const char *name)
{
	if (mkdirat(at, name, 0755) < 0)
		return errno == EEXIST ? 0 : -errno;
	if (geteuid() == 0 &&
	    fchownat(at, name, x->uid, x->gid, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	return 0;
}

/* The folder of a document, made if need be: nothing leads out of the
 * documents. *name: the rest of id. */
static int open_folder(struct fs_index *x, const char *id, const char **name)
{
	char part[256];
	int at = dup(x->files_fd), next, rc;
	const char *slash;

	if (at < 0)
		return -errno;
	for (*name = id; (slash = strchr(*name, '/')); *name = slash + 1) {
		memcpy(part, *name, (size_t)(slash - *name));
		part[slash - *name] = '\0';
		rc = make_folder(x, at, part);
		next = rc < 0 ? rc
			      : openat(at, part,
				       O_RDONLY | O_DIRECTORY | O_NOFOLLOW |
					       O_CLOEXEC);
		if (rc == 0 && next < 0)
			next = -errno;
		close(at);
		if (next < 0)
			return next;
		at = next;
	}
	return at;
}

/* --- attributes --- */

static int set_metadata(struct fs_index *x, int fd, json_t *o, char *err,
			size_t err_n)
{
	const char *key;
	json_t *v;
	int rc;

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
		rc = fs_attr_set(x, fd, name, s, strlen(s));
		if (rc < 0)
			return rc;
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

/* Where vectors come with documents, all are of one length. */
static int check_dim(struct fs_index *x, size_t n, char *err, size_t err_n)
{
	struct rk_buf config = RK_BUF_INIT;
	const char *line;
	size_t dim = 0;

	rk_config_print(x->ix, &config);
	rk_buf_byte(&config, 0);
	line = config.err ? NULL
			  : strstr((char *)config.p, "\nembedder import:");
	if (line)
		dim = strtoul(line + 17, NULL, 10);
	rk_buf_release(&config);
	if (dim == 0 || dim == n)
		return 0;
	snprintf(err, err_n, "vector: of %zu numbers, where embedder says %zu",
		 n, dim);
	return -EINVAL;
}

static int set_vector(struct fs_index *x, int fd, const json_t *a, char *err,
		      size_t err_n)
{
	size_t n = json_array_size(a);
	uint16_t *h;
	double len = 0;
	int rc;

	if (n == 0 || n > DIM_MAX)
		return refuse(err, err_n, "vector: not an array of numbers");
	if ((rc = check_dim(x, n, err, err_n)) < 0)
		return rc;
	if (!(h = malloc(n * sizeof(*h))))
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		double v = json_number_value(json_array_get(a, i));

		len += json_is_number(json_array_get(a, i)) ? v * v
							    : (double)NAN;
	}
	len = sqrt(len);
	for (size_t i = 0; i < n && len > 0; i++)
		h[i] = to_half(json_number_value(json_array_get(a, i)) / len);
	rc = !(len > 0) || !isfinite(len)
		     ? refuse(err, err_n, "vector: not a direction in numbers")
		     : fs_attr_set(x, fd, "user.rankfs.vector", h,
				   n * sizeof(*h));
	free(h);
	return rc;
}

/* --- the whole document, under another name --- */

/* In incoming/, its name there in `name`; a descriptor or -errno. */
static int open_incoming(struct fs_index *x, char name[64])
{
	static _Atomic unsigned count;
	int fd;

	if (mkdirat(x->files_fd, INCOMING, 0700) < 0 && errno != EEXIST)
		return -errno;
	snprintf(name, 64, INCOMING "/%u", count++);
	fd = openat(x->files_fd, name,
		    O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	return fd < 0 ? -errno : fd;
}

static int fill(struct fs_index *x, int fd, json_t *line, char *err,
		size_t err_n)
{
	const json_t *text = json_object_get(line, "text");
	json_t *meta = json_object_get(line, "metadata");
	const json_t *vector = json_object_get(line, "vector");
	int rc = fs_write_all(fd, json_string_value(text),
			      json_string_length(text));

	if (rc == 0 && meta && !json_is_object(meta))
		rc = refuse(err, err_n, "metadata: not an object");
	if (rc == 0 && meta)
		rc = set_metadata(x, fd, meta, err, err_n);
	if (rc == 0 && vector)
		rc = set_vector(x, fd, vector, err, err_n);
	return rc;
}

/* --- in the place of the old one --- */

struct place {
	struct fs_index *x;
	const char *id, *name; /* name: the last part of id */
	int dir;	       /* of the document */
	int64_t bytes;	       /* of the new one */
};

/* Owner and mode: those of the old document; a new one is its owner's. */
static int dress(const struct place *p, int fd)
{
	struct stat st = {.st_uid = p->x->uid,
			  .st_gid = p->x->gid,
			  .st_mode = S_IFREG | 0644};

	if (fstatat(p->dir, p->name, &st, AT_SYMLINK_NOFOLLOW) < 0 &&
	    errno != ENOENT)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return S_ISDIR(st.st_mode) ? -EISDIR : -ELOOP;
	if (geteuid() == 0 && fchown(fd, st.st_uid, st.st_gid) < 0)
		return -errno;
	return fchmod(fd, st.st_mode & 0777) < 0 ? -errno : 0;
}

/* The node of the document's folder, if the kernel knows it; under loop. */
static struct fs_node *parent_of(struct fs_index *x, const char *id)
{
	struct fs_node *n = x->root;
	const char *slash;
	char part[256];

	for (; n && (slash = strchr(id, '/')); id = slash + 1) {
		memcpy(part, id, (size_t)(slash - id));
		part[slash - id] = '\0';
		n = fs_node_find(x->fs, n, part);
	}
	return n;
}

/* Under loop. *parent: where the kernel may know the name; 0: nowhere. */
static int swap(const struct place *p, const char *from, fuse_ino_t *parent)
{
	struct fs_index *x = p->x;
	struct fs_node *n = parent_of(x, p->id);
	char beside[RK_ATTR_ID + 1];
	int files, rc;
	int64_t was = fs_quota_of(x, p->dir, p->name, &files);

	rc = fs_quota_take(x, p->bytes - was, 1 - files);
	if (rc < 0)
		return rc;
	fs_attr_victim(x, p->dir, p->name, beside);
	if (n)
		fs_node_keep(x->fs, n, p->name, p->dir);
	if (renameat(x->files_fd, from, p->dir, p->name) < 0) {
		rc = -errno;
		fs_quota_give(x, p->bytes - was, 1 - files);
		if (n)
			fs_node_unkeep(x->fs, n, p->name);
		return rc;
	}
	fs_attr_gone(x, beside);
	if (n) {
		fs_link_drop(x->fs, n, p->name);
		*parent = fs_nodeid(x->fs, n);
	}
	return 0;
}

static int replace(const struct place *p, const char *from)
{
	struct fs *fs = p->x->fs;
	fuse_ino_t parent = 0;
	int rc;

	pthread_mutex_lock(&fs->loop);
	rc = swap(p, from, &parent);
	pthread_mutex_unlock(&fs->loop);
	/* no lock is held, and the writer holds none of that folder */
	if (rc == 0 && parent)
		fuse_lowlevel_notify_inval_entry(fs->se, parent, p->name,
						 strlen(p->name));
	return rc;
}

static int put(struct place *p, int fd, const char *from, json_t *line,
	       char *err, size_t err_n)
{
	int rc = fill(p->x, fd, line, err, err_n);

	if (rc < 0)
		return rc;
	if ((p->dir = open_folder(p->x, p->id, &p->name)) < 0)
		return p->dir;
	rc = dress(p, fd);
	if (rc == 0)
		rc = replace(p, from);
	close(p->dir);
	return rc;
}

/* It is not wanted: with all that lies beside it. */
static void discard(struct fs_index *x, int fd, const char *from)
{
	char path[40], id[RK_ATTR_ID + 1];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (rk_attr_id(path, id))
		rk_attr_drop(x->files_fd, id);
	unlinkat(x->files_fd, from, 0);
}

int fs_import_document(struct fs_index *x, json_t *line, char *err,
		       size_t err_n)
{
	const char *id = json_string_value(json_object_get(line, "id"));
	const json_t *text = json_object_get(line, "text");
	struct place p = {
		.x = x, .id = id, .bytes = (int64_t)json_string_length(text)};
	char from[64];
	int fd, rc;

	if (!id || !json_is_string(text))
		return refuse(err, err_n, "id and text are needed, as strings");
	if ((rc = check_id(x, id, err, err_n)) < 0)
		return rc;
	if ((fd = open_incoming(x, from)) < 0)
		return fd;
	rc = put(&p, fd, from, line, err, err_n);
	if (rc < 0)
		discard(x, fd, from);
	close(fd);
	return rc < 0 ? rc : fs_touch(x, id, 0, NULL);
}

void fs_import_tidy(struct fs_index *x)
{
	int fd = openat(fs_index_files(x), INCOMING,
			O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *e;

	if (!d) {
		if (fd >= 0)
			close(fd);
		return;
	}
	while ((e = readdir(d)) != NULL)
		if (e->d_name[0] != '.')
			unlinkat(fd, e->d_name, 0);
	closedir(d);
}
