/* SPDX-License-Identifier: MIT */
/*
 * The grammar of queries, by recursive descent:
 *
 *   group  := { clause | "AND" }
 *   clause := item { ("OR" | "|") item }
 *   item   := ["+" | "-"] ( "(" group ")" | '"' words '"' ["~" digits]
 *             | "/" pattern "/" ["i"] | key ":" value | "~" word
 *             | word "*" | word )
 *
 * Nothing is an error: a parenthesis or quote that is never closed ends with
 * the text, a stray one is a blank, an unknown key is a word.
 */
#include "query/parse.h"
#include "text/match/regex.h"
#include <ctype.h>
#include <errno.h>
#include <string.h>

void rk_query_release(struct rk_query *q)
{
	for (unsigned i = 0; i < q->nregex; i++)
		rk_regex_free(q->regex[i]);
	rk_arena_release(&q->arena);
	rk_buf_release(&q->text);
	rk_buf_release(&q->notes);
}

static const char *skip_digits(const char *s, const char *end, uint32_t *out)
{
	uint32_t v = 0;

	while (s < end && isdigit((unsigned char)*s)) {
		v = v < 10000 ? v * 10 + (uint32_t)(*s - '0') : v;
		s++;
	}
	*out = v;
	return s;
}

/* '"' words '"' with p->s behind the first quote. */
static struct rk_qnode *parse_phrase(struct parser *p, enum rk_occur occur)
{
	const char *s = p->s;
	const char *end = memchr(s, '"', (size_t)(p->end - s));
	struct rk_qnode *node;
	uint32_t slop = 0;

	p->s = end ? end + 1 : p->end;
	end = end ? end : p->end;
	if (p->s + 1 < p->end && *p->s == '~' &&
	    isdigit((unsigned char)p->s[1]))
		p->s = skip_digits(p->s + 1, p->end, &slop);
	if (p->q->nphrases == RK_PHRASES_MAX)
		return rk_q_text(p, s, (size_t)(end - s), occur, -1);
	node = rk_q_text(p, s, (size_t)(end - s), occur, (int)p->q->nphrases);
	if (!node)
		return NULL;
	p->q->nphrases++;
	node->slop = slop;
	return node;
}

static const char *key_colon(const char *s, const char *end)
{
	const char *c = s;

	while (c < end && c - s < 80 &&
	       (isalnum((unsigned char)*c) || (c > s && strchr("._-", *c))) &&
	       *c)
		c++;
	return c < end && c > s && *c == ':' ? c : NULL;
}

/* 1: taken, whether or not it gave a node; 0: it is text. */
static int parse_key(struct parser *p, enum rk_occur occur,
		     struct rk_qnode **node)
{
	const char *colon = key_colon(p->s, p->end), *v, *end, *after;
	int understood = 0;
	char *value;

	*node = NULL;
	if (!colon)
		return 0;
	v = colon + 1;
	if (v < p->end && *v == '"') {
		v++;
		end = memchr(v, '"', (size_t)(p->end - v));
		after = end ? end + 1 : p->end;
		end = end ? end : p->end;
	} else {
		for (end = v; end < p->end && !isspace((unsigned char)*end) &&
			      *end != ')';)
			end++;
		after = end;
	}
	if (!(value = rk_q_keep(p, v, (size_t)(end - v))))
		return 1;
	*node = rk_q_key(p, p->s, (size_t)(colon - p->s), value, occur,
			 &understood);
	if (understood)
		p->s = after;
	return understood;
}

/* --- patterns --- */

/* The slash that ends a pattern: what follows it is flags and a blank. */
static const char *pattern_end(const char *s, const char *end, int *fold)
{
	if (end - s > RK_PATTERN_MAX)
		end = s + RK_PATTERN_MAX;
	for (; s < end; s++) {
		const char *t = s + 1;

		if (*s == '\\') {
			s++;
			continue;
		}
		if (*s == '\n')
			return NULL;
		if (*s != '/')
			continue;
		*fold = t < end && *t == 'i';
		t += *fold;
		if (t == end || isspace((unsigned char)*t) || *t == ')')
			return s;
	}
	return NULL;
}

static int parse_regex(struct parser *p, enum rk_occur occur,
		       struct rk_qnode **node)
{
	int fold = 0;
	const char *s = p->s + 1, *end = pattern_end(s, p->end, &fold);
	struct rk_query *q = p->q;
	char why[160];
	int rc;

