/* SPDX-License-Identifier: MIT */
/* What is told of changes, saved queries, exports, and several indexes as one.
 */
#include "base/buf.h"
#include "rankfs.h"
#include "unit/t.h"
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

enum { WAIT_MS = 20000 };

static char *top;

static struct rk_index *open_new(const char *name)
{
	struct rk_index *ix = NULL;

	CHECK_INT(rk_index_open(NULL, top, name, 0, &ix), 0);
	return ix;
}

static void put(struct rk_index *ix, const char *path, const char *text)
{
	int fd = openat(rk_index_files_fd(ix), path,
			O_WRONLY | O_CREAT | O_TRUNC, 0600);

	CHECK(fd >= 0 &&
	      write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
	CHECK_INT(rk_touch(ix, path, 0, NULL), 0);
	CHECK_INT(rk_barrier(ix, WAIT_MS, NULL), 0);
}

static void drop_document(struct rk_index *ix, const char *path)
{
	CHECK_INT(unlinkat(rk_index_files_fd(ix), path, 0), 0);
	CHECK_INT(rk_touch(ix, path, 0, NULL), 0);
	CHECK_INT(rk_barrier(ix, WAIT_MS, NULL), 0);
}

static unsigned wakes;

static void wake(void *ctx)
{
	(void)ctx;
	__atomic_add_fetch(&wakes, 1, __ATOMIC_RELAXED);
}

static enum rk_effect effect(struct rk_index *ix, const char *query,
			     const struct rk_changes *c, unsigned *held)
{
	struct rk_standing *st = NULL;
	enum rk_effect e;

	CHECK_INT(rk_standing_new(ix, query, strlen(query), &st), 0);
	e = rk_standing_effect(st, c, held);
	rk_standing_free(st);
	return e;
}

static void check_effects(struct rk_index *ix, const struct rk_changes *c)
{
	static const struct {
		const char *query;
		enum rk_effect is;
		unsigned held;
	} ROWS[] = {
		{"yak mode:lexical", RK_EFFECT_LIKELY, 1},
		{"purple yaks mode:lexical", RK_EFFECT_LIKELY, 2},
		{"gnu mode:lexical", RK_EFFECT_NONE, 0},
		{"+gnu yak mode:lexical", RK_EFFECT_NONE, 0},
		{"-yak gnu mode:lexical", RK_EFFECT_NONE, 0},
		{"gnu", RK_EFFECT_POSSIBLE, 0},
		{"ya* mode:lexical", RK_EFFECT_LIKELY, 0},
		{"ext:md mode:lexical", RK_EFFECT_LIKELY, 0},
		{"/y.k/", RK_EFFECT_LIKELY, 0},
		{"like:b.md", RK_EFFECT_LIKELY, 0},
		{"gnu OR path:x mode:lexical", RK_EFFECT_LIKELY, 0},
	};

	for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++) {
		unsigned held;

		CHECK_INT(effect(ix, ROWS[i].query, c, &held), ROWS[i].is);
		CHECK_INT(held, ROWS[i].held);
	}
}

static void a_change_touches_queries_with_its_words(void)
{
	struct rk_index *ix = open_new("main");
	struct rk_changes *c;

	put(ix, "b.md", "something else");
	CHECK(rk_changes_take(ix) == NULL); /* nobody listened */
	rk_listen(ix, wake, NULL);
	put(ix, "a.md", "the purple yak");
	c = rk_changes_take(ix);
	CHECK(c && wakes > 0);
	CHECK_INT(rk_changes_count(c), 1);
	CHECK_STR(rk_changes_at(c, 0).path, "a.md");
	CHECK_INT(rk_changes_at(c, 0).gone, 0);
	check_effects(ix, c);
	rk_changes_free(c);
	/* out of a memory table; then out of a segment */
	for (int written = 0; written < 2; written++) {
		if (written) {
			put(ix, "a.md", "the purple yak");
			CHECK_INT(rk_checkpoint(ix), 0);
			rk_changes_free(rk_changes_take(ix));
		}
		drop_document(ix, "a.md");
		c = rk_changes_take(ix);
		CHECK(c && rk_changes_count(c) == 1);
		CHECK_INT(rk_changes_at(c, 0).gone, 1);
		check_effects(ix, c);
		rk_changes_free(c);
	}
	/* changed: the old words and the new ones */
	put(ix, "b.md", "a purple yak now");
	c = rk_changes_take(ix);
	CHECK_INT(rk_changes_count(c), 2);
	check_effects(ix, c);
	rk_changes_free(c);
	rk_listen(ix, NULL, NULL);
	CHECK_INT(rk_index_close(ix), 0);
}

