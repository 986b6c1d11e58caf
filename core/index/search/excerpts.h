/* SPDX-License-Identifier: MIT */
#ifndef RK_INDEX_EXCERPTS_H
#define RK_INDEX_EXCERPTS_H

#include "index/search/hits.h"

/*
 * An excerpt for each hit. A document that has gone since is no hit; a changed
 * one has no excerpt. The sources are closed by now: documents are read, which
 * may take long. Returns 0, -ENOMEM.
 */
int rk_add_excerpts(struct rk_searching *s, struct rk_answer *a);

#endif
