/* SPDX-License-Identifier: MIT */
#include "lexical/bm25f.h"
#include <assert.h>
#include <math.h>
#include <pthread.h>

rk_norm rk_norm_make(uint32_t body, uint32_t head, int code)
{
	if (body > 0x7fff)
		body = 0x7fff;
	if (head > 0xffff)
		head = 0xffff;
	return body | (code ? 0x8000u : 0) | head << 16;
}

static float body_norm(float len, float avg, int code)
{
	float b = code ? RK_BM25_B_CODE : RK_BM25_B;

	return 1.0f / (1.0f - b + b * len / avg);
}

static float head_norm(float len, float avg)
{
	return 0.5f / (1.0f - RK_BM25_B_HEAD + RK_BM25_B_HEAD * len / avg);
}

void rk_norms_init(struct rk_norms *t, const struct rk_corpus_stats *s)
{
	float n = s->chunks ? (float)s->chunks : 1.0f;

	t->avg_body = fmaxf((float)s->body_sum / n, 1.0f);
	t->avg_head = fmaxf((float)s->head_sum / n, 1.0f);
	for (int i = 0; i < RK_NORM_TABLE; i++) {
		t->body[0][i] = body_norm((float)i, t->avg_body, 0);
		t->body[1][i] = body_norm((float)i, t->avg_body, 1);
		t->head[i] = head_norm((float)i, t->avg_head);
	}
}

float rk_norm_body_slow(const struct rk_norms *t, rk_norm n)
{
	return body_norm((float)rk_norm_body(n), t->avg_body, n >> 15 & 1);
}

float rk_norm_head_slow(const struct rk_norms *t, rk_norm n)
{
	return head_norm((float)rk_norm_head(n), t->avg_head);
}

double rk_bm25_idf(uint64_t chunks, uint64_t df)
{
	double n = (double)chunks, d = (double)df;

	if (d > n)
		d = n;
	return log(1.0 + (n - d + 0.5) / (d + 0.5));
}

static float bound_table[256];
static pthread_once_t bound_once = PTHREAD_ONCE_INIT;

static void bound_setup(void)
{
	for (int i = 0; i < 255; i++)
		bound_table[i] = 0.05f * powf(1.03f, (float)i);
	bound_table[255] = INFINITY;
}

uint8_t rk_bound_code(float x)
{
	int lo = 0, hi = 255;

	assert(x >= 0);
	pthread_once(&bound_once, bound_setup);
	while (lo < hi) {
		int mid = (lo + hi) / 2;

		if (bound_table[mid] >= x)
			hi = mid;
		else
			lo = mid + 1;
	}
	return (uint8_t)lo;
}

float rk_bound_value(uint8_t code)
{
	pthread_once(&bound_once, bound_setup);
	return bound_table[code];
}

float rk_bound_drift(const struct rk_norms *then_avg,
		     const struct rk_norms *now)
{
	float r = fmaxf(now->avg_body / then_avg->avg_body,
			now->avg_head / then_avg->avg_head);

	/* the last bits of float division are not part of the proof */
	return fmaxf(r, 1.0f) * 1.00001f;
}
