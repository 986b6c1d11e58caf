/* SPDX-License-Identifier: MIT */
#include "vector/hnsw.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/status.h"
#include "vector/rotate.h"
#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
	EF_BUILD = 200,
	EF_MIN = 64, /* of a search that does not say */
	LEVEL_MAX = 12,
	CANCEL_EVERY = 64, /* nodes visited between two looks at cancel */
};

/* --- what a row or a query is compared by --- */

struct point {
	const float *f;
	const int8_t *bytes;
	float scale;
	const uint64_t *words;
};

static struct point point_of(const struct rk_hnsw *h, const float *base,
			     uint32_t row)
{
	struct point p = {NULL, NULL, 0, NULL};

	if (h->code == RK_HNSW_F32) {
		p.f = base + row * rk_vec_stride(h->dim);
	} else if (h->code == RK_HNSW_SQ8) {
		p.bytes = h->bytes + row * rk_sq8_stride(h->dim);
		p.scale = h->scale[row];
	} else {
		p.words = h->words + row * rk_binary_words(h->dim);
	}
	return p;
}

/* Larger is nearer. */
static float nearness(const struct rk_hnsw *h, const struct point *a,
		      const struct point *b)
{
	if (h->code == RK_HNSW_F32)
		return rk_dot(a->f, b->f, rk_vec_stride(h->dim));
	if (h->code == RK_HNSW_SQ8)
		return a->scale * b->scale *
		       (float)rk_dot_i8(a->bytes, b->bytes,
					rk_sq8_stride(h->dim));
	return -(float)rk_hamming(a->words, b->words, rk_binary_words(h->dim));
}

static float to_bytes(const float *v, uint32_t dim, int8_t *out)
{
	float top = 0;

	for (uint32_t i = 0; i < dim; i++)
		top = fmaxf(top, fabsf(v[i]));
	memset(out, 0, rk_sq8_stride(dim));
	for (uint32_t i = 0; i < dim && top > 0; i++)
		out[i] = (int8_t)lrintf(v[i] / top * 127);
	return top / 127;
}

/* Signs of the rotated vector; scratch: words * 64 floats. */
static void to_words(const float *v, uint32_t dim, uint64_t *out,
		     float *scratch)
{
	size_t words = rk_binary_words(dim);

	memset(scratch, 0, words * 64 * sizeof(*scratch));
	memcpy(scratch, v, dim * sizeof(*scratch));
	rk_rotate(scratch, words * 64);
	memset(out, 0, words * sizeof(*out));
	for (size_t i = 0; i < words * 64; i++)
		out[i / 64] |= (uint64_t)(scratch[i] > 0) << i % 64;
}

/* --- heaps --- */

struct item {
	float near;
	uint32_t row;
};

/* Binary heap; `worst`: the farthest on top, else the nearest. */
struct heap {
	struct item *v;
	size_t cap;
	uint32_t n;
	int worst;
};

static int above(const struct heap *h, float a, float b)
{
	return h->worst ? a < b : a > b;
}

static void push(struct heap *h, struct item x)
{
	uint32_t i = h->n++;

	for (; i > 0 && above(h, x.near, h->v[(i - 1) / 2].near);
	     i = (i - 1) / 2)
		h->v[i] = h->v[(i - 1) / 2];
	h->v[i] = x;
}

static struct item pop(struct heap *h)
{
	struct item top = h->v[0], x = h->v[--h->n];
	uint32_t i = 0;

	for (uint32_t k; (k = 2 * i + 1) < h->n; i = k) {
		if (k + 1 < h->n && above(h, h->v[k + 1].near, h->v[k].near))
			k++;
		if (!above(h, h->v[k].near, x.near))
			break;
		h->v[i] = h->v[k];
	}
	if (h->n)
		h->v[i] = x;
	return top;
}

/* --- walking --- */

struct walk {
	const struct rk_hnsw *h;
	const float *base; /* all rows */
	struct point q;
	uint32_t ef;
	uint64_t *seen;			   /* a bit a row */
	struct heap open;		   /* to be looked at, nearest first */
	struct heap found;		   /* the ef nearest, farthest on top */
	const struct rk_near_query *query; /* NULL while building */
};

static const uint32_t *links_of(const struct rk_hnsw *h, uint32_t row,
				uint32_t level, uint32_t *n)
{
	*n = level ? RK_HNSW_M : RK_HNSW_M0;
	if (level == 0)
		return h->links0 + (size_t)row * RK_HNSW_M0;
	return h->upper + ((size_t)h->upper_at[row] + level - 1) * RK_HNSW_M;
}

