/* SPDX-License-Identifier: MIT */
/*
 * Where other users are let in, one of them must not take from the rest what
 * there is so much of and no more: open conversations, answers that are kept
 * for who reads them, queries that are followed. Who mounted has no limit but
 * that of all.
 */
#include "fs/base/users.h"
#include "fs/base/errors.h"
#include "fs/base/node.h"
#include "fs/base/pool.h"
#include <errno.h>
#include <malloc.h>
#include <stdlib.h>

enum {
	OPEN_MAX = 2048,      /* virtual files */
	BYTES_MAX = 32 << 20, /* that they hold together */
	FOLLOWED_MAX = 1024,
	TRIM_BYTES = 16 << 20,
};

/* One who has something; freed with the last of it. */
struct fs_user {
	uid_t uid;
	unsigned open, followed;
	size_t bytes;
	struct fs_user *next;
};

void fs_users_init(struct fs *fs)
{
	pthread_mutex_init(&fs->users_lock, NULL);
}

void fs_users_release(struct fs *fs)
{
	while (fs->users) {
		struct fs_user *u = fs->users;

		fs->users = u->next;
		free(u);
	}
	pthread_mutex_destroy(&fs->users_lock);
}

static int is_limited(const struct fs *fs, uid_t uid)
{
	return uid != 0 && uid != fs->uid;
}

/* Under its lock; made if need be. NULL: no memory. */
static struct fs_user *user_of(struct fs *fs, uid_t uid)
{
	struct fs_user *u = fs->users;

	while (u && u->uid != uid)
		u = u->next;
	if (!u && (u = calloc(1, sizeof(*u))) != NULL) {
		u->uid = uid;
		u->next = fs->users;
		fs->users = u;
	}
	return u;
}

static void drop_if_idle(struct fs *fs, struct fs_user *u)
{
	struct fs_user **p = &fs->users;

	if (u->open || u->followed)
		return;
	while (*p != u)
		p = &(*p)->next;
	*p = u->next;
	free(u);
}

static int refused(struct fs *fs, uid_t uid)
{
	fs_remember_error(fs, uid,
			  "too many virtual files are open, or too large");
	return -EMFILE;
}

static void trim_run(struct fs_job *job)
{
	malloc_trim(0);
	free(job);
}

/* After a burst memory is returned: the allocator would keep most of it. */
static void give_back(struct fs *fs, size_t bytes)
{
	struct fs_job *job;

	fs->given_back += bytes;
	if (fs->given_back < (size_t)TRIM_BYTES)
		return;
	fs->given_back = 0;
	if (!(job = calloc(1, sizeof(*job))))
		return;
	job->run = trim_run;
	fs_pool_add(fs->closer, job);
}

int fs_user_opens(struct fs_handle *h)
{
	struct fs *fs = h->node->index->fs;
	struct fs_user *u;
	int rc = 0;

	if (!is_limited(fs, h->uid))
		return 0;
	pthread_mutex_lock(&fs->users_lock);
	if (!(u = user_of(fs, h->uid)))
		rc = -ENOMEM;
	else if (u->open == OPEN_MAX)
		rc = -EMFILE;
	else
		u->open++;
	pthread_mutex_unlock(&fs->users_lock);
	return rc == -EMFILE ? refused(fs, h->uid) : rc;
}

void fs_user_closes(struct fs_handle *h)
{
	struct fs *fs = h->node->index->fs;
	struct fs_user *u;

	give_back(fs, h->held);
	if (!is_limited(fs, h->uid))
		return;
	pthread_mutex_lock(&fs->users_lock);
	if ((u = user_of(fs, h->uid)) != NULL) {
		u->open--;
		u->bytes -= h->held;
		drop_if_idle(fs, u);
	}
	pthread_mutex_unlock(&fs->users_lock);
}

int fs_user_holds(struct fs_handle *h, size_t bytes)
{
	struct fs *fs = h->node->index->fs;
	struct fs_user *u;
	int rc = 0;

	if (!is_limited(fs, h->uid)) {
		h->held = bytes;
		return 0;
	}
	pthread_mutex_lock(&fs->users_lock);
	u = user_of(fs, h->uid);
	if (bytes > h->held && u &&
	    u->bytes + (bytes - h->held) > (size_t)BYTES_MAX)
		rc = -EMFILE;
	if (rc == 0 && u) {
		u->bytes += bytes - h->held;
		h->held = bytes;
	}
	pthread_mutex_unlock(&fs->users_lock);
	return rc < 0 ? refused(fs, h->uid) : 0;
}

int fs_user_follows(struct fs *fs, uid_t uid)
{
	struct fs_user *u;
	int rc = 0;

	if (!is_limited(fs, uid))
		return 0;
	pthread_mutex_lock(&fs->users_lock);
	if (!(u = user_of(fs, uid)))
		rc = -ENOMEM;
	else if (u->followed == FOLLOWED_MAX)
		rc = -EMFILE;
	else
		u->followed++;
	pthread_mutex_unlock(&fs->users_lock);
	return rc;
}

void fs_user_unfollows(struct fs *fs, uid_t uid)
{
	struct fs_user *u;

	if (!is_limited(fs, uid))
		return;
	pthread_mutex_lock(&fs->users_lock);
	if ((u = user_of(fs, uid)) != NULL) {
		u->followed--;
		drop_if_idle(fs, u);
	}
	pthread_mutex_unlock(&fs->users_lock);
}
