/* SPDX-License-Identifier: MIT */
/*
 * What cannot be read now is neither damaged nor gone: with one kind of file
 * unreadable (no descriptor left, an I/O error, no permission) nothing is
 * removed, set aside or built anew, and once it can be read again all is as
 * it was.
 */
#include "index/documents/linkwalk.h"
#include "index/documents/walk.h"
#include "index/state/internal.h"
#include "storage/registry.h"
#include "unit/idle.h"
#include "unit/t.h"
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/resource.h>

static const char *volatile hidden; /* files whose names begin so */
static volatile int error;
static const struct rk_io *real;

static int f_openat(void *c, int dir, const char *name, int flags, mode_t mode)
{
	const char *h = hidden;

	if (h && strncmp(name, h, strlen(h)) == 0 && !(flags & O_CREAT))
		return -error;
	return real->openat(c, dir, name, flags, mode);
}

static struct rk_io io;
static struct rk_env env;

enum { DOCS = 5, CHECKPOINTS = 3 };

static struct rk_index *open_it(const char *backing, unsigned flags)
{
	struct rk_index *ix = NULL;

	CHECK_INT(rk_index_open(&env, backing, "main", flags, &ix), 0);
	return ix;
}

static void change(struct rk_index *ix, const char *backing, int round)
{
	char files[300], name[32], text[80];

	snprintf(files, sizeof(files), "%s/indexes/main/files", backing);
	for (int d = 0; d < DOCS; d++) {
		snprintf(name, sizeof(name), "f%d-%d.md", round, d);
		snprintf(text, sizeof(text), "common yak of round %d\n", round);
		t_write(files, name, text);
		CHECK_INT(rk_touch(ix, name, 0, NULL), 0);
	}
	CHECK_INT(rk_barrier(ix, 5000, NULL), 0);
}

/* An index with several checkpoints, a fit, a setting and a saved query. */
static char *make(void)
{
	static const char SETTINGS[] = "language german\nretain 10\n";
	char *backing = t_mkdir();
	struct rk_index *ix = open_it(backing, RK_NO_RECONCILE);
	char err[100];

	CHECK_INT(rk_config_set(ix, SETTINGS, strlen(SETTINGS), err, 100), 0);
	CHECK_INT(rk_saved_put(ix, "name", "yak"), 0);
	CHECK_INT(rk_index_close(ix), 0);
	ix = open_it(backing, RK_NO_RECONCILE);
	for (int i = 0; i < CHECKPOINTS; i++) {
		change(ix, backing, i);
		CHECK_INT(rk_checkpoint(ix), 0);
	}
	rk_index_close(ix);
	return backing;
}

static int checkpoints(struct rk_index *ix)
{
	struct rk_checkpoint v[100];

	return rk_checkpoints(ix, v, 100);
}

static int count_all(void *ctx, const struct rk_docref *d, const char *path)
{
	(void)d, (void)path;
	++*(int *)ctx;
	return 0;
}

/* How many documents it knows without having looked at one. */
static int known(struct rk_index *ix)
{
	int n = 0;

	pthread_mutex_lock(&ix->writer);
	rk_each_live(ix, "", count_all, &n);
	pthread_mutex_unlock(&ix->writer);
	return n;
}

static void as_it_was(const char *backing, const char *file)
{
	struct rk_index *ix = open_it(backing, RK_NO_RECONCILE);
	struct rk_buf b = RK_BUF_INIT;

	if (!ix)
		return;
	rk_warnings(ix, &b);
	rk_buf_byte(&b, 0);
	CHECK_STR((char *)b.p, "");
	CHECK_INT(known(ix), DOCS * CHECKPOINTS);
	if (t_failed)
		printf("# with %s unreadable\n", file);
	rk_buf_release(&b);
	rk_index_close(ix);
}

static void opening_without_a_file_changes_nothing(void)
{
	static const char *const FILES[] = {"CURRENT", "MANIFEST-", "seg-",
					    "vec-",    "config",    "saved.mp",
					    "wal-"};
	static const int ERRORS[] = {EMFILE, ENFILE, EIO, EACCES, ENOMEM};
	char *backing = make();

	for (size_t i = 0; i < sizeof(FILES) / sizeof(FILES[0]); i++)
		for (size_t e = 0; e < sizeof(ERRORS) / sizeof(int); e++) {
			struct rk_index *ix = NULL;

			error = ERRORS[e];
			hidden = FILES[i];
			CHECK_INT(rk_index_open(&env, backing, "main",
						RK_NO_RECONCILE, &ix),
				  -error);
			rk_index_close(ix);
			ix = NULL;
			CHECK_INT(rk_index_open(&env, backing, "main",
						RK_READ_ONLY, &ix),
				  -error);
			rk_index_close(ix);
			hidden = NULL;
			as_it_was(backing, FILES[i]);
		}
	t_rmdir(backing);
}

