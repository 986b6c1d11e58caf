/* SPDX-License-Identifier: MIT */
/*
 * An index at work is recorded (record.h): documents put, replaced, renamed,
 * removed, folders moved, a linked source, checkpoints, compactions, a
 * rebuild, saved queries. Then, at every step and in five models of a crash,
 * its folder is rebuilt as the crash leaves it and opened again. There
 *   - it opens;
 *   - what was acknowledged is in answers before anything is compared, and
 *     what it replaced is not: all of it after a kill, what was synced after a
 *     power cut;
 *   - a saved query is as it was when its call returned;
 *   - once compared with the documents, the index equals them: each is found
 *     by the word of its version, no other version is, and there are no more.
 *
 * CRASH_EVERY=1 visits every step; the default every 19th.
 */
#include "index/state/internal.h"
#include "crash/record.h"
#include "unit/idle.h"
#include <unistd.h>

enum {
	FOLDERS = 4, /* d0 to d3; d3 is what d2 is called at times */
	FILES = 5,
	PATHS = FOLDERS * FILES,
	ROUNDS = 110,
	VERSIONS = ROUNDS + 2 * PATHS,
	SAVED_OPS = 40,
	SOURCE_DOCS = 3,
};

/* A version is a file of the pool, so that time and inode stay its own. */
static char *pool, *source;
static int versions; /* made so far */
static int current[PATHS];
static unsigned long long rng = 4;

struct saved_op {
	char name[16], text[32]; /* "": dropped */
	size_t begun, done;	 /* notes then */
};
static struct saved_op saved[SAVED_OPS];
static int nsaved;

static void path_of(int p, char out[REC_NAME])
{
	snprintf(out, REC_NAME, "d%d/f%d", p / FILES, p % FILES);
}

static int path_number(const char *name)
{
	return (name[1] - '0') * FILES + name[4] - '0';
}

static void word_of(int version, char out[16])
{
	snprintf(out, 16, "u%04dx", version);
}

/* Texts as long as each other, so that a size tells nothing. */
static void make_version(int v)
{
	unsigned long long seed = (unsigned long long)v;
	char name[16], text[300];
	int k;

	word_of(v, name);
	k = snprintf(text, sizeof(text), "%s shared", name);
	for (int i = 0; i < 20; i++)
		k += snprintf(text + k, sizeof(text) - (size_t)k, " r%05llu",
			      t_rand(&seed) % 100000);
	t_write(pool, name, text);
}

static void link_version(const char *files, const char *path, int v)
{
	char from[600], to[600], tmp[600], name[16];

	word_of(v, name);
	snprintf(from, sizeof(from), "%s/%s", pool, name);
	snprintf(to, sizeof(to), "%s/%s", files, path);
	snprintf(tmp, sizeof(tmp), "%s/%s", pool, "new");
	if (link(from, tmp) < 0 || rename(tmp, to) < 0)
		perror(to);
}

static void make_folders(const char *files)
{
	char path[600];

	for (int d = 0; d < FOLDERS - 1; d++) {
		snprintf(path, sizeof(path), "%s/d%d", files, d);
		mkdir(path, 0755);
	}
	snprintf(path, sizeof(path), "%s/src", files);
	if (symlink(source, path) < 0)
		perror(path);
}

/* --- the workload --- */

/* The document is version v from now on; 0: gone. Tells the index. */
static void change(struct rk_index *ix, const char *files, int p, int v)
{
	char path[REC_NAME], full[600];
	size_t note;
	uint64_t seq = 0;

	path_of(p, path);
	note = rec_note(OP_DOC, path, (size_t)v) - 1;
	snprintf(full, sizeof(full), "%s/%s", files, path);
	if (v)
		link_version(files, path, v);
	else
		unlink(full);
	current[p] = v;
	CHECK_INT(rk_touch(ix, path, 0, &seq), 0);
	pthread_mutex_lock(&rec.lock);
	rec.v[note].off = (off_t)rec.n; /* acknowledged by then */
	pthread_mutex_unlock(&rec.lock);
	if (t_rand(&rng) % 3 == 0) {
		CHECK_INT(rk_sync(ix, seq), 0);
		rec_note(OP_DOCSYNC, path, (size_t)v);
	}
}

