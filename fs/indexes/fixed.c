/* SPDX-License-Identifier: MIT */
/*
 * The fixed nodes of an index: what has a kind of its own, at its root and in
 * .rankfs/. Their order gives them their inode numbers.
 */
#include "fs/indexes/fixed.h"
#include "fs/base/node.h"
#include "fs/base/tree.h"
#include "fs/control/control.h"
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static const struct fs_fixed NODES[] = {
	{"query", FS_IN_ROOT, offsetof(struct fs_index, query_dir),
	 &FS_QUERY_DIR, 1},
	{"find", FS_IN_ROOT, offsetof(struct fs_index, find_dir), &FS_FIND_DIR,
	 0},
	{".rankfs", FS_IN_ROOT, offsetof(struct fs_index, control_dir),
	 &FS_CONTROL_DIR, 0},
	{"recall", FS_IN_ROOT, offsetof(struct fs_index, recall_dir),
	 &FS_RECALL_DIR, 0},
	{"ask", FS_IN_CONTROL, offsetof(struct fs_index, ask), &FS_ASK, 1},
	{"import", FS_IN_CONTROL, offsetof(struct fs_index, import), &FS_IMPORT,
	 1},
	{"similar", FS_IN_CONTROL, offsetof(struct fs_index, similar_dir),
	 &FS_SIMILAR_DIR, 1},
	{"chunks", FS_IN_CONTROL, offsetof(struct fs_index, chunks_dir),
	 &FS_CHUNKS_DIR, 1},
	{"symbols", FS_IN_CONTROL, offsetof(struct fs_index, symbols_dir),
	 &FS_SYMBOLS_DIR, 1},
	{"events", FS_IN_CONTROL, offsetof(struct fs_index, events_file),
	 &FS_EVENTS_FILE, 1},
	{"export", FS_IN_CONTROL, offsetof(struct fs_index, export_file),
	 &FS_EXPORT, 1},
	{"at", FS_IN_CONTROL, offsetof(struct fs_index, at_dir), &FS_AT_DIR, 1},
	{"text", FS_IN_CONTROL, offsetof(struct fs_index, text_dir),
	 &FS_TEXT_DIR, 1},
	{NULL, FS_IN_ROOT, 0, NULL, 0},
};

int fs_fixed_init(struct fs_index *x)
{
	x->fixed = NODES;
	for (int i = 0; NODES[i].name; i++) {
		struct fs_node *n = fs_fixed_node(x, NODES[i].kind, i + 1);

		if (!n)
			return -ENOMEM;
		*fs_fixed_slot(x, &NODES[i]) = n;
	}
	if (x->root->kind == &FS_TOP)
		return fs_top_files(x);
	x->verbs = FS_VERBS;
	return fs_control_files(x, FS_FILES);
}

void fs_fixed_release(struct fs_index *x)
{
	for (int i = 0; i < FS_CONTROL_FILES; i++)
		free(x->files[i]);
	for (int i = 0; NODES[i].name; i++)
		free(*fs_fixed_slot(x, &NODES[i]));
}

int fs_fixed_in_use(const struct fs_index *x)
{
	for (int i = 0; NODES[i].name; i++)
		if ((*fs_fixed_slot(x, &NODES[i]))->nlookup)
			return 1;
	for (int i = 0; i < FS_CONTROL_FILES && x->files[i]; i++)
		if (x->files[i]->nlookup)
			return 1;
	return 0;
}

int fs_reserved_name(const char *name)
{
	for (int i = 0; NODES[i].name; i++)
		if (NODES[i].where == FS_IN_ROOT &&
		    strcmp(NODES[i].name, name) == 0)
			return 1;
	return 0;
}
