/* SPDX-License-Identifier: MIT */
#include "vector/kernels.h"
#include <assert.h>
#include <math.h>
#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#define X86  1
#define AVX2 __attribute__((target("avx2,fma,popcnt")))
#define AVX512                                                                 \
	__attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,"            \
			      "avx512vpopcntdq,avx512vnni,avx2,fma,popcnt")))
#else
#define X86 0
#endif

/* --- plain C: also what the others are tested against --- */

static float dot_c(const float *a, const float *b, size_t n)
{
	float s[RK_VEC_LANES] = {0};

	for (size_t i = 0; i < n; i += RK_VEC_LANES)
		for (size_t k = 0; k < RK_VEC_LANES; k++)
			s[k] += a[i + k] * b[i + k];
	for (size_t half = RK_VEC_LANES / 2; half; half /= 2)
		for (size_t k = 0; k < half; k++)
			s[k] += s[k + half];
	return s[0];
}

static int32_t dot_i8_c(const int8_t *a, const int8_t *b, size_t n)
{
	int32_t s = 0;

	for (size_t i = 0; i < n; i++)
		s += a[i] * b[i];
	return s;
}

static void axpy_c(float *acc, const float *row, float w, size_t n)
{
	for (size_t i = 0; i < n; i++)
		acc[i] += w * row[i];
}

static void axpy_i16_c(int32_t *acc, const int16_t *row, int32_t w, size_t n)
{
	for (size_t i = 0; i < n; i++)
		acc[i] = (int32_t)((uint32_t)acc[i] +
				   (uint32_t)w * (uint32_t)row[i]);
}

static uint32_t hamming_c(const uint64_t *a, const uint64_t *b, size_t n)
{
	uint32_t s = 0;

	for (size_t i = 0; i < n; i++)
		s += (uint32_t)__builtin_popcountll(a[i] ^ b[i]);
	return s;
}

static uint64_t code_scan_c(const struct rk_code_query *q, const uint64_t *code,
			    const float *scale, const float *bias,
			    size_t groups, float base, float threshold,
			    float *est)
{
	uint64_t above = 0;

	for (size_t i = 0; i < groups * RK_GROUP; i++) {
		const uint64_t *c = code + i / RK_GROUP * q->words * RK_GROUP +
				    i % RK_GROUP;
		uint32_t sum = 0;

		for (size_t w = 0; w < q->words; w++, c += RK_GROUP)
			for (unsigned p = 0; p < RK_PLANES; p++)
				sum += (uint32_t)__builtin_popcountll(
					       *c & q->planes[p * q->words + w])
				       << p;
		est[i] = base + scale[i] * (q->a * (float)sum + q->b) -
			 q->c * bias[i];
		above |= (uint64_t)(est[i] > threshold) << i;
	}
	return above;
}

#if X86

/* --- AVX2 --- */

AVX2 static float dot_avx2(const float *a, const float *b, size_t n)
{
	__m256 s0 = _mm256_setzero_ps(), s1 = s0;
	__m128 h;

	for (size_t i = 0; i < n; i += 16) {
		s0 = _mm256_fmadd_ps(_mm256_loadu_ps(a + i),
				     _mm256_loadu_ps(b + i), s0);
		s1 = _mm256_fmadd_ps(_mm256_loadu_ps(a + i + 8),
				     _mm256_loadu_ps(b + i + 8), s1);
	}
	s0 = _mm256_add_ps(s0, s1);
	h = _mm_add_ps(_mm256_castps256_ps128(s0),
		       _mm256_extractf128_ps(s0, 1));
	h = _mm_add_ps(h, _mm_movehl_ps(h, h));
	h = _mm_add_ss(h, _mm_movehdup_ps(h));
	return _mm_cvtss_f32(h);
}

AVX2 static int32_t sum_i32(__m256i v)
{
	__m128i h = _mm_add_epi32(_mm256_castsi256_si128(v),
				  _mm256_extracti128_si256(v, 1));

	h = _mm_add_epi32(h, _mm_unpackhi_epi64(h, h));
	h = _mm_add_epi32(h, _mm_shuffle_epi32(h, 1));
	return _mm_cvtsi128_si32(h);
}

AVX2 static __m256i load_i8(const int8_t *p)
{
	return _mm256_cvtepi8_epi16(
		_mm_loadu_si128((const __m128i *)(const void *)p));
}

AVX2 static int32_t dot_i8_avx2(const int8_t *a, const int8_t *b, size_t n)
{
	__m256i s0 = _mm256_setzero_si256(), s1 = s0;

	for (size_t i = 0; i < n; i += 32) {
		s0 = _mm256_add_epi32(
			s0, _mm256_madd_epi16(load_i8(a + i), load_i8(b + i)));
		s1 = _mm256_add_epi32(s1,
				      _mm256_madd_epi16(load_i8(a + i + 16),
							load_i8(b + i + 16)));
	}
	return sum_i32(_mm256_add_epi32(s0, s1));
}

