/* SPDX-License-Identifier: MIT */
#ifndef RK_TEXT_CUTTERS_H
#define RK_TEXT_CUTTERS_H

#include "text/chunk/chunk.h"

/*
 * How each kind of text is cut: n bytes at s become chunks appended to c. All
 * of them return 0 or -ENOMEM; chunk.c chooses one.
 */
int chunk_markdown(struct rk_chunks *c, const char *s, size_t n);
int chunk_man(struct rk_chunks *c, const char *s, size_t n);
int chunk_code(struct rk_chunks *c, const char *s, size_t n,
	       const struct rk_entities *defs);
int chunk_markup(struct rk_chunks *c, enum rk_kind kind, const char *s,
		 size_t n);
int chunk_records(struct rk_chunks *c, enum rk_kind kind, const char *s,
		  size_t n);
int chunk_mail(struct rk_chunks *c, const char *s, size_t n);
int chunk_log(struct rk_chunks *c, const char *s, size_t n);
int chunk_pages(struct rk_chunks *c, const char *s, size_t n);

#endif
