/* SPDX-License-Identifier: MIT */
#ifndef RK_INDEX_EMBED_H
#define RK_INDEX_EMBED_H

#include "storage/ann.h"

struct rk_index;

/* Vectors that are made in the background. */

void *rk_embed_main(void *ix);
/* Choose the space that a manifest (or nothing) and the configuration ask for.
 */
/* The kind of index over vectors that is configured. */
enum rk_ann_type rk_wanted_ann(struct rk_index *ix);
int rk_embspace_recover(struct rk_index *ix);
/* Are vectors to be made that are not there yet? */
int rk_embed_pending(struct rk_index *ix);

#endif