AVX2 static void axpy_avx2(float *acc, const float *row, float w, size_t n)
{
	__m256 k = _mm256_set1_ps(w);

	for (size_t i = 0; i < n; i += 8)
		_mm256_storeu_ps(acc + i,
				 _mm256_fmadd_ps(_mm256_loadu_ps(row + i), k,
						 _mm256_loadu_ps(acc + i)));
}

AVX2 static void axpy_i16_avx2(int32_t *acc, const int16_t *row, int32_t w,
			       size_t n)
{
	__m256i k = _mm256_set1_epi32(w);

	for (size_t i = 0; i < n; i += 8) {
		__m256i *p = (__m256i *)(void *)(acc + i);
		__m256i r = _mm256_cvtepi16_epi32(_mm_loadu_si128(
			(const __m128i *)(const void *)(row + i)));

		_mm256_storeu_si256(p,
				    _mm256_add_epi32(_mm256_loadu_si256(p),
						     _mm256_mullo_epi32(r, k)));
	}
}

AVX2 static uint32_t hamming_popcnt(const uint64_t *a, const uint64_t *b,
				    size_t n)
{
	uint64_t s = 0;

	for (size_t i = 0; i < n; i++)
		s += (uint64_t)__builtin_popcountll(a[i] ^ b[i]);
	return (uint32_t)s;
}

/* Bits set per 64-bit lane: nibbles looked up (Mula, Kurz, Lemire 2018). */
AVX2 static __m256i popcnt4(__m256i v)
{
	const __m256i table = _mm256_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2,
					       3, 2, 3, 3, 4, 0, 1, 1, 2, 1, 2,
					       2, 3, 1, 2, 2, 3, 2, 3, 3, 4);
	const __m256i low = _mm256_set1_epi8(15);
	__m256i n = _mm256_add_epi8(
		_mm256_shuffle_epi8(table, _mm256_and_si256(v, low)),
		_mm256_shuffle_epi8(
			table, _mm256_and_si256(_mm256_srli_epi16(v, 4), low)));

	return _mm256_sad_epu8(n, _mm256_setzero_si256());
}

AVX2 static __m256i group_sums_avx2(const struct rk_code_query *q,
				    const uint64_t *code)
{
	const __m256i even = _mm256_setr_epi32(0, 2, 4, 6, 0, 2, 4, 6);
	__m256i lo = _mm256_setzero_si256(), hi = lo;

	for (size_t w = 0; w < q->words; w++, code += RK_GROUP) {
		__m256i a =
			_mm256_loadu_si256((const __m256i *)(const void *)code);
		__m256i b = _mm256_loadu_si256(
			(const __m256i *)(const void *)(code + 4));

		for (int p = 0; p < RK_PLANES; p++) {
			__m256i m = _mm256_set1_epi64x(
				(long long)q->planes[(size_t)p * q->words + w]);

			lo = _mm256_add_epi64(
				lo,
				_mm256_slli_epi64(
					popcnt4(_mm256_and_si256(a, m)), p));
			hi = _mm256_add_epi64(
				hi,
				_mm256_slli_epi64(
					popcnt4(_mm256_and_si256(b, m)), p));
		}
	}
	lo = _mm256_permutevar8x32_epi32(lo, even);
	hi = _mm256_permutevar8x32_epi32(hi, even);
	return _mm256_permute2x128_si256(lo, hi, 0x20);
}

AVX2 static unsigned estimate_avx2(const struct rk_code_query *q, __m256i sums,
				   const float *scale, const float *bias,
				   float base, float threshold, float *est)
{
	__m256 x = _mm256_fmadd_ps(_mm256_cvtepi32_ps(sums),
				   _mm256_set1_ps(q->a), _mm256_set1_ps(q->b));

	x = _mm256_fmadd_ps(x, _mm256_loadu_ps(scale), _mm256_set1_ps(base));
	x = _mm256_fnmadd_ps(_mm256_loadu_ps(bias), _mm256_set1_ps(q->c), x);
	_mm256_storeu_ps(est, x);
	return (unsigned)_mm256_movemask_ps(
		_mm256_cmp_ps(x, _mm256_set1_ps(threshold), _CMP_GT_OQ));
}

