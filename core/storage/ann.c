/* SPDX-License-Identifier: MIT */
#include "storage/ann.h"
#include "base/mem.h"
#include "base/status.h"
#include "storage/footer.h"
#include "vector/hnsw.h"
#include "vector/ivf.h"
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

struct rk_ann {
	_Atomic int refs;
	enum rk_ann_type type;
	struct rk_container *c;
	struct rk_ivf ivf;
	struct rk_hnsw hnsw;
};

/* What a type of index must be able to do. */
struct ann_ops {
	const char *name;
	/* build over v, write sections and footer numbers */
	int (*build)(enum rk_ann_type t, struct rk_vectors *v,
		     struct rk_container_writer *w, struct rk_footer *f,
		     const _Atomic int *cancel);
	/* find the arrays in a->c and check them */
	int (*load)(struct rk_ann *a, const struct rk_vectors *v);
	int (*nearest)(struct rk_ann *a, const struct rk_near_query *q,
		       struct rk_near *out);
};

static const float *get_rows(void *v, uint32_t row, uint32_t n)
{
	return rk_vectors_rows(v, row, n);
}

/* --- ivf --- */

static int ivf_build(enum rk_ann_type t, struct rk_vectors *v,
		     struct rk_container_writer *w, struct rk_footer *f,
		     const _Atomic int *cancel)
{
	struct rk_ivf ivf;
	size_t n;
	int rc;

	(void)t;
	rc = rk_ivf_build(get_rows, v, v->rows, v->dim, rk_ivf_lists(v->rows),
			  cancel, &ivf);

	if (rc < 0)
		return rc;
	n = (size_t)ivf.ngroups * RK_GROUP;
	rk_cw_section(w, "codes", ivf.codes, n * ivf.words * 8);
	rk_cw_section(w, "centroids", ivf.centroids,
		      ivf.nlists * ivf.stride * 4);
	rk_cw_section(w, "half", ivf.half, ivf.nlists * 4ul);
	rk_cw_section(w, "start", ivf.start, (ivf.nlists + 1ul) * 4);
	rk_cw_section(w, "scale", ivf.scale, n * 4);
	rk_cw_section(w, "bias", ivf.bias, n * 4);
	rk_cw_section(w, "row", ivf.row, n * 4);
	rk_footer_add(f, "lists", ivf.nlists);
	rk_footer_add(f, "groups", ivf.ngroups);
	rk_ivf_release(&ivf);
	return 0;
}

static int ivf_load(struct rk_ann *a, const struct rk_vectors *v)
{
	uint64_t lists = rk_footer_get(a->c, "lists");
	uint64_t groups = rk_footer_get(a->c, "groups");
	struct rk_ivf *ivf = &a->ivf;
	size_t n = (size_t)groups * RK_GROUP;

	if (lists > UINT32_MAX || groups > UINT32_MAX / RK_GROUP)
		return RK_ECORRUPT;
	ivf->rows = v->rows;
	ivf->dim = v->dim;
	ivf->stride = v->stride;
	ivf->words = (v->dim + 63ul) / 64;
	ivf->nlists = (uint32_t)lists;
	ivf->ngroups = (uint32_t)groups;
	ivf->codes = rk_section_whole(a->c, "codes", n * ivf->words * 8);
	ivf->centroids =
		rk_section_whole(a->c, "centroids", lists * ivf->stride * 4);
	ivf->half = rk_section_whole(a->c, "half", lists * 4);
	ivf->start = rk_section_whole(a->c, "start", (lists + 1) * 4);
	ivf->scale = rk_section_whole(a->c, "scale", n * 4);
	ivf->bias = rk_section_whole(a->c, "bias", n * 4);
	ivf->row = rk_section_whole(a->c, "row", n * 4);
	if (!ivf->codes || !ivf->centroids || !ivf->half || !ivf->start ||
	    !ivf->scale || !ivf->bias || !ivf->row)
		return RK_ECORRUPT;
	return rk_ivf_check(ivf);
}

