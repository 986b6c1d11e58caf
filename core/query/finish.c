/* SPDX-License-Identifier: MIT */
/*
 * What can only be said of a query as a whole, once all of it has been read:
 * what each term is to it, what a minus means, what very common words and
 * case:yes ask of the text itself.
 */
#include "query/parse.h"
#include "query/scan.h"
#include "text/match/regex.h"
#include <ctype.h>
#include <errno.h>
#include <string.h>

void rk_q_append(struct rk_qnode *group, struct rk_qnode *n)
{
	struct rk_qnode **at = &group->child;

	while (*at)
		at = &(*at)->next;
	*at = n;
	n->next = NULL;
}

/* Filters of one kind beside each other are alternatives. */
static void join_filters(struct parser *p, struct rk_qnode *group)
{
	struct rk_qnode *any[RK_FILTER_KINDS] = {NULL};
	struct rk_qnode **at = &group->child;

	while (*at) {
		struct rk_qnode *n = *at;
		unsigned k = n->filter.kind;

		if (n->kind != RK_NODE_FILTER || n->occur != RK_MUST ||
		    k == RK_BY_AFTER || k == RK_BY_BEFORE || k == RK_BY_SIZE) {
			at = &n->next;
			continue;
		}
		if (!any[k]) {
			struct rk_qnode *g =
				rk_q_node(p, RK_NODE_GROUP, RK_MUST);

			if (!g)
				return;
			*g = (struct rk_qnode){.kind = RK_NODE_GROUP,
					       .occur = RK_MUST,
					       .any = 1,
					       .child = n,
					       .next = n->next,
					       .phrase = -1};
			n->next = NULL;
			any[k] = *at = g;
			at = &g->next;
		} else {
			*at = n->next;
			rk_q_append(any[k], n);
		}
	}
}

/* What each term is to the whole: required, excluded, or neither. */
static void settle(struct rk_query *q, const struct rk_qnode *n,
		   enum rk_occur outer)
{
	enum rk_occur o = n->occur == RK_NOT || outer == RK_NOT ? RK_NOT
			  : outer == RK_MUST			? n->occur
								: RK_SHOULD;

	if (n->kind == RK_NODE_GROUP) {
		for (const struct rk_qnode *c = n->child; c; c = c->next)
			settle(q, c, n->any && o == RK_MUST ? RK_SHOULD : o);
		return;
	}
	for (unsigned t = n->term; t < n->term + n->nterms; t++)
		q->terms[t].occur = o;
}

/* Does the tree say more than "any of these words"? */
static int is_constrained(const struct rk_query *q)
{
	for (const struct rk_qnode *n = q->root->child; n; n = n->next)
		if (n->kind != RK_NODE_WORD || n->occur != RK_SHOULD)
			return 1;
	return 0;
}

/* --- a minus --- */

static void as_text(struct rk_query *q, struct rk_qnode *group)
{
	for (struct rk_qnode *n = group->child; n; n = n->next) {
		if (n->kind == RK_NODE_GROUP && n->occur != RK_NOT)
			as_text(q, n);
		if (n->kind != RK_NODE_WORD || !n->minus || n->occur != RK_NOT)
			continue;
		n->occur = RK_SHOULD;
		for (unsigned t = n->term; t < n->term + n->nterms; t++)
			q->terms[t].occur = RK_SHOULD;
		rk_buf_printf(&q->notes,
			      "%.*s is read as a word, not excluded: without "
			      "it nothing is left\n",
			      (int)(n->source_end - n->source), n->source);
	}
}

int rk_query_minus_as_text(struct rk_query *q)
{
	size_t before = q->notes.n;

	if (!q->root)
		return 0;
	as_text(q, q->root);
	q->constrained = is_constrained(q);
	return q->notes.err ? q->notes.err : q->notes.n > before;
}

/* Nothing but words with a minus: the opposite of what anyone looks for. */
static int only_excludes(const struct rk_query *q)
{
	for (const struct rk_qnode *n = q->root->child; n; n = n->next)
		if (n->kind != RK_NODE_WORD || !n->minus)
			return 0;
	return 1;
}

/* --- asked of the text --- */

/* Words as a pattern, whatever is between them; how many there are. */
static unsigned add_words(struct rk_buf *b, const char *s, size_t n)
{
	unsigned words = 0;
	size_t i = 0;

	while (i < n) {
		size_t from = i;

		while (i < n && (isalnum((unsigned char)s[i]) || s[i] == '_' ||
				 (unsigned char)s[i] >= 0x80 ||
				 (s[i] == '\'' && i > from)))
			i++;
		if (i == from) {
			i++;
			continue;
		}
		rk_buf_str(b, words++ ? "\\W+" : "\\b");
		rk_buf_add(b, s + from, i - from);
	}
	return words;
}

/* The pattern in b, which is released, as a condition on chunks; or NULL. */
static struct rk_qnode *passage(struct parser *p, struct rk_buf *b, int fold)
{
	struct rk_query *q = p->q;
	struct rk_qnode *n;
	char why[80];
	int rc = b->err;

	if (rc == 0)
		rc = q->nregex < RK_REGEX_MAX && b->n < RK_PATTERN_MAX
			     ? rk_regex_new((char *)b->p, b->n, fold,
					    &q->regex[q->nregex], why,
					    sizeof(why))
			     : -EINVAL;
	rk_buf_release(b);
	if (rc == -ENOMEM)
		p->err = rc;
	if (rc < 0)
		return NULL;
	q->nregex++;
	if (!(n = rk_q_node(p, RK_NODE_REGEX, RK_MUST)))
		return NULL;
	n->regex = q->regex[q->nregex - 1];
	n->passage = 1;
	n->source = n->source_end = "";
	return n;
}

