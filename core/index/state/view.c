/* SPDX-License-Identifier: MIT */
#include "index/state/view.h"
#include "index/state/internal.h"
#include "base/mem.h"
#include "base/lock.h"
#include <assert.h>
#include <string.h>

struct rk_view *rk_view_new(void)
{
	struct rk_view *v = rk_calloc(1, sizeof(*v));

	if (v)
		v->refs = 1;
	return v;
}

struct rk_view *rk_view_copy(const struct rk_view *v)
{
	struct rk_view *c = rk_view_new();

	if (!c)
		return NULL;
	/* all but the count of references, which changes meanwhile */
	c->nsegs = v->nsegs;
	c->nmems = v->nmems;
	memcpy(c->segs, v->segs, sizeof(c->segs));
	memcpy(c->mems, v->mems, sizeof(c->mems));
	for (unsigned i = 0; i < c->nsegs; i++)
		rk_segment_ref(c->segs[i]);
	for (unsigned i = 0; i < c->nmems; i++)
		rk_memtable_ref(c->mems[i]);
	return c;
}

void rk_view_unref(struct rk_view *v)
{
	assert(!v || v->refs > 0);
	if (!v || --v->refs > 0)
		return;
	for (unsigned i = 0; i < v->nsegs; i++)
		rk_segment_unref(v->segs[i]);
	for (unsigned i = 0; i < v->nmems; i++)
		rk_memtable_unref(v->mems[i]);
	rk_free(v);
}

void rk_snapshot_take(struct rk_index *ix, struct rk_snapshot *s)
{
	pthread_mutex_lock(&ix->lock);
	s->view = ix->view;
	s->view->refs++;
	s->generation = ix->generation;
	s->stats = ix->stats;
	s->space = rk_embspace_ref(ix->space);
	for (unsigned i = 0; i < s->view->nsegs; i++) {
		s->vecs[i] = rk_vectors_ref(s->view->segs[i]->vec);
		s->anns[i] = rk_ann_ref(s->vecs[i] ? s->vecs[i]->ann : NULL);
	}
	pthread_mutex_unlock(&ix->lock);
}

void rk_new_generation(struct rk_index *ix)
{
	pthread_mutex_lock(&ix->lock);
	__atomic_store_n(&ix->generation, ix->generation + 1, __ATOMIC_RELEASE);
	rk_note_all(ix);
	pthread_mutex_unlock(&ix->lock);
}

void rk_snapshot_release(struct rk_snapshot *s)
{
	for (unsigned i = 0; s->view && i < s->view->nsegs; i++) {
		rk_vectors_unref(s->vecs[i]);
		rk_ann_unref(s->anns[i]);
	}
	rk_embspace_unref(s->space);
	s->space = NULL;
	rk_view_unref(s->view);
	s->view = NULL;
}

/* Dead chunks count with the rest: what matters is what is missing. */
static void count_vectors(const struct rk_snapshot *s, uint64_t *have,
			  uint64_t *all)
{
	const struct rk_view *v = s->view;

	*have = *all = 0;
	for (unsigned i = 0; i < v->nsegs; i++) {
		*all += v->segs[i]->nchunks;
		if (s->vecs[i]) /* a chunk without words has no vector */
			*have += s->vecs[i]->complete ? v->segs[i]->nchunks
						      : s->vecs[i]->filled;
	}
	for (unsigned i = 0; i < v->nmems; i++) {
		struct rk_memtable *m = v->mems[i];
		struct rk_memtable_size size;

		rk_memtable_size(m, &size);
		*all += size.chunks;
		if (m->vec_space == s->space->number)
			*have += rk_embspace_is_local(s->space) ? size.chunks
								: m->vec_done;
	}
}

uint64_t rk_vectors_there(const struct rk_snapshot *s)
{
	uint64_t have, all;

	count_vectors(s, &have, &all);
	return have;
}

int rk_vectors_percent(const struct rk_snapshot *s)
{
	uint64_t have, all;

	if (s->space->stride == 0)
		return -1;
	count_vectors(s, &have, &all);
	return all ? (int)(have * 100 / all) : 100;
}

static int find_in_segments(struct rk_index *ix, const char *path, size_t n,
			    struct rk_docref *out)
{
	const struct rk_view *v = ix->view;

	for (unsigned i = v->nsegs; i-- > 0;) {
		struct rk_segment *s = v->segs[i];
		int64_t doc = rk_segment_find(s, path, n);
		const struct rk_doc_rec *r;

		/* a damaged segment is about to be dropped: look on */
		if (doc < 0 || rk_segment_dead(s, (uint32_t)doc))
			continue;
		if (!(r = rk_segment_doc(s, (uint32_t)doc)))
			continue;
		*out = (struct rk_docref){s, NULL, (uint32_t)doc, *r};
		return 1;
	}
	return 0;
}

int rk_find_live(struct rk_index *ix, const char *path, size_t n,
		 struct rk_docref *out)
{
	const struct rk_view *v = ix->view;

