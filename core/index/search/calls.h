/* SPDX-License-Identifier: MIT */
#ifndef RK_INDEX_CALLS_H
#define RK_INDEX_CALLS_H

#include <stddef.h>
#include <stdint.h>

/* An identifier in a text; starts zeroed. */
struct rk_ident {
	size_t off, n;
	uint32_t line; /* from 0 */
	int is_call;
};
/* The next identifier at or after id->off + id->n; 0 at the end. */
int rk_next_ident(const char *s, size_t n, struct rk_ident *id);

/* Each identifier of a text that is called; line from 0. */
typedef void rk_call_fn(void *ctx, const char *name, size_t n, uint32_t line);
void rk_each_call(const char *s, size_t n, rk_call_fn *fn, void *ctx);

#endif
