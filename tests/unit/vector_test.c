/* SPDX-License-Identifier: MIT */
/* The vector lane's parts: kernels, rotation, indexes, SVD, fits, models. */
#include "unit/t.h"
#include "base/buf.h"
#include "base/mem.h"
#include "base/status.h"
#include "index/answers/same_question.h"
#include "vector/hnsw.h"
#include "vector/ivf.h"
#include "vector/latent.h"
#include "vector/rotate.h"
#include "vector/embed/safetensors.h"
#include "vector/embed/server.h"
#include "vector/svd.h"
#include "vector/embed/tokenizer.h"
#include <errno.h>
#include <math.h>

static const char *const KERNELS[] = {"portable", "avx2", "avx512"};

static unsigned long long seed = 1;

static float uniform(void)
{
	return (float)((double)(t_rand(&seed) % 2000001) / 1e6 - 1);
}

static float *random_rows(uint32_t n, uint32_t dim)
{
	size_t stride = rk_vec_stride(dim);
	float *v = rk_aligned_alloc(64, n * stride * sizeof(*v));

	for (uint32_t r = 0; r < n; r++) {
		float *x = v + r * stride, *c = v + r % 10 * stride, len = 0;

		for (size_t i = 0; i < stride; i++) {
			x[i] = i < dim ? uniform() : 0;
			if (r >= 10) /* around ten centres */
				x[i] = x[i] * 0.5f + c[i];
			len += x[i] * x[i];
		}
		for (size_t i = 0; i < stride; i++)
			x[i] /= sqrtf(len);
	}
	return v;
}

/* --- kernels --- */

static void every_kernel_computes_the_same(void)
{
	enum { N = 384, GROUPS = 8, WORDS = 6 };
	float *a = random_rows(2, N), *b = a + N, acc[3][N];
	int8_t x[N], y[N];
	int16_t row[N];
	int32_t sums[3][N];
	uint64_t code[GROUPS * WORDS * RK_GROUP], planes[RK_PLANES * WORDS];
	float scale[GROUPS * RK_GROUP], bias[GROUPS * RK_GROUP];
	float est[3][GROUPS * RK_GROUP];
	struct rk_code_query q = {planes, WORDS, 0.5f, -3, 0.25f};
	float dot[3] = {0, 0, 0};
	int32_t doti[3] = {0, 0, 0};
	uint64_t mask[3] = {0, 0, 0};
	const char *was = rk_kernels_name();

	for (int i = 0; i < N; i++) {
		x[i] = (int8_t)(t_rand(&seed) % 255 - 127);
		y[i] = (int8_t)(t_rand(&seed) % 255 - 127);
		row[i] = (int16_t)(t_rand(&seed) % 65535 - 32767);
	}
	for (size_t i = 0; i < sizeof(code) / 8; i++)
		code[i] = t_rand(&seed) * 0x9e3779b97f4a7c15u;
	for (size_t i = 0; i < sizeof(planes) / 8; i++)
		planes[i] = t_rand(&seed) * 0xbf58476d1ce4e5b9u;
	for (size_t i = 0; i < GROUPS * RK_GROUP; i++) {
		scale[i] = 0.01f + fabsf(uniform());
		bias[i] = uniform();
	}
	for (int k = 0; k < 3; k++) {
		if (!rk_kernels_use(KERNELS[k]))
			continue; /* not on this processor */
		dot[k] = rk_dot(a, b, N);
		doti[k] = rk_dot_i8(x, y, N);
		memcpy(acc[k], a, sizeof(acc[k]));
		rk_axpy(acc[k], b, 0.5f, N);
		memset(sums[k], 0x11, sizeof(sums[k]));
		rk_axpy_i16(sums[k], row, 1234, N);
		mask[k] = rk_code_scan(&q, code, scale, bias, GROUPS, 1, 20,
				       est[k]);
		CHECK(fabsf(dot[k] - dot[0]) < 1e-5f);
		CHECK_INT(doti[k], doti[0]);
		CHECK(fabsf(acc[k][7] - acc[0][7]) < 1e-6f);
		CHECK(memcmp(sums[k], sums[0], sizeof(sums[0])) == 0);
		for (int i = 0; i < GROUPS * RK_GROUP; i++) {
			CHECK(fabsf(est[k][i] - est[0][i]) <
			      1e-3f * (1 + fabsf(est[0][i])));
			CHECK_INT(mask[k] >> i & 1, est[k][i] > 20);
		}
	}
	rk_kernels_use(was);
	rk_free(a);
}

