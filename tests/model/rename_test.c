/* SPDX-License-Identifier: MIT */
/*
 * Renaming costs no reading: what is known of documents goes with them, and
 * the index is then what reading them under the new names would have made it.
 */
#include "index/state/internal.h"
#include "base/mem.h"
#include "unit/t.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { DOCS = 40 };

static char *backing;
static char files[300];

static struct rk_index *open_ix(unsigned flags)
{
	struct rk_index *ix = NULL;

	CHECK_INT(rk_index_open(NULL, backing, "main", flags, &ix), 0);
	return ix;
}

static const char *at(const char *path)
{
	static char out[600];

	snprintf(out, sizeof(out), "%s/%s", files, path);
	return out;
}

static void settle(struct rk_index *ix)
{
	CHECK_INT(rk_barrier(ix, 60000, NULL), 0);
}

static void put(struct rk_index *ix, const char *path, const char *text)
{
	t_write(files, path, text);
	CHECK_INT(rk_touch(ix, path, 0, NULL), 0);
}

/* A folder of notes; some speak of the folder's own name. */
static void put_folder(struct rk_index *ix, const char *dir)
{
	mkdir(at(dir), 0700);
	for (int d = 0; d < DOCS; d++) {
		char path[64], text[400];

		snprintf(path, sizeof(path), "%s/note%d.md", dir, d);
		snprintf(text, sizeof(text),
			 "# Heading %d\n\nzebras graze near the %s river, and "
			 "herons number %d stand in it all day long, as they "
			 "have done since anybody who lives here can remember."
			 "\n\n## Second\n\n%s\n",
			 d, d % 3 ? "alpha" : "wide", d,
			 d % 2 ? "penguins and alpha" : "walruses");
		put(ix, path, text);
	}
	settle(ix);
}

/* Other words of the same length in a file that looks the same. */
static void change_unseen(const char *path, const char *was, const char *now)
{
	char text[1000] = "", *p;
	struct timespec t[2];
	struct stat st;
	int fd = open(at(path), O_RDWR);
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);

	CHECK(fd >= 0 && n > 0 && strlen(was) == strlen(now));
	CHECK_INT(fstat(fd, &st), 0);
	p = strstr(text, was);
	CHECK(p != NULL);
	if (p)
		CHECK_INT(pwrite(fd, now, strlen(now), p - text),
			  (ssize_t)strlen(now));
	t[0] = st.st_atim;
	t[1] = st.st_mtim;
	CHECK_INT(futimens(fd, t), 0);
	close(fd);
}

static void ren(struct rk_index *ix, const char *from, const char *to,
		unsigned flags)
{
	char a[600];

	snprintf(a, sizeof(a), "%s", at(from));
	CHECK_INT(rename(a, at(to)), 0);
	CHECK_INT(rk_renamed(ix, from, to, flags, NULL), 0);
}

/* Paths, places and scores of an answer, as a string of the caller's. */
static char *answer(struct rk_index *ix, const char *q)
{
	struct rk_search_opts opts = {.size = sizeof(opts), .wait_ms = 60000};
	struct rk_buf b = RK_BUF_INIT;
	struct rk_results *r;
	char text[200];
	int n = snprintf(text, sizeof(text), "%s n:100 mode:lexical", q);

	CHECK_INT(rk_search(ix, text, (size_t)n, &opts, &r), 0);
	rk_buf_printf(&b, "%llu:", (unsigned long long)r->total);
	for (size_t i = 0; i < r->nhits; i++)
		rk_buf_printf(&b, " %s:%u=%.9g", r->hits[i].path,
			      r->hits[i].line, r->hits[i].lexical);
	rk_buf_byte(&b, 0);
	rk_results_free(r);
	return (char *)b.p;
}

static int hits(struct rk_index *ix, const char *q)
{
	char *a = answer(ix, q);
	int n = atoi(a);

	rk_free(a);
	return n;
}

static void counts_fit(struct rk_index *ix);

static const char *const QUERIES[] = {
	"zebras",	 "+alpha", "+beta",	     "alpha penguins",
	"beta penguins", "+note7", "\"wide river\"", "path:beta/**",
	"path:alpha/**", "+gamma", "heading",	     "+alpha -penguins",
	"\"the alpha\"", "alph*",  "deep beta",	     "md",
};
enum { NQ = sizeof(QUERIES) / sizeof(QUERIES[0]) };

