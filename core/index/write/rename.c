/* SPDX-License-Identifier: MIT */
/*
 * A file or folder that was renamed: what is known of its documents is copied
 * inside the index into a segment of its own, with the terms of the new names
 * for those of the old ones, and takes the old documents' place in one
 * generation.
 *
 * What the copy says is what was read under the old name. So a document is
 * copied only if no task is there to read it whatever is known of it, and its
 * file is compared (size, mtime, inode) once the copy can be found: what came
 * in between is read again.
 */
#include "index/write/rename.h"
#include "index/documents/document.h"
#include "index/documents/links.h"
#include "index/state/requests.h"
#include "index/state/tables.h"
#include "index/write/persist.h"
#include "base/arena.h"
#include "base/lock.h"
#include "base/mem.h"
#include "storage/renamed.h"
#include "text/extract/kind.h"
#include "text/match/ignore.h"
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum {
	SEGS_FULL = RK_SEGS_MAX / 2, /* merging is behind: read again */
	SEGS_MANY = 12,		     /* merge soon */
	TABLE_FEW = 8, /* fewer are read again sooner than a table written */
	SOURCES = SEGS_FULL + RK_MEMS_MAX,
};

struct moved {
	struct rk_docref d;
	const char *from, *to;
};

/* One rename after the other, and the documents that they are about. */
struct batch {
	struct rk_index *ix;
	struct rk_worker *w;
	struct rk_moves moves;
	size_t move; /* the one that is looked at */
	struct moved *v;
	size_t n, cap;
	struct rk_arena arena;
	int others; /* there are documents in other languages */
	/* of one source at a time */
	struct rk_source src[SOURCES];
	struct rk_renamed renamed[SOURCES];
	unsigned nsrc;
};

/* --- which documents --- */

/* What follows the name of a file or folder in a path: "", "/..." or NULL. */
static const char *below(const char *path, const char *name)
{
	size_t n = strlen(name);

	return strncmp(path, name, n) == 0 && (!path[n] || path[n] == '/')
		       ? path + n
		       : NULL;
}

static int replace(char path[PATH_MAX], const struct rk_move *m)
{
	const char *rest = below(path, m->from);
	size_t n = strlen(m->to), k = rest ? strlen(rest) : 0;

	if (!rest)
		return 1;
	if (n + k > 4095)
		return 0;
	memmove(path + n, rest, k + 1);
	memcpy(path, m->to, n);
	return 1;
}

/* Would it be read the same under either name? */
static int same_form(const char *from, const char *to)
{
	const char *a = strrchr(from, '/'), *b = strrchr(to, '/');
	const char *x, *y;

	a = a ? a + 1 : from;
	b = b ? b + 1 : to;
	if (strcmp(a, b) == 0)
		return 1;
	x = strchr(a, '.');
	y = strchr(b, '.');
	return strcmp(x ? x : "", y ? y : "") == 0 && x != a && y != b &&
	       rk_kind_of_path(a) == rk_kind_of_path(b) &&
	       strcmp(rk_language_of_path(a), rk_language_of_path(b)) == 0;
}

static int is_plain(const struct batch *b, const struct rk_doc_rec *r)
{
	return r->flags == 0 && r->ino &&
	       (r->language != RK_LANGUAGE_UNSURE || !b->others);
}

static int take(void *ctx, const struct rk_docref *d, const char *path)
{
	struct batch *b = ctx;
	char to[PATH_MAX];
	struct moved *m;

	if (!below(path, b->moves.v[b->move].from) || !is_plain(b, &d->rec))
		return 0;
	for (size_t i = 0; i < b->move; i++)
		if (below(path, b->moves.v[i].from))
			return 0; /* taken, by way of that one */
	memcpy(to, path, d->rec.path_n + 1ul);
	for (size_t i = b->move; i < b->moves.n; i++)
		if (!replace(to, &b->moves.v[i]))
			return 0;
	if (rk_ignored(to) || !same_form(path, to) || strcmp(path, to) == 0 ||
	    rk_queue_forced(&b->ix->queue, path) ||
	    rk_queue_forced(&b->ix->queue, to))
		return 0;
	if (rk_grow(&b->v, &b->cap, b->n + 1, sizeof(*b->v)) < 0)
		return -ENOMEM;
	m = &b->v[b->n];
	m->d = *d;
	m->from = rk_arena_strndup(&b->arena, path, d->rec.path_n);
	m->to = rk_arena_strndup(&b->arena, to, strlen(to));
	if (!m->from || !m->to)
		return -ENOMEM;
	b->n++;
	return 0;
}

