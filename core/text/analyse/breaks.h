/* SPDX-License-Identifier: MIT */
#ifndef RK_TEXT_BREAKS_H
#define RK_TEXT_BREAKS_H

#include <stddef.h>
#include <stdint.h>

/* Words of scripts without spaces, by dictionary (ICU). One thread's own. */
struct rk_breaks;

void rk_breaks_free(struct rk_breaks *b);
/*
 * Where words end in a run of Thai, Lao, Khmer or Burmese: bytes from s,
 * ascending, the last is n. *b is made when it is first needed. A run is cut
 * at RK_RUN_MAX bytes by the caller. Returns how many, or -ENOMEM.
 */
enum { RK_RUN_MAX = 1024 };
int rk_breaks_find(struct rk_breaks **b, const char *s, size_t n,
		   uint16_t ends[RK_RUN_MAX]);

#endif
