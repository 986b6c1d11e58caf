/* SPDX-License-Identifier: MIT */
#ifndef RK_LEXICAL_MEMTABLE_H
#define RK_LEXICAL_MEMTABLE_H

#include "lexical/invert.h"
#include "lexical/postings.h"
#include <pthread.h>

/*
 * A mutable segment in memory: searchable as it grows, flushed to a file at a
 * size bound. Postings of a term are one growing byte string:
 *
 * Unstemmed words (analyse.h) are counted in df and have no postings.
 *
 *   posting := (gap-1)<<2 | (tf != 1) | (head != 0)<<1 [tf] [head]
 *              pos_n:varint positions
 *
 * Writers hold `lock` exclusively, readers share it while they copy a list
 * out. Documents are only ever appended; `born` and `dead` are index
 * generations, so that a reader of generation g sees exactly the documents
 * with born <= g and not (0 < dead <= g). `dead` is changed under the
 * index's lock and read with atomic loads.
 */
struct rk_mterm {
	uint32_t df;
	uint32_t last; /* id of the last posting */
	uint32_t n, cap;
	uint8_t *p;
};

struct rk_mdoc {
	struct rk_doc_rec rec;
	uint32_t born; /* UINT32_MAX: not published yet; atomic accesses */
	uint32_t dead; /* atomic accesses */
};

static inline uint32_t rk_mdoc_born(const struct rk_mdoc *d)
{
	return __atomic_load_n(&d->born, __ATOMIC_ACQUIRE);
}
static inline uint32_t rk_mdoc_dead(const struct rk_mdoc *d)
{
	return __atomic_load_n(&d->dead, __ATOMIC_RELAXED);
}
static inline int rk_mdoc_alive(const struct rk_mdoc *d, uint32_t gen)
{
	uint32_t dead = rk_mdoc_dead(d);

	return rk_mdoc_born(d) <= gen && (dead == 0 || dead > gen);
}

enum { RK_VEC_BLOCK = 1024 }; /* rows of vectors allocated at a time */

struct rk_memtable {
	pthread_rwlock_t lock;
	_Atomic int refs;
	uint64_t serial; /* unique in the process: names cached ids */
	uint64_t floor;	 /* log records up to here are in it, once frozen */
	struct rk_mdoc *docs;
	size_t ndocs, docs_cap;
	struct rk_chunk_rec *chunks;
	rk_norm *norms;
	size_t nchunks, chunks_cap, norms_cap;
	struct rk_buf paths, heads, grams;
	struct rk_vocab vocab;
	struct rk_mterm *terms; /* by vocabulary id */
	size_t terms_cap;
	/* Vectors of the chunks in one embedding space; a row of zeros is none.
	 * Rows are 64-byte aligned; vec_stride 0: no vectors at all. */
	uint64_t vec_space;
	size_t vec_stride; /* floats from row to row */
	float **vecs;	   /* blocks of RK_VEC_BLOCK rows */
	size_t vecs_cap;   /* blocks of room in the array */
	size_t nvecs;	   /* blocks */
	/* chunks whose vectors have been tried, where they come later than
	 * the chunks do; changed under the index's writer lock */
	_Atomic size_t vec_done;
	/* open addressing: doc + 1, newest wins; room is made under `lock`,
	 * entries are atomic */
	uint32_t *by_path;
	size_t by_path_mask;
	uint32_t spoken[RK_SPOKEN]; /* documents of each rk_language */
	size_t bytes;		    /* an estimate of all of the above */
};

/*
 * Ids of one analyser's vocabulary in one table; a worker's own. Zeroed to
 * begin with; rk_termmap_release() frees it.
 */
struct rk_termmap {
	uint32_t *id; /* table id + 1, or 0 */
	size_t cap;
	uint32_t *batch; /* scratch: table ids of one chunk */
	size_t batch_cap;
	uint64_t serial, epoch;
};

void rk_termmap_release(struct rk_termmap *map);

/*
 * An empty table for chunks with vectors of `stride` floats in an embedding
 * space (0, 0: without vectors). One reference. 0 or -ENOMEM.
 */
int rk_memtable_new(uint64_t space, size_t stride, struct rk_memtable **out);
struct rk_memtable *rk_memtable_ref(struct rk_memtable *m);
void rk_memtable_unref(struct rk_memtable *m);

/*
 * Append a document that no reader sees before rk_memtable_publish(). rec
 * says how long its signature is, whose bytes are `gram`. Takes
 * the lock, and gives it back from time to time while a large document goes
 * in. One writer at a time.
 * Returns the document's number or -ENOMEM; what was added before that stays
 * unseen. `vectors`: a row of the table's stride per chunk, or NULL for none.
 */
int64_t rk_memtable_add(struct rk_memtable *m, const struct rk_doc_rec *rec,
			const char *path, const uint8_t *gram,
			const struct rk_inverted *v,
			const struct rk_analyser *a, struct rk_termmap *map,
			const float *vectors);
/*
 * From generation `born` on, the document is there. The caller is the one
 * writer. Takes no lock, since whoever publishes holds the index's own, which
 * queries may ask for while they share this table's.
 */
void rk_memtable_publish(struct rk_memtable *m, uint32_t doc, uint32_t born);

/* The newest published document with this path, dead or alive, or -1. */
int64_t rk_memtable_find(const struct rk_memtable *m, const char *path,
			 size_t n);

static inline const char *rk_memtable_path(const struct rk_memtable *m,
					   size_t doc)
{
	return (const char *)m->paths.p + m->docs[doc].rec.path_off;
}

/* How much is in it, from any thread. */
struct rk_memtable_size {
	size_t chunks, terms, bytes;
};
void rk_memtable_size(struct rk_memtable *m, struct rk_memtable_size *out);

/* A document's signature: rec.gram_n bytes. */
static inline const uint8_t *rk_memtable_gram(const struct rk_memtable *m,
					      const struct rk_doc_rec *d)
{
	static const uint8_t NONE[1];

	return d->gram_n ? m->grams.p + d->gram_off : NONE;
}

/* The vector of a chunk of a table that has vectors. */
static inline float *rk_memtable_vector(const struct rk_memtable *m,
					size_t chunk)
{
	return m->vecs[chunk / RK_VEC_BLOCK] +
	       chunk % RK_VEC_BLOCK * m->vec_stride;
}

/*
 * Decode the next posting of a list; p->id must hold the id before it
 * (UINT32_MAX at first). Returns the byte after it. Memory is trusted.
 */
const uint8_t *rk_mposting_next(const uint8_t *q, struct rk_posting *p);

#endif