static void keep_if(struct batch *b, int (*good)(const struct batch *, size_t))
{
	size_t n = 0;

	for (size_t i = 0; i < b->n; i++)
		if (good(b, i))
			b->v[n++] = b->v[i];
	b->n = n;
}

static int in_segment(const struct batch *b, size_t i)
{
	return b->v[i].d.seg != NULL;
}

static int is_frozen(const struct batch *b, size_t i)
{
	const struct rk_view *v = b->ix->view;

	return b->v[i].d.mem != v->mems[v->nmems - 1];
}

/* The table that is written to is not read from: another takes its place. */
static void settle(struct batch *b)
{
	size_t in_tables = 0;

	rk_assert_held(&b->ix->writer);
	for (size_t i = 0; i < b->n; i++)
		in_tables += b->v[i].d.mem != NULL;
	if (in_tables < TABLE_FEW)
		keep_if(b, in_segment);
	else if (rk_freeze(b->ix) < 0)
		b->n = 0;
	keep_if(b, is_frozen);
}

static int by_target(const void *a, const void *b)
{
	return strcmp(((const struct moved *)a)->to,
		      ((const struct moved *)b)->to);
}

static int is_alone(const struct batch *b, size_t i)
{
	return (i == 0 || strcmp(b->v[i].to, b->v[i - 1].to) != 0) &&
	       (i + 1 == b->n || strcmp(b->v[i].to, b->v[i + 1].to) != 0);
}

static int by_place(const void *a, const void *b)
{
	const struct rk_docref *x = &((const struct moved *)a)->d;
	const struct rk_docref *y = &((const struct moved *)b)->d;
	uintptr_t p = x->seg ? (uintptr_t)x->seg : (uintptr_t)x->mem;
	uintptr_t q = y->seg ? (uintptr_t)y->seg : (uintptr_t)y->mem;

	return p != q ? (p > q) - (p < q)
		      : (x->doc > y->doc) - (x->doc < y->doc);
}

static int collect(struct batch *b, struct rk_snapshot *snap)
{
	struct rk_index *ix = b->ix;
	int rc = 0;

	pthread_mutex_lock(&ix->writer);
	b->others = rk_spoken(ix->view, RK_SHARE_NEAR) != 0;
	for (b->move = 0; b->move < b->moves.n && rc == 0; b->move++)
		rc = rk_each_live(ix, b->moves.v[b->move].from, take, b);
	if (b->n) {
		qsort(b->v, b->n, sizeof(*b->v), by_target);
		keep_if(b, is_alone);
	}
	settle(b);
	if (ix->view->nsegs >= SEGS_FULL)
		b->n = 0;
	rk_snapshot_take(ix, snap);
	pthread_mutex_unlock(&ix->writer);
	if (b->n)
		qsort(b->v, b->n, sizeof(*b->v), by_place);
	return rc;
}

/* --- what changes in the terms --- */

/* What one document's names have, by term: small, as names are. */
struct diff {
	struct {
		uint32_t term;
		int32_t n;
	} * v;
	size_t n, cap;
	int32_t tokens;
};

static int count(struct diff *d, const struct rk_tok *t, int32_t by)
{
	size_t i = 0;

	while (i < d->n && d->v[i].term != t->term)
		i++;
	if (i == d->n) {
		if (rk_grow(&d->v, &d->cap, i + 1, sizeof(*d->v)) < 0)
			return -ENOMEM;
		d->v[d->n].term = t->term;
		d->v[d->n++].n = 0;
	}
	d->v[i].n += by;
	d->tokens += t->word ? 0 : by;
	return 0;
}

