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

void rk_put_path(struct rk_buf *out, const char *root, const char *path)
{
	rk_put_line(out, root, strlen(root));
	rk_buf_byte(out, '/');
	rk_put_line(out, path, strlen(path));
}