static float near_to(const struct walk *w, uint32_t row)
{
	struct point p = point_of(w->h, w->base, row);

	return nearness(w->h, &w->q, &p);
}

static void prefetch(const struct walk *w, uint32_t row)
{
	const struct rk_hnsw *h = w->h;
	struct point p = point_of(h, w->base, row);
	const char *at = p.f	   ? (const char *)p.f
			 : p.bytes ? (const char *)p.bytes
				   : (const char *)p.words;
	size_t n = p.f	     ? rk_vec_stride(h->dim) * 4
		   : p.bytes ? rk_sq8_stride(h->dim)
			     : rk_binary_words(h->dim) * 8;

	for (size_t i = 0; i < n && i < 512; i += 64)
		__builtin_prefetch(at + i);
}

/* Go to the nearest neighbour while there is a nearer one. */
static struct item descend(const struct walk *w, struct item at, uint32_t level)
{
	for (;;) {
		struct item best = at;
		uint32_t n;
		const uint32_t *l = links_of(w->h, at.row, level, &n);

		for (uint32_t i = 0; i < n && l[i] != RK_HNSW_NONE; i++) {
			float near = near_to(w, l[i]);

			if (near > best.near)
				best = (struct item){near, l[i]};
		}
		if (best.row == at.row)
			return at;
		at = best;
	}
}

/* May it be a result? 1, 0, negative */
static int passes(const struct walk *w, uint32_t row)
{
	return w->query && w->query->accept
		       ? w->query->accept(w->query->accept_ctx, row)
		       : 1;
}

static int visit(struct walk *w, struct item x)
{
	int ok;

	if (w->found.n >= w->ef && x.near <= w->found.v[0].near)
		return 0;
	if (rk_grow(&w->open.v, &w->open.cap, w->open.n + 1ul,
		    sizeof(*w->open.v)) < 0)
		return -ENOMEM;
	push(&w->open, x);
	if ((ok = passes(w, x.row)) <= 0)
		return ok;
	if (w->found.n >= w->ef)
		pop(&w->found);
	push(&w->found, x);
	return 0;
}

static int mark(struct walk *w, uint32_t row)
{
	uint64_t bit = 1ull << row % 64;
	int was = (w->seen[row / 64] & bit) != 0;

	w->seen[row / 64] |= bit;
	return !was;
}

/* The unseen neighbours of a row: fetched first, then compared. */
static int expand(struct walk *w, uint32_t row, uint32_t level)
{
	uint32_t fresh[RK_HNSW_M0], nfresh = 0, n;
	const uint32_t *l = links_of(w->h, row, level, &n);
	int rc = 0;

	for (uint32_t i = 0; i < n && l[i] != RK_HNSW_NONE; i++)
		if (mark(w, l[i])) {
			prefetch(w, l[i]);
			fresh[nfresh++] = l[i];
		}
	for (uint32_t i = 0; i < nfresh && rc == 0; i++)
		rc = visit(w, (struct item){near_to(w, fresh[i]), fresh[i]});
	return rc;
}

/* Best-first from `start`; w->found holds what was met. */
static int search_level(struct walk *w, struct item start, uint32_t level)
{
	const _Atomic int *cancel = w->query ? w->query->cancel : NULL;
	uint32_t steps = 0;
	int rc;

	w->open.n = w->found.n = 0;
	memset(w->seen, 0, (w->h->rows / 64 + 1) * sizeof(*w->seen));
	mark(w, start.row);
	rc = visit(w, start);
	while (w->open.n && rc == 0) {
		struct item x = pop(&w->open);

		if (w->found.n >= w->ef && x.near < w->found.v[0].near)
			break;
		if (cancel && ++steps % CANCEL_EVERY == 0 && *cancel)
			return RK_ECANCELLED;
		rc = expand(w, x.row, level);
	}
	return rc;
}

static void walk_release(struct walk *w)
{
	rk_free(w->seen);
	rk_free(w->open.v);
	rk_free(w->found.v);
}

static int walk_init(struct walk *w, const struct rk_hnsw *h, const float *base,
		     uint32_t ef)
{
	memset(w, 0, sizeof(*w));
	w->h = h;
	w->base = base;
	w->ef = ef;
	w->found.worst = 1;
	w->seen = rk_malloc((h->rows / 64 + 1ul) * sizeof(*w->seen));
	w->found.v = rk_malloc((ef + 2ul) * sizeof(*w->found.v));
	return w->seen && w->found.v ? 0 : -ENOMEM;
}

