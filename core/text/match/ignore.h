/* SPDX-License-Identifier: MIT */
#ifndef RK_TEXT_IGNORE_H
#define RK_TEXT_IGNORE_H

/*
 * True for files that are kept but never indexed: what editors, copy tools
 * and version control leave beside the document they are working on. `path`
 * is relative to the index root. The list is documented in fs/doc/tree.md.
 */
int rk_ignored(const char *path);

#endif