	*node = NULL;
	if (!end || end == s || q->nregex == RK_REGEX_MAX)
		return 0;
	rc = rk_regex_new(s, (size_t)(end - s), fold, &q->regex[q->nregex], why,
			  sizeof(why));
	p->s = end + 1 + fold;
	if (rc == -ENOMEM) {
		p->err = rc;
		return 1;
	}
	if (rc < 0) {
		rk_buf_printf(&q->notes, "/%.*s/ is not a pattern: %s\n",
			      (int)(end - s > 100 ? 100 : end - s), s, why);
		return 1;
	}
	if ((*node = rk_q_node(p, RK_NODE_REGEX, occur)))
		(*node)->regex = q->regex[q->nregex];
	q->nregex++;
	return 1;
}

/* --- words --- */

static const char *word_end(const struct parser *p, const char *s)
{
	while (s < p->end && !isspace((unsigned char)*s) && *s != '"' &&
	       *s != '(' && *s != ')')
		s++;
	return s;
}

static struct rk_qnode *parse_word(struct parser *p, enum rk_occur occur)
{
	const char *s = p->s, *end = word_end(p, s);
	size_t n = (size_t)(end - s);

	p->s = end > s ? end : s + 1;
	if (n > 1 && *s == '~')
		return rk_q_expanding(p, s + 1, n - 1, occur, RK_TERM_FUZZY);
	if (n > 1 && s[n - 1] == '*' && s[n - 2] != '*')
		return rk_q_expanding(p, s, n - 1, occur, RK_TERM_PREFIX);
	return n ? rk_q_text(p, s, n, occur, -1) : NULL;
}

/* --- groups --- */

static struct rk_qnode *parse_group(struct parser *p);

static int at_operator(const struct parser *p, const char *op)
{
	size_t n = strlen(op);

	return (size_t)(p->end - p->s) >= n && !memcmp(p->s, op, n) &&
	       (p->s + n == p->end || isspace((unsigned char)p->s[n]) ||
		p->s[n] == '(' || p->s[n] == '"');
}

static void skip_blanks(struct parser *p)
{
	while (p->s < p->end && isspace((unsigned char)*p->s))
		p->s++;
}

/* Words rank; everything else is a condition unless it is said otherwise. */
static enum rk_occur default_occur(const struct rk_qnode *n)
{
	if (n->kind == RK_NODE_WORD)
		return RK_SHOULD;
	if (n->kind != RK_NODE_GROUP)
		return RK_MUST;
	for (const struct rk_qnode *c = n->child; c; c = c->next)
		if (c->occur == RK_MUST)
			return RK_MUST;
	return RK_SHOULD;
}

static enum rk_occur parse_sign(struct parser *p)
{
	char c = *p->s, next = p->s + 1 < p->end ? p->s[1] : ' ';

	if ((c != '-' && c != '+') || isspace((unsigned char)next) ||
	    next == '-' || next == '+')
		return RK_SHOULD;
	p->s++;
	return c == '-' ? RK_NOT : RK_MUST;
}

static struct rk_qnode *parse_parens(struct parser *p)
{
	struct rk_qnode *n;

	p->s++;
	if (p->depth == RK_QUERY_DEPTH)
		return NULL; /* its contents join the group around it */
	p->depth++;
	n = parse_group(p);
	p->depth--;
	if (p->s < p->end)
		p->s++; /* the parenthesis that ended it */
	return n;
}

static struct rk_qnode *parse_item(struct parser *p)
{
	const char *from = p->s;
	enum rk_occur sign = parse_sign(p);
	struct rk_qnode *n;

	if (*p->s == '(')
		n = parse_parens(p);
	else if (*p->s == '"')
		p->s++, n = parse_phrase(p, sign);
	else if (!(*p->s == '/' && parse_regex(p, sign, &n)) &&
		 !parse_key(p, sign, &n))
		n = parse_word(p, sign);
	if (!n)
		return NULL;
	n->occur = sign == RK_SHOULD ? default_occur(n) : sign;
	n->source = from;
	n->source_end = p->s;
	return n;
}

static void append(struct rk_qnode *group, struct rk_qnode *n)
{
	struct rk_qnode **at = &group->child;

	while (*at)
		at = &(*at)->next;
	*at = n;
	n->next = NULL;
}

