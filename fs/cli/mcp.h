/* SPDX-License-Identifier: MIT */
#ifndef FS_MCP_H
#define FS_MCP_H

struct rk_index;

/*
 * Serve the Model Context Protocol on standard input and output until it ends:
 * for a mount, or for an index that is open, whose documents answers put below
 * `root`. Returns the exit status.
 */
int fs_mcp_mount(const char *mountpoint);
int fs_mcp_index(struct rk_index *ix, const char *root);

#endif
