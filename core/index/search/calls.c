/* SPDX-License-Identifier: MIT */
/*
 * The identifiers of a source text, and which of them are called. No grammar: a
 * name that a "(" follows is a call.
 */
#include "index/search/calls.h"
#include <assert.h>
#include <ctype.h>

static int starts_name(char c)
{
	return isalpha((unsigned char)c) || c == '_' || c == '$' ||
	       (unsigned char)c >= 0x80;
}

static int in_name(char c)
{
	return starts_name(c) || isdigit((unsigned char)c);
}

int rk_next_ident(const char *s, size_t n, struct rk_ident *id)
{
	size_t i = id->off + id->n, k;

	assert(id->off + id->n <= n);
	while (i < n && !starts_name(s[i])) {
		id->line += s[i] == '\n';
		/* the rest of a number is none */
		if (isdigit((unsigned char)s[i]))
			while (i + 1 < n && in_name(s[i + 1]))
				i++;
		i++;
	}
	if (i >= n)
		return 0;
	for (k = i; k < n && in_name(s[k]);)
		k++;
	id->off = i;
	id->n = k - i;
	while (k < n && (s[k] == ' ' || s[k] == '\t'))
		k++;
	id->is_call = k < n && s[k] == '(';
	return 1;
}

void rk_each_call(const char *s, size_t n, rk_call_fn *fn, void *ctx)
{
	struct rk_ident id = {0, 0, 0, 0};

	while (rk_next_ident(s, n, &id))
		if (id.is_call)
			fn(ctx, s + id.off, id.n, id.line);
}
