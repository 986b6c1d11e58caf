/* SPDX-License-Identifier: MIT */
#ifndef RK_INDEX_WINDOWS_H
#define RK_INDEX_WINDOWS_H

#include <stddef.h>
#include <stdint.h>

/*
 * What to show of a line that is too long to be shown: where something was
 * found, in one window if all of it is close together, else in several.
 */

/* Bytes [off, off + len) of a text; bit i of terms: what i asks for is there */
struct rk_spot {
	uint32_t off, len;
	uint64_t terms;
};

struct rk_window {
	size_t from, to;
};

enum { RK_WINDOWS_MAX = 4, RK_LINE_BYTES = 400 };

#define RK_ELLIPSIS "\xe2\x80\xa6"

/*
 * The windows of a line of n bytes, in order, apart from each other, cut
 * between characters; all of it if it is not longer than RK_LINE_BYTES. spots
 * are those of the line, in order, their offsets relative to it; worth has one
 * entry for each bit. Returns how many there are: one or more.
 */
unsigned rk_windows(const char *s, size_t n, const struct rk_spot *spots,
		    size_t nspots, const double *worth,
		    struct rk_window out[RK_WINDOWS_MAX]);

/* What the terms are worth together. */
double rk_worth(const double *worth, uint64_t terms);

#endif