static void a_rotation_keeps_lengths_and_angles(void)
{
	static const uint32_t DIMS[] = {64, 128, 384, 448, 768};

	for (size_t d = 0; d < 5; d++) {
		uint32_t n = DIMS[d];
		float *a = random_rows(2, n), *b = a + rk_vec_stride(n);
		float before = rk_dot(a, b, n), top = 0;

		memset(b, 0, n * sizeof(*b));
		b[3] = 1; /* all in one coordinate */
		before = rk_dot(a, b, n);
		rk_rotate(a, n);
		rk_rotate(b, n);
		CHECK(fabsf(rk_dot(a, b, n) - before) < 1e-4f);
		CHECK(fabsf(rk_dot(b, b, n) - 1) < 1e-4f);
		for (uint32_t i = 0; i < n; i++)
			top = fmaxf(top, fabsf(b[i]));
		CHECK(top < 8 / sqrtf((float)n)); /* is spread over all */
		rk_free(a);
	}
}

/* --- indexes --- */

struct rows {
	float *v;
	uint32_t n, dim;
};

static const float *get(void *ctx, uint32_t row, uint32_t n)
{
	const struct rows *r = ctx;

	(void)n;
	return r->v + row * rk_vec_stride(r->dim);
}

static int even(void *ctx, uint32_t row)
{
	(void)ctx;
	return row % 2 == 0;
}

typedef int nearest_fn(const void *index, const struct rk_near_query *q,
		       struct rk_near *out);

static int by_ivf(const void *ix, const struct rk_near_query *q,
		  struct rk_near *out)
{
	return rk_ivf_nearest(ix, q, out);
}

static int by_hnsw(const void *ix, const struct rk_near_query *q,
		   struct rk_near *out)
{
	return rk_hnsw_nearest(ix, q, out);
}

/* Recall@10 of an index against a full scan; every third row is zero. */
static double recall_of(const struct rows *r, const void *index, nearest_fn *fn,
			int filtered)
{
	size_t stride = rk_vec_stride(r->dim);
	int hit = 0, total = 0;

	for (uint32_t k = 0; k < 50; k++) {
		const float *q = r->v + (k * 37 % r->n) * stride;
		struct rk_near out[10], best[10];
		struct rk_near_query query = {.q = q,
					      .k = 10,
					      .effort = 200,
					      .floor = -2,
					      .get = get,
					      .get_ctx = (void *)(uintptr_t)r,
					      .accept = filtered ? even : NULL};
		int n, have = 0;

		if (rk_dot(q, q, stride) <= 0)
			continue;
		for (uint32_t i = 0; i < r->n; i++) {
			struct rk_near x = {
				rk_dot(q, r->v + i * stride, stride), i};
			int j;

			if ((filtered && i % 2) ||
			    rk_dot(r->v + i * stride, r->v + i * stride,
				   stride) <= 0 ||
			    (have == 10 && x.score <= best[9].score))
				continue;
			for (j = have < 10 ? have++ : 9;
			     j > 0 && best[j - 1].score < x.score; j--)
				best[j] = best[j - 1];
			best[j] = x;
		}
		n = fn(index, &query, out);
		CHECK_INT(n, have);
		for (int i = 0; i < n; i++) {
			CHECK(!filtered || out[i].row % 2 == 0);
			CHECK(i == 0 || out[i].score <= out[i - 1].score);
			for (int j = 0; j < have; j++)
				hit += out[i].row == best[j].row;
		}
		total += have;
	}
	return (double)hit / total;
}

static struct rows some_rows(uint32_t n, uint32_t dim)
{
	struct rows r = {random_rows(n, dim), n, dim};

	for (uint32_t i = 2; i < n; i += 3)
		memset(r.v + i * rk_vec_stride(dim), 0,
		       rk_vec_stride(dim) * sizeof(float));
	return r;
}

