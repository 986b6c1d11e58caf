/* SPDX-License-Identifier: MIT */
/*
 * The embedding thread. Workers and merges bring vectors along where they
 * can; this thread makes what is missing: after a damaged or lost file, and
 * for a new embedding space. A new space (a fit on the grown index, or another
 * embedder) goes like this:
 *
 *   1  everything in memory is written to segments, and the fit is made
 *   2  ix->next is set: from here on new documents get vectors in it
 *   3  every segment gets vectors in it, beside those that serve
 *   4  when all have them, and no memory table of the old space is left, the
 *      spaces are swapped in one step, which is a generation of the index
 */
#include "index/vectors/embed.h"
#include "index/state/internal.h"
#include "index/vectors/embed_text.h"
#include "index/vectors/embspaces.h"
#include "base/mem.h"
#include "storage/fold.h"
#include "vector/embed/server.h"
#include "base/lock.h"
#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum {
	FIT_CHUNKS = 200, /* no fit below */
	TICK_MS = 100,
	POLL_MS = 10,
	RETRY_MS = 250, /* doubled with each failure in a row */
	RETRY_MAX_MS = 8000,
	NICE = 10,
	INDEX_ROWS = 2000, /* fewer vectors are scanned as they are */
	COOL_MS = 500,
	COOL_MIB = 32,	  /* mapped vectors of more are given back */
	BUSY_WAIT_S = 20, /* a bulk load delays a fit at most so long */
};

/* --- the fit --- */

/* Needs `lock`. */
static int needs_fit(const struct rk_index *ix)
{
	const struct rk_latent *l = ix->space->latent;

	rk_assert_held(&ix->lock);
	return !ix->next && !ix->foreign && l &&
	       ix->stats.chunks >= FIT_CHUNKS &&
	       (ix->refit_wanted || ix->stats.chunks >= 2 * l->chunks);
}

static int fit_due(struct rk_index *ix)
{
	int due;

	pthread_mutex_lock(&ix->lock);
	due = needs_fit(ix);
	pthread_mutex_unlock(&ix->lock);
	return due;
}

static int fit(struct rk_index *ix, struct rk_latent **out)
{
	struct rk_snapshot snap;
	struct rk_sampled s;
	int rc;

	rk_snapshot_take(ix, &snap);
	rc = rk_sample_segments(snap.view->segs, snap.view->nsegs,
				snap.generation, &ix->stopping, &s);
	rk_snapshot_release(&snap);
	if (rc == 0) {
		rc = rk_latent_fit(&s.sample, s.chunks, &ix->stopping, out);
		rk_sampled_release(&s);
	}
	return rc;
}

static int refit(struct rk_index *ix)
{
	struct rk_latent *l = NULL;
	struct rk_embspace *next;
	uint64_t number;
	int rc;

	/* before looking at the index: what is asked for later is another */
	pthread_mutex_lock(&ix->lock);
	ix->refit_wanted = 0;
	ix->refitting = 1;
	pthread_mutex_unlock(&ix->lock);
	rc = rk_checkpoint(ix);
	if (rc == 0)
		rc = fit(ix, &l);
	if (rc < 0)
		return rc;
	pthread_mutex_lock(&ix->lock);
	number = ix->next_space++;
	pthread_mutex_unlock(&ix->lock);
	rc = rk_latent_write(ix->env->io, ix->dir_fd, number, l);
	if (rc < 0) {
		rk_latent_unref(l);
		return rc;
	}
	if ((rc = rk_embspace_new(number, l, NULL, &next)) < 0)
		return rc;
	return rk_begin_embspace(ix, next);
}

/* --- vectors of segments --- */

/*
 * A segment whose vectors in this space are not complete: a reference, or
 * NULL; *old gets a reference to what there is.
 */
static struct rk_segment *find_bare(struct rk_index *ix,
				    const struct rk_embspace *sp,
				    struct rk_vectors **old)
{
	struct rk_segment *found = NULL;

	pthread_mutex_lock(&ix->lock);
	for (unsigned i = 0; i < ix->view->nsegs && !found; i++) {
		struct rk_segment *s = ix->view->segs[i];
		struct rk_vectors **v = sp == ix->next ? &s->vec_next : &s->vec;

		if (*v && ((*v)->damaged || (*v)->space != sp->number)) {
			rk_vectors_unref(*v);
			*v = NULL;
		}
		if ((!*v || !(*v)->complete) && !s->damaged) {
			found = rk_segment_ref(s);
			*old = rk_vectors_ref(*v);
		}
	}
	pthread_mutex_unlock(&ix->lock);
	return found;
}

