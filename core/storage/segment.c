/* SPDX-License-Identifier: MIT */
#include "storage/segment.h"
#include "base/mem.h"
#include "base/status.h"
#include "base/lock.h"
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

void rk_segment_name(uint64_t id, char out[40])
{
	snprintf(out, 40, "seg-%06llu.mp", (unsigned long long)id);
}

static void read_spoken(struct rk_segment *s, struct rk_mpr *r)
{
	uint32_t n = rk_mpr_array(r);

	for (uint32_t i = 0; i < n && !r->err; i++) {
		uint64_t docs = rk_mpr_uint(r);

		if (i < RK_SPOKEN)
			s->spoken[i] = (uint32_t)docs;
	}
}

static int read_meta(struct rk_segment *s)
{
	struct rk_mpr r = rk_container_meta(s->c);
	uint32_t pairs = rk_mpr_map(&r);

	while (pairs-- && !r.err) {
		size_t n;
		const char *key = rk_mpr_str(&r, &n);

		if (n == 4 && !memcmp(key, "docs", 4))
			s->stats.docs = rk_mpr_uint(&r);
		else if (n == 6 && !memcmp(key, "chunks", 6))
			s->stats.chunks = rk_mpr_uint(&r);
		else if (n == 6 && !memcmp(key, "spoken", 6))
			read_spoken(s, &r);
		else if (n == 5 && !memcmp(key, "terms", 5))
			s->nterms = (uint32_t)rk_mpr_uint(&r);
		else if (n == 8 && !memcmp(key, "body_sum", 8))
			s->stats.body_sum = rk_mpr_uint(&r);
		else if (n == 8 && !memcmp(key, "head_sum", 8))
			s->stats.head_sum = rk_mpr_uint(&r);
		else
			rk_mpr_skip(&r);
	}
	s->ndocs = (uint32_t)s->stats.docs;
	s->nchunks = (uint32_t)s->stats.chunks;
	return r.err;
}

static void find_sections(struct rk_segment *s)
{
	s->s_docs = rk_container_section(s->c, "docs");
	s->s_paths = rk_container_section(s->c, "paths");
	s->s_sorted = rk_container_section(s->c, "sorted");
	s->s_chunks = rk_container_section(s->c, "chunks");
	s->s_norms = rk_container_section(s->c, "norms");
	s->s_heads = rk_container_section(s->c, "heads");
	s->s_dict = rk_container_section(s->c, "dict");
	s->s_dictix = rk_container_section(s->c, "dictix");
	s->s_posts = rk_container_section(s->c, "posts");
	s->s_poss = rk_container_section(s->c, "poss");
	s->s_grams = rk_container_section(s->c, "grams");
}

/* The counts of the footer must fit the sections. */
static int check_shape(const struct rk_segment *s)
{
	if (s->stats.docs > UINT32_MAX || s->stats.chunks > UINT32_MAX ||
	    rk_section_len(s->c, s->s_sorted) != s->stats.docs * 4 ||
	    rk_section_len(s->c, s->s_norms) !=
		    s->stats.chunks * sizeof(rk_norm))
		return RK_ECORRUPT;
	if (rk_segment_is_v1(s))
		return 0;
	if (rk_section_len(s->c, s->s_docs) !=
		    s->stats.docs * sizeof(struct rk_doc_rec) ||
	    rk_section_len(s->c, s->s_chunks) !=
		    s->stats.chunks * sizeof(struct rk_chunk_rec))
		return RK_ECORRUPT;
	return 0;
}

static void set_averages(struct rk_segment *s)
{
	struct rk_norms t;

	rk_norms_init(&t, &s->stats);
	s->avg_body = t.avg_body;
	s->avg_head = t.avg_head;
}

int rk_segment_open(const struct rk_io *io, int dir, uint64_t id,
		    struct rk_segment **out)
{
	struct rk_segment *s = rk_calloc(1, sizeof(*s));
	char name[40];
	int rc;

