/* SPDX-License-Identifier: MIT */
#include "storage/vectors.h"
#include "base/mem.h"
#include "base/status.h"
#include "vector/kernels.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { DIM_MAX = 65536 };

/* --- the footer's numbers, for both kinds of file --- */

struct number {
	const char *key;
	uint64_t *v;
};

static int pack_numbers(const struct number *f, size_t n, struct rk_buf *out)
{
	msgpack_packer pk;

	rk_mp_init(&pk, out);
	msgpack_pack_map(&pk, n);
	for (size_t i = 0; i < n; i++) {
		rk_mp_key(&pk, f[i].key);
		msgpack_pack_uint64(&pk, *f[i].v);
	}
	return out->err;
}

static int read_numbers(struct rk_container *c, const struct number *f,
			size_t n)
{
	struct rk_mpr r = rk_container_meta(c);

	for (uint32_t pairs = rk_mpr_map(&r); pairs && !r.err; pairs--) {
		size_t key_n, i = 0;
		const char *key = rk_mpr_str(&r, &key_n);

		while (i < n && (strlen(f[i].key) != key_n ||
				 memcmp(f[i].key, key, key_n) != 0))
			i++;
		if (i < n)
			*f[i].v = rk_mpr_uint(&r);
		else
			rk_mpr_skip(&r);
	}
	return r.err;
}

/* --- vectors --- */

void rk_vectors_name(uint64_t id, char out[32])
{
	snprintf(out, 32, "vec-%06llu.vec", (unsigned long long)id);
}

static int load(struct rk_vectors *v)
{
	uint64_t rows = 0, dim = 0, filled = 0;
	const struct number META[] = {{"rows", &rows},
				      {"dim", &dim},
				      {"filled", &filled},
				      {"space", &v->space}};
	int rc = read_numbers(v->c, META, 4);

	if (rc < 0)
		return rc;
	v->s_rows = rk_container_section(v->c, "rows");
	if (rows > UINT32_MAX || dim == 0 || dim > DIM_MAX || filled > rows)
		return RK_ECORRUPT;
	v->stride = rk_vec_stride(dim);
	if (rk_section_len(v->c, v->s_rows) != rows * v->stride * sizeof(float))
		return RK_ECORRUPT;
	v->rows = (uint32_t)rows;
	v->dim = (uint32_t)dim;
	v->filled = (uint32_t)filled;
	return 0;
}

int rk_vectors_open(const struct rk_io *io, int dir, uint64_t id,
		    struct rk_vectors **out)
{
	struct rk_vectors *v = rk_calloc(1, sizeof(*v));
	char name[32];
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
	if (!v || --v->refs > 0)
		return;
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

uint64_t rk_vectors_bytes(const struct rk_vectors *v)
{
	return rk_container_size(v->c);
}

int rk_vectors_create(const struct rk_io *io, int dir, uint64_t id,
		      uint64_t space, uint32_t dim, struct rk_vectors_writer *w)
{
	char name[32];
	int rc;

	rk_vectors_name(id, name);
	*w = (struct rk_vectors_writer){
		.space = space, .dim = dim, .stride = rk_vec_stride(dim)};
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
	uint64_t rows = w->rows, dim = w->dim, filled = w->filled, size;
	const struct number META[] = {{"rows", &rows},
				      {"dim", &dim},
				      {"filled", &filled},
				      {"space", &w->space}};
	struct rk_buf meta = RK_BUF_INIT;
	int rc = pack_numbers(META, 4, &meta);

	rk_cw_end(w->cw);
	if (rc == 0)
		rc = rk_cw_finish(w->cw, &meta, &size);
	else
		rk_cw_abort(w->cw);
	w->cw = NULL;
	rk_buf_release(&meta);
	return rc;
}

void rk_vectors_abort(struct rk_vectors_writer *w)
{
	if (w->cw)
		rk_cw_abort(w->cw);
	w->cw = NULL;
}

/* --- fits --- */

void rk_latent_name(uint64_t space, char out[32])
{
	snprintf(out, 32, "latent-%06llu.mp", (unsigned long long)space);
}

static void put(struct rk_container_writer *w, const char *name, const void *p,
		size_t n)
{
	rk_cw_begin(w, name);
	rk_cw_add(w, p, n);
	rk_cw_end(w);
}

int rk_latent_write(const struct rk_io *io, int dir, uint64_t space,
		    const struct rk_latent *l)
{
	uint64_t chunks = l->chunks, sampled = l->sampled, terms = l->nterms,
		 rare = l->rare, size;
	const struct number META[] = {{"chunks", &chunks},
				      {"sampled", &sampled},
				      {"terms", &terms},
				      {"rare", &rare}};
	struct rk_container_writer *w;
	struct rk_buf meta = RK_BUF_INIT;
	size_t n = l->nterms;
	char name[32];
	int rc;

	rk_latent_name(space, name);
	if ((rc = rk_cw_open(io, dir, name, &w)) < 0)
		return rc;
	put(w, "keys", l->key, n * sizeof(*l->key));
	put(w, "idf", l->idf, n * sizeof(*l->idf));
	put(w, "local", l->local, n * sizeof(*l->local));
	put(w, "basis", l->basis, n * RK_LSA_DIM * sizeof(*l->basis));
	put(w, "scale", l->scale, sizeof(l->scale));
	if ((rc = pack_numbers(META, 4, &meta)) == 0)
		rc = rk_cw_finish(w, &meta, &size);
	else
		rk_cw_abort(w);
	rk_buf_release(&meta);
	return rc;
}

static const void *whole(struct rk_container *c, const char *name, size_t n)
{
	int s = rk_container_section(c, name);

	return s >= 0 && rk_section_len(c, s) == n ? rk_section_at(c, s, 0, n)
						   : NULL;
}

static int latent_load(struct rk_latent *l, struct rk_container *c)
{
	uint64_t sampled = 0, terms = 0, rare = 0;
	const struct number META[] = {{"chunks", &l->chunks},
				      {"sampled", &sampled},
				      {"terms", &terms},
				      {"rare", &rare}};
	const float *scale;
	size_t n;
	int rc = read_numbers(c, META, 4);

	if (rc < 0)
		return rc;
	if (terms > RK_LATENT_TERMS_MAX || rare > UINT16_MAX ||
	    sampled > RK_LATENT_SAMPLE_MAX)
		return RK_ECORRUPT;
	n = (size_t)terms;
	l->key = whole(c, "keys", n * sizeof(*l->key));
	l->idf = whole(c, "idf", n * sizeof(*l->idf));
	l->local = whole(c, "local", n * sizeof(*l->local));
	l->basis = whole(c, "basis", n * RK_LSA_DIM * sizeof(*l->basis));
	scale = whole(c, "scale", sizeof(l->scale));
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
	char name[32];
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