/* item { OR item } */
static struct rk_qnode *parse_clause(struct parser *p)
{
	struct rk_qnode *n = parse_item(p), *any = NULL;

	for (;;) {
		const char *before = p->s;
		struct rk_qnode *more;

		skip_blanks(p);
		if (!at_operator(p, "OR") && !at_operator(p, "|")) {
			p->s = before;
			return any ? any : n;
		}
		p->s += *p->s == '|' ? 1 : 2;
		skip_blanks(p);
		if (p->s == p->end || *p->s == ')')
			return any ? any : n;
		if (!(more = parse_item(p)))
			continue;
		if (!n) {
			n = more;
			continue;
		}
		if (!any) {
			if (!(any = rk_q_node(p, RK_NODE_GROUP, RK_SHOULD)))
				return n;
			any->any = 1;
			any->source = n->source;
			append(any, n);
		}
		append(any, more);
		any->source_end = p->s;
		any->occur = default_occur(any);
	}
}

/* Until its closing parenthesis, or the end. NULL: nothing is in it. */
static struct rk_qnode *parse_group(struct parser *p)
{
	struct rk_qnode *g = rk_q_node(p, RK_NODE_GROUP, RK_SHOULD),
			*last = NULL;
	int and = 0;

	if (!g)
		return NULL;
	while (p->s < p->end && !p->err) {
		struct rk_qnode *n;

		skip_blanks(p);
		if (p->s == p->end)
			break;
		if (*p->s == ')') {
			if (p->depth)
				break;
			p->s++; /* a stray one */
			continue;
		}
		if (at_operator(p, "AND")) {
			p->s += 3;
			and = last != NULL;
			continue;
		}
		if (at_operator(p, "OR")) {
			p->s += 2; /* with nothing in front of it */
			continue;
		}
		if (!(n = parse_clause(p)))
			continue;
		if (and&&last->occur == RK_SHOULD)
			last->occur = RK_MUST;
		if (and&&n->occur == RK_SHOULD)
			n->occur = RK_MUST;
		and = 0;
		append(g, n);
		last = n;
	}
	if (g->child && !g->child->next && p->depth)
		return g->child;
	return g->child ? g : NULL;
}

/* --- afterwards --- */

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
			append(any[k], n);
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

static int is_identifier(const char *s, size_t n)
{
	if (n < 2 || isdigit((unsigned char)*s))
		return 0;
	for (size_t i = 0; i < n; i++)
		if (!isalnum((unsigned char)s[i]) && s[i] != '_')
			return 0;
	return 1;
}

static void finish(struct parser *p)
{
	struct rk_query *q = p->q;
	const struct rk_qnode *n;

	if (!q->root || !q->root->child)
		return;
	join_filters(p, q->root);
	q->root->occur = RK_MUST;
	settle(q, q->root, RK_MUST);
	n = q->root->child;
	for (; n; n = n->next)
		q->constrained |=
			n->kind != RK_NODE_WORD || n->occur != RK_SHOULD;
	n = q->root->child;
	if (n && !n->next && n->kind == RK_NODE_WORD && n->occur != RK_NOT) {
		const char *s = n->source + (*n->source == '+');
		size_t len = (size_t)(n->source_end - s);

		if (is_identifier(s, len))
			q->bare = rk_q_keep(p, s, len);
	}
}

int rk_query_parse(struct rk_query *q, struct rk_analyser *a, const char *s,
		   size_t n, int64_t now_ns, uint64_t languages)
{
	struct parser p = {.q = q,
			   .a = a,
			   .now_ns = now_ns,
			   .languages = languages & ~1ull};

	memset(q, 0, sizeof(*q));
	q->hits = q->tokens = -1;
	q->page = 1;
	if (n > RK_QUERY_BYTES) {
		n = RK_QUERY_BYTES;
		rk_buf_printf(&q->notes, "only the first %d KiB are read\n",
			      RK_QUERY_BYTES >> 10);
	}
	if (!(p.s = rk_q_keep(&p, s, n)))
		return -ENOMEM;
	p.end = p.s + n;
	q->root = parse_group(&p);
	finish(&p);
	if (q->nterms)
		q->only_stop_words = 0;
	return p.err ? p.err : q->notes.err;
}
