/* SPDX-License-Identifier: MIT */
#include "lexical/postings.h"
#include "base/status.h"
#include <assert.h>
#include <errno.h>
#include <string.h>

enum { FIRST_WIDE = 31 << 8 }; /* gaps from here on take a varint */

enum { META_BYTES = 16 };

void rk_postw_release(struct rk_postw *w)
{
	rk_buf_release(&w->meta);
	rk_buf_release(&w->data);
	rk_buf_release(&w->pos);
}

static void put_packed(struct rk_buf *b, const uint32_t *v, unsigned width)
{
	if (width == 0 || rk_buf_reserve(b, 16 * (size_t)width) < 0)
		return;
	rk_pack128(v, width, b->p + b->n);
	b->n += 16 * (size_t)width;
}

static void close_block(struct rk_postw *w)
{
	uint32_t gaps[RK_BLOCK], prev = w->last;
	unsigned wd, wt, wh;

	for (unsigned i = 0; i < RK_BLOCK; i++) {
		gaps[i] = w->ids[i] - prev - 1;
		prev = w->ids[i];
	}
	wd = rk_bit_width(gaps, RK_BLOCK);
	wt = rk_bit_width(w->tf, RK_BLOCK);
	wh = rk_bit_width(w->head, RK_BLOCK);
	rk_buf_u32(&w->meta, prev);
	rk_buf_u32(&w->meta, (uint32_t)w->data.n);
	rk_buf_u32(&w->meta, w->pos_off);
	rk_buf_byte(&w->meta, (uint8_t)wd);
	rk_buf_byte(&w->meta, (uint8_t)wt);
	rk_buf_byte(&w->meta, (uint8_t)wh);
	rk_buf_byte(&w->meta, rk_bound_code(w->block_x));
	put_packed(&w->data, gaps, wd);
	put_packed(&w->data, w->tf, wt);
	put_packed(&w->data, w->head, wh);
	w->last = prev;
	w->pos_off = (uint32_t)w->pos.n;
	w->block_x = 0;
	w->n = 0;
}

void rk_postw_add(struct rk_postw *w, const struct rk_posting *p, float x)
{
	assert(w->n ? p->id > w->ids[w->n - 1] : !w->df || p->id > w->last);
	if (w->df == 0)
		w->last = UINT32_MAX;
	w->ids[w->n] = p->id;
	w->tf[w->n] = p->tf;
	w->head[w->n] = p->head;
	w->n++;
	w->df++;
	rk_buf_add(&w->pos, p->pos, p->pos_n);
	if (x > w->block_x)
		w->block_x = x;
	if (x > w->list_x)
		w->list_x = x;
	if (w->n == RK_BLOCK)
		close_block(w);
}

static void put_tail(struct rk_postw *w, struct rk_buf *out)
{
	uint32_t prev = w->last;

	rk_buf_byte(out, rk_bound_code(w->block_x));
	if (w->df >= RK_BLOCK)
		rk_buf_varint(out, w->pos_off);
	for (unsigned i = 0; i < w->n; i++) {
		uint64_t gap = w->ids[i] - prev - 1;

		rk_buf_varint(out, gap << 2 | (w->tf[i] != 1) |
					   (uint64_t)(w->head[i] != 0) << 1);
		if (w->tf[i] != 1)
			rk_buf_varint(out, w->tf[i]);
		if (w->head[i] != 0)
			rk_buf_varint(out, w->head[i]);
		prev = w->ids[i];
	}
}

int rk_postw_finish(struct rk_postw *w, struct rk_buf *posts,
		    struct rk_buf *poss)
{
	int err = w->meta.err | w->data.err | w->pos.err;
	int bound = rk_bound_code(w->list_x);

	rk_buf_add(posts, w->meta.p, w->meta.n);
	rk_buf_add(posts, w->data.p, w->data.n);
	if (w->n)
		put_tail(w, posts);
	rk_buf_add(poss, w->pos.p, w->pos.n);
	w->meta.n = w->data.n = w->pos.n = 0;
	w->n = w->df = w->pos_off = 0;
	w->block_x = w->list_x = 0;
	return err || posts->err || poss->err ? -ENOMEM : bound;
}

struct rk_blockmeta rk_postr_meta(const struct rk_postr *r, uint32_t b)
{
	struct rk_blockmeta m = {.last = UINT32_MAX,
				 .pos_off = r->tail_pos,
				 .bound = r->tail_bound};
	const uint8_t *p = r->meta + (size_t)b * META_BYTES;

