/* SPDX-License-Identifier: MIT */
/*
 * The text of a document, whoever gets it: read as it lies, or from a helper
 * program, whose answer is kept in `texts/` under a hash of the file's bytes
 * and the command. Renamed or copied files and excerpts cost no second run.
 *
 *   texts/<32 hex digits>.zst := "rktext1\0" crc32c(rest):u32 size:u64 zstd
 *
 * A file there that does not verify is as good as none. The oldest go when
 * there are more than `extract_cache_mib`.
 */
#include "index/documents/texts.h"
#include "index/state/internal.h"
#include "base/crc32c.h"
#include "base/hash.h"
#include "base/mem.h"
#include "text/extract/extract.h"
#include "text/extract/extractor.h"
#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

enum {
	READ_BYTES = 256 * 1024,
	HEAD_BYTES = 20,
	KEY_CHARS = 40,
	LEVEL = 3,
	TRIM_EVERY = 16, /* stores between two looks at the folder's size */
};
static const char MAGIC[8] = "rktext1";

struct source {
	struct rk_index *ix;
	int fd;
	const char *path;
	size_t max;
	struct rk_extractor helper;
	char key[KEY_CHARS];
};

static size_t text_max(struct rk_index *ix)
{
	return (size_t)rk_config_int(ix, "text_max_mib") << 20;
}

/* A file that is its own text costs patterns no more than reading it. */
static size_t lines_max(struct rk_index *ix)
{
	const size_t least = (size_t)RK_LINES_MIB << 20, max = text_max(ix);

	return max > least ? max : least;
}

/* Of a compressed document that another program then reads; in memory. */
static size_t unpacked_max(struct rk_index *ix)
{
	return (size_t)rk_config_int(ix, "extract_memory_mib") << 20 >> 2;
}

/* 1 and *out if another program has to get this document's text. */
static int needs_extractor(struct rk_index *ix, const char *path,
			   struct rk_extractor *out)
{
	int yes;

	pthread_mutex_lock(&ix->config_lock);
	yes = rk_extractor_find(&ix->config.helpers, path, out);
	pthread_mutex_unlock(&ix->config_lock);
	return yes;
}

/* --- keys --- */

static int hash_file(const struct source *s, XXH3_state_t *h)
{
	const struct rk_io *io = s->ix->env->io;
	char *buf = rk_malloc(READ_BYTES);
	uint64_t off = 0;
	ssize_t n = 0;

	if (!buf)
		return -ENOMEM;
	while ((n = io->pread(io->ctx, s->fd, buf, READ_BYTES, (off_t)off)) >
	       0) {
		XXH3_128bits_update(h, buf, (size_t)n);
		off += (uint64_t)n;
	}
	rk_free(buf);
	return n < 0 ? (int)n : 0;
}

static int make_key(struct source *s)
{
	XXH3_state_t *h = XXH3_createState();
	XXH128_hash_t sum;
	int rc;

	if (!h)
		return -ENOMEM;
	XXH3_128bits_reset(h);
	XXH3_128bits_update(h, s->helper.command, strlen(s->helper.command));
	if (s->helper.unpack)
		XXH3_128bits_update(h, s->helper.unpack,
				    strlen(s->helper.unpack));
	XXH3_128bits_update(h, &s->max, sizeof(s->max));
	rc = hash_file(s, h);
	sum = XXH3_128bits_digest(h);
	XXH3_freeState(h);
	snprintf(s->key, sizeof(s->key), "%016llx%016llx.zst",
		 (unsigned long long)sum.high64, (unsigned long long)sum.low64);
	return rc;
}

/*
 * Hashing a large file for each excerpt would be slow: what a file was when
 * it was hashed last is remembered.
 */
static void key_of(struct source *s, const struct stat *st, int *rc)
{
	struct rk_text_key *k = &s->ix->text_keys[st->st_ino % RK_TEXT_KEYS];
	const char *unpack = s->helper.unpack ? s->helper.unpack : "";
	uint64_t tag[5] = {
		st->st_ino, (uint64_t)st->st_size,
		(uint64_t)st->st_mtim.tv_sec * 1000000000 +
			(uint64_t)st->st_mtim.tv_nsec,
		rk_hash64(s->helper.command, strlen(s->helper.command)),
		rk_hash64(unpack, strlen(unpack))};
	uint64_t hash = rk_hash64(tag, sizeof(tag));
	int known;

	pthread_mutex_lock(&s->ix->config_lock);
	known = k->tag == hash;
	if (known)
		memcpy(s->key, k->key, sizeof(s->key));
	pthread_mutex_unlock(&s->ix->config_lock);
	if (known || (*rc = make_key(s)) < 0)
		return;
	pthread_mutex_lock(&s->ix->config_lock);
	k->tag = hash;
	memcpy(k->key, s->key, sizeof(s->key));
	pthread_mutex_unlock(&s->ix->config_lock);
}

/* --- the cache --- */

