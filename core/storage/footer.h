/* SPDX-License-Identifier: MIT */
#ifndef RK_STORAGE_FOOTER_H
#define RK_STORAGE_FOOTER_H

#include "storage/container.h"

/*
 * The numbers that a container's footer keeps in its "meta" map, and whole
 * sections: what files of vectors, their indexes and fits have in common.
 */
enum { RK_FOOTER_MAX = 16 };
struct rk_footer {
	const char *key[RK_FOOTER_MAX]; /* static strings */
	uint64_t value[RK_FOOTER_MAX];
	unsigned n;
};
#define RK_FOOTER_INIT                                                         \
	{                                                                      \
		.n = 0                                                         \
	}
void rk_footer_add(struct rk_footer *f, const char *key, uint64_t value);
/* Write it and finish the file (rk_cw_finish). */
int rk_footer_finish(const struct rk_footer *f, struct rk_container_writer *w);
/* The number under a key; 0 if there is none. */
uint64_t rk_footer_get(const struct rk_container *c, const char *key);

void rk_cw_section(struct rk_container_writer *w, const char *name,
		   const void *p, size_t n);
/* A section of exactly n bytes, verified, or NULL. */
const void *rk_section_whole(struct rk_container *c, const char *name,
			     uint64_t n);

#endif