static int count_name(struct diff *d, struct rk_analyser *a, const char *name,
		      int32_t by)
{
	const struct rk_tok *toks;
	uint32_t none = 0;
	size_t n;
	int rc;

	rk_analyser_reset(a);
	if ((rc = rk_analyse(a, name, strlen(name), 0, &none)) < 0)
		return rc;
	toks = rk_analyser_toks(a, &n);
	for (size_t i = 0; i < n && rc == 0; i++)
		rc = count(d, &toks[i], by);
	return rc;
}

/* The analyser may forget its terms between documents: they are copied. */
static int add_term(struct batch *b, struct rk_renamed *r, size_t *cap,
		    const struct rk_word *word, int32_t n)
{
	int is_word = word->s[0] == RK_WORD_MARK;
	struct rk_name_term *t;

	if (n == 0 || (is_word && n < 0))
		return 0;
	if (rk_grow(&r->terms, cap, r->nterms + 1, sizeof(*r->terms)) < 0)
		return -ENOMEM;
	t = &r->terms[r->nterms];
	*t = (struct rk_name_term){
		.term = rk_arena_strndup(&b->arena, word->s, word->n),
		.n = word->n,
		.name = r->nnames,
		.head = is_word ? 0 : n * RK_HEAD_PATH,
	};
	r->nterms += t->term != NULL;
	return t->term ? 0 : -ENOMEM;
}

static int add_name(struct batch *b, struct rk_renamed *r, size_t *cap,
		    const struct moved *m, struct diff *d)
{
	struct rk_analyser *a = b->w->analyser;
	enum rk_language l = (enum rk_language)m->d.rec.language;
	int rc;

	d->n = 0;
	d->tokens = 0;
	rk_analyser_trim(a);
	rk_analyser_also(a, 0);
	if ((rc = rk_analyser_use(a, l)) < 0 ||
	    (rc = count_name(d, a, m->from, -1)) < 0 ||
	    (rc = count_name(d, a, m->to, 1)) < 0)
		return rc;
	for (size_t i = 0; i < d->n && rc == 0; i++)
		rc = add_term(b, r, cap, &rk_analyser_vocab(a)->v[d->v[i].term],
			      d->v[i].n);
	r->names[r->nnames++] = (struct rk_new_name){
		.rec = m->d.rec,
		.doc = m->d.doc,
		.path = m->to,
		.path_n = (uint16_t)strlen(m->to),
		.tokens = d->tokens,
	};
	return rc;
}

/* The next n of the batch are of one segment or table. */
static int add_source(struct batch *b, const struct moved *m, size_t n)
{
	struct rk_renamed *r = &b->renamed[b->nsrc];
	struct rk_source *s = &b->src[b->nsrc++];
	struct diff d = {NULL, 0, 0, 0};
	size_t cap = 0;
	int rc = m->d.seg ? rk_source_segment(s, m->d.seg)
			  : rk_source_memtable(s, m->d.mem);

	r->names = rk_calloc(n, sizeof(*r->names));
	if (rc == 0 && !r->names)
		rc = -ENOMEM;
	for (size_t i = 0; i < n && rc == 0; i++)
		rc = add_name(b, r, &cap, &m[i], &d);
	rk_free(d.v);
	return rc < 0 ? rc : rk_source_rename(s, r);
}

static int add_sources(struct batch *b)
{
	size_t n;
	int rc = 0;

	for (size_t i = 0; i < b->n && rc == 0; i += n) {
		const struct rk_docref *d = &b->v[i].d;

		for (n = 1; i + n < b->n && b->v[i + n].d.seg == d->seg &&
			    b->v[i + n].d.mem == d->mem;)
			n++;
		rc = add_source(b, &b->v[i], n);
	}
	return rc;
}