	if (!s)
		return -ENOMEM;
	s->id = id;
	s->refs = 1;
	rk_segment_name(id, name);
	if ((rc = rk_container_open(io, dir, name, &s->c)) == 0) {
		find_sections(s);
		if ((rc = read_meta(s)) == 0)
			rc = check_shape(s);
		if (rc == 0 && rk_segment_is_v1(s))
			rc = rk_segment_read_v1(s);
	}
	if (rc < 0) {
		rk_segment_unref(s);
		return rc;
	}
	set_averages(s);
	*out = s;
	return 0;
}

struct rk_segment *rk_segment_ref(struct rk_segment *s)
{
	s->refs++;
	return s;
}

void rk_segment_unref(struct rk_segment *s)
{
	assert(!s || s->refs > 0);
	if (!s || --s->refs > 0)
		return;
	rk_container_close(s->c);
	rk_vectors_unref(s->vec);
	rk_vectors_unref(s->vec_next);
	rk_free(s->old_docs);
	rk_free(s->old_chunks);
	rk_free(s->dead);
	rk_free(s);
}

uint64_t rk_segment_bytes(const struct rk_segment *s)
{
	return rk_container_size(s->c);
}

static const void *at(struct rk_segment *s, int section, uint64_t off,
		      uint64_t n)
{
	const void *p = rk_section_at(s->c, section, off, n);

	if (!p)
		s->damaged = 1;
	return p;
}

const struct rk_doc_rec *rk_segment_doc(struct rk_segment *s, uint32_t doc)
{
	const struct rk_doc_rec *d =
		s->old_docs ? (doc < s->ndocs ? &s->old_docs[doc] : NULL)
			    : at(s, s->s_docs, (uint64_t)doc * sizeof(*d),
				 sizeof(*d));

	if (d &&
	    (d->chunk0 > s->nchunks || d->nchunks > s->nchunks - d->chunk0)) {
		s->damaged = 1;
		return NULL;
	}
	return d;
}

const char *rk_segment_path(struct rk_segment *s, const struct rk_doc_rec *d)
{
	return at(s, s->s_paths, d->path_off, d->path_n);
}

const struct rk_chunk_rec *rk_segment_chunk(struct rk_segment *s,
					    uint32_t chunk)
{
	const struct rk_chunk_rec *c =
		s->old_chunks
			? (chunk < s->nchunks ? &s->old_chunks[chunk] : NULL)
			: at(s, s->s_chunks, (uint64_t)chunk * sizeof(*c),
			     sizeof(*c));

	if (c && c->doc >= s->ndocs) {
		s->damaged = 1;
		return NULL;
	}
	return c;
}

const char *rk_segment_head(struct rk_segment *s, const struct rk_chunk_rec *c)
{
	return at(s, s->s_heads, c->head_off, rk_chunk_head_bytes(c));
}

const uint8_t *rk_segment_gram(struct rk_segment *s, const struct rk_doc_rec *d)
{
	static const uint8_t NONE[1];

	return d->gram_n ? at(s, s->s_grams, d->gram_off, d->gram_n) : NONE;
}

static pthread_mutex_t lazy_lock = PTHREAD_MUTEX_INITIALIZER;

/* Once per segment: everything that a search reads at random. */
static void lazy_init(struct rk_segment *s)
{
	uint64_t dn = rk_section_len(s->c, s->s_dict);
	uint64_t in = rk_section_len(s->c, s->s_dictix);
	const void *dict = at(s, s->s_dict, 0, dn);
	const void *index = at(s, s->s_dictix, 0, in);

	rk_assert_held(&lazy_lock);
	s->norms = at(s, s->s_norms, 0, (uint64_t)s->nchunks * sizeof(rk_norm));
	if (!dict || !index || !s->norms ||
	    rk_dict_init(&s->dict, dict, dn, index, in) < 0) {
		s->damaged = 1;
		s->lazy_err = RK_ECORRUPT;
	}
}

static int lazy(struct rk_segment *s)
{
	if (!s->lazy_done) {
		pthread_mutex_lock(&lazy_lock);
		if (!s->lazy_done) {
			lazy_init(s);
			s->lazy_done = 1;
		}
		pthread_mutex_unlock(&lazy_lock);
	}
	return s->lazy_err;
}

