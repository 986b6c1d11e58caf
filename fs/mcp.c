/* SPDX-License-Identifier: MIT */
/*
 * rankfs mcp: a Model Context Protocol server on standard input and output
 * (https://modelcontextprotocol.io, revision 2025-06-18): JSON-RPC 2.0, a
 * message a line. Its tools work on a mount where there is one, because the
 * daemon has the index then, and on the backing folder where there is none.
 */
#include "mcp.h"
#include "fs.h"
#include "help.h"
#include "options.h"
#include "render.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
	LINE_MAX_BYTES = 16 << 20,
	READ_MAX = 256 * 1024, /* of a document that one call gives */
	LIST_MAX = 1000,
	TOOL_BYTES = 4096,
};

struct server {
	const char *root;    /* before paths in answers */
	int dir;	     /* the documents */
	int mounted;	     /* dir is a mount's root */
	struct rk_index *ix; /* else */
};

/* --- documents --- */

/* Below the documents, wherever links and dots lead; -errno. */
static int open_beneath(const struct server *s, const char *path, int flags)
{
	struct open_how how = {
		.flags = (unsigned)flags | O_CLOEXEC,
		.mode = flags & O_CREAT ? 0644 : 0,
		.resolve = RESOLVE_BENEATH,
	};
	size_t n = strlen(s->root);
	long fd;

	if (strncmp(path, s->root, n) == 0 && path[n] == '/')
		path += n + 1; /* as answers name them */
	fd = syscall(SYS_openat2, s->dir, *path ? path : ".", &how,
		     sizeof(how));
	return fd < 0 ? -errno : (int)fd;
}

static int read_fd(int fd, size_t max, struct rk_buf *out)
{
	ssize_t n = 1;

	while (n > 0 && out->n < max) {
		size_t room = max - out->n < 65536 ? max - out->n : 65536;

		if (rk_buf_reserve(out, room) < 0)
			return -ENOMEM;
		n = read(fd, out->p + out->n, room);
		if (n > 0)
			out->n += (size_t)n;
	}
	return n < 0 ? -errno : 0;
}

/* --- tools: text into out; negative with a sentence there: failed --- */

static const char *string_of(const json_t *args, const char *key)
{
	const char *s = json_string_value(json_object_get(args, key));

	return s ? s : "";
}

static int failed(struct rk_buf *out, const char *what, int rc)
{
	out->n = 0;
	rk_buf_printf(out, "%s: %s", what,
		      rc == -EXDEV ? "leads out of the documents"
				   : rk_strerror(rc));
	return rc;
}

static int search_mount(const struct server *s, const char *text, size_t n,
			struct rk_buf *out)
{
	int fd = openat(s->dir, ".rankfs/ask", O_RDWR | O_CLOEXEC), rc = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, n) != (ssize_t)n)
		rc = -errno;
	if (rc == 0)
		rc = read_fd(fd, LINE_MAX_BYTES, out);
	close(fd);
	return rc;
}

static int search_index(const struct server *s, const char *text, size_t n,
			struct rk_buf *out)
{
	struct rk_search_opts opts = {.wait_ms = -1};
	struct rk_results *r;
	size_t body;
	int rc = rk_search(s->ix, text, n, &opts, &r);

	if (rc < 0)
		return rc;
	fs_render(r, text, n, s->root, out, &body);
	rk_results_free(r);
	return 0;
}

static int tool_search(const struct server *s, const json_t *args,
		       struct rk_buf *out)
{
	json_int_t n = json_integer_value(json_object_get(args, "n"));
	const char *query = string_of(args, "query");
	struct rk_buf text = RK_BUF_INIT;
	int rc;

	rk_buf_str(&text, query);
	if (n > 0)
		rk_buf_printf(&text, " n:%lld", (long long)n);
	rc = s->mounted ? search_mount(s, (char *)text.p, text.n, out)
			: search_index(s, (char *)text.p, text.n, out);
	rk_buf_release(&text);
	return rc < 0 ? failed(out, "search", rc) : 0;
}

