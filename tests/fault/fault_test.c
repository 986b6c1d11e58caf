/* SPDX-License-Identifier: MIT */
/*
 * The n-th file operation, or the n-th allocation, fails: nothing crashes,
 * errors come back as errors, and when the trouble is over the index equals
 * the documents again.
 */
#include "base/mem.h"
#include "rankfs.h"
#include "unit/t.h"
#include <errno.h>
#include <fcntl.h>

static _Atomic long io_left;  /* operations until the failure */
static _Atomic int io_error;  /* what it gives; 0: none */
static _Atomic int io_sticky; /* every later one fails, too */
static const struct rk_io *real;

static int io_fails(void)
{
	long left = io_error ? io_left-- : 1;

	return left == 0 || (left < 0 && io_sticky) ? io_error : 0;
}

static int f_openat(void *c, int dir, const char *name, int flags, mode_t mode)
{
	int e = flags & O_CREAT ? io_fails() : 0;

	return e && e != EINTR ? -e : real->openat(c, dir, name, flags, mode);
}

static int f_close(void *c, int fd)
{
	return real->close(c, fd);
}

static ssize_t f_pread(void *c, int fd, void *p, size_t n, off_t off)
{
	return real->pread(c, fd, p, n, off);
}

static ssize_t f_pwrite(void *c, int fd, const void *p, size_t n, off_t off)
{
	int e = io_fails();

	if (e == EINTR) /* a short count instead */
		return real->pwrite(c, fd, p, n > 1 ? n / 2 : n, off);
	return e ? -e : real->pwrite(c, fd, p, n, off);
}

static int f_sync(void *c, int fd, int data_only)
{
	int e = io_fails();

	(void)c;
	(void)fd;
	(void)data_only;
	return e == EINTR ? 0 : -e;
}

static int f_rename(void *c, int dir, const char *from, const char *to)
{
	int e = io_fails();

	return e && e != EINTR ? -e : real->rename(c, dir, from, to);
}

static int f_unlink(void *c, int dir, const char *name)
{
	return real->unlink(c, dir, name);
}

static int f_truncate(void *c, int fd, off_t size)
{
	return real->truncate(c, fd, size);
}

static const struct rk_io FAULTY = {f_openat, f_close,	  f_pread,
				    f_pwrite, f_sync,	  f_rename,
				    f_unlink, f_truncate, NULL};
static struct rk_env env;

enum { DOCS = 6 };

static void write_docs(const char *files)
{
	for (int d = 0; d < DOCS; d++) {
		char name[32], text[64];

		snprintf(name, sizeof(name), "f%d", d);
		snprintf(text, sizeof(text), "unique%dword common text\n", d);
		t_write(files, name, text);
	}
}

static void use(const char *backing)
{
	struct rk_search_opts opts = {.wait_ms = 2000};
	struct rk_index *ix;
	struct rk_results *r;
	uint64_t seq = 0;

	if (rk_index_open(&env, backing, "main", RK_NO_RECONCILE, &ix) < 0)
		return;
	for (int d = 0; d < DOCS; d++) {
		char name[32];

		snprintf(name, sizeof(name), "f%d", d);
		if (rk_touch(ix, name, 0, &seq) == 0 && d == 2)
			rk_sync(ix, seq);
	}
	rk_barrier(ix, 2000, NULL);
	rk_checkpoint(ix);
	if (rk_search(ix, "common text", 11, &opts, &r) == 0)
		rk_results_free(r);
	rk_index_close(ix);
}

static int all_found(const char *backing)
{
	struct rk_search_opts opts = {.wait_ms = 10000};
	struct rk_results *r;
	struct rk_index *ix;
	struct rk_status st;
	int n = 0;

	if (rk_index_open(NULL, backing, "main", 0, &ix) < 0)
		return -1;
	do {
		usleep(300); /* a condition, polled */
		rk_status(ix, &st);
	} while (st.reconciling || st.pending);
	for (int d = 0; d < DOCS; d++) {
		char q[32];
		int k = snprintf(q, sizeof(q), "+unique%dword", d);

		if (rk_search(ix, q, (size_t)k, &opts, &r) < 0)
			continue;
		n += r->nhits == 1 && !r->did_you_mean;
		rk_results_free(r);
	}
	rk_index_close(ix);
	return n;
}

static void io_sweep(int error, int sticky, int stride)
{
	int visited = 0;

	for (long at = 0; at < 220; at += stride, visited++) {
		char *backing = t_mkdir(), files[300];
		int found;

		snprintf(files, sizeof(files), "%s/indexes/main/files",
			 backing);
		write_docs(files);
		io_left = at;
		io_error = error;
		io_sticky = sticky;
		use(backing);
		io_error = 0;
		found = all_found(backing);
		if (found != DOCS)
			printf("# operation %ld, error %d, sticky %d\n", at,
			       error, sticky);
		CHECK_INT(found, DOCS);
		t_rmdir(backing);
	}
	CHECK(visited >= 10);
}

static void an_io_error_once(void)
{
	io_sweep(EIO, 0, 3);
}

static void the_disk_is_full_from_then_on(void)
{
	io_sweep(ENOSPC, 1, 11);
}

static void short_writes(void)
{
	io_sweep(EINTR, 1, 20);
}

static _Atomic long mem_left;

static int mem_fails(void)
{
	return mem_left-- == 0;
}

static void an_allocation_fails(void)
{
	for (long at = 0; at < 400; at += 7) {
		char *backing = t_mkdir(), files[300];

		snprintf(files, sizeof(files), "%s/indexes/main/files",
			 backing);
		write_docs(files);
		mem_left = at;
		rk_mem_set_hook(mem_fails);
		use(backing);
		rk_mem_set_hook(NULL);
		CHECK_INT(all_found(backing), DOCS);
		t_rmdir(backing);
	}
}

/* A failed sync is never turned into a success by trying again. */
static void a_failed_sync_stays_failed(void)
{
	char *backing = t_mkdir();
	struct rk_index *ix;
	uint64_t seq;

	CHECK_INT(rk_index_open(&env, backing, "main", RK_NO_RECONCILE, &ix),
		  0);
	CHECK_INT(rk_touch(ix, "a", 0, &seq), 0);
	io_left = 0;
	io_error = EIO;
	io_sticky = 0;
	CHECK_INT(rk_sync(ix, seq), -EIO);
	io_error = 0;
	CHECK_INT(rk_sync(ix, seq), -EIO);
	CHECK_INT(rk_touch(ix, "b", 0, &seq), -EIO);
	rk_index_close(ix);
	t_rmdir(backing);
}

static const struct t_case CASES[] = {
	{"an I/O error, once, at each operation", an_io_error_once},
	{"the disk is full from each operation on",
	 the_disk_is_full_from_then_on},
	{"short writes", short_writes},
	{"an allocation fails", an_allocation_fails},
	{"a failed sync stays failed", a_failed_sync_stays_failed},
};

int main(void)
{
	real = rk_env_posix()->io;
	env = (struct rk_env){.io = &FAULTY, .now_ns = rk_env_posix()->now_ns};
	return t_main(CASES, (int)(sizeof(CASES) / sizeof(CASES[0])));
}
