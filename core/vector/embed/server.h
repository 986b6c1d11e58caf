/* SPDX-License-Identifier: MIT */
#ifndef RK_VECTOR_SERVER_H
#define RK_VECTOR_SERVER_H

#include "vector/embed/embedder.h"

/*
 * An embedding server over HTTP: Ollama (POST /api/embed), or any that speaks
 * OpenAI's form (POST /v1/embeddings), which llama.cpp, vLLM, text-embeddings-
 * inference, LM Studio and Ollama do. Which one, the path of the URL says; a
 * URL without a path means /api/embed on Ollama's port 11434, and
 * /v1/embeddings otherwise.
 *
 * Documents are embedded in batches, with retries (429, 5xx, a broken
 * connection) that back off and honour Retry-After; a batch that is too large
 * is halved, a single text that is too long cut in half, three times at most,
 * and then left without a vector. A query gets one try and little time, and
 * none while the server has just failed: what waits for it is a person.
 *
 * Vectors are checked (count, index, dimension, finite) and scaled to unit
 * length here; where a dimension is asked for, longer ones are cut to it
 * first (Matryoshka models; Kusupati et al. 2022).
 */
struct rk_server_opts {
	const char *url;
	const char *model;	  /* "" if the server has but one */
	const char *key;	  /* bearer token, or NULL; copied */
	const char *doc_prefix;	  /* put before each text */
	const char *query_prefix; /* put before each query */
	uint32_t dims;		  /* 0: as the model has */
	uint32_t batch;		  /* texts in one request */
	uint32_t max_chars;	  /* of one text; the rest is left out */
	int timeout_ms;		  /* of one request for documents */
	int query_timeout_ms;
};

/*
 * Nothing is sent yet. base.dim is 0 until rk_server_probe() has asked, or
 * the caller has set it to what the index remembers. Returns 0, -EINVAL (err
 * says why), -ENOMEM.
 */
int rk_server_open(const struct rk_server_opts *o, struct rk_embedder **out,
		   char *err, size_t err_n);
/*
 * Learn the dimension from one short text. Returns 0, or what the server
 * failed with.
 */
int rk_server_probe(struct rk_embedder *e);
/* The id for a dimension, into out: what base.id is once it is known. */
void rk_server_id(const struct rk_embedder *e, uint32_t dim, char *out,
		  size_t n);
void rk_server_set_dim(struct rk_embedder *e, uint32_t dim);
/* What went wrong last, copied; "" if nothing did. */
void rk_server_error(struct rk_embedder *e, char *out, size_t n);
/* Waits end early when *cancel is set. */
void rk_server_set_cancel(struct rk_embedder *e, const _Atomic int *cancel);

/*
 * The vectors in a server's answer, for n texts, into rows of stride floats
 * (dim 0: whatever comes first, kept in *dim). For tests and fuzzing, too.
 * Returns 0, or -EPROTO with a sentence in err.
 */
int rk_server_parse(const char *json, size_t len, size_t n, uint32_t *dim,
		    uint32_t cut, float *rows, size_t stride, char *err,
		    size_t err_n);

#endif