/* d2 becomes d3, or back: both names are told, with all that is below. */
static void move_folder(struct rk_index *ix, const char *files)
{
	char from[600], to[600], path[REC_NAME];
	size_t first, last;
	int back;

	snprintf(from, sizeof(from), "%s/d2", files);
	snprintf(to, sizeof(to), "%s/d3", files);
	back = access(to, F_OK) == 0;
	first = rec_count();
	for (int i = 0; i < FILES; i++) {
		int a = (back ? 3 : 2) * FILES + i,
		    b = (back ? 2 : 3) * FILES + i;

		path_of(a, path);
		rec_note(OP_DOC, path, 0);
		path_of(b, path);
		rec_note(OP_DOC, path, (size_t)current[a]);
		current[b] = current[a];
		current[a] = 0;
	}
	last = rec_count();
	if (rename(back ? to : from, back ? from : to) < 0)
		perror("rename");
	CHECK_INT(rk_renamed(ix, back ? "d3" : "d2", back ? "d2" : "d3",
			     RK_TOUCH_TREE, NULL),
		  0);
	pthread_mutex_lock(&rec.lock);
	for (size_t i = first; i < last; i++)
		if (rec.v[i].kind == OP_DOC)
			rec.v[i].off = (off_t)rec.n;
	pthread_mutex_unlock(&rec.lock);
}

static int may_write(int p)
{
	/* the folder under the name that it does not have just now */
	return p / FILES < 2 || current[2 * FILES] + current[3 * FILES] == 0
		       ? p / FILES < 2
		       : current[p / FILES * FILES] != 0;
}

/* Each name is put, dropped, put again with another text. */
static void save(struct rk_index *ix)
{
	struct saved_op *o = &saved[nsaved++];

	snprintf(o->name, sizeof(o->name), "q%d", nsaved % 3);
	o->begun = rec_count();
	if (rk_saved_text(ix, o->name, NULL)) {
		CHECK_INT(rk_saved_drop(ix, o->name), 0);
	} else {
		snprintf(o->text, sizeof(o->text), "text %d", nsaved);
		CHECK_INT(rk_saved_put(ix, o->name, o->text), 0);
	}
	o->done = rec_count();
}

static void round_of(struct rk_index *ix, const char *files, int i)
{
	int p = (int)(t_rand(&rng) % PATHS);

	if (!may_write(p))
		p %= 2 * FILES;
	if (current[p] && t_rand(&rng) % 4 == 0) {
		/* the first of the folder that moves says where it is */
		if (p % FILES || p / FILES < 2)
			change(ix, files, p, 0);
	} else {
		make_version(++versions);
		change(ix, files, p, versions);
	}
	if (t_rand(&rng) % 2)
		CHECK_INT(rk_barrier(ix, 10000, NULL), 0);
	if (i % 11 == 10)
		move_folder(ix, files);
	if (i % 7 == 6)
		CHECK_INT(rk_checkpoint(ix), 0);
	if (i % 40 == 39)
		CHECK_INT(rk_compact(ix), 0);
	if (i % 50 == 49)
		rk_reindex(ix, 1);
	if (i % 5 == 4 && nsaved < SAVED_OPS)
		save(ix);
}

static void workload(const char *backing, const char *files)
{
	struct rk_env env = {.io = &REC_IO, .now_ns = rk_env_posix()->now_ns};
	struct rk_index *ix;
	struct stat st;

	if (stat(backing, &st) == 0)
		rec.backing = st.st_ino;
	CHECK_INT(rk_index_open(&env, backing, "main", RK_NO_RECONCILE, &ix),
		  0);
	make_folders(files);
	rk_links_changed(ix);
	for (int p = 0; p < 3 * FILES; p++) {
		make_version(++versions);
		change(ix, files, p, versions);
	}
	for (int i = 0; i < ROUNDS; i++)
		round_of(ix, files, i);
	t_wait_idle(ix);
	CHECK_INT(rk_index_close(ix), 0);
}

/* --- what there should be --- */

struct expected {
	int now[PATHS];	     /* version of each path, as the crash leaves it */
	int sure[PATHS];     /* the index must know it at once */
	char ever[VERSIONS]; /* versions that were told */
	char live[VERSIONS]; /* on disk under some name */
};

