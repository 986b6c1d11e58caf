/* SPDX-License-Identifier: MIT */
#include "render.h"
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <utf8proc.h>

/* Text that may hold any bytes, as UTF-8 on one line. */
static void put_text(struct rk_buf *out, const char *s, size_t n)
{
	while (n > 0) {
		int32_t c;
		utf8proc_ssize_t k = utf8proc_iterate(
			(const utf8proc_uint8_t *)s, (utf8proc_ssize_t)n, &c);

		if (k <= 0) {
			rk_buf_str(out, "\xef\xbf\xbd");
			k = 1;
		} else if (c < ' ' || c == 0x7f) {
			rk_buf_byte(out, ' ');
		} else {
			rk_buf_add(out, s, (size_t)k);
		}
		s += k;
		n -= (size_t)k;
	}
}

static void put_path(struct rk_buf *out, const char *root, const char *path)
{
	put_text(out, root, strlen(root));
	rk_buf_byte(out, '/');
	put_text(out, path, strlen(path));
}

/* --- text --- */

static const char *mode_name(enum rk_mode m)
{
	static const char *const NAMES[] = {"hybrid", "lexical", "vector"};

	return NAMES[m];
}

static void put_header(const struct rk_results *r, struct rk_buf *out)
{
	char vectors[16] = "off";

	if (r->vectors_percent >= 0)
		snprintf(vectors, sizeof(vectors), "%d%%", r->vectors_percent);
	rk_buf_printf(out,
		      "# rankfs 1 hits=%zu/%llu%s generation=%llu pending=%zu "
		      "vectors=%s took=%.1fms mode=%s\n",
		      r->nhits, (unsigned long long)r->total,
		      r->total_is_lower ? "+" : "",
		      (unsigned long long)r->generation, r->pending, vectors,
		      r->took_ms, mode_name(r->mode));
}

static void put_notes(const struct rk_results *r, struct rk_buf *out)
{
	if (r->did_you_mean) {
		rk_buf_str(out, "# did you mean: ");
		put_text(out, r->did_you_mean, strlen(r->did_you_mean));
		rk_buf_byte(out, '\n');
	}
	if (r->nhits == 0 && r->reason)
		rk_buf_printf(out, "# no hits: %s%s\n", r->reason,
			      r->pending ? " (changes are still being indexed)"
					 : "");
}

/* Heading or symbols behind the line range, if there are any. */
static void put_place(const struct rk_hit *h, struct rk_buf *out)
{
	const char *s = *h->heading ? h->heading : h->symbol;
	size_t n = strlen(s);

	if (n == 0)
		return;
	rk_buf_byte(out, ' ');
	put_text(out, s, n < 100 ? n : 100);
}

static void put_indented(const struct rk_hit *h, struct rk_buf *out)
{
	for (const char *s = h->excerpt; *s;) {
		size_t n = strcspn(s, "\n");

		if (n)
			rk_buf_str(out, "    ");
		rk_buf_add(out, s, n);
		rk_buf_byte(out, '\n');
		s += n + (s[n] == '\n');
	}
}

static void render_text(const struct rk_results *r, const char *root,
			struct rk_buf *out, size_t *body)
{
	put_header(r, out);
	*body = out->n;
	put_notes(r, out);
	for (size_t i = 0; i < r->nhits; i++) {
		const struct rk_hit *h = &r->hits[i];

		put_path(out, root, h->path);
		rk_buf_printf(out, ":%u: [%u-%u] score=%.4f", h->line, h->first,
			      h->last, h->score);
		put_place(h, out);
		if (h->complete && *h->excerpt)
			rk_buf_str(out, " (complete)");
		rk_buf_byte(out, '\n');
		put_indented(h, out);
	}
}

/* --- lists --- */

static void render_paths(const struct rk_results *r, const char *root,
			 struct rk_buf *out)
{
	for (size_t i = 0; i < r->nhits; i++) {
		size_t k = 0;

		while (k < i && strcmp(r->hits[k].path, r->hits[i].path) != 0)
			k++;
		if (k < i)
			continue; /* another place in the same document */
		put_path(out, root, r->hits[i].path);
		rk_buf_byte(out, '\n');
	}
}

