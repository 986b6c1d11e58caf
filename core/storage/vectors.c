/* SPDX-License-Identifier: MIT */
#include "storage/vectors.h"
#include "base/mem.h"
#include "base/status.h"
#include "storage/ann.h"
#include "storage/footer.h"
#include "vector/kernels.h"
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { DIM_MAX = 65536 };

/* --- vectors --- */

void rk_vectors_name(uint64_t id, char out[40])
{
	snprintf(out, 40, "vec-%06llu.vec", (unsigned long long)id);
}

static int load(struct rk_vectors *v)
{
	uint64_t rows = rk_footer_get(v->c, "rows");
	uint64_t dim = rk_footer_get(v->c, "dim");
	uint64_t filled = rk_footer_get(v->c, "filled");

	v->space = rk_footer_get(v->c, "space");
	v->s_rows = rk_container_section(v->c, "rows");
	if (rows > UINT32_MAX || dim == 0 || dim > DIM_MAX || filled > rows)
		return RK_ECORRUPT;
	v->stride = rk_vec_stride(dim);
	if (rk_section_len(v->c, v->s_rows) != rows * v->stride * sizeof(float))
		return RK_ECORRUPT;
	v->complete = rk_footer_get(v->c, "complete") != 0;
	v->rows = (uint32_t)rows;
	v->dim = (uint32_t)dim;
	v->filled = (uint32_t)filled;
	return 0;
}

int rk_vectors_open(const struct rk_io *io, int dir, uint64_t id,
		    struct rk_vectors **out)
{
	struct rk_vectors *v = rk_calloc(1, sizeof(*v));
	char name[40];
	int rc;

	if (!v)
		return -ENOMEM;
	v->id = id;
	v->refs = 1;
	rk_vectors_name(id, name);
	if ((rc = rk_container_open(io, dir, name, &v->c)) == 0)
		rc = load(v);
	if (rc < 0) {
		rk_vectors_unref(v);
		return rc;
	}
	*out = v;
	return 0;
}

struct rk_vectors *rk_vectors_ref(struct rk_vectors *v)
{
	if (v)
		v->refs++;
	return v;
}

void rk_vectors_unref(struct rk_vectors *v)
{
	assert(!v || v->refs > 0);
	if (!v || --v->refs > 0)
		return;
	rk_ann_unref(v->ann);
	rk_container_close(v->c);
	rk_free(v);
}

const float *rk_vectors_rows(struct rk_vectors *v, uint32_t row, uint32_t n)
{
	size_t bytes = v->stride * sizeof(float);
	const float *p = rk_section_at(v->c, v->s_rows, row * bytes, n * bytes);

	if (!p)
		v->damaged = 1;
	return p;
}

int rk_vectors_verify(struct rk_vectors *v)
{
	int rc = rk_container_verify(v->c);

	if (rc < 0)
		v->damaged = 1;
	return rc;
}

uint64_t rk_vectors_bytes(const struct rk_vectors *v)
{
	return rk_container_size(v->c);
}

int rk_vectors_create(const struct rk_io *io, int dir, uint64_t id,
		      uint64_t space, uint32_t dim, struct rk_vectors_writer *w)
{
	char name[40];
	int rc;

	assert(id > 0 && dim > 0);
	rk_vectors_name(id, name);
	*w = (struct rk_vectors_writer){.space = space,
					.dim = dim,
					.stride = rk_vec_stride(dim),
					.complete = 1};
	if ((rc = rk_cw_open(io, dir, name, &w->cw)) == 0)
		rk_cw_begin(w->cw, "rows");
	return rc;
}

void rk_vectors_add(struct rk_vectors_writer *w, const float *rows, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		const float *r = rows + i * w->stride;
		size_t k = 0;

		while (k < w->dim && r[k] == 0.0f)
			k++;
		w->filled += k < w->dim;
	}
	w->rows += n;
	rk_cw_add(w->cw, rows, n * w->stride * sizeof(float));
}

