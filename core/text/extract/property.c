/* SPDX-License-Identifier: MIT */
#include "text/extract/property.h"
#include <string.h>
#include <utf8proc.h>

/* At most RK_PROPERTY_MAX bytes, in lower case, blanks at the ends dropped. */
static size_t put_lower(char *out, const char *s, size_t n)
{
	size_t k = 0;

	while (n > 0 && (unsigned char)*s <= ' ')
		s++, n--;
	while (n > 0 && (unsigned char)s[n - 1] <= ' ')
		n--;
	while (n > 0 && k + 4 <= RK_PROPERTY_MAX) {
		utf8proc_int32_t c;
		utf8proc_ssize_t m = utf8proc_iterate(
			(const utf8proc_uint8_t *)s, (utf8proc_ssize_t)n, &c);

		if (m <= 0) {
			out[k++] = *s;
			m = 1;
		} else {
			k += (size_t)utf8proc_encode_char(
				utf8proc_tolower(c),
				(utf8proc_uint8_t *)out + k);
		}
		s += m;
		n -= (size_t)m;
	}
	return k;
}

size_t rk_property_name(char *out, char kind, const char *key, size_t key_n,
			const char *value, size_t value_n)
{
	size_t n = 0;

	out[n++] = RK_PROPERTY_MARK;
	out[n++] = kind;
	if (kind == RK_PROP_META) {
		size_t k = put_lower(out + n, key, key_n);

		if (k == 0)
			return 0;
		n += k;
		out[n++] = '=';
	}
	return n + put_lower(out + n, value, value_n);
}
