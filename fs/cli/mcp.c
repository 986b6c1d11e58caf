/* SPDX-License-Identifier: MIT */
/*
 * rankfs mcp: a Model Context Protocol server on standard input and output
 * (https://modelcontextprotocol.io, revision 2025-11-25): JSON-RPC 2.0, a
 * message a line. Its tools work on a mount where there is one, because the
 * daemon has the index then, and on the backing folder where there is none.
 */
#include "fs/cli/mcp.h"
#include "fs/cli/mcp_tools.h"
#include "base/put.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MESSAGE_MAX = 16 << 20 };

enum {
	PARSE_ERROR = -32700,
	BAD_REQUEST = -32600,
	NO_METHOD = -32601,
	BAD_PARAMS = -32602,
};

/* --- the documents --- */

/*
 * Open a mount for one call: one that is open keeps it from being unmounted,
 * and one that was open is not the one that is mounted now.
 */
static int open_mount(struct fs_mcp *s)
{
	s->dir = open(s->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->dir < 0)
		return -errno;
	if (faccessat(s->dir, ".rankfs/README", F_OK, 0) < 0) {
		close(s->dir);
		return -ENODEV;
	}
	s->many = faccessat(s->dir, ".rankfs/ask", F_OK, 0) < 0;
	return 0;
}

static void close_mount(struct fs_mcp *s)
{
	close(s->dir);
	s->dir = -1;
}

/* --- JSON-RPC --- */

static void send_message(json_t *m)
{
	char *s = json_dumps(m, JSON_COMPACT);

	if (s) {
		puts(s);
		fflush(stdout);
	}
	free(s);
	json_decref(m);
}

static void send_result(const json_t *id, json_t *result)
{
	send_message(json_pack("{s:s, s:O, s:o}", "jsonrpc", "2.0", "id", id,
			       "result", result));
}

static void send_error(const json_t *id, int code, const char *why)
{
	send_message(json_pack("{s:s, s:O, s:{s:i, s:s}}", "jsonrpc", "2.0",
			       "id", id, "error", "code", code, "message",
			       why));
}

static void send_error_about(const json_t *id, int code, const char *what,
			     const char *name)
{
	char why[200];
	int n = (int)strlen(name);

	while (n > 100 ||
	       (n > 0 && n < (int)strlen(name) && (name[n] & 0xc0) == 0x80))
		n--; /* not half a character */
	snprintf(why, sizeof(why), "%s: %.*s", what, n, name);
	send_error(id, code, why);
}

static void initialize(const struct fs_mcp *s, const json_t *id,
		       const json_t *params)
{
	static const char *const KNOWN[] = {"2025-11-25", "2025-06-18",
					    "2025-03-26", "2024-11-05"};
	const char *want = fs_mcp_string(params, "protocolVersion");
	const char *version = KNOWN[0];
	struct rk_buf help = RK_BUF_INIT;

	if (!*want) {
		send_error(id, BAD_PARAMS,
			   "params.protocolVersion: expected a string");
		return;
	}
	for (size_t i = 0; i < sizeof(KNOWN) / sizeof(KNOWN[0]); i++)
		if (strcmp(KNOWN[i], want) == 0)
			version = want;
	rk_buf_printf(&help,
		      "Search %s with `search` before you read files one by "
		      "one: an answer has the lines themselves.",
		      s->root);
	send_result(id, json_pack("{s:s, s:{s:{}}, s:{s:s, s:s}, s:s#}",
				  "protocolVersion", version, "capabilities",
				  "tools", "serverInfo", "name", "rankfs",
				  "version", RK_VERSION, "instructions",
				  (char *)help.p, (int)help.n));
	rk_buf_release(&help);
}

static void add_text(json_t *content, const struct rk_buf *b)
{
	struct rk_buf text = RK_BUF_INIT; /* paths need not be UTF-8 */
	json_t *s;

	rk_put_utf8(&text, (char *)b->p, b->n);
	s = json_stringn(text.n ? (char *)text.p : "", text.n);
	rk_buf_release(&text);
	json_array_append_new(content,
			      json_pack("{s:s, s:o}", "type", "text", "text",
					s ? s : json_string("")));
}

