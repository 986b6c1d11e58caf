/* SPDX-License-Identifier: MIT */
#ifndef RK_STORAGE_SOURCE_H
#define RK_STORAGE_SOURCE_H

#include "lexical/memtable.h"
#include "storage/segment.h"

/*
 * What a new segment is written from: a memory table or an older segment,
 * read in order. Flushing is merging one table, compaction merging several
 * segments; both are rk_merge().
 */
struct rk_source {
	const struct rk_source_ops *ops;
	struct rk_memtable *mem;
	struct rk_segment *seg;
	struct rk_vectors *vec;	    /* of seg; the caller's to set, borrowed */
	struct rk_renamed *renamed; /* NULL, or other names (renamed.h) */
	uint32_t ndocs, nchunks;
	/* current term; df counts dead documents too */
	const char *term;
	size_t term_n;
	uint32_t df;
	/* term order */
	uint32_t *sorted; /* memory table: ids in term order */
	uint32_t at, nsorted;
	struct rk_dict_iter it;
	/* postings of the current term */
	struct rk_postr list;
	uint32_t block, nblocks, i, n;
	uint32_t ids[RK_BLOCK], tf[RK_BLOCK], head[RK_BLOCK];
	const uint8_t *pos[RK_BLOCK];
	uint32_t pos_n[RK_BLOCK];
	const uint8_t *q, *q_end;
	uint32_t prev;
};

struct rk_source_ops {
	/* NULL on damage */
	const struct rk_doc_rec *(*doc)(struct rk_source *, uint32_t doc,
					const char **path);
	const struct rk_chunk_rec *(*chunk)(struct rk_source *, uint32_t chunk,
					    const char **head);
	/* the document's signature, gram_n bytes */
	const uint8_t *(*gram)(struct rk_source *, const struct rk_doc_rec *);
	int (*dead)(struct rk_source *, uint32_t doc);
	const rk_norm *(*norms)(struct rk_source *);
	/* 1 with term, term_n, df set; 0 at the end; negative on error */
	int (*next_term)(struct rk_source *);
	int (*open_list)(struct rk_source *);
	int (*next_posting)(struct rk_source *, struct rk_posting *);
};

/* Borrow m (frozen: no writers) or s for the life of the source. */
int rk_source_memtable(struct rk_source *src, struct rk_memtable *m);
int rk_source_segment(struct rk_source *src, struct rk_segment *s);
void rk_source_release(struct rk_source *src);

#endif
