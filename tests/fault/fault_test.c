/* SPDX-License-Identifier: MIT */
/*
 * The n-th file operation, or the n-th allocation, fails, once or from then
 * on: nothing crashes or leaks, no answer is wrong unless it or the status
 * says that something is, and when the trouble is over the index equals the
 * documents again. n grows until it is not reached.
 */
#include "base/mem.h"
#include "base/buf.h"
#include "base/env.h"
#include "rankfs.h"
#include "unit/idle.h"
#include "unit/t.h"
#include <errno.h>
#include <fcntl.h>

static _Atomic long io_left;  /* operations until the failure */
static _Atomic int io_error;  /* what it gives; 0: none */
static _Atomic int io_sticky; /* every later one fails, too */
static _Atomic long io_hits;  /* failures that were given */
static const struct rk_io *real;

static int io_fails(void)
{
	long left = io_error ? io_left-- : 1;
	int e = left == 0 || (left < 0 && io_sticky) ? io_error : 0;

	io_hits += e != 0;
	return e;
}

/* EINTR stands for a short count where there is one, and never happens else. */
static int io_error_now(void)
{
	int e = io_fails();

	return e == EINTR ? 0 : e;
}

/* A full disk can still be read, and things on it removed. */
static int reading(void)
{
	return io_error == ENOSPC || io_error == EDQUOT ? 0 : io_error_now();
}

static int f_openat(void *c, int dir, const char *name, int flags, mode_t mode)
{
	int e = flags & O_CREAT ? io_error_now() : reading();

	return e ? -e : real->openat(c, dir, name, flags, mode);
}

static int f_close(void *c, int fd)
{
	return real->close(c, fd);
}

static ssize_t f_pread(void *c, int fd, void *p, size_t n, off_t off)
{
	int e = io_error == ENOSPC || io_error == EDQUOT ? 0 : io_fails();

	if (e == EINTR)
		return real->pread(c, fd, p, n > 1 ? n / 2 : n, off);
	return e ? -e : real->pread(c, fd, p, n, off);
}

static ssize_t f_pwrite(void *c, int fd, const void *p, size_t n, off_t off)
{
	int e = io_fails();

	if (e == EINTR)
		return real->pwrite(c, fd, p, n > 1 ? n / 2 : n, off);
	return e ? -e : real->pwrite(c, fd, p, n, off);
}

static int f_sync(void *c, int fd, int data_only)
{
	(void)c;
	(void)fd;
	(void)data_only;
	return -io_error_now();
}

static int f_rename(void *c, int dir, const char *from, const char *to)
{
	int e = io_error_now();

	return e ? -e : real->rename(c, dir, from, to);
}

static int f_unlink(void *c, int dir, const char *name)
{
	int e = reading();

	return e ? -e : real->unlink(c, dir, name);
}

static int f_truncate(void *c, int fd, off_t size)
{
	int e = io_error_now();

	return e ? -e : real->truncate(c, fd, size);
}

static const struct rk_io FAULTY = {f_openat, f_close,	  f_pread,
				    f_pwrite, f_sync,	  f_rename,
				    f_unlink, f_truncate, NULL};
static struct rk_env env;

enum { DOCS = 6, EVERYTHING = 0x40000000, WAIT_MS = 300 };

static void write_docs(const char *files)
{
	for (int d = 0; d < DOCS; d++) {
		char name[32], text[200];

		snprintf(name, sizeof(name), "f%d.md", d);
		snprintf(text, sizeof(text),
			 "# Title %d\n\nunique%dword common text about f%d\n",
			 d, d, d + 1);
		t_write(files, name, text);
	}
}

/* 1: found, 0: not and nothing says why, -1: an error or a reason */
static int finds(struct rk_index *ix, int d)
{
	struct rk_search_opts opts = {.size = sizeof(opts), .wait_ms = WAIT_MS};
	struct rk_results *r;
	struct rk_status st = {.size = sizeof(st)};
	char q[40];
	int k = snprintf(q, sizeof(q), "+unique%dword", d), n;

	if (rk_search(ix, q, (size_t)k, &opts, &r) < 0)
		return -1;
	n = r->nhits == 1 && !r->did_you_mean;
	if (!n) {
		rk_status(ix, &st);
		if (r->pending || st.warnings || st.reconciling)
			n = -1;
	}
	rk_results_free(r);
	return n;
}

