/* SPDX-License-Identifier: MIT */
#include "storage/fold.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/status.h"
#include "lexical/cursor.h"
#include "text/extract/property.h"
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
	WINDOW = 8192, /* chunks whose sums are held at a time */
	SAMPLE_LEAST = 2000,
	SAMPLE_WORDS = 2500000,
};

static int cancelled(const _Atomic int *cancel)
{
	return cancel && *cancel;
}

/* Begin behind unstemmed words and properties: neither is in the text. */
static void first_term(const struct rk_dict *d, struct rk_dict_iter *it)
{
	static const char AFTER_MARKS[] = {RK_PROPERTY_MARK + 1, 0};

	rk_dict_seek(d, AFTER_MARKS, 1, it);
}

/* --- vectors of a segment --- */

struct fold {
	const struct rk_latent *l;
	struct rk_segment *seg;
	struct rk_latent_sum *sums; /* WINDOW */
	float *row;		    /* RK_LATENT_DIM */
};

/* Add one term to the sums of chunks [from, to). */
static int fold_term(struct fold *f, const struct rk_dict_iter *it,
		     uint32_t from, uint32_t to)
{
	uint64_t key = rk_latent_key(it->term, it->n);
	int64_t row = rk_latent_row(f->l, key);
	struct rk_cursor c;
	struct rk_postr list;
	int rc = rk_segment_list(f->seg, &it->e, &list);

	if (rc < 0)
		return rc;
	rk_cursor_list(&c, &list, 255, 1, 1);
	for (uint32_t id = rk_cursor_geq(&c, from); id < to && id != RK_END;
	     id = rk_cursor_geq(&c, id + 1)) {
		uint32_t head = c.has_head ? c.head[c.i] : 0;
		uint32_t tf = rk_fold_tf(c.tf[c.i], head);

		if (tf)
			rk_latent_add(f->l, &f->sums[id - from], key, row, tf);
	}
	return c.err;
}

static int fold_window(struct fold *f, uint32_t from, uint32_t to,
		       struct rk_vectors_writer *w, const _Atomic int *cancel)
{
	const struct rk_dict *d = rk_segment_dict(f->seg);
	struct rk_dict_iter it;
	int rc;

	if (!d)
		return RK_ECORRUPT;
	memset(f->sums, 0, (to - from) * sizeof(*f->sums));
	first_term(d, &it);
	while ((rc = rk_dict_next(&it)) == 1) {
		if ((rc = fold_term(f, &it, from, to)) < 0)
			return rc;
		if (cancelled(cancel))
			return RK_ECANCELLED;
	}
	for (uint32_t i = 0; i < to - from && rc == 0; i++) {
		rk_latent_vector(f->l, &f->sums[i], f->row);
		rk_vectors_add(w, f->row, 1);
	}
	return rc;
}

int rk_fold_segment(const struct rk_io *io, int dir, uint64_t id,
		    uint64_t space, const struct rk_latent *l,
		    struct rk_segment *seg, const _Atomic int *cancel)
{
	struct fold f = {.l = l, .seg = seg};
	struct rk_vectors_writer w = {.cw = NULL};
	uint32_t n = seg->nchunks < WINDOW ? seg->nchunks : WINDOW;
	int rc = -ENOMEM;

	f.sums = rk_aligned_alloc(64, (n + 1) * sizeof(*f.sums));
	f.row = rk_aligned_alloc(64, RK_LATENT_DIM * sizeof(*f.row));
	if (f.sums && f.row)
		rc = rk_vectors_create(io, dir, id, space, RK_LATENT_DIM, &w);
	for (uint32_t at = 0; at < seg->nchunks && rc == 0; at += WINDOW)
		rc = fold_window(&f, at,
				 seg->nchunks - at < WINDOW ? seg->nchunks
							    : at + WINDOW,
				 &w, cancel);
	if (rc == 0)
		rc = rk_vectors_finish(&w);
	else
		rk_vectors_abort(&w);
	rk_free(f.sums);
	rk_free(f.row);
	return rc;
}

/* --- the sample --- */

struct picked {
	uint64_t h;
	uint32_t seg, chunk;
};

struct sampler {
	struct rk_segment *const *segs;
	unsigned n;
	uint32_t generation;
	uint64_t threshold; /* hashes below are in; UINT64_MAX: all */
	struct picked *v;
	size_t nv, cap;
	uint32_t **row; /* [segment][chunk]: row, or UINT32_MAX */
	/* entries, term after term */
	uint32_t *e_row, *e_term;
	uint8_t *e_tf;
	size_t ne, cap_row, cap_term, cap_tf;
	/* terms by key: open addressing */
	uint64_t *key;
	size_t nkeys, cap_key;
	uint32_t *slot;
	size_t mask;
};

static void sampler_release(struct sampler *s)
{
	for (unsigned i = 0; s->row && i < s->n; i++)
		rk_free(s->row[i]);
	rk_free(s->row);
	rk_free(s->v);
	rk_free(s->e_row);
	rk_free(s->e_term);
	rk_free(s->e_tf);
	rk_free(s->key);
	rk_free(s->slot);
}

