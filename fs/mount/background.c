/* SPDX-License-Identifier: MIT */
/*
 * The thread that does in turn what no request waits for: asking live queries
 * again, letting the kernel forget what nobody uses, closing and expiring
 * indexes.
 */
#include "fs/mount/background.h"
#include "fs/find/find.h"
#include "fs/indexes/index.h"
#include "fs/indexes/tenants.h"
#include "fs/query/followed.h"
#include <errno.h>
#include <time.h>

enum {
	SLICE_REST = 4, /* times as long as what is not urgent took */
	IDLE_MS = 1000,
	EXPIRE_MS = 3600000, /* between looks at what nobody uses */
	ASLEEP_MS = 3600000, /* nobody is there */
};

static void wait_ns(struct fs_live_thread *t, uint64_t ns, int until_woken)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	ns += (uint64_t)ts.tv_nsec;
	ts.tv_sec += (time_t)(ns / 1000000000);
	ts.tv_nsec = (long)(ns % 1000000000);
	pthread_mutex_lock(&t->lock);
	while (!t->stop && !(until_woken && t->woken))
		if (pthread_cond_timedwait(&t->cond, &t->lock, &ts))
			break;
	pthread_mutex_unlock(&t->lock);
}

static int stopped(struct fs_live_thread *t)
{
	int yes;

	pthread_mutex_lock(&t->lock);
	yes = t->stop;
	t->woken = 0;
	pthread_mutex_unlock(&t->lock);
	return yes;
}

/* Until the next round, if nothing wakes the thread before. */
static uint64_t pause(struct fs_live_thread *t)
{
	uint64_t n = IDLE_MS;

	pthread_mutex_lock(&t->fs->loop);
	if (!t->head && !t->fs->nfinds && !t->fs->multi)
		n = ASLEEP_MS;
	for (struct fs_live *l = t->head; l; l = l->next)
		if (!l->has_told)
			n = FS_LIVE_BASELINE_MS;
	pthread_mutex_unlock(&t->fs->loop);
	return fs_live_ms(t->again ? FS_LIVE_REST_MS : n);
}

static void *background(void *arg)
{
	struct fs_live_thread *t = arg;
	uint64_t swept = 0, expire = 0;

	while (!stopped(t)) {
		uint64_t start = rk_mono_ns();

		fs_live_round(t);
		if (start - swept > fs_live_ms(FS_LIVE_BASELINE_MS)) {
			swept = start;
			fs_live_sweep(t);
			fs_find_sweep(t->fs);
			if (t->fs->multi)
				fs_index_tidy(t->fs);
		}
		if (t->fs->expire_s && start >= expire) {
			expire = start + fs_live_ms(EXPIRE_MS);
			fs_tenants_expire(t->fs, t->fs->expire_s);
		}
		/*
		 * Half a processor at most for what changes touch, a fifth of
		 * one for what they might; only the first is not put off.
		 */
		wait_ns(t, t->urgent_ns + fs_live_ms(FS_LIVE_REST_MS), 0);
		if (t->idle_ns)
			wait_ns(t, t->idle_ns * SLICE_REST, 1);
		else
			wait_ns(t, pause(t), 1);
	}
	return NULL;
}

int fs_live_start(struct fs *fs)
{
	struct fs_live_thread *t = fs->live;

	if (pthread_create(&t->thread, NULL, background, t))
		return -EAGAIN;
	t->running = 1;
	return 0;
}

void fs_live_stop(struct fs *fs)
{
	struct fs_live_thread *t = fs->live;

	if (!t || !t->running)
		return;
	t->cancel = 1;
	pthread_mutex_lock(&t->lock);
	t->stop = 1;
	pthread_cond_broadcast(&t->cond);
	pthread_mutex_unlock(&t->lock);
	pthread_join(t->thread, NULL);
}
