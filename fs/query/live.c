/* SPDX-License-Identifier: MIT */
/*
 * Live queries. A thread (mount/background.c) hears of every change of an
 * index, finds out from postings which of the queries that the kernel still
 * knows it can touch, asks those again, cheapest first, and has the toucher
 * process touch the files whose answer is another: that is what makes inotify
 * events.
 *
 * A query that nobody watches should cost nothing: after a while the kernel is
 * asked to forget its name. If it forgets the inode as well, nobody held it;
 * if it does not, somebody watches it, and it stays.
 *
 * The thread holds no lock while it searches or notifies. Nodes that it works
 * on are kept by a lookup of its own; lists and nodes belong to `loop`.
 */
#include "fs/base/events.h"
#include "fs/base/mounted.h"
#include "fs/base/node.h"
#include "fs/base/tree.h"
#include "fs/query/followed.h"
#include "fs/query/query.h"
#include "fs/query/toucher.h"
#include <stdlib.h>
#include <string.h>

enum {
	FORGET_MS = 10000, /* unused so long: does anybody watch it? */
	REPEAT_MS = 200,   /* least time between two events of one query */
	SLICE_MS = 10,	   /* for what changes might touch, in one round */
	PASS_MS = 100,	   /* of searches in one round */
};

/* --- a round --- */

/* Queries over many indexes are touched by each of them. */
static int concerns(const struct fs_live_thread *t, const struct fs_live *l,
		    const struct fs_index *x)
{
	const struct fs_index *own = l->node->index;

	if (own == t->fs->top)
		return 1;
	return own->ix && (!x || own == x);
}

/* All queries of an index (NULL: of all), each kept until let_go(). */
static void gather(struct fs_live_thread *t, const struct fs_index *x)
{
	struct fs *fs = t->fs;

	t->nv = 0;
	pthread_mutex_lock(&fs->loop);
	if (t->cap < t->n) {
		struct fs_live **v = realloc(t->v, t->n * sizeof(*v));

		if (v) {
			t->v = v;
			t->cap = t->n;
		}
	}
	for (struct fs_live *l = t->head; l && t->nv < t->cap; l = l->next) {
		if (!concerns(t, l, x))
			continue;
		l->node->nlookup++;
		l->node->index->busy++;
		t->v[t->nv++] = l;
	}
	pthread_mutex_unlock(&fs->loop);
}

static void let_go(struct fs_live_thread *t)
{
	pthread_mutex_lock(&t->fs->loop);
	for (size_t i = 0; i < t->nv; i++) {
		struct fs_node *n = t->v[i]->node;

		n->index->busy--;
		fs_node_forget(t->fs, n, 1);
	}
	pthread_mutex_unlock(&t->fs->loop);
	t->nv = 0;
}

static uint64_t newest(const struct rk_changes *c)
{
	size_t n = rk_changes_count(c);

	return n ? rk_changes_at(c, n - 1).generation : 0;
}

/* Its first answer has come since, with the change in it. */
static int is_answered(struct fs_node *n, uint64_t generation)
{
	int yes;

	pthread_mutex_lock(&n->index->fs->answers);
	yes = n->known && n->generation >= generation;
	pthread_mutex_unlock(&n->index->fs->answers);
	return yes;
}

/* What the changes mean for a query. */
static void judge(struct fs_live *l, const struct rk_changes *c)
{
	struct fs_node *n = l->node;
	enum rk_effect e = n->file->effect_without_words;
	unsigned held = 0;

	if (!l->standing && n->file == &FS_QUERY_FILE &&
	    rk_standing_new(n->index->ix, n->text, strlen(n->text),
			    &l->standing) < 0)
		l->standing = NULL;
	if (l->standing)
		e = rk_standing_effect(l->standing, c, &held);
	if (e == RK_EFFECT_LIKELY) {
		l->held_words = l->want == FS_LIKELY && l->held_words > held
					? l->held_words
					: held;
		l->want = FS_LIKELY;
		l->missed |= !l->has_told && newest(c) > l->since &&
			     !is_answered(n, newest(c));
	} else if (e == RK_EFFECT_POSSIBLE && l->want == FS_CALM) {
		l->want = FS_POSSIBLE;
	}
}

static void tell_changes(struct fs_index *x, const struct rk_changes *c)
{
	size_t n = rk_changes_count(c);

	for (size_t i = 0; i < n; i++) {
		struct rk_change one = rk_changes_at(c, i);
		int replaced =
			one.gone && i + 1 < n &&
			!rk_changes_at(c, i + 1).gone &&
			strcmp(one.path, rk_changes_at(c, i + 1).path) == 0;

		if (!replaced)
			fs_event(x, one.generation,
				 one.gone ? "removed" : "changed", one.path);
	}
	if (rk_changes_much(c))
		fs_event(x, rk_generation(x->ix), "answers", "");
}

static void hear(struct fs_index *x, void *ctx)
{
	struct fs_live_thread *t = ctx;
	struct rk_changes *c = rk_changes_take(x->ix);

	if (!c)
		return;
	tell_changes(x, c);
	gather(t, x);
	for (size_t i = 0; i < t->nv; i++)
		judge(t->v[i], c);
	let_go(t);
	rk_changes_free(c);
}

/* The most urgent first, then the cheapest. */
static int sooner(const void *a, const void *b)
{
	const struct fs_live *x = *(struct fs_live *const *)a;
	const struct fs_live *y = *(struct fs_live *const *)b;

	if (x->want != y->want)
		return x->want > y->want ? -1 : 1;
	if (x->want == FS_LIKELY && x->held_words != y->held_words)
		return x->held_words > y->held_words ? -1 : 1;
	return (x->cost_ns > y->cost_ns) - (x->cost_ns < y->cost_ns);
}

