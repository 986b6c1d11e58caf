/* SPDX-License-Identifier: MIT */
#ifndef RK_PUBLIC_H
#define RK_PUBLIC_H

/*
 * The part of core/base that programs see that embed the library. `make
 * install` puts this text into rankfs.h, in place of its one #include of ours,
 * so that the installed header stands alone.
 */
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif
/* Only what is declared between push and pop leaves the shared library. */
#pragma GCC visibility push(default)

/* --- return codes ------------------------------------------------------ */

/*
 * Every function that returns an int gives 0 or a positive result on success,
 * -errno untouched from the system, or one of these codes. They lie below
 * -10000, so that the two never meet.
 */
enum rk_code {
	/* a checksum, size or count in a file does not hold */
	RK_ECORRUPT = -10001,
	/* written by a newer rankfs; refused, not guessed */
	RK_EVERSION = -10002,
	/* another process writes this index */
	RK_ELOCKED = -10003,
	/* the caller set its cancel flag */
	RK_ECANCELLED = -10004,
	/* above a configured limit */
	RK_ETOOBIG = -10005,
	/* the index was opened for reading */
	RK_EREADONLY = -10006,
};

/*
 * A sentence fit for a user, for any code above or -errno. Any thread.
 * Returns static storage of the calling thread, valid until its next call.
 */
const char *rk_strerror(int code);

/* --- bytes that the library writes ------------------------------------- */

/*
 * A buffer that grows. Functions append to it, so that one buffer can take
 * several answers. One thread at a time.
 */
struct rk_buf;

/* Returns an empty buffer, the caller's; NULL without memory. */
struct rk_buf *rk_buf_new(void);

/* Frees a buffer of rk_buf_new(). NULL is allowed. */
void rk_buf_free(struct rk_buf *b);

/*
 * Returns the bytes, with a NUL behind them that does not count; never NULL.
 * They belong to the buffer and are valid until it changes.
 */
const char *rk_buf_data(struct rk_buf *b);

/* Returns the number of bytes. */
size_t rk_buf_size(const struct rk_buf *b);

/*
 * Returns 0, or -ENOMEM if an append failed for want of memory: the bytes
 * then lack their end. An error stays until rk_buf_clear().
 */
int rk_buf_error(const struct rk_buf *b);

/* Empties a buffer and forgets its error; its memory is kept for reuse. */
void rk_buf_clear(struct rk_buf *b);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

#endif
