/* SPDX-License-Identifier: MIT */
#ifndef RK_LEXICAL_BM25F_H
#define RK_LEXICAL_BM25F_H

#include <stdint.h>

/*
 * BM25F (Robertson and Zaragoza 2009, section 3.6) over two streams of a
 * chunk: the body, and the head, into which title, symbol, path and lead
 * occurrences are summed with their weights at indexing time.
 *
 *   x     = tf / (1 - b + b |body|/avg) + head/2 / (1 - bh + bh |head|/avgh)
 *   score = idf (k1 + 1) x / (x + k1),  idf = ln(1 + (N - df + .5)/(df + .5))
 *
 * Head weights are kept in halves, so that 1.5 is an integer.
 */
#define RK_BM25_K1     1.2f
#define RK_BM25_B      0.75f
#define RK_BM25_B_CODE 0.9f
#define RK_BM25_B_HEAD 0.5f
enum { /* in halves */
       RK_HEAD_TITLE = 6,
       RK_HEAD_SYMBOL = 16,
       RK_HEAD_PATH = 3,
       RK_HEAD_LEAD = 4,
       RK_LEAD_TOKENS = 12,
};

/*
 * Lengths of one chunk in 32 bits: bits 0-14 body terms, bit 15 source code
 * (another b), bits 16-31 head terms. Longer ones saturate.
 */
typedef uint32_t rk_norm;
rk_norm rk_norm_make(uint32_t body, uint32_t head, int code);
static inline uint32_t rk_norm_body(rk_norm n)
{
	return n & 0x7fff;
}
static inline uint32_t rk_norm_head(rk_norm n)
{
	return n >> 16;
}

/* Sums over the live chunks of a corpus, whatever its segments. */
struct rk_corpus_stats {
	uint64_t docs, chunks;
	uint64_t body_sum, head_sum; /* terms */
};

/* Length normalisation for one set of averages; 10 KiB, built per query. */
enum { RK_NORM_TABLE = 1024 };
struct rk_norms {
	float body[2][RK_NORM_TABLE]; /* 1 / (1 - b + b len/avg) */
	float head[RK_NORM_TABLE];    /* .5 / (1 - bh + bh len/avgh) */
	float avg_body, avg_head;
};
void rk_norms_init(struct rk_norms *t, const struct rk_corpus_stats *s);

float rk_norm_body_slow(const struct rk_norms *t, rk_norm n);
float rk_norm_head_slow(const struct rk_norms *t, rk_norm n);

/* x above: the length-normalised term frequency */
static inline float rk_bm25_x(const struct rk_norms *t, rk_norm n, uint32_t tf,
			      uint32_t head)
{
	uint32_t b = rk_norm_body(n), h = rk_norm_head(n);
	float x = (float)tf * (b < RK_NORM_TABLE ? t->body[n >> 15 & 1][b]
						 : rk_norm_body_slow(t, n));

	if (head)
		x += (float)head *
		     (h < RK_NORM_TABLE ? t->head[h] : rk_norm_head_slow(t, n));
	return x;
}

double rk_bm25_idf(uint64_t chunks, uint64_t df);

/*
 * Upper bounds of x in one byte: code c stands for 0.05 * 1.03^c, code 255
 * for infinity. rk_bound_code() rounds up, so that a bound stays one.
 */
uint8_t rk_bound_code(float x);
float rk_bound_value(uint8_t code);

/*
 * How much larger x may be under the averages of `now` than under those that
 * a bound was computed with: at least 1.
 */
float rk_bound_drift(const struct rk_norms *then_avg,
		     const struct rk_norms *now);

#endif
