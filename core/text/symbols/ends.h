/* SPDX-License-Identifier: MIT */
#ifndef RK_TEXT_ENDS_H
#define RK_TEXT_ENDS_H

#include "text/symbols/entity.h"

/*
 * The last lines of definitions that ctags gives none for, from the brackets
 * and the indentation of n bytes of text; `language` is ctags' name for it. An
 * arrow function in a constant becomes a function. Definitions whose end
 * cannot be told stay as they are.
 */
int rk_entities_find_ends(const char *language, const char *s, size_t n,
			  struct rk_entities *e); /* 0, -ENOMEM */

#endif