/* Lines [from, from + count) of a text. */
static void cut_lines(struct rk_buf *b, json_int_t from, json_int_t count)
{
	size_t at = 0, end;

	for (json_int_t i = 1; i < from && at < b->n; i++) {
		const uint8_t *nl = memchr(b->p + at, '\n', b->n - at);

		at = nl ? (size_t)(nl - b->p) + 1 : b->n;
	}
	end = count > 0 ? at : b->n;
	for (json_int_t i = 0; i < count && end < b->n; i++) {
		const uint8_t *nl = memchr(b->p + end, '\n', b->n - end);

		end = nl ? (size_t)(nl - b->p) + 1 : b->n;
	}
	memmove(b->p, b->p + at, end - at);
	b->n = end - at;
}

static int tool_read(const struct server *s, const json_t *args,
		     struct rk_buf *out)
{
	const char *path = string_of(args, "path");
	json_int_t line = json_integer_value(json_object_get(args, "line"));
	json_int_t count = json_integer_value(json_object_get(args, "lines"));
	struct rk_buf raw = RK_BUF_INIT;
	struct stat st;
	int fd = open_beneath(s, path, O_RDONLY | O_NONBLOCK), rc = fd;

	if (fd >= 0) {
		rc = fstat(fd, &st) < 0	     ? -errno
		     : S_ISDIR(st.st_mode)   ? -EISDIR
		     : !S_ISREG(st.st_mode)  ? -EINVAL
		     : line > 1 || count > 0 ? read_fd(fd, LINE_MAX_BYTES, &raw)
					     : read_fd(fd, READ_MAX, &raw);
		close(fd);
	}
	if (rc >= 0 && raw.n && (line > 1 || count > 0))
		cut_lines(&raw, line, count);
	if (rc >= 0)
		fs_put_utf8(out, (char *)raw.p, raw.n);
	rk_buf_release(&raw);
	return rc < 0 ? failed(out, path, rc) : 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int is_virtual(const struct server *s, const char *folder,
		      const char *name)
{
	return s->mounted && !*folder && strcmp(name, "query") == 0;
}

static int tool_list(const struct server *s, const json_t *args,
		     struct rk_buf *out)
{
	const char *path = string_of(args, "path");
	int fd = open_beneath(s, path, O_RDONLY | O_DIRECTORY);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	char *names[LIST_MAX];
	struct dirent *e;
	size_t n = 0;

	if (!d)
		return failed(out, *path ? path : ".", fd < 0 ? fd : -ENOMEM);
	while (n < LIST_MAX && (e = readdir(d)))
		if (e->d_name[0] != '.' && !is_virtual(s, path, e->d_name) &&
		    asprintf(&names[n], "%s%s", e->d_name,
			     e->d_type == DT_DIR ? "/" : "") >= 0)
			n++;
	closedir(d);
	if (n)
		qsort(names, n, sizeof(*names), by_name);
	for (size_t i = 0; i < n; i++) {
		fs_put_text(out, names[i], strlen(names[i]));
		rk_buf_byte(out, '\n');
		free(names[i]);
	}
	if (n == LIST_MAX)
		rk_buf_str(out, "...\n");
	return 0;
}

/* A file name that says what it is for. */
static void name_of(const char *question, char out[256])
{
	size_t n = 0;

	for (; *question && n < 200; question++) {
		unsigned char c = (unsigned char)*question;

		out[n++] = c < ' ' || c == '/' ? '-' : (char)c;
	}
	while (n && (out[n - 1] == ' ' || (out[n - 1] & 0xc0) == 0x80))
		n--; /* not half a character */
	if (n && (unsigned char)out[n - 1] >= 0xc0)
		n--;
	if (n && out[0] == '.')
		out[0] = '-';
	strcpy(out + n, ".md");
}

static int tool_remember(const struct server *s, const json_t *args,
			 struct rk_buf *out)
{
	const char *text = string_of(args, "text");
	const char *question = string_of(args, "question");
	char name[256], path[300];
	int fd, rc;

	if (!*question || !*text) {
		rk_buf_str(out, "remember: needs a question and a text");
		return -EINVAL;
	}
	name_of(question, name);
	snprintf(path, sizeof(path), "cache/%s", name);
	if (mkdirat(s->dir, "cache", 0755) < 0 && errno != EEXIST)
		return failed(out, "cache", -errno);
	fd = open_beneath(s, path, O_WRONLY | O_CREAT | O_TRUNC);
	if (fd < 0)
		return failed(out, path, fd);
	rc = fs_write_all(fd, text, strlen(text));
	if (rc == 0 && text[strlen(text) - 1] != '\n')
		rc = fs_write_all(fd, "\n", 1);
	if (close(fd) < 0 && rc == 0)
		rc = -errno;
	if (rc == 0 && s->ix)
		rc = rk_touch(s->ix, path, 0, NULL);
	if (rc < 0)
		return failed(out, path, rc);
	rk_buf_printf(out, "%s/%s\n", s->root, path);
	return 0;
}

static int recall_mount(const struct server *s, const char *question,
			struct rk_buf *out)
{
	struct rk_buf path = RK_BUF_INIT;
	int fd, rc;

