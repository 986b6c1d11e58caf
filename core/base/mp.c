/* SPDX-License-Identifier: MIT */
#include "base/mp.h"
#include "base/status.h"
#include <assert.h>
#include <string.h>

static int mp_write(void *data, const char *p, size_t n)
{
	struct rk_buf *b = data;

	rk_buf_add(b, p, n);
	return b->err ? -1 : 0;
}

void rk_mp_init(msgpack_packer *pk, struct rk_buf *buf)
{
	msgpack_packer_init(pk, buf, mp_write);
}

void rk_mp_str(msgpack_packer *pk, const char *s, size_t n)
{
	assert(n <= UINT32_MAX);
	msgpack_pack_str(pk, n);
	msgpack_pack_str_body(pk, s, n);
}

void rk_mp_key(msgpack_packer *pk, const char *key)
{
	rk_mp_str(pk, key, strlen(key));
}

static uint64_t fail(struct rk_mpr *r)
{
	r->err = RK_ECORRUPT;
	r->p = r->end;
	return 0;
}

static uint64_t take_be(struct rk_mpr *r, unsigned bytes)
{
	uint64_t v = 0;

	if ((size_t)(r->end - r->p) < bytes)
		return fail(r);
	for (unsigned i = 0; i < bytes; i++)
		v = v << 8 | *r->p++;
	return v;
}

static uint8_t take_tag(struct rk_mpr *r)
{
	return (uint8_t)take_be(r, 1);
}

uint64_t rk_mpr_uint(struct rk_mpr *r)
{
	uint8_t t;

	if (r->err)
		return 0;
	t = take_tag(r);
	if (t < 0x80)
		return t;
	if (t >= 0xcc && t <= 0xcf)
		return take_be(r, 1u << (t - 0xcc));
	return fail(r);
}

int64_t rk_mpr_int(struct rk_mpr *r)
{
	uint8_t t;

	if (r->err || r->p == r->end)
		return (int64_t)fail(r);
	t = *r->p;
	if (t >= 0xe0) {
		r->p++;
		return (int8_t)t;
	}
	if (t < 0xd0 || t > 0xd3)
		return (int64_t)rk_mpr_uint(r);
	r->p++;
	switch (t) {
	case 0xd0:
		return (int8_t)take_be(r, 1);
	case 0xd1:
		return (int16_t)take_be(r, 2);
	case 0xd2:
		return (int32_t)take_be(r, 4);
	default:
		return (int64_t)take_be(r, 8);
	}
}

double rk_mpr_double(struct rk_mpr *r)
{
	uint64_t bits;
	double d = 0;

	if (r->err || take_tag(r) != 0xcb) {
		fail(r);
		return 0;
	}
	bits = take_be(r, 8);
	memcpy(&d, &bits, sizeof(d));
	return r->err ? 0 : d;
}

/* Every element is at least one byte, so a count above that is a lie. */
static uint32_t bounded(struct rk_mpr *r, uint64_t count, unsigned min_bytes)
{
	if (r->err || count > (uint64_t)(r->end - r->p) / min_bytes)
		return (uint32_t)fail(r);
	return (uint32_t)count;
}

uint32_t rk_mpr_array(struct rk_mpr *r)
{
	uint8_t t;

	if (r->err)
		return 0;
	t = take_tag(r);
	if ((t & 0xf0) == 0x90)
		return bounded(r, t & 15, 1);
	if (t == 0xdc || t == 0xdd)
		return bounded(r, take_be(r, t == 0xdc ? 2 : 4), 1);
	return (uint32_t)fail(r);
}

uint32_t rk_mpr_map(struct rk_mpr *r)
{
	uint8_t t;

	if (r->err)
		return 0;
	t = take_tag(r);
	if ((t & 0xf0) == 0x80)
		return bounded(r, t & 15, 2);
	if (t == 0xde || t == 0xdf)
		return bounded(r, take_be(r, t == 0xde ? 2 : 4), 2);
	return (uint32_t)fail(r);
}

static const uint8_t *take_bytes(struct rk_mpr *r, uint64_t len, size_t *n)
{
	const uint8_t *s = r->p;

	*n = 0;
	if (r->err || len > (uint64_t)(r->end - r->p)) {
		fail(r);
		return (const uint8_t *)"";
	}
	r->p += len;
	*n = (size_t)len;
	return s;
}

const char *rk_mpr_str(struct rk_mpr *r, size_t *n)
{
	uint64_t len = 0;
	uint8_t t = r->err ? 0 : take_tag(r);

	assert(r->p <= r->end);
	if ((t & 0xe0) == 0xa0)
		len = t & 31;
	else if (t >= 0xd9 && t <= 0xdb)
		len = take_be(r, 1u << (t - 0xd9));
	else
		fail(r);
	return (const char *)take_bytes(r, len, n);
}

const uint8_t *rk_mpr_bin(struct rk_mpr *r, size_t *n)
{
	uint64_t len = 0;
	uint8_t t = r->err ? 0 : take_tag(r);

	if (t >= 0xc4 && t <= 0xc6)
		len = take_be(r, 1u << (t - 0xc4));
	else
		fail(r);
	return take_bytes(r, len, n);
}

int rk_mpr_key(struct rk_mpr *r, const char *key)
{
	size_t n;
	const char *s = rk_mpr_str(r, &n);

	return !r->err && n == strlen(key) && memcmp(s, key, n) == 0;
}

static void skip_depth(struct rk_mpr *r, int depth);

static void skip_many(struct rk_mpr *r, uint64_t count, int depth)
{
	if (count > (uint64_t)(r->end - r->p) || depth > 32) {
		fail(r);
		return;
	}
	while (count-- && !r->err)
		skip_depth(r, depth);
}

static void skip_raw(struct rk_mpr *r, uint64_t len)
{
	size_t n;

	take_bytes(r, len, &n);
}

/* ext and fixext carry one type byte before their payload */
static void skip_ext(struct rk_mpr *r, uint8_t t)
{
	if (t >= 0xd4)
		skip_raw(r, 1 + (1ull << (t - 0xd4)));
	else
		skip_raw(r, 1 + take_be(r, 1u << (t - 0xc7)));
}

static void skip_depth(struct rk_mpr *r, int depth)
{
	uint8_t t = take_tag(r);

	if (t < 0x80 || t >= 0xe0 || (t >= 0xc0 && t <= 0xc3))
		return;
	if (t < 0x90)
		skip_many(r, 2ull * (t & 15), depth + 1);
	else if (t < 0xa0)
		skip_many(r, t & 15, depth + 1);
	else if (t < 0xc0)
		skip_raw(r, t & 31);
	else if (t <= 0xc6)
		skip_raw(r, take_be(r, 1u << (t - 0xc4)));
	else if (t <= 0xc9 || (t >= 0xd4 && t <= 0xd8))
		skip_ext(r, t);
	else if (t <= 0xcb)
		skip_raw(r, t == 0xca ? 4 : 8);
	else if (t <= 0xd3)
		skip_raw(r, 1u << (t & 3));
	else if (t <= 0xdb)
		skip_raw(r, take_be(r, 1u << (t - 0xd9)));
	else
		skip_many(r, (t >= 0xde ? 2 : 1) * take_be(r, t & 1 ? 4 : 2),
			  depth + 1);
}

void rk_mpr_skip(struct rk_mpr *r)
{
	assert(r->p <= r->end);
	if (!r->err)
		skip_depth(r, 0);
}
