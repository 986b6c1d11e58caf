/* SPDX-License-Identifier: MIT */
#include "lexical/cursor.h"
#include "base/status.h"
#include <assert.h>
#include <math.h>
#include <string.h>

/* Bounds are compared with sums of floats: leave room for their rounding. */
#define SLACK 1.00001f

static float score_bound(const struct rk_cursor *c, float x)
{
	x *= c->drift;
	return (isinf(x) ? c->weight : rk_cursor_score(c, x)) * SLACK;
}

static float block_x(const struct rk_cursor *c, uint32_t b)
{
	return c->m_n ? c->m_x[b]
		      : rk_bound_value(rk_postr_meta(&c->list, b).bound);
}

static uint32_t block_last(const struct rk_cursor *c, uint32_t b)
{
	uint32_t end;

	if (!c->m_n)
		return rk_postr_meta(&c->list, b).last;
	end = (b + 1) * RK_BLOCK;
	return c->m_ids[(end < c->m_n ? end : c->m_n) - 1];
}

static void stand_on(struct rk_cursor *c, uint32_t b)
{
	c->block = b;
	c->loaded = 0;
	c->i = 0;
	if (b >= c->nblocks) {
		c->last = RK_END;
		c->block_ub = 0;
		return;
	}
	c->last = block_last(c, b);
	c->block_ub = score_bound(c, block_x(c, b));
}

void rk_cursor_list(struct rk_cursor *c, const struct rk_postr *list,
		    uint8_t bound, float weight, float drift)
{
	assert(weight >= 0 && drift >= 1);
	c->list = *list;
	c->m_n = 0;
	c->nblocks = rk_postr_blocks(list);
	c->weight = weight;
	c->drift = drift;
	c->err = 0;
	c->pos_of = 0;
	c->ub = score_bound(c, rk_bound_value(bound));
	stand_on(c, 0);
}

void rk_cursor_arrays(struct rk_cursor *c, const uint32_t *ids,
		      const uint32_t *tf, const uint32_t *head, const float *x,
		      uint32_t n, float weight)
{
	float max = 0;

	assert(weight >= 0);
	c->m_ids = ids;
	c->m_tf = tf;
	c->m_head = head;
	c->m_x = x;
	c->m_n = n;
	c->nblocks = (n + RK_BLOCK - 1) / RK_BLOCK;
	c->weight = weight;
	c->drift = 1;
	c->err = 0;
	c->pos_of = 0;
	for (uint32_t b = 0; b < c->nblocks; b++)
		max = fmaxf(max, x[b]);
	c->ub = score_bound(c, max);
	stand_on(c, 0);
}

/* Gallop, then halve: blocks are visited in order, mostly the next one. */
void rk_cursor_shallow(struct rk_cursor *c, uint32_t id)
{
	uint32_t lo = c->block, step = 1, hi;

	if (c->last >= id || c->block >= c->nblocks)
		return;
	while (lo + step < c->nblocks && block_last(c, lo + step) < id) {
		lo += step;
		step *= 2;
	}
	hi = lo + step < c->nblocks ? lo + step : c->nblocks;
	while (hi - lo > 1) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (block_last(c, mid) < id)
			lo = mid;
		else
			hi = mid;
	}
	stand_on(c, hi);
}

float rk_cursor_bound_until(const struct rk_cursor *c, uint32_t to)
{
	float ub = c->block_ub;
	uint32_t last = c->last;

	for (uint32_t b = c->block + 1; b < c->nblocks && last < to - 1; b++) {
		ub = fmaxf(ub, score_bound(c, block_x(c, b)));
		last = block_last(c, b);
	}
	return ub;
}

int rk_cursor_load(struct rk_cursor *c)
{
	int n;

	assert(c->block < c->nblocks);
	if (c->loaded)
		return 0;
	c->i = 0;
	c->loaded = 1;
	if (c->m_n) {
		uint32_t at = c->block * RK_BLOCK;

		c->ids = c->m_ids + at;
		c->tf = c->m_tf + at;
		c->head = c->m_head + at;
		c->n = c->m_n - at < RK_BLOCK ? c->m_n - at : RK_BLOCK;
		c->has_head = 1;
		return 0;
	}
	n = rk_postr_decode(&c->list, c->block, c->buf[0], c->buf[1], c->buf[2],
			    &c->has_head);
	c->ids = c->buf[0];
	c->tf = c->buf[1];
	c->head = c->buf[2];
	if (n < 0) {
		c->err = n;
		c->n = 0;
		stand_on(c, c->nblocks);
		return n;
	}
	c->n = (unsigned)n;
	return 0;
}

uint32_t rk_cursor_geq(struct rk_cursor *c, uint32_t id)
{
	for (;;) {
		rk_cursor_shallow(c, id);
		if (c->block >= c->nblocks || rk_cursor_load(c) < 0)
			return RK_END;
		while (c->i + 16 < c->n && c->ids[c->i + 16] < id)
			c->i += 16;
		while (c->i < c->n && c->ids[c->i] < id)
			c->i++;
		if (c->i < c->n)
			return c->ids[c->i];
		stand_on(c, c->block + 1); /* behind the tail's last id */
	}
}

int rk_cursor_read_positions(struct rk_cursor *c)
{
	int rc;

	if (c->pos_of == c->block + 1)
		return 0;
	rc = rk_postr_positions(&c->list, c->block, c->n, c->tf, c->head,
				c->pos, c->pos_n);
	c->pos_of = rc < 0 ? 0 : c->block + 1;
	return rc;
}
