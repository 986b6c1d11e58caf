/* SPDX-License-Identifier: MIT */
#ifndef RK_INDEX_SAVED_H
#define RK_INDEX_SAVED_H

#include "base/buf.h"
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

struct rk_index;

/*
 * Queries with a name, and what their reader has said of single documents:
 * `saved.mp` (core/doc/format-saved.md). All of it is in memory; each change
 * replaces the file before it is acknowledged.
 */
enum { RK_SAVED_MAX = 1024, RK_SAVED_MARKS_MAX = 4096 };

struct rk_saved_mark {
	char *path;
	int mark; /* enum rk_feedback */
};

struct rk_saved_query {
	char *name, *text;
	struct rk_saved_mark *marks;
	size_t nmarks, marks_cap;
};

struct rk_saved {
	pthread_mutex_t lock;
	struct rk_saved_query *v; /* by name */
	size_t n, cap;
};

struct rk_saved *rk_saved_new(void); /* NULL: no memory */
void rk_saved_free(struct rk_saved *s);
/* The same for one that the caller has room for. */
void rk_saved_init(struct rk_saved *s);
void rk_saved_release(struct rk_saved *s);
/* n bytes of such a file; on failure s is empty. 0, RK_ECORRUPT, RK_EVERSION.
 */
int rk_saved_decode(struct rk_saved *s, const uint8_t *p, size_t n);
/* The file of s, appended; look at b->err. */
void rk_saved_encode(const struct rk_saved *s, struct rk_buf *b);
/* From the index's directory. A damaged file is set aside with a warning. */
int rk_saved_load(struct rk_index *ix);

#endif
