/* SPDX-License-Identifier: MIT */
#include "storage/wal.h"
#include "base/crc32c.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/status.h"
#include "base/lock.h"
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A small index writes little: what lies ahead grows with what was written. */
enum { PREFILL_FIRST = 1 << 16, PREFILL_MAX = 1 << 20, FILES_MAX = 4096 };
static const char MAGIC[8] = "RKWAL\0\0\1";

struct wal_file {
	uint64_t number, first_seq;
};

struct rk_wal {
	const struct rk_io *io;
	int dir;
	pthread_mutex_t lock; /* guards all below */
	pthread_cond_t synced_cond;
	int fd;
	uint64_t number, salt;
	off_t end;	 /* behind the last record */
	off_t prefilled; /* zeros are written up to here */
	uint64_t last, synced;
	int syncing;
	int err; /* sticky, after a failed sync */
	struct rk_buf scratch;
	struct wal_file *files; /* closed ones, oldest first */
	size_t nfiles;
};

static void wal_name(uint64_t number, char out[40])
{
	snprintf(out, 40, "wal-%06llu.log", (unsigned long long)number);
}

static uint32_t record_crc(uint64_t salt, const uint8_t *rec, size_t n)
{
	uint32_t crc = rk_crc32c(0, &salt, sizeof(salt));

	crc = rk_crc32c(crc, rec, 4); /* len */
	return rk_crc32c(crc, rec + 8, n - 8);
}

/* --- listing --- */

static int by_number(const void *a, const void *b)
{
	const struct wal_file *x = a, *y = b;

	return (x->number > y->number) - (x->number < y->number);
}

static int list_files(int dir, struct wal_file **out, size_t *count)
{
	struct wal_file *v = rk_calloc(FILES_MAX, sizeof(*v));
	struct dirent *e = NULL;
	DIR *d = NULL;
	int rc = v ? rk_dir_open(dir, ".", &d) : -ENOMEM;

	*count = 0;
	while (rc >= 0 && *count < FILES_MAX &&
	       (rc = rk_dir_next(d, &e)) == 1) {
		unsigned long long n;
		char name[40];

		if (sscanf(e->d_name, "wal-%llu.log", &n) != 1)
			continue;
		wal_name(n, name);
		if (strcmp(name, e->d_name) == 0)
			v[(*count)++].number = n;
	}
	if (d)
		closedir(d);
	if (rc < 0) {
		rk_free(v);
		return rc;
	}
	qsort(v, *count, sizeof(*v), by_number);
	*out = v;
	return 0;
}

/* --- replay --- */

struct replay {
	const struct rk_io *io;
	int dir;
	uint64_t floor;
	rk_wal_fn *fn;
	void *ctx;
	struct rk_wal_report *report;
	uint64_t expect; /* next sequence number; 0: not known yet */
	/* of the file being read */
	struct rk_buf data;
	uint64_t salt, first_seq;
	size_t good; /* bytes up to the last good record */
};

static int read_file(struct replay *r, const char *name)
{
	int fd = r->io->openat(r->io->ctx, r->dir, name, O_RDONLY | O_NOFOLLOW,
			       0);
	ssize_t got = 1;

	if (fd < 0)
		return fd;
	r->data.n = 0;
	while (got > 0 && r->data.n < (1u << 30)) {
		if (rk_buf_reserve(&r->data, PREFILL_MAX) < 0)
			break;
		got = r->io->pread(r->io->ctx, fd, r->data.p + r->data.n,
				   PREFILL_MAX, (off_t)r->data.n);
		if (got == -EINTR) {
			got = 1;
			continue;
		}
		if (got > 0)
			r->data.n += (size_t)got;
	}
	r->io->close(r->io->ctx, fd);
	return r->data.err ? r->data.err : got < 0 ? (int)got : 0;
}

static int header_ok(struct replay *r)
{
	uint32_t crc;

	if (r->data.n < RK_WAL_HEADER || memcmp(r->data.p, MAGIC, 8) != 0)
		return 0;
	memcpy(&r->salt, r->data.p + 8, 8);
	memcpy(&r->first_seq, r->data.p + 16, 8);
	memcpy(&crc, r->data.p + 24, 4);
	return rk_crc_ok(rk_crc32c(0, r->data.p, 24), crc);
}

/* A whole, valid record at off: its total size; else 0. */
static size_t record_at(const struct replay *r, size_t off,
			struct rk_wal_record *rec)
{
	const uint8_t *p = r->data.p + off;
	uint32_t len, crc;

