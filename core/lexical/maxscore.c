/* SPDX-License-Identifier: MIT */
#include "lexical/maxscore.h"
#include "base/status.h"
#include <assert.h>
#include <string.h>

struct window {
	struct rk_scan *s;
	uint32_t from, to;
	struct rk_cursor *cur[RK_TERMS_MAX]; /* by bound in the window */
	float ub[RK_TERMS_MAX];		     /* bound in the window */
	float sum[RK_TERMS_MAX + 1];	     /* of ub[0..i) */
	unsigned ness; /* the first ness lists are not essential */
	float acc[RK_WINDOW];
	uint64_t seen[RK_WINDOW / 64];
};

/*
 * Compiled for AVX2 as well, and chosen when the program is loaded: the block
 * scorer below is gathers and divisions, eight at a time there.
 */
#if defined(__x86_64__) && !defined(__SANITIZE_ADDRESS__) &&                   \
	!defined(__SANITIZE_THREAD__) && !defined(__clang__)
#define VECTOR                                                                 \
	__attribute__((target_clones("avx2", "default"),                       \
		       optimize("O3", "no-trapping-math")))
#else
#define VECTOR
#endif

static int given_up(const struct rk_scan *s)
{
	return s->cancel && *s->cancel;
}

static float posting_score(const struct rk_scan *s, const struct rk_cursor *c,
			   unsigned i)
{
	uint32_t head = c->has_head ? c->head[i] : 0;

	return rk_cursor_score(
		c, rk_bm25_x(s->table, s->norms[c->ids[i]], c->tf[i], head));
}

/* Scores of n postings whose lengths are all inside the tables. */
VECTOR static void score_short(const struct rk_norms *t, const rk_norm *norm,
			       const uint32_t *tf, const uint32_t *head,
			       unsigned n, float weight, float *out)
{
	const float *body = t->body[0];

	for (unsigned i = 0; i < n; i++) {
		/* code follows prose in the table, RK_NORM_TABLE further on */
		uint32_t b = (norm[i] & 0x7fff) +
			     (norm[i] >> 15 & 1) * RK_NORM_TABLE;
		float x = (float)(int32_t)tf[i] * body[b] +
			  (float)(int32_t)head[i] * t->head[norm[i] >> 16];

		out[i] = weight * (x / (x + RK_BM25_K1));
	}
}

/* Scores of postings [i, i+n) of the loaded block. */
static void score_block(const struct rk_scan *s, const struct rk_cursor *c,
			unsigned i, unsigned n, float *out)
{
	static const uint32_t NO_HEAD[RK_BLOCK];
	rk_norm norm[RK_BLOCK];
	uint32_t longest = 0;

	for (unsigned k = 0; k < n; k++) {
		norm[k] = s->norms[c->ids[i + k]];
		longest |= (norm[k] & 0x7fff) | norm[k] >> 16;
	}
	if (longest < RK_NORM_TABLE)
		score_short(s->table, norm, c->tf + i,
			    c->has_head ? c->head + i : NO_HEAD, n, c->weight,
			    out);
	else
		for (unsigned k = 0; k < n; k++)
			out[k] = posting_score(s, c, i + k);
}

/* How many postings from i on are below `to`. */
static unsigned run_below(const struct rk_cursor *c, unsigned i, uint32_t to)
{
	unsigned n = c->n - i;

	if (c->ids[c->n - 1] < to)
		return n;
	n = 0;
	while (c->ids[i + n] < to)
		n++;
	return n;
}

static void offer(struct rk_scan *s, uint32_t chunk, float score)
{
	if (score < rk_topk_floor(s->top) || !s->accept(s->ctx, chunk))
		return;
	rk_topk_offer(s->top, (struct rk_candidate){score, s->source, chunk});
}

/* Add the non-essential lists, best first, while it can still matter. */
static void complete(struct window *w, uint32_t id, float score)
{
	float floor = rk_topk_floor(w->s->top);

	for (unsigned j = w->ness; j-- > 0;) {
		struct rk_cursor *c = w->cur[j];

		if (score + w->sum[j + 1] < floor)
			return;
		rk_cursor_shallow(c, id);
		if (score + w->sum[j] + c->block_ub < floor)
			return;
		if (rk_cursor_geq(c, id) == id)
			score += posting_score(w->s, c, c->i);
	}
	offer(w->s, id, score);
}

/* Lists by their bound in [from, to), smallest first; split at the floor. */
static void partition(struct window *w)
{
	float floor = rk_topk_floor(w->s->top);
	unsigned n = w->s->n;

	for (unsigned i = 0; i < n; i++) {
		struct rk_cursor *c = w->s->cur[i];
		float ub;
		unsigned k = i;

		rk_cursor_shallow(c, w->from);
		ub = rk_cursor_bound_until(c, w->to);
		while (k > 0 && w->ub[k - 1] > ub) {
			w->ub[k] = w->ub[k - 1];
			w->cur[k] = w->cur[k - 1];
			k--;
		}
		w->ub[k] = ub;
		w->cur[k] = c;
	}
	w->sum[0] = 0;
	w->ness = 0;
	for (unsigned i = 0; i < n; i++) {
		w->sum[i + 1] = w->sum[i] + w->ub[i];
		if (w->sum[i + 1] < floor)
			w->ness = i + 1;
	}
}

