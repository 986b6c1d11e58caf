/* SPDX-License-Identifier: MIT */
#ifndef RK_VECTOR_ROTATE_H
#define RK_VECTOR_ROTATE_H

#include <stddef.h>

/*
 * A fixed pseudo-random rotation of `dim` floats, in place, in O(dim log dim):
 * rounds of sign flips and fast Walsh-Hadamard transforms over the largest
 * power of two that fits, first from the front, then from the back (the
 * windows overlap, so that every input reaches every output). Lengths and
 * angles stay what they are; what was in few coordinates is spread over all,
 * which is what makes the signs of the coordinates good codes.
 * The same on every machine, and so on disk.
 */
void rk_rotate(float *v, size_t dim);

#endif