static void a_fit_that_cannot_be_read_is_not_made_again(void)
{
	char *backing = make();
	struct rk_index *ix = open_it(backing, RK_NO_RECONCILE);
	struct rk_buf b = RK_BUF_INIT;
	char files[300];
	uint64_t space;

	for (int i = 0; i < 250; i++)
		rk_buf_printf(&b, "# Part %d\n\nthe yak of part %d walks\n\n",
			      i, i);
	rk_buf_byte(&b, 0);
	snprintf(files, sizeof(files), "%s/indexes/main/files", backing);
	t_write(files, "long.md", (char *)b.p);
	rk_buf_release(&b);
	CHECK_INT(rk_touch(ix, "long.md", 0, NULL), 0);
	CHECK_INT(rk_refit(ix, 20000), 0);
	CHECK_INT(rk_checkpoint(ix), 0);
	CHECK(ix->space->latent->chunks > 0);
	space = ix->space->number;
	rk_index_close(ix);
	ix = NULL;
	error = EMFILE;
	hidden = "latent-";
	CHECK_INT(rk_index_open(&env, backing, "main", RK_NO_RECONCILE, &ix),
		  -EMFILE);
	rk_index_close(ix);
	hidden = NULL;
	ix = open_it(backing, RK_NO_RECONCILE);
	CHECK_INT(ix->space->number, space);
	rk_index_close(ix);
	t_rmdir(backing);
}

/* Asked to build anew, nothing of what there was need be readable. */
static void building_anew_needs_no_old_file(void)
{
	char *backing = make();
	struct rk_index *ix;

	error = EIO;
	hidden = "MANIFEST-";
	ix = open_it(backing, RK_REBUILD);
	if (ix) {
		t_wait_idle(ix);
		CHECK_INT(known(ix), DOCS * CHECKPOINTS);
		CHECK_INT(rk_checkpoint(ix), 0);
		rk_index_close(ix);
	}
	hidden = NULL;
	as_it_was(backing, "MANIFEST-");
	t_rmdir(backing);
}

static void a_checkpoint_removes_none_that_it_could_not_read(void)
{
	char *backing = make();
	struct rk_index *ix = open_it(backing, RK_NO_RECONCILE);
	int before = checkpoints(ix);

	CHECK(before >= 3);
	change(ix, backing, CHECKPOINTS);
	error = EMFILE;
	hidden = "MANIFEST-";
	CHECK_INT(rk_checkpoint(ix), 0);
	hidden = NULL;
	CHECK_INT(checkpoints(ix), before + 1);
	for (struct rk_index *at = NULL; before > 0; before--) {
		struct rk_checkpoint v[100];

		rk_checkpoints(ix, v, 100);
		CHECK_INT(rk_index_open_at(&env, backing, "main",
					   v[before].number, &at),
			  0);
		rk_index_close(at);
	}
	rk_index_close(ix);
	t_rmdir(backing);
}

/* What is older must not pass for newer: numbers only grow. */
static void a_checkpoint_after_an_older_one_is_the_newest(void)
{
	char *backing = make(), current[300];
	struct rk_index *ix = open_it(backing, RK_NO_RECONCILE);
	struct rk_checkpoint v[100];
	char name[40], line[48];

	CHECK(rk_checkpoints(ix, v, 100) >= 3);
	rk_index_close(ix);
	rk_manifest_name(v[2].number, name);
	snprintf(line, sizeof(line), "%s\n", name);
	snprintf(current, sizeof(current), "%s/indexes/main", backing);
	t_write(current, "CURRENT", line);
	ix = open_it(backing, RK_NO_RECONCILE);
	change(ix, backing, CHECKPOINTS);
	CHECK_INT(rk_checkpoint(ix), 0);
	rk_checkpoints(ix, v + 1, 99);
	CHECK(v[1].number > v[0].number);
	rk_index_close(ix);
	t_rmdir(backing);
}