static int ivf_nearest(struct rk_ann *a, const struct rk_near_query *q,
		       struct rk_near *out)
{
	return rk_ivf_nearest(&a->ivf, q, out);
}

/* --- hnsw --- */

static enum rk_hnsw_code code_of(enum rk_ann_type t)
{
	return t == RK_ANN_SQ8_HNSW	 ? RK_HNSW_SQ8
	       : t == RK_ANN_BINARY_HNSW ? RK_HNSW_BINARY
					 : RK_HNSW_F32;
}

static int hnsw_build(enum rk_ann_type t, struct rk_vectors *v,
		      struct rk_container_writer *w, struct rk_footer *f,
		      const _Atomic int *cancel)
{
	struct rk_hnsw h;
	size_t n = v->rows;
	int rc = rk_hnsw_build(get_rows, v, v->rows, v->dim, code_of(t), cancel,
			       &h);

	if (rc < 0)
		return rc;
	rk_cw_section(w, "links", h.links0, n * RK_HNSW_M0 * 4);
	rk_cw_section(w, "upper_at", h.upper_at, n * 4);
	rk_cw_section(w, "upper", h.upper, (size_t)h.nupper * RK_HNSW_M * 4);
	rk_cw_section(w, "level", h.level, n);
	if (h.code == RK_HNSW_SQ8) {
		rk_cw_section(w, "bytes", h.bytes, n * rk_sq8_stride(v->dim));
		rk_cw_section(w, "scale", h.scale, n * 4);
	} else if (h.code == RK_HNSW_BINARY) {
		rk_cw_section(w, "words", h.words,
			      n * rk_binary_words(v->dim) * 8);
	}
	rk_footer_add(f, "entry", h.entry);
	rk_footer_add(f, "top", h.top);
	rk_footer_add(f, "lists", h.nupper);
	rk_hnsw_release(&h);
	return 0;
}

/* The codes that this type walks by; 0, or RK_ECORRUPT. */
static int load_codes(struct rk_ann *a, struct rk_hnsw *h)
{
	size_t n = h->rows;

	if (h->code == RK_HNSW_SQ8) {
		h->bytes = rk_section_whole(a->c, "bytes",
					    n * rk_sq8_stride(h->dim));
		h->scale = rk_section_whole(a->c, "scale", n * 4);
		return h->bytes && h->scale ? 0 : RK_ECORRUPT;
	}
	if (h->code == RK_HNSW_BINARY) {
		h->words = rk_section_whole(a->c, "words",
					    n * rk_binary_words(h->dim) * 8);
		return h->words ? 0 : RK_ECORRUPT;
	}
	return 0;
}

static int hnsw_load(struct rk_ann *a, const struct rk_vectors *v)
{
	uint64_t lists = rk_footer_get(a->c, "lists");
	struct rk_hnsw *h = &a->hnsw;
	size_t n = v->rows;

	if (lists > UINT32_MAX)
		return RK_ECORRUPT;
	h->code = code_of(a->type);
	h->rows = v->rows;
	h->dim = v->dim;
	h->entry = (uint32_t)rk_footer_get(a->c, "entry");
	h->top = (uint32_t)rk_footer_get(a->c, "top");
	h->nupper = (uint32_t)lists;
	h->links0 = rk_section_whole(a->c, "links", n * RK_HNSW_M0 * 4);
	h->upper_at = rk_section_whole(a->c, "upper_at", n * 4);
	h->upper = rk_section_whole(a->c, "upper", lists * RK_HNSW_M * 4);
	h->level = rk_section_whole(a->c, "level", n);
	if (!h->links0 || !h->upper_at || (lists && !h->upper) || !h->level ||
	    load_codes(a, h) < 0)
		return RK_ECORRUPT;
	return rk_hnsw_check(h);
}

