/* SPDX-License-Identifier: MIT */
#ifndef FS_HELP_H
#define FS_HELP_H

#include "base/buf.h"

/* A page of help for a mount at `root`. */
void fs_help_readme(const char *root, struct rk_buf *out);
/* The same for language models: short, to be put into their instructions. */
void fs_help_agents(const char *root, struct rk_buf *out);

#endif