static void wait_for_comparison(struct rk_index *ix)
{
	pthread_mutex_lock(&ix->persist_lock);
	while (ix->did_reconcile == 0)
		pthread_cond_wait(&ix->room_cond, &ix->persist_lock);
	pthread_mutex_unlock(&ix->persist_lock);
}

/* As if every document had just been read where it is now. */
static void equals_a_rebuild(struct rk_index **ix)
{
	char *before[NQ];

	counts_fit(*ix);
	for (int i = 0; i < NQ; i++)
		before[i] = answer(*ix, QUERIES[i]);
	CHECK_INT(rk_index_close(*ix), 0);
	*ix = open_ix(RK_NO_RECONCILE);
	counts_fit(*ix);
	for (int i = 0; i < NQ; i++) {
		char *again = answer(*ix, QUERIES[i]);

		CHECK_STR(again, before[i]);
		rk_free(again);
	}
	CHECK_INT(rk_index_close(*ix), 0);
	*ix = open_ix(RK_REBUILD);
	wait_for_comparison(*ix);
	settle(*ix);
	counts_fit(*ix);
	for (int i = 0; i < NQ; i++) {
		char *anew = answer(*ix, QUERIES[i]);

		CHECK_STR(before[i], anew);
		rk_free(anew);
		rk_free(before[i]);
	}
}

static int add_up(void *ctx, const struct rk_docref *d, const char *path)
{
	const rk_norm *norms =
		d->seg ? rk_segment_norms(d->seg) : d->mem->norms;
	struct rk_corpus_stats *t = ctx;

	(void)path;
	t->docs++;
	for (uint32_t c = 0; c < d->rec.nchunks; c++) {
		t->chunks++;
		t->body_sum += rk_norm_body(norms[d->rec.chunk0 + c]);
		t->head_sum += rk_norm_head(norms[d->rec.chunk0 + c]);
	}
	return 0;
}

static void counts_fit(struct rk_index *ix)
{
	struct rk_corpus_stats t = {0};

	pthread_mutex_lock(&ix->writer);
	rk_each_live(ix, "", add_up, &t);
	pthread_mutex_unlock(&ix->writer);
	CHECK_INT(ix->stats.docs, t.docs);
	CHECK_INT(ix->stats.chunks, t.chunks);
	CHECK_INT(ix->stats.body_sum, t.body_sum);
	CHECK_INT(ix->stats.head_sum, t.head_sum);
}

/* Were it read, it would be found by what it holds now. */
static void nothing_is_read(int checkpoint)
{
	struct rk_index *ix = open_ix(RK_NO_RECONCILE);

	put_folder(ix, "alpha");
	if (checkpoint)
		CHECK_INT(rk_checkpoint(ix), 0);
	for (int d = 0; d < DOCS; d++) {
		char path[64];

		snprintf(path, sizeof(path), "alpha/note%d.md", d);
		change_unseen(path, "zebras", "zorros");
	}
	ren(ix, "alpha", "beta", RK_TOUCH_TREE);
	CHECK_INT(hits(ix, "+zebras path:beta/**"), DOCS);
	CHECK_INT(hits(ix, "+zorros"), 0);
	CHECK_INT(hits(ix, "+beta"), DOCS);
	CHECK_INT(hits(ix, "path:alpha/**"), 0);
	CHECK_INT(ix->stats.docs, DOCS);
	if (checkpoint) { /* one file, too */
		ren(ix, "beta/note3.md", "beta/herring.md", 0);
		CHECK_INT(hits(ix, "+herring"), 1);
		CHECK_INT(hits(ix, "+zorros"), 0);
		CHECK_INT(hits(ix, "+note3"), 0);
	}
	CHECK_INT(rk_compact(ix), 0);
	CHECK_INT(hits(ix, "+zebras"), DOCS);
	counts_fit(ix);
	rk_index_close(ix);
}

static void from_memory(void)
{
	nothing_is_read(0);
}

static void from_segments(void)
{
	nothing_is_read(1);
}

static void as_if_read_again(void)
{
	struct rk_index *ix = open_ix(RK_NO_RECONCILE);

	put_folder(ix, "alpha");
	CHECK_INT(rk_checkpoint(ix), 0);
	put_folder(ix, "other");
	put(ix, "alpha/late.md",
	    "# Late\n\na penguin that came late to alpha\n");
	put(ix, "alpha/few.md", "gamma\n");
	settle(ix);
	ren(ix, "alpha", "beta", RK_TOUCH_TREE);
	settle(ix);
	equals_a_rebuild(&ix);
	CHECK_INT(rk_checkpoint(ix), 0);
	mkdir(at("deep"), 0700);
	ren(ix, "beta", "deep/alpha", RK_TOUCH_TREE);
	ren(ix, "other/note1.md", "deep/gamma.md", 0);
	ren(ix, "other/note2.md", "deep/gamma.c", 0); /* read: another kind */
	settle(ix);
	equals_a_rebuild(&ix);
	CHECK_INT(rk_index_close(ix), 0);
}

