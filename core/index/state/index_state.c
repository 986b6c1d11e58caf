/* SPDX-License-Identifier: MIT */
/* An index's settings, what is told to its log, and what it says of itself. */
#include "index/state/internal.h"
#include "base/lock.h"
#include "base/mem.h"
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { CONGESTED = 4096, REC_TOUCH = 1, MOVES_MAX = 1024 };

void rk_config_print(struct rk_index *ix, struct rk_buf *out)
{
	struct rk_config c;

	pthread_mutex_lock(&ix->config_lock);
	c = ix->config;
	pthread_mutex_unlock(&ix->config_lock);
	rk_config_format(&c, out);
}

/* 0, or -EPERM for a change of the kinds in `never` (config.h). */
static int check(const struct rk_index *ix, const struct rk_config *next,
		 unsigned never, char *err, size_t err_n)
{
	const char *key = rk_config_outside(&ix->config, next, never);

	if (!key)
		return 0;
	snprintf(err, err_n, "%s: only who mounted may set that", key);
	return -EPERM;
}

static int set(struct rk_index *ix, const char *text, size_t n, unsigned never,
	       char *err, size_t err_n)
{
	struct rk_buf b = RK_BUF_INIT;
	struct rk_config next;
	int rc;

	if (ix->flags & RK_READ_ONLY)
		return RK_EREADONLY;
	pthread_mutex_lock(&ix->config_lock);
	next = ix->config;
	rc = rk_config_parse(&next, text, n, err, err_n);
	if (rc == 0)
		rc = check(ix, &next, never, err, err_n);
	if (rc == 0) {
		rk_config_format(&next, &b);
		rc = b.err ? b.err
			   : rk_io_replace(ix->env->io, ix->dir_fd, "config",
					   b.p, b.n);
		if (rc < 0)
			snprintf(err, err_n, "config: %s", rk_strerror(rc));
	}
	if (rc == 0) {
		/* the language takes effect with the next mount, another
		 * embedder with reindex; both are in the file by now */
		memcpy(next.language, ix->config.language,
		       sizeof(next.language));
		ix->config = next;
	}
	pthread_mutex_unlock(&ix->config_lock);
	rk_buf_release(&b);
	return rc;
}

int rk_config_set(struct rk_index *ix, const char *text, size_t n, char *err,
		  size_t err_n)
{
	return set(ix, text, n, 0, err, err_n);
}

int rk_config_set_within(struct rk_index *ix, const char *text, size_t n,
			 char *err, size_t err_n)
{
	return set(ix, text, n, RK_CONFIG_REACHES | RK_CONFIG_TAKES, err,
		   err_n);
}

void rk_index_limit_memory(struct rk_index *ix, size_t bytes)
{
	ix->memory_limit = bytes;
}

int64_t rk_config_int(struct rk_index *ix, const char *key)
{
	int64_t v;

	pthread_mutex_lock(&ix->config_lock);
	v = rk_config_lookup(&ix->config, key);
	pthread_mutex_unlock(&ix->config_lock);
	return v;
}

int rk_index_files_fd(const struct rk_index *ix)
{
	return ix->files_fd;
}

/* The same bytes as msgpack-c: str 16. */
static size_t encode_path(const char *path, size_t n, uint8_t *body)
{
	body[0] = 0xda;
	body[1] = (uint8_t)(n >> 8);
	body[2] = (uint8_t)n;
	memcpy(body + 3, path, n);
	return n + 3;
}

/* And positive fixint. Returns how many. */
static size_t encode_touch(const char *path, size_t n, unsigned flags,
			   uint8_t *body)
{
	n = encode_path(path, n, body);
	body[n] = (uint8_t)(flags & RK_TOUCH_TREE);
	return n + 1;
}

/* The record goes to the log, and the number it has there to *seq. */
static int log_touch(struct rk_index *ix, const uint8_t *body, size_t n,
		     unsigned flags, uint64_t *seq)
{
	int rc = rk_wal_append(ix->wal, REC_TOUCH, body, n, seq);

	rk_assert_held(&ix->touching);
	if (flags & RK_TOUCH_REMOVED && (rc == -ENOSPC || rc == -EDQUOT)) {
		/* a crash would be followed by a comparison anyway */
		*seq = rk_wal_last(ix->wal);
		rc = 0;
	}
	return rc;
}

