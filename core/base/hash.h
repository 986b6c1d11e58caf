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

/*
 * The finaliser of SplitMix64 (Steele, Lea, Flood 2014): every bit of the
 * result depends on every bit of x; what is on disk may depend on it.
 */
static inline uint64_t rk_mix64(uint64_t x)
{
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
	x = (x ^ x >> 27) * 0x94d049bb133111ebu;
	return x ^ x >> 31;
}
/* The next of a sequence that the state *s stands for. */
static inline uint64_t rk_splitmix64(uint64_t *s)
{
	return rk_mix64(*s += 0x9e3779b97f4a7c15u);
}

#endif