static void attach(struct rk_index *ix, const struct rk_embspace *sp,
		   struct rk_segment *seg, struct rk_vectors *v)
{
	struct rk_vectors **slot;

	pthread_mutex_lock(&ix->lock);
	slot = sp == ix->next ? &seg->vec_next : &seg->vec;
	if (sp == ix->next || sp == ix->space) {
		rk_vectors_unref(*slot);
		*slot = v;
		v = NULL;
	}
	if (sp == ix->space) {
		__atomic_store_n(&ix->generation, ix->generation + 1,
				 __ATOMIC_RELEASE);
		ix->dirty = 1;
	}
	ix->vectors_busy = 0;
	pthread_mutex_unlock(&ix->lock);
	rk_vectors_unref(v);
}

static int build(struct rk_index *ix, const struct rk_embspace *sp,
		 struct rk_segment *seg, struct rk_vectors *old)
{
	struct rk_vectors *v = NULL;
	uint64_t id;
	int rc;

	pthread_mutex_lock(&ix->lock);
	id = ix->vectors_busy = ix->next_vectors++;
	pthread_mutex_unlock(&ix->lock);
	if (sp->latent)
		rc = rk_fold_segment(ix->env->io, ix->dir_fd, id, sp->number,
				     sp->latent, seg, &ix->stopping);
	else
		rc = rk_embed_segment(ix, sp, seg, old, id);
	if (rc == 0)
		rc = rk_vectors_open(ix->env->io, ix->dir_fd, id, &v);
	if (rc == 0) {
		attach(ix, sp, seg, v);
		return 0;
	}
	pthread_mutex_lock(&ix->lock);
	ix->vectors_busy = 0;
	pthread_mutex_unlock(&ix->lock);
	return rc;
}

/* 1: made some, 0: nothing is missing */
static int build_one(struct rk_index *ix)
{
	struct rk_embspace *sp = rk_target_embspace(ix);
	struct rk_vectors *old = NULL;
	struct rk_segment *seg = NULL;
	int rc = 0;

	if (sp->stride)
		seg = find_bare(ix, sp, &old);
	if (seg) {
		rc = build(ix, sp, seg, old);
		rc = rc < 0 ? rc : 1;
	} else if (!rk_embspace_is_local(sp)) {
		rc = rk_embed_memtable(ix, sp);
	}
	rk_vectors_unref(old);
	rk_segment_unref(seg);
	rk_embspace_unref(sp);
	return rc;
}

/* --- indexes over vectors --- */

enum rk_ann_type rk_wanted_ann(struct rk_index *ix)
{
	char name[sizeof(ix->config.vector_index)];
	int t;

	pthread_mutex_lock(&ix->config_lock);
	memcpy(name, ix->config.vector_index, sizeof(name));
	pthread_mutex_unlock(&ix->config_lock);
	t = rk_ann_type_by_name(name);
	return t < 0 ? RK_ANN_IVF : (enum rk_ann_type)t; /* "auto" */
}

/* Vectors that serve without the index they should have; a reference. */
static struct rk_vectors *find_unindexed(struct rk_index *ix,
					 enum rk_ann_type t)
{
	struct rk_vectors *found = NULL;

	pthread_mutex_lock(&ix->lock);
	for (unsigned i = 0; i < ix->view->nsegs && !found; i++) {
		struct rk_vectors *v = ix->view->segs[i]->vec;
		int has =
			v && v->ann ? (int)rk_ann_type_of(v->ann) : RK_ANN_FLAT;

		if (v && !v->damaged && v->rows >= INDEX_ROWS && has != (int)t)
			found = rk_vectors_ref(v);
	}
	pthread_mutex_unlock(&ix->lock);
	return found;
}

static int index_vectors(struct rk_index *ix, struct rk_vectors *v,
			 enum rk_ann_type t)
{
	const struct rk_io *io = ix->env->io;
	struct rk_ann *a = NULL, *old;
	int rc = 0;

