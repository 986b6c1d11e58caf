/* SPDX-License-Identifier: MIT */
#include "vector/latent.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/status.h"
#include "vector/kernels.h"
#include "vector/svd.h"
#include <assert.h>
#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum {
	POSITIONS = 8,	 /* of the hashed half, per term */
	HASH_SHIFT = 6,	 /* weights of the hashed half are /64 */
	LOCAL_SHIFT = 3, /* of the latent half: entropy weight /8 */
};

static _Atomic uint64_t next_serial = 1;

/* round(ln(1 + tf) * 256) */
static int32_t log_tf[RK_LATENT_TF_MAX + 1];
static pthread_once_t log_once = PTHREAD_ONCE_INIT;

static void fill_logs(void)
{
	for (int i = 0; i <= RK_LATENT_TF_MAX; i++)
		log_tf[i] = (int32_t)lrint(256 * log(1 + i));
}

int rk_latent_new(struct rk_latent **out)
{
	struct rk_latent *l = rk_calloc(1, sizeof(*l));

	if (!l)
		return -ENOMEM;
	pthread_once(&log_once, fill_logs);
	l->refs = 1;
	l->serial = next_serial++;
	l->rare = RK_WEIGHT_ONE;
	*out = l;
	return 0;
}

struct rk_latent *rk_latent_ref(struct rk_latent *l)
{
	if (l)
		l->refs++;
	return l;
}

void rk_latent_unref(struct rk_latent *l)
{
	assert(!l || l->refs > 0);
	if (!l || --l->refs > 0)
		return;
	if (l->mapped)
		l->unmap(l->mapped);
	rk_free(l->owned);
	rk_free(l);
}

uint64_t rk_latent_key(const char *term, size_t n)
{
	return rk_hash64(term, n);
}

int64_t rk_latent_row(const struct rk_latent *l, uint64_t key)
{
	uint32_t lo = 0, hi = l->nterms;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (l->key[mid] < key)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < l->nterms && l->key[lo] == key ? (int64_t)lo : -1;
}

/* --- a chunk's vector --- */

void rk_latent_add(const struct rk_latent *l, struct rk_latent_sum *sum,
		   uint64_t key, int64_t row, uint32_t tf)
{
	int32_t log = log_tf[tf < RK_LATENT_TF_MAX ? tf : RK_LATENT_TF_MAX];
	uint32_t idf = row < 0 ? l->rare : l->idf[row];
	int32_t w = (log * (int32_t)idf) >> HASH_SHIFT;
	uint64_t at = key, sign = rk_mix64(key);

	assert(tf > 0 && row < (int64_t)l->nterms);
	for (int i = 0; i < POSITIONS; i++, at >>= 8, sign >>= 1)
		sum->v[at & 0xff] += sign & 1 ? w : -w;
	if (row < 0 || l->local[row] == 0)
		return;
	w = (log * (l->local[row] >> LOCAL_SHIFT)) >> 8;
	rk_axpy_i16(sum->v + RK_HASH_DIM, l->basis + row * RK_LSA_DIM, w,
		    RK_LSA_DIM);
}

/* x * factor / |x|; returns whether there was anything */
static int unit(float *x, size_t n, double factor)
{
	double sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += (double)x[i] * (double)x[i];
	if (sum <= 0)
		return 0;
	factor /= sqrt(sum);
	for (size_t i = 0; i < n; i++)
		x[i] = (float)((double)x[i] * factor);
	return 1;
}

void rk_latent_vector(const struct rk_latent *l,
		      const struct rk_latent_sum *sum, float *out)
{
	double factor = l->nterms ? M_SQRT1_2 : 1;

	for (size_t i = 0; i < RK_HASH_DIM; i++)
		out[i] = (float)sum->v[i];
	for (size_t i = RK_HASH_DIM; i < RK_LATENT_DIM; i++)
		out[i] = l->nterms
				 ? (float)sum->v[i] * l->scale[i - RK_HASH_DIM]
				 : 0;
	unit(out, RK_HASH_DIM, factor);
	unit(out + RK_HASH_DIM, RK_LSA_DIM, factor);
}

/* --- the fit --- */