	rk_assert_held(&ix->writer);
	for (unsigned i = v->nmems; i-- > 0;) {
		struct rk_memtable *m = v->mems[i];
		int64_t doc = rk_memtable_find(m, path, n);

		if (doc < 0 || rk_mdoc_dead(&m->docs[doc]))
			continue;
		*out = (struct rk_docref){NULL, m, (uint32_t)doc,
					  m->docs[doc].rec};
		return 1;
	}
	return find_in_segments(ix, path, n, out);
}

static int each_in_memtable(struct rk_memtable *m, const char *prefix,
			    rk_doc_fn *fn, void *ctx)
{
	size_t n = strlen(prefix);
	int rc = 0;

	for (uint32_t d = 0; d < m->ndocs && rc == 0; d++) {
		const char *path = rk_memtable_path(m, d);
		struct rk_docref ref = {NULL, m, d, m->docs[d].rec};

		if (rk_mdoc_dead(&m->docs[d]) ||
		    rk_mdoc_born(&m->docs[d]) == UINT32_MAX ||
		    strncmp(path, prefix, n) != 0)
			continue;
		rc = fn(ctx, &ref, path);
	}
	return rc;
}

/* 0: go on, 1: past the prefix, negative: fn's wish */
static int visit_rank(struct rk_segment *s, uint32_t rank, const char *prefix,
		      rk_doc_fn *fn, void *ctx)
{
	int64_t doc = rk_segment_by_rank(s, rank);
	const struct rk_doc_rec *r;
	struct rk_docref ref;
	const char *p;
	char path[4096];
	size_t n = strlen(prefix);

	if (doc < 0 || !(r = rk_segment_doc(s, (uint32_t)doc)) ||
	    !(p = rk_segment_path(s, r)))
		return 1;
	if (r->path_n < n || memcmp(p, prefix, n) != 0)
		return 1;
	if (r->path_n >= sizeof(path) || rk_segment_dead(s, (uint32_t)doc))
		return 0;
	memcpy(path, p, r->path_n);
	path[r->path_n] = '\0';
	ref = (struct rk_docref){s, NULL, (uint32_t)doc, *r};
	return fn(ctx, &ref, path);
}

static int each_in_segment(struct rk_segment *s, const char *prefix,
			   rk_doc_fn *fn, void *ctx)
{
	int64_t rank = rk_segment_lower(s, prefix, strlen(prefix));
	int rc = 0;

	if (rank < 0)
		return 0;
	for (uint32_t r = (uint32_t)rank; r < s->ndocs && rc == 0; r++)
		rc = visit_rank(s, r, prefix, fn, ctx);
	return rc < 0 ? rc : 0;
}

int rk_each_live(struct rk_index *ix, const char *prefix, rk_doc_fn *fn,
		 void *ctx)
{
	const struct rk_view *v = ix->view;
	int rc = 0;

	rk_assert_held(&ix->writer);
	for (unsigned i = 0; i < v->nsegs && rc == 0; i++)
		rc = each_in_segment(v->segs[i], prefix, fn, ctx);
	for (unsigned i = 0; i < v->nmems && rc == 0; i++)
		rc = each_in_memtable(v->mems[i], prefix, fn, ctx);
	return rc;
}

int rk_delete_doc(struct rk_index *ix, const struct rk_docref *d, uint32_t gen)
{
	const rk_norm *norms;
	int rc = 0;

	rk_assert_held(&ix->writer);
	rk_assert_held(&ix->lock);
	assert(gen == ix->generation + 1);
	norms = d->seg ? rk_segment_norms(d->seg) : d->mem->norms;
	if (d->seg)
		rc = rk_segment_kill(d->seg, d->doc, gen);
	else
		__atomic_store_n(&d->mem->docs[d->doc].dead, gen,
				 __ATOMIC_RELAXED);
	if (rc < 0)
		return rc;
	ix->stats.docs--;
	ix->stats.chunks -= d->rec.nchunks;
	for (uint32_t c = d->rec.chunk0;
	     norms && c < d->rec.chunk0 + d->rec.nchunks; c++) {
		ix->stats.body_sum -= rk_norm_body(norms[c]);
		ix->stats.head_sum -= rk_norm_head(norms[c]);
	}
	return 0;
}

uint64_t rk_spoken(const struct rk_view *v, unsigned share)
{
	uint64_t docs[RK_SPOKEN] = {0}, all = 0, mask = 0;

	for (unsigned l = 0; l < RK_SPOKEN; l++) {
		for (unsigned i = 0; i < v->nsegs; i++)
			docs[l] += v->segs[i]->spoken[l];
		for (unsigned i = 0; i < v->nmems; i++)
			docs[l] += __atomic_load_n(&v->mems[i]->spoken[l],
						   __ATOMIC_RELAXED);
		all += docs[l];
	}
	for (unsigned l = 1; l < RK_LANGUAGES; l++)
		if (docs[l] && docs[l] * share >= all)
			mask |= 1ull << l;
	return mask;
}
