/* SPDX-License-Identifier: MIT */
#include "lexical/memtable.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/lock.h"
#include <assert.h>
#include <errno.h>
#include <string.h>

enum { CHUNKS_PER_LOCK = 64 }; /* readers wait for no more than this */

static _Atomic uint64_t next_serial = 1;

int rk_memtable_new(uint64_t space, size_t stride, struct rk_memtable **out)
{
	struct rk_memtable *m = rk_calloc(1, sizeof(*m));
	pthread_rwlockattr_t attr;

	assert(stride % 16 == 0); /* 64-byte rows */
	if (!m)
		return -ENOMEM;
	m->serial = next_serial++;
	m->vec_space = space;
	m->vec_stride = stride;
	m->by_path_mask = 1023;
	m->by_path = rk_calloc(m->by_path_mask + 1, sizeof(*m->by_path));
	if (!m->by_path || rk_vocab_init(&m->vocab) < 0) {
		rk_free(m->by_path);
		rk_free(m);
		return -ENOMEM;
	}
	/* queries follow on each other: a writer must still get its turn */
	pthread_rwlockattr_init(&attr);
	pthread_rwlockattr_setkind_np(
		&attr, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	pthread_rwlock_init(&m->lock, &attr);
	pthread_rwlockattr_destroy(&attr);
	m->refs = 1;
	*out = m;
	return 0;
}

void rk_termmap_release(struct rk_termmap *map)
{
	rk_free(map->id);
	rk_free(map->batch);
	memset(map, 0, sizeof(*map));
}

struct rk_memtable *rk_memtable_ref(struct rk_memtable *m)
{
	m->refs++;
	return m;
}

void rk_memtable_unref(struct rk_memtable *m)
{
	assert(!m || m->refs > 0);
	if (!m || --m->refs > 0)
		return;
	for (uint32_t i = 0; i < m->vocab.n && i < m->terms_cap; i++)
		rk_free(m->terms[i].p);
	rk_free(m->terms);
	rk_vocab_release(&m->vocab);
	rk_free(m->docs);
	rk_free(m->chunks);
	rk_free(m->norms);
	rk_free(m->by_path);
	for (size_t i = 0; i < m->nvecs; i++)
		rk_free(m->vecs[i]);
	rk_free(m->vecs);
	rk_buf_release(&m->paths);
	rk_buf_release(&m->heads);
	rk_buf_release(&m->grams);
	pthread_rwlock_destroy(&m->lock);
	rk_free(m);
}

static uint32_t at_slot(const struct rk_memtable *m, size_t i)
{
	return __atomic_load_n(&m->by_path[i], __ATOMIC_ACQUIRE);
}

/* Where the path's document is, or the free place that it would have. */
static size_t path_slot(const struct rk_memtable *m, const char *path, size_t n)
{
	size_t i = rk_hash64(path, n) & m->by_path_mask;
	uint32_t at;

	for (; (at = at_slot(m, i)) != 0; i = (i + 1) & m->by_path_mask) {
		const struct rk_mdoc *d = &m->docs[at - 1];

		if (d->rec.path_n == n &&
		    memcmp(m->paths.p + d->rec.path_off, path, n) == 0)
			break;
	}
	return i;
}

int64_t rk_memtable_find(const struct rk_memtable *m, const char *path,
			 size_t n)
{
	return (int64_t)at_slot(m, path_slot(m, path, n)) - 1;
}

static int by_path_room(struct rk_memtable *m)
{
	size_t mask = m->by_path_mask * 2 + 1;
	uint32_t *old = m->by_path, *now;
	size_t old_mask = m->by_path_mask;

	if (m->ndocs * 2 < m->by_path_mask)
		return 0;
	now = rk_calloc(mask + 1, sizeof(*now));
	if (!now)
		return -ENOMEM;
	m->by_path = now;
	m->by_path_mask = mask;
	for (size_t i = 0; i <= old_mask; i++)
		if (old[i]) {
			const struct rk_doc_rec *r = &m->docs[old[i] - 1].rec;

			now[path_slot(m, (char *)m->paths.p + r->path_off,
				      r->path_n)] = old[i];
		}
	rk_free(old);
	return 0;
}

/* The table's id of the analyser's term `t`. */
static int64_t map_term(struct rk_memtable *m, struct rk_termmap *map,
			const struct rk_vocab *v, uint32_t t)
{
	int64_t id;

	if (map->id[t])
		return map->id[t] - 1;
	id = rk_vocab_id(&m->vocab, v->v[t].s, v->v[t].n);
	if (id < 0 || rk_grow(&m->terms, &m->terms_cap, (size_t)id + 1,
			      sizeof(*m->terms)) < 0)
		return -ENOMEM;
	map->id[t] = (uint32_t)id + 1;
	return id;
}

static int map_prepare(struct rk_memtable *m, struct rk_termmap *map,
		       const struct rk_analyser *a)
{
	size_t n = rk_analyser_vocab(a)->n;

	if (map->serial != m->serial || map->epoch != rk_analyser_epoch(a)) {
		if (map->id)
			memset(map->id, 0, map->cap * sizeof(*map->id));
		map->serial = m->serial;
		map->epoch = rk_analyser_epoch(a);
	}
	return rk_grow(&map->id, &map->cap, n, sizeof(*map->id));
}

static int term_room(struct rk_memtable *m, struct rk_mterm *t, size_t n)
{
	uint32_t cap = t->cap ? t->cap : 16;
	uint8_t *p;

	if (t->n + n <= t->cap)
		return 0;
	if (n > UINT32_MAX / 2 - t->n)
		return -ENOMEM;
	while (cap < t->n + n)
		cap += cap < 256 ? cap : cap / 2;
	p = rk_realloc(t->p, cap);
	if (!p)
		return -ENOMEM;
	m->bytes += cap - t->cap + (t->p ? 0 : 16);
	t->p = p;
	t->cap = cap;
	return 0;
}

static int add_posting(struct rk_memtable *m, struct rk_mterm *t, uint32_t id,
		       const struct rk_inv_term *e, const uint8_t *pos)
{
	uint64_t gap = t->df ? id - t->last - 1 : id;
	uint8_t *q;

	if (term_room(m, t, 10 + 5 + 5 + 5 + e->pos_n) < 0)
		return -ENOMEM;
	q = t->p + t->n;
	q += rk_put_varint(q, gap << 2 | (e->tf != 1) |
				      (uint64_t)(e->head != 0) << 1);
	if (e->tf != 1)
		q += rk_put_varint(q, e->tf);
	if (e->head)
		q += rk_put_varint(q, e->head);
	q += rk_put_varint(q, e->pos_n);
	memcpy(q, pos + e->pos_off, e->pos_n);
	q += e->pos_n;
	t->n = (uint32_t)(q - t->p);
	t->last = id;
	t->df++;
	return 0;
}

/* A varint that this file wrote itself. */
static const uint8_t *own_varint(const uint8_t *q, uint64_t *v)
{
	unsigned shift = 0;

	for (*v = 0; *q & 0x80; shift += 7)
		*v |= (uint64_t)(*q++ & 0x7f) << shift;
	*v |= (uint64_t)*q++ << shift;
	return q;
}

const uint8_t *rk_mposting_next(const uint8_t *q, struct rk_posting *p)
{
	uint64_t v, tf = 1, head = 0, n;

	q = own_varint(q, &v);
	if (v & 1)
		q = own_varint(q, &tf);
	if (v & 2)
		q = own_varint(q, &head);
	q = own_varint(q, &n);
	p->id = (uint32_t)(p->id + 1 + (v >> 2));
	p->tf = (uint32_t)tf;
	p->head = (uint32_t)head;
	p->pos_n = (uint32_t)n;
	p->pos = q;
	return q + n;
}

/*
 * The terms of a chunk lie all over the table: their numbers first, then
 * their entries and the ends of their postings are fetched a few ahead.
 */
static int add_terms(struct rk_memtable *m, uint32_t id,
		     const struct rk_inv_chunk *c, const struct rk_inverted *v,
		     const struct rk_vocab *vocab, struct rk_termmap *map)
{
	enum { ENTRY_AHEAD = 12, BYTES_AHEAD = 6 };
	const struct rk_inv_term *e = &v->terms[c->first];

	if (rk_grow(&map->batch, &map->batch_cap, c->n, sizeof(*map->batch)) <
	    0)
		return -ENOMEM;
	for (uint32_t i = 0; i < c->n; i++) {
		int64_t t = map_term(m, map, vocab, e[i].term);

		if (t < 0)
			return -ENOMEM;
		map->batch[i] = (uint32_t)t;
	}
	for (uint32_t i = 0; i < c->n; i++) {
		struct rk_mterm *t = &m->terms[map->batch[i]];

		if (i + ENTRY_AHEAD < c->n)
			__builtin_prefetch(
				&m->terms[map->batch[i + ENTRY_AHEAD]], 1);
		if (i + BYTES_AHEAD < c->n) {
			const struct rk_mterm *next =
				&m->terms[map->batch[i + BYTES_AHEAD]];

			__builtin_prefetch(next->p + next->n, 1);
		}
		if (e[i].tf == 0 && e[i].head == 0)
			t->df++; /* an unstemmed word: counted, not listed */
		else if (add_posting(m, t, id, &e[i], v->pos.p) < 0)
			return -ENOMEM;
	}
	return 0;
}

static int add_vector(struct rk_memtable *m, size_t id, const float *row)
{
	size_t bytes = m->vec_stride * sizeof(float);

	if (m->vec_stride == 0)
		return 0;
	if (id / RK_VEC_BLOCK == m->nvecs) {
		if (rk_grow(&m->vecs, &m->vecs_cap, m->nvecs + 1,
			    sizeof(*m->vecs)) < 0 ||
		    !(m->vecs[m->nvecs] =
			      rk_aligned_alloc(64, RK_VEC_BLOCK * bytes)))
			return -ENOMEM;
		m->nvecs++;
	}
	if (row)
		memcpy(rk_memtable_vector(m, id), row, bytes);
	else
		memset(rk_memtable_vector(m, id), 0, bytes);
	m->bytes += bytes;
	return 0;
}

static int add_chunk(struct rk_memtable *m, uint32_t doc,
		     const struct rk_inv_chunk *c, const struct rk_inverted *v,
		     const struct rk_vocab *vocab, struct rk_termmap *map,
		     const float *vector)
{
	uint32_t id = (uint32_t)m->nchunks;
	struct rk_chunk_rec *r;

	rk_assert_shared(&m->lock);
	if (rk_grow(&m->chunks, &m->chunks_cap, m->nchunks + 1,
		    sizeof(*m->chunks)) < 0 ||
	    rk_grow(&m->norms, &m->norms_cap, m->nchunks + 1,
		    sizeof(*m->norms)) < 0 ||
	    add_vector(m, id, vector) < 0)
		return -ENOMEM;
	r = &m->chunks[m->nchunks];
	*r = c->rec;
	r->doc = doc;
	r->head_off = (uint32_t)m->heads.n;
	rk_buf_add(&m->heads, c->head, c->rec.head_n);
	rk_buf_add(&m->heads, c->sym, c->rec.sym_n);
	rk_buf_add(&m->heads, c->ent, c->rec.ent_n);
	m->bytes += c->rec.ent_n;
	m->norms[m->nchunks++] = c->norm;
	return m->heads.err ? m->heads.err : add_terms(m, id, c, v, vocab, map);
}

/* Room for the document's own record; the lock is held. */
static int64_t begin_doc(struct rk_memtable *m, const struct rk_doc_rec *rec,
			 const char *path, const uint8_t *gram)
{
	size_t doc = m->ndocs;
	struct rk_mdoc *d;

	rk_assert_shared(&m->lock);
	if (rk_grow(&m->docs, &m->docs_cap, doc + 1, sizeof(*m->docs)) < 0 ||
	    by_path_room(m) < 0)
		return -ENOMEM;
	d = &m->docs[doc];
	d->rec = *rec;
	d->rec.path_off = (uint32_t)m->paths.n;
	d->rec.chunk0 = (uint32_t)m->nchunks;
	d->rec.nchunks = 0;
	__atomic_fetch_add(&m->spoken[rec->language % RK_SPOKEN], 1,
			   __ATOMIC_RELAXED);
	d->rec.gram_off = m->grams.n;
	d->born = UINT32_MAX;
	d->dead = 0;
	rk_buf_add(&m->paths, path, rec->path_n);
	rk_buf_byte(&m->paths, 0);
	rk_buf_add(&m->grams, gram, rec->gram_n);
	if (m->paths.err || m->grams.err)
		return -ENOMEM;
	m->ndocs++;
	m->bytes += sizeof(*d) + rec->path_n + rec->gram_n + 16;
	return (int64_t)doc;
}

int64_t rk_memtable_add(struct rk_memtable *m, const struct rk_doc_rec *rec,
			const char *path, const uint8_t *gram,
			const struct rk_inverted *v,
			const struct rk_analyser *a, struct rk_termmap *map,
			const float *vectors)
{
	const struct rk_vocab *vocab = rk_analyser_vocab(a);
	int64_t doc;
	int rc;

	assert(rec->path_n == strlen(path));
	if (map_prepare(m, map, a) < 0)
		return -ENOMEM;
	pthread_rwlock_wrlock(&m->lock);
	doc = begin_doc(m, rec, path, gram);
	rc = doc < 0 ? (int)doc : 0;
	for (size_t i = 0; i < v->nchunks && rc == 0; i++) {
		if (i % CHUNKS_PER_LOCK == CHUNKS_PER_LOCK - 1) {
			pthread_rwlock_unlock(&m->lock);
			pthread_rwlock_wrlock(&m->lock);
		}
		rc = add_chunk(m, (uint32_t)doc, &v->chunks[i], v, vocab, map,
			       vectors ? vectors + i * m->vec_stride : NULL);
		if (rc == 0)
			m->docs[doc].rec.nchunks++;
	}
	m->bytes += v->nchunks * (sizeof(struct rk_chunk_rec) + 8);
	pthread_rwlock_unlock(&m->lock);
	return rc < 0 ? rc : doc;
}

void rk_memtable_size(struct rk_memtable *m, struct rk_memtable_size *out)
{
	pthread_rwlock_rdlock(&m->lock);
	*out = (struct rk_memtable_size){m->nchunks, m->vocab.n, m->bytes};
	pthread_rwlock_unlock(&m->lock);
}

void rk_memtable_publish(struct rk_memtable *m, uint32_t doc, uint32_t born)
{
	struct rk_mdoc *d = &m->docs[doc];
	size_t slot = path_slot(m, rk_memtable_path(m, doc), d->rec.path_n);

	assert(born > 0 && born < UINT32_MAX);
	assert(rk_mdoc_born(d) == UINT32_MAX); /* once */
	__atomic_store_n(&m->by_path[slot], doc + 1, __ATOMIC_RELEASE);
	__atomic_store_n(&d->born, born, __ATOMIC_RELEASE);
}
