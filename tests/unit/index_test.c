/* SPDX-License-Identifier: MIT */
#include "index/state/config.h"
#include "index/search/excerpt.h"
#include "index/state/queue.h"
#include "query/query.h"
#include "unit/t.h"
#include <errno.h>
#include <pthread.h>

static struct rk_analyser *an;

static void the_excerpt_is_where_the_words_are(void)
{
	const struct rk_excerpt_want two = {10, 0, 1, 2, 0},
				     five = {1, 0, 1, 5, 0};
	struct rk_excerpt e = RK_EXCERPT_INIT;
	struct rk_query q;
	const char *text = "one\ntwo\nthree\nthe purple\nyak sleeps\nsix\n";

	CHECK_INT(rk_analyser_new("english", &an), 0);
	CHECK_INT(rk_query_parse(&q, an, "purple yak", 10, 0, 0), 0);
	q.terms[0].idf = q.terms[1].idf = 1;
	CHECK_INT(rk_excerpt_make(&e, an, &q, text, strlen(text), &two), 0);
	rk_buf_byte(&e.text, 0);
	CHECK_STR((char *)e.text.p, "the purple\nyak sleeps\n");
	CHECK_INT(e.first_line, 13);
	CHECK_INT(e.nmarks, 2);
	CHECK_INT(e.marks[0].off, 4);
	CHECK_INT(e.marks[1].off, 11);
	CHECK_INT(e.marks[1].len, 3);
	CHECK_INT(e.complete, 0);
	rk_excerpt_release(&e);
	e = (struct rk_excerpt)RK_EXCERPT_INIT;
	CHECK_INT(rk_excerpt_make(&e, an, &q, "bad \xff\x01 byte\n", 12, &five),
		  0);
	rk_buf_byte(&e.text, 0);
	CHECK_STR((char *)e.text.p, "bad \xef\xbf\xbd  byte\n");
	CHECK_INT(e.complete, 1);
	rk_excerpt_release(&e);
	rk_query_release(&q);
	rk_analyser_free(an);
}

static void bad_configuration_changes_nothing(void)
{
	static const char *const BAD[] = {
		"hits 0",	    "hits abc",	    "hits 5x", "nonsense 1",
		"language klingon", "memory_mib 1", "hits"};
	struct rk_config c, before;
	char err[200];

	rk_config_defaults(&c);
	before = c;
	for (size_t i = 0; i < sizeof(BAD) / sizeof(BAD[0]); i++) {
		char text[100];

		snprintf(text, sizeof(text), "wait_ms 7\n%s\n", BAD[i]);
		err[0] = '\0';
		CHECK_INT(rk_config_parse(&c, text, strlen(text), err,
					  sizeof(err)),
			  -EINVAL);
		CHECK(strlen(err) > 5);
		CHECK(memcmp(&c, &before, sizeof(c)) == 0);
	}
}

static void configuration_reads_what_it_prints(void)
{
	struct rk_config c, d;
	struct rk_buf b = RK_BUF_INIT;
	char err[200];

	rk_config_defaults(&c);
	CHECK_INT(rk_config_parse(&c, "hits 25\n# x\nlanguage=german\n", 28,
				  err, sizeof(err)),
		  0);
	rk_config_format(&c, &b);
	rk_config_defaults(&d);
	CHECK_INT(rk_config_parse(&d, (char *)b.p, b.n, err, sizeof(err)), 0);
	CHECK(memcmp(&c, &d, sizeof(c)) == 0);
	CHECK_INT(rk_config_lookup(&d, "hits"), 25);
	CHECK_INT(rk_config_lookup(&d, "language"), -1);
	rk_buf_release(&b);
}

static void a_path_waits_once_and_runs_again_if_touched(void)
{
	struct rk_queue q;
	struct rk_task *t;

	CHECK_INT(rk_queue_init(&q), 0);
	rk_queue_push(&q, "a", 0, 5);
	rk_queue_push(&q, "a", RK_TASK_FORCE, 6);
	rk_queue_push(&q, "b", 0, 7);
	CHECK_INT(rk_queue_count(&q), 2);
	CHECK_INT(rk_queue_floor(&q), 4);
	t = rk_queue_pop(&q);
	CHECK_STR(t->path, "a");
	CHECK_INT(t->flags, RK_TASK_FORCE);
	rk_queue_push(&q, "a", 0, 8);
	CHECK_INT(rk_queue_done(&q, t), 1);
	CHECK_INT(rk_queue_barrier(&q, 0, NULL), -ETIMEDOUT);
	CHECK_INT(rk_queue_done(&q, t), 0);
	CHECK_INT(rk_queue_floor(&q), 6);
	t = rk_queue_pop(&q);
	CHECK_INT(rk_queue_done(&q, t), 0);
	CHECK_INT(rk_queue_floor(&q), 8);
	CHECK_INT(rk_queue_barrier(&q, 0, NULL), 0);
	rk_queue_close(&q);
	CHECK(rk_queue_pop(&q) == NULL);
	rk_queue_release(&q);
}

