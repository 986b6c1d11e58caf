/* SPDX-License-Identifier: MIT */
/*
 * The queries that are followed: those that the kernel knows, and the saved
 * ones. What the thread that follows them does is live.c's.
 */
#include "fs/query/followed.h"
#include "fs/base/users.h"
#include "fs/base/node.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { LIVE_MAX = 4096 /* followed at a time */ };

void fs_live_add(struct fs_node *n, const char *name, uid_t uid)
{
	struct fs_live_thread *t = n->index->fs->live;
	struct fs_live *l = n->live;

	if (!t || (!l && t->n == LIVE_MAX))
		return;
	if (!l) {
		if (fs_user_follows(n->index->fs, uid) < 0)
			return;
		if (!(l = calloc(1, sizeof(*l)))) {
			fs_user_unfollows(n->index->fs, uid);
			return;
		}
		l->uid = uid;
		l->node = n;
		if (n->index->ix)
			l->since = rk_generation(n->index->ix);
		l->next = t->head;
		if (t->head)
			t->head->prev = l;
		t->head = l;
		n->live = l;
		if (t->n++ == 0)
			fs_live_nudge(n->index->fs);
	}
	l->looked_ns = rk_mono_ns();
	if (name && (!l->name || strcmp(l->name, name) != 0)) {
		free(l->name);
		l->name = strdup(name);
	}
}

void fs_live_remove(struct fs_node *n)
{
	struct fs_live_thread *t = n->index->fs->live;
	struct fs_live *l = n->live;

	if (!l)
		return;
	*(l->prev ? &l->prev->next : &t->head) = l->next;
	if (l->next)
		l->next->prev = l->prev;
	t->n--;
	fs_user_unfollows(n->index->fs, l->uid);
	rk_standing_free(l->standing);
	free(l->name);
	free(l);
	n->live = NULL;
}

void fs_live_hold(struct fs_node *n)
{
	if (n->live)
		n->live->held++;
}

void fs_live_unhold(struct fs_node *n)
{
	if (n->live && n->live->held)
		n->live->held--;
}

void fs_live_wake(void *fs)
{
	((struct fs *)fs)->epoch++;
	fs_live_nudge(fs);
}

void fs_live_nudge(struct fs *fs)
{
	struct fs_live_thread *t = fs->live;

	if (!t)
		return;
	pthread_mutex_lock(&t->lock);
	if (!t->woken) {
		t->woken = 1;
		pthread_cond_signal(&t->cond);
	}
	pthread_mutex_unlock(&t->lock);
}

int fs_live_new(struct fs *fs)
{
	struct fs_live_thread *t = calloc(1, sizeof(*t));
	pthread_condattr_t attr;

	if (!t)
		return -ENOMEM;
	t->fs = fs;
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_mutex_init(&t->lock, NULL);
	pthread_cond_init(&t->cond, &attr);
	pthread_condattr_destroy(&attr);
	fs->live = t;
	return 0;
}

void fs_live_free(struct fs *fs)
{
	struct fs_live_thread *t = fs->live;

	if (!t)
		return;
	pthread_mutex_destroy(&t->lock);
	pthread_cond_destroy(&t->cond);
	free(t->v);
	free(t);
	fs->live = NULL;
}
