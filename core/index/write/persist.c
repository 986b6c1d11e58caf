/* SPDX-License-Identifier: MIT */
/*
 * One background thread: memory tables become segments, segments become
 * fewer, manifests follow (checkpoint.c).
 */
#include "index/write/persist.h"
#include "index/state/internal.h"
#include "index/state/tables.h"
#include "index/write/cache.h"
#include "index/write/checkpoint.h"
#include "base/mem.h"
#include "storage/compact.h"
#include "storage/merge.h"
#include <assert.h>
#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { TICK_MS = 200, RETRY_MS = 2000, COMPACT_ALL = 2 };

static unsigned count_tables(struct rk_index *ix)
{
	unsigned n;

	pthread_mutex_lock(&ix->lock);
	n = ix->view->nmems;
	pthread_mutex_unlock(&ix->lock);
	return n;
}

void rk_wait_for_room(struct rk_index *ix)
{
	pthread_mutex_lock(&ix->persist_lock);
	pthread_cond_broadcast(&ix->persist_cond);
	/* room is made before it is told of: look first, with this lock */
	while (count_tables(ix) > 1 && !ix->stopping)
		pthread_cond_wait(&ix->room_cond, &ix->persist_lock);
	pthread_mutex_unlock(&ix->persist_lock);
}

/* Deaths that came while a segment was being written. */
static int transfer_dead(struct rk_view *v, unsigned from, unsigned n,
			 struct rk_memtable *mem, const struct rk_remap *map,
			 struct rk_segment *to)
{
	int rc = 0;

	assert(map->n == (mem ? 1 : n) && from + n <= v->nsegs);
	for (uint32_t d = 0; mem && d < mem->ndocs && rc == 0; d++) {
		uint32_t gen = rk_mdoc_dead(&mem->docs[d]);

		if (gen && map->doc[0][d] != UINT32_MAX)
			rc = rk_segment_kill(to, map->doc[0][d], gen);
	}
	for (unsigned i = 0; !mem && i < n; i++) {
		const struct rk_segment *s = v->segs[from + i];

		for (uint32_t d = 0; s->dead && d < s->ndocs && rc == 0; d++)
			if (s->dead[d] && map->doc[i][d] != UINT32_MAX)
				rc = rk_segment_kill(to, map->doc[i][d],
						     s->dead[d]);
	}
	return rc;
}

/*
 * Replace segments [from, from+n), or memory table 0 when mem is given, by
 * the segment `to` (NULL: by nothing).
 */
static int swap_in(struct rk_index *ix, unsigned from, unsigned n,
		   struct rk_memtable *mem, const struct rk_remap *map,
		   struct rk_segment *to)
{
	struct rk_view *v;
	int rc = 0;

	pthread_mutex_lock(&ix->writer);
	v = rk_view_copy(ix->view);
	if (!v)
		rc = -ENOMEM;
	if (rc == 0 && to)
		rc = transfer_dead(v, from, n, mem, map, to);
	if (rc == 0) {
		for (unsigned i = from; i < from + n; i++)
			rk_segment_unref(v->segs[i]);
		memmove(&v->segs[from + (to != NULL)], &v->segs[from + n],
			(v->nsegs - from - n) * sizeof(v->segs[0]));
		v->nsegs -= n;
		if (to) {
			v->segs[from] = rk_segment_ref(to);
			v->nsegs++;
		}
		if (mem) {
			ix->floor = mem->floor;
			rk_memtable_unref(v->mems[0]);
			memmove(&v->mems[0], &v->mems[1],
				--v->nmems * sizeof(v->mems[0]));
		}
		ix->dirty = 1;
		rk_view_swap(ix, v);
		v = NULL;
	}
	rk_view_unref(v);
	pthread_mutex_unlock(&ix->writer);
	return rc;
}

static uint64_t take_segment_id(struct rk_index *ix)
{
	uint64_t id;

	pthread_mutex_lock(&ix->lock);
	id = ix->next_segment++;
	pthread_mutex_unlock(&ix->lock);
	return id;
}

/* Have all sources vectors in this space? Borrows them into src[].vec. */
static int take_vectors(struct rk_index *ix, struct rk_source *src, unsigned n,
			const struct rk_embspace *sp, int *complete)
{
	int all = 1;

	*complete = 1;
	pthread_mutex_lock(&ix->lock);
	for (unsigned i = 0; i < n; i++) {
		const struct rk_memtable *m = src[i].mem;
		struct rk_segment *s = src[i].seg;

		if (m) {
			all &= m->vec_space == sp->number && m->vec_stride > 0;
			*complete &= rk_embspace_is_local(sp) ||
				     m->vec_done == m->nchunks;
			continue;
		}
		src[i].vec = s->vec && s->vec->space == sp->number ? s->vec
			     : s->vec_next && s->vec_next->space == sp->number
				     ? s->vec_next
				     : NULL;
		all &= rk_vectors_ref(src[i].vec) != NULL;
		*complete &= src[i].vec && src[i].vec->complete;
	}
	pthread_mutex_unlock(&ix->lock);
	return all;
}

