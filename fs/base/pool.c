/* SPDX-License-Identifier: MIT */
#include "fs/base/pool.h"
#include "fs/base/descriptors.h"
#include "fs/base/node.h"
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

struct fs_pool {
	pthread_mutex_t lock;
	pthread_cond_t work;
	struct fs_job *head; /* by turn */
	int closed, nice;
	unsigned n;
	pthread_t threads[];
};

static void run(struct fs_job *job)
{
	struct fs_index *x = job->x;

	job->run(job);
	if (x)
		x->busy--;
}

static void *pool_main(void *arg)
{
	struct fs_pool *p = arg;

	/* Linux: nice is per thread */
	if (p->nice)
		setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), p->nice);
	for (;;) {
		struct fs_job *job;

		pthread_mutex_lock(&p->lock);
		while (!p->head && !p->closed)
			pthread_cond_wait(&p->work, &p->lock);
		job = p->head;
		if (job)
			p->head = job->next;
		pthread_mutex_unlock(&p->lock);
		if (!job)
			return NULL;
		run(job);
	}
}

struct fs_pool *fs_pool_new(unsigned threads, int nice)
{
	struct fs_pool *p = calloc(1, sizeof(*p) + threads * sizeof(pthread_t));

	if (!p)
		return NULL;
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->work, NULL);
	p->nice = nice;
	for (; p->n < threads; p->n++)
		if (pthread_create(&p->threads[p->n], NULL, pool_main, p))
			break;
	if (p->n == 0) {
		fs_pool_free(p);
		return NULL;
	}
	return p;
}

/*
 * Behind those whose turn it is before or with it: each user's n-th comes
 * before anybody's n+1st, so that a thousand of one let a second one through.
 */
static void enqueue(struct fs_pool *p, struct fs_job *job)
{
	struct fs_job **at = &p->head;

	job->turn = p->head ? p->head->turn : 0;
	for (const struct fs_job *j = p->head; j; j = j->next)
		if (j->uid == job->uid)
			job->turn = j->turn + 1;
	while (*at && (*at)->turn <= job->turn)
		at = &(*at)->next;
	job->next = *at;
	*at = job;
}

void fs_pool_add(struct fs_pool *p, struct fs_job *job)
{
	if (job->x)
		job->x->busy++;
	pthread_mutex_lock(&p->lock);
	enqueue(p, job);
	pthread_cond_signal(&p->work);
	pthread_mutex_unlock(&p->lock);
}

void fs_pool_add_for(struct fs_pool *p, fuse_req_t req, struct fs_job *job)
{
	job->uid = fuse_req_ctx(req)->uid;
	fs_pool_add(p, job);
}

void fs_loop_leave(struct fs_node *dir)
{
	dir->index->busy++;
	dir->pinned++;
	pthread_mutex_unlock(&dir->index->fs->loop);
}

void fs_loop_enter(struct fs_node *dir)
{
	pthread_mutex_lock(&dir->index->fs->loop);
	dir->pinned--;
	dir->index->busy--;
}

/* On this receiver, while fewer than `most` are away; else in the pool. */
static void run_here(struct fs *fs, struct fs_job *job, struct fs_pool *pool,
		     unsigned most)
{
	if (fs->away >= most) {
		fs_pool_add(pool, job);
		return;
	}
	fs->away++;
	if (job->x)
		job->x->busy++;
	pthread_mutex_unlock(&fs->loop);
	run(job);
	pthread_mutex_lock(&fs->loop);
	fs->away--;
}

void fs_run(struct fs *fs, fuse_req_t req, struct fs_job *job)
{
	job->uid = fuse_req_ctx(req)->uid;
	if (job->slow)
		fs_pool_add(fs->slow, job);
	else
		run_here(fs, job, fs->pool, FS_AWAY_MAX);
}

void fs_run_io(struct fs *fs, struct fs_job *job)
{
	run_here(fs, job, fs->io, FS_AWAY_IO_MAX);
}

void fs_pool_free(struct fs_pool *p)
{
	if (!p)
		return;
	pthread_mutex_lock(&p->lock);
	p->closed = 1;
	pthread_cond_broadcast(&p->work);
	pthread_mutex_unlock(&p->lock);
	for (unsigned i = 0; i < p->n; i++)
		pthread_join(p->threads[i], NULL);
	pthread_mutex_destroy(&p->lock);
	pthread_cond_destroy(&p->work);
	free(p);
}
