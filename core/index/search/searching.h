/* SPDX-License-Identifier: MIT */
#ifndef RK_INDEX_SEARCHING_H
#define RK_INDEX_SEARCHING_H

#include "index/state/internal.h"
#include "lexical/cursor.h"
#include "query/query.h"

/*
 * One search and what it holds. It belongs to one thread. Everything that is
 * found on the way lives in its arena, and points into its snapshot.
 *
 * Invariants
 *   S1 Between rk_sources_open() and rk_sources_close() the locks of the
 *      snapshot's memory tables are held shared, in the order of the view.
 *   S2 src[i].lists has one entry for each term of q, once the terms have been
 *      looked up; of a list with df 0 nothing else is read.
 *   S3 A source that is `bad` is in no answer: its lists are not read again.
 */

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
	unsigned language; /* of a part behind the first */
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
	struct rk_search_opts opts;
	/* of a federation: weigh words by it, and keep hits of all pages */
	const struct rk_global *global;
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

#endif
