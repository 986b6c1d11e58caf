/* SPDX-License-Identifier: MIT */
/* What only two threads at once can break. */
#include "index/state/internal.h"
#include "index/write/persist.h"
#include "unit/t.h"
#include <time.h>

enum { WAIT_MS = 20000, WRITERS = 3, TOUCHES = 60000, SETTINGS = 300 };

static char *top;

static struct rk_index *open_it(const char *settings)
{
	struct rk_index *ix = NULL;
	char err[100];

	CHECK_INT(rk_index_open(NULL, top, "main", RK_NO_RECONCILE, &ix), 0);
	CHECK_INT(rk_config_set(ix, settings, strlen(settings), err, 100), 0);
	rk_index_close(ix);
	CHECK_INT(rk_index_open(NULL, top, "main", RK_NO_RECONCILE, &ix), 0);
	return ix;
}

/* --- the log is cut only below what the queue has heard of --- */

static _Atomic int writing;

static void *touch_away(void *ctx)
{
	struct rk_index *ix = ctx;
	char name[32];

	for (int i = 0; i < TOUCHES; i++) {
		snprintf(name, sizeof(name), "no-%d", i % 50);
		if (rk_touch(ix, name, 0, NULL) < 0)
			t_failed = 1;
	}
	writing--;
	return NULL;
}

/*
 * Were a record in the log and not yet in the queue while a later one is, the
 * floor would be above it, and fall back to below when it comes.
 */
static void the_floor_of_the_log_never_falls(void)
{
	struct rk_index *ix = open_it("sync_ms 0");
	pthread_t th[WRITERS];
	uint64_t highest = 0;

	writing = WRITERS;
	for (int i = 0; i < WRITERS; i++)
		pthread_create(&th[i], NULL, touch_away, ix);
	while (writing) {
		uint64_t floor = rk_queue_floor(&ix->queue);

		CHECK(floor >= highest);
		highest = floor;
	}
	for (int i = 0; i < WRITERS; i++)
		pthread_join(th[i], NULL);
	rk_index_close(ix);
}

/* --- whoever waits for room looks whether there is some --- */

static void *wait_for_room(void *ctx)
{
	rk_wait_for_room(ctx);
	return NULL;
}

/* The table may have been written out before the waiter gets the lock. */
static void nobody_waits_for_room_that_is_there(void)
{
	struct rk_index *ix = open_it("checkpoint_s 3600");
	struct timespec until;
	pthread_t th;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += WAIT_MS / 1000;
	pthread_create(&th, NULL, wait_for_room, ix);
	CHECK_INT(pthread_timedjoin_np(th, NULL, &until), 0);
	rk_index_close(ix);
}

/* --- settings change while the index is at work --- */

static void *change_settings(void *ctx)
{
	struct rk_index *ix = ctx;
	char err[100];

	for (int i = 0; i < SETTINGS; i++)
		if (rk_config_set(ix, i % 2 ? "hits 5" : "hits 6", 6, err,
				  sizeof(err)) < 0)
			t_failed = 1;
	writing = 0;
	return NULL;
}

/*
 * The language is no setting that changes while the index is open, and is
 * read without a lock: what changes the others must not touch it. Built with
 * SAN=tsan, this test sees whoever does.
 */
static void the_language_stays_while_settings_change(void)
{
	struct rk_index *ix = open_it("language german");
	pthread_t th;

	writing = 1;
	pthread_create(&th, NULL, change_settings, ix);
	do {
		struct rk_status st = {.size = sizeof(st)};

		rk_status(ix, &st);
		CHECK_STR(st.language, "german");
	} while (writing);
	pthread_join(th, NULL);
	rk_index_close(ix);
}

/* --- nobody who holds the index's lock waits for readers of a table --- */

static void *publish_it(void *ctx)
{
	rk_memtable_publish(ctx, 0, 1);
	return NULL;
}

/*
 * A query keeps the tables' locks while it asks for its vector, which takes
 * the index's lock. Who publishes has that one already.
 */
static void documents_come_while_a_table_is_read(void)
{
	struct rk_doc_rec rec = {.path_n = 1};
	struct rk_termmap map = {NULL, 0, NULL, 0, 0, 0};
	struct rk_inverted inverted;
	struct rk_analyser *a;
	struct rk_memtable *m;
	struct timespec until;
	pthread_t th;

	memset(&inverted, 0, sizeof(inverted));
	CHECK_INT(rk_analyser_new("none", &a), 0);
	CHECK_INT(rk_memtable_new(0, 0, &m), 0);
	CHECK_INT(rk_memtable_add(m, &rec, "a", (const uint8_t *)"", &inverted,
				  a, &map, NULL),
		  0);
	CHECK_INT(rk_memtable_find(m, "a", 1), -1);
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += WAIT_MS / 1000;
	pthread_rwlock_rdlock(&m->lock);
	pthread_create(&th, NULL, publish_it, m);
	CHECK_INT(pthread_timedjoin_np(th, NULL, &until), 0);
	CHECK_INT(rk_memtable_find(m, "a", 1), 0);
	pthread_rwlock_unlock(&m->lock);
	rk_termmap_release(&map);
	rk_analyser_free(a);
	rk_memtable_unref(m);
}

static const struct t_case CASES[] = {
	{"the floor of the log never falls", the_floor_of_the_log_never_falls},
	{"nobody waits for room that is there",
	 nobody_waits_for_room_that_is_there},
	{"the language stays while settings change",
	 the_language_stays_while_settings_change},
	{"documents come while a table is read",
	 documents_come_while_a_table_is_read},
};

int main(void)
{
	int rc;

	top = t_mkdir();
	rc = t_main(CASES, (int)(sizeof(CASES) / sizeof(CASES[0])));
	t_rmdir(top);
	return rc;
}