	if (b >= r->nblocks)
		return m;
	memcpy(&m.last, p, 4);
	memcpy(&m.data_off, p + 4, 4);
	memcpy(&m.pos_off, p + 8, 4);
	m.wd = p[12];
	m.wt = p[13];
	m.wh = p[14];
	m.bound = p[15];
	return m;
}

/* The tail follows the last block's data. */
static int find_tail(struct rk_postr *r)
{
	struct rk_blockmeta m;
	size_t used = 0;

	if (r->nblocks) {
		m = rk_postr_meta(r, r->nblocks - 1);
		used = m.data_off + 16 * ((size_t)m.wd + m.wt + m.wh);
	}
	if (used > (size_t)(r->end - r->data))
		return RK_ECORRUPT;
	r->tail = r->data + used;
	if (r->df % RK_BLOCK == 0)
		return 0;
	if (r->tail == r->end)
		return RK_ECORRUPT;
	r->tail_bound = *r->tail++;
	if (r->nblocks) {
		r->tail = rk_get_varint32(r->tail, r->end, &r->tail_pos);
		if (!r->tail)
			return RK_ECORRUPT;
	}
	return 0;
}

int rk_postr_init(struct rk_postr *r, const uint8_t *p, size_t n,
		  const uint8_t *pos, size_t pos_n, uint32_t df,
		  uint32_t chunks)
{
	*r = (struct rk_postr){.meta = p,
			       .end = p + n,
			       .pos = pos,
			       .pos_end = pos + pos_n,
			       .df = df,
			       .nblocks = df / RK_BLOCK,
			       .chunks = chunks};
	if (df > chunks || (size_t)r->nblocks * META_BYTES > n)
		return RK_ECORRUPT;
	r->data = p + (size_t)r->nblocks * META_BYTES;
	return find_tail(r);
}

static uint32_t block_base(const struct rk_postr *r, uint32_t b)
{
	return b ? rk_postr_meta(r, b - 1).last : UINT32_MAX;
}

static int decode_tail(const struct rk_postr *r, uint32_t *ids, uint32_t *tf,
		       uint32_t *head, int *has_head)
{
	const uint8_t *p = r->tail;
	unsigned n = r->df % RK_BLOCK;
	uint64_t prev = r->nblocks ? block_base(r, r->nblocks) : UINT64_MAX;

	*has_head = 0;
	for (unsigned i = 0; i < n; i++) {
		uint64_t v;

		if (!(p = rk_get_varint(p, r->end, &v)))
			return RK_ECORRUPT;
		tf[i] = 1;
		head[i] = 0;
		if ((v & 1) && !(p = rk_get_varint32(p, r->end, &tf[i])))
			return RK_ECORRUPT;
		if ((v & 2) && !(p = rk_get_varint32(p, r->end, &head[i])))
			return RK_ECORRUPT;
		*has_head |= (int)(v & 2);
		prev += (v >> 2) + 1;
		if (prev >= r->chunks || v >> 34)
			return RK_ECORRUPT;
		ids[i] = (uint32_t)prev;
	}
	return (int)n;
}

int rk_postr_decode(const struct rk_postr *r, uint32_t b, uint32_t *ids,
		    uint32_t *tf, uint32_t *head, int *has_head)
{
	struct rk_blockmeta m;
	const uint8_t *p;

	if (b >= r->nblocks)
		return decode_tail(r, ids, tf, head, has_head);
	m = rk_postr_meta(r, b);
	if (m.wd > 32 || m.wt > 32 || m.wh > 32 || m.last >= r->chunks ||
	    m.data_off + 16 * ((size_t)m.wd + m.wt + m.wh) >
		    (size_t)(r->end - r->data))
		return RK_ECORRUPT;
	p = r->data + m.data_off;
	rk_unpack128_ids(p, m.wd, block_base(r, b), ids);
	if (ids[RK_BLOCK - 1] != m.last)
		return RK_ECORRUPT;
	p += 16 * (size_t)m.wd;
	rk_unpack128(p, m.wt, tf);
	rk_unpack128(p + 16 * (size_t)m.wt, m.wh, head);
	*has_head = m.wh != 0;
	return RK_BLOCK;
}

static const uint8_t *skip_varints(const uint8_t *p, const uint8_t *end,
				   uint32_t n)
{
	while (n && p < end)
		n -= !(*p++ & 0x80);
	return n ? NULL : p;
}

