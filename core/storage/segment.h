/* SPDX-License-Identifier: MIT */
#ifndef RK_STORAGE_SEGMENT_H
#define RK_STORAGE_SEGMENT_H

#include "lexical/bm25f.h"
#include "lexical/dict.h"
#include "lexical/postings.h"
#include "lexical/records.h"
#include "storage/container.h"
#include "text/analyse/language.h"
#include "storage/vectors.h"
#include <pthread.h>

/*
 * An immutable segment file `seg-NNNNNN.mp`, mapped (format-segment.md).
 * Reference counted; any number of threads may read. Which documents have
 * been deleted since is not in the file: `dead` holds, per document, the
 * index generation that removed it (0: alive), under the index's lock for
 * writing and by atomic loads for reading.
 */
struct rk_segment {
	uint64_t id;
	_Atomic int refs;
	struct rk_container *c;
	int s_docs, s_paths, s_sorted, s_chunks, s_norms, s_heads, s_dict,
		s_dictix, s_posts, s_poss, s_grams;
	struct rk_corpus_stats stats; /* of all its documents */
	uint32_t ndocs, nchunks, nterms;
	uint32_t spoken[RK_SPOKEN]; /* documents of each rk_language */
	float avg_body, avg_head;   /* the averages of its bounds */
	_Atomic int lazy_done; /* dictionary and norms have been verified */
	int lazy_err;	       /* with this result */
	struct rk_dict dict;
	const rk_norm *norms;
	/* of the first format (segment_v1.c); NULL: used where they lie */
	struct rk_doc_rec *old_docs;
	struct rk_chunk_rec *old_chunks;
	uint32_t *dead;		/* NULL while nothing is dead */
	_Atomic uint32_t ndead; /* hint for readers without the lock */
	/* vectors in the embedding space that serves, and in the one that is
	 * being built; references; under the index's lock */
	struct rk_vectors *vec, *vec_next;
	/* set when a granule fails: the index rebuilds this segment */
	_Atomic int damaged;
};

/* segment_v1.c, for rk_segment_open() */
int rk_segment_is_v1(const struct rk_segment *s);
int rk_segment_read_v1(struct rk_segment *s); /* 0, -ENOMEM, RK_ECORRUPT */

void rk_segment_name(uint64_t id, char out[40]);
int rk_segment_open(const struct rk_io *io, int dir, uint64_t id,
		    struct rk_segment **out);
struct rk_segment *rk_segment_ref(struct rk_segment *s);
void rk_segment_unref(struct rk_segment *s);
uint64_t rk_segment_bytes(const struct rk_segment *s);

/* Each returns NULL (and sets `damaged`) where bytes do not verify. */
const struct rk_doc_rec *rk_segment_doc(struct rk_segment *s, uint32_t doc);
const char *rk_segment_path(struct rk_segment *s, const struct rk_doc_rec *d);
const struct rk_chunk_rec *rk_segment_chunk(struct rk_segment *s,
					    uint32_t chunk);
/* The document's signature: gram_n bytes. */
const uint8_t *rk_segment_gram(struct rk_segment *s,
			       const struct rk_doc_rec *d);
/* heading path, symbols, entities: head_n, sym_n, ent_n bytes */
const char *rk_segment_head(struct rk_segment *s, const struct rk_chunk_rec *c);
/* All norms, or NULL. */
const rk_norm *rk_segment_norms(struct rk_segment *s);
/* The dictionary, or NULL. */
const struct rk_dict *rk_segment_dict(struct rk_segment *s);

/* 1 and the list, 0 if the term is not there, RK_ECORRUPT. */
int rk_segment_postings(struct rk_segment *s, const char *term, size_t n,
			struct rk_dict_entry *e, struct rk_postr *r);
int rk_segment_list(struct rk_segment *s, const struct rk_dict_entry *e,
		    struct rk_postr *r);

/* Document number by exact path; -1 none; RK_ECORRUPT. */
int64_t rk_segment_find(struct rk_segment *s, const char *path, size_t n);
/* Rank in path order of the first path >= p (byte order); or RK_ECORRUPT. */
int64_t rk_segment_lower(struct rk_segment *s, const char *p, size_t n);
/* Document at a rank of the path order, or RK_ECORRUPT. */
int64_t rk_segment_by_rank(struct rk_segment *s, uint32_t rank);

/* Generation that removed the document, 0 while alive. */
uint32_t rk_segment_dead(const struct rk_segment *s, uint32_t doc);
/* Mark removed; 0, or -ENOMEM. Under the index's lock. */
int rk_segment_kill(struct rk_segment *s, uint32_t doc, uint32_t gen);

#endif