static void drop_vectors(struct rk_source *src, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		rk_vectors_unref(src[i].vec);
		src[i].vec = NULL;
	}
}

/*
 * Bring the vectors of one space along into `slot` of the new segment. What
 * cannot be, the embedding thread makes again.
 */
static void merge_vectors(struct rk_index *ix, struct rk_source *src,
			  unsigned n, const struct rk_remap *map,
			  const struct rk_embspace *sp,
			  struct rk_vectors **slot)
{
	uint64_t id;
	int complete;

	if (!sp || sp->stride == 0)
		return;
	if (take_vectors(ix, src, n, sp, &complete)) {
		id = rk_take_vectors_id(ix);
		if (rk_merge_vectors(ix->env->io, ix->dir_fd, id, sp->number,
				     sp->dim, src, n, map, complete) == 0)
			rk_vectors_open(ix->env->io, ix->dir_fd, id, slot);
	}
	drop_vectors(src, n);
}

int rk_write_segment(struct rk_index *ix, struct rk_source *src, unsigned n,
		     struct rk_remap *map, struct rk_segment **out)
{
	uint64_t id = take_segment_id(ix);
	int64_t docs = rk_merge(ix->env->io, ix->dir_fd, id, src, n, NULL, map);
	struct rk_embspace *space, *next;
	int rc;

	assert(n > 0);
	*out = NULL;
	if (docs <= 0)
		return (int)docs;
	if ((rc = rk_segment_open(ix->env->io, ix->dir_fd, id, out)) < 0)
		return rc;
	pthread_mutex_lock(&ix->lock);
	space = rk_embspace_ref(ix->space);
	next = rk_embspace_ref(ix->next);
	pthread_mutex_unlock(&ix->lock);
	merge_vectors(ix, src, n, map, space, &(*out)->vec);
	merge_vectors(ix, src, n, map, next, &(*out)->vec_next);
	rk_embspace_unref(space);
	rk_embspace_unref(next);
	return 0;
}

/* Write the oldest frozen table out. 1: done, 0: there is none. */
static int flush_one(struct rk_index *ix)
{
	struct rk_remap map = {NULL, 0};
	struct rk_segment *seg = NULL;
	struct rk_memtable *mem;
	struct rk_snapshot snap;
	struct rk_source *src;
	unsigned nsegs;
	int rc;

	rk_snapshot_take(ix, &snap);
	if (snap.view->nmems < 2 || snap.view->nsegs == RK_SEGS_MAX) {
		rk_snapshot_release(&snap);
		return 0;
	}
	mem = snap.view->mems[0];
	nsegs = snap.view->nsegs;
	src = rk_malloc(sizeof(*src));
	rc = src ? rk_source_memtable(src, mem) : -ENOMEM;
	if (rc == 0)
		rc = rk_write_segment(ix, src, 1, &map, &seg);
	if (src)
		rk_source_release(src);
	rk_free(src);
	if (rc == 0)
		rc = swap_in(ix, nsegs, 0, mem, &map, seg);
	rk_segment_unref(seg);
	rk_remap_release(&map);
	rk_snapshot_release(&snap);
	malloc_trim(0); /* a table is many small pieces: give them back */
	pthread_mutex_lock(&ix->persist_lock);
	pthread_cond_broadcast(&ix->room_cond);
	pthread_mutex_unlock(&ix->persist_lock);
	return rc < 0 ? rc : 1;
}

static int merge_run(struct rk_index *ix, struct rk_view *v, unsigned first,
		     unsigned n)
{
	struct rk_source *src = rk_calloc(n, sizeof(*src));
	struct rk_remap map = {NULL, 0};
	struct rk_segment *seg = NULL;
	int rc = src ? 0 : -ENOMEM;

	for (unsigned i = 0; i < n && rc == 0; i++)
		rc = rk_source_segment(&src[i], v->segs[first + i]);
	if (rc == 0)
		rc = rk_write_segment(ix, src, n, &map, &seg);
	if (rc == 0)
		rc = swap_in(ix, first, n, NULL, &map, seg);
	rk_segment_unref(seg);
	rk_remap_release(&map);
	rk_free(src);
	return rc;
}