void rk_first_gap(struct rk_buf *b, uint32_t gap, const uint8_t *form,
		  unsigned nforms)
{
	int wide = gap >= FIRST_WIDE;

	if (nforms == 0 && gap < 0x80) {
		rk_buf_byte(b, (uint8_t)gap);
		return;
	}
	if (nforms && gap < 0x40) {
		rk_buf_byte(b, (uint8_t)(0x80 | gap));
	} else {
		rk_buf_byte(b, (uint8_t)(0xc0 | (nforms ? 0x20 : 0) |
					 (wide ? 31 : gap >> 8)));
		rk_buf_byte(b, wide ? 0 : (uint8_t)gap);
		if (wide)
			rk_buf_varint(b, gap);
	}
	for (unsigned i = 0; i < nforms; i++)
		rk_buf_byte(b,
			    (uint8_t)(form[i] | (i + 1 < nforms ? 0x80 : 0)));
}

/* The first gap; behind it are forms, or not. */
static const uint8_t *gap_of(const uint8_t *p, const uint8_t *end,
			     uint32_t *gap, int *forms)
{
	uint8_t b;

	if (p == end)
		return NULL;
	b = *p++;
	*forms = b >= 0x80 && (b < 0xc0 || (b & 0x20));
	*gap = b < 0x80 ? b : b & 0x3f;
	if (b < 0xc0)
		return p;
	if (p == end)
		return NULL;
	*gap = (uint32_t)(b & 31) << 8 | *p++;
	return (b & 31) == 31 ? rk_get_varint32(p, end, gap) : p;
}

/* The same, and past the forms. */
static const uint8_t *read_first(const uint8_t *p, const uint8_t *end,
				 uint32_t *gap)
{
	int forms;

	if (!(p = gap_of(p, end, gap, &forms)) || !forms)
		return p;
	while (p < end && (*p & 0x80))
		p++;
	return p < end ? p + 1 : NULL;
}

int rk_positions_have(const uint8_t *p, uint32_t n, uint32_t tf, uint32_t head,
		      uint8_t form)
{
	const uint8_t *end = p + n;
	uint32_t count = tf, gap;
	int forms;

	if (head && !(p = rk_get_varint32(p, end, &count)))
		return RK_ECORRUPT;
	if (count == 0)
		return 1;
	if (!(p = gap_of(p, end, &gap, &forms)))
		return RK_ECORRUPT;
	if (!forms)
		return form == RK_FORM_SELF;
	while (p < end) {
		uint8_t code = *p & 0x7f;

		if (code == form || code == RK_FORM_ANY)
			return 1;
		if (!(*p++ & 0x80))
			return 0;
	}
	return RK_ECORRUPT;
}

int rk_postr_positions(const struct rk_postr *r, uint32_t b, unsigned n,
		       const uint32_t *tf, const uint32_t *head,
		       const uint8_t **out, uint32_t *out_n)
{
	uint32_t off = rk_postr_meta(r, b).pos_off;
	const uint8_t *p;

	if (off > (size_t)(r->pos_end - r->pos))
		return RK_ECORRUPT;
	p = r->pos + off;
	for (unsigned i = 0; i < n; i++) {
		const uint8_t *q = p;
		uint32_t count = tf[i], first;

		if (head[i] && !(q = rk_get_varint32(p, r->pos_end, &count)))
			return RK_ECORRUPT;
		if (count && (!(q = read_first(q, r->pos_end, &first)) ||
			      !(q = skip_varints(q, r->pos_end, count - 1))))
			return RK_ECORRUPT;
		out[i] = p;
		out_n[i] = (uint32_t)(q - p);
		p = q;
	}
	return 0;
}

int rk_positions_decode(const uint8_t *p, uint32_t n, uint32_t tf,
			uint32_t head, uint32_t *at, unsigned max)
{
	const uint8_t *end = p + n;
	uint32_t count = tf, pos = 0;

	if (head && !(p = rk_get_varint32(p, end, &count)))
		return RK_ECORRUPT;
	if (count > max)
		count = max;
	for (uint32_t i = 0; i < count; i++) {
		uint32_t gap;

		if (!(p = i ? rk_get_varint32(p, end, &gap)
			    : read_first(p, end, &gap)))
			return RK_ECORRUPT;
		pos += gap;
		at[i] = pos;
	}
	return (int)count;
}
