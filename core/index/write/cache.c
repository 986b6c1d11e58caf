/* SPDX-License-Identifier: MIT */
/*
 * A folder of documents as a cache: what is too old goes, and what was used
 * longest ago while there is too much. Off until it is configured.
 */
#include "index/write/cache.h"
#include "index/documents/document.h"
#include "index/documents/walk.h"
#include "base/mem.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TICK_S = 1 };

struct limits {
	char dir[200];
	int64_t ttl_s, max_bytes, max_docs; /* 0: none */
};

static struct limits limits_of(struct rk_index *ix)
{
	struct limits l;

	pthread_mutex_lock(&ix->config_lock);
	memcpy(l.dir, ix->config.cache_dir, sizeof(l.dir));
	l.ttl_s = ix->config.cache_ttl_s;
	l.max_bytes = ix->config.cache_max_mib * 1024 * 1024;
	l.max_docs = ix->config.cache_max_docs;
	pthread_mutex_unlock(&ix->config_lock);
	return l;
}

static int64_t ns_of(struct timespec t)
{
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static int is_in(const struct limits *l, const char *path)
{
	size_t n = strlen(l->dir);

	return n == 0 || (strncmp(path, l->dir, n) == 0 && path[n] == '/');
}

static int is_expired(const struct rk_index *ix, const struct limits *l,
		      int64_t mtime_ns)
{
	return l->ttl_s && ix->env->now_ns() - mtime_ns > l->ttl_s * 1000000000;
}

int rk_cache_expired(struct rk_index *ix, const char *path, int64_t mtime_ns)
{
	struct limits l = limits_of(ix);

	return is_in(&l, path) && is_expired(ix, &l, mtime_ns);
}

void rk_cache_used(struct rk_index *ix, const char *path)
{
	const struct timespec now[2] = {{0, UTIME_NOW}, {0, UTIME_OMIT}};
	struct limits l = limits_of(ix);
	const char *name;
	int dir;

	if ((ix->flags & RK_READ_ONLY) || !is_in(&l, path) ||
	    (dir = rk_open_parent(ix, path, &name)) < 0)
		return;
	utimensat(dir, name, now, AT_SYMLINK_NOFOLLOW);
	close(dir);
}

/* --- eviction --- */

struct entry {
	char *path;
	int64_t used_ns, mtime_ns, size;
};

struct cache {
	struct entry *v;
	size_t n, cap;
	int64_t bytes;
};

static int take(void *ctx, const char *path, const struct stat *st)
{
	struct cache *c = ctx;
	struct entry e = {.mtime_ns = ns_of(st->st_mtim), .size = st->st_size};

	if (rk_grow(&c->v, &c->cap, c->n + 1, sizeof(*c->v)) < 0 ||
	    !(e.path = rk_strndup(path, strlen(path))))
		return -ENOMEM;
	e.used_ns = ns_of(st->st_atim) > e.mtime_ns ? ns_of(st->st_atim)
						    : e.mtime_ns;
	c->bytes += e.size;
	c->v[c->n++] = e;
	return 0;
}

static int longer_ago(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	return (x->used_ns > y->used_ns) - (x->used_ns < y->used_ns);
}

static void evict(struct rk_index *ix, struct cache *c, const struct entry *e)
{
	const char *name;
	int dir = rk_open_parent(ix, e->path, &name), rc;

	if (dir < 0)
		return;
	rc = unlinkat(dir, name, 0);
	close(dir);
	if (rc < 0)
		return;
	c->bytes -= e->size;
	ix->evicted++;
	rk_touch(ix, e->path, 0, NULL);
}

static void shrink(struct rk_index *ix, struct cache *c, const struct limits *l)
{
	size_t left = c->n;

	if (c->n)
		qsort(c->v, c->n, sizeof(*c->v), longer_ago);
	for (size_t i = 0; i < c->n; i++) {
		int over = (l->max_bytes && c->bytes > l->max_bytes) ||
			   (l->max_docs && (int64_t)left > l->max_docs);

		if (over || is_expired(ix, l, c->v[i].mtime_ns)) {
			evict(ix, c, &c->v[i]);
			left--;
		}
	}
}

void rk_cache_tick(struct rk_index *ix, uint64_t *next_ns)
{
	struct limits l = limits_of(ix);
	struct cache c = {NULL, 0, 0, 0};
	uint64_t now = rk_mono_ns();

	if ((!l.ttl_s && !l.max_bytes && !l.max_docs) || now < *next_ns)
		return;
	*next_ns = now + (uint64_t)TICK_S * 1000000000;
	if (rk_walk_files(ix, l.dir, take, &c) == 0)
		shrink(ix, &c, &l);
	for (size_t i = 0; i < c.n; i++)
		rk_free(c.v[i].path);
	rk_free(c.v);
}
