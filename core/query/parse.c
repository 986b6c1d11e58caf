/* SPDX-License-Identifier: MIT */
/*
 * The grammar of queries, by recursive descent:
 *
 *   group  := { clause | "AND" }
 *   clause := item { ("OR" | "|") item }
 *   item   := ["+" | "-" | "NOT"] ( "(" group ")" | '"' words '"' ["~" digits]
 *             | "/" pattern "/" ["i"] | key ":" value | "~" word
 *             | word "*" | word with wildcards | word ) ["^" number]
 *
 * Nothing is an error: a parenthesis or quote that is never closed ends with
 * the text, a stray one is a blank, an unknown key is a word. AND, OR and NOT
 * are words in a title that is written in capitals.
 */
#include "query/parse.h"
#include "query/scan.h"
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
	const char *s = p->s, *end = rk_scan_to_quote(s, p->end);
	struct rk_qnode *node;
	uint32_t slop = 0;
	int common;

	p->s = end + rk_scan_quote(end, p->end);
	if (p->s + 1 < p->end && *p->s == '~' &&
	    isdigit((unsigned char)p->s[1]))
		p->s = skip_digits(p->s + 1, p->end, &slop);
	if (p->q->nphrases == RK_PHRASES_MAX)
		return rk_q_text(p, s, (size_t)(end - s), occur, -1);
	common = p->q->only_stop_words;
	p->q->only_stop_words = 0;
	node = rk_q_text(p, s, (size_t)(end - s), occur, (int)p->q->nphrases);
	if (!node && p->q->only_stop_words)
		return rk_q_common_phrase(p, s, (size_t)(end - s));
	p->q->only_stop_words |= common;
	if (!node)
		return NULL;
	p->q->nphrases++;
	node->slop = slop;
	return rk_q_exactly(p, node, s, (size_t)(end - s));
}

/* 1: taken, whether or not it gave a node; 0: it is text. */
static int parse_key(struct parser *p, enum rk_occur occur,
		     struct rk_qnode **node)
{
	const char *colon = rk_scan_key(p->s, p->end), *v, *end, *after;
	int understood = 0;
	char *value;

	*node = NULL;
	if (!colon)
		return 0;
	v = colon + 1;
	if (rk_scan_quote(v, p->end)) {
		v += rk_scan_quote(v, p->end);
		end = rk_scan_to_quote(v, p->end);
		after = end + rk_scan_quote(end, p->end);
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
	while (s < p->end && !isspace((unsigned char)*s) && *s != '(' &&
	       *s != ')' && !rk_scan_quote(s, p->end))
		s++;
	return s;
}

/* From its terms on, everything counts so many times. */
static void boost_terms(struct parser *p, unsigned first, double boost)
{
	for (unsigned t = first; t < p->q->nterms; t++)
		p->q->terms[t].weight *= (float)boost;
}

/* `^2` behind a phrase or group. */
static void parse_boost(struct parser *p, unsigned first)
{
	const char *end = p->s;
	double boost = 1;

	if (end == p->end || *end != '^')
		return;
	while (end < p->end && !isspace((unsigned char)*end) && *end != ')')
		end++;
	if (rk_scan_boost(p->s - 1, (size_t)(end - p->s) + 1, &boost) != 1)
		return;
	p->s = end;
	boost_terms(p, first, boost);
}

/* A word whose wildcards, at its end or inside, stand for any letters. */
static struct rk_qnode *parse_wild(struct parser *p, const char *s, size_t n,
				   enum rk_occur occur)
{
	while (n > 1 && strchr(",;:.!?", s[n - 1]))
		n--; /* the end of a sentence */
	if (n > 1 && s[n - 1] == '*' && !memchr(s, '*', n - 1) &&
	    !memchr(s, '?', n - 1))
		return rk_q_expanding(p, s, n - 1, occur, RK_TERM_PREFIX);
	if (rk_scan_is_glob(s, n))
		return rk_q_expanding(p, s, n, occur, RK_TERM_GLOB);
	return NULL;
}

static struct rk_qnode *parse_word(struct parser *p, enum rk_occur occur)
{
	const char *s = p->s, *end = word_end(p, s);
	size_t n = (size_t)(end - s);
	unsigned first = p->q->nterms;
	struct rk_qnode *node = NULL;
	double boost = 1;

