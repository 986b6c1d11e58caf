/* SPDX-License-Identifier: MIT */
#ifndef FS_MCP_TOOLS_H
#define FS_MCP_TOOLS_H

#include "fs/base/fs.h"
#include <jansson.h>

/* What the server serves; what is open lives as long as one call. */
struct fs_mcp {
	const char *root;    /* before paths in answers */
	int dir;	     /* the documents, or the top of many indexes */
	int many;	     /* that */
	struct rk_index *ix; /* its own; NULL: a mount has it */
};

struct fs_mcp_reply {
	struct rk_buf text; /* or, of a failure, the sentence that says why */
	struct rk_buf note; /* what the text leaves out, and how to go on */
};

/* The tools as the protocol lists them. A new reference. */
json_t *fs_mcp_list_tools(const struct fs_mcp *s);
/*
 * Call a tool. Returns 1 and the reply, or 1 and *failed with why in its text;
 * 0: there is no such tool. `args` may be NULL.
 */
int fs_mcp_call(const struct fs_mcp *s, const char *name, const json_t *args,
		struct fs_mcp_reply *reply, int *failed);

/* --- for tools: arguments have been checked, replies are text --- */

/* "" if it is not given. */
const char *fs_mcp_string(const json_t *args, const char *key);
json_int_t fs_mcp_integer(const json_t *args, const char *key,
			  json_int_t otherwise);
/* The whole reply is this sentence. Returns -1. */
int fs_mcp_fail(struct fs_mcp_reply *r, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* Append what can be read, at most max bytes. 0 or -errno. */
int fs_mcp_read_fd(int fd, size_t max, struct rk_buf *out);
/* Below the documents, wherever links and dots lead; -errno. */
int fs_mcp_open_beneath(int dir, const char *path, int flags);

/* mcp_files.c; 0, or -1 and a sentence */
int fs_mcp_read(const struct fs_mcp *s, const json_t *args,
		struct fs_mcp_reply *r);
int fs_mcp_list(const struct fs_mcp *s, const json_t *args,
		struct fs_mcp_reply *r);

#endif
