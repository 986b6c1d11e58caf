/* SPDX-License-Identifier: MIT */
#ifndef RK_TEXT_HTML_H
#define RK_TEXT_HTML_H

#include <stddef.h>

/*
 * HTML (or XML) as plain text of the same length: tags, comments, scripts and
 * styles become blanks, character references their characters and blanks.
 * Newlines stay, so that lines and byte offsets are those of the file. What is
 * left of `<h1>` to `<h6>` and `<title>` begins with a byte 1 to 6 and 7, for
 * the chunker; the text has no other control bytes below 8.
 */
void rk_html_blank(char *s, size_t n);

#endif
