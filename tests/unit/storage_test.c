/* SPDX-License-Identifier: MIT */
#include "base/status.h"
#include "storage/registry.h"
#include "storage/compact.h"
#include "storage/container.h"
#include "storage/lock.h"
#include "storage/manifest.h"
#include "storage/wal.h"
#include "unit/t.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

static const struct rk_io *io;
static char *dir;
static int dirfd_;

static void enter(void)
{
	io = rk_env_posix()->io;
	dir = t_mkdir();
	dirfd_ = open(dir, O_RDONLY | O_DIRECTORY);
}

static void leave(void)
{
	close(dirfd_);
	t_rmdir(dir);
}

static void flip(const char *name, off_t at)
{
	int fd = openat(dirfd_, name, O_RDWR);
	unsigned char c;

	CHECK(pread(fd, &c, 1, at) == 1);
	c ^= 0x40;
	CHECK(pwrite(fd, &c, 1, at) == 1);
	close(fd);
}

static off_t size_of(const char *name)
{
	struct stat st;

	return fstatat(dirfd_, name, &st, 0) < 0 ? -1 : st.st_size;
}

/* --- containers --- */

static void write_container(void)
{
	struct rk_container_writer *w;
	struct rk_buf meta = RK_BUF_INIT;
	uint64_t size;

	CHECK_INT(rk_cw_open(io, dirfd_, "c.mp", &w), 0);
	rk_cw_begin(w, "one");
	rk_cw_add(w, "first", 5);
	rk_cw_end(w);
	rk_cw_begin(w, "two");
	for (int i = 0; i < 50000; i++)
		rk_cw_add(w, &i, sizeof(i));
	rk_cw_end(w);
	rk_buf_byte(&meta, 0x80);
	CHECK_INT(rk_cw_finish(w, &meta, &size), 0);
	CHECK_INT(size, size_of("c.mp"));
	rk_buf_release(&meta);
}

static void a_container_reads_back_aligned(void)
{
	struct rk_container *c;
	int two, v;

	enter();
	write_container();
	CHECK_INT(rk_container_open(io, dirfd_, "c.mp", &c), 0);
	two = rk_container_section(c, "two");
	CHECK_INT(rk_section_len(c, two), 200000);
	CHECK(((uintptr_t)rk_section_at(c, two, 0, 4) & 63) == 0);
	memcpy(&v, rk_section_at(c, two, 49999 * 4, 4), 4);
	CHECK_INT(v, 49999);
	CHECK(rk_section_at(c, two, 199999, 2) == NULL);
	CHECK(rk_section_at(c, two, UINT64_MAX, 2) == NULL);
	CHECK_INT(rk_container_section(c, "three"), -1);
	CHECK_INT(rk_container_verify(c), 0);
	rk_container_close(c);
	leave();
}

static void every_flipped_byte_of_a_container_is_noticed(void)
{
	struct rk_container *c;
	off_t n;
	int unnoticed = 0;

	enter();
	write_container();
	n = size_of("c.mp");
	for (off_t i = 0; i < n; i += n - i < 400 || i < 200 ? 1 : 997) {
		int rc;

		flip("c.mp", i);
		rc = rk_container_open(io, dirfd_, "c.mp", &c);
		if (rc == 0) {
			rc = rk_container_verify(c);
			rk_container_close(c);
		}
		unnoticed += rc == 0;
		flip("c.mp", i);
	}
	/* names and padding between sections carry nothing that is read */
	CHECK(unnoticed < 200);
	leave();
}

static void a_container_cut_anywhere_is_refused(void)
{
	struct rk_container *c;

	enter();
	write_container();
	for (off_t n = size_of("c.mp") - 1; n >= 0; n -= n > 300 ? 1531 : 1) {
		CHECK(truncate("/dev/null", 0) <= 0);
		CHECK_INT(ftruncate(openat(dirfd_, "c.mp", O_RDWR), n), 0);
		CHECK(rk_container_open(io, dirfd_, "c.mp", &c) < 0);
	}
	leave();
}

/* --- the log --- */

struct seen {
	uint64_t n, last;
	char text[4096];
};

