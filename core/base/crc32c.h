/* SPDX-License-Identifier: MIT */
#ifndef RK_BASE_CRC32C_H
#define RK_BASE_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/*
 * CRC-32C (Castagnoli, RFC 3720 appendix B.4) of n bytes, continuing from
 * `crc` (0 to begin): rk_crc32c(rk_crc32c(0, a), b) is the CRC of a then b.
 * Check value: "123456789" gives 0xe3069283. Uses SSE4.2 where there is one.
 */
uint32_t rk_crc32c(uint32_t crc, const void *p, size_t n);

/*
 * Is the checksum as it should be? Always, where a fuzzer is to get past it
 * to what reads the bytes (libFuzzer's name for such a build).
 */
static inline int rk_crc_ok(uint32_t is, uint32_t should_be)
{
#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
	(void)is;
	(void)should_be;
	return 1;
#else
	return is == should_be;
#endif
}

#endif