/* --- building --- */

struct builder {
	struct rk_hnsw h;
	uint32_t *links0, *upper_at, *upper;
	uint8_t *level;
	int8_t *bytes;
	float *scale;
	uint64_t *words;
	const float *base;
	struct walk w;
};

/* Geometric with 1/M, from the row's number: the same graph each time. */
static uint8_t level_of(uint32_t row)
{
	uint64_t seed = row;
	double u =
		((double)(rk_splitmix64(&seed) >> 11) + 1) / 9007199254740993.0;
	double l = -log(u) / log(RK_HNSW_M);

	return l < LEVEL_MAX ? (uint8_t)l : LEVEL_MAX;
}

static size_t carve(size_t *at, size_t n)
{
	size_t from = *at;

	*at += (n + 63) / 64 * 64;
	return from;
}

/* All arrays in one block, so that one free releases them. */
static int lay_out(struct builder *b)
{
	struct rk_hnsw *h = &b->h;
	size_t n = h->rows, at = 0, a[7];
	char *p;

	for (uint32_t r = 0; r < h->rows; r++)
		h->nupper += level_of(r);
	a[0] = carve(&at, n * RK_HNSW_M0 * 4);
	a[1] = carve(&at, n * 4);
	a[2] = carve(&at, (size_t)h->nupper * RK_HNSW_M * 4);
	a[3] = carve(&at, n);
	a[4] = carve(&at,
		     h->code == RK_HNSW_SQ8 ? n * rk_sq8_stride(h->dim) : 0);
	a[5] = carve(&at, h->code == RK_HNSW_SQ8 ? n * 4 : 0);
	a[6] = carve(&at, h->code == RK_HNSW_BINARY
				  ? n * rk_binary_words(h->dim) * 8
				  : 0);
	h->owned = p = rk_aligned_alloc(64, at + 64);
	if (!p)
		return -ENOMEM;
	memset(p, 0xff, a[3]); /* no links anywhere */
	h->links0 = b->links0 = (uint32_t *)(void *)(p + a[0]);
	h->upper_at = b->upper_at = (uint32_t *)(void *)(p + a[1]);
	h->upper = b->upper = (uint32_t *)(void *)(p + a[2]);
	h->level = b->level = (uint8_t *)(p + a[3]);
	h->bytes = b->bytes = (int8_t *)(p + a[4]);
	h->scale = b->scale = (float *)(void *)(p + a[5]);
	h->words = b->words = (uint64_t *)(void *)(p + a[6]);
	return 0;
}

static int encode(struct builder *b)
{
	const struct rk_hnsw *h = &b->h;
	size_t stride = rk_vec_stride(h->dim), words = rk_binary_words(h->dim);
	float *scratch = rk_malloc(words * 64 * sizeof(*scratch));

	if (!scratch)
		return -ENOMEM;
	for (uint32_t r = 0; r < h->rows; r++) {
		const float *v = b->base + r * stride;

		if (h->code == RK_HNSW_SQ8)
			b->scale[r] =
				to_bytes(v, h->dim,
					 b->bytes + r * rk_sq8_stride(h->dim));
		else if (h->code == RK_HNSW_BINARY)
			to_words(v, h->dim, b->words + r * words, scratch);
	}
	rk_free(scratch);
	return 0;
}

static uint32_t *own_links(struct builder *b, uint32_t row, uint32_t level)
{
	if (level == 0)
		return b->links0 + (size_t)row * RK_HNSW_M0;
	return b->upper + ((size_t)b->upper_at[row] + level - 1) * RK_HNSW_M;
}

static int nearest_first(const void *a, const void *b)
{
	const struct item *x = a, *y = b;

	if (x->near != y->near)
		return x->near > y->near ? -1 : 1;
	return (x->row > y->row) - (x->row < y->row);
}

/*
 * Of n candidates, nearest first, at most max that are nearer to the row than
 * to each other: links in all directions instead of many in one.
 */
static uint32_t choose(struct builder *b, const struct item *c, uint32_t n,
		       uint32_t max, uint32_t *out)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < n && kept < max; i++) {
		struct point p = point_of(&b->h, b->base, c[i].row);
		uint32_t k = 0;

		for (; k < kept; k++) {
			struct point q = point_of(&b->h, b->base, out[k]);

			if (nearness(&b->h, &p, &q) > c[i].near)
				break;
		}
		if (k == kept)
			out[kept++] = c[i].row;
	}
	return kept;
}

