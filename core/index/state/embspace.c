/* SPDX-License-Identifier: MIT */
#include "index/state/embspace.h"
#include "index/state/internal.h"
#include "base/mem.h"
#include "storage/fold.h"
#include "vector/kernels.h"
#include "text/extract/property.h"
#include <assert.h>
#include <errno.h>
#include <string.h>

enum { BATCH = 64 }; /* texts handed to an embedder at a time */

int rk_embspace_new(uint64_t number, struct rk_latent *latent,
		    struct rk_embedder *embedder, struct rk_embspace **out)
{
	struct rk_embspace *s = rk_calloc(1, sizeof(*s));

	assert(!latent || !embedder);
	if (!s) {
		rk_latent_unref(latent);
		rk_embedder_unref(embedder);
		return -ENOMEM;
	}
	s->refs = 1;
	s->number = number;
	s->latent = latent;
	s->embedder = embedder;
	s->dim = latent ? RK_LATENT_DIM : embedder ? embedder->dim : 0;
	s->stride = rk_vec_stride(s->dim);
	/* measured: core/doc/quality.md; a transformer knows what is meant */
	s->weight = latent ? 0.35 : s->dim && embedder->remote ? 0.5 : 0.3;
	s->feedback = s->dim && !latent && embedder->remote ? 0 : 0.5;
	*out = s;
	return 0;
}

struct rk_embspace *rk_embspace_ref(struct rk_embspace *s)
{
	if (s)
		s->refs++;
	return s;
}

void rk_embspace_unref(struct rk_embspace *s)
{
	assert(!s || s->refs > 0);
	if (!s || --s->refs > 0)
		return;
	rk_latent_unref(s->latent);
	rk_embedder_unref(s->embedder);
	rk_free(s);
}

const char *rk_embspace_embedder(const struct rk_embspace *s)
{
	if (s->embedder)
		return s->embedder->id;
	return s->latent ? "hash-lsa 1" : "none";
}

void rk_rows_release(struct rk_rows *r)
{
	rk_free(r->v);
	rk_free(r->terms);
	memset(r, 0, sizeof(*r));
}

static int rows_room(struct rk_rows *r, size_t n, size_t stride)
{
	if (n * stride > r->cap) {
		rk_free(r->v);
		r->cap = 0;
		r->v = rk_aligned_alloc(64, n * stride * sizeof(float));
		if (!r->v)
			return -ENOMEM;
		r->cap = n * stride;
	}
	return 0;
}

/* --- the built-in embedding --- */

static int terms_prepare(struct rk_rows *r, const struct rk_latent *l,
			 const struct rk_analyser *a)
{
	if (r->serial != l->serial || r->epoch != rk_analyser_epoch(a)) {
		if (r->terms)
			memset(r->terms, 0, r->terms_cap * sizeof(*r->terms));
		r->serial = l->serial;
		r->epoch = rk_analyser_epoch(a);
	}
	return rk_grow(&r->terms, &r->terms_cap, rk_analyser_vocab(a)->n,
		       sizeof(*r->terms));
}

static void fold_chunk(const struct rk_latent *l, struct rk_rows *r,
		       const struct rk_inverted *v,
		       const struct rk_inv_chunk *c,
		       const struct rk_vocab *vocab, float *row)
{
	struct rk_latent_sum sum = {{0}};

	for (uint32_t i = c->first; i < c->first + c->n; i++) {
		const struct rk_inv_term *t = &v->terms[i];
		uint32_t tf = rk_fold_tf(t->tf, t->head);
		struct rk_termrow *e = &r->terms[t->term];

		if (tf == 0 || vocab->v[t->term].s[0] == RK_PROPERTY_MARK)
			continue;
		if (!e->known) {
			const struct rk_word *w = &vocab->v[t->term];

			e->key = rk_latent_key(w->s, w->n);
			e->row = (int32_t)rk_latent_row(l, e->key);
			e->known = 1;
		}
		rk_latent_add(l, &sum, e->key, e->row, tf);
	}
	rk_latent_vector(l, &sum, row);
}

static int fold_all(const struct rk_embspace *sp, struct rk_rows *r,
		    const struct rk_inverted *v, const struct rk_analyser *a)
{
	if (terms_prepare(r, sp->latent, a) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < v->nchunks; i++)
		fold_chunk(sp->latent, r, v, &v->chunks[i],
			   rk_analyser_vocab(a), r->v + i * sp->stride);
	return 0;
}

/* --- embedders of texts --- */

static int embed_texts(const struct rk_embspace *sp, struct rk_rows *r,
		       const struct rk_inverted *v, const char *s)
{
	struct rk_embedder *e = sp->embedder;
	int rc = 0;

	memset(r->v, 0, v->nchunks * sp->stride * sizeof(float));
	if (e->remote || e->by_document)
		return 0;
	for (size_t at = 0; at < v->nchunks && rc == 0; at += BATCH) {
		struct rk_text_ref t[BATCH];
		size_t n = v->nchunks - at < BATCH ? v->nchunks - at : BATCH;

		for (size_t i = 0; i < n; i++)
			t[i] = (struct rk_text_ref){
				s + v->chunks[at + i].rec.off,
				v->chunks[at + i].rec.len};
		rc = e->ops->embed(e, t, n, RK_FOR_DOCUMENT,
				   r->v + at * sp->stride);
	}
	return rc;
}

int rk_embspace_embed(const struct rk_embspace *sp, struct rk_rows *r,
		      const struct rk_inverted *v, const struct rk_analyser *a,
		      const char *s)
{
	if (sp->stride == 0)
		return 0;
	if (rows_room(r, v->nchunks, sp->stride) < 0)
		return -ENOMEM;
	return sp->latent ? fold_all(sp, r, v, a) : embed_texts(sp, r, v, s);
}

struct rk_embspace *rk_target_embspace(struct rk_index *ix)
{
	struct rk_embspace *sp;

	pthread_mutex_lock(&ix->lock);
	sp = rk_embspace_ref(ix->next ? ix->next : ix->space);
	pthread_mutex_unlock(&ix->lock);
	return sp;
}

uint64_t rk_take_vectors_id(struct rk_index *ix)
{
	uint64_t id;

	pthread_mutex_lock(&ix->lock);
	id = ix->next_vectors++;
	pthread_mutex_unlock(&ix->lock);
	return id;
}
