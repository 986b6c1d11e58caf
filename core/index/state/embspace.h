/* SPDX-License-Identifier: MIT */
#ifndef RK_INDEX_SPACE_H
#define RK_INDEX_SPACE_H

#include "lexical/invert.h"
#include "vector/embed/embedder.h"
#include "vector/latent.h"

/*
 * An embedding space: vectors compare within one only. A space is what made
 * them, an embedder or a fit of the built-in embedding, under a number that
 * the files of vectors carry. A new fit or another embedder is a new space;
 * the old one serves until all vectors of the new are there.
 * Immutable and reference counted.
 */
struct rk_embspace {
	_Atomic int refs;
	uint64_t number;
	uint32_t dim;
	size_t stride;
	struct rk_latent *latent;     /* the built-in, or: */
	struct rk_embedder *embedder; /* neither: no vectors */
	double weight;	 /* of the vector lane in the fused score */
	double feedback; /* of the best lexical hits in the query's vector */
};

struct rk_index;

/* Takes over the references. Returns 0, or -ENOMEM (references dropped). */
int rk_embspace_new(uint64_t number, struct rk_latent *latent,
		    struct rk_embedder *embedder, struct rk_embspace **out);
struct rk_embspace *rk_embspace_ref(struct rk_embspace *s);
void rk_embspace_unref(struct rk_embspace *s);
/* Are its vectors made by the workers, at once? */
static inline int rk_embspace_is_local(const struct rk_embspace *s)
{
	return !s->embedder || !s->embedder->remote;
}
/* "hash-lsa 1", "none", or the embedder's id. */
const char *rk_embspace_embedder(const struct rk_embspace *s);

/*
 * A worker's own memory for vectors: rows of the document at hand, and what
 * the analyser's terms are in a fit. Zeroed to begin with.
 */
struct rk_rows {
	float *v; /* 64-byte aligned */
	size_t cap;
	struct rk_termrow {
		uint64_t key;
		int32_t row; /* -1: none; valid if serial fits */
		uint32_t known;
	} * terms; /* by vocabulary id */
	size_t terms_cap;
	uint64_t serial, epoch;
};
void rk_rows_release(struct rk_rows *r);

/*
 * Vectors of an inverted document's chunks (text s), into r->v; zero rows
 * where the embedder is remote. Returns 0 or an error of the embedder.
 */
int rk_embspace_embed(const struct rk_embspace *sp, struct rk_rows *r,
		      const struct rk_inverted *v, const struct rk_analyser *a,
		      const char *s);

/* The space that new vectors are made in; a reference. */
struct rk_embspace *rk_target_embspace(struct rk_index *ix);
uint64_t rk_take_vectors_id(struct rk_index *ix);

#endif
