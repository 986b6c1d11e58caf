/* SPDX-License-Identifier: MIT */
/* key:value in a query: directives, properties and filters, as a table. */
#include "query/parse.h"
#include "text/extract/kind.h"
#include "text/extract/property.h"
#include "text/symbols/entity.h"
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
		{"ansi", RK_AS_ANSI},	{"paths0", RK_AS_PATHS0}};
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

static int set_case(struct rk_query *q, const char *v)
{
	static const struct named ANSWERS[] = {{"yes", 1}, {"no", 0}};
	int yes = LOOKUP(ANSWERS, v);

	if (yes >= 0)
		q->exact_case = yes;
	return yes >= 0;
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
	const char *wrong; /* what a value that is not understood is not */
} KEYS[] = {
	{"as", set_format, NULL, 0,
	 "a form: text, lines, paths, json, jsonl, pack or ansi"},
	{"n", set_hits, NULL, 0, "a number"},
	{"mode", set_mode, NULL, 0, "a mode: hybrid, lexical or vector"},
	{"sort", set_sort, NULL, 0, "an order: score, new or path"},
	{"page", set_page, NULL, 0, "a number"},
	{"min", set_min, NULL, 0, "a number from 0 to 1"},
	{"tokens", set_tokens, NULL, 0, "a number"},
	{"case", set_case, NULL, 0, "yes or no"},
	{"like", set_like, NULL, 0, ""},
	{"sym", NULL, symbol_node, 0, "a name"},
	{"tag", NULL, tag_node, 0, "a tag"},
	{"path", NULL, NULL, RK_BY_PATH, ""},
	{"ext", NULL, NULL, RK_BY_EXT, ""},
	{"lang", NULL, NULL, RK_BY_LANG, ""},
	{"kind", NULL, NULL, RK_BY_KIND, ""},
	{"after", NULL, NULL, RK_BY_AFTER, "a date: 2026-01-31, 7d or today"},
	{"before", NULL, NULL, RK_BY_BEFORE, "a date: 2026-01-31, 7d or today"},
	{"size", NULL, NULL, RK_BY_SIZE, "a size: >10k, <1M or 10k..1M"},
};

static const struct key *find_key(const char *s, size_t n)
{
	for (size_t i = 0; i < sizeof(KEYS) / sizeof(KEYS[0]); i++)
		if (strlen(KEYS[i].name) == n &&
		    strncasecmp(KEYS[i].name, s, n) == 0)
			return &KEYS[i];
	return NULL;
}

/* A language or kind that no document can have, however many there are. */
static void note_unknown(struct parser *p, enum rk_filter_kind kind,
			 const char *list)
{
	while (*list) {
		size_t n = strcspn(list, ",");

		if (n && kind == RK_BY_LANG && !rk_language_known(list, n))
			rk_buf_printf(&p->q->notes,
				      "lang:%.*s is no language that is "
				      "known\n",
				      (int)n, list);
		if (n && kind == RK_BY_KIND && !rk_kind_known(list, n) &&
		    !rk_entity_kind_known(list, n))
			rk_buf_printf(&p->q->notes,
				      "kind:%.*s is no kind that is known\n",
				      (int)n, list);
		list += n + (list[n] == ',');
	}
}

static struct rk_qnode *filter_node(struct parser *p, enum rk_filter_kind kind,
				    const char *value, enum rk_occur occur,
				    int *understood)
{
	struct rk_filter f;
	struct rk_qnode *node;

	if (kind == RK_BY_PATH && !(value = rk_q_fold(p, value)))
		return NULL;
	if (!rk_filter_parse(&f, kind, value, p->now_ns) ||
	    !(node = rk_q_node(p, RK_NODE_FILTER, occur)))
		return NULL;
	node->filter = f;
	note_unknown(p, kind, value);
	p->q->has_filters = *understood = 1;
	return node;
}

int rk_q_is_key(const char *key, size_t n)
{
	return find_key(key, n) || (n > 5 && !strncasecmp(key, "meta.", 5));
}

/* `key:value` that is read as text, though the key is known. */
static void note_wrong(struct parser *p, const struct key *k, const char *value)
{
	struct rk_buf *b = &p->q->notes;

	if (*value == '\0')
		rk_buf_printf(b, "%s: has no value and is read as a word\n",
			      k->name);
	else
		rk_buf_printf(b, "%s:%.60s is not %s\n", k->name, value,
			      k->wrong);
}

/* `key:value` with its value in hand. *understood: else it is plain text. */
struct rk_qnode *rk_q_key(struct parser *p, const char *key, size_t key_n,
			  const char *value, enum rk_occur occur,
			  int *understood)
{
	const struct key *k = find_key(key, key_n);
	struct rk_qnode *node = NULL;

	if (key_n > 5 && strncasecmp(key, "meta.", 5) == 0 && *value) {
		*understood = 1;
		return rk_q_property(p, RK_PROP_META, key + 5, key_n - 5, value,
				     occur);
	}
	if (!k)
		return NULL;
	if (*value && k->set) {
		*understood = occur != RK_NOT && k->set(p->q, value);
	} else if (*value && !k->node) {
		node = filter_node(p, k->filter, value, occur, understood);
	} else if (*value) {
		node = k->node(p, value, occur);
		*understood = node != NULL;
	}
	if (!*understood && !p->err)
		note_wrong(p, k, value);
	return node;
}