/* Row `to` learns of `row`; a full list is chosen anew. */
static void link_back(struct builder *b, uint32_t to, uint32_t row, float near,
		      uint32_t level)
{
	uint32_t max = level ? RK_HNSW_M : RK_HNSW_M0, n = 0;
	uint32_t *l = own_links(b, to, level);
	struct item c[RK_HNSW_M0 + 1];
	struct point p;

	while (n < max && l[n] != RK_HNSW_NONE)
		n++;
	if (n < max) {
		l[n] = row;
		return;
	}
	p = point_of(&b->h, b->base, to);
	for (uint32_t i = 0; i < n; i++) {
		struct point q = point_of(&b->h, b->base, l[i]);

		c[i] = (struct item){nearness(&b->h, &p, &q), l[i]};
	}
	c[n++] = (struct item){near, row};
	qsort(c, n, sizeof(*c), nearest_first);
	n = choose(b, c, n, max, l);
	while (n < max)
		l[n++] = RK_HNSW_NONE;
}

static int connect(struct builder *b, uint32_t row, uint32_t level,
		   struct item *start)
{
	uint32_t *l = own_links(b, row, level), n;
	int rc = search_level(&b->w, *start, level);

	if (rc < 0)
		return rc;
	qsort(b->w.found.v, b->w.found.n, sizeof(*b->w.found.v), nearest_first);
	*start = b->w.found.v[0];
	n = choose(b, b->w.found.v, b->w.found.n, RK_HNSW_M, l);
	for (uint32_t i = 0; i < n; i++)
		link_back(b, l[i], row, near_to(&b->w, l[i]), level);
	return 0;
}

static int insert(struct builder *b, uint32_t row)
{
	uint32_t level = b->level[row];
	struct item at;
	int rc = 0;

	b->w.q = point_of(&b->h, b->base, row);
	if (b->h.entry == RK_HNSW_NONE) {
		b->h.entry = row;
		b->h.top = level;
		return 0;
	}
	at = (struct item){near_to(&b->w, b->h.entry), b->h.entry};
	for (uint32_t l = b->h.top; l > level; l--)
		at = descend(&b->w, at, l);
	for (uint32_t l = level < b->h.top ? level : b->h.top;; l--) {
		if ((rc = connect(b, row, l, &at)) < 0 || l == 0)
			break;
	}
	if (level > b->h.top) {
		b->h.entry = row;
		b->h.top = level;
	}
	return rc;
}

static int insert_all(struct builder *b, const _Atomic int *cancel)
{
	size_t stride = rk_vec_stride(b->h.dim);
	uint32_t at = 0;

	for (uint32_t r = 0; r < b->h.rows; r++) {
		const float *v = b->base + r * stride;
		int rc;

		b->level[r] = level_of(r);
		b->upper_at[r] = b->level[r] ? at : RK_HNSW_NONE;
		at += b->level[r];
		if (rk_dot(v, v, stride) <= 0)
			continue; /* not there */
		if (cancel && *cancel)
			return RK_ECANCELLED;
		if ((rc = insert(b, r)) < 0)
			return rc;
	}
	return 0;
}

int rk_hnsw_build(rk_rows_fn *get, void *ctx, uint32_t rows, uint32_t dim,
		  enum rk_hnsw_code code, const _Atomic int *cancel,
		  struct rk_hnsw *out)
{
	struct builder b = {.h = {.code = code,
				  .rows = rows,
				  .dim = dim,
				  .entry = RK_HNSW_NONE}};
	int rc;

	assert(dim > 0);
	if (!(b.base = get(ctx, 0, rows)))
		return RK_ECORRUPT;
	if ((rc = lay_out(&b)) == 0 && (rc = encode(&b)) == 0 &&
	    (rc = walk_init(&b.w, &b.h, b.base, EF_BUILD)) == 0)
		rc = insert_all(&b, cancel);
	walk_release(&b.w);
	if (rc < 0) {
		rk_hnsw_release(&b.h);
		return rc;
	}
	*out = b.h;
	return 0;
}

void rk_hnsw_release(struct rk_hnsw *h)
{
	rk_free(h->owned);
	memset(h, 0, sizeof(*h));
}

