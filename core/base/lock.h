/* SPDX-License-Identifier: MIT */
#ifndef RK_LOCK_H
#define RK_LOCK_H

#include <assert.h>
#include <pthread.h>

/*
 * "The caller holds this mutex" as code. glibc notes the owner in every mutex;
 * reading it costs one load and a cached thread id, and nothing is kept of our
 * own. Elsewhere, and under -DNDEBUG, nothing is checked.
 */
#ifdef __GLIBC__
int rk_is_held(const pthread_mutex_t *m);
/* Do we write under this lock, or does anybody read? */
int rk_is_shared(const pthread_rwlock_t *l);
#else
#define rk_is_held(m)	((void)(m), 1)
#define rk_is_shared(l) ((void)(l), 1)
#endif
#define rk_assert_held(m)   assert(rk_is_held(m))
#define rk_assert_shared(l) assert(rk_is_shared(l))

#endif
