/* SPDX-License-Identifier: MIT */
/*
 * Every write, sync, rename and unlink of an index at work is recorded; then,
 * at every step, the directory is rebuilt as a crash there would leave it and
 * opened again. Models of a crash:
 *   kill   the process dies: everything handed to the kernel is there
 *   drop   power goes: writes that were not synced are lost
 *   torn   the same, and the last write is there by half
 * After each the index must open, hold what was acknowledged (kill), and,
 * once it has been compared with the documents, equal them.
 */
#include "base/mem.h"
#include "index/internal.h"
#include "unit/t.h"
#include <fcntl.h>

enum op_kind { OP_CREATE, OP_WRITE, OP_SYNC, OP_RENAME, OP_UNLINK, OP_TRUNC };

struct op {
	enum op_kind kind;
	char name[48], to[48];
	uint8_t *p;
	size_t n;
	off_t off;
};

static struct {
	pthread_mutex_t lock;
	struct op *v;
	size_t n, cap;
	char names[1024][48]; /* by descriptor */
	const struct rk_io *real;
} rec = {.lock = PTHREAD_MUTEX_INITIALIZER};

static struct op *record(enum op_kind kind, const char *name)
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

static int r_openat(void *ctx, int dir, const char *name, int flags,
		    mode_t mode)
{
	int fd = rec.real->openat(ctx, dir, name, flags, mode);

	pthread_mutex_lock(&rec.lock);
	if (fd >= 0 && fd < 1024) {
		snprintf(rec.names[fd], 48, "%s", name);
		if (flags & (O_CREAT | O_TRUNC))
			record(OP_CREATE, name);
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
		struct op *o = record(OP_WRITE, rec.names[fd]);

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
	(void)ctx;
	(void)data_only; /* the disk is not what is tested */
	pthread_mutex_lock(&rec.lock);
	if (fd < 1024 && rec.names[fd][0])
		record(OP_SYNC, rec.names[fd]);
	pthread_mutex_unlock(&rec.lock);
	return 0;
}

static int r_rename(void *ctx, int dir, const char *from, const char *to)
{
	int rc;

	pthread_mutex_lock(&rec.lock);
	rc = rec.real->rename(ctx, dir, from, to);
	if (rc == 0)
		snprintf(record(OP_RENAME, from)->to, 48, "%s", to);
	pthread_mutex_unlock(&rec.lock);
	return rc;
}

static int r_unlink(void *ctx, int dir, const char *name)
{
	int rc;

	pthread_mutex_lock(&rec.lock);
	rc = rec.real->unlink(ctx, dir, name);
	if (rc == 0)
		record(OP_UNLINK, name);
	pthread_mutex_unlock(&rec.lock);
	return rc;
}

static int r_truncate(void *ctx, int fd, off_t size)
{
	(void)ctx;
	(void)size;
	(void)fd;
	return 0;
}

static struct rk_io rec_io = {r_openat, r_close,  r_pread,    r_pwrite, r_sync,
			      r_rename, r_unlink, r_truncate, NULL};

/* --- a directory as it would be --- */

struct sim_file {
	char name[48];
	struct rk_buf now, durable;
	int was_synced;
	struct sim_file *next;
};

static struct sim_file *sim_find(struct sim_file **list, const char *name)
{
	struct sim_file *f = *list;

	while (f && strcmp(f->name, name) != 0)
		f = f->next;
	return f;
}

static struct sim_file *sim_get(struct sim_file **list, const char *name)
{
	struct sim_file *f = sim_find(list, name);

	if (f)
		return f;
	f = calloc(1, sizeof(*f));
	snprintf(f->name, sizeof(f->name), "%s", name);
	f->next = *list;
	return *list = f;
}

static void sim_drop(struct sim_file **list, const char *name)
{
	while (*list) {
		struct sim_file *f = *list;

		if (strcmp(f->name, name) == 0) {
			*list = f->next;
			rk_buf_release(&f->now);
			rk_buf_release(&f->durable);
			free(f);
			return;
		}
		list = &f->next;
	}
}

static void sim_write(struct rk_buf *b, const struct op *o, size_t n)
{
	if (b->n < (size_t)o->off)
		rk_buf_zero(b, (size_t)o->off - b->n);
	if (b->n < (size_t)o->off + n)
		rk_buf_zero(b, (size_t)o->off + n - b->n);
	memcpy(b->p + o->off, o->p, n);
}

static void sim_apply(struct sim_file **list, const struct op *o)
{
	struct sim_file *f;

	switch (o->kind) {
	case OP_CREATE:
		sim_get(list, o->name)->now.n = 0;
		break;
	case OP_WRITE:
		sim_write(&sim_get(list, o->name)->now, o, o->n);
		break;
	case OP_SYNC:
		if ((f = sim_find(list, o->name))) {
			f->durable.n = 0;
			rk_buf_add(&f->durable, f->now.p, f->now.n);
			f->was_synced = 1;
		}
		break;
	case OP_RENAME:
		sim_drop(list, o->to);
		if ((f = sim_find(list, o->name)))
			snprintf(f->name, sizeof(f->name), "%s", o->to);
		break;
	case OP_UNLINK:
		sim_drop(list, o->name);
		break;
	case OP_TRUNC:
	default:
		break;
	}
}

enum model { KILL, DROP, TORN };

/* Leave in `dir` what a crash after `steps` operations leaves. */
static void crash_into(const char *dir, size_t steps, enum model model)
{
	struct sim_file *list = NULL;

	for (size_t i = 0; i < steps; i++)
		sim_apply(&list, &rec.v[i]);
	if (model == TORN && steps < rec.n && rec.v[steps].kind == OP_WRITE) {
		struct sim_file *f = sim_get(&list, rec.v[steps].name);

		sim_write(&f->durable, &rec.v[steps], rec.v[steps].n / 2);
		sim_write(&f->now, &rec.v[steps], rec.v[steps].n / 2);
	}
	while (list) {
		struct rk_buf *b = model == KILL ? &list->now : &list->durable;
		char path[400];
		FILE *out;

		snprintf(path, sizeof(path), "%s/%s", dir, list->name);
		out = fopen(path, "w");
		if (b->n)
			fwrite(b->p, 1, b->n, out);
		fclose(out);
		sim_drop(&list, list->name);
	}
}

/* --- the workload --- */

enum { DOCS = 24 };
static size_t acked[DOCS]; /* recorded operations when the touch returned */

static void workload(const char *backing, const char *files)
{
	struct rk_env env = {.io = &rec_io, .now_ns = rk_env_posix()->now_ns};
	struct rk_index *ix;

	CHECK_INT(rk_index_open(&env, backing, "main", RK_NO_RECONCILE, &ix),
		  0);
	for (int d = 0; d < DOCS; d++) {
		char name[32], text[64];
		uint64_t seq;

		snprintf(name, sizeof(name), "f%02d", d);
		snprintf(text, sizeof(text), "unique%02dword shared\n", d);
		t_write(files, name, text);
		CHECK_INT(rk_touch(ix, name, 0, &seq), 0);
		pthread_mutex_lock(&rec.lock);
		acked[d] = rec.n;
		pthread_mutex_unlock(&rec.lock);
		CHECK_INT(rk_barrier(ix, 10000, NULL), 0);
		if (d % 3 == 0)
			CHECK_INT(rk_sync(ix, seq), 0);
		if (d % 7 == 6)
			CHECK_INT(rk_checkpoint(ix), 0);
		if (d == 17)
			CHECK_INT(rk_compact(ix), 0);
	}
	CHECK_INT(rk_index_close(ix), 0);
}

static size_t hits(struct rk_index *ix, int d)
{
	struct rk_search_opts opts = {.wait_ms = 10000};
	struct rk_results *r;
	char q[32];
	size_t n;
	int k = snprintf(q, sizeof(q), "+unique%02dword", d);

	if (rk_search(ix, q, (size_t)k, &opts, &r) < 0)
		return 99;
	n = r->did_you_mean ? 0 : r->nhits;
	rk_results_free(r);
	return n;
}

static int compare_all(struct rk_index *ix)
{
	struct rk_status st;
	int missing = 0;

	rk_reindex(ix, 0);
	do {
		usleep(500); /* a condition, polled */
		rk_status(ix, &st);
	} while (st.reconciling || st.pending);
	for (int d = 0; d < DOCS; d++)
		missing += hits(ix, d) != 1;
	return missing;
}

static void check_point(const char *files, size_t step, enum model model)
{
	char *backing = t_mkdir(), cmd[1000], dir[300];
	struct rk_index *ix;
	int rc;

	snprintf(dir, sizeof(dir), "%s/indexes/main", backing);
	snprintf(cmd, sizeof(cmd), "mkdir -p '%s' && cp -rp '%s' '%s/files'",
		 dir, files, dir);
	CHECK_INT(system(cmd), 0);
	crash_into(dir, step, model);
	rc = rk_index_open(NULL, backing, "main", RK_NO_RECONCILE, &ix);
	if (rc < 0) {
		printf("# step %zu model %d: %s\n", step, model,
		       rk_strerror(rc));
		CHECK(0);
	} else {
		for (int d = 0; model == KILL && d < DOCS; d++)
			if (acked[d] <= step && hits(ix, d) != 1) {
				printf("# step %zu lost %d\n", step, d);
				CHECK(0);
			}
		rc = compare_all(ix);
		if (rc)
			printf("# step %zu model %d: %d missing\n", step, model,
			       rc);
		CHECK_INT(rc, 0);
		rk_index_close(ix);
	}
	t_rmdir(backing);
}

static void the_index_survives_a_crash_at_every_step(void)
{
	const char *every = getenv("CRASH_EVERY");
	size_t stride = every ? (size_t)atoi(every) : 6, visited = 0;
	char *backing = t_mkdir(), files[300];

	rec.real = rk_env_posix()->io;
	snprintf(files, sizeof(files), "%s/indexes/main/files", backing);
	workload(backing, files);
	for (size_t step = 0; step <= rec.n; step += stride)
		for (enum model m = KILL; m <= TORN; m++, visited++)
			check_point(files,
				    step + (size_t)m % stride <= rec.n
					    ? step + (size_t)m % stride
					    : rec.n,
				    m);
	printf("# %zu operations, %zu crash points visited\n", rec.n, visited);
	CHECK(visited >= 200);
	t_rmdir(backing);
	for (size_t i = 0; i < rec.n; i++)
		free(rec.v[i].p);
	free(rec.v);
}

static const struct t_case CASES[] = {
	{"the index survives a crash at every step",
	 the_index_survives_a_crash_at_every_step},
};
T_MAIN(CASES)
