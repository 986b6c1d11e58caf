/* SPDX-License-Identifier: MIT */
#ifndef RK_TEXT_DIALECTS_H
#define RK_TEXT_DIALECTS_H

/*
 * Options for ctags: parsers, by the shape of lines, for languages that it has
 * none for. Their names begin with rk, so that one that it may have some day
 * is another. NULL at the end.
 */
extern const char *const RK_CTAGS_DIALECTS[];

#endif
