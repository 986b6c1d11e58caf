/* SPDX-License-Identifier: MIT */
#ifndef RK_RENDER_H
#define RK_RENDER_H

#include "rankfs.h"

/* The forms of rk_render() that are JSON. */
void rk_render_json(const struct rk_results *r, const char *query, size_t n,
		    const char *root, struct rk_buf *out);
void rk_render_jsonl(const struct rk_results *r, const char *root,
		     struct rk_buf *out);

#endif
