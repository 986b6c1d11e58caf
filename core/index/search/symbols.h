/* SPDX-License-Identifier: MIT */
#ifndef RK_INDEX_SYMBOLS_H
#define RK_INDEX_SYMBOLS_H

#include "index/search/searching.h"
#include "text/symbols/entity.h"

/* A definition of a name: where, and what of. Lives as long as the search. */
struct rk_definition {
	struct rk_candidate at;
	struct rk_entity_ref entity; /* borrowed from the source */
	int exact;		     /* the name agrees in case, too */
};

/*
 * Definitions of a name (case ignored) in the chunks of the snapshot, at most
 * `max`, in no order. Returns the count, or -ENOMEM.
 */
int rk_find_definitions(struct rk_searching *s, const char *name, size_t n,
			struct rk_definition *out, int max);

/* Does a definition have a body, or is it one of those that say what is? */
int rk_is_major(const struct rk_entity_ref *e);

#endif
