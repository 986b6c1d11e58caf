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
#include "index/query.h"
#include "text/property.h"
#include "text/regex.h"
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct parser {
	struct rk_query *q;
	struct rk_analyser *a;
	const char *s, *end;
	int64_t now_ns;
	uint64_t languages;
	uint32_t slot;
	int depth;
	int err; /* -ENOMEM sticks */
};

void rk_query_release(struct rk_query *q)
{
	for (unsigned i = 0; i < q->nregex; i++)
		rk_regex_free(q->regex[i]);
	rk_arena_release(&q->arena);
	rk_buf_release(&q->text);
	rk_buf_release(&q->notes);
}

static char *keep(struct parser *p, const char *s, size_t n)
{
	char *c = rk_arena_strndup(&p->q->arena, s, n);

	if (!c)
		p->err = -ENOMEM;
	return c;
}

/* A node, or NULL if there are too many or memory is short. */
static struct rk_qnode *new_node(struct parser *p, enum rk_node_kind kind,
				 enum rk_occur occur)
{
	struct rk_qnode *n;

	if (p->q->nnodes == RK_NODES_MAX)
		return NULL;
	n = rk_arena_alloc(&p->q->arena, sizeof(*n));
	if (!n) {
		p->err = -ENOMEM;
		return NULL;
	}
	p->q->nnodes++;
	*n = (struct rk_qnode){.kind = kind, .occur = occur, .phrase = -1};
	return n;
}

/* --- terms --- */

static void lower(char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		s[i] = (char)tolower((unsigned char)s[i]);
}

static struct rk_qterm *new_term(struct parser *p, const char *s, size_t n,
				 const char *surface, size_t surface_n)
{
	struct rk_query *q = p->q;
	struct rk_qterm *e = &q->terms[q->nterms];
	char *kept, *typed;

	if (q->nterms == RK_TERMS_MAX || n == 0 || n > RK_TERM_MAX)
		return NULL;
	kept = keep(p, s, n);
	typed = keep(p, surface, surface_n);
	if (!kept || !typed)
		return NULL;
	lower(typed, surface_n);
	*e = (struct rk_qterm){.s = kept,
			       .n = n,
			       .weight = 1,
			       .slot = p->slot,
			       .surface = typed,
			       .surface_n = surface_n,
			       .phrase = -1};
	q->nterms++;
	return e;
}

/* A word that was said before in a plain place only counts for more. */
static struct rk_qterm *said_before(struct parser *p, const struct rk_word *w)
{
	struct rk_query *q = p->q;

	for (unsigned i = 0; i < q->nterms; i++) {
		struct rk_qterm *t = &q->terms[i];

		if (t->n == w->n && t->phrase < 0 && t->weight > 0 &&
		    t->match == RK_TERM_EXACT && !memcmp(t->s, w->s, w->n))
			return t;
	}
	return NULL;
}

static void add_term(struct parser *p, const struct rk_tok *t, const char *text,
		     int phrase, int part)
{
	const struct rk_word *w = &rk_analyser_vocab(p->a)->v[t->term];
	struct rk_qterm *e = new_term(p, w->s, w->n, text + t->off, t->len);

	if (!e)
		return;
	e->slot = p->slot + t->pos;
	e->len = t->len;
	e->part = part;
	e->phrase = phrase;
	e->phrase_pos = t->pos;
}

/* In a phrase the parts stand for the whole identifier. */
static int stands_for_parts(const struct rk_tok *t, size_t n, size_t i)
{
	return i + 1 < n && t[i + 1].off == t[i].off && !t[i + 1].word &&
	       t[i].word == 0 && (i == 0 || t[i - 1].off != t[i].off);
}

static int analyse(struct parser *p, const char *s, size_t n,
		   const struct rk_tok **toks, size_t *count)
{
	uint32_t pos = 0;

	rk_analyser_reset(p->a);
	p->err |= rk_analyse(p->a, s, n, 0, &pos);
	*toks = rk_analyser_toks(p->a, count);
	return (int)pos;
}

static void note_text(struct parser *p, const char *s, size_t n)
{
	if (p->q->text.n)
		rk_buf_byte(&p->q->text, ' ');
	rk_buf_add(&p->q->text, s, n);
	if (p->q->text.err)
		p->err = -ENOMEM;
}

static void add_alternative(struct parser *p, struct rk_qterm *t,
			    const struct rk_word *w)
{
	if (t->n == w->n && memcmp(t->s, w->s, w->n) == 0)
		return;
	for (unsigned i = 0; i < t->nalts; i++)
		if (strcmp(t->alts[i], w->s) == 0)
			return;
	if (t->nalts < RK_ALTS_MAX && (t->alts[t->nalts] = keep(p, w->s, w->n)))
		t->nalts++;
}

