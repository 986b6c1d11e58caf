/* SPDX-License-Identifier: MIT */
#ifndef RK_VECTOR_STATIC_H
#define RK_VECTOR_STATIC_H

#include "vector/embed/embedder.h"

/*
 * A static embedding model in the layout of model2vec (MinishLab): a folder
 * with tokenizer.json and model.safetensors (also in 0_StaticEmbedding/). A
 * text's vector is the mean of the rows of its tokens, scaled to unit length.
 * The weights are mapped, not read. On failure err (err_n bytes) says why.
 * Returns 0 and a reference, -errno, RK_ECORRUPT, -ENOTSUP.
 */
int rk_static_open(const char *dir, struct rk_embedder **out, char *err,
		   size_t err_n);

#endif