/* A note comes as a text of its own: the first one is the document's alone. */
static void send_reply(const json_t *id, struct fs_mcp_reply *r, int failed)
{
	json_t *content = json_array();

	if (r->text.err || r->note.err)
		failed = fs_mcp_fail(r, "out of memory") < 0;
	add_text(content, &r->text);
	if (r->note.n)
		add_text(content, &r->note);
	send_result(id, json_pack("{s:o, s:b}", "content", content, "isError",
				  failed));
	rk_buf_release(&r->text);
	rk_buf_release(&r->note);
}

static void call_tool(struct fs_mcp *s, const json_t *id, const json_t *params)
{
	const char *name = fs_mcp_string(params, "name");
	struct fs_mcp_reply r = {RK_BUF_INIT, RK_BUF_INIT};
	int rc = s->ix ? 0 : open_mount(s), failed = 0;

	if (!*name) {
		send_error(id, BAD_PARAMS,
			   "params.name: expected the name of a tool");
	} else if (rc < 0) {
		failed = fs_mcp_fail(&r, "nothing is mounted at %s", s->root);
		send_reply(id, &r, failed < 0);
	} else if (fs_mcp_call(s, name, json_object_get(params, "arguments"),
			       &r, &failed)) {
		send_reply(id, &r, failed);
	} else {
		send_error_about(id, BAD_PARAMS, "there is no such tool", name);
	}
	if (rc == 0 && !s->ix)
		close_mount(s);
}

static void list_tools(const struct fs_mcp *s, const json_t *id)
{
	send_result(id, json_pack("{s:o}", "tools", fs_mcp_list_tools(s)));
}

static void request(struct fs_mcp *s, const json_t *id, const char *method,
		    const json_t *params)
{
	if (params && !json_is_object(params))
		send_error(id, BAD_PARAMS, "params: expected an object");
	else if (strcmp(method, "initialize") == 0)
		initialize(s, id, params);
	else if (strcmp(method, "ping") == 0)
		send_result(id, json_object());
	else if (strcmp(method, "tools/list") == 0)
		list_tools(s, id);
	else if (strcmp(method, "tools/call") == 0)
		call_tool(s, id, params);
	else
		send_error_about(id, NO_METHOD, "there is no such method",
				 method);
}

static void handle(struct fs_mcp *s, const json_t *m)
{
	const json_t *id = json_object_get(m, "id");
	const char *method = json_string_value(json_object_get(m, "method"));
	int known = json_is_string(id) || json_is_number(id);
	json_t *null = json_null();

	if (!json_is_object(m))
		send_error(null, BAD_REQUEST,
			   "expected an object: one request a line");
	else if (!method &&
		 (json_object_get(m, "result") || json_object_get(m, "error")))
		return; /* an answer, to nothing that was asked */
	else if (!method)
		send_error(known ? id : null, BAD_REQUEST,
			   "method: expected a string");
	else if (id && !known)
		send_error(null, BAD_REQUEST,
			   "id: expected a string or a number");
	else if (id) /* without: a notification; nothing is said to those */
		request(s, id, method, json_object_get(m, "params"));
}

static int serve(struct fs_mcp *s)
{
	char *line = NULL;
	size_t cap = 0;
	ssize_t n;

	while ((n = getline(&line, &cap, stdin)) > 0) {
		json_t *m = NULL;

		if (!line[strspn(line, " \t\r\n")])
			continue;
		if (n <= MESSAGE_MAX)
			m = json_loadb(line, (size_t)n,
				       JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
		if (m)
			handle(s, m);
		else
			send_error(json_null(), PARSE_ERROR,
				   n > MESSAGE_MAX ? "longer than 16 MiB"
						   : "not JSON");
		json_decref(m);
	}
	free(line);
	return 0;
}

int fs_mcp_mount(const char *mountpoint)
{
	char *root = realpath(mountpoint, NULL);
	struct fs_mcp s = {.root = root, .dir = -1};
	int rc = root ? open_mount(&s) : -errno;

	if (rc < 0) {
		fprintf(stderr, "rankfs: %s: %s\n", mountpoint,
			rc == -ENODEV ? "not an index that is mounted"
				      : rk_strerror(rc));
		free(root);
		return 1;
	}
	close_mount(&s);
	rc = serve(&s);
	free(root);
	return rc;
}

int fs_mcp_index(struct rk_index *ix, const char *root)
{
	struct fs_mcp s = {
		.root = root, .ix = ix, .dir = rk_index_files_fd(ix)};

	return serve(&s);
}