/* What the other languages of the index make of the same tokens. */
static void add_alternatives(struct parser *p, const char *s, size_t n,
			     unsigned first, uint32_t base_pos)
{
	uint64_t left = p->q->nterms > first ? p->languages : 0;

	for (; left && !p->err; left &= left - 1) {
		const struct rk_tok *toks;
		size_t count;

		p->err |= rk_analyser_use(
			p->a, (enum rk_language)__builtin_ctzll(left));
		analyse(p, s, n, &toks, &count);
		for (size_t i = 0; i < count; i++)
			for (unsigned t = first; t < p->q->nterms; t++) {
				struct rk_qterm *e = &p->q->terms[t];

				/* the same place is the same word */
				if (!toks[i].word && e->len == toks[i].len &&
				    e->slot == base_pos + toks[i].pos &&
				    !e->part)
					add_alternative(
						p, e,
						&rk_analyser_vocab(p->a)
							 ->v[toks[i].term]);
			}
	}
	if (p->languages)
		p->err |= rk_analyser_use(p->a, RK_LANGUAGE_BASE);
}

/*
 * The terms of one word or phrase, as a node; NULL if nothing in it is
 * indexed, or all of it has been said.
 */
static struct rk_qnode *text_node(struct parser *p, const char *s, size_t n,
				  enum rk_occur occur, int phrase)
{
	unsigned first = p->q->nterms;
	struct rk_qnode *node;
	const struct rk_tok *toks;
	size_t count, found = 0;
	int pos = analyse(p, s, n, &toks, &count);
	uint32_t base_pos = p->slot;

	for (size_t i = 0; i < count && !p->err; i++) {
		const struct rk_word *w;
		struct rk_qterm *said;

		if (toks[i].word ||
		    (phrase >= 0 && stands_for_parts(toks, count, i)))
			continue;
		found++;
		w = &rk_analyser_vocab(p->a)->v[toks[i].term];
		said = phrase < 0 && occur == RK_SHOULD && p->depth == 0
			       ? said_before(p, w)
			       : NULL;
		if (said)
			said->weight += 1;
		else
			add_term(p, &toks[i], s, phrase,
				 stands_for_parts(toks, count, i) ||
					 (i && toks[i - 1].off == toks[i].off &&
					  !toks[i - 1].word));
	}
	add_alternatives(p, s, n, first, base_pos);
	if (occur != RK_NOT)
		note_text(p, s, n);
	if (n && found == 0 && pos > 0)
		p->q->only_stop_words = 1;
	p->slot += (uint32_t)pos;
	if (p->q->nterms == first ||
	    !(node = new_node(p, phrase < 0 ? RK_NODE_WORD : RK_NODE_PHRASE,
			      occur)))
		return NULL;
	node->term = first;
	node->nterms = p->q->nterms - first;
	node->phrase = phrase;
	return node;
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
		return text_node(p, s, (size_t)(end - s), occur, -1);
	node = text_node(p, s, (size_t)(end - s), occur, (int)p->q->nphrases);
	if (!node)
		return NULL;
	p->q->nphrases++;
	node->slop = slop;
	return node;
}

/* A word's own letters, folded and not stemmed: what prefixes compare with. */
static struct rk_qterm *unstemmed(struct parser *p, const char *s, size_t n)
{
	const struct rk_tok *toks;
	char text[RK_TERM_MAX];
	size_t count, at = 0;
	int ascii = 1;

	for (size_t i = 0; i < n; i++)
		ascii &= (unsigned char)s[i] < 0x80;
	if (n == 0 || n > 64)
		return NULL;
	memcpy(text, s, n);
	lower(text, n);
	if (ascii)
		return new_term(p, text, n, s, n);
	analyse(p, s, n, &toks, &count);
	while (at + 1 < count && !toks[at].word)
		at++;
	if (count == 0)
		return NULL;
	{
		const struct rk_word *w =
			&rk_analyser_vocab(p->a)->v[toks[at].term];
		size_t mark = toks[at].word != 0;

		return new_term(p, w->s + mark, w->n - mark, s, n);
	}
}

static struct rk_qnode *expanding_node(struct parser *p, const char *s,
				       size_t n, enum rk_occur occur,
				       enum rk_term_match match)
{
	unsigned first = p->q->nterms;
	struct rk_qterm *t = unstemmed(p, s, n);
	struct rk_qnode *node;

