/* SPDX-License-Identifier: MIT */
#ifndef RK_STORAGE_COMPACT_H
#define RK_STORAGE_COMPACT_H

#include <stddef.h>
#include <stdint.h>

/*
 * Which neighbouring segments to merge next; a pure function. Segments are
 * given oldest first with their bytes and the share of dead documents.
 *
 * Geometric: each segment should be at least twice the sum of the newer
 * ones, so that n flushes leave O(log n) segments and every byte is
 * rewritten O(log n) times. Of the runs that break the rule the longest is
 * taken. A segment of which a quarter is dead is rewritten by itself.
 *
 * A section of a file holds less than 4 GiB: what would give a larger file
 * than RK_COMPACT_BYTES is not merged. Two neighbours are then larger than
 * that together, so that there are still few.
 * Returns the number of segments to merge, from *first; 0 when none are due.
 */
#define RK_COMPACT_BYTES (7ull << 29) /* 3.5 GiB */
struct rk_compact_seg {
	uint64_t bytes;
	uint32_t docs, dead;
	uint64_t vectors; /* bytes, in a file of their own */
};
size_t rk_compact_pick(const struct rk_compact_seg *s, size_t n, size_t *first);
/* The same, until there are as few as may be and nothing dead is left. */
size_t rk_compact_all(const struct rk_compact_seg *s, size_t n, size_t *first);

#endif
