/* SPDX-License-Identifier: MIT */
#ifndef RK_BASE_MP_H
#define RK_BASE_MP_H

#include "base/buf.h"
#include <stddef.h>
#include <stdint.h>

/*
 * MessagePack (https://github.com/msgpack/msgpack/blob/master/spec.md).
 *
 * Writing is msgpuck's encoders into an rk_buf. Reading is a cursor of our
 * own over bytes that a checksum has already vouched for: other readers trust
 * the count that a header claims before they look whether the bytes are there
 * (six bytes can make msgpack-c reserve 8 GB), this one reserves nothing.
 */

/* Append one value in its shortest form; check b->err when done. */
void rk_mp_uint(struct rk_buf *b, uint64_t v);
void rk_mp_int(struct rk_buf *b, int64_t v);
void rk_mp_array(struct rk_buf *b, size_t n); /* n values follow */
void rk_mp_map(struct rk_buf *b, size_t pairs);
void rk_mp_bin(struct rk_buf *b, const void *p, size_t n);
void rk_mp_key(struct rk_buf *b, const char *key); /* NUL-terminated str */

/*
 * Reading cursor with a sticky error: after the first value that is not what
 * was asked for, or is cut short, err is RK_ECORRUPT and every later call
 * returns 0 or an empty slice. Slices are borrowed from the input.
 */
struct rk_mpr {
	const uint8_t *p, *end;
	int err;
};

uint64_t rk_mpr_uint(struct rk_mpr *r);
int64_t rk_mpr_int(struct rk_mpr *r);
double rk_mpr_double(struct rk_mpr *r); /* float 64 only */
/* Counts of elements or pairs, already checked against the bytes left. */
uint32_t rk_mpr_array(struct rk_mpr *r);
uint32_t rk_mpr_map(struct rk_mpr *r);
const char *rk_mpr_str(struct rk_mpr *r, size_t *n);
const uint8_t *rk_mpr_bin(struct rk_mpr *r, size_t *n);
/* True if the next value is a str equal to `key`; consumes it always. */
int rk_mpr_key(struct rk_mpr *r, const char *key);
/* Step over one value of any type; nesting above 32 is an error. */
void rk_mpr_skip(struct rk_mpr *r);

#endif
