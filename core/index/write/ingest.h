/* SPDX-License-Identifier: MIT */
#ifndef RK_INDEX_INGEST_H
#define RK_INDEX_INGEST_H

#include "index/state/internal.h"
#include "lexical/invert.h"
#include "text/symbols/ctags.h"
#include "text/match/trigram.h"

void *rk_worker_main(void *ix);
/* For readers without workers: everything in the queue, in this thread. */
void rk_drain_queue(struct rk_index *ix);
/*
 * Index text under a path, replacing what was there, without a file: for
 * bulk loading and benchmarks. The caller brings the worker's state.
 */
struct rk_worker {
	struct rk_rows rows;
	struct rk_analyser *analyser;
	enum rk_language base; /* that the index is configured for */
	struct rk_inverted inverted;
	struct rk_ctags *ctags;
	struct rk_grams grams;
	struct rk_termmap map;
};
int rk_worker_init(struct rk_worker *w, struct rk_index *ix);
void rk_worker_release(struct rk_worker *w);
struct rk_source_text {
	enum rk_kind kind;
	const char *s;
	size_t n;
	int fd; /* of the file, for its extended attributes; -1: none */
};
int rk_put_text(struct rk_index *ix, struct rk_worker *w, const char *path,
		struct rk_doc_rec *rec, const struct rk_source_text *t);
int rk_remove_path(struct rk_index *ix, const char *path);

#endif