/* Tell watchers, if the answer is another than the one they know. */
static void tell(struct fs_live_thread *t, struct fs_live *l)
{
	struct fs *fs = t->fs;
	struct fs_node *n = l->node;
	uint64_t hash;
	int known;

	pthread_mutex_lock(&fs->answers);
	known = n->known;
	hash = n->hash;
	pthread_mutex_unlock(&fs->answers);
	if (!known || (l->has_told && l->told == hash))
		return;
	if (l->has_told || l->missed) {
		char path[FS_VIEW_PATH];

		l->told_ns = rk_mono_ns();
		fs_event(n->index,
			 n->index->ix ? rk_generation(n->index->ix) : 0,
			 "query", n->text);
		if (fs_view_path(n, path, sizeof(path)) == 0)
			fs_toucher_touch(fs, path);
	}
	l->told = hash;
	l->has_told = 1;
	l->missed = 0;
}

static void ask_again(struct fs_live_thread *t, struct fs_live *l)
{
	uint64_t start = rk_mono_ns();
	enum fs_want want = l->want;

	l->want = FS_CALM;
	if (fs_view_refresh(t->fs, l->node, &t->cancel) >= 0)
		tell(t, l);
	l->cost_ns = rk_mono_ns() - start;
	*(want == FS_LIKELY ? &t->urgent_ns : &t->idle_ns) += l->cost_ns;
}

static int interrupted(struct fs_live_thread *t)
{
	int yes;

	pthread_mutex_lock(&t->lock);
	yes = t->woken || t->stop;
	pthread_mutex_unlock(&t->lock);
	return yes;
}

/* What is not urgent waits until nothing else goes on. */
static int is_disturbed(struct fs_live_thread *t, const struct fs_live *l)
{
	struct rk_index *ix = l->node->index->ix;

	return interrupted(t) || (ix && rk_pending(ix));
}

/*
 * Those that a change is likely to touch, for as long as a round may last; the
 * others while nothing else is going on.
 */
static void answer(struct fs_live_thread *t)
{
	uint64_t start = rk_mono_ns();

	gather(t, NULL);
	if (t->nv)
		qsort(t->v, t->nv, sizeof(*t->v), sooner);
	for (size_t i = 0; i < t->nv; i++) {
		struct fs_live *l = t->v[i];
		uint64_t now = rk_mono_ns();

		if (l->want == FS_CALM && l->held && !l->has_told)
			l->want = FS_POSSIBLE;
		if (l->want == FS_CALM) {
			tell(t, l); /* a reader may have been first */
			continue;
		}
		if (l->told_ns && now - l->told_ns < fs_live_ms(REPEAT_MS)) {
			t->again = 1;
			continue;
		}
		if (now - start > fs_live_ms(PASS_MS) || t->cancel ||
		    t->idle_ns > fs_live_ms(SLICE_MS) ||
		    (l->want == FS_POSSIBLE && is_disturbed(t, l))) {
			t->again = 1;
			break;
		}
		ask_again(t, l);
	}
	let_go(t);
}

void fs_live_round(struct fs_live_thread *t)
{
	t->again = 0;
	t->urgent_ns = t->idle_ns = 0;
	fs_index_each(t->fs, hear, t);
	answer(t);
}

/* --- who watches --- */

/* The first answer of what is watched before it was ever read. */
static void baseline(struct fs_live_thread *t, struct fs_live *l)
{
	if (!l->has_told && l->want == FS_CALM)
		ask_again(t, l);
}

struct unused {
	struct fs_live *l;
	fuse_ino_t parent;
	char *name;
};

/* A query that may have lost its watchers; 1: the kernel should be asked. */
static int take_unused(struct fs_live *l, uint64_t now, struct unused *u)
{
	uint64_t rest = l->has_told ? fs_live_ms(FORGET_MS)
				    : fs_live_ms(FS_LIVE_BASELINE_MS);

	if (l->held || !l->name || l->node->opened ||
	    now - l->looked_ns < rest ||
	    (l->swept_ns && now - l->swept_ns < fs_live_ms(FORGET_MS)))
		return 0;
	l->swept_ns = now;
	u->l = l;
	u->parent = fs_nodeid(l->node->index->fs,
			      fs_fixed_find(l->node->index,
					    FS_IN_ROOT | FS_IN_TOP | FS_IN_AT,
					    "query"));
	u->name = strdup(l->name);
	return u->name != NULL;
}

/*
 * Ask the kernel to forget names that have not been used for a while. No lock
 * is held: it takes the folder's, which a lookup may hold that waits for us.
 */
void fs_live_sweep(struct fs_live_thread *t)
{
	struct unused *u;
	uint64_t now = rk_mono_ns();
	size_t n = 0;

	gather(t, NULL);
	u = t->nv ? calloc(t->nv, sizeof(*u)) : NULL;
	pthread_mutex_lock(&t->fs->loop);
	for (size_t i = 0; u && i < t->nv; i++)
		n += (size_t)take_unused(t->v[i], now, &u[n]);
	pthread_mutex_unlock(&t->fs->loop);
	for (size_t i = 0; i < n; i++)
		fuse_lowlevel_notify_inval_entry(t->fs->se, u[i].parent,
						 u[i].name, strlen(u[i].name));
	for (size_t i = 0; i < n; i++) {
		int kernels;

		pthread_mutex_lock(&t->fs->loop);
		kernels = u[i].l->node->nlookup > 1;
		pthread_mutex_unlock(&t->fs->loop);
		if (kernels)
			baseline(t, u[i].l);
		free(u[i].name);
	}
	free(u);
	let_go(t);
}
