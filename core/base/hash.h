/* SPDX-License-Identifier: MIT */
#ifndef RK_BASE_HASH_H
#define RK_BASE_HASH_H

#define XXH_INLINE_ALL
#include <xxhash.h>
#include <stddef.h>
#include <stdint.h>

/* 64-bit XXH3 of n bytes: tables, cache keys, ties. Not for security. */
static inline uint64_t rk_hash64(const void *p, size_t n)
{
	return XXH3_64bits(p, n);
}

#endif
