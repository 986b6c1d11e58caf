/* SPDX-License-Identifier: MIT */
#include "index/state/queue.h"
#include "base/env.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/status.h"
#include "base/lock.h"
#include <assert.h>
#include <errno.h>
#include <string.h>
#include <time.h>

enum {
	BUCKETS = 4096,
	CANCEL_POLL_MS = 20,
	LINGER_MS = 1,
	LINGER_ROUNDS = 20,
};

int rk_queue_init(struct rk_queue *q)
{
	pthread_condattr_t attr;

	memset(q, 0, sizeof(*q));
	q->buckets = rk_calloc(BUCKETS, sizeof(struct rk_task *));
	if (!q->buckets)
		return -ENOMEM;
	q->mask = BUCKETS - 1;
	q->next_ticket = 1;
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_mutex_init(&q->lock, NULL);
	pthread_cond_init(&q->work, &attr);
	pthread_cond_init(&q->done, &attr);
	pthread_condattr_destroy(&attr);
	return 0;
}

static void task_free(struct rk_task *t)
{
	rk_free(t->path);
	rk_free(t);
}

void rk_queue_release(struct rk_queue *q)
{
	if (!q->buckets)
		return;
	while (q->head) {
		struct rk_task *t = q->head;

		q->head = t->next;
		task_free(t);
	}
	rk_free(q->buckets);
	pthread_mutex_destroy(&q->lock);
	pthread_cond_destroy(&q->work);
	pthread_cond_destroy(&q->done);
}

static struct rk_task **bucket(struct rk_queue *q, const char *path)
{
	return &q->buckets[rk_hash64(path, strlen(path)) & q->mask];
}

static struct rk_task *find(struct rk_queue *q, const char *path)
{
	struct rk_task *t = *bucket(q, path);

	rk_assert_held(&q->lock);
	while (t && strcmp(t->path, path) != 0)
		t = t->chain;
	return t;
}

static void list_unlink(struct rk_queue *q, struct rk_task *t)
{
	*(t->prev ? &t->prev->next : &q->head) = t->next;
	*(t->next ? &t->next->prev : &q->tail) = t->prev;
	t->prev = t->next = NULL;
}

static void list_append(struct rk_queue *q, struct rk_task *t)
{
	t->prev = q->tail;
	*(q->tail ? &q->tail->next : &q->head) = t;
	q->tail = t;
}

static void list_prepend(struct rk_queue *q, struct rk_task *t)
{
	t->next = q->head;
	*(q->head ? &q->head->prev : &q->tail) = t;
	q->head = t;
}

static struct rk_task *task_new(struct rk_queue *q, const char *path,
				unsigned flags)
{
	struct rk_task *t = rk_calloc(1, sizeof(*t));
	struct rk_task **b;

	rk_assert_held(&q->lock);
	if (!t || !(t->path = rk_strndup(path, strlen(path)))) {
		rk_free(t);
		return NULL;
	}
	t->flags = flags;
	b = bucket(q, path);
	t->chain = *b;
	*b = t;
	q->count++;
	return t;
}

/* The log is kept from the earliest record that the task stands for. */
static void keep_log(struct rk_task *t, uint64_t seq)
{
	if (seq && (!t->seq || seq < t->seq))
		t->seq = seq;
}

static void run_again(struct rk_task *t, unsigned flags)
{
	t->again = 1;
	t->again_flags |= flags;
}

int rk_queue_push(struct rk_queue *q, const char *path, unsigned flags,
		  uint64_t seq)
{
	struct rk_task *t;
	int rc = 0;

	pthread_mutex_lock(&q->lock);
	if (seq > q->last_seq)
		q->last_seq = seq;
	if ((t = find(q, path)) != NULL) {
		if (t->running)
			run_again(t, flags);
		else
			t->flags |= flags;
		keep_log(t, seq);
	} else if ((t = task_new(q, path, flags)) != NULL) {
		t->seq = seq;
		t->ticket = q->next_ticket++;
		list_append(q, t);
		if (q->lingering == 0)
			pthread_cond_signal(&q->work);
	} else {
		rc = -ENOMEM;
	}
	pthread_mutex_unlock(&q->lock);
	return rc;
}

int rk_queue_push_child(struct rk_queue *q, const struct rk_task *parent,
			const char *path, unsigned flags)
{
	struct rk_task *t;

	assert(parent->running);
	pthread_mutex_lock(&q->lock);
	t = find(q, path);
	if (t && t->running) {
		if (t != parent)
			run_again(t, flags);
	} else {
		if (t) {
			list_unlink(q, t);
			t->flags |= flags;
		} else if ((t = task_new(q, path, flags)) != NULL) {
			t->ticket = parent->ticket;
		}
		if (t) {
			list_prepend(q, t);
			pthread_cond_signal(&q->work);
		}
	}
	if (t) {
		keep_log(t, parent->seq);
		if (parent->ticket < t->ticket)
			t->ticket = parent->ticket;
	}
	pthread_mutex_unlock(&q->lock);
	return t ? 0 : -ENOMEM;
}