static int texts_dir(struct rk_index *ix, int make)
{
	int fd;

	if (make && mkdirat(ix->dir_fd, "texts", 0700) < 0 && errno != EEXIST)
		return -errno;
	fd = openat(ix->dir_fd, "texts", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static int unpack(const struct source *s, const uint8_t *p, size_t n,
		  struct rk_buf *out)
{
	uint32_t crc;
	uint64_t size;
	size_t got;

	if (n < HEAD_BYTES || memcmp(p, MAGIC, sizeof(MAGIC)) != 0)
		return RK_ECORRUPT;
	memcpy(&crc, p + 8, 4);
	memcpy(&size, p + 12, 8);
	if (!rk_crc_ok(rk_crc32c(0, p + 12, n - 12), crc) || size > s->max + 1)
		return RK_ECORRUPT;
	if (rk_buf_reserve(out, (size_t)size + 1) < 0)
		return -ENOMEM;
	got = ZSTD_decompress(out->p, (size_t)size, p + HEAD_BYTES,
			      n - HEAD_BYTES);
	if (ZSTD_isError(got) || got != size)
		return RK_ECORRUPT;
	out->n = (size_t)size;
	return 0;
}

static int fetch(const struct source *s, struct rk_buf *out)
{
	const struct rk_io *io = s->ix->env->io;
	struct rk_buf b = RK_BUF_INIT;
	int dir = texts_dir(s->ix, 0), fd, rc;
	struct stat st;

	if (dir < 0)
		return dir;
	fd = io->openat(io->ctx, dir, s->key, O_RDONLY | O_NOFOLLOW | O_CLOEXEC,
			0);
	close(dir);
	if (fd < 0)
		return fd;
	rc = fstat(fd, &st) < 0 ? -errno : 0;
	if (rc == 0 && (st.st_size < HEAD_BYTES ||
			(uint64_t)st.st_size > 2 * s->max + 4096))
		rc = RK_ECORRUPT;
	if (rc == 0 && (rc = rk_buf_reserve(&b, (size_t)st.st_size)) == 0)
		rc = rk_io_read_all(io, fd, b.p, (size_t)st.st_size, 0);
	if (rc == 0) {
		rc = unpack(s, b.p, (size_t)st.st_size, out);
		futimens(fd, NULL); /* used: it goes later */
	}
	io->close(io->ctx, fd);
	rk_buf_release(&b);
	return rc;
}

struct entry {
	char name[KEY_CHARS];
	int64_t mtime_s;
	uint64_t size;
};

static int older(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	return (x->mtime_s > y->mtime_s) - (x->mtime_s < y->mtime_s);
}

static size_t list_entries(DIR *d, struct entry **v, uint64_t *sum)
{
	size_t n = 0, cap = 0;
	struct dirent *e;

	*sum = 0;
	while ((e = readdir(d))) {
		struct stat st;
		struct entry *x;

		if (e->d_name[0] == '.') { /* left by a daemon that died */
			unlinkat(dirfd(d), e->d_name, 0);
			continue;
		}
		if (strlen(e->d_name) >= KEY_CHARS ||
		    fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) <
			    0 ||
		    rk_grow(v, &cap, n + 1, sizeof(**v)) < 0)
			continue;
		x = &(*v)[n++];
		memcpy(x->name, e->d_name, strlen(e->d_name) + 1);
		x->mtime_s = st.st_mtim.tv_sec;
		x->size = (uint64_t)st.st_size;
		*sum += x->size;
	}
	return n;
}

/* The oldest go, down to nine tenths of `max` bytes. */
static void trim(int dir, uint64_t max)
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct entry *v = NULL;
	uint64_t sum;
	size_t n;

	if (!d)
		return;
	n = list_entries(d, &v, &sum);
	closedir(d);
	if (n && sum > max) {
		qsort(v, n, sizeof(*v), older);
		for (size_t i = 0; i < n && sum > max / 10 * 9; i++) {
			unlinkat(dir, v[i].name, 0);
			sum -= v[i].size;
		}
	}
	rk_free(v);
}

int rk_clear_caches(struct rk_index *ix)
{
	int dir;

	if (ix->flags & RK_READ_ONLY)
		return RK_EREADONLY;
	if ((dir = texts_dir(ix, 0)) < 0)
		return dir == -ENOENT ? 0 : dir;
	trim(dir, 0);
	close(dir);
	return 0;
}