static void more_changes_than_are_kept_are_told_as_much(void)
{
	struct rk_index *ix = open_new("many");
	struct rk_changes *c;
	unsigned held;

	rk_listen(ix, wake, NULL);
	for (int i = 0; i < 1100; i++) {
		char name[16];
		int fd;

		snprintf(name, sizeof(name), "%d.md", i);
		fd = openat(rk_index_files_fd(ix), name, O_WRONLY | O_CREAT,
			    0600);
		CHECK(fd >= 0 && write(fd, "x y", 3) == 3);
		close(fd);
		rk_touch(ix, name, 0, NULL);
	}
	CHECK_INT(rk_barrier(ix, WAIT_MS, NULL), 0);
	c = rk_changes_take(ix);
	CHECK_INT(rk_changes_count(c), 1024);
	CHECK_INT(rk_changes_much(c), 1);
	CHECK_INT(effect(ix, "gnu mode:lexical", c, &held), RK_EFFECT_POSSIBLE);
	rk_changes_free(c);
	rk_listen(ix, NULL, NULL);
	CHECK_INT(rk_index_close(ix), 0);
}

static void saved_queries_and_feedback_stay(void)
{
	struct rk_index *ix = open_new("saved");
	struct rk_buf b = RK_BUF_INIT;

	CHECK_INT(rk_saved_put(ix, "keys", "rotate keys"), 0);
	CHECK_INT(rk_saved_put(ix, "keys", "other"), -EEXIST);
	CHECK_INT(rk_saved_put(ix, "", "other"), -EINVAL);
	CHECK_INT(rk_saved_put(ix, "a/b", "other"), -EINVAL);
	CHECK_INT(rk_saved_put(ix, "..", "other"), -EINVAL);
	CHECK_INT(rk_saved_rename(ix, "keys", "a/b"), -EINVAL);
	CHECK_INT(rk_saved_mark(ix, "keys", "a.md", RK_FEEDBACK_DEMOTED), 0);
	CHECK_INT(rk_saved_mark(ix, "keys", "b.md", RK_FEEDBACK_PINNED), 0);
	CHECK_INT(rk_saved_mark(ix, "keys", "a.md", RK_FEEDBACK_PINNED), 0);
	CHECK_INT(rk_saved_mark(ix, "none", "a.md", RK_FEEDBACK_PINNED),
		  -ENOENT);
	CHECK_INT(rk_saved_put(ix, "aaa", "yak"), 0);
	CHECK_INT(rk_saved_rename(ix, "keys", "aaa"), 0);
	CHECK_INT(rk_index_close(ix), 0);
	ix = open_new("saved");
	rk_saved_names(ix, &b);
	CHECK_INT(b.n, 4);
	CHECK_STR((char *)b.p, "aaa");
	b.n = 0;
	CHECK_INT(rk_saved_text(ix, "aaa", &b), 1);
	rk_buf_byte(&b, 0);
	CHECK_STR((char *)b.p, "rotate keys");
	b.n = 0;
	rk_saved_marks(ix, "aaa", RK_FEEDBACK_PINNED, &b);
	CHECK_INT(b.n, 10);
	CHECK_STR((char *)b.p, "b.md");
	CHECK_INT(rk_saved_unmark(ix, "aaa"), 0);
	CHECK_INT(rk_saved_drop(ix, "aaa"), 0);
	CHECK_INT(rk_saved_drop(ix, "aaa"), -ENOENT);
	rk_buf_release(&b);
	CHECK_INT(rk_index_close(ix), 0);
}

static void checkpoints_answer_as_they_were(void)
{
	struct rk_index *ix = open_new("at"), *then = NULL;
	struct rk_checkpoint v[8];
	struct rk_results *r;
	int n;

	put(ix, "a.md", "the purple yak");
	CHECK_INT(rk_checkpoint(ix), 0);
	put(ix, "b.md", "the purple gnu");
	drop_document(ix, "a.md");
	CHECK_INT(rk_checkpoint(ix), 0);
	n = rk_checkpoints(ix, v, 8);
	CHECK_INT(n, 2);
	CHECK(v[0].number > v[1].number);
	CHECK_INT(rk_index_open_at(NULL, top, "at", v[1].number, &then), 0);
	CHECK_INT(rk_search(then, "purple", 6, NULL, &r), 0);
	CHECK_INT(r->nhits, 1);
	CHECK_STR(r->hits[0].path, "a.md");
	rk_results_free(r);
	CHECK_INT(rk_index_close(then), 0);
	CHECK_INT(rk_index_open_at(NULL, top, "at", 99, &then), -ENOENT);
	CHECK_INT(rk_index_close(ix), 0);
}

