/* SPDX-License-Identifier: MIT */
#ifndef RK_INDEX_CANDIDATES_H
#define RK_INDEX_CANDIDATES_H

#include "index/search/searching.h"
#include "text/extract/extract.h"

/*
 * Open the snapshot's segments and memory tables for one query, whose locks it
 * takes shared. Returns 0.
 */
int rk_sources_open(struct rk_searching *s);
/* Let go of the tables; may be called again. */
void rk_sources_close(struct rk_searching *s);
/* A source fails its checksums: it is left out, and rebuilt. */
void rk_source_failed(struct rk_qsource *src);

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

/* The vector of a chunk, or NULL (not there, or damaged). */
const float *rk_chunk_vector(const struct rk_qsource *src, uint32_t chunk);
/* The text of a chunk of a document that may have changed since. */
int rk_load_chunk(struct rk_searching *s, const char *path,
		  const struct rk_chunk_rec *c, struct rk_text *out);

/* Total order of places, for ties: non-zero if a comes before b. */
int rk_place_before(void *s, const struct rk_candidate *a,
		    const struct rk_candidate *b);
/* Newest first; equal ones by place. */
int rk_newer_before(void *s, const struct rk_candidate *a,
		    const struct rk_candidate *b);

#endif