static int live(const struct sampler *s, const struct rk_segment *seg,
		uint32_t doc)
{
	uint32_t dead = rk_segment_dead(seg, doc);

	return dead == 0 || dead > s->generation;
}

static int pick_doc(struct sampler *s, unsigned i, const struct rk_doc_rec *d)
{
	const char *path = rk_segment_path(s->segs[i], d);

	if (!path)
		return RK_ECORRUPT;
	for (uint32_t c = 0; c < d->nchunks; c++) {
		uint64_t h = XXH3_64bits_withSeed(path, d->path_n, c);

		if (h >= s->threshold || s->nv == RK_LATENT_SAMPLE_MAX)
			continue;
		if (rk_grow(&s->v, &s->cap, s->nv + 1, sizeof(*s->v)) < 0)
			return -ENOMEM;
		s->v[s->nv++] = (struct picked){h, i, d->chunk0 + c};
	}
	return 0;
}

static int by_hash(const void *a, const void *b)
{
	const struct picked *x = a, *y = b;

	return (x->h > y->h) - (x->h < y->h);
}

/*
 * Long chunks are fewer: what the fit needs grows with the words of the
 * sample. In order of hashes, so that segments do not decide.
 */
static int limit_words(struct sampler *s)
{
	uint64_t words = 0;
	size_t n = 0;

	while (n < s->nv && (n < SAMPLE_LEAST || words < SAMPLE_WORDS)) {
		const rk_norm *norms = rk_segment_norms(s->segs[s->v[n].seg]);

		if (!norms)
			return RK_ECORRUPT;
		words += rk_norm_body(norms[s->v[n].chunk]);
		n++;
	}
	s->nv = n;
	return 0;
}

static int pick(struct sampler *s)
{
	int rc = 0;

	for (unsigned i = 0; i < s->n; i++)
		for (uint32_t d = 0; d < s->segs[i]->ndocs && rc == 0; d++) {
			const struct rk_doc_rec *r;

			if (!live(s, s->segs[i], d))
				continue;
			r = rk_segment_doc(s->segs[i], d);
			rc = r ? pick_doc(s, i, r) : RK_ECORRUPT;
		}
	if (rc == 0 && s->nv)
		qsort(s->v, s->nv, sizeof(*s->v), by_hash);
	return rc ? rc : limit_words(s);
}

static int number_rows(struct sampler *s)
{
	s->row = rk_calloc(s->n + 1, sizeof(*s->row));
	if (!s->row)
		return -ENOMEM;
	for (unsigned i = 0; i < s->n; i++) {
		size_t bytes = (s->segs[i]->nchunks + 1ul) * sizeof(uint32_t);

		if (!(s->row[i] = rk_malloc(bytes)))
			return -ENOMEM;
		memset(s->row[i], 0xff, bytes);
	}
	for (size_t r = 0; r < s->nv; r++)
		s->row[s->v[r].seg][s->v[r].chunk] = (uint32_t)r;
	return 0;
}

static int grow_slots(struct sampler *s)
{
	size_t mask = s->mask ? s->mask * 2 + 1 : 65535;
	uint32_t *slot;

	if (s->nkeys * 2 < s->mask)
		return 0;
	if (!(slot = rk_calloc(mask + 1, sizeof(*slot))))
		return -ENOMEM;
	for (size_t i = 0; i < s->nkeys; i++) {
		size_t at = s->key[i] & mask;

		while (slot[at])
			at = (at + 1) & mask;
		slot[at] = (uint32_t)i + 1;
	}
	rk_free(s->slot);
	s->slot = slot;
	s->mask = mask;
	return 0;
}

static int64_t term_number(struct sampler *s, uint64_t key)
{
	size_t at;

	if (grow_slots(s) < 0 ||
	    rk_grow(&s->key, &s->cap_key, s->nkeys + 1, sizeof(*s->key)) < 0)
		return -ENOMEM;
	for (at = key & s->mask; s->slot[at]; at = (at + 1) & s->mask)
		if (s->key[s->slot[at] - 1] == key)
			return s->slot[at] - 1;
	s->key[s->nkeys++] = key;
	s->slot[at] = (uint32_t)s->nkeys;
	return (int64_t)s->nkeys - 1;
}

static int add_entry(struct sampler *s, uint32_t row, uint32_t term,
		     uint32_t tf)
{
	if (rk_grow(&s->e_row, &s->cap_row, s->ne + 1, sizeof(*s->e_row)) < 0 ||
	    rk_grow(&s->e_term, &s->cap_term, s->ne + 1, sizeof(*s->e_term)) <
		    0 ||
	    rk_grow(&s->e_tf, &s->cap_tf, s->ne + 1, 1) < 0)
		return -ENOMEM;
	s->e_row[s->ne] = row;
	s->e_term[s->ne] = term;
	s->e_tf[s->ne++] =
		(uint8_t)(tf < RK_LATENT_TF_MAX ? tf : RK_LATENT_TF_MAX);
	return 0;
}