struct fit {
	const struct rk_sample *s;
	uint32_t *df, *gf; /* by term: chunks with it, occurrences */
	double *entropy;
	uint32_t *rows, nrows; /* terms of the table, by key */
	uint32_t *row_of;      /* by term, UINT32_MAX: not in the table */
	uint32_t *basis_col;   /* by term, UINT32_MAX: not in the basis */
	uint32_t ncols;
	/* the weighted sample */
	uint32_t *start, *col;
	float *value;
	float *v; /* ncols x RK_LSA_DIM */
};

static void fit_release(struct fit *f)
{
	rk_free(f->df);
	rk_free(f->gf);
	rk_free(f->entropy);
	rk_free(f->rows);
	rk_free(f->row_of);
	rk_free(f->basis_col);
	rk_free(f->start);
	rk_free(f->col);
	rk_free(f->value);
	rk_free(f->v);
}

static int count_terms(struct fit *f)
{
	const struct rk_sample *s = f->s;
	size_t n = (size_t)s->nterms + 1, entries = s->start[s->nchunks];
	double logn = log(s->nchunks > 1 ? s->nchunks : 2);

	f->df = rk_calloc(n, sizeof(*f->df));
	f->gf = rk_calloc(n, sizeof(*f->gf));
	f->entropy = rk_calloc(n, sizeof(*f->entropy));
	if (!f->df || !f->gf || !f->entropy)
		return -ENOMEM;
	for (size_t i = 0; i < entries; i++) {
		f->df[s->term[i]]++;
		f->gf[s->term[i]] += s->tf[i];
	}
	for (size_t i = 0; i < entries; i++) {
		double p = (double)s->tf[i] / f->gf[s->term[i]];

		f->entropy[s->term[i]] += p * log(p) / logn;
	}
	return 0;
}

/* The most frequent terms first, ties by key: the choice is the corpus's. */
static int by_df(const void *a, const void *b, void *ctx)
{
	const struct fit *f = ctx;
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	if (f->df[x] != f->df[y])
		return f->df[x] > f->df[y] ? -1 : 1;
	return f->s->key[x] < f->s->key[y] ? -1 : f->s->key[x] > f->s->key[y];
}

static int by_key(const void *a, const void *b, void *ctx)
{
	const struct fit *f = ctx;
	uint64_t x = f->s->key[*(const uint32_t *)a];
	uint64_t y = f->s->key[*(const uint32_t *)b];

	return (x > y) - (x < y);
}

/* Which terms have a row; those in over half the chunks have no basis. */
static int choose_terms(struct fit *f)
{
	const struct rk_sample *s = f->s;
	size_t n = (size_t)s->nterms + 1;

	f->rows = rk_malloc(n * sizeof(*f->rows));
	f->row_of = rk_malloc(n * sizeof(*f->row_of));
	f->basis_col = rk_malloc(n * sizeof(*f->basis_col));
	if (!f->rows || !f->row_of || !f->basis_col)
		return -ENOMEM;
	memset(f->row_of, 0xff, n * sizeof(*f->row_of));
	memset(f->basis_col, 0xff, n * sizeof(*f->basis_col));
	for (uint32_t t = 0; t < s->nterms; t++)
		if (f->df[t] >= 2)
			f->rows[f->nrows++] = t;
	qsort_r(f->rows, f->nrows, sizeof(*f->rows), by_df, f);
	if (f->nrows > RK_LATENT_TERMS_MAX)
		f->nrows = RK_LATENT_TERMS_MAX;
	qsort_r(f->rows, f->nrows, sizeof(*f->rows), by_key, f);
	for (uint32_t i = 0; i < f->nrows; i++) {
		f->row_of[f->rows[i]] = i;
		if (f->df[f->rows[i]] * 2ull <= s->nchunks)
			f->basis_col[f->rows[i]] = f->ncols++;
	}
	return 0;
}

/* Rows of log-entropy weights, each of unit length. */
static int weigh_sample(struct fit *f)
{
	const struct rk_sample *s = f->s;
	size_t entries = s->start[s->nchunks];
	uint32_t n = 0;

	f->start = rk_calloc((size_t)s->nchunks + 1, sizeof(*f->start));
	f->col = rk_malloc((entries + 1) * sizeof(*f->col));
	f->value = rk_malloc((entries + 1) * sizeof(*f->value));
	if (!f->start || !f->col || !f->value)
		return -ENOMEM;
	for (uint32_t c = 0; c < s->nchunks; c++) {
		uint32_t first = n;

		for (uint32_t i = s->start[c]; i < s->start[c + 1]; i++) {
			uint32_t t = s->term[i];

			if (f->basis_col[t] == UINT32_MAX)
				continue;
			f->col[n] = f->basis_col[t];
			f->value[n++] = (float)(log(1.0 + s->tf[i]) *
						(1 + f->entropy[t]));
		}
		unit(f->value + first, n - first, 1);
		f->start[c + 1] = n;
	}
	return 0;
}

