/* SPDX-License-Identifier: MIT */
#include "text/extract/metadata.h"
#include "text/extract/property.h"
#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <strings.h>

enum { FRONT_MAX = 64 * 1024, PROPERTY_BYTES = 255, HEADER_MAX = 16 * 1024 };

struct span {
	const char *s;
	size_t n;
};

static struct span next_line(const char **p, const char *end)
{
	struct span l = {*p, 0};
	const char *nl = memchr(*p, '\n', (size_t)(end - *p));

	l.n = (size_t)((nl ? nl : end) - *p);
	*p = nl ? nl + 1 : end;
	while (l.n && isspace((unsigned char)l.s[l.n - 1]))
		l.n--;
	return l;
}

static int is_fence(struct span l, const char *mark)
{
	return l.n == 3 && memcmp(l.s, mark, 3) == 0;
}

size_t rk_front_matter(const char *s, size_t n)
{
	const char *p = s, *end = s + (n < FRONT_MAX ? n : FRONT_MAX);
	struct span l = next_line(&p, end);
	const char *mark = is_fence(l, "+++") ? "+++" : "---";

	if (!is_fence(l, mark))
		return 0;
	while (p < end) {
		l = next_line(&p, end);
		if (is_fence(l, mark) || (*mark == '-' && is_fence(l, "...")))
			return (size_t)(p - s);
	}
	return 0;
}

/* --- values --- */

static struct span trim(struct span v)
{
	while (v.n && isspace((unsigned char)*v.s))
		v.s++, v.n--;
	while (v.n && isspace((unsigned char)v.s[v.n - 1]))
		v.n--;
	if (v.n >= 2 && (*v.s == '"' || *v.s == '\'') && v.s[v.n - 1] == *v.s)
		v.s++, v.n -= 2;
	return v;
}

static int is_tag_key(const char *key, size_t n)
{
	static const char *const KEYS[] = {"tags",	 "tag",	     "keywords",
					   "categories", "category", "labels"};

	for (size_t i = 0; i < sizeof(KEYS) / sizeof(KEYS[0]); i++)
		if (strlen(KEYS[i]) == n && strncasecmp(KEYS[i], key, n) == 0)
			return 1;
	return 0;
}

static size_t count(const struct rk_buf *props)
{
	size_t k = 0;

	for (size_t i = 0; i < props->n; i++)
		k += props->p[i] == 0;
	return k;
}

static void put(struct rk_buf *props, char kind, const char *key, size_t key_n,
		struct span v)
{
	char term[PROPERTY_BYTES + 1];
	size_t n;

	v = trim(v);
	if (v.n == 0 || memchr(v.s, 0, v.n) || memchr(key, 0, key_n) ||
	    count(props) >= RK_META_MAX)
		return;
	if (kind == RK_PROP_TAG && *v.s == '#')
		v.s++, v.n--;
	n = rk_property_name(term, kind, key, key_n, v.s, v.n);
	if (n == 0)
		return;
	rk_buf_add(props, term, n);
	rk_buf_byte(props, 0);
}

static void put_value(struct rk_buf *props, const char *key, size_t key_n,
		      struct span v)
{
	if (is_tag_key(key, key_n))
		put(props, RK_PROP_TAG, "", 0, v);
	put(props, RK_PROP_META, key, key_n, v);
}

/* "[a, b]", and "a, b" of tags: each by itself. */
static void put_list(struct rk_buf *props, const char *key, size_t key_n,
		     struct span v)
{
	int list;

	v = trim(v);
	list = v.n >= 2 && *v.s == '[' && v.s[v.n - 1] == ']';
	if (list)
		v.s++, v.n -= 2;
	if (!list && !is_tag_key(key, key_n)) {
		put_value(props, key, key_n, v);
		return;
	}
	while (v.n > 0) {
		const char *comma = memchr(v.s, ',', v.n);
		size_t k = comma ? (size_t)(comma - v.s) : v.n;

		put_value(props, key, key_n, (struct span){v.s, k});
		k += comma != NULL;
		v.s += k;
		v.n -= k;
	}
}

int rk_metadata_add(struct rk_buf *props, const char *key, size_t key_n,
		    const char *value, size_t value_n)
{
	assert(key_n > 0);
	put_list(props, key, key_n, (struct span){value, value_n});
	return props->err;
}

/* --- front matter --- */

/* `key: value` or `key = value` in column one; then `- item` below it. */
static void front_matter(const char *s, size_t n, struct rk_buf *props)
{
	const char *p = s, *end = s + n;
	struct span key = {"", 0};

	while (p < end) {
		struct span l = next_line(&p, end);
		size_t k = 0;

		while (k < l.n &&
		       (isalnum((unsigned char)l.s[k]) ||
			strchr("_-.", l.s[k])) &&
		       l.s[k])
			k++;
		if (k > 0 && !(k == 1 && *l.s == '-')) {
			struct span v = {l.s + k, l.n - k};

			while (v.n && *v.s == ' ')
				v.s++, v.n--;
			if (v.n == 0 || (*v.s != ':' && *v.s != '='))
				continue;
			key = (struct span){l.s, k};
			put_list(props, key.s, key.n,
				 (struct span){v.s + 1, v.n - 1});
			continue;
		}
		l = trim(l);
		if (key.n && l.n > 2 && *l.s == '-' && l.s[1] == ' ')
			put_value(props, key.s, key.n,
				  (struct span){l.s + 2, l.n - 2});
	}
}

/* --- messages --- */

static void mail_header(const char *s, size_t n, struct rk_buf *props)
{
	static const char *const KEYS[] = {"from", "to", "cc", "subject",
					   "list-id"};
	const char *p = s, *end = s + (n < HEADER_MAX ? n : HEADER_MAX);

	while (p < end) {
		struct span l = next_line(&p, end);

		if (l.n == 0)
			return;
		for (size_t i = 0; i < sizeof(KEYS) / sizeof(KEYS[0]); i++) {
			size_t k = strlen(KEYS[i]);

			if (l.n > k && l.s[k] == ':' &&
			    strncasecmp(l.s, KEYS[i], k) == 0)
				put(props, RK_PROP_META, KEYS[i], k,
				    (struct span){l.s + k + 1, l.n - k - 1});
		}
	}
}

int rk_metadata(enum rk_kind kind, const char *s, size_t n,
		struct rk_buf *props)
{
	size_t front = rk_front_matter(s, n);

	if (front)
		front_matter(s, front, props);
	if (kind == RK_KIND_MAIL)
		mail_header(s, n, props);
	return props->err;
}