	p->s = end > s ? end : s + 1;
	n = n > 3 ? rk_scan_boost(s, n, &boost) : n;
	if (n > 1 && *s == '~')
		node = rk_q_expanding(p, s + 1, n - 1, occur, RK_TERM_FUZZY);
	else if (n == 0 || !(node = parse_wild(p, s, n, occur)))
		node = n ? rk_q_text(p, s, n, occur, -1) : NULL;
	boost_terms(p, first, boost);
	return node;
}

/* --- groups --- */

static struct rk_qnode *parse_group(struct parser *p);

static int at_operator(const struct parser *p, const char *op)
{
	return p->operators && rk_scan_operator(p->s, p->end, op);
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

/* NOT between words: there is something before it, and behind it. */
static int parse_not(struct parser *p)
{
	const char *s = p->s + 3;

	if (!at_operator(p, "NOT") || (!p->items && p->depth == 0))
		return 0;
	while (s < p->end && isspace((unsigned char)*s))
		s++;
	if (s == p->end || *s == ')')
		return 0;
	p->s = s;
	return 1;
}

static enum rk_occur parse_sign(struct parser *p, int *minus)
{
	char c, next;

	*minus = 0;
	if (parse_not(p))
		return RK_NOT;
	c = *p->s;
	next = p->s + 1 < p->end ? p->s[1] : ' ';
	if ((c != '-' && c != '+') || isspace((unsigned char)next) ||
	    next == '-' || next == '+')
		return RK_SHOULD;
	p->s++;
	*minus = c == '-';
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
	unsigned first = p->q->nterms;
	int minus;
	enum rk_occur sign = parse_sign(p, &minus);
	size_t quote = rk_scan_quote(p->s, p->end);
	struct rk_qnode *n;

	p->items++;
	if (*p->s == '(')
		n = parse_parens(p), parse_boost(p, first);
	else if (quote)
		p->s += quote, n = parse_phrase(p, sign), parse_boost(p, first);
	else if (!(*p->s == '/' && parse_regex(p, sign, &n)) &&
		 !parse_key(p, sign, &n))
		n = parse_word(p, sign);
	if (!n)
		return NULL;
	n->occur = sign == RK_SHOULD ? default_occur(n) : sign;
	n->minus = minus;
	n->source = from;
	n->source_end = p->s;
	return n;
}

/* item { OR item } */
static struct rk_qnode *parse_clause(struct parser *p)
{
	struct rk_qnode *n = parse_item(p), *any = NULL;

	for (;;) {
		const char *before = p->s;
		struct rk_qnode *more;

		skip_blanks(p);
		if (!at_operator(p, "OR") &&
		    !rk_scan_operator(p->s, p->end, "|")) {
			p->s = before;
			return any ? any : n;
		}
		p->s += *p->s == '|' ? 1 : 2; /* OR */
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
			rk_q_append(any, n);
		}
		rk_q_append(any, more);
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
		rk_q_append(g, n);
		last = n;
	}
	if (g->child && !g->child->next && p->depth)
		return g->child;
	return g->child ? g : NULL;
}

/* --- the whole --- */

static int parse_whole(struct rk_query *q, struct rk_analyser *a, const char *s,
		       size_t n, int64_t now_ns, uint64_t languages,
		       int requests)
{
	struct parser p = {.q = q,
			   .a = a,
			   .now_ns = now_ns,
			   .languages = languages & ~1ull};
	const char *from;

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
	p.operators = rk_scan_has_operators(p.s, p.end, rk_q_is_key);
	from = requests ? rk_scan_request(p.s, p.end) : p.s;
	q->is_request = from > p.s;
	p.s = from;
	q->root = parse_group(&p);
	rk_q_finish(&p);
	return p.err ? p.err : q->notes.err;
}

int rk_query_parse(struct rk_query *q, struct rk_analyser *a, const char *s,
		   size_t n, int64_t now_ns, uint64_t languages)
{
	int rc = parse_whole(q, a, s, n, now_ns, languages, 1);

	if (rc < 0 || !q->is_request || q->nterms)
		return rc;
	rk_query_release(q); /* nothing is behind the request */
	return parse_whole(q, a, s, n, now_ns, languages, 0);
}
