/* SPDX-License-Identifier: MIT */
#ifndef RK_INDEX_QUEUE_H
#define RK_INDEX_QUEUE_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Paths to look at again, in the order of their tickets. A path is in the
 * queue once: a second touch of a waiting path changes nothing, one of a path
 * being read right now has it read again by the same worker. So no two
 * workers ever hold the same path, and the last state read is the last.
 */
enum {
	RK_TASK_TREE = 1,  /* and everything below */
	RK_TASK_FORCE = 2, /* even if size, mtime and inode are known */
	RK_TASK_LEFT = 4,  /* the old name of something renamed */
	RK_TASK_CAME = 8,  /* the new one */
};

struct rk_task {
	char *path; /* NUL-terminated */
	unsigned flags;
	uint64_t ticket; /* for barriers */
	uint64_t seq;	 /* log record; 0: none */
	int running, again;
	unsigned again_flags;
	struct rk_task *prev, *next; /* waiting list */
	struct rk_task *chain;	     /* hash bucket */
	struct rk_task *run_next;    /* running list */
};

struct rk_queue {
	pthread_mutex_t lock;
	pthread_cond_t work, done;
	struct rk_task *head, *tail, *running;
	struct rk_task **buckets;
	size_t mask, count; /* waiting and running */
	uint64_t next_ticket, last_seq;
	int closed;
	int lingering; /* workers that will look again by themselves */
};

int rk_queue_init(struct rk_queue *q); /* 0 or -ENOMEM */
void rk_queue_release(struct rk_queue *q);

/* Add at the end with a new ticket. Returns 0 or -ENOMEM. */
int rk_queue_push(struct rk_queue *q, const char *path, unsigned flags,
		  uint64_t seq);
/*
 * Add at the front under the ticket and seq of `parent`, which the caller is
 * working on: a barrier that waits for the parent waits for these, too.
 */
int rk_queue_push_child(struct rk_queue *q, const struct rk_task *parent,
			const char *path, unsigned flags);
/* The next task, or NULL after rk_queue_close() when none is left. Blocks. */
struct rk_task *rk_queue_pop(struct rk_queue *q);
/*
 * Finished. Returns 1 if the path was touched meanwhile and must be done
 * again by the caller (with t->flags as they now are); else 0 and t is gone.
 */
int rk_queue_done(struct rk_queue *q, struct rk_task *t);
/* Let workers finish what is there and then stop. */
void rk_queue_close(struct rk_queue *q);

size_t rk_queue_count(struct rk_queue *q);
/* Is the path to be read, or being read, whatever is known of it? */
int rk_queue_forced(struct rk_queue *q, const char *path);
/* Every log record up to here has been applied. */
uint64_t rk_queue_floor(struct rk_queue *q);
/* See rk_barrier(). */
int rk_queue_barrier(struct rk_queue *q, int timeout_ms,
		     const _Atomic int *cancel);

#endif
