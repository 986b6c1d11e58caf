/* SPDX-License-Identifier: MIT */
/* The status as lines for people, as JSON, and for Prometheus. */
#include "base/buf.h"
#include "rankfs.h"
#include "render/dump.h"
#include <string.h>

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

static void as_text(const struct rk_status *st, struct rk_buf *out)
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

static void as_json(const struct rk_status *st, struct rk_buf *out)
{
	json_t *o = json_object();

	json_object_set_new(o, "state", json_string(st->state));
	json_object_set_new(o, "language", json_string(st->language));
	for (int i = 0; i < NFIELDS; i++)
		json_object_set_new(o, FIELDS[i].key,
				    json_integer((json_int_t)field(st, i)));
	json_object_set_new(o, "pending",
			    json_integer((json_int_t)st->pending));
	json_object_set_new(o, "reconciling", json_boolean(st->reconciling));
	json_object_set_new(o, "embedder", json_string(st->embedder));
	json_object_set_new(o, "embedding", json_boolean(st->embedding));
	json_object_set_new(o, "sandbox", json_integer(st->sandbox));
	rk_dump_json(o, JSON_INDENT(2), out);
}

/* Prometheus' text format 0.0.4; a counter only grows. */
static void as_metrics(const struct rk_status *st, struct rk_buf *out)
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

int rk_render_status(const struct rk_status *st, enum rk_status_form form,
		     struct rk_buf *out)
{
	struct rk_status all = {.size = 0};

	memcpy(&all, st, st->size < sizeof(all) ? st->size : sizeof(all));
	switch (form) {
	case RK_STATUS_JSON:
		as_json(&all, out);
		break;
	case RK_STATUS_METRICS:
		as_metrics(&all, out);
		break;
	case RK_STATUS_TEXT:
	default:
		as_text(&all, out);
	}
	return out->err;
}
