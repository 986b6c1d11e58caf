/* SPDX-License-Identifier: MIT */
#ifndef RK_INDEX_SPELLING_H
#define RK_INDEX_SPELLING_H

#include "index/search/searching.h"

/*
 * Words that no document has become the nearest ones that some have, if there
 * are such; s->corrected says which. After rk_lookup_terms(). 0, -ENOMEM.
 */
int rk_correct_spelling(struct rk_searching *s);

#endif