/* Renamed again, replaced, changed, removed, ignored: before anybody looks. */
static void whatever_comes_with_it(void)
{
	struct rk_index *ix = open_ix(RK_NO_RECONCILE);

	put_folder(ix, "alpha");
	put_folder(ix, "other");
	CHECK_INT(rk_checkpoint(ix), 0);
	ren(ix, "alpha", "beta", RK_TOUCH_TREE);
	ren(ix, "beta", "gamma", RK_TOUCH_TREE);
	ren(ix, "gamma/note1.md", "gamma/note2.md", 0);
	ren(ix, "gamma/note3.md", "other/note3.md", 0);
	put(ix, "gamma/note4.md",
	    "# Changed\n\nto something with beta in it\n");
	unlink(at("gamma/note5.md"));
	CHECK_INT(rk_touch(ix, "gamma/note5.md", RK_TOUCH_REMOVED, NULL), 0);
	put(ix, "gamma/note6.md", "# Changed\n\nand renamed after that\n");
	ren(ix, "gamma/note6.md", "gamma/note60.md", 0);
	ren(ix, "gamma/note7.md", "gamma/note7.md~", 0);
	settle(ix);
	CHECK_INT(hits(ix, "+renamed"), 1);
	CHECK_INT(hits(ix, "path:alpha/**"), 0);
	CHECK_INT(hits(ix, "path:beta/**"), 0);
	equals_a_rebuild(&ix);
	CHECK_INT(rk_checkpoint(ix), 0);
	ren(ix, "gamma", ".git", RK_TOUCH_TREE);
	settle(ix);
	CHECK_INT(ix->stats.docs, DOCS);
	ren(ix, ".git", "alpha", RK_TOUCH_TREE);
	ren(ix, "alpha/note7.md~", "alpha/note7.md", 0);
	settle(ix);
	equals_a_rebuild(&ix);
	CHECK_INT(rk_index_close(ix), 0);
}

/* The log alone knows of it: it dies at once. */
static void after_a_death(void)
{
	struct rk_index *ix = open_ix(RK_NO_RECONCILE);
	int status;
	pid_t pid;

	put_folder(ix, "alpha");
	CHECK_INT(rk_index_close(ix), 0);
	for (int d = 0; d < DOCS; d++) {
		char path[64];

		snprintf(path, sizeof(path), "alpha/note%d.md", d);
		change_unseen(path, "zebras", "zorros");
	}
	if ((pid = fork()) == 0) {
		ix = open_ix(RK_NO_RECONCILE);
		ren(ix, "alpha", "beta", RK_TOUCH_TREE);
		_exit(0);
	}
	CHECK_INT(waitpid(pid, &status, 0), pid);
	ix = open_ix(RK_NO_RECONCILE);
	CHECK_INT(hits(ix, "+zebras path:beta/**"), DOCS);
	CHECK_INT(hits(ix, "path:alpha/**"), 0);
	CHECK_INT(hits(ix, "+zorros"), 0); /* not read for that, either */
	counts_fit(ix);
	CHECK_INT(rk_index_close(ix), 0);
	ix = open_ix(RK_READ_ONLY);
	CHECK_INT(hits(ix, "+zebras path:beta/**"), DOCS);
	rk_index_close(ix);
}

static void with(void (*test)(void))
{
	backing = t_mkdir();
	snprintf(files, sizeof(files), "%s/indexes/main/files", backing);
	test();
	t_rmdir(backing);
}

static void test_memory(void)
{
	with(from_memory);
}

static void test_segments(void)
{
	with(from_segments);
}

static void test_equal(void)
{
	with(as_if_read_again);
}

static void test_mixed(void)
{
	with(whatever_comes_with_it);
}

static void test_death(void)
{
	with(after_a_death);
}

static const struct t_case CASES[] = {
	{"a folder in memory is renamed unread", test_memory},
	{"a folder in segments is renamed unread", test_segments},
	{"a renamed folder is as if read again", test_equal},
	{"whatever comes with a rename", test_mixed},
	{"a rename that only the log knows", test_death},
};
T_MAIN(CASES)
