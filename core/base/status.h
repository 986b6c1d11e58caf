/* SPDX-License-Identifier: MIT */
#ifndef RK_BASE_STATUS_H
#define RK_BASE_STATUS_H

#include <stdint.h>

/*
 * Return codes. Every int-returning function gives 0 or a positive result on
 * success, -errno untouched from the system, or one of these engine codes
 * (below -10000, so that the two never meet). fs/base/errno.c maps them to
 * errno.
 */
enum rk_code {
	RK_ECORRUPT = -10001, /* a checksum, size or count does not hold */
	RK_EVERSION =
		-10002, /* written by a newer rankfs; refused, not guessed */
	RK_ELOCKED = -10003,	/* another process writes this index */
	RK_ECANCELLED = -10004, /* the caller gave up (Ctrl-C) */
	RK_ETOOBIG = -10005,	/* above a configured limit */
	RK_EREADONLY = -10006,	/* the index was opened for reading */
};

/* A sentence fit for a user, for any code above or -errno. Static storage,
 * of the thread. */
const char *rk_strerror(int code);

/*
 * A file that one cannot have is one of three things: not there (-ENOENT),
 * damaged (RK_ECORRUPT, or something else in its place), or not readable now:
 * no descriptor, no memory, no permission, a disk that fails. Only the first
 * two say anything about the file; after the third nothing may be built
 * anew, set aside or removed. Is rc the third?
 */
int rk_unreadable(int rc);

/*
 * Refuse a file of a newer format: returns RK_EVERSION, and rk_strerror() of
 * it names what and which, in this thread, until the next refusal.
 */
int rk_newer(const char *what, uint64_t version, uint64_t features);

#endif
