/* SPDX-License-Identifier: MIT */
#ifndef RK_TEXT_KIND_H
#define RK_TEXT_KIND_H

/* What a document is, which decides how it is cut into chunks. On disk. */
enum rk_kind {
	RK_KIND_TEXT = 0,
	RK_KIND_MARKDOWN = 1,
	RK_KIND_CODE = 2,
	RK_KIND_MAN = 3, /* roff manual page */
	RK_KIND_BINARY = 4,
};

/* By file name alone; a compression suffix (.gz) is looked through. */
enum rk_kind rk_kind_of_path(const char *path);
const char *rk_kind_name(enum rk_kind kind);

#endif