static void inverted_lists_find_the_nearest(void)
{
	static const uint32_t LISTS[] = {1, 16}, DIMS[] = {24, 100, 384};

	for (size_t d = 0; d < 3; d++)
		for (size_t l = 0; l < 2; l++) {
			struct rows r = some_rows(2000, DIMS[d]);
			struct rk_ivf v;

			CHECK_INT(rk_ivf_build(get, &r, r.n, r.dim, LISTS[l],
					       NULL, &v),
				  0);
			CHECK_INT(rk_ivf_check(&v), 0);
			CHECK(recall_of(&r, &v, by_ivf, 0) > 0.9);
			CHECK(recall_of(&r, &v, by_ivf, 1) > 0.9);
			rk_ivf_release(&v);
			rk_free(r.v);
		}
}

static void graphs_find_the_nearest(void)
{
	static const double LEAST[] = {0.97, 0.97, 0.85};

	for (int code = RK_HNSW_F32; code <= RK_HNSW_BINARY; code++) {
		struct rows r = some_rows(2000, 384);
		struct rk_hnsw h;

		CHECK_INT(rk_hnsw_build(get, &r, r.n, r.dim,
					(enum rk_hnsw_code)code, NULL, &h),
			  0);
		CHECK_INT(rk_hnsw_check(&h), 0);
		CHECK(recall_of(&r, &h, by_hnsw, 0) > LEAST[code]);
		CHECK(recall_of(&r, &h, by_hnsw, 1) > LEAST[code] - 0.05);
		rk_hnsw_release(&h);
		rk_free(r.v);
	}
}

static void indexes_of_nothing_and_of_one_row(void)
{
	struct rows r = {random_rows(1, 32), 1, 32};
	struct rk_near out[3];
	struct rk_near_query q = {
		.q = r.v, .k = 3, .floor = -2, .get = get, .get_ctx = &r};
	struct rk_ivf v;
	struct rk_hnsw h;

	CHECK_INT(rk_ivf_build(get, &r, 1, 32, 5, NULL, &v), 0);
	CHECK_INT(rk_ivf_nearest(&v, &q, out), 1);
	CHECK_INT(rk_hnsw_build(get, &r, 1, 32, RK_HNSW_SQ8, NULL, &h), 0);
	CHECK_INT(rk_hnsw_nearest(&h, &q, out), 1);
	CHECK(out[0].row == 0 && fabsf(out[0].score - 1) < 1e-5f);
	rk_ivf_release(&v);
	rk_hnsw_release(&h);
	memset(r.v, 0, 32 * sizeof(float)); /* a row that is not there */
	CHECK_INT(rk_ivf_build(get, &r, 1, 32, 1, NULL, &v), 0);
	CHECK_INT(rk_hnsw_build(get, &r, 1, 32, RK_HNSW_F32, NULL, &h), 0);
	CHECK_INT(rk_ivf_nearest(&v, &q, out), 0);
	CHECK_INT(rk_hnsw_nearest(&h, &q, out), 0);
	rk_ivf_release(&v);
	rk_hnsw_release(&h);
	rk_free(r.v);
}

static void damaged_indexes_are_refused(void)
{
	struct rows r = some_rows(300, 64);
	struct rk_hnsw h;
	struct rk_ivf v;

	CHECK_INT(rk_hnsw_build(get, &r, r.n, 64, RK_HNSW_F32, NULL, &h), 0);
	((uint32_t *)(uintptr_t)h.links0)[40] = 300;
	CHECK_INT(rk_hnsw_check(&h), RK_ECORRUPT);
	((uint32_t *)(uintptr_t)h.links0)[40] = 0;
	h.entry = 1000;
	CHECK_INT(rk_hnsw_check(&h), RK_ECORRUPT);
	rk_hnsw_release(&h);
	CHECK_INT(rk_ivf_build(get, &r, r.n, 64, 4, NULL, &v), 0);
	((uint32_t *)(uintptr_t)v.row)[3] = 300;
	CHECK_INT(rk_ivf_check(&v), RK_ECORRUPT);
	((uint32_t *)(uintptr_t)v.row)[3] = 0;
	((uint32_t *)(uintptr_t)v.start)[1] = 1u << 30;
	CHECK_INT(rk_ivf_check(&v), RK_ECORRUPT);
	rk_ivf_release(&v);
	rk_free(r.v);
}

/* --- the fit --- */

