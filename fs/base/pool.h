/* SPDX-License-Identifier: MIT */
#ifndef FS_POOL_H
#define FS_POOL_H

/* Bounded threads; users take turns, each first come first served. */
#include "fs/base/fs.h"

struct fs_job {
	void (*run)(struct fs_job *); /* in a pool thread; frees the job */
	struct fs_index *x; /* that stays open meanwhile; NULL: none */
	int slow;	    /* not for a thread that takes requests */
	uid_t uid;	    /* who asked for it; 0 also: the daemon */
	unsigned turn;	    /* how many of his were before it */
	struct fs_job *next;
};
/* nice: how far its threads stand back; 0 to 19. NULL: no memory. */
struct fs_pool *fs_pool_new(unsigned threads, int nice);
/* Never blocks. */
void fs_pool_add(struct fs_pool *p, struct fs_job *job);
/* The same for who asked. */
void fs_pool_add_for(struct fs_pool *p, fuse_req_t req, struct fs_job *job);
/*
 * Run a job off the loop: on this receiver's own thread while enough others
 * are left to take requests (no thread has to be woken), else in the pool.
 * Called with `loop` held, as the last thing of a request; it is given up
 * meanwhile.
 */
void fs_run(struct fs *fs, fuse_req_t req, struct fs_job *job);
/* The same for a job that waits for a disk and takes no processor. */
void fs_run_io(struct fs *fs, struct fs_job *job);
/* Finish what is queued, stop the threads. */
void fs_pool_free(struct fs_pool *p);

#endif
