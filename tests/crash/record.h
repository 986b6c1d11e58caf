/* SPDX-License-Identifier: MIT */
#ifndef TESTS_CRASH_RECORD_H
#define TESTS_CRASH_RECORD_H

/*
 * A recording io table and a simulated disk. Every create, write, sync,
 * rename, unlink and truncation that an index makes is noted, beside what the
 * test itself did to documents; then sim_run() plays the first n notes to a
 * disk that loses power, and sim_write_out() leaves the files it is left with.
 *
 *   KILL   the process dies: all that was handed to the kernel is there
 *   DROP   power goes: writes that were not synced are lost, names are kept
 *   TORN   the same, and half of the write under way is there
 *   NAMES  names made, moved or removed since their folder was synced are
 *          lost, too (a synced file has its name, as on ext4, XFS, Btrfs)
 *   MIXED  of what was not synced any sectors and any first part of the names
 *          are there, in any order: a seed says which
 */
#include "base/buf.h"
#include "base/env.h"
#include "unit/t.h"
#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>

enum op_kind {
	OP_CREATE,
	OP_WRITE,
	OP_SYNC,
	OP_DIRSYNC,
	OP_RENAME,
	OP_UNLINK,
	OP_TRUNCATE,
	OP_DOC,	    /* a document is now version n; 0: gone */
	OP_DOCSYNC, /* and a client's fsync of it returned */
};

enum { REC_NAME = 64, REC_FDS = 1024, SECTOR = 512 };

struct op {
	enum op_kind kind;
	char name[REC_NAME], to[REC_NAME];
	uint8_t *p;
	size_t n;
	off_t off;
};

static struct {
	pthread_mutex_t lock;
	struct op *v;
	size_t n, cap;
	char names[REC_FDS][REC_NAME]; /* by descriptor */
	ino_t backing;		       /* its names begin with "../" */
	const struct rk_io *real;
} rec = {.lock = PTHREAD_MUTEX_INITIALIZER};

static struct op *rec_add(enum op_kind kind, const char *name)
{
	struct op *o;

	if (rec.n == rec.cap) {
		rec.cap = rec.cap ? rec.cap * 2 : 1024;
		rec.v = realloc(rec.v, rec.cap * sizeof(*rec.v));
	}
	o = &rec.v[rec.n++];
	memset(o, 0, sizeof(*o));
	o->kind = kind;
	snprintf(o->name, sizeof(o->name), "%s", name);
	return o;
}

/* A note of the test's own; how many there are now. */
static size_t rec_note(enum op_kind kind, const char *name, size_t n)
{
	size_t count;

	pthread_mutex_lock(&rec.lock);
	if (kind == OP_DOC || kind == OP_DOCSYNC)
		rec_add(kind, name)->n = n;
	count = rec.n;
	pthread_mutex_unlock(&rec.lock);
	return count;
}

static size_t rec_count(void)
{
	size_t n;

	pthread_mutex_lock(&rec.lock);
	n = rec.n;
	pthread_mutex_unlock(&rec.lock);
	return n;
}

static void rec_name(int dir, const char *name, char out[REC_NAME])
{
	struct stat st;
	int up = fstat(dir, &st) == 0 && st.st_ino == rec.backing;

	snprintf(out, REC_NAME, "%s%s", up ? "../" : "", name);
}

static int r_openat(void *ctx, int dir, const char *name, int flags,
		    mode_t mode)
{
	struct stat st;
	int fd, there = fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0;

	pthread_mutex_lock(&rec.lock);
	fd = rec.real->openat(ctx, dir, name, flags, mode);
	if (fd >= 0 && fd < REC_FDS) {
		rec_name(dir, name, rec.names[fd]);
		if ((flags & O_CREAT && !there) || flags & O_TRUNC)
			rec_add(OP_CREATE, rec.names[fd]);
	}
	pthread_mutex_unlock(&rec.lock);
	return fd;
}

static int r_close(void *ctx, int fd)
{
	return rec.real->close(ctx, fd);
}

static ssize_t r_pread(void *ctx, int fd, void *p, size_t n, off_t off)
{
	return rec.real->pread(ctx, fd, p, n, off);
}

static ssize_t r_pwrite(void *ctx, int fd, const void *p, size_t n, off_t off)
{
	ssize_t r;

	pthread_mutex_lock(&rec.lock);
	r = rec.real->pwrite(ctx, fd, p, n, off);
	if (r > 0) {
		struct op *o = rec_add(OP_WRITE, rec.names[fd]);

		o->p = malloc((size_t)r);
		memcpy(o->p, p, (size_t)r);
		o->n = (size_t)r;
		o->off = off;
	}
	pthread_mutex_unlock(&rec.lock);
	return r;
}