	if (r->data.n - off < RK_WAL_RECORD)
		return 0;
	memcpy(&len, p, 4);
	memcpy(&crc, p + 4, 4);
	memcpy(&rec->seq, p + 8, 8);
	if (len > RK_WAL_BODY_MAX || len > r->data.n - off - RK_WAL_RECORD ||
	    rec->seq == 0)
		return 0;
	if (!rk_crc_ok(record_crc(r->salt, p, RK_WAL_RECORD + len), crc))
		return 0;
	rec->type = p[16];
	rec->body = p + RK_WAL_RECORD;
	rec->len = len;
	return RK_WAL_RECORD + len;
}

/* Is there a valid record anywhere behind a bad one? Then it is damage. */
static size_t next_valid(const struct replay *r, size_t off)
{
	struct rk_wal_record rec;

	for (; off + RK_WAL_RECORD <= r->data.n; off++)
		if (record_at(r, off, &rec))
			return off;
	return 0;
}

static int all_zero(const struct replay *r, size_t off)
{
	for (; off < r->data.n; off++)
		if (r->data.p[off])
			return 0;
	return 1;
}

static void note_damage(struct replay *r, const char *name, size_t off)
{
	r->report->damaged = 1;
	snprintf(r->report->detail, sizeof(r->report->detail),
		 "%s: damaged at byte %zu, records behind it are kept", name,
		 off);
}

static int deliver(struct replay *r, const char *name, size_t off,
		   const struct rk_wal_record *rec)
{
	if (r->expect && rec->seq != r->expect)
		note_damage(r, name, off);
	r->expect = rec->seq + 1;
	r->report->last_seq = rec->seq;
	if (rec->seq <= r->floor)
		return 0;
	r->report->records++;
	r->report->bytes += RK_WAL_RECORD + rec->len;
	return r->fn ? r->fn(r->ctx, rec) : 0;
}

static int replay_records(struct replay *r, const char *name)
{
	size_t off = RK_WAL_HEADER;
	struct rk_wal_record rec;

	for (;;) {
		size_t n = off <= r->data.n ? record_at(r, off, &rec) : 0;
		int rc;

		if (n == 0) {
			size_t next = next_valid(r, off);

			r->good = off;
			if (next == 0)
				break;
			note_damage(r, name, off);
			off = next;
			continue;
		}
		if ((rc = deliver(r, name, off, &rec)) != 0)
			return rc;
		off += n;
	}
	if (!all_zero(r, r->good))
		r->report->torn = 1;
	return 0;
}

static void set_aside(struct replay *r, const char *name)
{
	char to[64];

	snprintf(to, sizeof(to), "%s.damaged", name);
	r->io->rename(r->io->ctx, r->dir, name, to);
}

/* One file of the log; `last` is the one that may have a torn tail. */
static int replay_file(struct replay *r, const struct wal_file *f, int last,
		       int read_only)
{
	int damaged_before = r->report->damaged;
	char name[40];
	int rc;

	wal_name(f->number, name);
	rc = read_file(r, name);
	if (rc == -EISDIR) { /* whatever it is, no log of ours */
		note_damage(r, name, 0);
		if (!read_only)
			set_aside(r, name);
		return 0;
	}
	if (rc < 0)
		return rc;
	if (!header_ok(r)) {
		/* a file whose creation was cut short holds nothing */
		if (last && next_valid(r, RK_WAL_HEADER) == 0)
			r->report->torn = 1;
		else
			note_damage(r, name, 0);
		if (!read_only && !last)
			set_aside(r, name);
		return 0;
	}
	if (r->expect && r->first_seq > r->expect)
		note_damage(r, name, 0);
	if ((rc = replay_records(r, name)) != 0)
		return rc;
	if (r->report->damaged > damaged_before && !read_only)
		set_aside(r, name);
	return 0;
}

/* --- writing --- */

static int prefill(struct rk_wal *w, int fd, off_t from, off_t bytes)
{
	static const uint8_t ZERO[64 * 1024];
	int rc = 0;

	for (off_t off = from; off < from + bytes && rc == 0;
	     off += (off_t)sizeof(ZERO))
		rc = rk_io_write_all(w->io, fd, ZERO, sizeof(ZERO), off);
	return rc;
}

static int write_header(struct rk_wal *w, int fd, uint64_t salt, uint64_t seq)
{
	uint8_t h[RK_WAL_HEADER] = {0};
	uint32_t crc;

	memcpy(h, MAGIC, 8);
	memcpy(h + 8, &salt, 8);
	memcpy(h + 16, &seq, 8);
	crc = rk_crc32c(0, h, 24);
	memcpy(h + 24, &crc, 4);
	return rk_io_write_all(w->io, fd, h, sizeof(h), 0);
}

/* A file that is done with needs no zeros behind its last record. */
static void cut_off(struct rk_wal *w)
{
	if (w->fd < 0)
		return;
	w->io->truncate(w->io->ctx, w->fd, w->end);
	w->io->close(w->io->ctx, w->fd);
	w->fd = -1;
}