static int see(void *ctx, const struct rk_wal_record *r)
{
	struct seen *s = ctx;

	s->n++;
	s->last = r->seq;
	if (strlen(s->text) + r->len + 2 < sizeof(s->text)) {
		strncat(s->text, (const char *)r->body, r->len);
		strcat(s->text, " ");
	}
	return 0;
}

static struct rk_wal *wal_open(struct seen *s, struct rk_wal_report *rep,
			       uint64_t floor)
{
	struct rk_wal *w = NULL;

	memset(s, 0, sizeof(*s));
	CHECK_INT(rk_wal_open(io, dirfd_, floor, 0, see, s, rep, &w), 0);
	return w;
}

static void wal_put(struct rk_wal *w, const char *text)
{
	uint64_t seq;

	CHECK_INT(rk_wal_append(w, 1, text, strlen(text), &seq), 0);
}

static void the_log_replays_what_was_appended(void)
{
	struct rk_wal_report rep;
	struct seen s;
	struct rk_wal *w;

	enter();
	w = wal_open(&s, &rep, 0);
	wal_put(w, "a");
	wal_put(w, "b");
	CHECK_INT(rk_wal_sync(w, 2), 0);
	CHECK_INT(rk_wal_rotate(w), 0);
	wal_put(w, "c");
	rk_wal_close(w);
	w = wal_open(&s, &rep, 1);
	CHECK_STR(s.text, "b c ");
	CHECK_INT(rep.torn, 0);
	CHECK_INT(rep.damaged, 0);
	wal_put(w, "d");
	rk_wal_close(w);
	w = wal_open(&s, &rep, 0);
	CHECK_STR(s.text, "a b c d ");
	CHECK_INT(rk_wal_last(w), 4);
	rk_wal_close(w);
	leave();
}

/* --- what is synced, and when --- */

static struct rk_wal *synced_log;
static int syncs;
static char steps[64]; /* of the newest file: w writes, s syncs, c closes */

static void step(char what)
{
	size_t n = strlen(steps);

	if (n + 1 < sizeof(steps) && (n == 0 || steps[n - 1] != what))
		steps[n] = what;
}

static ssize_t noted_pwrite(void *c, int fd, const void *p, size_t n, off_t off)
{
	step('w');
	return rk_env_posix()->io->pwrite(c, fd, p, n, off);
}

static int noted_close(void *c, int fd)
{
	step('c');
	return rk_env_posix()->io->close(c, fd);
}

/* Somebody else appends while the first record is being synced. */
static int noted_sync(void *c, int fd, int data_only)
{
	struct rk_wal *w = synced_log;

	step('s');
	syncs++;
	synced_log = NULL;
	if (w)
		wal_put(w, "meanwhile");
	return rk_env_posix()->io->sync(c, fd, data_only);
}

static struct rk_io noted(void)
{
	struct rk_io n = *rk_env_posix()->io;

	n.pwrite = noted_pwrite;
	n.close = noted_close;
	n.sync = noted_sync;
	return n;
}

static void a_record_that_came_during_a_sync_needs_another(void)
{
	struct rk_io counting = noted();
	struct rk_wal_report rep;
	struct rk_wal *w;
	struct seen s;

	enter();
	io = &counting;
	w = wal_open(&s, &rep, 0);
	wal_put(w, "first");
	syncs = 0;
	synced_log = w;
	CHECK_INT(rk_wal_sync(w, 1), 0);
	CHECK_INT(syncs, 1);
	CHECK_INT(rk_wal_last(w), 2);
	CHECK_INT(rk_wal_sync(w, 1), 0);
	CHECK_INT(syncs, 1);
	CHECK_INT(rk_wal_sync(w, 2), 0);
	CHECK_INT(syncs, 2);
	rk_wal_close(w);
	leave();
}