static void release_sources(struct batch *b)
{
	for (unsigned i = 0; i < b->nsrc; i++) {
		rk_source_release(&b->src[i]);
		rk_free(b->renamed[i].names);
		rk_free(b->renamed[i].terms);
		rk_renamed_release(&b->renamed[i]);
	}
}

/* --- in their place --- */

static int same_file(const struct rk_doc_rec *a, const struct rk_doc_rec *b)
{
	return a->ino == b->ino && a->size == b->size &&
	       a->mtime_ns == b->mtime_ns;
}

struct deaths {
	struct rk_docref *v;
	const char **path;
	size_t n;
};

/* What goes: the documents under their old names, and what they replace. */
static void find_deaths(struct batch *b, struct deaths *d)
{
	for (size_t i = 0; i < b->n; i++) {
		const struct moved *m = &b->v[i];
		struct rk_docref *old = &d->v[d->n];

		if (rk_find_live(b->ix, m->from, strlen(m->from), old) == 1 &&
		    same_file(&old->rec, &m->d.rec))
			d->path[d->n++] = m->from;
		old = &d->v[d->n];
		if (rk_find_live(b->ix, m->to, strlen(m->to), old) == 1)
			d->path[d->n++] = m->to;
	}
}

static int is_dead(const struct rk_docref *d)
{
	return d->seg ? rk_segment_dead(d->seg, d->doc) != 0
		      : rk_mdoc_dead(&d->mem->docs[d->doc]) != 0;
}

static int bury(struct rk_index *ix, const struct deaths *d, uint32_t gen)
{
	int rc = 0;

	for (size_t i = 0; i < d->n && rc == 0; i++) {
		if (is_dead(&d->v[i]))
			continue; /* it replaces, and is renamed itself */
		rc = rk_delete_doc(ix, &d->v[i], gen);
		if (rc == 0)
			rk_note_change(ix, &d->v[i], d->path[i],
				       d->v[i].rec.path_n, gen, 1);
	}
	return rc;
}

/* Another space may serve since the vectors were written. */
static void fit_space(const struct rk_index *ix, struct rk_segment *s)
{
	if (s->vec && s->vec->space != ix->space->number) {
		rk_vectors_unref(s->vec);
		s->vec = s->vec_next;
		s->vec_next = NULL;
	}
}

static void count_in(struct rk_index *ix, struct rk_segment *s, uint32_t gen)
{
	ix->stats.docs += s->stats.docs;
	ix->stats.chunks += s->stats.chunks;
	ix->stats.body_sum += s->stats.body_sum;
	ix->stats.head_sum += s->stats.head_sum;
	for (uint32_t i = 0; i < s->ndocs; i++) {
		const struct rk_doc_rec *r = rk_segment_doc(s, i);
		const char *path = r ? rk_segment_path(s, r) : NULL;

		if (path)
			rk_note_change(ix, &(struct rk_docref){s, NULL, i, *r},
				       path, r->path_n, gen, 0);
	}
}

/* One generation has the old ones, the next one the new (X1). */
static int swap(struct rk_index *ix, struct rk_view *v, struct rk_segment *s,
		const struct deaths *d)
{
	struct rk_view *old = NULL;
	uint32_t gen;
	int rc;

	rk_assert_held(&ix->writer);
	pthread_mutex_lock(&ix->lock);
	gen = ix->generation + 1;
	rc = bury(ix, d, gen);
	if (rc == 0) {
		fit_space(ix, s);
		v->segs[v->nsegs++] = rk_segment_ref(s);
		count_in(ix, s, gen);
		old = ix->view;
		ix->view = v;
	}
	__atomic_store_n(&ix->generation, gen, __ATOMIC_RELEASE);
	ix->dirty = 1;
	if (ix->dirty_since_ns == 0)
		ix->dirty_since_ns = rk_mono_ns();
	pthread_mutex_unlock(&ix->lock);
	rk_view_unref(rc == 0 ? old : v);
	return rc;
}

