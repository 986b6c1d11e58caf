/* SPDX-License-Identifier: MIT */
#ifndef FS_EVENTS_H
#define FS_EVENTS_H

/* .rankfs/events: what happens, a line each. */
#include "fs/base/fs.h"

struct fs_events *fs_events_new(void);
void fs_events_free(struct fs_events *e);
/* A line for who reads .rankfs/events; not from inside a request. */
void fs_event(struct fs_index *x, uint64_t generation, const char *what,
	      const char *on);

/* The file: a reader of them for each open one. */
extern const struct fs_stream FS_EVENTS_STREAM;
int fs_events_stat(const struct fs_use *u, struct stat *st);

#endif
