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
};

struct rk_pair {
	unsigned a, b; /* terms */
	uint32_t gap;  /* distance in the query */
	double idf;
};

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
	struct rk_topk top;
	size_t want; /* hits asked for */
	uint64_t total;
	int total_is_lower;
	struct rk_buf corrected; /* "teh -> the, ..." */
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
int rk_rescore(struct rk_searching *s, double *scores);

#endif
