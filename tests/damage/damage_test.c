/* SPDX-License-Identifier: MIT */
/*
 * Every file of a backing folder is truncated, flipped, zeroed, replaced by an
 * older version of itself, by a folder, by another file of the folder, or
 * removed; whatever it is, the index opens, never gives an answer that is
 * wrong without saying that something is, and once compared with the
 * documents it equals them. Only a log, whose tail nothing vouches for, may
 * tell less at first; what it told of is compared at each mount.
 *
 * DAMAGE_EVERY=1: every 97th byte of every file is flipped; else fewer.
 */
#include "index/state/internal.h"
#include "unit/idle.h"
#include "unit/t.h"
#include <dirent.h>

enum { DOCS = 40, GONE = 6 /* of them removed again */ };

static char *golden, *older; /* backing folders to copy from */

static void write_doc(const char *files, int d, int version)
{
	unsigned long long seed = (unsigned long long)(d * 7 + version);
	char name[32], text[400];
	int k = snprintf(text, sizeof(text), "# Part %d\n\nu%02dv%dx ", d, d,
			 version);

	for (int i = 0; i < 20; i++)
		k += snprintf(text + k, sizeof(text) - (size_t)k, "r%llu ",
			      t_rand(&seed) % 10000);
	snprintf(name, sizeof(name), "d%d/f%02d.md", d % 3, d);
	t_write(files, name, text);
}

static void touch_doc(struct rk_index *ix, int d)
{
	char name[32];

	snprintf(name, sizeof(name), "d%d/f%02d.md", d % 3, d);
	CHECK_INT(rk_touch(ix, name, 0, NULL), 0);
}

/* A file, or what is in a folder, as it is. */
static void copy(const char *from, const char *to)
{
	char cmd[1600];

	snprintf(cmd, sizeof(cmd), "cp -rpT '%s' '%s'", from, to);
	if (system(cmd) != 0)
		perror(cmd);
}

/* Two checkpoints, replaced and removed documents, vectors, a saved query. */
static void make_golden(void)
{
	struct rk_index *ix;
	char files[300], path[400], *killed;

	golden = t_mkdir();
	older = t_mkdir();
	snprintf(files, sizeof(files), "%s/indexes/main/files", golden);
	CHECK_INT(rk_index_open(NULL, golden, "main", RK_NO_RECONCILE, &ix), 0);
	for (int d = 0; d < DOCS; d++) {
		write_doc(files, d, 0);
		touch_doc(ix, d);
	}
	CHECK_INT(rk_saved_put(ix, "name", "part"), 0);
	CHECK_INT(rk_barrier(ix, 10000, NULL), 0);
	CHECK_INT(rk_checkpoint(ix), 0);
	copy(golden, older);
	for (int d = 0; d < DOCS; d += 3) {
		write_doc(files, d, 1);
		touch_doc(ix, d);
	}
	for (int d = DOCS - GONE; d < DOCS; d++) {
		snprintf(path, sizeof(path), "%s/d%d/f%02d.md", files, d % 3,
			 d);
		unlink(path);
		touch_doc(ix, d);
	}
	CHECK_INT(rk_barrier(ix, 10000, NULL), 0);
	CHECK_INT(rk_checkpoint(ix), 0);
	write_doc(files, 1, 1); /* and one that only the log knows */
	touch_doc(ix, 1);
	CHECK_INT(rk_barrier(ix, 10000, NULL), 0);
	/* as a kill would leave it: a close would make a checkpoint */
	killed = t_mkdir();
	copy(golden, killed);
	rk_index_close(ix);
	t_rmdir(golden);
	golden = killed;
}

static int version_of(int d)
{
	return d >= DOCS - GONE ? -1 : d % 3 == 0 || d == 1;
}

/* 1: found, 0: not, -1: an error, or the index says what it lacks */
static int finds(struct rk_index *ix, int d, int version)
{
	struct rk_search_opts opts = {.size = sizeof(opts), .wait_ms = 10000};
	struct rk_results *r;
	struct rk_status st = {.size = sizeof(st)};
	char q[40];
	int k = snprintf(q, sizeof(q), "mode:lexical +u%02dv%dx", d, version);
	int n, comparing;

	rk_status(ix, &st); /* a comparison may end while it is asked */
	comparing = st.reconciling || st.pending;
	if (rk_search(ix, q, (size_t)k, &opts, &r) < 0)
		return -1;
	n = r->nhits == 1 && !r->did_you_mean;
	rk_status(ix, &st);
	if (n != (version == version_of(d)) &&
	    (r->pending || r->notes || st.warnings || comparing))
		n = -1;
	rk_results_free(r);
	return n;
}

static int silently_wrong(struct rk_index *ix)
{
	int wrong = 0;

	for (int d = 0; d < DOCS; d++)
		for (int v = 0; v < 2; v++) {
			int is = finds(ix, d, v);

			wrong += is >= 0 && is != (version_of(d) == v);
		}
	return wrong;
}