AVX2 static uint64_t code_scan_avx2(const struct rk_code_query *q,
				    const uint64_t *code, const float *scale,
				    const float *bias, size_t groups,
				    float base, float threshold, float *est)
{
	uint64_t above = 0;

	for (size_t g = 0; g < groups; g++) {
		__m256i sums = group_sums_avx2(q, code);

		above |= (uint64_t)estimate_avx2(q, sums, scale, bias, base,
						 threshold, est)
			 << g * RK_GROUP;
		code += q->words * RK_GROUP;
		scale += RK_GROUP;
		bias += RK_GROUP;
		est += RK_GROUP;
	}
	return above;
}

/* --- AVX-512 --- */

AVX512 static float dot_avx512(const float *a, const float *b, size_t n)
{
	__m512 s0 = _mm512_setzero_ps(), s1 = s0, s2 = s0, s3 = s0;
	size_t i = 0;

	for (; i + 64 <= n; i += 64) {
		s0 = _mm512_fmadd_ps(_mm512_loadu_ps(a + i),
				     _mm512_loadu_ps(b + i), s0);
		s1 = _mm512_fmadd_ps(_mm512_loadu_ps(a + i + 16),
				     _mm512_loadu_ps(b + i + 16), s1);
		s2 = _mm512_fmadd_ps(_mm512_loadu_ps(a + i + 32),
				     _mm512_loadu_ps(b + i + 32), s2);
		s3 = _mm512_fmadd_ps(_mm512_loadu_ps(a + i + 48),
				     _mm512_loadu_ps(b + i + 48), s3);
	}
	for (; i < n; i += 16)
		s0 = _mm512_fmadd_ps(_mm512_loadu_ps(a + i),
				     _mm512_loadu_ps(b + i), s0);
	return _mm512_reduce_add_ps(
		_mm512_add_ps(_mm512_add_ps(s0, s1), _mm512_add_ps(s2, s3)));
}

/* dpbusd multiplies unsigned by signed: a + 128 is unsigned, 128 b is taken
 * off again */
AVX512 static int32_t dot_i8_avx512(const int8_t *a, const int8_t *b, size_t n)
{
	const __m512i top = _mm512_set1_epi8((char)0x80);
	__m512i s = _mm512_setzero_si512(), off = s;

	for (size_t i = 0; i < n; i += 64) {
		__m512i x = _mm512_loadu_si512(a + i);
		__m512i y = _mm512_loadu_si512(b + i);

		s = _mm512_dpbusd_epi32(s, _mm512_xor_si512(x, top), y);
		off = _mm512_dpbusd_epi32(off, top, y);
	}
	return _mm512_reduce_add_epi32(_mm512_sub_epi32(s, off));
}

AVX512 static void axpy_avx512(float *acc, const float *row, float w, size_t n)
{
	__m512 k = _mm512_set1_ps(w);

	for (size_t i = 0; i < n; i += 16)
		_mm512_storeu_ps(acc + i,
				 _mm512_fmadd_ps(_mm512_loadu_ps(row + i), k,
						 _mm512_loadu_ps(acc + i)));
}

AVX512 static void axpy_i16_avx512(int32_t *acc, const int16_t *row, int32_t w,
				   size_t n)
{
	__m512i k = _mm512_set1_epi32(w);

	for (size_t i = 0; i < n; i += 16) {
		__m512i r = _mm512_cvtepi16_epi32(_mm256_loadu_si256(
			(const __m256i *)(const void *)(row + i)));

		_mm512_storeu_si512(
			acc + i, _mm512_add_epi32(_mm512_loadu_si512(acc + i),
						  _mm512_mullo_epi32(r, k)));
	}
}

AVX512 static __m256i group_sums_avx512(const struct rk_code_query *q,
					const uint64_t *code)
{
	__m512i s0 = _mm512_setzero_si512(), s1 = s0, s2 = s0, s3 = s0;
	const uint64_t *m = q->planes;
	size_t words = q->words;

	for (size_t w = 0; w < words; w++, code += RK_GROUP, m++) {
		__m512i c = _mm512_loadu_si512(code);

#define PLANE(s, p)                                                            \
	s = _mm512_add_epi64(                                                  \
		s, _mm512_popcnt_epi64(_mm512_and_si512(                       \
			   c, _mm512_set1_epi64((long long)m[p * words]))))
		PLANE(s0, 0);
		PLANE(s1, 1);
		PLANE(s2, 2);
		PLANE(s3, 3);
#undef PLANE
	}
	s0 = _mm512_add_epi64(s0, _mm512_slli_epi64(s1, 1));
	s2 = _mm512_add_epi64(s2, _mm512_slli_epi64(s3, 1));
	return _mm512_cvtepi64_epi32(
		_mm512_add_epi64(s0, _mm512_slli_epi64(s2, 2)));
}