static int hnsw_nearest(struct rk_ann *a, const struct rk_near_query *q,
			struct rk_near *out)
{
	return rk_hnsw_nearest(&a->hnsw, q, out);
}

/* --- all types --- */

static const struct ann_ops OPS[RK_ANN_TYPES] = {
	[RK_ANN_FLAT] = {"flat", NULL, NULL, NULL},
	[RK_ANN_IVF] = {"ivf", ivf_build, ivf_load, ivf_nearest},
	[RK_ANN_HNSW] = {"hnsw", hnsw_build, hnsw_load, hnsw_nearest},
	[RK_ANN_SQ8_HNSW] = {"sq8_hnsw", hnsw_build, hnsw_load, hnsw_nearest},
	[RK_ANN_BINARY_HNSW] = {"binary_hnsw", hnsw_build, hnsw_load,
				hnsw_nearest},
};

const char *rk_ann_type_name(enum rk_ann_type t)
{
	return OPS[t].name;
}

int rk_ann_type_by_name(const char *name)
{
	for (int i = 0; i < RK_ANN_TYPES; i++)
		if (strcmp(OPS[i].name, name) == 0)
			return i;
	return -1;
}

void rk_ann_name(enum rk_ann_type t, uint64_t vectors, char out[40])
{
	snprintf(out, 40, "vec-%06llu.%s", (unsigned long long)vectors,
		 OPS[t].name);
}

int rk_ann_build(const struct rk_io *io, int dir, enum rk_ann_type t,
		 struct rk_vectors *v, const _Atomic int *cancel)
{
	struct rk_footer f = RK_FOOTER_INIT;
	struct rk_container_writer *w;
	char name[40];
	int rc;

	rk_ann_name(t, v->id, name);
	if ((rc = rk_cw_open(io, dir, name, &w)) < 0)
		return rc;
	rk_footer_add(&f, "vectors", v->id);
	rk_footer_add(&f, "space", v->space);
	rk_footer_add(&f, "rows", v->rows);
	rk_footer_add(&f, "dim", v->dim);
	if ((rc = OPS[t].build(t, v, w, &f, cancel)) == 0)
		return rk_footer_finish(&f, w);
	rk_cw_abort(w);
	return rc;
}

int rk_ann_open(const struct rk_io *io, int dir, enum rk_ann_type t,
		struct rk_vectors *v, struct rk_ann **out)
{
	struct rk_ann *a = rk_calloc(1, sizeof(*a));
	char name[40];
	int rc;

	if (!a)
		return -ENOMEM;
	a->refs = 1;
	a->type = t;
	rk_ann_name(t, v->id, name);
	if ((rc = rk_container_open(io, dir, name, &a->c)) == 0)
		rc = rk_footer_get(a->c, "vectors") == v->id &&
				     rk_footer_get(a->c, "space") == v->space &&
				     rk_footer_get(a->c, "rows") == v->rows &&
				     rk_footer_get(a->c, "dim") == v->dim
			     ? OPS[t].load(a, v)
			     : RK_ECORRUPT;
	if (rc < 0) {
		rk_ann_unref(a);
		return rc;
	}
	*out = a;
	return 0;
}

struct rk_ann *rk_ann_ref(struct rk_ann *a)
{
	if (a)
		a->refs++;
	return a;
}

void rk_ann_unref(struct rk_ann *a)
{
	assert(!a || a->refs > 0);
	if (!a || --a->refs > 0)
		return;
	rk_container_close(a->c);
	rk_free(a);
}

enum rk_ann_type rk_ann_type_of(const struct rk_ann *a)
{
	return a->type;
}

uint64_t rk_ann_bytes(const struct rk_ann *a)
{
	return rk_container_size(a->c);
}

int rk_ann_nearest(struct rk_ann *a, const struct rk_near_query *q,
		   struct rk_near *out)
{
	assert(q->k > 0);
	return OPS[a->type].nearest(a, q, out);
}