static int publish(struct batch *b, struct rk_segment *s)
{
	struct rk_index *ix = b->ix;
	struct deaths d = {0};
	struct rk_view *v = NULL;
	int rc = -ENOMEM;

	d.v = rk_calloc(2 * b->n + 1, sizeof(*d.v));
	d.path = rk_calloc(2 * b->n + 1, sizeof(*d.path));
	pthread_mutex_lock(&ix->writer);
	if (d.v && d.path && (v = rk_view_copy(ix->view)) != NULL) {
		find_deaths(b, &d);
		rc = swap(ix, v, s, &d);
	}
	pthread_mutex_unlock(&ix->writer);
	rk_free(d.v);
	rk_free(d.path);
	return rc;
}

/* What became of the files while nobody knew their new names. */
static void compare(struct batch *b, const struct rk_task *t)
{
	for (size_t i = 0; i < b->n; i++) {
		struct stat st;

		if (rk_stat_document(b->ix, b->v[i].to, &st) < 0 ||
		    !rk_is_unchanged(&b->v[i].d.rec, &st))
			rk_queue_push_child(&b->ix->queue, t, b->v[i].to,
					    RK_TASK_FORCE);
	}
}

static int move(struct batch *b, const struct rk_task *t)
{
	struct rk_remap map = {NULL, 0};
	struct rk_segment *seg = NULL;
	int rc = add_sources(b);

	if (rc == 0)
		rc = rk_write_segment(b->ix, b->src, b->nsrc, &map, &seg);
	if (rc == 0 && seg && (rc = publish(b, seg)) == 0)
		compare(b, t);
	rk_segment_unref(seg);
	rk_remap_release(&map);
	release_sources(b);
	return rc;
}

/* --- moves that wait --- */

/* Linked sources follow their folder (watch.c), and readers change nothing. */
static size_t is_ours(struct rk_index *ix, const struct rk_move *m)
{
	char root[PATH_MAX];
	const char *rest;

	return !(ix->flags & RK_READ_ONLY) &&
	       !rk_link_of(ix, m->from, root, &rest) &&
	       !rk_link_of(ix, m->to, root, &rest);
}

static void take_moves(struct batch *b)
{
	size_t n = 0;

	pthread_mutex_lock(&b->ix->touching);
	b->moves = b->ix->moves;
	b->ix->moves = (struct rk_moves){NULL, 0, 0};
	pthread_mutex_unlock(&b->ix->touching);
	for (size_t i = 0; i < b->moves.n; i++)
		n += is_ours(b->ix, &b->moves.v[i]);
	if (n < b->moves.n) /* rare: then all are read again */
		rk_moves_release(&b->moves);
}

static void merge_soon(struct rk_index *ix)
{
	unsigned nsegs;

	pthread_mutex_lock(&ix->lock);
	nsegs = ix->view->nsegs;
	pthread_mutex_unlock(&ix->lock);
	if (nsegs > SEGS_MANY) {
		pthread_mutex_lock(&ix->persist_lock);
		ix->want_checkpoint++;
		pthread_mutex_unlock(&ix->persist_lock);
	}
	rk_persist_wake(ix);
}

void rk_rename_known(struct rk_index *ix, struct rk_worker *w,
		     const struct rk_task *t)
{
	struct batch *b;
	struct rk_snapshot snap = {.view = NULL};

	pthread_mutex_lock(&ix->moving);
	b = rk_calloc(1, sizeof(*b));
	if (b) {
		b->ix = ix;
		b->w = w;
		take_moves(b);
	}
	if (b && b->moves.n && collect(b, &snap) == 0 && b->n &&
	    move(b, t) == 0)
		merge_soon(ix);
	if (snap.view)
		rk_snapshot_release(&snap);
	if (b) {
		rk_moves_release(&b->moves);
		rk_arena_release(&b->arena);
		rk_free(b->v);
	}
	rk_free(b);
	pthread_mutex_unlock(&ix->moving);
}