	if (t != RK_ANN_FLAT) {
		rc = rk_ann_open(io, ix->dir_fd, t, v, &a);
		if (rc < 0 && rc != -ENOMEM &&
		    (rc = rk_ann_build(io, ix->dir_fd, t, v, &ix->stopping)) ==
			    0)
			rc = rk_ann_open(io, ix->dir_fd, t, v, &a);
	}
	if (rc < 0)
		return rc;
	pthread_mutex_lock(&ix->lock);
	old = v->ann;
	v->ann = a;
	if (old)
		ix->dirty = 1; /* a checkpoint removes its file */
	pthread_mutex_unlock(&ix->lock);
	rk_ann_unref(old);
	return 0;
}

/* 1: built one, 0: all are there */
static int index_one(struct rk_index *ix)
{
	enum rk_ann_type t = rk_wanted_ann(ix);
	struct rk_vectors *v = find_unindexed(ix, t);
	int rc = v ? index_vectors(ix, v, t) : 0;

	rc = v && rc == 0 ? 1 : rc;
	rk_vectors_unref(v);
	return rc;
}

int rk_embed_pending(struct rk_index *ix)
{
	int pending;

	pthread_mutex_lock(&ix->lock);
	pending = ix->next != NULL || ix->refitting || needs_fit(ix);
	for (unsigned i = 0; i < ix->view->nsegs && ix->space->stride; i++)
		pending |= !ix->view->segs[i]->vec ||
			   !ix->view->segs[i]->vec->complete;
	for (unsigned i = 0; i < ix->view->nmems; i++)
		pending |= !rk_embspace_is_local(ix->space) &&
			   ix->view->mems[i]->vec_done <
				   ix->view->mems[i]->nchunks;
	pending |= ix->switch_wanted || ix->awaited;
	pthread_mutex_unlock(&ix->lock);
	if (!pending) {
		struct rk_vectors *v = find_unindexed(ix, rk_wanted_ann(ix));

		pending = v != NULL;
		rk_vectors_unref(v);
	}
	return pending;
}

/* --- the swap --- */

static int all_ready(const struct rk_index *ix)
{
	const struct rk_view *v = ix->view;

	rk_assert_held(&ix->lock);
	for (unsigned i = 0; i < v->nmems; i++)
		if (v->mems[i]->vec_space != ix->next->number)
			return 0;
	for (unsigned i = 0; i < v->nsegs; i++)
		if (ix->next->stride && !v->segs[i]->vec_next)
			return 0;
	return 1;
}

static void swap_spaces(struct rk_index *ix)
{
	struct rk_embspace *old = ix->space;

	rk_assert_held(&ix->lock);
	for (unsigned i = 0; i < ix->view->nsegs; i++) {
		struct rk_segment *s = ix->view->segs[i];

		rk_vectors_unref(s->vec);
		s->vec = s->vec_next;
		s->vec_next = NULL;
	}
	ix->space = ix->next;
	ix->next = NULL;
	ix->foreign = 0;
	ix->dirty = 1;
	__atomic_store_n(&ix->generation, ix->generation + 1, __ATOMIC_RELEASE);
	rk_embspace_unref(old);
}

/* 1: swapped, 0: not yet */
static int try_swap(struct rk_index *ix)
{
	int ready = 0;

	pthread_mutex_lock(&ix->writer);
	pthread_mutex_lock(&ix->lock);
	if (ix->next && all_ready(ix)) {
		swap_spaces(ix);
		ready = 1;
	}
	pthread_mutex_unlock(&ix->lock);
	pthread_mutex_unlock(&ix->writer);
	return ready;
}

/* --- waiting --- */

static void wait_ms(struct rk_index *ix, unsigned ms)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	ts.tv_nsec += (long)ms * 1000000;
	ts.tv_sec += ts.tv_nsec / 1000000000;
	ts.tv_nsec %= 1000000000;
	pthread_mutex_lock(&ix->persist_lock);
	if (!ix->stopping)
		pthread_cond_timedwait(&ix->embed_cond, &ix->persist_lock, &ts);
	pthread_mutex_unlock(&ix->persist_lock);
}

int rk_vectors_wait(struct rk_index *ix, int timeout_ms)
{
	uint64_t end = rk_mono_ns() + (uint64_t)timeout_ms * 1000000;

	if (ix->flags & RK_READ_ONLY)
		return RK_EREADONLY;
	while (rk_embed_pending(ix)) {
		if (ix->stopping)
			return RK_ECANCELLED;
		if (rk_mono_ns() >= end)
			return -ETIMEDOUT;
		pthread_mutex_lock(&ix->persist_lock);
		pthread_cond_broadcast(&ix->embed_cond);
		pthread_mutex_unlock(&ix->persist_lock);
		wait_ms(ix, POLL_MS);
	}
	return 0;
}

