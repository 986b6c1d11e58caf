/* SPDX-License-Identifier: MIT */
#ifndef RK_REGISTRY_H
#define RK_REGISTRY_H

#include "base/env.h"

/*
 * Which indexes a backing directory holds: `registry.mp`
 * (core/doc/format-registry.md). It is a directory of what is there, never
 * the truth about it: a lost or damaged one is written anew from
 * `indexes/`.
 */
enum { RK_REGISTRY_MAX = 4096 };

struct rk_registry_entry {
	char id[64]; /* folder below indexes/ */
	int64_t created_ns;
	uint64_t docs, chunks; /* when last closed */
};

/* Add or replace the entry with this id. Returns 0 or -errno. */
int rk_registry_put(const struct rk_io *io, int backing_fd,
		    const struct rk_registry_entry *e);
/* Take an entry out. Returns 0, also if there is none; -errno. */
int rk_registry_drop(const struct rk_io *io, int backing_fd, const char *id);
/*
 * Read all entries, at most max. Returns how many, RK_ECORRUPT, RK_EVERSION,
 * -ENOENT, -errno.
 */
int rk_registry_read(const struct rk_io *io, int backing_fd,
		     struct rk_registry_entry *out, int max);

#endif