static size_t pick(const struct rk_snapshot *snap, int all, size_t *first)
{
	const struct rk_view *v = snap->view;
	struct rk_compact_seg s[RK_SEGS_MAX];

	for (unsigned i = 0; i < v->nsegs; i++)
		s[i] = (struct rk_compact_seg){
			.bytes = rk_segment_bytes(v->segs[i]),
			.docs = v->segs[i]->ndocs,
			.dead = v->segs[i]->ndead,
			.vectors = (uint64_t)v->segs[i]->nchunks *
				   snap->space->stride * sizeof(float),
		};
	*first = 0;
	return all ? rk_compact_all(s, v->nsegs, first)
		   : rk_compact_pick(s, v->nsegs, first);
}

/* One merge, if one is due. 1: done, 0: none was due. */
static int compact_one(struct rk_index *ix, int all)
{
	struct rk_snapshot snap;
	size_t first, n;
	int rc = 0;

	rk_snapshot_take(ix, &snap);
	n = pick(&snap, all, &first);
	if (n)
		rc = merge_run(ix, snap.view, (unsigned)first, (unsigned)n);
	rk_snapshot_release(&snap);
	return rc < 0 ? rc : n > 0;
}

static int freeze_active(struct rk_index *ix)
{
	int rc;

	pthread_mutex_lock(&ix->writer);
	rc = rk_freeze(ix);
	pthread_mutex_lock(&ix->lock);
	ix->dirty_since_ns = 0;
	/* nothing in memory: the floor is the queue's own */
	if (rc == 0 && ix->view->nmems == 1)
		ix->floor = rk_queue_floor(&ix->queue);
	pthread_mutex_unlock(&ix->lock);
	pthread_mutex_unlock(&ix->writer);
	return rc;
}

static int is_dirty(struct rk_index *ix)
{
	int d;

	pthread_mutex_lock(&ix->lock);
	d = ix->dirty;
	pthread_mutex_unlock(&ix->lock);
	return d;
}

static int flush_all(struct rk_index *ix)
{
	int rc;

	while ((rc = flush_one(ix)) == 1)
		;
	return rc;
}

/* What was flushed is made durable even if merging fails. */
static int do_checkpoint(struct rk_index *ix, int compact)
{
	int retain = (int)rk_config_int(ix, "retain");
	int rc = freeze_active(ix), merged = 0;

	if (rc == 0)
		rc = flush_all(ix);
	while (rc == 0 &&
	       (merged = compact_one(ix, compact == COMPACT_ALL)) == 1)
		;
	if (rc == 0 && (is_dirty(ix) || compact == COMPACT_ALL))
		rc = rk_commit_manifest(ix,
					compact == COMPACT_ALL ? 1 : retain);
	return rc < 0 ? rc : merged;
}

static int count_doc(void *ctx, const struct rk_docref *d, const char *path)
{
	const rk_norm *norms =
		d->seg ? rk_segment_norms(d->seg) : d->mem->norms;
	struct rk_corpus_stats *t = ctx;

	(void)path;
	t->docs++;
	t->chunks += d->rec.nchunks;
	for (uint32_t c = d->rec.chunk0;
	     norms && c < d->rec.chunk0 + d->rec.nchunks; c++) {
		t->body_sum += rk_norm_body(norms[c]);
		t->head_sum += rk_norm_head(norms[c]);
	}
	return 0;
}

/* What is left weighs as if the rest had never been. Under ix->writer. */
static void count_again(struct rk_index *ix)
{
	struct rk_corpus_stats t = {0};

	if (rk_each_live(ix, "", count_doc, &t) < 0)
		return;
	pthread_mutex_lock(&ix->lock);
	ix->stats = t;
	pthread_mutex_unlock(&ix->lock);
}

