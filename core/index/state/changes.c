/* SPDX-License-Identifier: MIT */
#include "index/state/changes.h"
#include "index/state/internal.h"
#include "base/mem.h"
#include "base/lock.h"
#include <assert.h>
#include <errno.h>
#include <string.h>

struct change {
	struct rk_docref doc; /* its segment or table is referenced */
	uint32_t generation;
	int gone;
	char *path; /* NUL-terminated */
};

struct rk_changes {
	struct change *v;
	size_t n, cap;
	int much; /* there were more, or others than documents */
};

void rk_change_log_init(struct rk_change_log *l)
{
	pthread_mutex_init(&l->lock, NULL);
}

void rk_changes_free(struct rk_changes *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < c->n; i++) {
		rk_segment_unref(c->v[i].doc.seg);
		rk_memtable_unref(c->v[i].doc.mem);
		rk_free(c->v[i].path);
	}
	rk_free(c->v);
	rk_free(c);
}

void rk_change_log_release(struct rk_change_log *l)
{
	rk_changes_free(l->now);
	pthread_mutex_destroy(&l->lock);
}

/* --- noting --- */

static struct rk_changes *current(struct rk_change_log *l)
{
	if (!l->now)
		l->now = rk_calloc(1, sizeof(*l->now));
	return l->now;
}

static int grow(struct rk_changes *c)
{
	size_t cap = c->cap ? c->cap * 2 : 16;
	struct change *v;

	if (c->n < c->cap)
		return 1;
	if (c->n == RK_CHANGES_MAX || !(v = rk_realloc(c->v, cap * sizeof(*v))))
		return 0;
	c->v = v;
	c->cap = cap;
	return 1;
}

static void add(struct rk_changes *c, const struct rk_docref *d,
		const char *path, size_t n, uint32_t gen, int gone)
{
	char *copy = grow(c) ? rk_strndup(path, n) : NULL;

	if (!copy) {
		c->much = 1;
		return;
	}
	if (d->seg)
		rk_segment_ref(d->seg);
	else
		rk_memtable_ref(d->mem);
	c->v[c->n++] = (struct change){*d, gen, gone, copy};
}

/* A document, or NULL: anything. */
static void note(struct rk_index *ix, const struct rk_docref *d,
		 const char *path, size_t n, uint32_t gen, int gone)
{
	struct rk_change_log *l = &ix->changes;
	struct rk_changes *c;

	rk_assert_held(&ix->lock);
	if (!l->listening)
		return;
	pthread_mutex_lock(&l->lock);
	c = current(l);
	if (c && d)
		add(c, d, path, n, gen, gone);
	else if (c)
		c->much = 1;
	if (l->wake)
		l->wake(l->ctx);
	pthread_mutex_unlock(&l->lock);
}

void rk_note_change(struct rk_index *ix, const struct rk_docref *d,
		    const char *path, size_t n, uint32_t gen, int gone)
{
	note(ix, d, path, n, gen, gone);
}

void rk_note_all(struct rk_index *ix)
{
	note(ix, NULL, NULL, 0, 0, 0);
}

/* --- asking --- */

void rk_listen(struct rk_index *ix, void (*wake)(void *ctx), void *ctx)
{
	struct rk_change_log *l = &ix->changes;

	pthread_mutex_lock(&l->lock);
	l->wake = wake;
	l->ctx = ctx;
	l->listening = wake != NULL;
	if (!wake) {
		rk_changes_free(l->now);
		l->now = NULL;
	}
	pthread_mutex_unlock(&l->lock);
}

struct rk_changes *rk_changes_take(struct rk_index *ix)
{
	struct rk_change_log *l = &ix->changes;
	struct rk_changes *c;

	pthread_mutex_lock(&l->lock);
	c = l->now;
	l->now = NULL;
	pthread_mutex_unlock(&l->lock);
	return c;
}

int rk_changes_much(const struct rk_changes *c)
{
	return c->much;
}

size_t rk_changes_count(const struct rk_changes *c)
{
	return c->n;
}

struct rk_change rk_changes_at(const struct rk_changes *c, size_t i)
{
	assert(i < c->n);
	return (struct rk_change){c->v[i].path, c->v[i].generation,
				  c->v[i].gone};
}

const struct rk_docref *rk_changes_doc(const struct rk_changes *c, size_t i)
{
	assert(i < c->n);
	return &c->v[i].doc;
}