static int unequal(struct rk_index *ix)
{
	struct rk_verify_report report = {.size = sizeof(report)};
	struct rk_status st = {.size = sizeof(st)};
	int wrong = 0;

	/* asking finds damage that opening did not, which is then repaired */
	for (int round = 0; round < 2; round++) {
		wrong = 0;
		rk_verify(ix, &report);
		t_wait_idle(ix);
		rk_reindex(ix, 0);
		t_wait_idle(ix);
		for (int d = 0; d < DOCS; d++)
			for (int v = 0; v < 2; v++)
				wrong += (finds(ix, d, v) == 1) !=
					 (version_of(d) == v);
		rk_status(ix, &st);
		wrong += st.docs != DOCS - GONE;
		if (!wrong)
			break;
	}
	return wrong;
}

/* A copy of the golden folder in which `damage` was done to one file. */
static void visit(const char *name, const char *what,
		  void (*damage)(const char *path, size_t arg), size_t arg)
{
	char *backing = t_mkdir(), path[700];
	struct rk_index *ix;
	int rc, wrong = 0, after = -1;

	copy(golden, backing);
	snprintf(path, sizeof(path), "%s/%s", backing, name);
	damage(path, arg);
	rc = rk_index_open(NULL, backing, "main", 0, &ix);
	if (rc == 0) {
		wrong = silently_wrong(ix);
		after = unequal(ix);
		rk_index_close(ix);
	}
	if (rc || wrong || after)
		printf("# %s %s %zu: opened %d, %d answers wrong, then %d\n",
		       name, what, arg, rc, wrong, after);
	CHECK(rc == 0 && !wrong && !after);
	t_rmdir(backing);
}

static size_t size_of(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 ? (size_t)st.st_size : 0;
}

static void d_truncate(const char *path, size_t to)
{
	if (truncate(path, (off_t)to) < 0)
		perror(path);
}

static void d_flip(const char *path, size_t at)
{
	FILE *f = fopen(path, "r+");
	int c;

	fseek(f, (long)at, SEEK_SET);
	c = fgetc(f);
	fseek(f, (long)at, SEEK_SET);
	fputc(c ^ 0x10, f);
	fclose(f);
}

static void d_zero(const char *path, size_t from)
{
	size_t n = size_of(path);
	FILE *f = fopen(path, "r+");

	fseek(f, (long)from, SEEK_SET);
	for (size_t i = from; i < n; i++)
		fputc(0, f);
	fclose(f);
}

static void d_remove(const char *path, size_t arg)
{
	(void)arg;
	unlink(path);
}

static void d_folder(const char *path, size_t arg)
{
	(void)arg;
	unlink(path);
	mkdir(path, 0700);
}

static void d_noise(const char *path, size_t n)
{
	unsigned long long seed = n;
	FILE *f = fopen(path, "w");

	for (size_t i = 0; i < n; i++)
		fputc((int)(t_rand(&seed) & 255), f);
	fclose(f);
}

/* As it was at the checkpoint before, if it was there. */
static void d_older(const char *path, size_t arg)
{
	const char *name = strstr(path, "/indexes/");
	char from[700];

	(void)arg;
	if (!name)
		name = strstr(path, "/registry.mp");
	snprintf(from, sizeof(from), "%s%s", older, name);
	if (access(from, R_OK) == 0)
		copy(from, path);
}

static long visited;

static void damage_file(const char *name)
{
	const char *every = getenv("DAMAGE_EVERY");
	size_t thin = every ? (size_t)atoi(every) : 40;
	char path[700];
	size_t n;

	snprintf(path, sizeof(path), "%s/%s", golden, name);
	n = size_of(path);
	visit(name, "removed", d_remove, 0);
	visit(name, "a folder", d_folder, 0);
	visit(name, "as it was", d_older, 0);
	visit(name, "noise", d_noise, n + 1);
	visited += 4;
	for (size_t i = 0; i < 8; i++, visited++)
		visit(name, "cut to", d_truncate, n * i / 8);
	for (size_t i = 0; i < 4; i++, visited++)
		visit(name, "zeros from", d_zero, n * i / 4);
	for (size_t at = 0; at < 16 && at < n; at++, visited++) /* the head */
		visit(name, "flipped", d_flip, at);
	/* behind its end a log is zeros for 64 KiB: one flip in a thousand */
	for (size_t at = 0; at < n;
	     at += (n > 65000 ? 1013 : 97) * thin, visited++)
		visit(name, "flipped", d_flip, at);
}

static void every_file_in_every_way(void)
{
	char dir[400];
	struct dirent *e;
	DIR *d;

	make_golden();
	damage_file("registry.mp");
	snprintf(dir, sizeof(dir), "%s/indexes/main", golden);
	d = opendir(dir);
	while (d && (e = readdir(d)))
		if (e->d_type == DT_REG && strcmp(e->d_name, "LOCK") != 0) {
			char name[400];

			snprintf(name, sizeof(name), "indexes/main/%s",
				 e->d_name);
			damage_file(name);
		}
	closedir(d);
	printf("# %ld points visited\n", visited);
	CHECK(visited >= 100);
	t_rmdir(golden);
	t_rmdir(older);
}

static const struct t_case CASES[] = {
	{"every file in every way", every_file_in_every_way},
};
T_MAIN(CASES)