static int r_sync(void *ctx, int fd, int data_only)
{
	struct stat st;

	(void)ctx;
	(void)data_only; /* the disk is not what is tested */
	pthread_mutex_lock(&rec.lock);
	if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode))
		rec_add(OP_DIRSYNC, st.st_ino == rec.backing ? "../" : "");
	else if (fd < REC_FDS)
		rec_add(OP_SYNC, rec.names[fd]);
	pthread_mutex_unlock(&rec.lock);
	return 0;
}

static int r_rename(void *ctx, int dir, const char *from, const char *to)
{
	char a[REC_NAME], b[REC_NAME];
	int rc;

	pthread_mutex_lock(&rec.lock);
	rc = rec.real->rename(ctx, dir, from, to);
	rec_name(dir, from, a);
	rec_name(dir, to, b);
	if (rc == 0)
		memcpy(rec_add(OP_RENAME, a)->to, b, REC_NAME);
	pthread_mutex_unlock(&rec.lock);
	return rc;
}

static int r_unlink(void *ctx, int dir, const char *name)
{
	char a[REC_NAME];
	int rc;

	pthread_mutex_lock(&rec.lock);
	rc = rec.real->unlink(ctx, dir, name);
	rec_name(dir, name, a);
	if (rc == 0)
		rec_add(OP_UNLINK, a);
	pthread_mutex_unlock(&rec.lock);
	return rc;
}

static int r_truncate(void *ctx, int fd, off_t size)
{
	int rc;

	pthread_mutex_lock(&rec.lock);
	rc = rec.real->truncate(ctx, fd, size);
	if (rc == 0)
		rec_add(OP_TRUNCATE, rec.names[fd])->off = size;
	pthread_mutex_unlock(&rec.lock);
	return rc;
}

static const struct rk_io REC_IO = {r_openat, r_close,	  r_pread,
				    r_pwrite, r_sync,	  r_rename,
				    r_unlink, r_truncate, NULL};

/* --- the disk --- */

enum model { KILL, DROP, TORN, NAMES, MIXED, MODELS };

/* A file, whatever it is called. */
struct sim_file {
	struct rk_buf now, durable;
	size_t *pending; /* notes since it was synced */
	size_t npending;
	struct sim_file *next;
};

struct sim_name {
	char name[REC_NAME];
	struct sim_file *file, *durable; /* NULL: not there */
};

struct sim {
	struct sim_file *files;
	struct sim_name names[512];
	size_t nnames;
	size_t unsynced[4096]; /* notes on names since their folder's sync */
	size_t nunsynced;
};

static struct sim_name *sim_name(struct sim *s, const char *name)
{
	for (size_t i = 0; i < s->nnames; i++)
		if (strcmp(s->names[i].name, name) == 0)
			return &s->names[i];
	if (s->nnames == sizeof(s->names) / sizeof(s->names[0]))
		abort();
	snprintf(s->names[s->nnames].name, REC_NAME, "%s", name);
	return &s->names[s->nnames++];
}

static void sim_put(struct rk_buf *b, const struct op *o, size_t from, size_t n)
{
	size_t at = (size_t)o->off + from;

	if (b->n < at + n)
		rk_buf_zero(b, at + n - b->n);
	memcpy(b->p + at, o->p + from, n);
}

static void sim_cut(struct rk_buf *b, size_t size)
{
	if (b->n < size)
		rk_buf_zero(b, size - b->n);
	b->n = size;
}

static void sim_copy(struct rk_buf *to, const struct rk_buf *from)
{
	to->n = 0;
	rk_buf_add(to, from->p, from->n);
}

static void sim_pend(struct sim_file *f, size_t note)
{
	f->pending = realloc(f->pending, (f->npending + 1) * sizeof(size_t));
	f->pending[f->npending++] = note;
}

static struct sim_file *sim_new(struct sim *s)
{
	struct sim_file *f = calloc(1, sizeof(*f));

	f->next = s->files;
	return s->files = f;
}

/* What a note on names does to one of the two sets of names. */
static void sim_rename(struct sim *s, const struct op *o, int durable)
{
	struct sim_name *a = sim_name(s, o->name), *b;
	struct sim_file **from = durable ? &a->durable : &a->file, **to;

	if (o->kind == OP_RENAME) {
		b = sim_name(s, o->to);
		to = durable ? &b->durable : &b->file;
		*to = *from;
	}
	if (o->kind != OP_CREATE)
		*from = NULL;
}

static int same_folder(const char *name, const char *folder)
{
	return (strncmp(name, "../", 3) == 0) == (*folder != '\0');
}

