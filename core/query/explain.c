/* SPDX-License-Identifier: MIT */
/* The query as it was understood, for answers that explain themselves. */
#include "query/explain.h"
#include <ctype.h>
#include <stdio.h>
#include <string.h>

static enum rk_op op_of(const struct rk_qnode *n)
{
	static const enum rk_op OPS[] = {
		[RK_NODE_GROUP] = RK_OP_ALL,
		[RK_NODE_WORD] = RK_OP_WORD,
		[RK_NODE_PHRASE] = RK_OP_PHRASE,
		[RK_NODE_PROPERTY] = RK_OP_PROPERTY,
		[RK_NODE_FILTER] = RK_OP_FILTER,
		[RK_NODE_REGEX] = RK_OP_REGEX,
	};

	return n->any ? RK_OP_ANY : OPS[n->kind];
}

/* " form(language)" for those that documents have */
static size_t add_forms(const struct rk_qterm *e, char *out, size_t max)
{
	size_t k = 0;

	for (unsigned i = 0; i < e->nalts; i++) {
		const char *language =
			rk_language_name((enum rk_language)e->alts[i].language);
		int n;

		if (e->alts[i].df == 0)
			continue;
		n = snprintf(out + k, max - k, " %s(%s)", e->alts[i].s,
			     language);
		if (n < 0 || (size_t)n >= max - k)
			break;
		k += (size_t)n;
	}
	return k;
}

/* What is looked up; a property's mark is not shown. */
static const char *terms_of(const struct rk_query *q, const struct rk_qnode *n,
			    struct rk_arena *a)
{
	char out[1024];
	size_t k = 0;

	for (unsigned t = n->term; t < n->term + n->nterms; t++) {
		const struct rk_qterm *e = &q->terms[t];
		size_t mark = n->kind == RK_NODE_PROPERTY ? 2 : 0;

		if (e->n < mark || k + e->n + 2 > sizeof(out))
			break;
		if (k)
			out[k++] = ' ';
		memcpy(out + k, e->s + mark, e->n - mark);
		k += e->n - mark;
		k += add_forms(e, out + k, sizeof(out) - k);
	}
	return rk_arena_strndup(a, out, k);
}

static const char *written(const struct rk_qnode *n, struct rk_arena *a)
{
	const char *s = n->source, *end = n->source_end;

	if (!s)
		return "";
	while (end > s && isspace((unsigned char)end[-1]))
		end--;
	return rk_arena_strndup(a, s, (size_t)(end - s));
}

const struct rk_clause *rk_explain(const struct rk_query *q,
				   const struct rk_qnode *n, struct rk_arena *a)
{
	struct rk_clause *first = NULL, *last = NULL;

	for (; n; n = n->next) {
		struct rk_clause *c = rk_arena_alloc(a, sizeof(*c));

		if (!c)
			return NULL;
		*c = (struct rk_clause){
			.op = op_of(n),
			.occur = n->occur,
			.text = written(n, a),
			.terms = terms_of(q, n, a),
			.child = n->child ? rk_explain(q, n->child, a) : NULL,
		};
		if (!c->text || !c->terms || (n->child && !c->child))
			return NULL;
		if (last)
			last->next = c;
		else
			first = c;
		last = c;
	}
	return first;
}