/* Create and durably name the next file; the caller holds the lock. */
static int begin_file(struct rk_wal *w, uint64_t number)
{
	uint64_t seed[3] = {number, w->last, rk_mono_ns()};
	uint64_t salt = rk_hash64(seed, sizeof(seed));
	char name[40];
	int fd, rc;

	wal_name(number, name);
	fd = w->io->openat(w->io->ctx, w->dir, name, O_RDWR | O_CREAT | O_TRUNC,
			   0600);
	if (fd < 0)
		return fd;
	if ((rc = prefill(w, fd, 0, PREFILL_FIRST)) < 0 ||
	    (rc = write_header(w, fd, salt, w->last + 1)) < 0 ||
	    (rc = w->io->sync(w->io->ctx, fd, 0)) < 0 ||
	    (rc = w->io->sync(w->io->ctx, w->dir, 0)) < 0) {
		w->io->close(w->io->ctx, fd);
		w->io->unlink(w->io->ctx, w->dir, name);
		return rc;
	}
	cut_off(w);
	w->fd = fd;
	w->number = number;
	w->salt = salt;
	w->end = RK_WAL_HEADER;
	w->prefilled = PREFILL_FIRST;
	return 0;
}

int rk_wal_open(const struct rk_io *io, int dir, uint64_t floor, int read_only,
		rk_wal_fn *fn, void *ctx, struct rk_wal_report *report,
		struct rk_wal **out)
{
	struct replay r = {.io = io,
			   .dir = dir,
			   .floor = floor,
			   .fn = fn,
			   .ctx = ctx,
			   .report = report};
	struct rk_wal *w = NULL;
	struct wal_file *files = NULL;
	size_t n = 0;
	int rc;

	assert(read_only || out);
	memset(report, 0, sizeof(*report));
	if ((rc = list_files(dir, &files, &n)) < 0)
		return rc;
	for (size_t i = 0; i < n && rc == 0; i++) {
		rc = replay_file(&r, &files[i], i + 1 == n, read_only);
		files[i].first_seq = r.first_seq;
	}
	rk_buf_release(&r.data);
	if (rc == 0 && !read_only && !(w = rk_calloc(1, sizeof(*w))))
		rc = -ENOMEM;
	if (!w) {
		rk_free(files);
		*out = NULL;
		return rc;
	}
	w->io = io;
	w->dir = dir;
	w->fd = -1;
	w->last = report->last_seq > floor ? report->last_seq : floor;
	w->synced = w->last;
	w->files = files;
	w->nfiles = n;
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->synced_cond, NULL);
	w->number = n ? files[n - 1].number : 0;
	rc = begin_file(w, w->number + 1);
	/* on a full disk there is none until the first record finds room */
	if (rc < 0 && rc != -ENOSPC && rc != -EDQUOT) {
		rk_wal_close(w);
		return rc;
	}
	*out = w;
	return 0;
}

void rk_wal_close(struct rk_wal *w)
{
	if (!w)
		return;
	cut_off(w);
	pthread_mutex_destroy(&w->lock);
	pthread_cond_destroy(&w->synced_cond);
	rk_buf_release(&w->scratch);
	rk_free(w->files);
	rk_free(w);
}

/* Keep zeros ahead of the end, so that no old byte follows a record. */
static int extend(struct rk_wal *w, size_t n)
{
	int rc = 0;

	rk_assert_held(&w->lock);
	while (rc == 0 && w->end + (off_t)n + RK_WAL_RECORD > w->prefilled) {
		off_t more = w->prefilled;

		more -= more % PREFILL_FIRST;
		if (more < PREFILL_FIRST)
			more = PREFILL_FIRST;
		if (more > PREFILL_MAX)
			more = PREFILL_MAX;
		rc = prefill(w, w->fd, w->prefilled, more);
		if (rc == 0)
			w->prefilled += more;
	}
	return rc;
}

static int write_record(struct rk_wal *w, uint8_t type, const void *body,
			size_t n)
{
	struct rk_buf *b = &w->scratch;
	uint64_t seq = w->last + 1;
	uint32_t crc;
	int rc;

	rk_assert_held(&w->lock);
	b->n = 0;
	b->err = 0;
	rk_buf_u32(b, (uint32_t)n);
	rk_buf_u32(b, 0);
	rk_buf_add(b, &seq, 8);
	rk_buf_byte(b, type);
	rk_buf_add(b, body, n);
	if (b->err)
		return b->err;
	crc = record_crc(w->salt, b->p, b->n);
	memcpy(b->p + 4, &crc, 4);
	if ((rc = extend(w, b->n)) < 0)
		return rc;
	rc = rk_io_write_all(w->io, w->fd, b->p, b->n, w->end);
	if (rc < 0) { /* cut back to the last whole record */
		w->io->truncate(w->io->ctx, w->fd, w->end);
		w->prefilled = w->end;
		return rc;
	}
	w->end += (off_t)b->n;
	return 0;
}