static int sample_block(struct sampler *s, const struct rk_postr *list,
			uint32_t b, const uint32_t *row, uint64_t key,
			int64_t *term)
{
	uint32_t ids[RK_BLOCK], tf[RK_BLOCK], head[RK_BLOCK];
	int has_head, n = rk_postr_decode(list, b, ids, tf, head, &has_head);
	int rc = n < 0 ? n : 0;

	for (int i = 0; i < n && rc == 0; i++) {
		uint32_t count = rk_fold_tf(tf[i], has_head ? head[i] : 0);

		if (row[ids[i]] == UINT32_MAX || count == 0)
			continue;
		if (*term < 0 && (*term = term_number(s, key)) < 0)
			return -ENOMEM;
		rc = add_entry(s, row[ids[i]], (uint32_t)*term, count);
	}
	return rc;
}

static int sample_segment(struct sampler *s, unsigned i,
			  const _Atomic int *cancel)
{
	const struct rk_dict *d = rk_segment_dict(s->segs[i]);
	struct rk_dict_iter it;
	int rc;

	if (!d)
		return RK_ECORRUPT;
	first_term(d, &it);
	while ((rc = rk_dict_next(&it)) == 1) {
		uint64_t key = rk_latent_key(it.term, it.n);
		int64_t term = -1;
		struct rk_postr list;

		if ((rc = rk_segment_list(s->segs[i], &it.e, &list)) < 0)
			return rc;
		for (uint32_t b = 0; b < rk_postr_blocks(&list); b++)
			if ((rc = sample_block(s, &list, b, s->row[i], key,
					       &term)) < 0)
				return rc;
		if (cancelled(cancel))
			return RK_ECANCELLED;
	}
	return rc;
}

/* From entries by term to entries by row. */
static int by_rows(struct sampler *s, struct rk_sampled *out)
{
	size_t nrows = s->nv;
	uint32_t *start = rk_calloc(nrows + 2, sizeof(*start)), *at = NULL;
	uint32_t *term = rk_malloc((s->ne + 1) * sizeof(*term));
	uint8_t *tf = rk_malloc(s->ne + 1);

	out->owned[0] = start;
	out->owned[1] = term;
	out->owned[2] = tf;
	if (!start || !term || !tf ||
	    !(at = rk_malloc((nrows + 1) * sizeof(*at))))
		return -ENOMEM;
	for (size_t i = 0; i < s->ne; i++)
		start[s->e_row[i] + 1]++;
	for (size_t r = 0; r < nrows; r++)
		start[r + 1] += start[r];
	memcpy(at, start, (nrows + 1) * sizeof(*at));
	for (size_t i = 0; i < s->ne; i++) {
		uint32_t to = at[s->e_row[i]]++;

		term[to] = s->e_term[i];
		tf[to] = s->e_tf[i];
	}
	rk_free(at);
	out->owned[3] = s->key;
	out->sample = (struct rk_sample){
		(uint32_t)nrows, (uint32_t)s->nkeys, start, term, tf, s->key};
	s->key = NULL;
	return 0;
}

static uint64_t count_live(const struct sampler *s, int *err)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < s->n; i++)
		for (uint32_t d = 0; d < s->segs[i]->ndocs; d++) {
			const struct rk_doc_rec *r;

			if (!live(s, s->segs[i], d))
				continue;
			if (!(r = rk_segment_doc(s->segs[i], d))) {
				*err = RK_ECORRUPT;
				return 0;
			}
			n += r->nchunks;
		}
	return n;
}

int rk_sample_segments(struct rk_segment *const *segs, unsigned n,
		       uint32_t generation, const _Atomic int *cancel,
		       struct rk_sampled *out)
{
	struct sampler s = {.segs = segs, .n = n, .generation = generation};
	int rc = 0;

	assert(generation > 0);
	memset(out, 0, sizeof(*out));
	out->chunks = count_live(&s, &rc);
	/* four standard deviations below the limit */
	s.threshold = out->chunks <= RK_LATENT_SAMPLE_MAX
			      ? UINT64_MAX
			      : UINT64_MAX / out->chunks *
					(RK_LATENT_SAMPLE_MAX - 512);
	if (rc == 0 && (rc = pick(&s)) == 0)
		rc = number_rows(&s);
	for (unsigned i = 0; i < n && rc == 0; i++)
		rc = sample_segment(&s, i, cancel);
	if (rc == 0)
		rc = by_rows(&s, out);
	sampler_release(&s);
	if (rc < 0)
		rk_sampled_release(out);
	return rc;
}

void rk_sampled_release(struct rk_sampled *s)
{
	for (size_t i = 0; i < sizeof(s->owned) / sizeof(s->owned[0]); i++)
		rk_free(s->owned[i]);
	memset(s, 0, sizeof(*s));
}
