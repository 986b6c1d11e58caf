/* SPDX-License-Identifier: MIT */
#ifndef RK_BASE_CHILD_H
#define RK_BASE_CHILD_H

#include "base/buf.h"
#include <stddef.h>
#include <sys/types.h>

/*
 * A helper program as a child: no shell, a fixed environment, a process group
 * and a sandbox of its own (sandbox.h), limits on memory and processor time.
 * What it reads comes from a file or from us, what it writes comes to us. It
 * must be expected to hang, to die and to say anything. One thread at a time.
 */
struct rk_child {
	pid_t pid;   /* 0: none */
	int in, out; /* our ends; in is -1 if it reads a file */
};
#define RK_CHILD_NONE                                                          \
	{                                                                      \
		0, -1, -1                                                      \
	}

struct rk_child_limits {
	size_t memory_bytes; /* of address space; 0: no limit */
	unsigned cpu_s;	     /* 0: no limit */
	uid_t uid;	     /* by whom it is run, if we are root; 0: root */
	gid_t gid;
};

/*
 * Start argv[0] (looked up in the system's folders, or an absolute path).
 * `fd` is what it reads: an open file whose offset is its start, or -1 for
 * rk_child_write(). Returns 0; -ENOENT if there is no such program; -errno.
 */
int rk_child_start(struct rk_child *c, char *const argv[], int fd,
		   const struct rk_child_limits *limits);

/* A moment on the monotonic clock, in nanoseconds, by which it must be done. */
int rk_child_write(struct rk_child *c, const void *p, size_t n,
		   uint64_t deadline_ns);
/*
 * Append what has arrived (at least a byte) to out. Returns the count, 0 at
 * the end, -ETIMEDOUT, -errno.
 */
ssize_t rk_child_read(struct rk_child *c, struct rk_buf *out,
		      uint64_t deadline_ns);

/*
 * Wait for it to end by itself until the deadline, kill its group if it does
 * not. Returns its exit status 0 to 255, 256 + the signal that ended it, or
 * -ETIMEDOUT. Leaves *c without a child.
 */
int rk_child_finish(struct rk_child *c, uint64_t deadline_ns);
/* Kill and reap. NULL, or one without a child, is allowed. */
void rk_child_kill(struct rk_child *c);

#endif
