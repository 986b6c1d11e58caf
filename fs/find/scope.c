/* SPDX-License-Identifier: MIT */
/* From a path below find/ to the query that it stands for. */
#include "fs/base/names.h"
#include "fs/find/find.h"
#include "fs/find/found.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEPTH_MAX = 16 };

/* All that holds already, and `before` value `after`. */
static int narrow(struct fs_scope *s, const char *before, const char *value,
		  const char *after)
{
	char *was = strdup(s->query);
	int n;

	if (!was)
		return -ENOMEM;
	n = *was ? snprintf(s->query, sizeof(s->query), "+(%s) ", was) : 0;
	if ((size_t)n < sizeof(s->query))
		n += snprintf(s->query + n, sizeof(s->query) - (size_t)n,
			      "%s%s%s", before, value, after);
	free(was);
	return (size_t)n < sizeof(s->query) ? 0 : -ENAMETOOLONG;
}

static int facet_of(const char *name)
{
	for (int i = 0; i < FS_FACETS; i++)
		if (strcmp(name, FS_FACET_NAMES[i]) == 0)
			return i;
	return -1;
}

static int take_first(struct fs_index *x, struct fs_scope *s, const char *name)
{
	char text[FS_QUERY_BYTES * 4 + 1];
	struct rk_buf target = RK_BUF_INIT;
	int rc = -ENAMETOOLONG;

	if (rk_saved_text(x->ix, name, &target))
		snprintf(s->saved, sizeof(s->saved), "%s", name);
	else
		rk_buf_str(&target, name);
	rk_buf_byte(&target, 0);
	if (!target.err && target.n <= sizeof(text)) {
		fs_decode_name((char *)target.p, text);
		rc = narrow(s, "", text, "");
	}
	rk_buf_release(&target);
	return rc;
}

static int take_next(struct fs_scope *s, const char *name)
{
	static const char *const FORMS[FS_FACETS][2] = {
		{"ext:\"", "\""}, {"path:\"", "/**\""}, {"tag:\"", "\""}};
	char text[FS_QUERY_BYTES + 1];
	int by = s->facet;

	s->saved[0] = '\0';
	s->facet = -1;
	s->value = by >= 0;
	fs_decode_name(name, text);
	if (by >= 0)
		return strchr(text, '"')
			       ? -ENOENT
			       : narrow(s, FORMS[by][0], text, FORMS[by][1]);
	if (strcmp(name, "files") == 0) {
		s->files = 1;
		return 0;
	}
	if ((s->facet = facet_of(name)) >= 0)
		return 0;
	return narrow(s, "+(", text, ")");
}

int fs_scope_of(struct fs_index *x, const char *path, struct fs_scope *s)
{
	char name[FS_QUERY_BYTES + 1];
	int rc = 0, depth = 0;

	*s = (struct fs_scope){.facet = -1};
	while (*path && rc == 0) {
		size_t n = strcspn(path, "/");

		if (n > FS_QUERY_BYTES || depth == DEPTH_MAX)
			return -ENAMETOOLONG;
		memcpy(name, path, n);
		name[n] = '\0';
		rc = depth++ == 0 ? take_first(x, s, name) : take_next(s, name);
		path += n + (path[n] == '/');
	}
	return rc;
}
