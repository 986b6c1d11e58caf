/* SPDX-License-Identifier: MIT */
#ifndef RK_INDEX_SPACES_H
#define RK_INDEX_SPACES_H

#include "index/state/embspace.h"

/*
 * What the configuration asks for: *latent for the built-in, *e for another,
 * neither for none. A server's dimension may be unknown (0). Failures are
 * warned about. Returns 0, -errno.
 */
int rk_embedder_open(struct rk_index *ix, struct rk_latent **latent,
		     struct rk_embedder **e);
/* Bring another embedder into use, if the configuration names one. */
int rk_switch_embedder(struct rk_index *ix);
/* Ask a server whose dimension is unknown; then its space becomes next. */
int rk_probe_embedder(struct rk_index *ix);
/*
 * After answers that do not fit: has the server another dimension than was
 * thought? Then a space of that one becomes next. Returns 0 or -errno.
 */
int rk_check_dimension(struct rk_index *ix);
/* From here on, new vectors are made in `next`. Takes the reference. */
int rk_begin_embspace(struct rk_index *ix, struct rk_embspace *next);
/*
 * The vector of a query's text, by an embedder of texts; remembered. Returns
 * 1 and out (stride floats), 0 if there is none to be had now, -ENOMEM.
 */
int rk_embed_query(struct rk_index *ix, const struct rk_embspace *sp,
		   const char *text, size_t n, float *out);

#endif