/* Keeping is a convenience: failures are not told. */
static void keep(const struct source *s, const struct rk_buf *text)
{
	size_t room = ZSTD_compressBound(text->n);
	struct rk_buf b = RK_BUF_INIT;
	uint64_t size = text->n;
	char tmp[KEY_CHARS + 24];
	int dir = texts_dir(s->ix, 1), fd;
	uint32_t crc;
	size_t n;

	if (dir < 0 || rk_buf_reserve(&b, HEAD_BYTES + room) < 0)
		goto out;
	n = ZSTD_compress(b.p + HEAD_BYTES, room, text->p, text->n, LEVEL);
	if (ZSTD_isError(n))
		goto out;
	memcpy(b.p, MAGIC, sizeof(MAGIC));
	memcpy(b.p + 12, &size, 8);
	crc = rk_crc32c(0, b.p + 12, n + 8);
	memcpy(b.p + 8, &crc, 4);
	snprintf(tmp, sizeof(tmp), ".%s.%llx", s->key,
		 (unsigned long long)rk_mono_ns());
	fd = openat(dir, tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		goto out;
	if (rk_io_write_all(s->ix->env->io, fd, b.p, HEAD_BYTES + n, 0) < 0 ||
	    renameat(dir, tmp, dir, s->key) < 0)
		unlinkat(dir, tmp, 0);
	close(fd);
	if (s->ix->texts_kept++ % TRIM_EVERY == 0)
		trim(dir, (uint64_t)rk_config_int(s->ix, "extract_cache_mib")
				  << 20);
out:
	if (dir >= 0)
		close(dir);
	rk_buf_release(&b);
}

/* --- getting it --- */

static void tell(const struct source *s, int rc)
{
	struct rk_warnings *w = &s->ix->warnings;
	int n = (int)strcspn(s->helper.command, " ");

	if (rc == -ENOENT)
		rk_warn_document(
			w,
			"%s: %.*s is not installed%s%s; found by its name "
			"alone",
			s->path, n, s->helper.command,
			s->helper.package ? ": apt-get install " : "",
			s->helper.package ? s->helper.package : "");
	else if (rc == -ETIMEDOUT)
		rk_warn_document(
			w, "%s: %.*s took too long; found by its name alone",
			s->path, n, s->helper.command);
	else if (rc == -EFBIG)
		rk_warn(w,
			"%s: unpacks to more than %zu MiB; found by its name "
			"alone",
			s->path, unpacked_max(s->ix) >> 20);
	else
		rk_warn_document(
			w,
			"%s: %.*s could not read it; found by its name alone",
			s->path, n, s->helper.command);
}

static int ask_extractor(const struct source *s, struct rk_buf *out)
{
	struct stat owner = {.st_uid = 0};
	struct rk_extractor_limits limits = {
		.memory_bytes =
			(size_t)rk_config_int(s->ix, "extract_memory_mib")
			<< 20,
		.text_bytes = s->max + 1, /* one more: it has been cut */
		.unpacked_bytes = unpacked_max(s->ix),
		.timeout_s =
			(unsigned)rk_config_int(s->ix, "extract_timeout_s"),
	};

	/* nobody's documents are read with more rights than the index's owner
	 */
	if (fstat(s->ix->files_fd, &owner) < 0)
		return -errno;
	limits.uid = owner.st_uid;
	limits.gid = owner.st_gid;
	return rk_extractor_run(&s->helper, s->fd, &limits, out);
}

static int helped(struct source *s, int quiet, struct rk_text *out)
{
	struct rk_buf b = RK_BUF_INIT;
	struct stat st;
	int rc = fstat(s->fd, &st) < 0 ? -errno : 0;

	if (rc == 0)
		key_of(s, &st, &rc);
	if (rc == 0 && fetch(s, &b) < 0) {
		b.n = 0;
		rc = ask_extractor(s, &b);
		if (rc == 0)
			keep(s, &b);
	}
	if (rc == -ENOMEM) {
		rk_buf_release(&b);
		return rc;
	}
	if (rc < 0) { /* as any other file that is not text */
		if (!quiet)
			tell(s, rc);
		b.n = 0;
		s->helper.kind = RK_KIND_BINARY;
	}
	return rk_text_adopt(&b, s->helper.kind, s->max, out);
}

int rk_read_text(struct rk_index *ix, int fd, const char *path,
		 enum rk_read how, struct rk_text *out)
{
	struct source s = {
		.ix = ix, .fd = fd, .path = path, .max = text_max(ix)};

	assert(fd >= 0);
	if (needs_extractor(ix, path, &s.helper))
		return helped(&s, how != RK_READ_TO_INDEX, out);
	if (how == RK_READ_LINES)
		return rk_text_load_raw(ix->env->io, fd, path, lines_max(ix),
					out);
	return rk_text_load(ix->env->io, fd, path, s.max, out);
}

int rk_read_range(struct rk_index *ix, int fd, const char *path, uint64_t off,
		  size_t len, struct rk_text *out)
{
	struct source s = {
		.ix = ix, .fd = fd, .path = path, .max = text_max(ix)};
	int rc;

	assert(fd >= 0);
	if (!needs_extractor(ix, path, &s.helper))
		return rk_text_load_range(ix->env->io, fd, path, off, len,
					  s.max, out);
	if ((rc = helped(&s, 1, out)) == 0)
		rk_text_slice(out, off, len);
	return rc;
}