static void singular_vectors_of_a_known_matrix(void)
{
	/* two blocks: the leading right vectors live in one block each */
	enum { ROWS = 60, COLS = 40, PER = 20 };
	uint32_t start[ROWS + 1], col[ROWS * PER];
	float value[ROWS * PER], v[COLS * 16];
	struct rk_sparse a = {ROWS, COLS, start, col, value};

	for (uint32_t r = 0; r < ROWS; r++) {
		start[r] = r * PER;
		for (uint32_t i = 0; i < PER; i++) {
			col[r * PER + i] = (r < 40 ? 0 : 20) + i;
			value[r * PER + i] = 1;
		}
	}
	start[ROWS] = ROWS * PER;
	CHECK_INT(rk_svd_right(&a, 3, v, 16, NULL), 0);
	for (int c = 0; c < COLS; c++) {
		float want0 = c < 20 ? 1 / sqrtf(20) : 0;
		float want1 = c < 20 ? 0 : 1 / sqrtf(20);

		CHECK(fabsf(fabsf(v[c * 16]) - want0) < 1e-3f);
		CHECK(fabsf(fabsf(v[c * 16 + 1]) - want1) < 1e-3f);
		CHECK(fabsf(v[c * 16 + 2]) < 1e-3f); /* there is no third */
	}
}

/*
 * Blocks of their own weights: the right vector of each is known, and found
 * within an angle of 1e-4, in the order of the singular values.
 */
static void singular_vectors_to_1e_4(void)
{
	enum { BLOCKS = 12, PER = 6, COLS = BLOCKS * PER, ROWS = COLS };
	uint32_t start[ROWS + 1], col[ROWS * PER];
	float value[ROWS * PER], v[COLS * 16];
	struct rk_sparse a = {ROWS, COLS, start, col, value};

	for (uint32_t r = 0; r < ROWS; r++) {
		start[r] = r * PER;
		for (uint32_t i = 0; i < PER; i++) {
			col[r * PER + i] = r / PER * PER + i;
			value[r * PER + i] =
				1 + .1f * (float)(r / PER) + .01f * (float)i;
		}
	}
	start[ROWS] = ROWS * PER;
	CHECK_INT(rk_svd_right(&a, BLOCKS, v, 16, NULL), 0);
	for (int j = 0; j < BLOCKS; j++) {
		int block = BLOCKS - 1 - j; /* the heaviest first */
		double along = 0, all = 0, want = 0;

		for (int c = 0; c < COLS; c++) {
			double x = (double)v[c * 16 + j];
			double w = (double)value[c / PER * PER * PER + c % PER];

			all += x * x;
			if (c / PER != block)
				continue;
			along += x * w;
			want += w * w;
		}
		CHECK(fabs(all - 1) < 1e-5);
		/* the sine of the angle, squared */
		CHECK(1 - along * along / (want * all) < 1e-8);
	}
}

/* LSA half of a term's vector */
static void lsa_of(const struct rk_latent *l, uint64_t key, float *out)
{
	_Alignas(64) float v[RK_LATENT_DIM];
	struct rk_latent_sum sum = {{0}};

	rk_latent_add(l, &sum, key, rk_latent_row(l, key), 1);
	rk_latent_vector(l, &sum, v);
	CHECK(fabsf(rk_dot(v, v, RK_LATENT_DIM) - 1) < 1e-4f);
	memcpy(out, v + RK_HASH_DIM, RK_LSA_DIM * sizeof(*out));
}

/*
 * Of each group two words never meet, but keep the same company: a fit must
 * see that they mean the same, and that words of other groups do not.
 */
