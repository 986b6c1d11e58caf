/* SPDX-License-Identifier: MIT */
#ifndef RK_VECTOR_EMBEDDER_H
#define RK_VECTOR_EMBEDDER_H

#include <stddef.h>
#include <stdint.h>

/*
 * Something that turns texts into vectors: a static model in memory, or a
 * server. (The built-in embedding works on terms instead: latent.h.)
 */
struct rk_text_ref {
	const char *p;
	size_t n;
};

enum rk_text_role { RK_FOR_DOCUMENT, RK_FOR_QUERY };

struct rk_embedder;
struct rk_embedder_ops {
	/*
	 * Vectors of n texts: rows of rk_vec_stride(dim) floats, unit length,
	 * zero for a text that has none. Any number of threads.
	 * Returns 0, -errno, or a code of base/status.h; rows are then
	 * unspecified.
	 */
	int (*embed)(struct rk_embedder *e, const struct rk_text_ref *texts,
		     size_t n, enum rk_text_role role, float *rows);
	void (*close)(struct rk_embedder *e);
};

struct rk_embedder {
	const struct rk_embedder_ops *ops;
	_Atomic int refs;
	/* what the vectors depend on; kept with the index, compared */
	char id[256];
	uint32_t dim;
	int remote;	 /* may be slow or away: never called while indexing */
	int by_document; /* vectors come with documents: `embed` has none */
};

struct rk_embedder *rk_embedder_ref(struct rk_embedder *e);
void rk_embedder_unref(struct rk_embedder *e);

#endif
