/* SPDX-License-Identifier: MIT */
#include "text/symbols/entity.h"
#include "base/mem.h"
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

void rk_entities_release(struct rk_entities *e)
{
	rk_free(e->v);
	rk_arena_release(&e->arena);
	*e = (struct rk_entities)RK_ENTITIES_INIT;
}

int rk_entities_add(struct rk_entities *e, const struct rk_entity *x)
{
	struct rk_entity *y;

	if (rk_grow(&e->v, &e->cap, e->n + 1, sizeof(*e->v)) < 0)
		return -ENOMEM;
	y = &e->v[e->n];
	y->name = rk_arena_strndup(&e->arena, x->name, strlen(x->name));
	y->kind = rk_arena_strndup(&e->arena, x->kind, strlen(x->kind));
	y->scope = rk_arena_strndup(&e->arena, x->scope, strlen(x->scope));
	y->signature =
		rk_arena_strndup(&e->arena, x->signature, strlen(x->signature));
	y->line = x->line;
	y->end = x->end < x->line ? x->line : x->end;
	if (!y->name || !y->kind || !y->scope || !y->signature)
		return -ENOMEM;
	e->n++;
	return 0;
}

static int by_line(const void *a, const void *b)
{
	const struct rk_entity *x = a, *y = b;

	if (x->line != y->line)
		return x->line < y->line ? -1 : 1;
	if (x->end != y->end)
		return x->end > y->end ? -1 : 1;
	return strcmp(x->name, y->name);
}

void rk_entities_sort(struct rk_entities *e)
{
	if (e->n)
		qsort(e->v, e->n, sizeof(*e->v), by_line);
}

static void put_field(struct rk_buf *out, const char *s, size_t max)
{
	for (size_t i = 0; i < max && s[i]; i++)
		rk_buf_byte(out,
			    (unsigned char)s[i] < ' ' ? ' ' : (uint8_t)s[i]);
}

void rk_entity_encode(const struct rk_entity *x, struct rk_buf *out)
{
	put_field(out, x->name, 200);
	rk_buf_byte(out, '\t');
	put_field(out, x->kind, 40);
	rk_buf_printf(out, "\t%u\t%u\t", x->line, x->end);
	put_field(out, x->scope, 200);
	rk_buf_byte(out, '\t');
	put_field(out, x->signature, 300);
	rk_buf_byte(out, '\n');
}

static const char *field(const char **p, const char *end, char stop, size_t *n)
{
	const char *s = *p, *e = memchr(s, stop, (size_t)(end - s));

	if (!e)
		return NULL;
	*n = (size_t)(e - s);
	*p = e + 1;
	return s;
}

static int number(const char **p, const char *end, uint32_t *out)
{
	size_t n;
	const char *s = field(p, end, '\t', &n);

	*out = 0;
	for (size_t i = 0; s && i < n; i++) {
		if (s[i] < '0' || s[i] > '9' || i > 9)
			return 0;
		*out = *out * 10 + (uint32_t)(s[i] - '0');
	}
	return s && n > 0;
}

int rk_entity_next(const char **p, const char *end, struct rk_entity_ref *e)
{
	assert(*p <= end);
	return *p < end && (e->name = field(p, end, '\t', &e->name_n)) &&
	       (e->kind = field(p, end, '\t', &e->kind_n)) &&
	       number(p, end, &e->line) && number(p, end, &e->end) &&
	       (e->scope = field(p, end, '\t', &e->scope_n)) &&
	       (e->signature = field(p, end, '\n', &e->signature_n));
}
