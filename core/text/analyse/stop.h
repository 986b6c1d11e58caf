/* SPDX-License-Identifier: MIT */
#ifndef RK_TEXT_STOP_H
#define RK_TEXT_STOP_H

#include <stddef.h>

/* True for English function words (lower case), which are not indexed. */
int rk_is_stop_word(const char *s, size_t n);

#endif