/* On disk after the crash: what was, or at least what was synced. */
static void expect(struct expected *x, size_t step, enum model model,
		   unsigned long long seed)
{
	size_t told[PATHS] = {0}; /* when it was acknowledged; 0: never */
	int synced[PATHS], stable[PATHS] = {0};

	memset(x, 0, sizeof(*x));
	memset(synced, -1, sizeof(synced));
	for (size_t i = 0; i < step; i++) {
		const struct op *o = &rec.v[i];
		int p = o->kind >= OP_DOC ? path_number(o->name) : 0;

		if (o->kind == OP_DOC) {
			x->now[p] = (int)o->n;
			told[p] = (size_t)o->off;
			x->ever[o->n] = 1;
			stable[p] = 0;
		} else if (o->kind == OP_DOCSYNC) {
			synced[p] = (int)o->n;
			stable[p] = 1;
		}
	}
	for (int p = 0; p < PATHS; p++) {
		/* moved folders are never synced here: they are as they were */
		if (model >= NAMES && synced[p] >= 0 && p / FILES < 2 &&
		    t_rand(&seed) % 2)
			x->now[p] = synced[p];
		x->sure[p] = model == KILL
				     ? told[p] && told[p] <= step
				     : stable[p] && x->now[p] == synced[p];
		x->live[x->now[p]] = 1;
	}
}

static void lay_out(const struct expected *x, const char *files)
{
	char path[REC_NAME], full[600];
	int moved = 0;

	make_folders(files);
	for (int p = 3 * FILES; p < PATHS; p++)
		moved |= x->now[p];
	if (moved) {
		snprintf(full, sizeof(full), "%s/d3", files);
		mkdir(full, 0755);
	}
	for (int p = 0; p < PATHS; p++)
		if (x->now[p]) {
			path_of(p, path);
			link_version(files, path, x->now[p]);
		}
}

/* Documents that hold one of the words, which are few enough for a query. */
static size_t holders(struct rk_index *ix, const char *words)
{
	struct rk_search_opts opts = {
		.size = sizeof(opts), .wait_ms = 10000, .no_excerpts = 1};
	struct rk_results *r;
	char q[1000];
	size_t n = 0;
	int k = snprintf(q, sizeof(q), "mode:lexical n:200 %s", words);

	if (rk_search(ix, q, (size_t)k, &opts, &r) < 0)
		return 999;
	for (size_t i = 0; i < r->nhits && !r->did_you_mean; i++)
		n += 1 + r->hits[i].ncopies;
	rk_results_free(r);
	return n;
}

/* Holders of all versions v with pick[v], asked in parts. */
static size_t count_versions(struct rk_index *ix, const char *pick)
{
	enum { PART = 40 };
	size_t n = 0;
	char words[PART * 12 + 1];
	int k = 0, in = 0;

	for (int v = 1; v < VERSIONS; v++) {
		char w[16];

		if (pick[v]) {
			word_of(v, w);
			k += snprintf(words + k, sizeof(words) - (size_t)k,
				      "%s%s", in ? " OR " : "", w);
			in++;
		}
		if (in == PART || (v == VERSIONS - 1 && in)) {
			n += holders(ix, words);
			k = in = 0;
		}
	}
	return n;
}

static int note_bad(size_t step, enum model m, const char *what, size_t is,
		    size_t want)
{
	if (is == want)
		return 0;
	printf("# step %zu model %d: %s: %zu, not %zu\n", step, (int)m, what,
	       is, want);
	CHECK(0);
	return 1;
}

/* Before anything is compared: what is sure is there, the replaced is not. */
static void check_at_once(struct rk_index *ix, const struct expected *x,
			  size_t step, enum model m)
{
	char want[VERSIONS] = {0}, dead[VERSIONS];
	size_t n = 0;

	memcpy(dead, x->ever, sizeof(dead));
	for (int p = 0; p < PATHS; p++) {
		if (x->sure[p] && x->now[p]) {
			want[x->now[p]] = 1;
			n++;
		}
		dead[x->now[p]] = 0;
	}
	/* who still may hold an old one is a path that is not sure */
	for (int p = 0; p < PATHS && m == KILL; p++)
		if (!x->sure[p])
			return;
	rk_barrier(ix, 10000, NULL);
	note_bad(step, m, "found at once", count_versions(ix, want), n);
	if (m == KILL)
		note_bad(step, m, "replaced and found",
			 count_versions(ix, dead), 0);
}

