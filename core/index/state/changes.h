/* SPDX-License-Identifier: MIT */
#ifndef RK_INDEX_CHANGES_H
#define RK_INDEX_CHANGES_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

struct rk_docref;
struct rk_index;
struct rk_changes;

/*
 * What has changed since somebody last asked: documents that came and went,
 * each with a reference to the table or segment that it is in. Kept only while
 * somebody listens, and bounded: beyond RK_CHANGES_MAX all that is known is
 * that much has changed.
 */
enum { RK_CHANGES_MAX = 1024 };

struct rk_change_log {
	pthread_mutex_t lock;
	_Atomic int listening;
	struct rk_changes *now; /* NULL: nothing yet */
	void (*wake)(void *ctx);
	void *ctx;
};

void rk_change_log_init(struct rk_change_log *l);
void rk_change_log_release(struct rk_change_log *l);

/*
 * A document at `path` (n bytes) has come with generation gen, or gone. Under
 * the index's lock; never waits.
 */
void rk_note_change(struct rk_index *ix, const struct rk_docref *d,
		    const char *path, size_t n, uint32_t gen, int gone);
/* Answers may be others although no document is: vectors, settings. */
void rk_note_all(struct rk_index *ix);
/* The document of change i: where it is, or was. As long as c. */
const struct rk_docref *rk_changes_doc(const struct rk_changes *c, size_t i);

#endif