	if (!t || !(node = new_node(p, RK_NODE_WORD, occur)))
		return NULL;
	t->match = match;
	if (occur != RK_NOT)
		note_text(p, s, n);
	p->slot++;
	node->term = first;
	node->nterms = 1;
	return node;
}

/* --- properties: sym: tag: meta.key: --- */

static struct rk_qnode *property_node(struct parser *p, char kind,
				      const char *key, size_t key_n,
				      const char *value, enum rk_occur occur)
{
	struct rk_compare cmp;
	struct rk_qterm *t;
	struct rk_qnode *node;
	char name[RK_TERM_MAX];
	unsigned first = p->q->nterms;
	size_t n, v;

	rk_compare_parse(&cmp, value);
	v = cmp.op == '=' ? strlen(cmp.value) : 0;
	n = rk_property_name(name, kind, key, key_n, cmp.value, v);
	if (n == 0 || !(t = new_term(p, name, n, value, strlen(value))) ||
	    !(node = new_node(p, RK_NODE_PROPERTY, occur)))
		return NULL;
	t->weight = 0;
	t->compare = cmp;
	t->match = cmp.op == '=' ? RK_TERM_EXACT : RK_TERM_RANGE;
	node->term = first;
	node->nterms = 1;
	return node;
}

static struct rk_qnode *symbol_node(struct parser *p, const char *value,
				    enum rk_occur occur)
{
	if (occur != RK_NOT)
		p->q->symbol = value;
	return property_node(p, RK_PROP_SYMBOL, "", 0, value, occur);
}

static struct rk_qnode *tag_node(struct parser *p, const char *value,
				 enum rk_occur occur)
{
	return property_node(p, RK_PROP_TAG, "", 0, value + (*value == '#'),
			     occur);
}

/* --- directives: what the answer shall look like --- */

struct named {
	const char *name;
	int value;
};

static int lookup(const struct named *t, size_t n, const char *v)
{
	for (size_t i = 0; i < n; i++)
		if (strcasecmp(t[i].name, v) == 0)
			return t[i].value;
	return -1;
}
#define LOOKUP(table, v) lookup(table, sizeof(table) / sizeof((table)[0]), v)

static int set_format(struct rk_query *q, const char *v)
{
	static const struct named FORMATS[] = {
		{"text", RK_AS_TEXT},	{"json", RK_AS_JSON},
		{"jsonl", RK_AS_JSONL}, {"paths", RK_AS_PATHS},
		{"lines", RK_AS_LINES}, {"pack", RK_AS_PACK},
		{"ansi", RK_AS_ANSI}};
	int f = LOOKUP(FORMATS, v);

	if (f < 0)
		return 0;
	q->format = (enum rk_format)f;
	q->format_given = 1;
	return 1;
}

static int set_mode(struct rk_query *q, const char *v)
{
	static const struct named MODES[] = {{"hybrid", RK_MODE_HYBRID},
					     {"lexical", RK_MODE_LEXICAL},
					     {"vector", RK_MODE_VECTOR}};
	int m = LOOKUP(MODES, v);

	if (m >= 0)
		q->mode = (enum rk_mode)m;
	return m >= 0;
}

static int set_sort(struct rk_query *q, const char *v)
{
	static const struct named SORTS[] = {{"score", RK_SORT_SCORE},
					     {"new", RK_SORT_NEW},
					     {"path", RK_SORT_PATH}};
	int m = LOOKUP(SORTS, v);

	if (m >= 0)
		q->sort = (enum rk_sort)m;
	return m >= 0;
}

static int set_number(const char *v, int64_t max, int64_t *out)
{
	char *end;
	long long n = strtoll(v, &end, 10);

	if (end == v || *end || n < 1)
		return 0;
	*out = n > max ? max : n;
	return 1;
}

static int set_hits(struct rk_query *q, const char *v)
{
	return set_number(v, RK_HITS_MAX, &q->hits);
}

static int set_page(struct rk_query *q, const char *v)
{
	return set_number(v, RK_HITS_MAX, &q->page);
}

static int set_tokens(struct rk_query *q, const char *v)
{
	return set_number(v, 1 << 24, &q->tokens);
}

static int set_min(struct rk_query *q, const char *v)
{
	char *end;
	double d = strtod(v, &end);

	if (end == v || *end || !isfinite(d) || d < 0 || d > 1)
		return 0;
	q->min = d;
	return 1;
}

static int set_like(struct rk_query *q, const char *v)
{
	if (*v)
		q->like = v;
	return *v != '\0';
}

/* --- keys --- */

