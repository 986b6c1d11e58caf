/* SPDX-License-Identifier: MIT */
#ifndef RK_BASE_BUF_H
#define RK_BASE_BUF_H

#include "base/public.h"
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/*
 * Growable bytes with a sticky error: once an append fails for want of
 * memory, err is -ENOMEM and later appends do nothing, so that an encoder of
 * twenty fields checks once. Not shared between threads. An rk_buf starts as
 * RK_BUF_INIT; rk_buf_release() may be called on it at any time.
 */
struct rk_buf {
	uint8_t *p;
	size_t n;   /* bytes used */
	size_t cap; /* bytes reserved */
	int err;    /* 0 or -ENOMEM */
};
#define RK_BUF_INIT                                                            \
	{                                                                      \
		NULL, 0, 0, 0                                                  \
	}

void rk_buf_release(struct rk_buf *b);
/* Make room for n more bytes. Returns 0 or -ENOMEM. */
int rk_buf_reserve(struct rk_buf *b, size_t n);
void rk_buf_add(struct rk_buf *b, const void *p, size_t n);
void rk_buf_byte(struct rk_buf *b, uint8_t c);
void rk_buf_str(struct rk_buf *b, const char *s);
void rk_buf_u32(struct rk_buf *b, uint32_t v); /* little-endian */
void rk_buf_zero(struct rk_buf *b, size_t n);
void rk_buf_printf(struct rk_buf *b, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/*
 * Strings that lie behind each other in a buffer, each with its NUL: the next
 * one, or NULL. *at is 0 to begin with; what is not ended is left out.
 */
static inline const char *rk_buf_next(const struct rk_buf *b, size_t *at)
{
	const char *s = (const char *)b->p + *at;
	const char *nul = *at < b->n ? memchr(s, 0, b->n - *at) : NULL;

	if (!nul)
		return NULL;
	*at += (size_t)(nul - s) + 1;
	return s;
}
/* Append one of them. */
static inline void rk_buf_name(struct rk_buf *b, const char *s)
{
	rk_buf_add(b, s, strlen(s) + 1);
}

/* LEB128: seven bits a byte, low group first. At most 10 bytes. */
void rk_buf_varint(struct rk_buf *b, uint64_t v);

/* Write v at p (10 bytes of room); returns the number of bytes written. */
static inline unsigned rk_put_varint(uint8_t *p, uint64_t v)
{
	unsigned n = 0;

	while (v >= 0x80) {
		p[n++] = (uint8_t)(v | 0x80);
		v >>= 7;
	}
	p[n++] = (uint8_t)v;
	return n;
}

/*
 * Read a varint from [p, end). Returns the byte after it, or NULL if it is
 * cut short or longer than 10 bytes; *v is then unchanged.
 */
static inline const uint8_t *rk_get_varint(const uint8_t *p, const uint8_t *end,
					   uint64_t *v)
{
	uint64_t x = 0;

	for (unsigned s = 0; s < 70 && p < end; s += 7) {
		uint8_t c = *p++;

		x |= (uint64_t)(c & 0x7f) << (s < 64 ? s : 63);
		if (!(c & 0x80)) {
			*v = x;
			return p;
		}
	}
	return NULL;
}

/* As above for values that must fit 32 bits; larger ones give NULL. */
static inline const uint8_t *rk_get_varint32(const uint8_t *p,
					     const uint8_t *end, uint32_t *v)
{
	uint64_t x;

	if (p < end && *p < 0x80) {
		*v = *p;
		return p + 1;
	}
	p = rk_get_varint(p, end, &x);
	if (!p || x > UINT32_MAX)
		return NULL;
	*v = (uint32_t)x;
	return p;
}

#endif
