/* SPDX-License-Identifier: MIT */
/* key:value in a query: directives, properties and filters, as a table. */
#include "query/parse.h"
#include "text/extract/property.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

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

/* --- properties --- */

static struct rk_qnode *symbol_node(struct parser *p, const char *value,
				    enum rk_occur occur)
{
	if (occur != RK_NOT)
		p->q->symbol = value;
	return rk_q_property(p, RK_PROP_SYMBOL, "", 0, value, occur);
}

static struct rk_qnode *tag_node(struct parser *p, const char *value,
				 enum rk_occur occur)
{
	return rk_q_property(p, RK_PROP_TAG, "", 0, value + (*value == '#'),
			     occur);
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
	    !(node = rk_q_node(p, RK_NODE_FILTER, occur)))
		return NULL;
	node->filter = f;
	p->q->has_filters = *understood = 1;
	return node;
}

/* `key:value` with its value in hand. *understood: else it is plain text. */
struct rk_qnode *rk_q_key(struct parser *p, const char *key, size_t key_n,
			  const char *value, enum rk_occur occur,
			  int *understood)
{
	const struct key *k = find_key(key, key_n);
	struct rk_qnode *node;

	if (key_n > 5 && strncasecmp(key, "meta.", 5) == 0 && *value) {
		*understood = 1;
		return rk_q_property(p, RK_PROP_META, key + 5, key_n - 5, value,
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