int rk_vectors_finish(struct rk_vectors_writer *w)
{
	struct rk_footer f = RK_FOOTER_INIT;
	struct rk_container_writer *cw = w->cw;

	rk_footer_add(&f, "rows", w->rows);
	rk_footer_add(&f, "dim", w->dim);
	rk_footer_add(&f, "filled", w->filled);
	rk_footer_add(&f, "space", w->space);
	rk_footer_add(&f, "complete", w->complete != 0);
	rk_cw_end(cw);
	w->cw = NULL;
	return rk_footer_finish(&f, cw);
}

void rk_vectors_abort(struct rk_vectors_writer *w)
{
	if (w->cw)
		rk_cw_abort(w->cw);
	w->cw = NULL;
}

/* --- fits --- */

void rk_latent_name(uint64_t space, char out[40])
{
	snprintf(out, 40, "latent-%06llu.mp", (unsigned long long)space);
}

int rk_latent_write(const struct rk_io *io, int dir, uint64_t space,
		    const struct rk_latent *l)
{
	struct rk_footer f = RK_FOOTER_INIT;
	struct rk_container_writer *w;
	size_t n = l->nterms;
	char name[40];
	int rc;

	rk_latent_name(space, name);
	if ((rc = rk_cw_open(io, dir, name, &w)) < 0)
		return rc;
	rk_cw_section(w, "keys", l->key, n * sizeof(*l->key));
	rk_cw_section(w, "idf", l->idf, n * sizeof(*l->idf));
	rk_cw_section(w, "local", l->local, n * sizeof(*l->local));
	rk_cw_section(w, "basis", l->basis, n * RK_LSA_DIM * sizeof(*l->basis));
	rk_cw_section(w, "scale", l->scale, sizeof(l->scale));
	rk_footer_add(&f, "chunks", l->chunks);
	rk_footer_add(&f, "sampled", l->sampled);
	rk_footer_add(&f, "terms", l->nterms);
	rk_footer_add(&f, "rare", l->rare);
	return rk_footer_finish(&f, w);
}

static int latent_load(struct rk_latent *l, struct rk_container *c)
{
	uint64_t sampled = rk_footer_get(c, "sampled");
	uint64_t terms = rk_footer_get(c, "terms");
	uint64_t rare = rk_footer_get(c, "rare");
	const float *scale;
	size_t n;

	if (terms > RK_LATENT_TERMS_MAX || rare > UINT16_MAX ||
	    sampled > RK_LATENT_SAMPLE_MAX)
		return RK_ECORRUPT;
	n = (size_t)terms;
	l->chunks = rk_footer_get(c, "chunks");
	l->key = rk_section_whole(c, "keys", n * sizeof(*l->key));
	l->idf = rk_section_whole(c, "idf", n * sizeof(*l->idf));
	l->local = rk_section_whole(c, "local", n * sizeof(*l->local));
	l->basis = rk_section_whole(c, "basis",
				    n * RK_LSA_DIM * sizeof(*l->basis));
	scale = rk_section_whole(c, "scale", sizeof(l->scale));
	if (!l->key || !l->idf || !l->local || !l->basis || !scale)
		return RK_ECORRUPT;
	memcpy(l->scale, scale, sizeof(l->scale));
	l->nterms = (uint32_t)terms;
	l->sampled = (uint32_t)sampled;
	l->rare = (uint16_t)rare;
	return 0;
}

static void unmap(void *c)
{
	rk_container_close(c);
}

int rk_latent_open(const struct rk_io *io, int dir, uint64_t space,
		   struct rk_latent **out)
{
	struct rk_container *c = NULL;
	struct rk_latent *l = NULL;
	char name[40];
	int rc;

	rk_latent_name(space, name);
	if ((rc = rk_latent_new(&l)) < 0)
		return rc;
	if ((rc = rk_container_open(io, dir, name, &c)) == 0) {
		l->mapped = c;
		l->unmap = unmap;
		rc = latent_load(l, c);
	}
	if (rc < 0) {
		rk_latent_unref(l);
		return rc;
	}
	*out = l;
	return 0;
}
