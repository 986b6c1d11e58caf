/* SPDX-License-Identifier: MIT */
#include "vector/svd.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/status.h"
#include "vector/kernels.h"
#include <assert.h>
#include <cblas.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { OVERSAMPLE = 16, POWER = 2, BLOCK = 256 };

struct svd {
	const struct rk_sparse *a;
	size_t l, ld;  /* sketch columns; floats from row to row */
	float *y, *z;  /* rows x ld, cols x ld */
	double *g;     /* l x l: Gram matrix, then its eigenvectors */
	double *w;     /* l: eigenvalues */
	double *block; /* BLOCK x l, for sums in double */
	float *r;      /* l x l */
};

/* --- random numbers: the same on every machine --- */

/* Close enough to normal: the sum of 4 uniform 16-bit numbers. */
static float gauss(uint64_t *s)
{
	uint64_t x = rk_splitmix64(s);
	int32_t sum = (int32_t)(x & 0xffff) + (int32_t)(x >> 16 & 0xffff) +
		      (int32_t)(x >> 32 & 0xffff) + (int32_t)(x >> 48) - 131070;

	return (float)sum / 37837.0f;
}

/* --- products with the sparse matrix --- */

/* y = A z */
static void multiply(struct svd *s)
{
	const struct rk_sparse *a = s->a;

	for (uint32_t r = 0; r < a->rows; r++) {
		float *out = s->y + r * s->ld;

		memset(out, 0, s->ld * sizeof(*out));
		for (uint32_t i = a->start[r]; i < a->start[r + 1]; i++)
			rk_axpy(out, s->z + a->col[i] * s->ld, a->value[i],
				s->ld);
	}
}

/* z = A' y */
static void multiply_transposed(struct svd *s)
{
	const struct rk_sparse *a = s->a;

	memset(s->z, 0, a->cols * s->ld * sizeof(*s->z));
	for (uint32_t r = 0; r < a->rows; r++)
		for (uint32_t i = a->start[r]; i < a->start[r + 1]; i++)
			rk_axpy(s->z + a->col[i] * s->ld, s->y + r * s->ld,
				a->value[i], s->ld);
}

/* --- orthonormal columns: Cholesky QR, twice (Yamamoto et al. 2015) --- */

/* g = x' x in double: single precision would square the condition away */
static void gram(struct svd *s, const float *x, size_t rows)
{
	size_t l = s->l;

	memset(s->g, 0, l * l * sizeof(*s->g));
	for (size_t at = 0; at < rows; at += BLOCK) {
		size_t n = rows - at < BLOCK ? rows - at : BLOCK;

		for (size_t i = 0; i < n; i++)
			for (size_t j = 0; j < l; j++)
				s->block[i * l + j] =
					(double)x[(at + i) * s->ld + j];
		cblas_dsyrk(CblasRowMajor, CblasUpper, CblasTrans, (int)l,
			    (int)n, 1, s->block, (int)l, 1, s->g, (int)l);
	}
	for (size_t i = 0; i < l; i++)
		for (size_t j = 0; j < i; j++)
			s->g[i * l + j] = s->g[j * l + i];
}

/* g = R'R; R upper, into s->r */
static void cholesky(struct svd *s)
{
	size_t l = s->l;
	double *g = s->g, trace = 0, tiny;

	for (size_t i = 0; i < l; i++)
		trace += g[i * l + i];
	tiny = trace * 1e-12 + 1e-30;
	for (size_t i = 0; i < l; i++) {
		double d = g[i * l + i];

		for (size_t k = 0; k < i; k++)
			d -= g[k * l + i] * g[k * l + i];
		/* a column that the others span: keep it, however small */
		d = sqrt(d > tiny ? d : tiny);
		g[i * l + i] = d;
		for (size_t j = i + 1; j < l; j++) {
			double x = g[i * l + j];

			for (size_t k = 0; k < i; k++)
				x -= g[k * l + i] * g[k * l + j];
			g[i * l + j] = x / d;
		}
	}
	for (size_t i = 0; i < l; i++)
		for (size_t j = 0; j < l; j++)
			s->r[i * l + j] = j < i ? 0 : (float)g[i * l + j];
}

static void orthonormalise(struct svd *s, float *x, size_t rows)
{
	for (int pass = 0; pass < 2; pass++) {
		gram(s, x, rows);
		cholesky(s);
		cblas_strsm(CblasRowMajor, CblasRight, CblasUpper, CblasNoTrans,
			    CblasNonUnit, (int)rows, (int)s->l, 1, s->r,
			    (int)s->l, x, (int)s->ld);
	}
}