	rk_buf_str(&path, "recall/");
	fs_encode_name(question, &path);
	rk_buf_byte(&path, 0);
	fd = path.err ? -1
		      : openat(s->dir, (char *)path.p, O_RDONLY | O_CLOEXEC);
	rc = fd < 0 ? -errno : read_fd(fd, READ_MAX, out);
	if (fd >= 0)
		close(fd);
	rk_buf_release(&path);
	return rc;
}

static int recall_index(const struct server *s, const char *question,
			struct rk_buf *out)
{
	struct rk_search_opts opts = {.wait_ms = -1, .no_excerpts = 1};
	char path[4096];
	double score;
	int rc = rk_recall(s->ix, question, strlen(question), &opts, path,
			   sizeof(path), &score),
	    fd;

	if (rc <= 0)
		return rc < 0 ? rc : -ENOENT;
	if ((fd = rk_open_document(s->ix, path)) < 0)
		return fd;
	rc = read_fd(fd, READ_MAX, out);
	close(fd);
	return rc;
}

static int tool_recall(const struct server *s, const json_t *args,
		       struct rk_buf *out)
{
	const char *question = string_of(args, "question");
	struct rk_buf raw = RK_BUF_INIT;
	int rc = !*question   ? -EINVAL
		 : s->mounted ? recall_mount(s, question, &raw)
			      : recall_index(s, question, &raw);

