/* SPDX-License-Identifier: MIT */
#ifndef RK_BASE_STATUS_H
#define RK_BASE_STATUS_H

#include "base/public.h"
#include <stdint.h>

/* Return codes and rk_strerror() are in base/public.h. */

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