int rk_touch(struct rk_index *ix, const char *path, unsigned flags,
	     uint64_t *seq)
{
	unsigned task =
		RK_TASK_FORCE | (flags & RK_TOUCH_TREE ? RK_TASK_TREE : 0);
	uint8_t body[4096 + 8];
	size_t n = strlen(path);
	uint64_t s = 0;
	int rc;

	if (ix->flags & RK_READ_ONLY)
		return RK_EREADONLY;
	if (n > 4095)
		return 0; /* stored, and too deep to be indexed */
	n = encode_touch(path, n, flags, body);
	/* as one: the log may be cut up to what the queue has seen and done */
	pthread_mutex_lock(&ix->touching);
	rc = log_touch(ix, body, n, flags, &s);
	if (rc == 0 && seq)
		*seq = s;
	if (rc == 0)
		rc = rk_queue_push(&ix->queue, path, task, s);
	pthread_mutex_unlock(&ix->touching);
	return rc;
}

/* --- renaming --- */

void rk_moves_release(struct rk_moves *m)
{
	for (size_t i = 0; i < m->n; i++) {
		rk_free(m->v[i].from);
		rk_free(m->v[i].to);
	}
	rk_free(m->v);
	*m = (struct rk_moves){NULL, 0, 0};
}

/* Without memory for it, or with too many, documents are read again. */
static void note_move(struct rk_moves *m, const char *from, const char *to)
{
	struct rk_move now;

	if (m->n == MOVES_MAX ||
	    rk_grow(&m->v, &m->cap, m->n + 1, sizeof(*m->v)) < 0)
		return;
	now.from = rk_strndup(from, strlen(from));
	now.to = rk_strndup(to, strlen(to));
	if (now.from && now.to) {
		m->v[m->n++] = now;
		return;
	}
	rk_free(now.from);
	rk_free(now.to);
}

int rk_push_rename(struct rk_index *ix, const char *from, const char *to,
		   unsigned flags, uint64_t seq)
{
	unsigned tree = flags & RK_TOUCH_TREE ? RK_TASK_TREE : 0;
	int rc;

	note_move(&ix->moves, from, to);
	rc = rk_queue_push(&ix->queue, from, tree | RK_TASK_LEFT, seq);
	return rc ? rc
		  : rk_queue_push(&ix->queue, to, tree | RK_TASK_CAME, seq);
}

int rk_renamed(struct rk_index *ix, const char *from, const char *to,
	       unsigned flags, uint64_t *seq)
{
	uint8_t body[2 * 4096 + 16];
	size_t n = strlen(from), k = strlen(to);
	uint64_t s = 0;
	int rc;

	if (ix->flags & RK_READ_ONLY)
		return RK_EREADONLY;
	if (n > 4095 || k > 4095) {
		rc = rk_touch(ix, from, flags, seq);
		return rc ? rc : rk_touch(ix, to, flags, seq);
	}
	k = encode_touch(to, k, flags, body);
	k += encode_path(from, n, body + k);
	pthread_mutex_lock(&ix->touching);
	rc = log_touch(ix, body, k, flags, &s);
	if (rc == 0 && seq)
		*seq = s;
	if (rc == 0)
		rc = rk_push_rename(ix, from, to, flags, s);
	pthread_mutex_unlock(&ix->touching);
	return rc;
}

uint64_t rk_last_touch(struct rk_index *ix)
{
	return ix->wal ? rk_wal_last(ix->wal) : 0;
}

int rk_sync(struct rk_index *ix, uint64_t seq)
{
	return ix->wal ? rk_wal_sync(ix->wal, seq) : 0;
}

size_t rk_pending(struct rk_index *ix)
{
	return rk_queue_count(&ix->queue);
}

int rk_congested(struct rk_index *ix)
{
	return rk_queue_count(&ix->queue) > CONGESTED;
}

int rk_barrier(struct rk_index *ix, int timeout_ms, const _Atomic int *cancel)
{
	assert(timeout_ms >= 0);
	return rk_queue_barrier(&ix->queue, timeout_ms, cancel);
}

uint64_t rk_generation(struct rk_index *ix)
{
	/* no lock: a publisher may be waiting for readers with it held */
	return __atomic_load_n(&ix->generation, __ATOMIC_ACQUIRE);
}

void rk_warnings(struct rk_index *ix, struct rk_buf *out)
{
	rk_warnings_list(&ix->warnings, out);
}