int rk_refit(struct rk_index *ix, int timeout_ms)
{
	if (ix->flags & RK_READ_ONLY)
		return RK_EREADONLY;
	rk_queue_barrier(&ix->queue, timeout_ms, NULL);
	pthread_mutex_lock(&ix->lock);
	ix->refit_wanted = 1;
	pthread_mutex_unlock(&ix->lock);
	return rk_vectors_wait(ix, timeout_ms);
}

/* --- the thread --- */

static int have_next(struct rk_index *ix)
{
	int have;

	pthread_mutex_lock(&ix->lock);
	have = ix->next != NULL;
	pthread_mutex_unlock(&ix->lock);
	return have;
}

/* One step. 1: something was done, 0: nothing is to do, negative: failed. */
static int step(struct rk_index *ix, uint64_t *due_since_ns)
{
	uint64_t now = rk_mono_ns();
	int rc = rk_switch_embedder(ix);

	if (rc == 0)
		rc = rk_probe_embedder(ix);
	if (rc == 0)
		rc = build_one(ix);
	if (rc != 0)
		return rc;
	if (have_next(ix)) {
		if (try_swap(ix))
			return rk_checkpoint(ix) < 0 ? 0 : 1;
		/* tables of the old space are still in memory */
		rc = rk_checkpoint(ix);
		return rc < 0 ? rc : 1;
	}
	if (!fit_due(ix)) {
		*due_since_ns = 0;
		return index_one(ix);
	}
	if (*due_since_ns == 0)
		*due_since_ns = now;
	if (rk_pending(ix) &&
	    now - *due_since_ns < (uint64_t)BUSY_WAIT_S * 1000000000)
		return 0; /* let a bulk load finish: one fit instead of ten */
	rc = refit(ix);
	pthread_mutex_lock(&ix->lock);
	ix->refitting = 0;
	pthread_mutex_unlock(&ix->lock);
	return rc < 0 ? rc : 1;
}

/*
 * Ranking touches rows all over the files of vectors, and each brings pages
 * around it: give them back now and then, so that what is resident stays what
 * is in use.
 */
static void cool_vectors(struct rk_index *ix, uint64_t *next_ns)
{
	uint64_t now = rk_mono_ns();
	struct rk_snapshot snap;

	if (now < *next_ns)
		return;
	*next_ns = now + COOL_MS * 1000000ull;
	rk_snapshot_take(ix, &snap);
	for (unsigned i = 0; i < snap.view->nsegs; i++)
		if (snap.vecs[i] &&
		    rk_vectors_bytes(snap.vecs[i]) > (uint64_t)COOL_MIB << 20)
			rk_container_cool(snap.vecs[i]->c);
	rk_snapshot_release(&snap);
}

/* A server says in its own words what is wrong. */
static void after_failure(struct rk_index *ix, int rc)
{
	struct rk_embspace *sp = rk_target_embspace(ix);
	struct rk_embedder *e = ix->awaited ? ix->awaited : sp->embedder;
	char text[256] = "";

	if (e && e->remote)
		rk_server_error(e, text, sizeof(text));
	rk_warn(&ix->warnings, "vectors: %s%s", *text ? "server: " : "",
		*text ? text : rk_strerror(rc));
	if (rc == -EPROTO && sp->embedder && sp->embedder->remote)
		rk_check_dimension(ix);
	rk_embspace_unref(sp);
}

void *rk_embed_main(void *arg)
{
	struct rk_index *ix = arg;
	uint64_t due_since_ns = 0, cool_ns = 0;
	unsigned retry_ms = RETRY_MS;

	setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), NICE);
	while (!ix->stopping) {
		int rc;

		rc = step(ix, &due_since_ns);
		if (rc < 0 && !ix->stopping)
			after_failure(ix, rc);
		if (rc > 0) /* fits and builds leave much behind */
			malloc_trim(0);
		cool_vectors(ix, &cool_ns);
		if (rc <= 0)
			wait_ms(ix, rc < 0 ? retry_ms : TICK_MS);
		retry_ms = rc >= 0			 ? RETRY_MS
			   : retry_ms * 2 < RETRY_MAX_MS ? retry_ms * 2
							 : RETRY_MAX_MS;
	}
	return NULL;
}