	if (rc == -ENOENT)
		rk_buf_str(out, "nothing near enough is remembered\n");
	else if (rc >= 0)
		fs_put_utf8(out, (char *)raw.p, raw.n);
	rk_buf_release(&raw);
	return rc < 0 && rc != -ENOENT ? failed(out, "recall", rc) : 0;
}

/* --- the table --- */

static const struct tool {
	const char *name, *help;
	const char *schema; /* of its arguments: JSON */
	int (*run)(const struct server *s, const json_t *args,
		   struct rk_buf *out);
} TOOLS[] = {
	{"search",
	 "Ranked search over all indexed documents and source code. Each hit "
	 "is path:line: [first-last] score, then its lines. Use it before "
	 "reading files. The query takes words or a question, \"a phrase\", "
	 "+must, -not, path:src/**, ext:c,h, sym:name, after:7d, /regex/, "
	 "as:pack tokens:4000.",
	 "{\"type\":\"object\",\"properties\":{\"query\":{\"type\":\"string\"},"
	 "\"n\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":1000,"
	 "\"description\":\"results, 10 by default\"}},"
	 "\"required\":[\"query\"]}",
	 tool_search},
	{"read",
	 "The text of a document, whole or from a line on, by the path that a "
	 "search gave.",
	 "{\"type\":\"object\",\"properties\":{\"path\":{\"type\":\"string\"},"
	 "\"line\":{\"type\":\"integer\",\"minimum\":1},"
	 "\"lines\":{\"type\":\"integer\",\"minimum\":1}},"
	 "\"required\":[\"path\"]}",
	 tool_read},
	{"list", "The names in a folder of the documents; folders end in /.",
	 "{\"type\":\"object\",\"properties\":{\"path\":{\"type\":\"string\","
	 "\"description\":\"empty: the top\"}}}",
	 tool_list},
	{"remember",
	 "Put a text away under the question that it answers; it is found by "
	 "recall, and by search.",
	 "{\"type\":\"object\",\"properties\":{\"question\":{\"type\":"
	 "\"string\"},\"text\":{\"type\":\"string\"}},"
	 "\"required\":[\"question\",\"text\"]}",
	 tool_remember},
	{"recall",
	 "What was remembered for a question like this one, if anything is "
	 "near enough.",
	 "{\"type\":\"object\",\"properties\":{\"question\":{\"type\":"
	 "\"string\"}},\"required\":[\"question\"]}",
	 tool_recall},
};
enum { NTOOLS = sizeof(TOOLS) / sizeof(TOOLS[0]) };

/* --- JSON-RPC --- */

enum { PARSE_ERROR = -32700, NO_METHOD = -32601, BAD_PARAMS = -32602 };

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

static json_t *initialize(const struct server *s, const json_t *params)
{
	static const char *const KNOWN[] = {"2025-06-18", "2025-03-26",
					    "2024-11-05"};
	const char *want = string_of(params, "protocolVersion");
	const char *version = KNOWN[0];
	struct rk_buf help = RK_BUF_INIT;
	json_t *r;

	for (size_t i = 0; i < sizeof(KNOWN) / sizeof(KNOWN[0]); i++)
		if (strcmp(KNOWN[i], want) == 0)
			version = want;
	rk_buf_printf(&help,
		      "Search %s with `search` before you read files one by "
		      "one: an answer has the lines themselves.",
		      s->root);
	r = json_pack("{s:s, s:{s:{}}, s:{s:s, s:s}, s:s#}", "protocolVersion",
		      version, "capabilities", "tools", "serverInfo", "name",
		      "rankfs", "version", RK_VERSION, "instructions",
		      (char *)help.p, (int)help.n);
	rk_buf_release(&help);
	return r;
}

static json_t *list_tools(void)
{
	json_t *v = json_array();

	for (int i = 0; i < NTOOLS; i++)
		json_array_append_new(
			v,
			json_pack("{s:s, s:s, s:o}", "name", TOOLS[i].name,
				  "description", TOOLS[i].help, "inputSchema",
				  json_loads(TOOLS[i].schema, 0, NULL)));
	return json_pack("{s:o}", "tools", v);
}

static void call_tool(const struct server *s, const json_t *id,
		      const json_t *params)
{
	const char *name = string_of(params, "name");
	struct rk_buf out = RK_BUF_INIT;
	json_t *text;
	int rc;

	for (int i = 0; i < NTOOLS; i++) {
		if (strcmp(TOOLS[i].name, name) != 0)
			continue;
		rc = TOOLS[i].run(s, json_object_get(params, "arguments"),
				  &out);
		text = json_stringn(out.n ? (char *)out.p : "", out.n);
		rk_buf_release(&out);
		send_result(id, json_pack("{s:[{s:s, s:o}], s:b}", "content",
					  "type", "text", "text",
					  text ? text : json_string(""),
					  "isError", rc < 0));
		return;
	}
	send_error(id, BAD_PARAMS, "no such tool");
}

static void handle(const struct server *s, const json_t *m)
{
	const json_t *id = json_object_get(m, "id");
	const json_t *params = json_object_get(m, "params");
	const char *method = string_of(m, "method");

	if (!id)
		return; /* a notification: nothing is said to those */
	if (strcmp(method, "initialize") == 0)
		send_result(id, initialize(s, params));
	else if (strcmp(method, "ping") == 0)
		send_result(id, json_object());
	else if (strcmp(method, "tools/list") == 0)
		send_result(id, list_tools());
	else if (strcmp(method, "tools/call") == 0)
		call_tool(s, id, params);
	else
		send_error(id, NO_METHOD, "no such method");
}

static int serve(const struct server *s)
{
	char *line = NULL;
	size_t cap = 0;
	ssize_t n;

	while ((n = getline(&line, &cap, stdin)) > 0) {
		json_t *m = n <= LINE_MAX_BYTES
				    ? json_loadb(line, (size_t)n, 0, NULL)
				    : NULL;

		if (json_is_object(m)) {
			handle(s, m);
		} else if (line[strspn(line, " \t\r\n")]) {
			json_t *null = json_null();

			send_error(null, PARSE_ERROR, "not a JSON object");
		}
		json_decref(m);
	}
	free(line);
	return 0;
}

int fs_mcp_mount(const char *mountpoint)
{
	struct server s = {.mounted = 1};
	char *root = realpath(mountpoint, NULL);
	int rc;

	s.dir = root ? open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	if (s.dir < 0) {
		fprintf(stderr, "rankfs: %s: %s\n", mountpoint,
			strerror(errno));
		free(root);
		return 1;
	}
	s.root = root;
	rc = serve(&s);
	close(s.dir);
	free(root);
	return rc;
}

int fs_mcp_index(struct rk_index *ix, const char *root)
{
	struct server s = {
		.root = root, .ix = ix, .dir = rk_index_files_fd(ix)};

	return serve(&s);
}