static void a_fit_knows_words_by_their_company(void)
{
	enum { GROUPS = RK_LSA_DIM, EACH = 4, PER = 5, CHUNKS = GROUPS * EACH };
	static uint32_t start[CHUNKS + 1], term[CHUNKS * PER];
	static uint8_t tf[CHUNKS * PER];
	static uint64_t key[GROUPS * 6];
	struct rk_sample s = {CHUNKS, GROUPS * 6, start, term, tf, key};
	struct rk_latent *l, *again;
	float a[RK_LSA_DIM], b[RK_LSA_DIM], c[RK_LSA_DIM];

	for (uint32_t t = 0; t < GROUPS * 6; t++)
		key[t] = rk_latent_key((const char *)&t, sizeof(t));
	for (uint32_t i = 0; i < CHUNKS; i++) {
		start[i] = i * PER;
		for (uint32_t k = 0; k < PER; k++) {
			/* 0 or 1 in turn, then the company */
			term[i * PER + k] =
				i / EACH * 6 + (k == 0 ? i % 2 : k + 1);
			tf[i * PER + k] = 1;
		}
	}
	start[CHUNKS] = CHUNKS * PER;
	CHECK_INT(rk_latent_fit(&s, CHUNKS, NULL, &l), 0);
	CHECK_INT(rk_latent_fit(&s, CHUNKS, NULL, &again), 0);
	CHECK_INT(l->nterms, GROUPS * 6);
	CHECK(memcmp(l->basis, again->basis,
		     GROUPS * 6 * RK_LSA_DIM * sizeof(*l->basis)) == 0);
	for (uint32_t g = 0; g + 1 < GROUPS; g += 7) {
		lsa_of(l, key[g * 6], a);
		lsa_of(l, key[g * 6 + 1], b);
		lsa_of(l, key[g * 6 + 6], c);
		CHECK(rk_dot(a, b, RK_LSA_DIM) > 0.3f);
		CHECK(fabsf(rk_dot(a, c, RK_LSA_DIM)) < 0.1f);
	}
	rk_latent_unref(l);
	rk_latent_unref(again);
}

/* --- models --- */

static void tokenizers_cut_as_they_should(void)
{
	static const char JSON[] =
		"{\"normalizer\":{\"type\":\"BertNormalizer\"},"
		"\"pre_tokenizer\":{\"type\":\"BertPreTokenizer\"},"
		"\"model\":{\"type\":\"WordPiece\",\"unk_token\":\"[UNK]\","
		"\"continuing_subword_prefix\":\"##\",\"vocab\":{\"[UNK]\":0,"
		"\"cat\":1,\"##s\":2,\"!\":3,\"un\":4,\"##able\":5,\"cafe\":6}}"
		"}";
	static const struct {
		const char *text;
		uint32_t ids[6], n;
	} CASES[] = {
		{"Cats!", {1, 2, 3}, 3},
		{"unable cat", {4, 5, 1}, 3},
		{"dog cat", {1}, 1},
		{"caf\xc3\xa9", {6}, 1},
		{"", {0}, 0},
		{"\xff\xfe"
		 "cat",
		 {1},
		 1},
		{"c\xe4\xb8\xad"
		 "cat",
		 {1},
		 1},
	};
	struct rk_tokenizer *t;
	char err[200];

	CHECK_INT(rk_tokenizer_load(JSON, strlen(JSON), &t, err, sizeof(err)),
		  0);
	for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
		struct rk_ids ids = {NULL, 0, 0};

		CHECK_INT(rk_tokenize(t, CASES[i].text, strlen(CASES[i].text),
				      &ids),
			  0);
		CHECK_INT(ids.n, CASES[i].n);
		for (uint32_t k = 0; k < ids.n && k < CASES[i].n; k++)
			CHECK_INT(ids.v[k], CASES[i].ids[k]);
		rk_free(ids.v);
	}
	rk_tokenizer_free(t);
	CHECK_INT(rk_tokenizer_load("{\"model\":{\"type\":\"BPE\"}}", 24, &t,
				    err, sizeof(err)),
		  -ENOTSUP);
	CHECK(strstr(err, "BPE") != NULL);
}

static void a_prefix_longer_than_any_piece_is_refused(void)
{
	static const size_t LENGTHS[] = {256, 257, 300, 600, 100000};
	struct rk_ids ids = {NULL, 0, 0};

	for (size_t i = 0; i < sizeof(LENGTHS) / sizeof(LENGTHS[0]); i++) {
		struct rk_buf b = RK_BUF_INIT;
		struct rk_tokenizer *t = NULL;
		char err[200] = "";
		int rc;

		rk_buf_str(&b, "{\"model\":{\"type\":\"WordPiece\",\"vocab\":{"
			       "\"a\":0},\"continuing_subword_prefix\":\"");
		for (size_t k = 0; k < LENGTHS[i]; k++)
			rk_buf_byte(&b, '#');
		rk_buf_str(&b, "\"}}");
		rc = rk_tokenizer_load((char *)b.p, b.n, &t, err, sizeof(err));
		CHECK_INT(rc, LENGTHS[i] > 256 ? -EINVAL : 0);
		if (rc == 0)
			CHECK_INT(rk_tokenize(t, "ab", 2, &ids), 0);
		else
			CHECK(strstr(err, "continuing_subword_prefix"));
		rk_tokenizer_free(t);
		rk_buf_release(&b);
	}
	rk_free(ids.v);
}