AVX512 static uint64_t code_scan_avx512(const struct rk_code_query *q,
					const uint64_t *code,
					const float *scale, const float *bias,
					size_t groups, float base,
					float threshold, float *est)
{
	uint64_t above = 0;

	for (size_t g = 0; g < groups; g++) {
		__m256i sums = group_sums_avx512(q, code);

		above |= (uint64_t)estimate_avx2(q, sums, scale, bias, base,
						 threshold, est)
			 << g * RK_GROUP;
		code += q->words * RK_GROUP;
		scale += RK_GROUP;
		bias += RK_GROUP;
		est += RK_GROUP;
	}
	return above;
}
#endif

/* --- the choice --- */

struct kernels {
	const char *name;
	float (*dot)(const float *, const float *, size_t);
	int32_t (*dot_i8)(const int8_t *, const int8_t *, size_t);
	void (*axpy)(float *, const float *, float, size_t);
	void (*axpy_i16)(int32_t *, const int16_t *, int32_t, size_t);
	uint32_t (*hamming)(const uint64_t *, const uint64_t *, size_t);
	uint64_t (*code_scan)(const struct rk_code_query *, const uint64_t *,
			      const float *, const float *, size_t, float,
			      float, float *);
};

static const struct kernels PORTABLE = {"portable", dot_c,	dot_i8_c,
					axpy_c,	    axpy_i16_c, hamming_c,
					code_scan_c};
#if X86
static const struct kernels FOR_AVX2 = {
	"avx2",	       dot_avx2,       dot_i8_avx2,   axpy_avx2,
	axpy_i16_avx2, hamming_popcnt, code_scan_avx2};
static const struct kernels FOR_AVX512 = {
	"avx512",	 dot_avx512,	 dot_i8_avx512,	  axpy_avx512,
	axpy_i16_avx512, hamming_popcnt, code_scan_avx512};
#endif
static const struct kernels *chosen = &PORTABLE;

__attribute__((constructor)) static void choose(void)
{
#if X86
	__builtin_cpu_init();
	if (__builtin_cpu_supports("avx512f") &&
	    __builtin_cpu_supports("avx512bw") &&
	    __builtin_cpu_supports("avx512vl") &&
	    __builtin_cpu_supports("avx512dq") &&
	    __builtin_cpu_supports("avx512vnni") &&
	    __builtin_cpu_supports("avx512vpopcntdq"))
		chosen = &FOR_AVX512;
	else if (__builtin_cpu_supports("avx2") &&
		 __builtin_cpu_supports("fma") &&
		 __builtin_cpu_supports("popcnt"))
		chosen = &FOR_AVX2;
#endif
}

int rk_kernels_use(const char *name)
{
	static const struct kernels *const ALL[] = {
#if X86
		&FOR_AVX512,
		&FOR_AVX2,
#endif
		&PORTABLE,
	};
	const struct kernels *best;

	choose();
	best = chosen;
	for (size_t i = 0, seen = 0; i < sizeof(ALL) / sizeof(ALL[0]); i++) {
		seen |= ALL[i] == best; /* those after it run here, too */
		if (seen && strcmp(ALL[i]->name, name) == 0) {
			chosen = ALL[i];
			return 1;
		}
	}
	return 0;
}

const char *rk_kernels_name(void)
{
	return chosen->name;
}

float rk_dot(const float *a, const float *b, size_t n)
{
	assert(n % RK_VEC_LANES == 0);
	return chosen->dot(a, b, n);
}

int32_t rk_dot_i8(const int8_t *a, const int8_t *b, size_t n)
{
	assert(n % 64 == 0);
	return chosen->dot_i8(a, b, n);
}

void rk_axpy(float *acc, const float *row, float w, size_t n)
{
	assert(n % RK_VEC_LANES == 0);
	chosen->axpy(acc, row, w, n);
}

void rk_axpy_i16(int32_t *acc, const int16_t *row, int32_t w, size_t n)
{
	assert(n % 16 == 0);
	chosen->axpy_i16(acc, row, w, n);
}

uint32_t rk_hamming(const uint64_t *a, const uint64_t *b, size_t n)
{
	return chosen->hamming(a, b, n);
}

uint64_t rk_code_scan(const struct rk_code_query *q, const uint64_t *code,
		      const float *scale, const float *bias, size_t groups,
		      float base, float threshold, float *est)
{
	assert(groups > 0 && groups <= RK_SCAN_GROUPS);
	return chosen->code_scan(q, code, scale, bias, groups, base, threshold,
				 est);
}

int rk_unit(float *v, size_t n)
{
	double sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += (double)v[i] * (double)v[i];
	sum = sqrt(sum);
	if (!(sum > 0) || !isfinite(sum)) {
		memset(v, 0, n * sizeof(*v));
		return 0;
	}
	for (size_t i = 0; i < n; i++)
		v[i] = (float)((double)v[i] / sum);
	return 1;
}
