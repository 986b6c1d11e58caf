/* SPDX-License-Identifier: MIT */
#ifndef RK_INDEX_FORMS_H
#define RK_INDEX_FORMS_H

#include "index/search/searching.h"

/*
 * A word's postings in one source where it has other forms in other
 * languages: a form counts in documents of its language alone. `base` is the
 * list of the word itself. Returns 0, -ENOMEM, RK_ECORRUPT.
 */
int rk_lookup_forms(struct rk_searching *s, struct rk_qsource *src,
		    struct rk_qterm *t, const struct rk_plist *base,
		    struct rk_plist *out);
/* May a form of this language count in the chunk? */
int rk_chunk_speaks(const struct rk_qsource *src, uint32_t chunk,
		    unsigned language);

#endif
