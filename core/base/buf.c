/* SPDX-License-Identifier: MIT */
#include "base/buf.h"
#include "base/mem.h"
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

void rk_buf_release(struct rk_buf *b)
{
	rk_free(b->p);
	*b = (struct rk_buf)RK_BUF_INIT;
}

int rk_buf_reserve(struct rk_buf *b, size_t n)
{
	size_t cap = b->cap ? b->cap : 64;
	uint8_t *p;

	assert(b->n <= b->cap);
	if (b->err)
		return b->err;
	if (n > SIZE_MAX / 2 - b->n)
		return b->err = -ENOMEM;
	if (b->n + n <= b->cap)
		return 0;
	while (cap < b->n + n)
		cap *= 2;
	p = rk_realloc(b->p, cap);
	if (!p)
		return b->err = -ENOMEM;
	b->p = p;
	b->cap = cap;
	return 0;
}

void rk_buf_add(struct rk_buf *b, const void *p, size_t n)
{
	if (n == 0 || rk_buf_reserve(b, n) < 0)
		return;
	memcpy(b->p + b->n, p, n);
	b->n += n;
}

void rk_buf_byte(struct rk_buf *b, uint8_t c)
{
	if (rk_buf_reserve(b, 1) < 0)
		return;
	b->p[b->n++] = c;
}

void rk_buf_str(struct rk_buf *b, const char *s)
{
	rk_buf_add(b, s, strlen(s));
}

void rk_buf_u32(struct rk_buf *b, uint32_t v)
{
	rk_buf_add(b, &v, sizeof(v));
}

void rk_buf_zero(struct rk_buf *b, size_t n)
{
	if (n == 0 || rk_buf_reserve(b, n) < 0)
		return;
	memset(b->p + b->n, 0, n);
	b->n += n;
}

void rk_buf_varint(struct rk_buf *b, uint64_t v)
{
	if (rk_buf_reserve(b, 10) < 0)
		return;
	b->n += rk_put_varint(b->p + b->n, v);
}

void rk_buf_printf(struct rk_buf *b, const char *fmt, ...)
{
	va_list ap, again;
	int n;

	va_start(ap, fmt);
	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n >= 0 && rk_buf_reserve(b, (size_t)n + 1) == 0) {
		vsnprintf((char *)b->p + b->n, (size_t)n + 1, fmt, again);
		b->n += (size_t)n;
	}
	va_end(again);
}

/* --- for those who embed the library (base/public.h) --- */

struct rk_buf *rk_buf_new(void)
{
	return rk_calloc(1, sizeof(struct rk_buf));
}

void rk_buf_free(struct rk_buf *b)
{
	if (b)
		rk_buf_release(b);
	rk_free(b);
}

const char *rk_buf_data(struct rk_buf *b)
{
	/* room for the NUL; a failure of this one loses nothing */
	if (b->n == b->cap && rk_buf_reserve(b, 1) < 0)
		return "";
	b->p[b->n] = 0;
	return (const char *)b->p;
}

size_t rk_buf_size(const struct rk_buf *b)
{
	return b->n;
}

int rk_buf_error(const struct rk_buf *b)
{
	return b->err;
}

void rk_buf_clear(struct rk_buf *b)
{
	b->n = 0;
	b->err = 0;
}
