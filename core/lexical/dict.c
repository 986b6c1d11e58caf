/* SPDX-License-Identifier: MIT */
#include "lexical/dict.h"
#include "base/status.h"
#include <assert.h>
#include <string.h>

void rk_dictw_release(struct rk_dictw *w)
{
	rk_buf_release(&w->blob);
	rk_buf_release(&w->index);
}

int rk_term_cmp(const char *a, size_t an, const char *b, size_t bn)
{
	size_t n = an < bn ? an : bn;
	int r = n ? memcmp(a, b, n) : 0;

	return r ? r : (an > bn) - (an < bn);
}

void rk_dictw_add(struct rk_dictw *w, const char *s, size_t n, uint32_t df,
		  uint64_t posts_n, uint64_t poss_n, uint8_t bound)
{
	size_t shared = 0;

	assert(n >= 1 && n <= RK_TERM_MAX);
	assert(w->n == 0 || rk_term_cmp(w->prev, w->prev_n, s, n) < 0);
	if (w->n % RK_DICT_BLOCK == 0) {
		rk_buf_u32(&w->index, (uint32_t)(w->taken + w->blob.n));
		rk_buf_varint(&w->blob, w->posts_off);
		rk_buf_varint(&w->blob, w->poss_off);
	} else {
		while (shared < n && shared < w->prev_n &&
		       s[shared] == w->prev[shared])
			shared++;
	}
	rk_buf_byte(&w->blob, (uint8_t)shared);
	rk_buf_byte(&w->blob, (uint8_t)(n - shared));
	rk_buf_add(&w->blob, s + shared, n - shared);
	rk_buf_varint(&w->blob, df);
	rk_buf_varint(&w->blob, posts_n);
	rk_buf_varint(&w->blob, poss_n);
	rk_buf_byte(&w->blob, bound);
	memcpy(w->prev, s, n);
	w->prev_n = n;
	w->posts_off += posts_n;
	w->poss_off += poss_n;
	w->n++;
}

int rk_dict_init(struct rk_dict *d, const void *blob, size_t blob_n,
		 const void *index, size_t index_n)
{
	d->blob = blob;
	d->index = index;
	d->blob_n = blob_n;
	d->blocks = (uint32_t)(index_n / 4);
	return index_n % 4 || index_n / 4 > UINT32_MAX ? RK_ECORRUPT : 0;
}

static uint32_t block_off(const struct rk_dict *d, uint32_t b)
{
	uint32_t off;

	memcpy(&off, d->index + (size_t)b * 4, 4);
	return off;
}

static const uint8_t *block_end(const struct rk_dict *d, uint32_t b)
{
	size_t off = b + 1 < d->blocks ? block_off(d, b + 1) : d->blob_n;

	return d->blob + (off > d->blob_n ? d->blob_n : off);
}

/* Enter block b: read its offsets, stand before its first entry. */
static int enter_block(struct rk_dict_iter *it, uint32_t b)
{
	const struct rk_dict *d = it->d;
	const uint8_t *end = block_end(d, b);
	uint32_t off = block_off(d, b);

	it->block = b;
	it->n = 0;
	it->e = (struct rk_dict_entry){0};
	if (off >= d->blob_n)
		return RK_ECORRUPT;
	it->p = rk_get_varint(d->blob + off, end, &it->e.posts_off);
	if (it->p)
		it->p = rk_get_varint(it->p, end, &it->e.poss_off);
	return it->p ? 0 : RK_ECORRUPT;
}

/* The next entry of the block: 1, 0 at its end, or RK_ECORRUPT. */
static int block_next(struct rk_dict_iter *it)
{
	const uint8_t *end = block_end(it->d, it->block), *p = it->p;
	size_t shared, rest;

	if (p >= end)
		return 0;
	if (end - p < 2)
		return RK_ECORRUPT;
	shared = p[0];
	rest = p[1];
	p += 2;
	if (shared > it->n || shared + rest > RK_TERM_MAX ||
	    (size_t)(end - p) < rest)
		return RK_ECORRUPT;
	memcpy(it->term + shared, p, rest);
	it->n = shared + rest;
	it->e.posts_off += it->e.posts_n;
	it->e.poss_off += it->e.poss_n;
	if (!(p = rk_get_varint32(p + rest, end, &it->e.df)) ||
	    !(p = rk_get_varint(p, end, &it->e.posts_n)) ||
	    !(p = rk_get_varint(p, end, &it->e.poss_n)) || p >= end)
		return RK_ECORRUPT;
	it->e.bound = *p;
	it->p = p + 1;
	return 1;
}

/* First term of block b against s. */
static int block_cmp(struct rk_dict_iter *it, uint32_t b, const char *s,
		     size_t n)
{
	int rc = enter_block(it, b);

	if (rc == 0)
		rc = block_next(it);
	if (rc <= 0) {
		it->err = RK_ECORRUPT;
		return 0;
	}
	return rk_term_cmp(it->term, it->n, s, n);
}

/* The last block whose first term is not above s. */
static uint32_t find_block(struct rk_dict_iter *it, const char *s, size_t n)
{
	uint32_t lo = 0, hi = it->d->blocks;

	while (hi - lo > 1 && !it->err) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (block_cmp(it, mid, s, n) <= 0)
			lo = mid;
		else
			hi = mid;
	}
	return lo;
}

int rk_dict_next(struct rk_dict_iter *it)
{
	int rc;

	if (it->err || it->block >= it->d->blocks)
		return it->err;
	if (it->pending) {
		it->pending = 0;
		return 1;
	}
	while ((rc = block_next(it)) == 0) {
		if (it->block + 1 >= it->d->blocks) {
			it->block = it->d->blocks;
			return 0;
		}
		if ((rc = enter_block(it, it->block + 1)) < 0)
			break;
	}
	if (rc < 0)
		it->err = rc;
	return rc;
}

void rk_dict_seek(const struct rk_dict *d, const char *s, size_t n,
		  struct rk_dict_iter *it)
{
	uint32_t b;

	memset(it, 0, sizeof(*it));
	it->d = d;
	if (d->blocks == 0)
		return;
	b = find_block(it, s, n);
	if (!it->err)
		it->err = enter_block(it, b);
	while (!it->err) {
		int rc = rk_dict_next(it);

		if (rc <= 0)
			break;
		if (rk_term_cmp(it->term, it->n, s, n) >= 0) {
			it->pending = 1;
			break;
		}
	}
}

int rk_dict_find(const struct rk_dict *d, const char *s, size_t n,
		 struct rk_dict_entry *out)
{
	struct rk_dict_iter it;

	rk_dict_seek(d, s, n, &it);
	if (it.err)
		return it.err;
	if (!it.pending || rk_term_cmp(it.term, it.n, s, n) != 0)
		return 0;
	*out = it.e;
	return 1;
}