int rk_wal_append(struct rk_wal *w, uint8_t type, const void *body, size_t n,
		  uint64_t *seq)
{
	int rc;

	if (n > RK_WAL_BODY_MAX)
		return RK_ETOOBIG;
	pthread_mutex_lock(&w->lock);
	rc = w->err;
	if (rc == 0 && w->fd < 0)
		rc = begin_file(w, w->number + 1);
	if (rc == 0)
		rc = write_record(w, type, body, n);
	if (rc == 0)
		*seq = ++w->last;
	pthread_mutex_unlock(&w->lock);
	return rc;
}

/* The first waiter syncs for all; the lock is not held meanwhile. */
static void sync_as_leader(struct rk_wal *w)
{
	uint64_t upto = w->last;
	int fd = w->fd, rc;

	rk_assert_held(&w->lock);
	w->syncing = 1;
	pthread_mutex_unlock(&w->lock);
	rc = w->io->sync(w->io->ctx, fd, 1);
	pthread_mutex_lock(&w->lock);
	w->syncing = 0;
	/* pages are marked clean after a failure: never retried into success */
	if (rc < 0)
		w->err = rc;
	else if (upto > w->synced)
		w->synced = upto;
	pthread_cond_broadcast(&w->synced_cond);
}

int rk_wal_sync(struct rk_wal *w, uint64_t seq)
{
	int rc;

	pthread_mutex_lock(&w->lock);
	while (w->synced < seq && w->err == 0) {
		if (w->syncing)
			pthread_cond_wait(&w->synced_cond, &w->lock);
		else
			sync_as_leader(w);
	}
	rc = w->synced >= seq ? 0 : w->err;
	pthread_mutex_unlock(&w->lock);
	return rc;
}

int rk_wal_rotate(struct rk_wal *w)
{
	struct wal_file *v;
	int rc;

	pthread_mutex_lock(&w->lock);
	while (w->syncing)
		pthread_cond_wait(&w->synced_cond, &w->lock);
	rc = w->err;
	if (rc == 0 && w->fd < 0) {
		rc = begin_file(w, w->number + 1);
		pthread_mutex_unlock(&w->lock);
		return rc;
	}
	if (rc == 0 && w->synced < w->last) {
		rc = w->io->sync(w->io->ctx, w->fd, 1);
		if (rc < 0)
			w->err = rc;
		else
			w->synced = w->last;
	}
	v = rc ? NULL : rk_realloc(w->files, (w->nfiles + 1) * sizeof(*v));
	if (v) {
		w->files = v;
		v[w->nfiles] = (struct wal_file){w->number, 0};
		if ((rc = begin_file(w, w->number + 1)) == 0)
			w->nfiles++;
	} else if (rc == 0) {
		rc = -ENOMEM;
	}
	pthread_mutex_unlock(&w->lock);
	return rc;
}

/* A closed file ends where the next one's first record begins. */
static uint64_t first_seq_of(struct rk_wal *w, uint64_t number)
{
	uint8_t h[RK_WAL_HEADER];
	uint64_t seq = 0;
	char name[40];
	int fd;

	wal_name(number, name);
	fd = w->io->openat(w->io->ctx, w->dir, name, O_RDONLY, 0);
	if (fd < 0)
		return 0;
	if (rk_io_read_all(w->io, fd, h, sizeof(h), 0) == 0)
		memcpy(&seq, h + 16, 8);
	w->io->close(w->io->ctx, fd);
	return seq;
}

int rk_wal_drop(struct rk_wal *w, uint64_t floor)
{
	size_t gone = 0;

	pthread_mutex_lock(&w->lock);
	while (gone < w->nfiles) {
		uint64_t next = gone + 1 < w->nfiles ? w->files[gone + 1].number
						     : w->number;
		char name[40];

		if (first_seq_of(w, next) > floor + 1 ||
		    first_seq_of(w, next) == 0)
			break;
		wal_name(w->files[gone].number, name);
		w->io->unlink(w->io->ctx, w->dir, name);
		gone++;
	}
	memmove(w->files, w->files + gone,
		(w->nfiles - gone) * sizeof(*w->files));
	w->nfiles -= gone;
	pthread_mutex_unlock(&w->lock);
	return 0;
}

uint64_t rk_wal_last(struct rk_wal *w)
{
	uint64_t last;

	pthread_mutex_lock(&w->lock);
	last = w->last;
	pthread_mutex_unlock(&w->lock);
	return last;
}
