/* SPDX-License-Identifier: MIT */
#ifndef RK_BASE_PUT_H
#define RK_BASE_PUT_H

#include <stddef.h>

struct rk_buf;

/*
 * Any bytes as UTF-8: what is none becomes U+FFFD. rk_put_line() makes one line
 * of it, with blanks for control characters; rk_put_utf8() leaves those.
 */
void rk_put_line(struct rk_buf *out, const char *s, size_t n);
void rk_put_utf8(struct rk_buf *out, const char *s, size_t n);
/*
 * root/path on one line, in which nothing is lost: its bytes, but control
 * characters as %0A and the like, and as %25 a percent sign that could be read
 * as the beginning of one of those, or of %25.
 */
void rk_put_path(struct rk_buf *out, const char *root, const char *path);
/*
 * root/path as UTF-8, and 0; where it is none, what is not is written as %FF
 * and each percent sign as %25, and 1 is returned.
 */
int rk_put_path_utf8(struct rk_buf *out, const char *root, const char *path);

#endif