/* One essential list: walk its blocks, no accumulators. */
static int walk_single(struct window *w)
{
	struct rk_cursor *c = w->cur[w->ness];
	float rest = w->sum[w->ness], score[RK_BLOCK];
	uint32_t id = w->from;
	unsigned n;

	for (;;) {
		if (given_up(w->s))
			return RK_ECANCELLED;
		rk_cursor_shallow(c, id);
		if (c->block >= c->nblocks)
			break;
		if (c->block_ub + rest < rk_topk_floor(w->s->top)) {
			if (c->last >= w->to - 1)
				break;
			id = c->last + 1;
			continue;
		}
		if (rk_cursor_geq(c, id) >= w->to)
			break;
		n = run_below(c, c->i, w->to);
		score_block(w->s, c, c->i, n, score);
		for (unsigned k = 0; k < n; k++)
			if (score[k] + rest >= rk_topk_floor(w->s->top))
				complete(w, c->ids[c->i + k], score[k]);
		c->i += n;
		if (c->i < c->n || c->last == RK_END)
			break;
		id = c->last + 1;
	}
	return c->err;
}

/* Sum one essential list into the window. */
static int accumulate(struct window *w, struct rk_cursor *c)
{
	uint32_t id = rk_cursor_geq(c, w->from);
	float score[RK_BLOCK];

	while (id < w->to) {
		unsigned n = run_below(c, c->i, w->to);

		score_block(w->s, c, c->i, n, score);
		for (unsigned k = 0; k < n; k++) {
			uint32_t at = c->ids[c->i + k] - w->from;

			w->acc[at] += score[k];
			w->seen[at / 64] |= 1ull << at % 64;
		}
		c->i += n;
		if (c->i < c->n || c->last == RK_END)
			break;
		id = rk_cursor_geq(c, c->last + 1);
	}
	return c->err;
}

static int walk_many(struct window *w)
{
	float rest = w->sum[w->ness];
	int err = 0;

	for (unsigned j = w->ness; j < w->s->n; j++)
		err |= accumulate(w, w->cur[j]);
	for (unsigned b = 0; b < RK_WINDOW / 64; b++) {
		uint64_t bits = w->seen[b];

		while (bits) {
			unsigned at = b * 64 + (unsigned)__builtin_ctzll(bits);
			float score = w->acc[at];

			bits &= bits - 1;
			w->acc[at] = 0;
			if (score + rest >= rk_topk_floor(w->s->top))
				complete(w, w->from + at, score);
		}
		w->seen[b] = 0;
	}
	return err;
}

/* Nothing in reach of the bounds: where the next one changes. */
static uint32_t next_change(const struct window *w)
{
	uint32_t next = RK_END;

	for (unsigned i = 0; i < w->s->n; i++) {
		const struct rk_cursor *c = w->cur[i];

		if (c->block < c->nblocks && c->last < next)
			next = c->last;
	}
	if (next == RK_END || next < w->to - 1)
		next = w->to - 1; /* bounds covered the whole window */
	return next + 1;
}

/* The first id that an essential list has at or after `from`. */
static uint32_t next_essential(struct window *w, uint32_t from)
{
	uint32_t next = RK_END;

	for (unsigned j = w->ness; j < w->s->n; j++) {
		uint32_t id = rk_cursor_geq(w->cur[j], from);

		if (id < next)
			next = id;
	}
	return next;
}

int rk_scan_any(struct rk_scan *s)
{
	static _Thread_local struct window w; /* 18 KiB: not for the stack */
	uint32_t from = 0;
	int rc = 0;

	assert(s->n <= RK_TERMS_MAX && s->must == 0);
	if (s->n == 0)
		return 0;
	w.s = s;
	if (s->n == 1) { /* no window needed: one walk along the list */
		w.cur[0] = s->cur[0];
		w.sum[0] = 0;
		w.ness = 0;
		w.from = 0;
		w.to = s->nchunks;
		return walk_single(&w);
	}
	while (from < s->nchunks && rc == 0) {
		if (given_up(s))
			return RK_ECANCELLED;
		w.from = from;
		w.to = s->nchunks - from > RK_WINDOW ? from + RK_WINDOW
						     : s->nchunks;
		partition(&w);
		if (w.ness == s->n) {
			from = next_change(&w);
			continue;
		}
		from = next_essential(&w, from);
		if (from >= w.to)
			continue;
		rc = w.ness + 1 == s->n ? walk_single(&w) : walk_many(&w);
		from = w.to;
	}
	for (unsigned i = 0; i < s->n; i++)
		if (s->cur[i]->err)
			rc = s->cur[i]->err;
	return rc;
}

/*
 * The next chunk that holds all required terms, from *id on: 1, 0 if there is
 * none, RK_ECANCELLED. Lists with little in common are long to walk.
 */
static int next_common(struct rk_scan *s, uint32_t *id)
{
	unsigned agree = 0, j = 0;

	while (agree < s->must) {
		uint32_t got = rk_cursor_geq(s->cur[j], *id);

		if (given_up(s))
			return RK_ECANCELLED;
		if (got == RK_END)
			return 0;
		agree = got == *id ? agree + 1 : 1;
		*id = got;
		j = (j + 1) % s->must;
	}
	return 1;
}

int64_t rk_scan_all(struct rk_scan *s)
{
	int64_t found = 0;
	uint32_t id = 0;
	int rc;

	assert(s->must > 0 && s->must <= s->n);
	while ((rc = next_common(s, &id)) == 1) {
		float score = 0;

		for (unsigned j = 0; j < s->n; j++)
			if (rk_cursor_geq(s->cur[j], id) == id)
				score += posting_score(s, s->cur[j],
						       s->cur[j]->i);
		if (s->accept(s->ctx, id)) {
			found++;
			rk_topk_offer(s->top, (struct rk_candidate){
						      score, s->source, id});
		}
		id++;
	}
	for (unsigned i = 0; i < s->n && rc == 0; i++)
		rc = s->cur[i]->err;
	return rc ? rc : found;
}
