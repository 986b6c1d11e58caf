/* SPDX-License-Identifier: MIT */
#ifndef RK_TEXT_KIND_H
#define RK_TEXT_KIND_H

#include <stddef.h>

/* What a document is, which decides how it is cut into chunks. On disk. */
enum rk_kind {
	RK_KIND_TEXT = 0,
	RK_KIND_MARKDOWN = 1,
	RK_KIND_CODE = 2,
	RK_KIND_MAN = 3, /* roff manual page */
	RK_KIND_BINARY = 4,
	RK_KIND_ASCIIDOC = 5,
	RK_KIND_RST = 6, /* reStructuredText */
	RK_KIND_ORG = 7,
	RK_KIND_MAIL = 8,   /* a message, or a mailbox of them */
	RK_KIND_JSONL = 9,  /* JSON Lines */
	RK_KIND_TABLE = 10, /* CSV, TSV */
	RK_KIND_LOG = 11,
	RK_KIND_PAGES = 12, /* extracted; form feeds end pages */
	RK_KIND_HTML = 13,
	RK_KINDS,
};

enum rk_packing {
	RK_PACKED_NOT,
	RK_PACKED_GZIP,
	RK_PACKED_XZ,
	RK_PACKED_ZSTD,
	RK_PACKED_BZIP2,
	RK_PACKINGS,
};

/*
 * How the suffix of a file name (without its folder) says that it is
 * compressed; *inner_n: bytes of the name of what is in it.
 */
enum rk_packing rk_packing_of_name(const char *name, size_t *inner_n);

/* By file name alone; a compression suffix is looked through. */
enum rk_kind rk_kind_of_path(const char *path);
const char *rk_kind_name(enum rk_kind kind);
/* The programming language that a file name stands for, or "". */
const char *rk_language_of_path(const char *path);
/*
 * The extension that n bytes of a script would have, by the program that its
 * first line names (#!/usr/bin/env python3); "" if it names none that is known.
 */
const char *rk_script_extension(const char *s, size_t n);
/* Is it the name of one, whatever its case? */
int rk_language_known(const char *name, size_t n);
int rk_kind_known(const char *name, size_t n);

#endif
