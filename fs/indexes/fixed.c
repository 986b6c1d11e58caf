/* SPDX-License-Identifier: MIT */
/*
 * The table of what is virtual: each fixed file and folder of an index, of the
 * folder of many, and of a checkpoint is a row. fs/doc/adding.md tells how to
 * add one.
 */
#include "fs/indexes/fixed.h"
#include "fs/base/errors.h"
#include "fs/base/events.h"
#include "fs/base/node.h"
#include "fs/base/tree.h"
#include "fs/control/control.h"
#include "fs/control/export.h"
#include "fs/control/import.h"
#include "fs/indexes/federated.h"
#include "fs/query/ask.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
	ROOTS = FS_IN_ROOT | FS_IN_TOP,
	BOTH = FS_IN_CONTROL | FS_IN_TOP_CONTROL,
	ONE = FS_IN_CONTROL,
	MANY = FS_IN_TOP_CONTROL,
};

static const struct fs_file ROWS[] = {
	{"query", ROOTS | FS_IN_AT, .kind = &FS_QUERY_DIR},
	{"find", FS_IN_ROOT | FS_IN_AT, FS_IN_ROOT, .kind = &FS_FIND_DIR},
	{".rankfs", ROOTS, ROOTS, .kind = &FS_CONTROL_DIR},
	{"recall", FS_IN_ROOT, FS_IN_ROOT, .kind = &FS_RECALL_DIR},

	{"README", BOTH, .mode = 0444, .read = fs_read_readme, .lasts = 1},
	{"AGENTS.md", BOTH, .mode = 0444, .read = fs_read_agents},
	{"config", ONE, .mode = 0644, .who = FS_OWNER_WRITES,
	 .read = fs_read_config, .write = fs_write_config},
	{"ctl", BOTH, .mode = 0644, .who = FS_OWNER_WRITES, .read = fs_read_ctl,
	 .write = fs_write_ctl},
	{"error", BOTH, .mode = 0444, .read = fs_read_error},
	{"metrics", ONE, .mode = 0444, .read = fs_read_metrics},
	{"metrics", MANY, .mode = 0444, .read = fs_top_metrics},
	{"progress", ONE, .mode = 0444, .read = fs_read_progress},
	{"status", ONE, .mode = 0444, .read = fs_read_status},
	{"status", MANY, .mode = 0444, .read = fs_top_status},
	{"status.json", ONE, .mode = 0444, .read = fs_read_status_json},
	/* these may name what has gone and was not for others */
	{"warnings", ONE, .mode = 0400, .read = fs_read_warnings},
	{"events", ONE, .mode = 0400, .stream = &FS_EVENTS_STREAM,
	 .stat = fs_events_stat},

	{"ask", ONE, .mode = 0666, .stream = &FS_ASK_STREAM},
	{"import", ONE, .mode = 0200, .who = FS_OWNER,
	 .stream = &FS_IMPORT_STREAM},
	{"export", ONE, .mode = 0400, .who = FS_OWNER,
	 .stream = &FS_EXPORT_STREAM, .stat = fs_export_stat},

	{"similar", ONE, .kind = &FS_SIMILAR_DIR},
	{"chunks", ONE, .kind = &FS_CHUNKS_DIR},
	{"symbols", ONE, .kind = &FS_SYMBOLS_DIR},
	{"at", ONE, .kind = &FS_AT_DIR},
	{"text", ONE, .kind = &FS_TEXT_DIR},
	{"terms", ONE, .kind = &FS_TERMS_DIR},
	{.name = NULL},
};
_Static_assert(sizeof(ROWS) / sizeof(ROWS[0]) <= (size_t)FS_FIXED_MAX,
	       "room for the rows");

/* Inode numbers that no backing file system uses. */
static struct fs_node *new_node(struct fs_index *x, int row)
{
	const struct fs_kind *kind = ROWS[row].kind;
	struct fs_node *n = fs_node_virtual(x, kind ? kind : &FS_FILE);

	if (n) {
		n->ino = ((ino_t)0x7f << 56) | (ino_t)(row + 1);
		n->file = &ROWS[row];
	}
	return n;
}

int fs_fixed_init(struct fs_index *x)
{
	unsigned places = fs_fixed_places(x);

	x->rows = ROWS;
	x->verbs = FS_VERBS;
	if (places & FS_IN_TOP) {
		x->verbs = FS_TOP_VERBS;
		x->query_node = fs_federated_node;
	}
	for (int i = 0; ROWS[i].name; i++)
		if (ROWS[i].in & places && !(x->fixed[i] = new_node(x, i)))
			return -ENOMEM;
	return 0;
}

void fs_fixed_release(struct fs_index *x)
{
	for (int i = 0; i < FS_FIXED_MAX; i++)
		free(x->fixed[i]);
}

int fs_fixed_in_use(const struct fs_index *x)
{
	for (int i = 0; i < FS_FIXED_MAX; i++)
		if (x->fixed[i] && x->fixed[i]->nlookup)
			return 1;
	return 0;
}

int fs_reserved_name(const char *name)
{
	for (int i = 0; ROWS[i].name; i++)
		if (ROWS[i].in & FS_IN_ROOT && strcmp(ROWS[i].name, name) == 0)
			return 1;
	return 0;
}
