/* SPDX-License-Identifier: MIT */
#ifndef RK_TEXT_CTAGS_H
#define RK_TEXT_CTAGS_H

#include "text/symbols/entity.h"

/*
 * Definitions in source code by universal-ctags, in its interactive mode: one
 * sandboxed child takes file after file (docs.ctags.io, "JSON output" and
 * "Interactive mode"). It is started with the first file, again when it has
 * died or hung, and given up after some failures in a row. One thread.
 */
struct rk_ctags;

int rk_ctags_new(struct rk_ctags **out); /* 0 or -ENOMEM */
void rk_ctags_free(struct rk_ctags *c);

/*
 * Append the definitions in n bytes of source code to out, sorted. The path's
 * last component decides the language. Returns 0; -ENOENT if there is no
 * universal-ctags (or it has been given up); -ETIMEDOUT, -EPIPE if the child
 * hung or died on this file; -ENOMEM. After an error out is empty.
 */
int rk_ctags_run(struct rk_ctags *c, const char *path, const char *s, size_t n,
		 struct rk_entities *out);

#endif