/* All that a query can be, each with the fault somewhere in it. */
static void ask_everything(struct rk_index *ix)
{
	static const char *const ASKED[] = {
		"common text",
		"\"common text\"",
		"comon~",
		"/uniq[a-z0-9]+/",
		"like:f1.md",
		"uni*",
		"path:f* -unique0word",
		"mode:vector title",
		"after:2020-01",
		"as:pack tokens:100 common",
		"sort:new text",
	};
	struct rk_search_opts opts = {.size = sizeof(opts), .wait_ms = WAIT_MS};
	struct rk_results *r;

	for (size_t i = 0; i < sizeof(ASKED) / sizeof(ASKED[0]); i++)
		if (rk_search(ix, ASKED[i], strlen(ASKED[i]), &opts, &r) == 0)
			rk_results_free(r);
}

static void use_the_rest(struct rk_index *ix)
{
	struct rk_buf b = RK_BUF_INIT;
	struct rk_chunk_infos *parts;

	if (rk_saved_put(ix, "name", "common text") == 0) {
		rk_saved_mark(ix, "name", "f2.md", RK_FEEDBACK_PINNED);
		rk_saved_rename(ix, "name", "other");
	}
	if (rk_document_chunks(ix, "f1.md", &parts) == 0)
		rk_chunk_infos_free(parts);
	rk_warnings(ix, &b);
	rk_config_set(ix, "hits 7", 6, (char[100]){0}, 100);
	rk_reindex(ix, 1);
	rk_barrier(ix, WAIT_MS, NULL);
	rk_compact(ix);
	ask_everything(ix);
	rk_buf_release(&b);
}

/* Number of answers that were wrong and silent. */
static int use(const char *backing)
{
	struct rk_index *ix;
	uint64_t seq = 0;
	int told[DOCS] = {0}, wrong = 0;

	if (rk_index_open(&env, backing, "main", RK_NO_RECONCILE, &ix) < 0)
		return 0;
	for (int d = 0; d < DOCS; d++) {
		char name[32];

		snprintf(name, sizeof(name), "f%d.md", d);
		told[d] = rk_touch(ix, name, 0, &seq) == 0;
		if (told[d] && d == 2)
			rk_sync(ix, seq);
	}
	if (rk_barrier(ix, WAIT_MS, NULL) == 0)
		for (int d = 0; d < DOCS; d++)
			wrong += told[d] && finds(ix, d) == 0;
	rk_checkpoint(ix);
	for (int d = 0; d < DOCS; d++)
		wrong += told[d] && finds(ix, d) == 0;
	use_the_rest(ix);
	rk_index_close(ix);
	return wrong;
}

static int all_found(const char *backing)
{
	struct rk_index *ix;
	int n = 0;

	if (rk_index_open(NULL, backing, "main", 0, &ix) < 0)
		return -1;
	t_wait_idle(ix);
	for (int d = 0; d < DOCS; d++)
		n += finds(ix, d) == 1;
	rk_index_close(ix);
	return n;
}

/* One visit: use it with the fault, then look without. */
static void visit(const char *what, long at)
{
	char *backing = t_mkdir(), files[300];
	int wrong, found;

	snprintf(files, sizeof(files), "%s/indexes/main/files", backing);
	write_docs(files);
	wrong = use(backing);
	io_error = 0;
	rk_mem_set_hook(NULL);
	found = all_found(backing);
	if (wrong || found != DOCS)
		printf("# %s at %ld: %d wrong answers, then %d found\n", what,
		       at, wrong, found);
	CHECK_INT(wrong, 0);
	CHECK_INT(found, DOCS);
	t_rmdir(backing);
}

/* FAULT_EVERY=1: each n until one is not reached any more. */
static long stride(long def)
{
	const char *every = getenv("FAULT_EVERY");

	return every ? atol(every) : def;
}

