/* SPDX-License-Identifier: MIT */
/* Answers as JSON. */
#include "render/render.h"
#include "base/buf.h"
#include "base/put.h"
#include "render/dump.h"
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static json_t *text_json(const char *s, size_t n)
{
	struct rk_buf b = RK_BUF_INIT;
	json_t *j;

	rk_put_line(&b, s, n);
	j = json_stringn((char *)b.p, b.n);
	rk_buf_release(&b);
	return j ? j : json_string("");
}

/* One that is not UTF-8 is escaped, and another member says so. */
static void set_path(json_t *o, const char *root, const char *path)
{
	struct rk_buf b = RK_BUF_INIT;
	int escaped = rk_put_path_utf8(&b, root, path);

	json_object_set_new(o, "path", json_stringn((char *)b.p, b.n));
	if (escaped)
		json_object_set_new(o, "path_escaped", json_true());
	rk_buf_release(&b);
}

static void set_int(json_t *o, const char *key, uint64_t v)
{
	json_object_set_new(o, key, json_integer((json_int_t)v));
}

/* Why a hit is where it is: its rank and score in each lane that found it. */
static json_t *lanes_json(const struct rk_hit *h)
{
	const struct {
		const char *name;
		uint32_t rank;
		double score;
	} LANES[] = {{"lexical", h->lexical_rank, h->lexical},
		     {"vector", h->vector_rank, h->vector}};
	json_t *o = json_object();

	for (size_t i = 0; i < sizeof(LANES) / sizeof(LANES[0]); i++) {
		json_t *lane;

		if (!LANES[i].rank)
			continue;
		lane = json_object();
		set_int(lane, "rank", LANES[i].rank);
		json_object_set_new(lane, "score", json_real(LANES[i].score));
		json_object_set_new(o, LANES[i].name, lane);
	}
	return o;
}

static json_t *ref_json(uint64_t id)
{
	char s[20];

	snprintf(s, sizeof(s), "%016llx", (unsigned long long)id);
	return json_string(s);
}

static json_t *line_json(const struct rk_line *l, const char *root)
{
	json_t *o = json_object();

	set_path(o, root, l->path);
	set_int(o, "line", l->line);
	json_object_set_new(o, "text", text_json(l->text, l->len));
	return o;
}

static const char *op_name(enum rk_op op)
{
	static const char *const NAMES[] = {
		[RK_OP_ALL] = "all",	   [RK_OP_WORD] = "word",
		[RK_OP_PHRASE] = "phrase", [RK_OP_PROPERTY] = "property",
		[RK_OP_FILTER] = "filter", [RK_OP_REGEX] = "regex",
		[RK_OP_ANY] = "any",
	};

	return NAMES[op];
}

static const char *occur_name(enum rk_occur occur)
{
	static const char *const NAMES[] = {
		[RK_SHOULD] = "should", [RK_MUST] = "must", [RK_NOT] = "not"};

	return NAMES[occur];
}

/* The query as it was understood; siblings of c, too. */
static json_t *clauses_json(const struct rk_clause *c)
{
	json_t *v = json_array();

	for (; c; c = c->next) {
		json_t *o = json_object();

		json_object_set_new(o, "op", json_string(op_name(c->op)));
		json_object_set_new(o, "occur",
				    json_string(occur_name(c->occur)));
		if (*c->text)
			json_object_set_new(
				o, "text", text_json(c->text, strlen(c->text)));
		if (*c->terms)
			json_object_set_new(
				o, "terms",
				text_json(c->terms, strlen(c->terms)));
		if (c->child)
			json_object_set_new(o, "of", clauses_json(c->child));
		json_array_append_new(v, o);
	}
	return v;
}

/* Their paths; one that is escaped is an object, as a hit is. */
static void set_copies(json_t *o, const struct rk_hit *h, const char *root)
{
	json_t *copies = json_array();

	for (size_t i = 0; i < h->ncopies; i++) {
		json_t *c = json_object();

		set_path(c, root, h->copies[i]);
		if (!json_object_get(c, "path_escaped")) {
			json_array_append(copies, json_object_get(c, "path"));
			json_decref(c);
		} else {
			json_array_append_new(copies, c);
		}
	}
	json_object_set_new(o, "copies", copies);
}

