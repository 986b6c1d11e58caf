/* SPDX-License-Identifier: MIT */
#ifndef RK_INDEX_SEARCH_INTERNAL_H
#define RK_INDEX_SEARCH_INTERNAL_H

#include "index/state/internal.h"
#include "lexical/cursor.h"
#include "query/query.h"

/* One query term's postings in one source. */
struct rk_plist {
	uint32_t df;		/* postings that this snapshot sees; 0: none */
	struct rk_dict_entry e; /* a segment's */
	struct rk_postr list;
	uint32_t *ids, *tf, *head; /* a table's visible postings, copied */
	float *x;		   /* largest x a block */
	uint32_t *pos_off, *pos_n; /* of their positions, in the term's bytes */
	uint32_t id;		   /* vocabulary id in the table */
	int united; /* of several terms, in arrays; positions by parts */
	struct rk_plist *parts; /* of each of a word's alternatives, or NULL */
	unsigned nparts;
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
	int lines_only;		 /* patterns are asked of lines, not chunks */
	size_t pending;		 /* changes that the snapshot lacks */
	int begun;
	int told_missing;
	uint64_t passage_bytes; /* read for conditions on the text */
	int told_spent;
};

/* federate.c: statistics of several indexes together */
struct rk_global_term {
	const char *s;
	size_t n;
	int match; /* enum rk_term_match */
	uint64_t df;
};
struct rk_global {
	struct rk_corpus_stats stats;
	struct rk_global_term *term;
	unsigned nterms;
	size_t cap;
};
uint64_t rk_global_df(const struct rk_global *g, const struct rk_qterm *t);

/* search.c */
/*
 * Wait for writes, take a snapshot and an analyser. rk_searching_end() in
 * every case; *s starts zeroed.
 */
int rk_searching_begin(struct rk_searching *s, struct rk_index *ix,
		       const struct rk_search_opts *opts);
void rk_searching_end(struct rk_searching *s);
/* The text into s->q, by the languages that the snapshot holds. */
int rk_searching_parse(struct rk_searching *s, const char *text, size_t n);

/* lookup.c: from terms to postings */
int rk_sources_open(struct rk_searching *s);
void rk_sources_close(struct rk_searching *s);
int rk_lookup_terms(struct rk_searching *s);
/* A cursor on term t of a source that has it, in the arena; NULL: memory. */
struct rk_cursor *rk_open_cursor(struct rk_searching *s,
				 const struct rk_qsource *src, unsigned t);
/* A cursor on a list that is no term's. */
void rk_plist_cursor(const struct rk_qsource *src, const struct rk_plist *l,
		     struct rk_cursor *c);
/* Positions of the posting that c stands on; count, or negative. */
int rk_cursor_positions(struct rk_searching *s, const struct rk_qsource *src,
			const struct rk_cursor *c, uint32_t *at, unsigned max);

/* grep.c */
/* Does the query ask for lines: patterns, and filters on documents? */
int rk_is_pattern(const struct rk_query *q);
/* All of them into r, their memory from the arena. */
int rk_run_lines(struct rk_searching *s, struct rk_arena *arena,
		 struct rk_results *r);
/* A source fails its checksums: it is left out, and rebuilt. */
void rk_source_failed(struct rk_qsource *src);

/* expand.c: the postings of pre*, ~fuzzy and comparisons. 0, -ENOMEM. */
int rk_expand_term(struct rk_searching *s, unsigned t);
/* The postings of several lists of one source as one. 0, -ENOMEM. */
int rk_unite_parts(struct rk_searching *s, const struct rk_qsource *src,
		   struct rk_plist *parts, unsigned n, struct rk_plist *out);

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

/* gate.c: what may be a result, by the tree of the query */
struct rk_gate;
/*
 * For the chunks of one source, in ascending order; in the arena. NULL: no
 * memory. Damage met on the way sticks and is told by rk_gate_error().
 */
struct rk_gate *rk_gate_open(struct rk_searching *s,
			     const struct rk_qsource *src);
int rk_gate_error(const struct rk_gate *g);
/* Alive, and all that is required holds. */
int rk_gate_admits(struct rk_gate *g, uint32_t chunk);
/* Besides, some of its words are there: it is a lexical match. */
int rk_gate_matches(struct rk_gate *g, uint32_t chunk);
/* Any of the terms that are not excluded is in the chunk. */
int rk_gate_has_words(struct rk_gate *g, uint32_t chunk);
/* Its conditions do not look at terms: chunks may come in any order. */
int rk_gate_any_order(const struct rk_query *q);
/* A chunk without any of the terms could match ("word OR path:x"). */
int rk_query_wordless(const struct rk_query *q);
int rk_query_about_chunks(const struct rk_query *q);
/* Nothing in it is asked of single chunks. */
int rk_only_documents(const struct rk_qnode *n);

/* match.c: the lexical lane, and exact scores */
int rk_run_terms(struct rk_searching *s);
/* A query without words, or one that sorts: all that the gate lets in. */
int rk_run_all(struct rk_searching *s);
/* scores[i], exact, for each of n candidates in any order */
int rk_rescore(struct rk_searching *s, const struct rk_cand *v, size_t n,
	       double *scores);
/*
 * What the query's conditions allow, for other lanes and in any order: found
 * out beforehand where terms decide, else when a chunk is asked about.
 */
struct rk_allowed {
	struct rk_gate *gate;
	uint64_t *bits; /* one a chunk, or NULL */
};
int rk_allowed_open(struct rk_searching *s, const struct rk_qsource *src,
		    struct rk_allowed *a);
/* 1, 0, or RK_ECORRUPT */
int rk_allowed_ok(const struct rk_allowed *a, uint32_t chunk);
/* The text of a chunk of a document that may have changed since. */
struct rk_text;
int rk_load_chunk(struct rk_searching *s, const char *path,
		  const struct rk_chunk_rec *c, struct rk_text *out);

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
	int matched;   /* a lexical match, whatever its score */
	uint32_t line; /* to show, where a definition decides; 0: the best */
	struct rk_cand c;
};
/* In the arena, best first. */
int rk_fuse(struct rk_searching *s, struct rk_ranked **out, size_t *n);
/* Best first; equal ones by place. */
void rk_sort_ranked(struct rk_searching *s, struct rk_ranked *v, size_t n);
/* hops.c: results in source code help those that they call. */
int rk_pass_on(struct rk_searching *s, struct rk_ranked *v, size_t n);
/* intent.c: definitions of the one name that is asked for come first. */
int rk_definitions_first(struct rk_searching *s, struct rk_ranked **v,
			 size_t *n);
/* Total order of places, for ties: non-zero if a comes before b. */
int rk_place_before(void *s, const struct rk_cand *a, const struct rk_cand *b);

#endif
