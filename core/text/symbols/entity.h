/* SPDX-License-Identifier: MIT */
#ifndef RK_TEXT_ENTITY_H
#define RK_TEXT_ENTITY_H

#include "base/arena.h"
#include "base/buf.h"
#include <stdint.h>

/*
 * What source code defines: functions, types, macros ... Names of kinds are
 * those of universal-ctags ("function", "struct", "macro").
 */
struct rk_entity {
	const char *name, *kind;
	const char *scope;     /* "Class.Inner", or "" */
	const char *signature; /* "(int n)", or "" */
	uint32_t line, end;    /* first and last line, from 1 */
};

/* In order of lines. Strings live in the arena. */
struct rk_entities {
	struct rk_entity *v;
	size_t n, cap;
	struct rk_arena arena;
};
#define RK_ENTITIES_INIT                                                       \
	{                                                                      \
		NULL, 0, 0, RK_ARENA_INIT                                      \
	}
void rk_entities_release(struct rk_entities *e);
/* Append a copy. Returns 0 or -ENOMEM. */
int rk_entities_add(struct rk_entities *e, const struct rk_entity *x);
/* Order by first line; of equal ones the longest first. */
void rk_entities_sort(struct rk_entities *e);

/*
 * What parsers of different languages call the same goes by one name:
 * "function" for Go's "func" and Perl's "subroutine". The kind itself if it
 * has no other.
 */
const char *rk_entity_kind_common(const char *kind);
/* Is it a kind, by any parser's name or the common one? */
int rk_entity_kind_known(const char *kind, size_t n);

/*
 * Append what the shape of its lines says that n bytes of source code define;
 * kind "definition". For languages that no parser knows. 0 or -ENOMEM.
 */
int rk_entities_by_shape(const char *s, size_t n, struct rk_entities *out);

/*
 * As they lie with their chunk: `name TAB kind TAB line TAB end TAB scope TAB
 * signature NEWLINE`, lines in decimal. Control characters in the strings are
 * blanks.
 */
void rk_entity_encode(const struct rk_entity *x, struct rk_buf *out);

/* One of them, borrowed; nothing is NUL-terminated. */
struct rk_entity_ref {
	const char *name, *kind, *scope, *signature;
	size_t name_n, kind_n, scope_n, signature_n;
	uint32_t line, end;
};
/* 1 with *p behind it; 0 at the end or at bytes that make no sense. */
int rk_entity_next(const char **p, const char *end, struct rk_entity_ref *out);

#endif