static void check_equal(struct rk_index *ix, const struct expected *x,
			size_t step, enum model m)
{
	char dead[VERSIONS];
	struct rk_status st = {.size = sizeof(st)};
	size_t n = 0;

	rk_reindex(ix, 0);
	t_wait_idle(ix);
	for (int v = 0; v < VERSIONS; v++)
		dead[v] = x->ever[v] && !x->live[v];
	for (int p = 0; p < PATHS; p++)
		n += x->now[p] != 0;
	rk_status(ix, &st);
	note_bad(step, m, "documents", st.docs, n + SOURCE_DOCS);
	note_bad(step, m, "found", count_versions(ix, x->live), n);
	note_bad(step, m, "stale", count_versions(ix, dead), 0);
	note_bad(step, m, "of the source", holders(ix, "sourceword"),
		 SOURCE_DOCS);
}

static void check_saved(struct rk_index *ix, size_t step, enum model m)
{
	for (int q = 0; q < 3; q++) {
		struct rk_buf b = RK_BUF_INIT;
		const char *is;
		char name[16];
		int ok;

		snprintf(name, sizeof(name), "q%d", q);
		rk_saved_text(ix, name, &b);
		rk_buf_byte(&b, 0);
		is = (char *)b.p;
		ok = *is == '\0';
		/* as the last call left it, or one that is under way */
		for (int i = 0; i < nsaved; i++) {
			if (strcmp(saved[i].name, name) != 0)
				continue;
			if (saved[i].done <= step)
				ok = 0;
			if (saved[i].begun <= step)
				ok |= strcmp(is, saved[i].text) == 0;
		}
		if (!ok) {
			printf("# step %zu model %d: saved %s is \"%s\"\n",
			       step, (int)m, name, is);
			CHECK(0);
		}
		rk_buf_release(&b);
	}
}

static void check_point(size_t step, enum model m, unsigned long long seed)
{
	static struct sim sim; /* large */
	char *backing = t_mkdir(), dir[300], files[320];
	struct expected x;
	struct rk_index *ix;
	int rc;

	snprintf(dir, sizeof(dir), "%s/indexes", backing);
	mkdir(dir, 0700);
	snprintf(dir, sizeof(dir), "%s/indexes/main", backing);
	mkdir(dir, 0700);
	snprintf(files, sizeof(files), "%s/files", dir);
	mkdir(files, 0700);
	expect(&x, step, m, seed);
	lay_out(&x, files);
	sim_run(&sim, step);
	sim_crash(&sim, m, step, seed);
	sim_write_out(&sim, dir);
	sim_release(&sim);
	rc = rk_index_open(NULL, backing, "main", RK_NO_RECONCILE, &ix);
	if (rc < 0) {
		printf("# step %zu model %d: %s\n", step, (int)m,
		       rk_strerror(rc));
		CHECK(0);
	} else {
		check_at_once(ix, &x, step, m);
		check_saved(ix, step, m);
		check_equal(ix, &x, step, m);
		rk_index_close(ix);
	}
	t_rmdir(backing);
}

static void the_index_survives_a_crash_at_every_step(void)
{
	const char *every = getenv("CRASH_EVERY");
	size_t stride = every ? (size_t)atoi(every) : 19, visited = 0;
	char *backing = t_mkdir(), files[300];

	rec.real = rk_env_posix()->io;
	pool = t_mkdir();
	source = t_mkdir();
	for (int i = 0; i < SOURCE_DOCS; i++) {
		char name[16], text[64];

		snprintf(name, sizeof(name), "s%d", i);
		snprintf(text, sizeof(text), "sourceword own%d\n", i);
		t_write(source, name, text);
	}
	snprintf(files, sizeof(files), "%s/indexes/main/files", backing);
	workload(backing, files);
	for (size_t at = 0; at <= rec.n; at += stride)
		for (enum model m = KILL; m < MODELS; m++, visited++) {
			size_t step = at + (size_t)m * 2 % stride;

			check_point(step < rec.n ? step : rec.n, m,
				    at * 31 + (size_t)m);
		}
	printf("# %zu notes, %zu crash points visited\n", rec.n, visited);
	CHECK(visited >= (stride == 1 ? 10000 : 500));
	t_rmdir(backing);
	t_rmdir(pool);
	t_rmdir(source);
	for (size_t i = 0; i < rec.n; i++)
		free(rec.v[i].p);
	free(rec.v);
}

static const struct t_case CASES[] = {
	{"the index survives a crash at every step",
	 the_index_survives_a_crash_at_every_step},
};
T_MAIN(CASES)