/* --- several indexes as one --- */

enum { PARTS = 3, DOCS = 300, WORDS = 60 };

static unsigned pick(unsigned n)
{
	static unsigned long long state = 7;

	return (unsigned)(t_rand(&state) % n);
}

static void random_text(char *out)
{
	unsigned n = 3 + pick(40);

	for (*out = '\0'; n > 0; n--) /* some words are far more frequent */
		sprintf(out + strlen(out), "w%cq ",
			'a' + pick(1 + pick(WORDS)));
}

static struct rk_results *ask_all(struct rk_federation *f,
				  struct rk_index *const *part)
{
	struct rk_search_opts opts = {.size = sizeof(opts), .wait_ms = -1};
	int ask[PARTS];
	struct rk_results *r;

	for (int i = 0; i < PARTS; i++)
		ask[i] = rk_federation_count(f, part[i], &opts);
	for (int i = 0; i < PARTS; i++) {
		CHECK(ask[i] >= 0);
		if (ask[i])
			CHECK_INT(rk_federation_ask(f, part[i], "p", &opts), 0);
	}
	CHECK_INT(rk_federation_results(f, &r), 0);
	return r;
}

static void compare(struct rk_index *whole, struct rk_index *const *part,
		    const char *query)
{
	struct rk_search_opts opts = {.size = sizeof(opts), .wait_ms = -1};
	struct rk_federation *f = rk_federation_new(query, strlen(query));
	struct rk_results *one, *all = ask_all(f, part);
	char text[200];

	snprintf(text, sizeof(text), "%s mode:lexical", query);
	CHECK_INT(rk_search(whole, text, strlen(text), &opts, &one), 0);
	if (!all->total_is_lower && !one->total_is_lower)
		CHECK_INT(all->total, one->total);
	CHECK_INT(all->nhits, one->nhits);
	for (size_t i = 0; i < one->nhits && i < all->nhits; i++) {
		double a = one->hits[i].raw, b = all->hits[i].raw;

		CHECK(a - b < 1e-4 && b - a < 1e-4);
		CHECK_STR(all->hits[i].path + 2, one->hits[i].path);
	}
	rk_results_free(one);
	rk_federation_results_free(all);
	rk_federation_free(f);
}

static void several_indexes_rank_as_one_of_all_documents(void)
{
	struct rk_index *whole = open_new("whole"), *part[PARTS];
	char text[512], name[32];

	for (int i = 0; i < PARTS; i++) {
		snprintf(name, sizeof(name), "part%d", i);
		part[i] = open_new(name);
	}
	for (unsigned d = 0; d < DOCS; d++) {
		random_text(text);
		snprintf(name, sizeof(name), "%03u.txt", d);
		put(whole, name, text);
		/* one holds much more than the others */
		put(part[pick(10) ? 0 : 1 + pick(PARTS - 1)], name, text);
	}
	for (int i = 0; i < 200; i++) {
		char q[100];

		snprintf(q, sizeof(q),
			 i % 4 == 3 ? "w%cq w%cq n:5 page:2" : "w%cq w%cq n:7",
			 'a' + pick(26), 'a' + pick(26));
		compare(whole, part, q);
	}
	compare(whole, part, "w* n:9");
	compare(whole, part, "\"waq wbq\" n:9");
	compare(whole, part, "nothing");
	for (int i = 0; i < PARTS; i++)
		CHECK_INT(rk_index_close(part[i]), 0);
	CHECK_INT(rk_index_close(whole), 0);
}

static const struct t_case CASES[] = {
	{"a change touches the queries with its words",
	 a_change_touches_queries_with_its_words},
	{"more changes than are kept are told as much",
	 more_changes_than_are_kept_are_told_as_much},
	{"saved queries and feedback stay", saved_queries_and_feedback_stay},
	{"checkpoints answer as they were", checkpoints_answer_as_they_were},
	{"several indexes rank as one of all documents",
	 several_indexes_rank_as_one_of_all_documents},
};

int main(void)
{
	int rc;

	top = t_mkdir();
	rc = t_main(CASES, (int)(sizeof(CASES) / sizeof(CASES[0])));
	t_rmdir(top);
	return rc;
}