static void names_of_files_have_numbers(void)
{
	static const struct {
		const char *file;
		int64_t number;
	} ROWS[] = {{"seg-000012.mp", 12},
		    {"seg-000012.mp.tmp", 12},
		    {"seg-1234567.mp", 1234567},
		    {"seg-000000.mp", 0},
		    {"vec-000012.mp", -1},
		    {"seg-.mp", -1},
		    {"seg-000012.vec", -1},
		    {"seg-000012", -1},
		    {"seg000012.mp", -1},
		    {"seg", -1},
		    {"", -1}};

	enter();
	CHECK_INT(rk_highest_number(dirfd_, "seg", "mp"), 0);
	for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++) {
		CHECK_INT(rk_name_number(ROWS[i].file, "seg", "mp"),
			  ROWS[i].number);
		if (ROWS[i].file[0])
			t_write(dir, ROWS[i].file, "");
	}
	CHECK_INT(rk_highest_number(dirfd_, "seg", "mp"), 1234567);
	leave();
}

static int no_openat(void *c, int at, const char *name, int flags, mode_t mode)
{
	(void)c, (void)at, (void)name, (void)flags, (void)mode;
	return -EMFILE;
}

static void a_log_that_cannot_be_looked_at_is_kept(void)
{
	struct rk_io counting = noted();
	struct rk_wal_report rep;
	struct rk_wal *w;
	struct seen s;

	enter();
	io = &counting;
	w = wal_open(&s, &rep, 0);
	wal_put(w, "a");
	CHECK_INT(rk_wal_rotate(w), 0);
	wal_put(w, "b");
	CHECK_INT(rk_wal_rotate(w), 0);
	counting.openat = no_openat;
	CHECK_INT(rk_wal_drop(w, 0), 0);
	counting.openat = rk_env_posix()->io->openat;
	rk_wal_close(w);
	rk_wal_close(wal_open(&s, &rep, 0));
	CHECK_STR(s.text, "a b ");
	leave();
}

static void a_file_is_on_disk_before_anything_names_it(void)
{
	struct rk_io counting = noted();
	struct rk_container_writer *w;
	struct rk_buf meta = RK_BUF_INIT;
	uint64_t size;

	enter();
	rk_buf_byte(&meta, 0x80); /* an empty map */
	CHECK_INT(rk_cw_open(&counting, dirfd_, "seg", &w), 0);
	rk_cw_begin(w, "a");
	rk_cw_add(w, "bytes", 5);
	rk_cw_end(w);
	memset(steps, 0, sizeof(steps));
	CHECK_INT(rk_cw_finish(w, &meta, &size), 0);
	CHECK_STR(steps, "wsc");
	memset(steps, 0, sizeof(steps));
	CHECK_INT(rk_io_replace(&counting, dirfd_, "name", "text", 4), 0);
	CHECK_STR(steps, "wscs"); /* and the folder */
	rk_buf_release(&meta);
	leave();
}

/* Rows of the recovery table: what is at the end, or in the middle. */
static void damage_to_the_log(void)
{
	static const struct {
		const char *name;
		off_t cut;	  /* bytes kept; 0: all */
		off_t flip;	  /* byte to flip; 0: none */
		const char *text; /* replayed */
		int torn, damaged;
	} ROWS[] = {
		/* header 64, record 17 + 2: at 64, 83, 102, 121 */
		{"nothing wrong", 0, 0, "r0 r1 r2 r3 ", 0, 0},
		{"cut inside the last body", 120 + 19, 0, "r0 r1 r2 ", 1, 0},
		{"cut inside the last header", 125, 0, "r0 r1 r2 ", 1, 0},
		{"cut between records", 121, 0, "r0 r1 r2 ", 0, 0},
		{"last record flipped", 0, 121 + 18, "r0 r1 r2 ", 1, 0},
		{"a record in the middle flipped", 0, 83 + 18, "r0 r2 r3 ", 0,
		 1},
		{"a length in the middle flipped", 0, 83, "r0 r2 r3 ", 0, 1},
		{"the file header flipped", 0, 9, "", 0, 0},
		{"cut inside the file header", 30, 0, "", 1, 0},
		{"empty", 1, 0, "", 1, 0},
	};

	for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++) {
		struct rk_wal_report rep;
		struct seen s;
		struct rk_wal *w;
		char text[8];

		enter();
		w = wal_open(&s, &rep, 0);
		for (int k = 0; k < 4; k++) {
			snprintf(text, sizeof(text), "r%d", k);
			wal_put(w, text);
		}
		rk_wal_close(w);
		if (ROWS[i].cut)
			CHECK_INT(ftruncate(openat(dirfd_, "wal-000001.log",
						   O_RDWR),
					    ROWS[i].cut),
				  0);
		if (ROWS[i].flip)
			flip("wal-000001.log", ROWS[i].flip);
		w = wal_open(&s, &rep, 0);
		printf("# %s\n", ROWS[i].name);
		CHECK_STR(s.text, ROWS[i].text);
		if (strlen(ROWS[i].text) || ROWS[i].cut) {
			CHECK_INT(rep.torn, ROWS[i].torn);
			CHECK_INT(rep.damaged, ROWS[i].damaged);
		}
		wal_put(w, "next"); /* and it goes on */
		rk_wal_close(w);
		leave();
	}
}

