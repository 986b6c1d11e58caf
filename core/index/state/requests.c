/* SPDX-License-Identifier: MIT */
/* What is asked of the threads in the background, and waited for. */
#include "index/state/requests.h"
#include "index/state/internal.h"
#include <errno.h>
#include <time.h>
#include <unistd.h>

enum { WATERMARK = 2048, RETRY_FIRST_MS = 500, RETRY_LAST_MS = 60000 };

void rk_persist_wake(struct rk_index *ix)
{
	pthread_mutex_lock(&ix->persist_lock);
	pthread_cond_broadcast(&ix->persist_cond);
	pthread_mutex_unlock(&ix->persist_lock);
}

static int request(struct rk_index *ix, uint64_t *want, const uint64_t *did)
{
	uint64_t mine;
	int rc;

	if (ix->flags & RK_READ_ONLY)
		return RK_EREADONLY;
	pthread_mutex_lock(&ix->persist_lock);
	mine = ++*want;
	pthread_cond_broadcast(&ix->persist_cond);
	while (*did < mine && !ix->stopping)
		pthread_cond_wait(&ix->room_cond, &ix->persist_lock);
	rc = *did >= mine ? ix->checkpoint_rc : RK_ECANCELLED;
	pthread_mutex_unlock(&ix->persist_lock);
	return rc;
}

int rk_checkpoint(struct rk_index *ix)
{
	return request(ix, &ix->want_checkpoint, &ix->did_checkpoint);
}

int rk_compact(struct rk_index *ix)
{
	return request(ix, &ix->want_compact, &ix->did_compact);
}

void rk_throttle(struct rk_index *ix)
{
	struct timespec ts = {0, 5 * 1000000};

	while (rk_queue_count(&ix->queue) > WATERMARK && !ix->stopping)
		nanosleep(&ts, NULL);
}

void rk_retry_later(struct rk_index *ix)
{
	uint64_t now = rk_mono_ns();

	pthread_mutex_lock(&ix->persist_lock);
	if (!ix->retry_ns) {
		/* quiet for longer than the last wait: another trouble */
		if (now - ix->retried_ns > 2000000ull * ix->retry_ms)
			ix->retry_ms = RETRY_FIRST_MS;
		ix->retry_ns = now + 1000000ull * ix->retry_ms;
		ix->retry_ms = ix->retry_ms * 2 < RETRY_LAST_MS
				       ? ix->retry_ms * 2
				       : RETRY_LAST_MS;
		pthread_cond_broadcast(&ix->persist_cond);
	}
	pthread_mutex_unlock(&ix->persist_lock);
}

int rk_reindex(struct rk_index *ix, int all)
{
	if (ix->flags & RK_READ_ONLY)
		return RK_EREADONLY;
	pthread_mutex_lock(&ix->persist_lock);
	if (all) {
		pthread_mutex_lock(&ix->lock);
		ix->switch_wanted = ix->refit_wanted = 1;
		pthread_mutex_unlock(&ix->lock);
		pthread_cond_broadcast(&ix->embed_cond);
	}
	ix->links_rescan = all ? 2 : 1;
	rk_watch_wake(ix);
	if (all || !ix->reconcile_wanted)
		ix->reconcile_wanted = all ? 2 : 1;
	ix->reconciling = 1;
	pthread_cond_broadcast(&ix->persist_cond);
	pthread_mutex_unlock(&ix->persist_lock);
	return 0;
}

void rk_watch_wake(struct rk_index *ix)
{
	uint64_t one = 1;

	if (ix->watch_fd >= 0 && write(ix->watch_fd, &one, sizeof(one)) < 0)
		return; /* it is awake already */
}