static void unigram_takes_the_likeliest_pieces(void)
{
	static const char JSON[] =
		"{\"pre_tokenizer\":{\"type\":\"Metaspace\"},\"model\":{"
		"\"type\":\"Unigram\",\"unk_id\":0,\"vocab\":[[\"<unk>\",0],"
		"[\"\xe2\x96\x81\",-3],[\"a\",-2],[\"b\",-2],[\"ab\",-3],"
		"[\"\xe2\x96\x81"
		"ab\",-2.5],[\"c\",-9]]}}";
	struct rk_ids ids = {NULL, 0, 0};
	struct rk_tokenizer *t;
	char err[200] = "";

	CHECK_INT(rk_tokenizer_load(JSON, strlen(JSON), &t, err, sizeof(err)),
		  0);
	CHECK_INT(rk_tokenize(t, "abab xx", 7, &ids), 0);
	/* _ab ab | _ then two unknown characters as one */
	CHECK_INT(ids.n, 4);
	if (ids.n == 4) {
		CHECK_INT(ids.v[0], 5);
		CHECK_INT(ids.v[1], 4);
		CHECK_INT(ids.v[2], 1);
		CHECK_INT(ids.v[3], 0);
	}
	rk_free(ids.v);
	rk_tokenizer_free(t);
}

static void tensors_stay_inside_their_file(void)
{
	static const struct {
		const char *head;
		size_t data;
		int rc;
	} CASES[] = {
		{"{\"e\":{\"dtype\":\"F32\",\"shape\":[2,2],\"data_offsets\":["
		 "0,16]}}",
		 16, 1},
		{"{\"e\":{\"dtype\":\"F32\",\"shape\":[2,2],\"data_offsets\":["
		 "0,16]}}",
		 15, RK_ECORRUPT},
		{"{\"e\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":["
		 "0,16]}}",
		 16, RK_ECORRUPT},
		{"{\"e\":{\"dtype\":\"F32\",\"shape\":[2,-2],\"data_offsets\":["
		 "0,16]}}",
		 16, RK_ECORRUPT},
		{"{\"e\":{\"dtype\":\"F32\",\"shape\":[4],\"data_offsets\":[16,"
		 "0]}}",
		 16, RK_ECORRUPT},
		{"{\"e\":{\"dtype\":\"BF16\",\"shape\":[8],\"data_offsets\":[0,"
		 "16]}}",
		 16, -ENOTSUP},
		{"{\"e\":{\"dtype\":\"F16\",\"shape\":[2,2,2],\"data_offsets\":"
		 "[0,16]}}",
		 16, -ENOTSUP},
		{"{\"x\":{}}", 16, 0},
		{"[]", 16, RK_ECORRUPT},
		{"{", 16, RK_ECORRUPT},
	};
	struct rk_tensor t;

	for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
		uint8_t file[400] = {0};
		uint64_t n = strlen(CASES[i].head);

		memcpy(file, &n, 8);
		memcpy(file + 8, CASES[i].head, n);
		CHECK_INT(rk_safetensors_find(file, 8 + n + CASES[i].data, "e",
					      &t),
			  CASES[i].rc);
	}
	CHECK_INT(rk_safetensors_find((const uint8_t *)"short", 5, "e", &t),
		  RK_ECORRUPT);
	CHECK(rk_half(0x3c00) == 1.0f && rk_half(0xc000) == -2.0f &&
	      rk_half(0x0001) > 0 && rk_half(0x7c00) > 1e30f);
}

