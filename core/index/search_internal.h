/* SPDX-License-Identifier: MIT */
#ifndef RK_INDEX_SEARCH_INTERNAL_H
#define RK_INDEX_SEARCH_INTERNAL_H

#include "index/internal.h"
#include "index/query.h"

/* One query term's postings in one source. */
struct rk_plist {
	uint32_t df;		/* postings that this snapshot sees; 0: none */
	struct rk_dict_entry e; /* a segment's */
	struct rk_postr list;
	uint32_t *ids, *tf, *head; /* a table's visible postings, copied */
	float *x;		   /* largest x a block */
	uint32_t *pos_off, *pos_n; /* of their positions, in the term's bytes */
	uint32_t id;		   /* vocabulary id in the table */
};

/* A segment or memory table of the snapshot, during one query. */
struct rk_qsource {
	struct rk_segment *seg;
	struct rk_memtable *mem; /* its lock is held shared */
	uint32_t nchunks, ndocs;
	const rk_norm *norms;
	float drift;
	struct rk_plist *lists; /* by term */
	int bad;		/* damaged: left out of the answer */
	/* vectors in the snapshot's space: of a segment, or of the table */
	struct rk_vectors *vec;
	struct rk_ann *ann; /* over vec, or NULL: exact */
	int has_vectors;
};

struct rk_pair {
	unsigned a, b; /* terms */
	uint32_t gap;  /* distance in the query */
	double idf;
};

/* of ordered and of near neighbours, each */
#define RK_PAIR_WEIGHT 0.1

struct rk_searching {
	struct rk_index *ix;
	const struct rk_search_opts *opts;
	struct rk_query q;
	struct rk_analyser *a;
	struct rk_snapshot snap;
	struct rk_arena arena;
	struct rk_norms table;
	struct rk_qsource src[RK_SEGS_MAX + RK_MEMS_MAX];
	unsigned nsrc;
	struct rk_pair pairs[RK_TERMS_MAX];
	unsigned npairs;
	struct rk_topk top;  /* the lexical lane's best */
	size_t want;	     /* hits asked for */
	enum rk_mode mode;   /* that is answered in */
	struct rk_topk near; /* the vector lane's best */
	float *qvec;	     /* the query's vector; NULL: it has none */
	uint64_t total;
	int total_is_lower;
	struct rk_buf corrected; /* "teh -> the, ..." */
	int like_missing;	 /* no document at like:PATH */
};

/* lookup.c: from terms to postings */
int rk_sources_open(struct rk_searching *s);
void rk_sources_close(struct rk_searching *s);
int rk_lookup_terms(struct rk_searching *s);
/* A cursor on term t of a source that has it, in the arena; NULL: memory. */
struct rk_cursor *rk_open_cursor(struct rk_searching *s,
				 const struct rk_qsource *src, unsigned t);
/* Positions of the posting that c stands on; count, or negative. */
int rk_cursor_positions(struct rk_searching *s, const struct rk_qsource *src,
			const struct rk_cursor *c, uint32_t *at, unsigned max);

/* Live postings of a term over all sources. */
uint64_t rk_count_postings(struct rk_searching *s, const char *term, size_t n);

/* like.c: like:PATH */
/* Add the document's words to the query. Returns 0, -ENOMEM. */
int rk_like_expand(struct rk_searching *s);
/* The sum of its chunks' vectors; 1, or 0 if it has none. */
int rk_like_vector(struct rk_searching *s, float *out);

/* The document of a chunk: record copied, path borrowed (path_n bytes). */
struct rk_found {
	struct rk_doc_rec doc;
	struct rk_chunk_rec chunk;
	const char *path;
	const char *head;
	uint32_t doc_number;
	int alive;
};
/* 0, or RK_ECORRUPT */
int rk_resolve(const struct rk_searching *s, const struct rk_qsource *src,
	       uint32_t chunk, struct rk_found *out);

/* match.c: which chunks may be results, and their exact scores */
int rk_run_terms(struct rk_searching *s);
int rk_run_filters(struct rk_searching *s);
/* scores[i], exact, for each of n candidates in any order */
int rk_rescore(struct rk_searching *s, const struct rk_cand *v, size_t n,
	       double *scores);
/*
 * What the query's words and filters allow, for other lanes: chunks that hold
 * every +word and phrase and no -word. *bits: one a chunk, in the arena; NULL
 * if words exclude nothing. Filters and deletions: rk_chunk_ok().
 */
int rk_allowed(struct rk_searching *s, const struct rk_qsource *src,
	       uint64_t **bits);
/* 1, 0, or RK_ECORRUPT */
int rk_chunk_ok(struct rk_searching *s, const struct rk_qsource *src,
		uint32_t chunk);

/* semantic.c: the vector lane */
/* Choose the mode that can be answered in, and make room for the nearest. */
int rk_semantic_prepare(struct rk_searching *s);
/* The query's vector into s->qvec; scores: exact ones of s->top. */
int rk_semantic_query(struct rk_searching *s, const double *scores);
/* The nearest chunks to s->qvec into s->near. */
int rk_semantic_scan(struct rk_searching *s);
/* The vector of a chunk, or NULL (not there, or damaged). */
const float *rk_chunk_vector(const struct rk_qsource *src, uint32_t chunk);

/* fuse.c: from the lanes to one ranking */
struct rk_ranked {
	double score; /* what it is ranked by */
	double lexical, vector;
	uint32_t lexical_rank, vector_rank; /* from 1; 0: not in the lane */
	struct rk_cand c;
};
/* In the arena, best first. */
int rk_fuse(struct rk_searching *s, struct rk_ranked **out, size_t *n);
/* Total order of places, for ties: non-zero if a comes before b. */
int rk_place_before(void *s, const struct rk_cand *a, const struct rk_cand *b);

#endif