/* The excerpt's lines as grep -n would print them. */
static void render_lines(const struct rk_results *r, const char *root,
			 struct rk_buf *out)
{
	for (size_t i = 0; i < r->nhits; i++) {
		const struct rk_hit *h = &r->hits[i];
		uint32_t line = h->excerpt_line;

		for (const char *s = h->excerpt; *s; line++) {
			size_t n = strcspn(s, "\n");

			put_path(out, root, h->path);
			rk_buf_printf(out, ":%u:", line);
			rk_buf_add(out, s, n);
			rk_buf_byte(out, '\n');
			s += n + (s[n] == '\n');
		}
	}
}

/* --- JSON --- */

static json_t *text_json(const char *s, size_t n)
{
	struct rk_buf b = RK_BUF_INIT;
	json_t *j;

	put_text(&b, s, n);
	j = json_stringn((char *)b.p, b.n);
	rk_buf_release(&b);
	return j ? j : json_string("");
}

static json_t *path_json(const char *root, const char *path)
{
	struct rk_buf b = RK_BUF_INIT;
	json_t *j;

	put_path(&b, root, path);
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

static json_t *hit_json(const struct rk_hit *h, size_t rank, const char *root)
{
	json_t *o = json_object();

	set_int(o, "rank", rank);
	json_object_set_new(o, "path", path_json(root, h->path));
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

static void render_jsonl(const struct rk_results *r, const char *root,
			 struct rk_buf *out)
{
	for (size_t i = 0; i < r->nhits; i++)
		dump(hit_json(&r->hits[i], i + 1, root), JSON_COMPACT, out);
}

static void render_json(const struct rk_results *r, const char *query, size_t n,
			const char *root, struct rk_buf *out)
{
	json_t *o = json_object(), *hits = json_array();

	set_int(o, "format_version", 1);
	json_object_set_new(o, "query", text_json(query, n));
	json_object_set_new(o, "mode", json_string(mode_name(r->mode)));
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
	if (r->nhits == 0 && r->reason)
		json_object_set_new(o, "reason", json_string(r->reason));
	for (size_t i = 0; i < r->nhits; i++)
		json_array_append_new(hits, hit_json(&r->hits[i], i + 1, root));
	json_object_set_new(o, "hits", hits);
	dump(o, JSON_INDENT(2), out);
}

void fs_render(const struct rk_results *r, const char *query, size_t query_n,
	       const char *root, struct rk_buf *out, size_t *body)
{
	*body = 0;
	switch (r->format) {
	case RK_AS_JSON:
		render_json(r, query, query_n, root, out);
		break;
	case RK_AS_JSONL:
		render_jsonl(r, root, out);
		break;
	case RK_AS_PATHS:
		render_paths(r, root, out);
		break;
	case RK_AS_LINES:
		render_lines(r, root, out);
		break;
	case RK_AS_TEXT:
	default:
		render_text(r, root, out, body);
	}
}

/* --- status --- */

static const struct {
	const char *key;
	size_t offset;
	const char *unit;
} FIELDS[] = {
	{"documents", offsetof(struct rk_status, docs), ""},
	{"chunks", offsetof(struct rk_status, chunks), ""},
	{"terms", offsetof(struct rk_status, terms), ""},
	{"segments", offsetof(struct rk_status, segments), ""},
	{"generation", offsetof(struct rk_status, generation), ""},
	{"checkpoint", offsetof(struct rk_status, checkpoint), ""},
	{"index_bytes", offsetof(struct rk_status, index_bytes), " B"},
	{"memory_bytes", offsetof(struct rk_status, memory_bytes), " B"},
	{"vectors", offsetof(struct rk_status, vectors), ""},
	{"vector_bytes", offsetof(struct rk_status, vector_bytes), " B"},
	{"vectors_fitted_on", offsetof(struct rk_status, fitted), " chunks"},
	{"queries", offsetof(struct rk_status, queries), ""},
	{"recall_hits", offsetof(struct rk_status, recall_hits), ""},
	{"recall_misses", offsetof(struct rk_status, recall_misses), ""},
	{"warnings", offsetof(struct rk_status, warnings), ""},
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
	dump(o, JSON_INDENT(2), out);
}