static const struct key {
	const char *name;
	int (*set)(struct rk_query *q, const char *v); /* a directive, or */
	struct rk_qnode *(*node)(struct parser *, const char *,
				 enum rk_occur); /* a property, or */
	enum rk_filter_kind filter;
} KEYS[] = {
	{"as", set_format, NULL, 0},
	{"n", set_hits, NULL, 0},
	{"mode", set_mode, NULL, 0},
	{"sort", set_sort, NULL, 0},
	{"page", set_page, NULL, 0},
	{"min", set_min, NULL, 0},
	{"tokens", set_tokens, NULL, 0},
	{"like", set_like, NULL, 0},
	{"sym", NULL, symbol_node, 0},
	{"tag", NULL, tag_node, 0},
	{"path", NULL, NULL, RK_BY_PATH},
	{"ext", NULL, NULL, RK_BY_EXT},
	{"lang", NULL, NULL, RK_BY_LANG},
	{"kind", NULL, NULL, RK_BY_KIND},
	{"after", NULL, NULL, RK_BY_AFTER},
	{"before", NULL, NULL, RK_BY_BEFORE},
	{"size", NULL, NULL, RK_BY_SIZE},
};

static const struct key *find_key(const char *s, size_t n)
{
	for (size_t i = 0; i < sizeof(KEYS) / sizeof(KEYS[0]); i++)
		if (strlen(KEYS[i].name) == n &&
		    strncasecmp(KEYS[i].name, s, n) == 0)
			return &KEYS[i];
	return NULL;
}

static struct rk_qnode *filter_node(struct parser *p, enum rk_filter_kind kind,
				    const char *value, enum rk_occur occur,
				    int *understood)
{
	struct rk_filter f;
	struct rk_qnode *node;

	if (!rk_filter_parse(&f, kind, value, p->now_ns) ||
	    !(node = new_node(p, RK_NODE_FILTER, occur)))
		return NULL;
	node->filter = f;
	p->q->has_filters = *understood = 1;
	return node;
}

/* `key:value` with its value in hand. *understood: else it is plain text. */
static struct rk_qnode *key_node(struct parser *p, const char *key,
				 size_t key_n, const char *value,
				 enum rk_occur occur, int *understood)
{
	const struct key *k = find_key(key, key_n);
	struct rk_qnode *node;

	if (key_n > 5 && strncasecmp(key, "meta.", 5) == 0 && *value) {
		*understood = 1;
		return property_node(p, RK_PROP_META, key + 5, key_n - 5, value,
				     occur);
	}
	if (!k || *value == '\0')
		return NULL;
	if (k->set) {
		*understood = occur != RK_NOT && k->set(p->q, value);
		return NULL;
	}
	if (!k->node)
		return filter_node(p, k->filter, value, occur, understood);
	node = k->node(p, value, occur);
	*understood = node != NULL;
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
	if (!(value = keep(p, v, (size_t)(end - v))))
		return 1;
	*node = key_node(p, p->s, (size_t)(colon - p->s), value, occur,
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
	if ((*node = new_node(p, RK_NODE_REGEX, occur)))
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
		return expanding_node(p, s + 1, n - 1, occur, RK_TERM_FUZZY);
	if (n > 1 && s[n - 1] == '*' && s[n - 2] != '*')
		return expanding_node(p, s, n - 1, occur, RK_TERM_PREFIX);
	return n ? text_node(p, s, n, occur, -1) : NULL;
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
			if (!(any = new_node(p, RK_NODE_GROUP, RK_SHOULD)))
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
	struct rk_qnode *g = new_node(p, RK_NODE_GROUP, RK_SHOULD),
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
				new_node(p, RK_NODE_GROUP, RK_MUST);

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

	if (!q->root)
		return;
	join_filters(p, q->root);
	q->root->occur = RK_MUST;
	settle(q, q->root, RK_MUST);
	for (n = q->root->child; n; n = n->next)
		q->constrained |=
			n->kind != RK_NODE_WORD || n->occur != RK_SHOULD;
	n = q->root->child;
	if (!n->next && n->kind == RK_NODE_WORD && n->occur != RK_NOT) {
		const char *s = n->source + (*n->source == '+');
		size_t len = (size_t)(n->source_end - s);

		if (is_identifier(s, len))
			q->bare = keep(p, s, len);
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
	if (!(p.s = keep(&p, s, n)))
		return -ENOMEM;
	p.end = p.s + n;
	q->root = parse_group(&p);
	finish(&p);
	if (q->nterms)
		q->only_stop_words = 0;
	return p.err ? p.err : q->notes.err;
}
