/* SPDX-License-Identifier: MIT */
#ifndef RK_VECTOR_LATENT_H
#define RK_VECTOR_LATENT_H

#include <stddef.h>
#include <stdint.h>

/*
 * The built-in embedding, hash-lsa: 256 dimensions that need no fit, and 128
 * that are fitted on the index itself.
 *
 *   hashed  each term adds its weight at 8 positions with signs, all from a
 *           hash of the term (feature hashing: Weinberger et al. 2009)
 *   latent  latent semantic analysis (Deerwester et al. 1990) with log-entropy
 *           weights (Dumais 1991): a chunk's weights times the right singular
 *           vectors of a sample of chunks
 *
 * A fit is immutable. Weights and basis are integers, and so are the sums
 * over a chunk's terms: the vector does not depend on the order in which its
 * terms come, hence not on how the corpus is cut into segments.
 */
enum {
	RK_HASH_DIM = 256,
	RK_LSA_DIM = 128,
	RK_LATENT_DIM = RK_HASH_DIM + RK_LSA_DIM,
	RK_LATENT_TERMS_MAX = 32768,
	RK_LATENT_SAMPLE_MAX = 16384, /* chunks that a fit looks at */
	RK_LATENT_TF_MAX = 255,	      /* larger counts as this */
};

struct rk_latent {
	_Atomic int refs;
	uint64_t serial;  /* unique in the process: names cached rows */
	uint64_t chunks;  /* in the index when it was fitted; 0: no fit */
	uint32_t sampled; /* chunks that it looked at */
	uint32_t nterms;
	/* By row; arrays owned, or borrowed from `mapped`. */
	const uint64_t *key;	 /* hash of the term, ascending */
	const uint16_t *idf;	 /* RK_WEIGHT_ONE = 1 */
	const uint16_t *local;	 /* entropy weight, RK_WEIGHT_ONE = 1 */
	const int16_t *basis;	 /* nterms x RK_LSA_DIM */
	float scale[RK_LSA_DIM]; /* value of 1 in each column */
	uint16_t rare;		 /* idf of a term that is not in the table */
	void *owned;		 /* the arrays, or NULL */
	void *mapped;		 /* a container, or NULL */
	void (*unmap)(void *mapped);
};
enum { RK_WEIGHT_ONE = 1024 };

/*
 * The fit of nothing: hashed dimensions alone, all terms of one weight. One
 * reference. Returns 0 or -ENOMEM.
 */
int rk_latent_new(struct rk_latent **out);
struct rk_latent *rk_latent_ref(struct rk_latent *l);
void rk_latent_unref(struct rk_latent *l);

/* Chunks to fit on, by rows; terms are numbers below nterms. Borrowed. */
struct rk_sample {
	uint32_t nchunks, nterms;
	const uint32_t *start; /* nchunks + 1 */
	const uint32_t *term;
	const uint8_t *tf;
	const uint64_t *key; /* by term: rk_latent_key() */
};
/*
 * Fit on a sample of an index of `chunks` chunks. Without a term in two
 * chunks there is no basis, only weights. Takes seconds and uses BLAS; polls
 * *cancel (may be NULL). Returns 0, -ENOMEM, RK_ECANCELLED.
 */
int rk_latent_fit(const struct rk_sample *s, uint64_t chunks,
		  const _Atomic int *cancel, struct rk_latent **out);

/* What a term is known by. */
uint64_t rk_latent_key(const char *term, size_t n);
/* The term's row in the table, or -1. */
int64_t rk_latent_row(const struct rk_latent *l, uint64_t key);

/* The sum over a chunk's terms. Zeroed to begin with. */
struct rk_latent_sum {
	_Alignas(64) int32_t v[RK_LATENT_DIM];
};
/* Add a term that occurs tf > 0 times; row is rk_latent_row(l, key). */
void rk_latent_add(const struct rk_latent *l, struct rk_latent_sum *sum,
		   uint64_t key, int64_t row, uint32_t tf);
/*
 * The vector of a sum: RK_LATENT_DIM floats; unit length with both halves,
 * or with the hashed half alone while there is no fit; zero for no terms.
 */
void rk_latent_vector(const struct rk_latent *l,
		      const struct rk_latent_sum *sum, float *out);

#endif