/* FAULT_FROM=n: begin there, to look at one point. */
static long first(void)
{
	const char *from = getenv("FAULT_FROM");

	return from ? atol(from) : 0;
}

static void io_sweep(const char *what, int error, int sticky, long def)
{
	long visited = 0, at = first();

	do {
		io_hits = 0;
		io_left = at;
		io_sticky = sticky;
		io_error = error;
		visit(what, at);
		at += stride(def);
		visited++;
	} while (io_hits > 0 && at < EVERYTHING);
	printf("# %s: %ld points visited, to operation %ld\n", what, visited,
	       at);
	CHECK(visited >= (stride(def) == 1 ? 100 : 8));
}

static void an_io_error_once(void)
{
	io_sweep("EIO once", EIO, 0, 4);
}

static void an_io_error_from_then_on(void)
{
	io_sweep("EIO from then on", EIO, 1, 9);
}

static void the_disk_is_full_from_then_on(void)
{
	io_sweep("ENOSPC from then on", ENOSPC, 1, 7);
}

static void the_quota_is_reached_once(void)
{
	io_sweep("EDQUOT once", EDQUOT, 0, 7);
}

static void short_counts(void)
{
	io_sweep("short counts from then on", EINTR, 1, 17);
}

static _Atomic long mem_left;
static _Atomic long mem_hits;
static int mem_sticky;

static int mem_fails(void)
{
	long left = mem_left--;
	int yes = left == 0 || (left < 0 && mem_sticky);

	mem_hits += yes;
	return yes;
}

static void mem_sweep(const char *what, int sticky, long def)
{
	long visited = 0, at = first();

	do {
		mem_hits = 0;
		mem_left = at;
		mem_sticky = sticky;
		rk_mem_set_hook(mem_fails);
		visit(what, at);
		at += stride(def);
		visited++;
	} while (mem_hits > 0 && at < EVERYTHING);
	printf("# %s: %ld points visited, to allocation %ld\n", what, visited,
	       at);
	CHECK(visited >= (stride(def) == 1 ? 100 : 8));
}

static void an_allocation_fails(void)
{
	mem_sweep("allocation once", 0, 7);
}

static void all_allocations_fail_from_then_on(void)
{
	mem_sweep("allocations from then on", 1, 31);
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

static int64_t jumping(void)
{
	static _Atomic int calls;
	static const int64_t YEAR_NS = 365ll * 86400 * 1000000000;

	return rk_env_posix()->now_ns() +
	       (calls++ % 3 - 1) * 20 * YEAR_NS; /* back, now, ahead */
}

/* Wall clocks jump; what lasts and what comes first goes by another clock. */
static void the_clock_jumps_years_back_and_forth(void)
{
	char *backing = t_mkdir(), files[300];

	snprintf(files, sizeof(files), "%s/indexes/main/files", backing);
	write_docs(files);
	env.now_ns = jumping;
	for (int i = 0; i < 3; i++)
		CHECK_INT(use(backing), 0);
	env.now_ns = rk_env_posix()->now_ns;
	CHECK_INT(all_found(backing), DOCS);
	t_rmdir(backing);
}

static const struct t_case CASES[] = {
	{"an I/O error, once, at each operation", an_io_error_once},
	{"I/O errors from each operation on", an_io_error_from_then_on},
	{"the disk is full from each operation on",
	 the_disk_is_full_from_then_on},
	{"the quota is reached at each operation", the_quota_is_reached_once},
	{"short counts", short_counts},
	{"an allocation fails", an_allocation_fails},
	{"all allocations fail from one on", all_allocations_fail_from_then_on},
	{"a failed sync stays failed", a_failed_sync_stays_failed},
	{"the clock jumps years back and forth",
	 the_clock_jumps_years_back_and_forth},
};

int main(void)
{
	real = rk_env_posix()->io;
	env = (struct rk_env){.io = &FAULTY, .now_ns = rk_env_posix()->now_ns};
	return t_main(CASES, (int)(sizeof(CASES) / sizeof(CASES[0])));
}