static void old_log_files_are_dropped_below_the_floor(void)
{
	struct rk_wal_report rep;
	struct seen s;
	struct rk_wal *w;

	enter();
	w = wal_open(&s, &rep, 0);
	wal_put(w, "a");
	rk_wal_rotate(w);
	wal_put(w, "b");
	rk_wal_rotate(w);
	wal_put(w, "c");
	CHECK_INT(rk_wal_drop(w, 1), 0);
	CHECK_INT(size_of("wal-000001.log"), -1);
	CHECK(size_of("wal-000002.log") > 0);
	rk_wal_close(w);
	w = wal_open(&s, &rep, 1);
	CHECK_STR(s.text, "b c ");
	CHECK_INT(rep.damaged, 0);
	rk_wal_close(w);
	leave();
}

static void a_record_too_large_is_refused(void)
{
	struct rk_wal_report rep;
	struct seen s;
	uint64_t seq;
	struct rk_wal *w;
	char *big;

	enter();
	w = wal_open(&s, &rep, 0);
	big = calloc(1, RK_WAL_BODY_MAX + 1);
	CHECK_INT(rk_wal_append(w, 1, big, RK_WAL_BODY_MAX + 1, &seq),
		  RK_ETOOBIG);
	CHECK_INT(rk_wal_append(w, 1, big, RK_WAL_BODY_MAX, &seq), 0);
	wal_put(w, "behind");
	rk_wal_close(w);
	w = wal_open(&s, &rep, 1);
	CHECK_STR(s.text, "behind ");
	rk_wal_close(w);
	free(big);
	leave();
}

/* --- manifests --- */

static void commit(uint64_t number)
{
	uint32_t *dead = malloc(8);
	struct rk_manifest_seg *segs = calloc(1, sizeof(*segs));
	struct rk_manifest m = {.number = number,
				.generation = 77,
				.wal_floor = 5,
				.next_segment = 9,
				.created_ns = 1234567890123,
				.analyser = "1 english",
				.segs = segs,
				.nsegs = 1};

	dead[0] = 3;
	dead[1] = 8;
	segs[0] = (struct rk_manifest_seg){4, dead, 2, 9};
	CHECK_INT(rk_manifest_commit(io, dirfd_, &m), 0);
	rk_manifest_release(&m);
}

static void a_manifest_round_trips(void)
{
	struct rk_manifest m = RK_MANIFEST_INIT;

	enter();
	commit(42);
	CHECK_INT(rk_manifest_current(io, dirfd_), 42);
	CHECK_INT(rk_manifest_read(io, dirfd_, 42, &m), 0);
	CHECK_INT(m.generation, 77);
	CHECK_INT(m.wal_floor, 5);
	CHECK_INT(m.created_ns, 1234567890123);
	CHECK_STR(m.analyser, "1 english");
	CHECK_INT(m.segs[0].id, 4);
	CHECK_INT(m.segs[0].dead[1], 8);
	rk_manifest_release(&m);
	leave();
}

static void every_flipped_byte_of_a_manifest_is_noticed(void)
{
	struct rk_manifest m = RK_MANIFEST_INIT;
	off_t n;

	enter();
	commit(1);
	n = size_of("MANIFEST-000001");
	for (off_t i = 0; i < n; i++) {
		flip("MANIFEST-000001", i);
		CHECK_INT(rk_manifest_read(io, dirfd_, 1, &m), RK_ECORRUPT);
		flip("MANIFEST-000001", i);
	}
	CHECK_INT(rk_manifest_read(io, dirfd_, 1, &m), 0);
	rk_manifest_release(&m);
	leave();
}