static void the_registry_keeps_what_it_cannot_read(void)
{
	struct rk_registry_entry v[RK_REGISTRY_MAX],
		one = {.id = "one", .created_ns = 7}, two = {.id = "two"};
	char *dir = t_mkdir();
	int fd = open(dir, O_RDONLY | O_DIRECTORY);

	CHECK_INT(rk_registry_put(&io, fd, &one), 0);
	error = EMFILE;
	hidden = "registry.mp";
	CHECK_INT(rk_registry_put(&io, fd, &two), -EMFILE);
	CHECK_INT(rk_registry_drop(&io, fd, "two"), -EMFILE);
	hidden = NULL;
	CHECK_INT(rk_registry_read(&io, fd, v, RK_REGISTRY_MAX), 1);
	CHECK_INT(v[0].created_ns, 7);
	close(fd);
	t_rmdir(dir);
}

/* From now on no file can be opened; returns the limit to restore. */
static struct rlimit no_descriptors(void)
{
	struct rlimit was, none;
	int fd = dup(0);

	getrlimit(RLIMIT_NOFILE, &was);
	none = was;
	none.rlim_cur = (rlim_t)fd;
	close(fd);
	CHECK_INT(setrlimit(RLIMIT_NOFILE, &none), 0);
	return was;
}

static void a_linked_source_stays_without_descriptors(void)
{
	char *backing = make(), *source = t_mkdir(), link[300];
	struct rlimit was;
	struct rk_index *ix;
	int before;

	t_write(source, "sub/doc.md", "a linked yak\n");
	t_write(source, ".gitignore", "left.md\n");
	t_write(source, "sub/left.md", "left out\n");
	snprintf(link, sizeof(link), "%s/indexes/main/files/src", backing);
	CHECK_INT(symlink(source, link), 0);
	ix = open_it(backing, 0);
	t_wait_idle(ix);
	before = known(ix);
	CHECK(before > DOCS * CHECKPOINTS);
	was = no_descriptors();
	CHECK_INT(rk_links_read(ix), -EMFILE);
	CHECK_INT(rk_link_ignored(ix, "src/sub/doc.md"), -EMFILE);
	setrlimit(RLIMIT_NOFILE, &was);
	CHECK_INT(rk_link_ignored(ix, "src/sub/doc.md"), 0);
	CHECK_INT(rk_link_ignored(ix, "src/sub/left.md"), 1);
	CHECK_INT(rk_link_ignored(ix, "src/none/doc.md"), 1);
	t_wait_idle(ix);
	CHECK_INT(known(ix), before);
	rk_index_close(ix);
	t_rmdir(source);
	t_rmdir(backing);
}

static int no_file(void *ctx, const char *path, const struct stat *st)
{
	(void)ctx, (void)path, (void)st;
	return 0;
}

static void a_folder_without_descriptors_is_not_an_empty_one(void)
{
	char *backing = make();
	struct rk_index *ix = open_it(backing, RK_NO_RECONCILE);
	struct rlimit was = no_descriptors();
	uint64_t n;

	CHECK_INT(rk_walk_files(ix, "", no_file, NULL), -EMFILE);
	CHECK_INT(rk_walk_files(ix, "none", no_file, NULL), -EMFILE);
	CHECK(rk_manifest_list(ix->dir_fd, &n, 1) == -EMFILE);
	setrlimit(RLIMIT_NOFILE, &was);
	CHECK_INT(rk_walk_files(ix, "none", no_file, NULL), 0);
	rk_index_close(ix);
	t_rmdir(backing);
}

static const struct t_case CASES[] = {
	{"opening without a file changes nothing",
	 opening_without_a_file_changes_nothing},
	{"a fit that cannot be read is not made again",
	 a_fit_that_cannot_be_read_is_not_made_again},
	{"building anew needs no old file", building_anew_needs_no_old_file},
	{"a checkpoint removes none that it could not read",
	 a_checkpoint_removes_none_that_it_could_not_read},
	{"a checkpoint after an older one is the newest",
	 a_checkpoint_after_an_older_one_is_the_newest},
	{"the registry keeps what it cannot read",
	 the_registry_keeps_what_it_cannot_read},
	{"a linked source stays without descriptors",
	 a_linked_source_stays_without_descriptors},
	{"a folder without descriptors is not an empty one",
	 a_folder_without_descriptors_is_not_an_empty_one},
};

int main(void)
{
	real = rk_env_posix()->io;
	io = *real;
	io.openat = f_openat;
	env = (struct rk_env){.io = &io, .now_ns = rk_env_posix()->now_ns};
	return t_main(CASES, (int)(sizeof(CASES) / sizeof(CASES[0])));
}