/* --- eigenvectors of the small symmetric matrix: LAPACK's dsyevd --- */

/* Fortran's: OpenBLAS has it, though not its header. */
extern void dsyevd_(const char *jobz, const char *uplo, const int *n, double *a,
		    const int *lda, double *w, double *work, const int *lwork,
		    int *iwork, const int *liwork, int *info, size_t jobz_n,
		    size_t uplo_n);

/* Of g: its eigenvectors as rows in its place; w: their values, ascending. */
static int eigen(struct svd *s)
{
	int l = (int)s->l, lwork = 1 + 6 * l + 2 * l * l, liwork = 3 + 5 * l;
	double *work = rk_malloc((size_t)lwork * sizeof(*work));
	int *iwork = rk_malloc((size_t)liwork * sizeof(*iwork));
	int info = -1;

	if (work && iwork)
		dsyevd_("V", "U", &l, s->g, &l, s->w, work, &lwork, iwork,
			&liwork, &info, 1, 1);
	rk_free(work);
	rk_free(iwork);
	return info == 0 ? 0 : -ENOMEM;
}

/* --- all of it --- */

/* v = z W / sigma: z = A'Q holds the right vectors up to a rotation. */
static int project(struct svd *s, unsigned k, float *v, size_t stride)
{
	size_t l = s->l;
	int rc;

	gram(s, s->z, s->a->cols);
	if ((rc = eigen(s)) < 0)
		return rc;
	memset(s->r, 0, l * l * sizeof(*s->r));
	for (unsigned j = 0; j < k && j < l; j++) {
		size_t e = l - 1 - j;
		double lambda = s->w[e];

		if (lambda <= s->w[l - 1] * 1e-9 || lambda <= 0)
			break;
		for (size_t i = 0; i < l; i++)
			s->r[i * l + j] =
				(float)(s->g[e * l + i] / sqrt(lambda));
	}
	cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)s->a->cols,
		    (int)(k < l ? k : l), (int)l, 1, s->z, (int)s->ld, s->r,
		    (int)l, 0, v, (int)stride);
	return 0;
}

static int svd_alloc(struct svd *s, unsigned k)
{
	const struct rk_sparse *a = s->a;
	size_t small = a->rows < a->cols ? a->rows : a->cols;

	s->l = k + OVERSAMPLE < small ? k + OVERSAMPLE : small;
	s->ld = rk_vec_stride(s->l);
	s->y = rk_calloc(a->rows * s->ld, sizeof(*s->y));
	s->z = rk_calloc(a->cols * s->ld, sizeof(*s->z));
	s->g = rk_malloc(s->l * s->l * sizeof(*s->g));
	s->w = rk_malloc(s->l * sizeof(*s->w));
	s->r = rk_malloc(s->l * s->l * sizeof(*s->r));
	s->block = rk_malloc(BLOCK * s->l * sizeof(*s->block));
	return s->y && s->z && s->g && s->w && s->r && s->block ? 0 : -ENOMEM;
}

static int svd_run(struct svd *s, const _Atomic int *cancel)
{
	uint64_t seed = 1;

	for (size_t i = 0; i < s->a->cols; i++)
		for (size_t j = 0; j < s->l; j++)
			s->z[i * s->ld + j] = gauss(&seed);
	for (int i = 0; i <= POWER; i++) {
		if (cancel && *cancel)
			return RK_ECANCELLED;
		multiply(s);
		orthonormalise(s, s->y, s->a->rows);
		multiply_transposed(s);
		if (i < POWER)
			orthonormalise(s, s->z, s->a->cols);
	}
	return 0;
}

int rk_svd_right(const struct rk_sparse *a, unsigned k, float *v, size_t stride,
		 const _Atomic int *cancel)
{
	struct svd s = {.a = a};
	int rc = 0;

	assert(k > 0 && stride >= k);
	for (size_t i = 0; i < a->cols; i++)
		memset(v + i * stride, 0, k * sizeof(*v));
	if (a->rows == 0 || a->cols == 0)
		return 0;
	if ((rc = svd_alloc(&s, k)) == 0 && (rc = svd_run(&s, cancel)) == 0)
		rc = project(&s, k, v, stride);
	rk_free(s.y);
	rk_free(s.z);
	rk_free(s.g);
	rk_free(s.w);
	rk_free(s.r);
	rk_free(s.block);
	return rc;
}
