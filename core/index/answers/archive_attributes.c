/* SPDX-License-Identifier: MIT */
#include "index/answers/archive_attributes.h"
#include "base/attributes.h"
#include "base/mem.h"
#include "index/state/internal.h"
#include <archive.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/xattr.h>

int rk_archive_put_attributes(struct rk_index *ix, struct archive_entry *e)
{
	const char *file = archive_entry_sourcepath(e);
	char id[RK_ATTR_ID + 1];
	char *names, *value;
	ssize_t n, size;

	if (archive_entry_filetype(e) == AE_IFLNK || !file ||
	    !rk_attr_id(file, id))
		return 0;
	names = rk_malloc(XATTR_LIST_MAX);
	value = rk_malloc(RK_ATTR_VALUE_MAX);
	n = names && value
		    ? rk_attr_list(ix->files_fd, file, names, XATTR_LIST_MAX)
		    : -ENOMEM;
	archive_entry_xattr_clear(e);
	for (ssize_t at = 0; at < n; at += (ssize_t)strlen(names + at) + 1) {
		size = rk_attr_get(ix->files_fd, file, names + at, value,
				   RK_ATTR_VALUE_MAX);
		if (size >= 0)
			archive_entry_xattr_add_entry(e, names + at, value,
						      (size_t)size);
	}
	rk_free(names);
	rk_free(value);
	return n < 0 ? (int)n : 0;
}

/* A name as libarchive writes it: URL-encoded. */
static int is_encoded(const char *code, const char *name)
{
	for (; *name; name++) {
		unsigned char c = (unsigned char)*name;
		char hex[4];

		if (c > ' ' && c < 127 && c != '%' && c != '=') {
			if (*code++ != *name)
				return 0;
			continue;
		}
		snprintf(hex, sizeof(hex), "%%%02X", c);
		if (strncmp(code, hex, 3) != 0)
			return 0;
		code += 3;
	}
	return *code == '\0';
}

struct attribute {
	char *name;
	void *value;
	size_t n;
};

static void free_all(struct attribute *v, size_t n)
{
	for (size_t i = 0; v && i < n; i++) {
		rk_free(v[i].name);
		rk_free(v[i].value);
	}
	rk_free(v);
}

/* A copy of all, because taking one away is not to be had. */
static int copy_all(struct archive_entry *e, struct attribute *v, size_t count)
{
	const char *name;
	const void *value;
	size_t n;

	archive_entry_xattr_reset(e);
	for (size_t i = 0; i < count; i++) {
		if (archive_entry_xattr_next(e, &name, &value, &n) !=
		    ARCHIVE_OK)
			return -EINVAL;
		v[i].name = rk_strndup(name, strlen(name));
		v[i].value = rk_malloc(n + 1);
		v[i].n = n;
		if (!v[i].name || !v[i].value)
			return -ENOMEM;
		if (n > 0)
			memcpy(v[i].value, value, n);
	}
	return 0;
}

/*
 * libarchive 3.6 writes each attribute under two headers, whose names are both
 * encoded, and decodes only one of them when it reads: they come in pairs, one
 * with its name and one with the code of it. Which of a pair is the name: 0 or
 * 1; -1: this is no such pair.
 */
static int name_of_pair(const struct attribute *v)
{
	if (v[0].n != v[1].n || memcmp(v[0].value, v[1].value, v[0].n) != 0)
		return -1;
	if (is_encoded(v[1].name, v[0].name))
		return 0;
	return is_encoded(v[0].name, v[1].name) ? 1 : -1;
}

/* All in pairs: 1. Of each pair, the name comes first then. */
static int are_pairs(struct attribute *v, size_t count)
{
	for (size_t i = 0; i + 1 < count; i += 2) {
		int which = name_of_pair(v + i);

		if (which < 0)
			return 0;
		if (which == 1) {
			struct attribute a = v[i];

			v[i] = v[i + 1];
			v[i + 1] = a;
		}
	}
	return count % 2 == 0;
}

int rk_archive_take_attributes(struct archive_entry *e)
{
	size_t count = (size_t)archive_entry_xattr_reset(e), step;
	struct attribute *v = rk_calloc(count + 1, sizeof(*v));
	int rc = v ? copy_all(e, v, count) : -ENOMEM;

	step = rc == 0 && are_pairs(v, count) ? 2 : 1;
	if (rc == 0)
		archive_entry_xattr_clear(e);
	for (size_t i = 0; rc == 0 && i < count; i += step) {
		if (!rk_attr_may_set(v[i].name, v[i].value, v[i].n))
			rc = -EPERM;
		archive_entry_xattr_add_entry(e, v[i].name, v[i].value, v[i].n);
	}
	free_all(v, count);
	return rc;
}

int rk_archive_set_attributes(struct rk_index *ix, struct archive_entry *e,
			      const char *file)
{
	const char *name;
	const void *value;
	size_t n;
	int rc = 0;

	archive_entry_xattr_reset(e);
	while (rc == 0 &&
	       archive_entry_xattr_next(e, &name, &value, &n) == ARCHIVE_OK)
		if (strncmp(name, "user.", 5) == 0 &&
		    rk_attr_get(ix->files_fd, file, name, NULL, 0) < 0)
			rc = rk_attr_set(ix->files_fd, file, name, value, n, 0);
	return rc == -EOPNOTSUPP ? 0 : rc;
}