static int decompose(struct fit *f, const _Atomic int *cancel)
{
	struct rk_sparse a = {f->s->nchunks, f->ncols, f->start, f->col,
			      f->value};

	f->v = rk_malloc(((size_t)f->ncols + 1) * RK_LSA_DIM * sizeof(*f->v));
	if (!f->v)
		return -ENOMEM;
	return rk_svd_right(&a, RK_LSA_DIM, f->v, RK_LSA_DIM, cancel);
}

/* One value of 1 a column, so that the largest entry is 32767. */
static void set_scales(const struct fit *f, float *scale)
{
	for (size_t j = 0; j < RK_LSA_DIM; j++) {
		float top = 0;

		for (uint32_t i = 0; i < f->ncols; i++)
			top = fmaxf(top, fabsf(f->v[i * RK_LSA_DIM + j]));
		scale[j] = top / 32767;
	}
}

static uint16_t idf_weight(uint32_t n, uint32_t df)
{
	double idf = log(1 + (n - df + 0.5) / (df + 0.5));

	return (uint16_t)lrint(idf * RK_WEIGHT_ONE);
}

static void fill_row(const struct fit *f, struct rk_latent *l, uint32_t row,
		     uint64_t *key, uint16_t *idf, uint16_t *local,
		     int16_t *basis)
{
	uint32_t t = f->rows[row], c = f->basis_col[t];
	double g = 1 + f->entropy[t];

	key[row] = f->s->key[t];
	idf[row] = idf_weight(f->s->nchunks, f->df[t]);
	local[row] = 0;
	if (c == UINT32_MAX)
		return;
	local[row] = (uint16_t)lrint((g > 0 ? g : 0) * RK_WEIGHT_ONE);
	for (size_t j = 0; j < RK_LSA_DIM; j++)
		basis[row * RK_LSA_DIM + j] =
			l->scale[j] > 0
				? (int16_t)lrintf(f->v[c * RK_LSA_DIM + j] /
						  l->scale[j])
				: 0;
}

static int package(const struct fit *f, struct rk_latent *l)
{
	size_t n = f->nrows;
	uint64_t *key;
	uint16_t *idf, *local;
	int16_t *basis;

	l->owned = rk_calloc(n + 1, sizeof(*key) + 2 * sizeof(*idf) +
					    RK_LSA_DIM * sizeof(*basis));
	if (!l->owned)
		return -ENOMEM;
	key = l->owned;
	basis = (int16_t *)(key + n);
	idf = (uint16_t *)(basis + n * RK_LSA_DIM);
	local = idf + n;
	set_scales(f, l->scale);
	for (uint32_t r = 0; r < f->nrows; r++)
		fill_row(f, l, r, key, idf, local, basis);
	l->nterms = f->nrows;
	l->key = key;
	l->idf = idf;
	l->local = local;
	l->basis = basis;
	l->rare = idf_weight(f->s->nchunks, 1);
	return 0;
}

int rk_latent_fit(const struct rk_sample *s, uint64_t chunks,
		  const _Atomic int *cancel, struct rk_latent **out)
{
	struct rk_latent *l = NULL;
	struct fit f = {.s = s};
	int rc = rk_latent_new(&l);

	assert(s->nchunks <= RK_LATENT_SAMPLE_MAX);
	if (rc == 0 && (rc = count_terms(&f)) == 0 &&
	    (rc = choose_terms(&f)) == 0 && (rc = weigh_sample(&f)) == 0 &&
	    (rc = decompose(&f, cancel)) == 0)
		rc = package(&f, l);
	fit_release(&f);
	if (rc < 0) {
		rk_latent_unref(l);
		return rc;
	}
	l->chunks = chunks;
	l->sampled = s->nchunks;
	*out = l;
	return 0;
}