struct rk_qnode *rk_q_common_phrase(struct parser *p, const char *s, size_t n)
{
	struct rk_buf b = RK_BUF_INIT;
	unsigned words = add_words(&b, s, n);

	if (words < 2) {
		rk_buf_release(&b);
		return NULL;
	}
	rk_buf_str(&b, "\\b");
	p->q->common_phrase = 1;
	return passage(p, &b, 1);
}

static int is_word(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!isalnum((unsigned char)s[i]) && s[i] != '_')
			return 0;
	return n > 0;
}

struct rk_qnode *rk_q_exactly(struct parser *p, struct rk_qnode *word,
			      const char *s, size_t n)
{
	struct rk_buf b = RK_BUF_INIT;
	struct rk_qnode *group, *exact;

	if (!is_word(s, n) || p->q->nregex == RK_REGEX_MAX)
		return word;
	add_words(&b, s, n);
	rk_buf_str(&b, "\\b");
	if (!(exact = passage(p, &b, 1)) ||
	    !(group = rk_q_node(p, RK_NODE_GROUP, RK_MUST)))
		return word;
	word->occur = RK_MUST;
	word->source = s;
	word->source_end = s + n;
	rk_q_append(group, word);
	rk_q_append(group, exact);
	return group;
}

/* Nothing but very common words: they are looked for as they stand. */
static void common_words(struct parser *p)
{
	struct rk_query *q = p->q;
	struct rk_qnode *n;

	if (q->nterms || q->nregex || !q->only_stop_words || q->like ||
	    !(n = rk_q_common_phrase(p, (char *)q->text.p, q->text.n)))
		return;
	if (!q->root && !(q->root = rk_q_node(p, RK_NODE_GROUP, RK_SHOULD)))
		return;
	rk_q_append(q->root, n);
}

/* --- case:yes --- */

/* What the node looks for, as it is written. */
static unsigned add_written(struct rk_buf *b, const struct rk_qnode *n)
{
	const char *s = n->source, *end = n->source_end;
	double boost;

	s += s < end && *s == '+';
	while (end > s && isspace((unsigned char)end[-1]))
		end--;
	if (n->kind == RK_NODE_PHRASE) {
		s += rk_scan_quote(s, end);
		end = rk_scan_to_quote(s, end);
	} else {
		end = s + rk_scan_boost(s, (size_t)(end - s), &boost);
	}
	return add_words(b, s, (size_t)(end - s));
}

static void add_any_written(struct rk_buf *b, const struct rk_qnode *n)
{
	for (; n; n = n->next) {
		size_t before = b->n;

		if (n->occur == RK_NOT || n->passage)
			continue;
		if (n->kind == RK_NODE_GROUP)
			add_any_written(b, n->child);
		if (n->kind != RK_NODE_WORD && n->kind != RK_NODE_PHRASE)
			continue;
		rk_buf_str(b, b->n ? "|" : "");
		if (add_written(b, n) == 0)
			b->n = before;
	}
}

/* A place must hold what is required, and one of the rest, as written. */
static void as_written(struct parser *p)
{
	struct rk_query *q = p->q;
	struct rk_buf any = RK_BUF_INIT;
	struct rk_qnode *c;

	for (struct rk_qnode *n = q->root->child; n; n = n->next) {
		struct rk_buf b = RK_BUF_INIT;
		int must = n->occur == RK_MUST && n->kind != RK_NODE_GROUP;

		if (!must ||
		    (n->kind != RK_NODE_WORD && n->kind != RK_NODE_PHRASE))
			continue;
		if (add_written(&b, n) == 0)
			rk_buf_release(&b);
		else if (!(c = passage(p, &b, 0)))
			rk_buf_printf(&q->notes,
				      "case:yes holds for %d words\n",
				      RK_REGEX_MAX);
		else
			rk_q_append(q->root, c);
	}
	add_any_written(&any, q->root->child);
	if (any.n && (c = passage(p, &any, 0)))
		rk_q_append(q->root, c);
	rk_buf_release(&any);
}

/* --- the whole --- */

static int is_identifier(const char *s, size_t n)
{
	if (n < 2 || isdigit((unsigned char)*s))
		return 0;
	for (size_t i = 0; i < n; i++)
		if (!isalnum((unsigned char)s[i]) && s[i] != '_')
			return 0;
	return 1;
}

/* The query is one identifier, and nothing else. */
static void find_bare(struct parser *p)
{
	struct rk_query *q = p->q;
	const struct rk_qnode *n = q->root->child;
	const char *s;

	if (n->next || n->kind != RK_NODE_WORD || n->occur == RK_NOT)
		return;
	s = n->source + (*n->source == '+');
	if (is_identifier(s, (size_t)(n->source_end - s)))
		q->bare = rk_q_keep(p, s, (size_t)(n->source_end - s));
}

void rk_q_finish(struct parser *p)
{
	struct rk_query *q = p->q;

	common_words(p);
	if (!q->root || !q->root->child)
		return;
	join_filters(p, q->root);
	q->root->occur = RK_MUST;
	settle(q, q->root, RK_MUST);
	find_bare(p);
	if (q->exact_case)
		as_written(p);
	q->constrained = is_constrained(q);
	if (only_excludes(q) && rk_query_minus_as_text(q) < 0)
		p->err = -ENOMEM;
	if (q->nterms)
		q->only_stop_words = 0;
}
