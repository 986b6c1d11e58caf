/* SPDX-License-Identifier: MIT */
#include "base/crc32c.h"
#include <pthread.h>
#include <string.h>

static uint32_t crc_table[256];
static int crc_hardware;
static pthread_once_t crc_once = PTHREAD_ONCE_INIT;

static void crc_setup(void)
{
	const uint32_t poly = 0x82f63b78; /* reflected Castagnoli */

	for (uint32_t i = 0; i < 256; i++) {
		uint32_t c = i;

		for (int k = 0; k < 8; k++)
			c = c & 1 ? (c >> 1) ^ poly : c >> 1;
		crc_table[i] = c;
	}
#ifdef __x86_64__
	crc_hardware = __builtin_cpu_supports("sse4.2") != 0;
#endif
}

static uint32_t crc_portable(uint32_t c, const uint8_t *p, size_t n)
{
	while (n--)
		c = crc_table[(c ^ *p++) & 0xff] ^ (c >> 8);
	return c;
}

#ifdef __x86_64__
__attribute__((target("sse4.2"))) static uint32_t
crc_sse42(uint32_t c, const uint8_t *p, size_t n)
{
	uint64_t c64 = c;

	for (; n >= 8; n -= 8, p += 8) {
		uint64_t word;

		memcpy(&word, p, sizeof(word));
		c64 = __builtin_ia32_crc32di(c64, word);
	}
	c = (uint32_t)c64;
	while (n--)
		c = __builtin_ia32_crc32qi(c, *p++);
	return c;
}
#endif

uint32_t rk_crc32c(uint32_t crc, const void *p, size_t n)
{
	pthread_once(&crc_once, crc_setup);
	crc = ~crc;
#ifdef __x86_64__
	if (crc_hardware)
		return ~crc_sse42(crc, p, n);
#endif
	return ~crc_portable(crc, p, n);
}