/* The folder is synced: its names are as they are now. */
static void sim_dirsync(struct sim *s, const char *folder)
{
	size_t left = 0;

	for (size_t i = 0; i < s->nnames; i++)
		if (same_folder(s->names[i].name, folder))
			s->names[i].durable = s->names[i].file;
	for (size_t i = 0; i < s->nunsynced; i++)
		if (!same_folder(rec.v[s->unsynced[i]].name, folder))
			s->unsynced[left++] = s->unsynced[i];
	s->nunsynced = left;
}

static void sim_apply(struct sim *s, size_t note)
{
	const struct op *o = &rec.v[note];
	struct sim_name *n;
	struct sim_file *f;

	if (o->kind == OP_DOC || o->kind == OP_DOCSYNC)
		return;
	if (o->kind == OP_DIRSYNC) {
		sim_dirsync(s, o->name);
		return;
	}
	n = sim_name(s, o->name);
	if (o->kind == OP_CREATE) {
		if (!n->file)
			n->file = sim_new(s);
		n->file->now.n = 0;
	}
	f = n->file;
	if (o->kind == OP_CREATE || o->kind == OP_RENAME ||
	    o->kind == OP_UNLINK) {
		s->unsynced[s->nunsynced++] = note;
		if (o->kind != OP_CREATE)
			sim_rename(s, o, 0);
	} else if (f && o->kind == OP_SYNC) {
		sim_copy(&f->durable, &f->now);
		f->npending = 0;
		n->durable = f; /* and so has its name */
	} else if (f) {
		if (o->kind == OP_WRITE)
			sim_put(&f->now, o, 0, o->n);
		else
			sim_cut(&f->now, (size_t)o->off);
		sim_pend(f, note);
	}
}

static void sim_run(struct sim *s, size_t steps)
{
	memset(s, 0, sizeof(*s));
	for (size_t i = 0; i < steps; i++)
		sim_apply(s, i);
}

static void sim_release(struct sim *s)
{
	while (s->files) {
		struct sim_file *f = s->files;

		s->files = f->next;
		rk_buf_release(&f->now);
		rk_buf_release(&f->durable);
		free(f->pending);
		free(f);
	}
}

/* Any sectors of what was not synced, in place of nothing. */
static void sim_mix(struct sim_file *f, unsigned long long *seed)
{
	for (size_t i = 0; i < f->npending; i++) {
		const struct op *o = &rec.v[f->pending[i]];

		if (o->kind == OP_TRUNCATE) {
			if (t_rand(seed) % 2)
				sim_cut(&f->durable, (size_t)o->off);
			continue;
		}
		for (size_t at = 0, n; at < o->n; at += n) {
			n = SECTOR - ((size_t)o->off + at) % SECTOR;
			if (n > o->n - at)
				n = o->n - at;
			if (t_rand(seed) % 2)
				sim_put(&f->durable, o, at, n);
		}
	}
}

/* The crash itself: durable becomes what is found afterwards. */
static void sim_crash(struct sim *s, enum model model, size_t steps,
		      unsigned long long seed)
{
	size_t kept = s->nunsynced;

	if (model == MIXED)
		kept = t_rand(&seed) % (s->nunsynced + 1);
	if (model == NAMES)
		kept = 0;
	if (model == NAMES || model == MIXED)
		for (size_t i = 0; i < kept; i++) {
			const struct op *o = &rec.v[s->unsynced[i]];
			struct sim_name *n = sim_name(s, o->name);

			if (o->kind == OP_CREATE)
				n->durable = n->file ? n->file : n->durable;
			else
				sim_rename(s, o, 1);
		}
	else
		for (size_t i = 0; i < s->nnames; i++)
			s->names[i].durable = s->names[i].file;
	for (struct sim_file *f = s->files; f; f = f->next) {
		if (model == KILL)
			sim_copy(&f->durable, &f->now);
		if (model == MIXED)
			sim_mix(f, &seed);
	}
	if (model == TORN && steps < rec.n && rec.v[steps].kind == OP_WRITE) {
		struct sim_name *n = sim_name(s, rec.v[steps].name);

		if (n->durable)
			sim_put(&n->durable->durable, &rec.v[steps], 0,
				rec.v[steps].n / 2);
	}
}

/* Into `dir`, which is the index's folder in its backing folder. */
static void sim_write_out(const struct sim *s, const char *dir)
{
	for (size_t i = 0; i < s->nnames; i++) {
		const struct sim_file *f = s->names[i].durable;
		const char *name = s->names[i].name;
		char path[600];
		FILE *out;

		if (!f)
			continue;
		/* the backing folder is two up */
		snprintf(path, sizeof(path), "%s/%s%s", dir,
			 strncmp(name, "../", 3) == 0 ? "../" : "", name);
		out = fopen(path, "w");
		if (!out)
			continue;
		if (f->durable.n)
			fwrite(f->durable.p, 1, f->durable.n, out);
		fclose(out);
	}
}

#endif
