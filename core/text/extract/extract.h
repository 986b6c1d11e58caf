/* SPDX-License-Identifier: MIT */
#ifndef RK_TEXT_EXTRACT_H
#define RK_TEXT_EXTRACT_H

#include "base/buf.h"
#include "base/env.h"
#include "text/extract/kind.h"

enum {
	RK_TEXT_TRUNCATED = 1, /* longer than the limit: the rest is not here */
	RK_TEXT_BINARY = 2,    /* not text; n is 0 */
	RK_TEXT_DERIVED = 4,   /* bytes differ from the file's (gzip, roff) */
	RK_TEXT_DAMAGED = 8,   /* a compressed stream that broke off */
};

/* The text of one document. Owned; rk_text_release() frees it. */
struct rk_text {
	char *p; /* n bytes and a NUL; invalid UTF-8 is left as it is */
	size_t n;
	enum rk_kind kind;
	unsigned flags;
};
#define RK_TEXT_INIT                                                           \
	{                                                                      \
		NULL, 0, RK_KIND_TEXT, 0                                       \
	}

/*
 * Read at most max_bytes of text from an open file: plain text as it is,
 * gzip (RFC 1952) inflated, UTF-16 with a byte order mark converted, roff
 * escapes and HTML's tags blanked. `path` only decides the kind. Never reads
 * past max_bytes of output, whatever the file claims.
 * Returns 0, or -errno, or -ENOMEM; *out is then unchanged.
 */
int rk_text_load(const struct rk_io *io, int fd, const char *path,
		 size_t max_bytes, struct rk_text *out);

/* As rk_text_load, with markup as it is: what line tools see. */
int rk_text_load_raw(const struct rk_io *io, int fd, const char *path,
		     size_t max_bytes, struct rk_text *out);

/* Bytes that a program gave for a file; b is used up, whatever comes. */
int rk_text_adopt(struct rk_buf *b, enum rk_kind kind, size_t max_bytes,
		  struct rk_text *out);

/*
 * As rk_text_load, but only text bytes [off, off+len): cheap for plain
 * files, which are read at that place. Fewer bytes where the text ends.
 */
int rk_text_load_range(const struct rk_io *io, int fd, const char *path,
		       uint64_t off, size_t len, size_t max_bytes,
		       struct rk_text *out);
/* Keep text bytes [off, off+len) of t. */
void rk_text_slice(struct rk_text *t, uint64_t off, size_t len);
void rk_text_release(struct rk_text *t);

#endif
