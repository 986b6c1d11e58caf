/* SPDX-License-Identifier: MIT */
/* Answers and the status as JSON. */
#include "fs/render/render.h"
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static json_t *text_json(const char *s, size_t n)
{
	struct rk_buf b = RK_BUF_INIT;
	json_t *j;

	fs_put_text(&b, s, n);
	j = json_stringn((char *)b.p, b.n);
	rk_buf_release(&b);
	return j ? j : json_string("");
}

static json_t *path_json(const char *root, const char *path)
{
	struct rk_buf b = RK_BUF_INIT;
	json_t *j;

	fs_put_path(&b, root, path);
	j = json_stringn((char *)b.p, b.n);
	rk_buf_release(&b);
	return j ? j : json_string("");
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

	json_object_set_new(o, "path", path_json(root, l->path));
	set_int(o, "line", l->line);
	json_object_set_new(o, "text", text_json(l->text, l->len));
	return o;
}

/* The query as it was understood; siblings of c, too. */
static json_t *clauses_json(const struct rk_clause *c)
{
	json_t *v = json_array();

	for (; c; c = c->next) {
		json_t *o = json_object();

		json_object_set_new(o, "op", json_string(c->op));
		json_object_set_new(o, "occur", json_string(c->occur));
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

static json_t *hit_json(const struct rk_hit *h, size_t rank, const char *root)
{
	json_t *o = json_object();

	set_int(o, "rank", rank);
	json_object_set_new(o, "path", path_json(root, h->path));
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
	json_object_set_new(o, "complete", json_boolean(h->complete));
	if (h->page)
		set_int(o, "page", h->page);
	if (h->ncopies) {
		json_t *copies = json_array();

		for (size_t i = 0; i < h->ncopies; i++)
			json_array_append_new(copies,
					      path_json(root, h->copies[i]));
		json_object_set_new(o, "copies", copies);
	}
	return o;
}

static void dump(json_t *o, size_t flags, struct rk_buf *out)
{
	char *s = json_dumps(o, flags | JSON_REAL_PRECISION(6));

	if (s) {
		rk_buf_str(out, s);
		rk_buf_byte(out, '\n');
	} else {
		out->err = -12; /* ENOMEM */
	}
	free(s);
	json_decref(o);
}

void fs_render_jsonl(const struct rk_results *r, const char *root,
		     struct rk_buf *out)
{
	for (size_t i = 0; i < r->nlines; i++)
		dump(line_json(&r->lines[i], root), JSON_COMPACT, out);
	for (size_t i = 0; i < r->nhits; i++)
		dump(hit_json(&r->hits[i], i + 1, root), JSON_COMPACT, out);
}

void fs_render_json(const struct rk_results *r, const char *query, size_t n,
		    const char *root, struct rk_buf *out)
{
	json_t *o = json_object(), *hits = json_array();

	set_int(o, "format_version", 1);
	json_object_set_new(o, "query", text_json(query, n));
	json_object_set_new(o, "mode", json_string(fs_mode_name(r->mode)));
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
	dump(o, JSON_INDENT(2), out);
}

/* --- status: lines for people, or JSON --- */

static const struct {
	const char *key;
	size_t offset;
	const char *unit;
	int counter; /* it only grows */
} FIELDS[] = {
	{"documents", offsetof(struct rk_status, docs), "", 0},
	{"chunks", offsetof(struct rk_status, chunks), "", 0},
	{"terms", offsetof(struct rk_status, terms), "", 0},
	{"segments", offsetof(struct rk_status, segments), "", 0},
	{"generation", offsetof(struct rk_status, generation), "", 1},
	{"checkpoint", offsetof(struct rk_status, checkpoint), "", 1},
	{"index_bytes", offsetof(struct rk_status, index_bytes), " B", 0},
	{"memory_bytes", offsetof(struct rk_status, memory_bytes), " B", 0},
	{"vectors", offsetof(struct rk_status, vectors), "", 0},
	{"vector_bytes", offsetof(struct rk_status, vector_bytes), " B", 0},
	{"vectors_fitted_on", offsetof(struct rk_status, fitted), " chunks", 0},
	{"queries", offsetof(struct rk_status, queries), "", 1},
	{"recall_hits", offsetof(struct rk_status, recall_hits), "", 1},
	{"recall_misses", offsetof(struct rk_status, recall_misses), "", 1},
	{"cache_evicted", offsetof(struct rk_status, evicted), "", 1},
	{"warnings", offsetof(struct rk_status, warnings), "", 1},
};
enum { NFIELDS = sizeof(FIELDS) / sizeof(FIELDS[0]) };

static uint64_t field(const struct rk_status *st, int i)
{
	uint64_t v;

	memcpy(&v, (const char *)st + FIELDS[i].offset, sizeof(v));
	return v;
}

void fs_render_status(const struct rk_status *st, struct rk_buf *out)
{
	rk_buf_printf(out, "state %s\n", st->state);
	rk_buf_printf(out, "language %s\n", st->language);
	for (int i = 0; i < NFIELDS; i++)
		rk_buf_printf(out, "%s %llu%s\n", FIELDS[i].key,
			      (unsigned long long)field(st, i), FIELDS[i].unit);
	rk_buf_printf(out, "pending %zu\n", st->pending);
	rk_buf_printf(out, "reconciling %s\n", st->reconciling ? "yes" : "no");
	rk_buf_printf(out, "embedder %s\n", st->embedder);
	rk_buf_printf(out, "embedding %s\n", st->embedding ? "yes" : "no");
	if (st->sandbox)
		rk_buf_printf(out, "sandbox landlock %d\n", st->sandbox);
	else
		rk_buf_str(out, "sandbox none (this kernel has no Landlock)\n");
}

void fs_render_status_json(const struct rk_status *st, struct rk_buf *out)
{
	json_t *o = json_object();

	json_object_set_new(o, "state", json_string(st->state));
	json_object_set_new(o, "language", json_string(st->language));
	for (int i = 0; i < NFIELDS; i++)
		set_int(o, FIELDS[i].key, field(st, i));
	set_int(o, "pending", st->pending);
	json_object_set_new(o, "reconciling", json_boolean(st->reconciling));
	json_object_set_new(o, "embedder", json_string(st->embedder));
	json_object_set_new(o, "embedding", json_boolean(st->embedding));
	set_int(o, "sandbox", (uint64_t)st->sandbox);
	dump(o, JSON_INDENT(2), out);
}

/* Prometheus' text format 0.0.4; a counter only grows. */
void fs_render_metrics(const struct rk_status *st, struct rk_buf *out)
{
	for (int i = 0; i < NFIELDS; i++)
		rk_buf_printf(out, "# TYPE rankfs_%s %s\nrankfs_%s %llu\n",
			      FIELDS[i].key,
			      FIELDS[i].counter ? "counter" : "gauge",
			      FIELDS[i].key, (unsigned long long)field(st, i));
	rk_buf_printf(out,
		      "# TYPE rankfs_pending gauge\nrankfs_pending %zu\n"
		      "# TYPE rankfs_reconciling gauge\nrankfs_reconciling %d\n"
		      "# TYPE rankfs_embedding gauge\nrankfs_embedding %d\n"
		      "# TYPE rankfs_checkpoint_seconds gauge\n"
		      "rankfs_checkpoint_seconds %.3f\n",
		      st->pending, st->reconciling != 0, st->embedding != 0,
		      (double)st->checkpoint_ns / 1e9);
}
