/* SPDX-License-Identifier: MIT */
#ifndef FS_FOLLOWED_H
#define FS_FOLLOWED_H

/* Queries that are followed, and the thread that asks them again. */
#include "fs/base/fs.h"
#include "fs/base/node.h"

enum {
	FS_LIVE_BASELINE_MS = 150, /* after a lookup: is it watched? */
	FS_LIVE_REST_MS = 5,	   /* after answers that had to be asked for */
};

enum fs_want { FS_CALM, FS_POSSIBLE, FS_LIKELY };

struct fs_live {
	struct fs_node *node;
	struct fs_live *prev, *next; /* under loop */
	char *name;		     /* in query/, as last looked up; or NULL */
	uint64_t looked_ns;	     /* last lookup; under loop */
	_Atomic unsigned held;	     /* by names of saved queries */
	uid_t uid;		     /* who looked it up first */
	/* the thread's own */
	struct rk_standing *standing;
	enum fs_want want;
	unsigned turn;	     /* which of its user's it is, in this round */
	unsigned held_words; /* of a document that came or went */
	uint64_t told;	     /* hash of the answer that watchers know */
	int has_told;
	uint64_t since; /* generation when it was first looked up */
	int missed;	/* changed before the first answer was known */
	uint64_t told_ns, swept_ns, cost_ns;
};

struct fs_live_thread {
	struct fs *fs;
	pthread_t thread;
	pthread_mutex_t lock; /* guards woken, stop */
	pthread_cond_t cond;
	int woken, stop;
	int running;
	_Atomic int cancel;   /* of searches, at the end */
	struct fs_live *head; /* under loop */
	size_t n;	      /* under loop */
	struct fs_live **v;   /* of this round */
	size_t nv, cap;
	int again;		     /* something was left for the next round */
	uint64_t urgent_ns, idle_ns; /* that the round took */
};

static inline uint64_t fs_live_ms(uint64_t n)
{
	return n * 1000000;
}

/* followed.c */
int fs_live_new(struct fs *fs); /* 0 or -ENOMEM */
void fs_live_free(struct fs *fs);
/* An index has changed. Any thread, any locks. */
void fs_live_wake(void *fs);
/* There is something to do for its thread. */
void fs_live_nudge(struct fs *fs);
/* On the loop: uid has looked the query up, by this name in query/. */
void fs_live_add(struct fs_node *n, const char *name, uid_t uid);
void fs_live_remove(struct fs_node *n);
/* A saved query is followed whether somebody watches it or not. */
void fs_live_hold(struct fs_node *n);
void fs_live_unhold(struct fs_node *n);

/* live.c; the thread's own, off the loop */
/* Hear of changes, and ask again what they touch, as far as a round goes. */
void fs_live_round(struct fs_live_thread *t);
/* Let the kernel forget the names of queries that nobody watches. */
void fs_live_sweep(struct fs_live_thread *t);

#endif