static struct timespec in_ms(uint64_t ms)
{
	uint64_t ns = rk_mono_ns() + ms * 1000000;

	return (struct timespec){.tv_sec = (time_t)(ns / 1000000000),
				 .tv_nsec = (long)(ns % 1000000000)};
}

/*
 * A worker that has just been busy looks again every millisecond for a while:
 * under a bulk copy nobody has to be woken for each file, which costs the
 * writer more than the write. A barrier wakes everybody.
 */
static void wait_for_work(struct rk_queue *q, int idle)
{
	struct timespec until = in_ms(LINGER_MS);

	rk_assert_held(&q->lock);
	if (idle >= LINGER_ROUNDS) {
		pthread_cond_wait(&q->work, &q->lock);
		return;
	}
	q->lingering++;
	pthread_cond_timedwait(&q->work, &q->lock, &until);
	q->lingering--;
}

struct rk_task *rk_queue_pop(struct rk_queue *q)
{
	struct rk_task *t;

	pthread_mutex_lock(&q->lock);
	for (int idle = 0; !q->head && !q->closed; idle++)
		wait_for_work(q, idle);
	t = q->head;
	if (t) {
		list_unlink(q, t);
		t->running = 1;
		t->run_next = q->running;
		q->running = t;
	}
	pthread_mutex_unlock(&q->lock);
	return t;
}

static void forget(struct rk_queue *q, struct rk_task *t)
{
	struct rk_task **p = bucket(q, t->path);

	rk_assert_held(&q->lock);
	while (*p != t)
		p = &(*p)->chain;
	*p = t->chain;
	for (p = &q->running; *p != t; p = &(*p)->run_next)
		;
	*p = t->run_next;
	q->count--;
}

int rk_queue_done(struct rk_queue *q, struct rk_task *t)
{
	int again;

	assert(t->running);
	pthread_mutex_lock(&q->lock);
	again = t->again;
	if (again) {
		t->flags = t->again_flags;
		t->again = 0;
		t->again_flags = 0;
	} else {
		forget(q, t);
		pthread_cond_broadcast(&q->done);
	}
	pthread_mutex_unlock(&q->lock);
	if (!again)
		task_free(t);
	return again;
}

void rk_queue_close(struct rk_queue *q)
{
	pthread_mutex_lock(&q->lock);
	q->closed = 1;
	pthread_cond_broadcast(&q->work);
	pthread_cond_broadcast(&q->done);
	pthread_mutex_unlock(&q->lock);
}

size_t rk_queue_count(struct rk_queue *q)
{
	size_t n;

	pthread_mutex_lock(&q->lock);
	n = q->count;
	pthread_mutex_unlock(&q->lock);
	return n;
}

int rk_queue_forced(struct rk_queue *q, const char *path)
{
	struct rk_task *t;
	int forced;

	pthread_mutex_lock(&q->lock);
	t = find(q, path);
	forced = t && (t->flags | t->again_flags) & RK_TASK_FORCE;
	pthread_mutex_unlock(&q->lock);
	return forced;
}

uint64_t rk_queue_floor(struct rk_queue *q)
{
	uint64_t floor;

	pthread_mutex_lock(&q->lock);
	floor = q->last_seq;
	for (struct rk_task *t = q->running; t; t = t->run_next)
		if (t->seq && t->seq - 1 < floor)
			floor = t->seq - 1;
	for (struct rk_task *t = q->head; t; t = t->next)
		if (t->seq && t->seq - 1 < floor)
			floor = t->seq - 1;
	pthread_mutex_unlock(&q->lock);
	return floor;
}

/* The waiting list is in ticket order, the running ones are few. */
static int reached(const struct rk_queue *q, uint64_t ticket)
{
	rk_assert_held(&q->lock);
	if (q->head && q->head->ticket <= ticket)
		return 0;
	for (const struct rk_task *t = q->running; t; t = t->run_next)
		if (t->ticket <= ticket)
			return 0;
	return 1;
}

int rk_queue_barrier(struct rk_queue *q, int timeout_ms,
		     const _Atomic int *cancel)
{
	uint64_t deadline = rk_mono_ns() + (uint64_t)timeout_ms * 1000000;
	uint64_t ticket;
	int rc = 0;

	pthread_mutex_lock(&q->lock);
	ticket = q->next_ticket - 1;
	if (q->head)
		pthread_cond_broadcast(&q->work);
	while (!reached(q, ticket) && rc == 0) {
		uint64_t now = rk_mono_ns();
		uint64_t left = now < deadline ? (deadline - now) / 1000000 : 0;
		struct timespec until;

		if (cancel && left > CANCEL_POLL_MS)
			left = CANCEL_POLL_MS;
		until = in_ms(left + 1);
		if (cancel && *cancel)
			rc = RK_ECANCELLED;
		else if (now >= deadline)
			rc = -ETIMEDOUT;
		else
			pthread_cond_timedwait(&q->done, &q->lock, &until);
	}
	pthread_mutex_unlock(&q->lock);
	return rc;
}