static void a_manifest_under_another_number_is_refused(void)
{
	struct rk_manifest m = RK_MANIFEST_INIT;

	enter();
	commit(1);
	CHECK_INT(
		renameat(dirfd_, "MANIFEST-000001", dirfd_, "MANIFEST-000002"),
		0);
	CHECK_INT(rk_manifest_read(io, dirfd_, 2, &m), RK_ECORRUPT);
	t_write(dir, "CURRENT", "MANIFEST-2\n");
	CHECK_INT(rk_manifest_current(io, dirfd_), RK_ECORRUPT);
	leave();
}

/* --- compaction --- */

/* A section of a file has less than 4 GiB, and so has what is merged. */
static void compaction_makes_no_file_too_large(void)
{
#define GIB(x) ((uint64_t)((x)*1024) << 20)
	static const struct {
		struct rk_compact_seg s[6];
		size_t n, first, want, first_all, want_all;
	} ROWS[] = {
		{{{GIB(2), 9, 0, 0}, {GIB(1), 9, 0, 0}}, 2, 0, 0, 0, 2},
		{{{GIB(2), 9, 0, 0}, {GIB(1.4), 9, 0, 0}}, 2, 0, 2, 0, 2},
		{{{GIB(2), 9, 0, 0}, {GIB(1.6), 9, 0, 0}}, 2, 0, 0, 0, 0},
		{{{9, 9, 0, GIB(2)}, {8, 9, 0, GIB(1.6)}}, 2, 0, 0, 0, 0},
		{{{9, 9, 0, GIB(2)}, {8, 9, 0, GIB(1)}}, 2, 0, 2, 0, 2},
		{{{GIB(3), 9, 0, 0}, {GIB(1), 9, 0, 0}, {GIB(1), 9, 0, 0}},
		 3,
		 1,
		 2,
		 1,
		 2},
		/* what is too large to be merged is still rewritten alone */
		{{{GIB(3), 8, 2, 0}, {GIB(1), 9, 0, 0}}, 2, 0, 1, 0, 1},
		{{{GIB(3), 9, 0, 0}, {GIB(1), 9, 1, 0}}, 2, 0, 0, 1, 1},
	};

	for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++) {
		size_t a = 0, b = 0;

		CHECK_INT(rk_compact_pick(ROWS[i].s, ROWS[i].n, &a),
			  ROWS[i].want);
		CHECK_INT(a, ROWS[i].first);
		CHECK_INT(rk_compact_all(ROWS[i].s, ROWS[i].n, &b),
			  ROWS[i].want_all);
		CHECK_INT(b, ROWS[i].first_all);
	}
}

static void compaction_keeps_sizes_geometric(void)
{
	static const struct {
		struct rk_compact_seg s[6];
		size_t n, first, want;
	} ROWS[] = {
		{{{0, 0, 0, 0}}, 0, 0, 0},
		{{{100, 1, 0, 0}}, 1, 0, 0},
		{{{100, 1, 0, 0}, {50, 1, 0, 0}}, 2, 0, 0},
		{{{100, 1, 0, 0}, {51, 1, 0, 0}}, 2, 0, 2},
		{{{800, 1, 0, 0}, {100, 1, 0, 0}, {90, 1, 0, 0}}, 3, 1, 2},
		{{{300, 1, 0, 0}, {100, 1, 0, 0}, {90, 1, 0, 0}}, 3, 0, 3},
		/* dead weight counts for less, and is rewritten */
		{{{100, 100, 10, 0}}, 1, 0, 0},
		{{{100, 100, 25, 0}}, 1, 0, 1},
		{{{400, 4, 1, 0}, {10, 9, 0, 0}}, 2, 0, 1},
	};

	for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++) {
		size_t first = 0;

		CHECK_INT(rk_compact_pick(ROWS[i].s, ROWS[i].n, &first),
			  ROWS[i].want);
		if (ROWS[i].want)
			CHECK_INT(first, ROWS[i].first);
	}
}