int rk_hnsw_check(const struct rk_hnsw *h)
{
	size_t n = h->rows;

	if (h->entry == RK_HNSW_NONE)
		return 0;
	if (h->entry >= h->rows || h->top > LEVEL_MAX ||
	    h->level[h->entry] < h->top)
		return RK_ECORRUPT;
	for (size_t i = 0; i < n; i++)
		if (h->level[i] > LEVEL_MAX ||
		    (h->level[i] &&
		     (uint64_t)h->upper_at[i] + h->level[i] > h->nupper))
			return RK_ECORRUPT;
	for (size_t i = 0; i < n * RK_HNSW_M0; i++)
		if (h->links0[i] != RK_HNSW_NONE && h->links0[i] >= h->rows)
			return RK_ECORRUPT;
	/* a neighbour at a level must reach up to it */
	for (uint32_t r = 0; r < h->rows; r++)
		for (uint32_t l = 1; l <= h->level[r]; l++) {
			uint32_t k;
			const uint32_t *p = links_of(h, r, l, &k);

			for (uint32_t i = 0; i < k; i++)
				if (p[i] != RK_HNSW_NONE &&
				    (p[i] >= h->rows || h->level[p[i]] < l))
					return RK_ECORRUPT;
		}
	return 0;
}

/* --- searching --- */

struct query_code {
	int8_t *bytes;
	uint64_t *words;
	float *scratch;
};

static int encode_query(const struct rk_hnsw *h, const float *q,
			struct query_code *c, struct point *p)
{
	size_t words = rk_binary_words(h->dim);

	*p = (struct point){.f = q};
	if (h->code == RK_HNSW_SQ8) {
		c->bytes = rk_aligned_alloc(64, rk_sq8_stride(h->dim));
		if (!c->bytes)
			return -ENOMEM;
		p->scale = to_bytes(q, h->dim, c->bytes);
		p->bytes = c->bytes;
	} else if (h->code == RK_HNSW_BINARY) {
		c->words = rk_malloc(words * sizeof(*c->words));
		c->scratch = rk_malloc(words * 64 * sizeof(float));
		if (!c->words || !c->scratch)
			return -ENOMEM;
		to_words(q, h->dim, c->words, c->scratch);
		p->words = c->words;
	}
	return 0;
}

/* Candidates by the rows themselves, best first. */
static int rank(struct walk *w, struct rk_near *out)
{
	const struct rk_near_query *q = w->query;
	size_t stride = rk_vec_stride(w->h->dim);
	struct heap *f = &w->found;
	uint32_t n = 0;

	if (w->h->code != RK_HNSW_F32)
		for (uint32_t i = 0; i < f->n; i++)
			f->v[i].near = rk_dot(w->base + f->v[i].row * stride,
					      q->q, stride);
	qsort(f->v, f->n, sizeof(*f->v), nearest_first);
	for (uint32_t i = 0; i < f->n && n < q->k; i++)
		if (f->v[i].near >= q->floor)
			out[n++] = (struct rk_near){f->v[i].near, f->v[i].row};
	return (int)n;
}

static uint32_t effort_of(const struct rk_hnsw *h,
			  const struct rk_near_query *q)
{
	static const uint32_t TIMES[] = {
		[RK_HNSW_F32] = 1, [RK_HNSW_SQ8] = 1, [RK_HNSW_BINARY] = 4};
	uint32_t ef =
		q->effort ? q->effort
			  : TIMES[h->code] * (q->k > EF_MIN ? q->k : EF_MIN);

	return ef > q->k ? ef : q->k;
}

int rk_hnsw_nearest(const struct rk_hnsw *h, const struct rk_near_query *q,
		    struct rk_near *out)
{
	struct query_code code = {NULL, NULL, NULL};
	const float *base = q->get(q->get_ctx, 0, h->rows);
	struct walk w = {.h = h};
	struct item at;
	int rc;

	assert(q->k > 0);
	if (h->entry == RK_HNSW_NONE || q->k == 0)
		return 0;
	if (!base)
		return RK_ECORRUPT;
	if ((rc = walk_init(&w, h, base, effort_of(h, q))) == 0 &&
	    (rc = encode_query(h, q->q, &code, &w.q)) == 0) {
		w.query = q;
		at = (struct item){near_to(&w, h->entry), h->entry};
		for (uint32_t l = h->top; l > 0; l--)
			at = descend(&w, at, l);
		rc = search_level(&w, at, 0);
	}
	if (rc == 0)
		rc = rank(&w, out);
	walk_release(&w);
	rk_free(code.bytes);
	rk_free(code.words);
	rk_free(code.scratch);
	return rc;
}