static void children_come_first_and_under_their_parents_ticket(void)
{
	struct rk_queue q;
	struct rk_task *parent, *t;

	CHECK_INT(rk_queue_init(&q), 0);
	rk_queue_push(&q, "dir", RK_TASK_TREE, 1);
	rk_queue_push(&q, "later", 0, 2);
	rk_queue_push(&q, "dir/x", 0, 3);
	parent = rk_queue_pop(&q);
	rk_queue_push_child(&q, parent, "dir/x", 0);
	rk_queue_push_child(&q, parent, "dir/y", 0);
	CHECK_INT(rk_queue_done(&q, parent), 0);
	t = rk_queue_pop(&q);
	CHECK_STR(t->path, "dir/y");
	CHECK_INT(t->ticket, 1);
	rk_queue_done(&q, t);
	t = rk_queue_pop(&q);
	CHECK_STR(t->path, "dir/x");
	CHECK_INT(t->seq, 1);
	rk_queue_done(&q, t);
	rk_queue_release(&q);
}

/* A comparison found the path first, then a change of it is logged. */
static void the_log_is_kept_for_whoever_comes_later(void)
{
	struct rk_task *t, *parent;
	struct rk_queue q;

	CHECK_INT(rk_queue_init(&q), 0);
	rk_queue_push(&q, "waits", 0, 0);
	rk_queue_push(&q, "waits", 0, 5);
	CHECK_INT(rk_queue_floor(&q), 4);
	t = rk_queue_pop(&q);
	CHECK_INT(rk_queue_floor(&q), 4);
	CHECK_INT(rk_queue_done(&q, t), 0);
	rk_queue_push(&q, "runs", 0, 0);
	t = rk_queue_pop(&q);
	rk_queue_push(&q, "runs", 0, 6);
	CHECK_INT(rk_queue_floor(&q), 5);
	CHECK_INT(rk_queue_done(&q, t), 1);
	CHECK_INT(rk_queue_floor(&q), 5);
	CHECK_INT(rk_queue_done(&q, t), 0);
	CHECK_INT(rk_queue_floor(&q), 6);
	/* so it is with what a folder's task finds already running */
	rk_queue_push(&q, "dir", RK_TASK_TREE, 7);
	parent = rk_queue_pop(&q);
	rk_queue_push(&q, "dir/x", 0, 8);
	t = rk_queue_pop(&q);
	rk_queue_push_child(&q, parent, "dir/x", 0);
	CHECK_INT(t->ticket, parent->ticket);
	CHECK_INT(rk_queue_done(&q, parent), 0);
	CHECK_INT(rk_queue_floor(&q), 6);
	rk_queue_done(&q, t);
	CHECK_INT(rk_queue_done(&q, t), 0);
	CHECK_INT(rk_queue_floor(&q), 8);
	rk_queue_release(&q);
}

static void *finish_later(void *arg)
{
	struct rk_queue *q = arg;
	struct rk_task *t = rk_queue_pop(q);

	usleep(20000); /* work, not a wait for somebody */
	rk_queue_done(q, t);
	return NULL;
}

static void a_barrier_waits_for_what_is_running(void)
{
	struct rk_queue q;
	_Atomic int cancel = 1;
	pthread_t th;

	CHECK_INT(rk_queue_init(&q), 0);
	rk_queue_push(&q, "a", 0, 1);
	CHECK_INT(rk_queue_barrier(&q, 1000, &cancel), RK_ECANCELLED);
	pthread_create(&th, NULL, finish_later, &q);
	CHECK_INT(rk_queue_barrier(&q, 5000, NULL), 0);
	pthread_join(th, NULL);
	rk_queue_release(&q);
}

static const struct t_case CASES[] = {
	{"the excerpt is where the words are",
	 the_excerpt_is_where_the_words_are},
	{"bad configuration changes nothing",
	 bad_configuration_changes_nothing},
	{"configuration reads what it prints",
	 configuration_reads_what_it_prints},
	{"a path waits once, and runs again if touched",
	 a_path_waits_once_and_runs_again_if_touched},
	{"children come first, under their parent's ticket",
	 children_come_first_and_under_their_parents_ticket},
	{"the log is kept for whoever comes later",
	 the_log_is_kept_for_whoever_comes_later},
	{"a barrier waits for what is running",
	 a_barrier_waits_for_what_is_running},
};
T_MAIN(CASES)
