/* SPDX-License-Identifier: MIT */
/*
 * The chunks that a search looks at: the sources of its snapshot, and what a
 * chunk of one of them is.
 */
#include "index/search/candidates.h"
#include "index/search/corpus.h"
#include "index/documents/texts.h"
#include <assert.h>
#include <unistd.h>

static void add_segment(struct rk_searching *s, struct rk_segment *seg)
{
	struct rk_qsource *q = &s->src[s->nsrc++];
	struct rk_norms then = {.avg_body = seg->avg_body,
				.avg_head = seg->avg_head};

	*q = (struct rk_qsource){
		.seg = seg, .nchunks = seg->nchunks, .ndocs = seg->ndocs};
	q->norms = rk_segment_norms(seg);
	q->drift = rk_bound_drift(&then, &s->table);
	q->bad = q->norms == NULL;
}

/* Vectors, if they are of the snapshot's embedding space. */
static void add_vectors(struct rk_searching *s, unsigned i)
{
	struct rk_qsource *q = &s->src[i];

	if (s->snap.space->stride == 0)
		return;
	if (q->mem)
		q->has_vectors = q->mem->vec_space == s->snap.space->number;
	else
		q->has_vectors = (q->vec = s->snap.vecs[i]) != NULL;
	q->ann = q->seg ? s->snap.anns[i] : NULL;
}

static void add_memtable(struct rk_searching *s, struct rk_memtable *m)
{
	struct rk_qsource *q = &s->src[s->nsrc++];

	pthread_rwlock_rdlock(&m->lock);
	*q = (struct rk_qsource){.mem = m,
				 .nchunks = (uint32_t)m->nchunks,
				 .ndocs = (uint32_t)m->ndocs,
				 .norms = m->norms,
				 .drift = 1};
}

int rk_sources_open(struct rk_searching *s)
{
	const struct rk_view *v = s->snap.view;

	assert(s->begun && s->nsrc == 0);
	rk_norms_init(&s->table, s->global && s->global->stats.chunks
					 ? &s->global->stats
					 : &s->snap.stats);
	for (unsigned i = 0; i < v->nsegs; i++)
		add_segment(s, v->segs[i]);
	for (unsigned i = 0; i < v->nmems; i++)
		add_memtable(s, v->mems[i]);
	for (unsigned i = 0; i < s->nsrc; i++)
		add_vectors(s, i);
	return 0;
}

void rk_sources_close(struct rk_searching *s)
{
	for (unsigned i = 0; i < s->nsrc; i++)
		if (s->src[i].mem)
			pthread_rwlock_unlock(&s->src[i].mem->lock);
	s->nsrc = 0;
}

int rk_resolve(const struct rk_searching *s, const struct rk_qsource *src,
	       uint32_t chunk, struct rk_found *f)
{
	const struct rk_chunk_rec *c;
	const struct rk_doc_rec *d;

	if (src->mem) {
		const struct rk_memtable *m = src->mem;

		f->chunk = m->chunks[chunk];
		f->doc_number = f->chunk.doc;
		f->doc = m->docs[f->chunk.doc].rec;
		f->path = rk_memtable_path(m, f->chunk.doc);
		f->head = rk_chunk_head_bytes(&f->chunk)
				  ? (const char *)m->heads.p + f->chunk.head_off
				  : "";
		f->alive = rk_mdoc_alive(&m->docs[f->chunk.doc],
					 s->snap.generation);
		return 0;
	}
	if (!(c = rk_segment_chunk(src->seg, chunk)) ||
	    !(d = rk_segment_doc(src->seg, c->doc)) ||
	    !(f->path = rk_segment_path(src->seg, d)) ||
	    !(f->head = rk_segment_head(src->seg, c)))
		return RK_ECORRUPT;
	f->chunk = *c;
	f->doc = *d;
	f->doc_number = c->doc;
	f->alive = 1;
	if (src->seg->ndead) {
		uint32_t dead = rk_segment_dead(src->seg, c->doc);

		f->alive = dead == 0 || dead > s->snap.generation;
	}
	return 0;
}

int rk_place_before(void *ctx, const struct rk_candidate *a,
		    const struct rk_candidate *b)
{
	const struct rk_searching *s = ctx;
	struct rk_found x, y;
	int r;

	if (rk_resolve(s, &s->src[a->source], a->chunk, &x) < 0 ||
	    rk_resolve(s, &s->src[b->source], b->chunk, &y) < 0)
		return a->chunk < b->chunk;
	r = rk_term_cmp(x.path, x.doc.path_n, y.path, y.doc.path_n);
	return r ? r < 0 : x.chunk.off < y.chunk.off;
}

/* Newest first, or by path; equal ones by place. */
int rk_newer_before(void *ctx, const struct rk_candidate *a,
		    const struct rk_candidate *b)
{
	const struct rk_searching *s = ctx;
	struct rk_found x, y;

	if (rk_resolve(s, &s->src[a->source], a->chunk, &x) < 0 ||
	    rk_resolve(s, &s->src[b->source], b->chunk, &y) < 0)
		return a->chunk < b->chunk;
	if (x.doc.mtime_ns != y.doc.mtime_ns)
		return x.doc.mtime_ns > y.doc.mtime_ns;
	return rk_place_before(ctx, a, b);
}

const float *rk_chunk_vector(const struct rk_qsource *src, uint32_t chunk)
{
	assert(chunk < src->nchunks);
	if (!src->has_vectors)
		return NULL;
	return src->mem ? rk_memtable_vector(src->mem, chunk)
			: rk_vectors_rows(src->vec, chunk, 1);
}

void rk_source_failed(struct rk_qsource *src)
{
	src->bad = 1;
	if (src->seg)
		src->seg->damaged = 1;
}

int rk_load_chunk(struct rk_searching *s, const char *path,
		  const struct rk_chunk_rec *c, struct rk_text *out)
{
	int fd = rk_open_document(s->ix, path), rc;

	if (fd < 0)
		return fd;
	rc = rk_read_range(s->ix, fd, path, c->off, c->len, out);
	close(fd);
	return rc;
}
