/* SPDX-License-Identifier: MIT */
#ifndef RK_INDEX_TEXTS_H
#define RK_INDEX_TEXTS_H

#include "text/extract/extract.h"

struct rk_index;

enum rk_read {
	RK_READ_TO_INDEX, /* warns of what cannot be read */
	RK_READ_AGAIN,
	RK_READ_LINES, /* markup as it is */
};
enum { RK_LINES_MIB = 64 }; /* read of a plain file for its lines, at least */
/*
 * The text of an open document, by a helper program where its kind needs one.
 * Returns 0, -errno, -ENOMEM.
 */
int rk_read_text(struct rk_index *ix, int fd, const char *path,
		 enum rk_read how, struct rk_text *out);
/* Bytes [off, off+len) of the text that was indexed. */
int rk_read_range(struct rk_index *ix, int fd, const char *path, uint64_t off,
		  size_t len, struct rk_text *out);

#endif