/* A damaged segment is set aside; its documents are read again. */
void rk_drop_damaged(struct rk_index *ix)
{
	struct rk_snapshot snap;
	const struct rk_io *io = ix->env->io;

	rk_snapshot_take(ix, &snap);
	for (unsigned i = 0; i < snap.view->nsegs; i++) {
		struct rk_segment *s = snap.view->segs[i];
		struct rk_view *v;
		char name[40], to[56];

		if (!s->damaged)
			continue;
		rk_segment_name(s->id, name);
		snprintf(to, sizeof(to), "%s.damaged", name);
		rk_warn(&ix->warnings,
			"%s: damaged; its documents are indexed again", name);
		pthread_mutex_lock(&ix->writer);
		v = rk_view_copy(ix->view);
		for (unsigned k = 0; v && k < v->nsegs; k++)
			if (v->segs[k] == s) {
				rk_segment_unref(s);
				memmove(&v->segs[k], &v->segs[k + 1],
					(--v->nsegs - k) * sizeof(v->segs[0]));
			}
		if (v) {
			rk_view_swap(ix, v);
			count_again(ix);
			pthread_mutex_lock(&ix->lock);
			ix->dirty = 1;
			pthread_mutex_unlock(&ix->lock);
			io->rename(io->ctx, ix->dir_fd, name, to);
		}
		pthread_mutex_unlock(&ix->writer);
		rk_reindex(ix, 0);
	}
	rk_snapshot_release(&snap);
}

static int any_damaged(struct rk_index *ix)
{
	struct rk_snapshot snap;
	int bad = 0;

	rk_snapshot_take(ix, &snap);
	for (unsigned i = 0; i < snap.view->nsegs; i++)
		bad |= snap.view->segs[i]->damaged;
	rk_snapshot_release(&snap);
	return bad;
}

/* --- the thread --- */

static void wait_tick(struct rk_index *ix, unsigned ms)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	ts.tv_nsec += (long)ms * 1000000;
	ts.tv_sec += ts.tv_nsec / 1000000000;
	ts.tv_nsec %= 1000000000;
	pthread_cond_timedwait(&ix->persist_cond, &ix->persist_lock, &ts);
}

static int memory_due(struct rk_index *ix)
{
	uint64_t age_ns =
		(uint64_t)rk_config_int(ix, "checkpoint_s") * 1000000000;
	int due;

	pthread_mutex_lock(&ix->lock);
	due = ix->view->nmems > 1 ||
	      (ix->dirty_since_ns &&
	       rk_mono_ns() - ix->dirty_since_ns > age_ns);
	pthread_mutex_unlock(&ix->lock);
	return due;
}

static void background_sync(struct rk_index *ix, uint64_t *next_ns)
{
	int64_t ms = rk_config_int(ix, "sync_ms");
	uint64_t now = rk_mono_ns();
	int rc;

	if (ms == 0 || now < *next_ns)
		return;
	*next_ns = now + (uint64_t)ms * 1000000;
	rc = rk_wal_sync(ix->wal, rk_wal_last(ix->wal));
	if (rc < 0)
		rk_warn(&ix->warnings,
			"the log cannot be synced (%s): changes are refused "
			"until the next mount",
			rk_strerror(rc));
}

/* Serve one request or due piece of work; persist_lock is given back. */
static int serve(struct rk_index *ix)
{
	uint64_t ckpt = ix->want_checkpoint, comp = ix->want_compact;
	int asked = ckpt > ix->did_checkpoint || comp > ix->did_compact;
	int rc = 0;

	pthread_mutex_unlock(&ix->persist_lock);
	if (any_damaged(ix))
		rk_drop_damaged(ix);
	if (asked || memory_due(ix)) {
		/* first: what the log still has makes its warnings again */
		rc = rk_warnings_store(&ix->warnings, ix->env->io, ix->dir_fd);
		if (rc == 0)
			rc = do_checkpoint(
				ix, comp > ix->did_compact ? COMPACT_ALL : 0);
		if (rc < 0)
			rk_warn(&ix->warnings, "checkpoint: %s",
				rk_strerror(rc));
	}
	pthread_mutex_lock(&ix->persist_lock);
	if (asked) {
		ix->did_checkpoint = ckpt;
		ix->did_compact = comp;
		ix->checkpoint_rc = rc;
		pthread_cond_broadcast(&ix->room_cond);
	}
	return rc;
}

void *rk_persist_main(void *arg)
{
	struct rk_index *ix = arg;
	uint64_t next_sync = 0, next_cache = 0;

	/* background work gives way to the rest (Linux: nice is per thread) */
	setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), 5);
	pthread_mutex_lock(&ix->persist_lock);
	while (!ix->stopping) {
		int rc = serve(ix);

		if (ix->stopping)
			break;
		if (rc < 0 || (ix->want_checkpoint == ix->did_checkpoint &&
			       ix->want_compact == ix->did_compact))
			wait_tick(ix, rc < 0 ? RETRY_MS : TICK_MS);
		pthread_mutex_unlock(&ix->persist_lock);
		background_sync(ix, &next_sync);
		rk_cache_tick(ix, &next_cache);
		pthread_mutex_lock(&ix->persist_lock);
	}
	pthread_mutex_unlock(&ix->persist_lock);
	return NULL;
}