static void many_flushes_leave_few_segments(void)
{
	struct rk_compact_seg s[64];
	uint64_t written = 0;
	size_t n = 0, first, run;

	for (int i = 0; i < 1000; i++) {
		s[n++] = (struct rk_compact_seg){10, 10, 0, 0};
		written += 10;
		while ((run = rk_compact_pick(s, n, &first)) > 0) {
			uint64_t sum = 0;

			for (size_t k = first; k < first + run; k++)
				sum += s[k].bytes;
			s[first] = (struct rk_compact_seg){sum, 10, 0, 0};
			n = first + 1;
			written += sum;
		}
		CHECK(n <= 11);
	}
	CHECK(written < 10000 * 12); /* O(log n) rewrites of each byte */
}

/* --- the registry and the lock --- */

static void the_registry_keeps_entries_and_survives_damage(void)
{
	struct rk_registry_entry e = {"main", 11, 2, 3}, got[4];

	enter();
	CHECK_INT(rk_registry_read(io, dirfd_, got, 4), -ENOENT);
	CHECK_INT(rk_registry_put(io, dirfd_, &e), 0);
	e = (struct rk_registry_entry){"main", 99, 5, 6};
	CHECK_INT(rk_registry_put(io, dirfd_, &e), 0);
	CHECK_INT(rk_registry_read(io, dirfd_, got, 4), 1);
	CHECK_INT(got[0].created_ns, 11); /* made once */
	CHECK_INT(got[0].docs, 5);
	flip("registry.mp", 20);
	CHECK_INT(rk_registry_read(io, dirfd_, got, 4), RK_ECORRUPT);
	CHECK_INT(rk_registry_put(io, dirfd_, &e), 0);
	CHECK_INT(rk_registry_read(io, dirfd_, got, 4), 1);
	leave();
}

static void one_writer_at_a_time(void)
{
	char who[64], want[64];
	int fd;

	enter();
	CHECK_INT(rk_lock_holder(dirfd_, who, sizeof(who)), -ENOENT);
	fd = rk_lock_take(dirfd_);
	CHECK(fd >= 0);
	CHECK_INT(rk_lock_take(dirfd_), RK_ELOCKED);
	CHECK_INT(rk_lock_holder(dirfd_, who, sizeof(who)), 0);
	snprintf(want, sizeof(want), "process %d", getpid());
	CHECK_STR(who, want);
	close(fd);
	fd = rk_lock_take(dirfd_);
	CHECK(fd >= 0);
	close(fd);
	leave();
}

static const struct t_case CASES[] = {
	{"a record that came during a sync needs another",
	 a_record_that_came_during_a_sync_needs_another},
	{"names of files have numbers", names_of_files_have_numbers},
	{"a log that cannot be looked at is kept",
	 a_log_that_cannot_be_looked_at_is_kept},
	{"a file is on disk before anything names it",
	 a_file_is_on_disk_before_anything_names_it},
	{"a container reads back, aligned", a_container_reads_back_aligned},
	{"flipped bytes of a container are noticed",
	 every_flipped_byte_of_a_container_is_noticed},
	{"a container cut anywhere is refused",
	 a_container_cut_anywhere_is_refused},
	{"the log replays what was appended",
	 the_log_replays_what_was_appended},
	{"damage to the log", damage_to_the_log},
	{"old log files are dropped below the floor",
	 old_log_files_are_dropped_below_the_floor},
	{"a record too large is refused", a_record_too_large_is_refused},
	{"a manifest round trips", a_manifest_round_trips},
	{"every flipped byte of a manifest is noticed",
	 every_flipped_byte_of_a_manifest_is_noticed},
	{"a manifest under another number is refused",
	 a_manifest_under_another_number_is_refused},
	{"compaction makes no file too large",
	 compaction_makes_no_file_too_large},
	{"compaction keeps sizes geometric", compaction_keeps_sizes_geometric},
	{"many flushes leave few segments", many_flushes_leave_few_segments},
	{"the registry keeps entries and survives damage",
	 the_registry_keeps_entries_and_survives_damage},
	{"one writer at a time", one_writer_at_a_time},
};
T_MAIN(CASES)
