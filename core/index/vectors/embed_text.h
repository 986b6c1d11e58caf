/* SPDX-License-Identifier: MIT */
#ifndef RK_INDEX_EMBED_TEXT_H
#define RK_INDEX_EMBED_TEXT_H

#include "index/state/embspace.h"
#include "storage/segment.h"

/* Vectors that need the documents' text. */

/*
 * The vector that comes with a document (extended attribute
 * user.rankfs.vector: dim halves) into n rows; zeros if there is none.
 */
void rk_document_vector(struct rk_index *ix, const struct rk_embspace *sp,
			const char *path, size_t n, float *rows);
int rk_embed_segment(struct rk_index *ix, const struct rk_embspace *sp,
		     struct rk_segment *seg, struct rk_vectors *old,
		     uint64_t id);
/* The active table's next chunks. 1: some were done, 0: all are. */
int rk_embed_memtable(struct rk_index *ix, const struct rk_embspace *sp);

#endif
