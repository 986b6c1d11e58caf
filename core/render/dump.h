/* SPDX-License-Identifier: MIT */
#ifndef RK_RENDER_DUMP_H
#define RK_RENDER_DUMP_H

#include <jansson.h>

struct rk_buf;

/* Append o and a newline; o is given up. Without memory: out->err. */
void rk_dump_json(json_t *o, size_t flags, struct rk_buf *out);

#endif