static void answers_of_servers_are_checked(void)
{
	static const struct {
		const char *json;
		int rc;
	} CASES[] = {
		{"{\"data\":[{\"index\":1,\"embedding\":[0,2]},"
		 "{\"index\":0,\"embedding\":[3,4]}]}",
		 0},
		{"{\"embeddings\":[[3,4],[0,1]]}", 0},
		{"{\"data\":[{\"index\":0,\"embedding\":\"AABAQAAAgEA=\"},"
		 "{\"index\":1,\"embedding\":\"AAAAAAAAgD8=\"}]}",
		 0},
		{"{\"embeddings\":[[3,4]]}", -EPROTO},
		{"{\"embeddings\":[[3,4],[1]]}", -EPROTO},
		{"{\"embeddings\":[[3,4],[1,\"x\"]]}", -EPROTO},
		{"{\"embeddings\":[[3,4],[]]}", -EPROTO},
		{"{\"data\":[{\"index\":0,\"embedding\":[3,4]},"
		 "{\"index\":0,\"embedding\":[3,4]}]}",
		 -EPROTO},
		{"{\"data\":[{\"index\":7,\"embedding\":[3,4]},"
		 "{\"index\":0,\"embedding\":[3,4]}]}",
		 -EPROTO},
		{"{\"data\":[{\"index\":0,\"embedding\":\"AADAfwAAgEA=\"},"
		 "{\"index\":1,\"embedding\":[1,1]}]}",
		 -EPROTO}, /* NaN */
		{"{\"data\":[{\"index\":0,\"embedding\":\"AAD*\"},"
		 "{\"index\":1,\"embedding\":[1,1]}]}",
		 -EPROTO},
		{"{\"data\":3}", -EPROTO},
		{"", -EPROTO},
	};

	for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
		float rows[2 * RK_VEC_LANES];
		uint32_t dim = 2;
		char err[100];
		int rc = rk_server_parse(CASES[i].json, strlen(CASES[i].json),
					 2, &dim, 0, rows, RK_VEC_LANES, err,
					 sizeof(err));

		CHECK_INT(rc, CASES[i].rc);
		if (rc == 0) {
			CHECK(fabsf(rows[0] - 0.6f) < 1e-6f);
			CHECK(fabsf(rows[RK_VEC_LANES + 1] - 1) < 1e-6f);
			CHECK(rows[2] == 0.0f);
		}
	}
}

/* --- the cache's guard --- */

static void questions_that_turn_around_do_not_agree(void)
{
	static const struct {
		const char *a, *b;
		int agree;
	} CASES[] = {
		{"enable the firewall", "disable the firewall", 0},
		{"enable the firewall", "how to enable a firewall", 1},
		{"install it", "uninstall it", 0},
		{"version 12", "version 13", 0},
		{"version 12", "the version 12", 1},
		{"do it", "do not do it", 0},
		{"don't do it", "do it", 0},
		{"mount a disk", "unmount a disk", 0},
		{"start the server", "stop the server", 0},
		{"start or stop the server", "stop the server", 1},
		{"", "", 1},
	};

	for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++)
		CHECK_INT(rk_same_question(CASES[i].a, strlen(CASES[i].a),
					   CASES[i].b, strlen(CASES[i].b)),
			  CASES[i].agree);
}

static const struct t_case CASES[] = {
	{"every kernel computes the same", every_kernel_computes_the_same},
	{"a rotation keeps lengths and angles",
	 a_rotation_keeps_lengths_and_angles},
	{"inverted lists find the nearest", inverted_lists_find_the_nearest},
	{"graphs find the nearest", graphs_find_the_nearest},
	{"indexes of nothing and of one row",
	 indexes_of_nothing_and_of_one_row},
	{"damaged indexes are refused", damaged_indexes_are_refused},
	{"singular vectors of a known matrix",
	 singular_vectors_of_a_known_matrix},
	{"singular vectors, to an angle of 1e-4", singular_vectors_to_1e_4},
	{"a fit knows words by their company",
	 a_fit_knows_words_by_their_company},
	{"tokenizers cut as they should", tokenizers_cut_as_they_should},
	{"a prefix longer than any piece is refused",
	 a_prefix_longer_than_any_piece_is_refused},
	{"unigram takes the likeliest pieces",
	 unigram_takes_the_likeliest_pieces},
	{"tensors stay inside their file", tensors_stay_inside_their_file},
	{"answers of servers are checked", answers_of_servers_are_checked},
	{"questions that turn around do not agree",
	 questions_that_turn_around_do_not_agree},
};
T_MAIN(CASES)
