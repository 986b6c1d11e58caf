/* SPDX-License-Identifier: MIT */
#include "base/lock.h"
#include <unistd.h>

#ifdef __GLIBC__
/* gettid() is a system call; a fork's child has one thread, and another id. */
static __thread pid_t self;

static void forget_self(void)
{
	self = 0;
}

static void forget_in_children(void)
{
	pthread_atfork(NULL, NULL, forget_self);
}

static pid_t thread_id(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	if (self == 0) {
		pthread_once(&once, forget_in_children);
		self = gettid();
	}
	return self;
}

int rk_is_held(const pthread_mutex_t *m)
{
	return m->__data.__owner == thread_id();
}

int rk_is_shared(const pthread_rwlock_t *l)
{
	/* the lower three bits are states; above them readers are counted */
	return __atomic_load_n(&l->__data.__readers, __ATOMIC_RELAXED) >> 3 !=
		       0 ||
	       l->__data.__cur_writer == thread_id();
}
#endif
