/* SPDX-License-Identifier: MIT */
#include "base/put.h"
#include "base/buf.h"
#include <string.h>
#include <utf8proc.h>

static void put(struct rk_buf *out, const char *s, size_t n, int one_line)
{
	while (n > 0) {
		utf8proc_int32_t c;
		utf8proc_ssize_t k = utf8proc_iterate(
			(const utf8proc_uint8_t *)s, (utf8proc_ssize_t)n, &c);

		if (k <= 0) {
			rk_buf_str(out, "\xef\xbf\xbd");
			k = 1;
		} else if (one_line && (c < ' ' || c == 0x7f)) {
			rk_buf_byte(out, ' ');
		} else {
			rk_buf_add(out, s, (size_t)k);
		}
		s += k;
		n -= (size_t)k;
	}
}

void rk_put_line(struct rk_buf *out, const char *s, size_t n)
{
	put(out, s, n, 1);
}

void rk_put_utf8(struct rk_buf *out, const char *s, size_t n)
{
	put(out, s, n, 0);
}

/* --- paths --- */

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int is_control(int c)
{
	return (c >= 0 && c < ' ') || c == 0x7f;
}

/* Would what follows the percent sign at s be read as an escape? */
static int like_escape(const char *s)
{
	int hi = hex(s[1]), lo = hi < 0 ? -1 : hex(s[2]);
	int c = hi * 16 + lo;

	return hi >= 0 && lo >= 0 && (is_control(c) || c == '%');
}

static void put_escaped(struct rk_buf *out, const char *s)
{
	for (; *s; s++)
		if (is_control((unsigned char)*s) ||
		    (*s == '%' && like_escape(s)))
			rk_buf_printf(out, "%%%02X", (unsigned char)*s);
		else
			rk_buf_byte(out, (uint8_t)*s);
}

void rk_put_path(struct rk_buf *out, const char *root, const char *path)
{
	put_escaped(out, root);
	rk_buf_byte(out, '/');
	put_escaped(out, path);
}

/* Bytes of the character at s; 0: there is none. */
static size_t character(const char *s, size_t n)
{
	utf8proc_int32_t c;
	utf8proc_ssize_t k = utf8proc_iterate((const utf8proc_uint8_t *)s,
					      (utf8proc_ssize_t)n, &c);

	return k > 0 ? (size_t)k : 0;
}

static int is_utf8(const char *s)
{
	size_t n = strlen(s), k;

	for (; n > 0; s += k, n -= k)
		if ((k = character(s, n)) == 0)
			return 0;
	return 1;
}

static void put_ascii_escapes(struct rk_buf *out, const char *s)
{
	size_t n = strlen(s), k;

	for (; n > 0; s += k, n -= k) {
		k = character(s, n);
		if (k == 0 || *s == '%')
			rk_buf_printf(out, "%%%02X", (unsigned char)*s);
		else
			rk_buf_add(out, s, k);
		k = k ? k : 1;
	}
}

int rk_put_path_utf8(struct rk_buf *out, const char *root, const char *path)
{
	int plain = is_utf8(root) && is_utf8(path);
	void (*const each)(struct rk_buf *, const char *) =
		plain ? rk_buf_str : put_ascii_escapes;

	each(out, root);
	rk_buf_byte(out, '/');
	each(out, path);
	return !plain;
}
