/* SPDX-License-Identifier: MIT */
#ifndef RK_INDEX_VIEW_H
#define RK_INDEX_VIEW_H

#include "lexical/memtable.h"
#include "storage/ann.h"
#include "storage/segment.h"

struct rk_index;
struct rk_embspace;

enum { RK_SEGS_MAX = 60, RK_MEMS_MAX = 4 };

struct rk_view {
	_Atomic int refs;
	struct rk_segment *segs[RK_SEGS_MAX]; /* oldest first */
	unsigned nsegs;
	struct rk_memtable
		*mems[RK_MEMS_MAX]; /* oldest first; last is active */
	unsigned nmems;
};

/* What a query runs on: a view at a generation. */
struct rk_snapshot {
	struct rk_view *view;
	uint32_t generation;
	struct rk_corpus_stats stats; /* live at that generation */
	struct rk_embspace *space;
	struct rk_vectors *vecs[RK_SEGS_MAX]; /* by segment, in that space */
	struct rk_ann *anns[RK_SEGS_MAX];     /* over them, or NULL */
};

struct rk_view *rk_view_new(void);
struct rk_view *rk_view_copy(const struct rk_view *v); /* new references */
void rk_view_unref(struct rk_view *v);
void rk_snapshot_take(struct rk_index *ix, struct rk_snapshot *s);
void rk_snapshot_release(struct rk_snapshot *s);
/* Answers have changed although no document has: a generation of its own. */
void rk_new_generation(struct rk_index *ix);

/* Chunks with a vector in the snapshot's space; of them in percent, or -1. */
uint64_t rk_vectors_there(const struct rk_snapshot *s);
int rk_vectors_percent(const struct rk_snapshot *s);

/* A live document in a view. */
struct rk_docref {
	struct rk_segment *seg; /* or NULL: */
	struct rk_memtable *mem;
	uint32_t doc;
	struct rk_doc_rec rec;
};
/*
 * The live document at `path`, newest generation. Needs `writer`.
 * Returns 1, 0, or RK_ECORRUPT.
 */
int rk_find_live(struct rk_index *ix, const char *path, size_t n,
		 struct rk_docref *out);
/*
 * Call fn for every live document whose path starts with `prefix`; the path
 * is NUL-terminated and valid during the call. Needs `writer`.
 */
typedef int rk_doc_fn(void *ctx, const struct rk_docref *d, const char *path);
int rk_each_live(struct rk_index *ix, const char *prefix, rk_doc_fn *fn,
		 void *ctx);
/*
 * The languages, a bit each, that one in `share` documents of the view is
 * written in.
 */
enum {
	RK_SHARE = 32,	   /* queries ask in these */
	RK_SHARE_NEAR = 8, /* and these a text of a few words may be in */
};
uint64_t rk_spoken(const struct rk_view *v, unsigned share);
/* Remove from the next generation on; needs `writer` and `lock`. */
int rk_delete_doc(struct rk_index *ix, const struct rk_docref *d, uint32_t gen);

#endif