const rk_norm *rk_segment_norms(struct rk_segment *s)
{
	return lazy(s) < 0 ? NULL : s->norms;
}

const struct rk_dict *rk_segment_dict(struct rk_segment *s)
{
	return lazy(s) < 0 ? NULL : &s->dict;
}

int rk_segment_list(struct rk_segment *s, const struct rk_dict_entry *e,
		    struct rk_postr *r)
{
	const void *p = at(s, s->s_posts, e->posts_off, e->posts_n);
	const void *q = at(s, s->s_poss, e->poss_off, e->poss_n);
	int rc = RK_ECORRUPT;

	if (p && q)
		rc = rk_postr_init(r, p, e->posts_n, q, e->poss_n, e->df,
				   s->nchunks);
	if (rc < 0)
		s->damaged = 1;
	return rc;
}

int rk_segment_postings(struct rk_segment *s, const char *term, size_t n,
			struct rk_dict_entry *e, struct rk_postr *r)
{
	int rc;

	if (lazy(s) < 0)
		return RK_ECORRUPT;
	rc = rk_dict_find(&s->dict, term, n, e);
	if (rc < 0)
		s->damaged = 1;
	if (rc <= 0)
		return rc;
	rc = rk_segment_list(s, e, r);
	return rc < 0 ? rc : 1;
}

int64_t rk_segment_by_rank(struct rk_segment *s, uint32_t rank)
{
	const uint32_t *d = at(s, s->s_sorted, (uint64_t)rank * 4, 4);

	if (!d || *d >= s->ndocs) {
		s->damaged = 1;
		return RK_ECORRUPT;
	}
	return *d;
}

/* Path at a rank against p: <0, 0, >0; *err on damage. */
static int rank_cmp(struct rk_segment *s, uint32_t rank, const char *p,
		    size_t n, int *err)
{
	int64_t doc = rk_segment_by_rank(s, rank);
	const struct rk_doc_rec *d = NULL;
	const char *path = NULL;

	if (doc >= 0 && (d = rk_segment_doc(s, (uint32_t)doc)) != NULL)
		path = rk_segment_path(s, d);
	if (!d || !path) {
		*err = RK_ECORRUPT;
		return 0;
	}
	return rk_term_cmp(path, d->path_n, p, n);
}

int64_t rk_segment_lower(struct rk_segment *s, const char *p, size_t n)
{
	uint32_t lo = 0, hi = s->ndocs;
	int err = 0;

	while (lo < hi && !err) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (rank_cmp(s, mid, p, n, &err) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return err ? err : (int64_t)lo;
}

int64_t rk_segment_find(struct rk_segment *s, const char *path, size_t n)
{
	int64_t rank = rk_segment_lower(s, path, n);
	int err = 0;

	if (rank < 0)
		return rank;
	if (rank >= s->ndocs || rank_cmp(s, (uint32_t)rank, path, n, &err) != 0)
		return err ? err : -1;
	return err ? err : rk_segment_by_rank(s, (uint32_t)rank);
}

uint32_t rk_segment_dead(const struct rk_segment *s, uint32_t doc)
{
	const uint32_t *dead = __atomic_load_n(&s->dead, __ATOMIC_ACQUIRE);

	assert(doc < s->ndocs);
	return dead ? __atomic_load_n(&dead[doc], __ATOMIC_RELAXED) : 0;
}

int rk_segment_kill(struct rk_segment *s, uint32_t doc, uint32_t gen)
{
	assert(doc < s->ndocs && gen > 0);
	if (!s->dead) {
		uint32_t *d = rk_calloc(s->ndocs, sizeof(*d));

		if (!d)
			return -ENOMEM;
		__atomic_store_n(&s->dead, d, __ATOMIC_RELEASE);
	}
	if (s->dead[doc] == 0) {
		__atomic_store_n(&s->dead[doc], gen, __ATOMIC_RELAXED);
		s->ndead++;
	}
	return 0;
}
