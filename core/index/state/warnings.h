/* SPDX-License-Identifier: MIT */
#ifndef RK_INDEX_WARNINGS_H
#define RK_INDEX_WARNINGS_H

#include "base/buf.h"
#include "base/env.h"
#include <pthread.h>

/*
 * The last RK_WARNINGS_MAX things worth telling; one line each. Those about
 * documents are kept with the index, in a file of lines: a document is not
 * read again, and its warning not made again, until it changes.
 */
enum { RK_WARNINGS_MAX = 256, RK_WARNING_BYTES = 400 };

struct rk_warnings {
	pthread_mutex_t lock;
	char *line[RK_WARNINGS_MAX];
	char kept[RK_WARNINGS_MAX]; /* it is about a document */
	unsigned next;
	int changed;	/* those that are kept, since they were stored */
	uint64_t count; /* ever */
};

void rk_warnings_init(struct rk_warnings *w);
void rk_warnings_release(struct rk_warnings *w);
/* A line already in the ring is not added twice. Control bytes become '?'. */
void rk_warn(struct rk_warnings *w, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* The same about a document: the line begins with its path and a colon. */
void rk_warn_document(struct rk_warnings *w, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void rk_warnings_list(struct rk_warnings *w, struct rk_buf *out);
/* Forget lines that start with `prefix` and a colon (a document is fine now).
 */
void rk_warnings_forget(struct rk_warnings *w, const char *prefix);
/* What is kept, to the file in dir, if it has changed; and back. 0 or -errno.
 */
int rk_warnings_store(struct rk_warnings *w, const struct rk_io *io, int dir);
void rk_warnings_load(struct rk_warnings *w, const struct rk_io *io, int dir);

#endif