/* Of an excerpt of several runs of lines: which lines they are. */
static void set_lines(json_t *o, const struct rk_hit *h)
{
	json_t *v;

	if (h->nlines == 0 ||
	    h->lines[h->nlines - 1] == h->lines[0] + h->nlines - 1)
		return;
	v = json_array();
	for (size_t i = 0; i < h->nlines; i++)
		json_array_append_new(v, json_integer(h->lines[i]));
	json_object_set_new(o, "excerpt_lines", v);
}

static json_t *hit_json(const struct rk_hit *h, size_t rank, const char *root)
{
	json_t *o = json_object();

	set_int(o, "rank", rank);
	set_path(o, root, h->path);
	json_object_set_new(o, "ref", ref_json(h->id));
	set_int(o, "line", h->line);
	set_int(o, "line_start", h->first);
	set_int(o, "line_end", h->last);
	set_int(o, "byte_start", h->off);
	set_int(o, "byte_end", h->off + h->len);
	json_object_set_new(o, "score", json_real(h->score));
	json_object_set_new(o, "lanes", lanes_json(h));
	json_object_set_new(o, "kind", json_string(h->kind));
	json_object_set_new(o, "heading",
			    text_json(h->heading, strlen(h->heading)));
	json_object_set_new(o, "symbol",
			    text_json(h->symbol, strlen(h->symbol)));
	set_int(o, "tokens", h->tokens);
	set_int(o, "size", h->size);
	set_int(o, "mtime_ns", (uint64_t)h->mtime_ns);
	set_int(o, "excerpt_line", h->excerpt_line);
	json_object_set_new(o, "excerpt", json_string(h->excerpt));
	set_lines(o, h);
	json_object_set_new(o, "complete", json_boolean(h->complete));
	if (h->page)
		set_int(o, "page", h->page);
	if (h->ncopies)
		set_copies(o, h, root);
	return o;
}

void rk_render_jsonl(const struct rk_results *r, const char *root,
		     struct rk_buf *out)
{
	for (size_t i = 0; i < r->nlines; i++)
		rk_dump_json(line_json(&r->lines[i], root), JSON_COMPACT, out);
	for (size_t i = 0; i < r->nhits; i++)
		rk_dump_json(hit_json(&r->hits[i], i + 1, root), JSON_COMPACT,
			     out);
}

void rk_render_json(const struct rk_results *r, const char *query, size_t n,
		    const char *root, struct rk_buf *out)
{
	json_t *o = json_object(), *hits = json_array();

	set_int(o, "format_version", 1);
	json_object_set_new(o, "query", text_json(query, n));
	json_object_set_new(o, "mode", json_string(rk_mode_name(r->mode)));
	if (r->vectors_percent >= 0)
		set_int(o, "vectors_percent", (uint64_t)r->vectors_percent);
	set_int(o, "total", r->total);
	json_object_set_new(o, "total_is_lower_bound",
			    json_boolean(r->total_is_lower));
	set_int(o, "generation", r->generation);
	set_int(o, "pending", r->pending);
	json_object_set_new(o, "took_ms", json_real(r->took_ms));
	if (r->did_you_mean)
		json_object_set_new(
			o, "did_you_mean",
			text_json(r->did_you_mean, strlen(r->did_you_mean)));
	if (r->notes)
		json_object_set_new(o, "notes",
				    text_json(r->notes, strlen(r->notes)));
	if (r->page > 1)
		set_int(o, "page", r->page);
	if (r->tokens > 0)
		set_int(o, "tokens", (uint64_t)r->tokens);
	json_object_set_new(
		o, "clauses",
		clauses_json(r->clauses ? r->clauses->child : NULL));
	if (r->is_lines) {
		json_t *lines = json_array();

		for (size_t i = 0; i < r->nlines; i++)
			json_array_append_new(lines,
					      line_json(&r->lines[i], root));
		json_object_set_new(o, "lines", lines);
		json_object_set_new(o, "lines_cut", json_boolean(r->lines_cut));
	}
	if (r->nhits == 0 && r->nlines == 0 && r->reason)
		json_object_set_new(o, "reason", json_string(r->reason));
	for (size_t i = 0; i < r->nhits; i++)
		json_array_append_new(hits, hit_json(&r->hits[i], i + 1, root));
	json_object_set_new(o, "hits", hits);
	rk_dump_json(o, JSON_INDENT(2), out);
}
