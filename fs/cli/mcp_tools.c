/* SPDX-License-Identifier: MIT */
/*
 * The tools of the server as a table: what they are called, what they take,
 * what they do. Arguments are checked here, against the table that clients are
 * shown, so that a model which gets one wrong is told which and why.
 */
#include "fs/cli/mcp_tools.h"
#include "base/hash.h"
#include "fs/base/names.h"
#include "fs/base/spool.h"
#include "base/put.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	ANSWER_MAX = 16 << 20, /* that is read */
	SEARCH_MAX = 256 * 1024,
	RECALL_MAX = 64 * 1024,
	NAME_BYTES = 200,
	PARAMS_MAX = 4,
	HITS = 10,
	HITS_MAX = 1000,
};

/* --- what tools share --- */

const char *fs_mcp_string(const json_t *args, const char *key)
{
	const char *s = json_string_value(json_object_get(args, key));

	return s ? s : "";
}

json_int_t fs_mcp_integer(const json_t *args, const char *key,
			  json_int_t otherwise)
{
	const json_t *v = json_object_get(args, key);

	return json_is_integer(v) ? json_integer_value(v)
	       : json_is_real(v)  ? (json_int_t)json_real_value(v)
				  : otherwise;
}

int fs_mcp_fail(struct fs_mcp_reply *r, const char *format, ...)
{
	char *why = NULL;
	va_list ap;

	va_start(ap, format);
	if (vasprintf(&why, format, ap) < 0)
		why = NULL;
	va_end(ap);
	r->text.n = r->note.n = 0;
	if (why)
		rk_put_utf8(&r->text, why, strlen(why));
	free(why);
	return -1;
}

int fs_mcp_read_fd(int fd, size_t max, struct rk_buf *out)
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

/* Keep what fits, up to the end of a line; 1: something is left out. */
static int cut_at_line(struct rk_buf *b, size_t max)
{
	const uint8_t *nl = b->n > max ? memrchr(b->p, '\n', max) : NULL;

	if (b->n <= max)
		return 0;
	b->n = nl ? (size_t)(nl - b->p) + 1 : max;
	while (!nl && b->n && (b->p[b->n] & 0xc0) == 0x80)
		b->n--; /* not half a character */
	return 1;
}

/* --- search --- */

/* As JSON, because words that begin with { would be taken for it. */
static int ask(const struct fs_mcp *s, const char *text, struct rk_buf *out)
{
	json_t *o = json_pack("{s:s}", "query", text);
	char *question = json_dumps(o, JSON_COMPACT);
	size_t n = question ? strlen(question) : 0;
	int fd = openat(s->dir, ".rankfs/ask", O_RDWR | O_CLOEXEC);
	int rc = fd < 0 ? -errno : question ? 0 : -ENOMEM;

	if (rc == 0 && write(fd, question, n) != (ssize_t)n)
		rc = -errno;
	if (rc == 0)
		rc = fs_mcp_read_fd(fd, ANSWER_MAX, out);
	if (fd >= 0)
		close(fd);
	free(question);
	json_decref(o);
	return rc;
}

/* A file whose name is a text, in `query` or `recall`. */
static int read_named(const struct fs_mcp *s, const char *folder,
		      const char *text, struct rk_buf *out)
{
	struct rk_buf path = RK_BUF_INIT;
	int fd, rc;

	rk_buf_printf(&path, "%s/", folder);
	fs_encode_name(text, &path);
	rk_buf_byte(&path, 0);
	fd = path.err ? -1
		      : openat(s->dir, (char *)path.p, O_RDONLY | O_CLOEXEC);
	rc = fd < 0 ? -errno : fs_mcp_read_fd(fd, ANSWER_MAX, out);
	if (fd >= 0)
		close(fd);
	rk_buf_release(&path);
	return rc;
}

static int search_index(const struct fs_mcp *s, const char *text,
			struct rk_buf *out)
{
	struct rk_search_opts opts = {.size = sizeof(opts), .wait_ms = -1};
	size_t body, n = strlen(text);
	struct rk_results *r;
	int rc = rk_search(s->ix, text, n, &opts, &r);

	if (rc < 0)
		return rc;
	rk_render(r, r->format, text, n, s->root, out, &body);
	rk_results_free(r);
	return out->err;
}

/* `n`: that a page has, or 0 */
static void note_search(struct fs_mcp_reply *r, json_int_t page, json_int_t n)
{
	size_t whole = r->text.n, shown = 0, per = 0;
	unsigned long long all = 0;
	const char *head;

	if (cut_at_line(&r->text, SEARCH_MAX))
		rk_buf_printf(&r->note,
			      "Cut: the first %zu bytes of %zu. Ask for fewer "
			      "results with `n`, and for the next ones with "
			      "`page`.",
			      r->text.n, whole);
	rk_buf_byte(&r->text, 0);
	if (r->text.err)
		return;
	r->text.n--;
	head = (char *)r->text.p;
	if (sscanf(head, "# rankfs 1 hits=%zu/%llu", &shown, &all) != 2)
		return;
	per = n ? (size_t)n : shown > HITS ? shown : HITS;
	if (!r->note.n && shown && (size_t)(page - 1) * per + shown < all)
		rk_buf_printf(&r->note, "There are more: page:%lld.",
			      (long long)page + 1);
}

static int tool_search(const struct fs_mcp *s, const json_t *args,
		       struct fs_mcp_reply *r)
{
	json_int_t n = fs_mcp_integer(args, "n", 0);
	json_int_t page = fs_mcp_integer(args, "page", 1);
	struct rk_buf text = RK_BUF_INIT;
	const char *query;
	int rc;

	/* in front: an open quotation mark would swallow what is behind it */
	if (n)
		rk_buf_printf(&text, "n:%lld ", (long long)n);
	if (page > 1)
		rk_buf_printf(&text, "page:%lld ", (long long)page);
	rk_buf_str(&text, fs_mcp_string(args, "query"));
	rk_buf_byte(&text, 0);
	query = (char *)text.p;
	rc = text.err  ? text.err
	     : s->ix   ? search_index(s, query, &r->text)
	     : s->many ? read_named(s, "query", query, &r->text)
		       : ask(s, query, &r->text);
	rk_buf_release(&text);
	if (rc == -EFBIG || rc == -ENAMETOOLONG)
		return fs_mcp_fail(r, "query: it is too long");
	if (rc < 0)
		return fs_mcp_fail(r, "search: %s", rk_strerror(rc));
	note_search(r, page, n);
	return 0;
}

/* --- remember, recall --- */

/*
 * A file name that says what it is for. A question that cannot be a name as
 * it is gets a mark of its own, so that it takes no other's place.
 */
static void name_of(const char *question, char out[NAME_BYTES + 32])
{
	const char *s = question;
	int same = 1;
	size_t n = 0;

	for (; *s && n < NAME_BYTES; s++) {
		unsigned char c = (unsigned char)*s;

		same = same && c >= ' ' && c != '/';
		out[n++] = c < ' ' || c == '/' ? '-' : (char)c;
	}
	same = same && !*s && out[0] != '.';
	while (*s && n && (*s & 0xc0) == 0x80) { /* not half a character */
		n--;
		s--;
	}
	while (n && out[n - 1] == ' ')
		n--;
	if (n && out[0] == '.')
		out[0] = '-';
	if (same)
		strcpy(out + n, ".md");
	else
		snprintf(out + n, 32, " %08x.md",
			 (unsigned)rk_hash64(question, strlen(question)));
}

static int put_away(const struct fs_mcp *s, const char *path, const char *text)
{
	size_t n = strlen(text);
	int fd, rc;

	if (mkdirat(s->dir, "cache", 0755) < 0 && errno != EEXIST)
		return -errno;
	fd = fs_mcp_open_beneath(s->dir, path, O_WRONLY | O_CREAT | O_TRUNC);
	if (fd < 0)
		return fd;
	rc = fs_write_all(fd, text, n);
	if (rc == 0 && text[n - 1] != '\n')
		rc = fs_write_all(fd, "\n", 1);
	if (close(fd) < 0 && rc == 0)
		rc = -errno;
	if (rc == 0 && s->ix)
		rc = rk_touch(s->ix, path, 0, NULL);
	return rc;
}

static int tool_remember(const struct fs_mcp *s, const json_t *args,
			 struct fs_mcp_reply *r)
{
	char name[NAME_BYTES + 32], path[NAME_BYTES + 48];
	int rc;

	name_of(fs_mcp_string(args, "question"), name);
	snprintf(path, sizeof(path), "cache/%s", name);
	rc = put_away(s, path, fs_mcp_string(args, "text"));
	if (rc < 0)
		return fs_mcp_fail(r, "remember: %s: %s", path,
				   rk_strerror(rc));
	rk_buf_printf(&r->text, "%s/%s\n", s->root, path);
	return 0;
}

static int recall_index(const struct fs_mcp *s, const char *question,
			struct rk_buf *out)
{
	struct rk_search_opts opts = {
		.size = sizeof(opts), .wait_ms = -1, .no_excerpts = 1};
	char path[PATH_MAX];
	double score;
	int rc = rk_recall(s->ix, question, strlen(question), &opts, path,
			   sizeof(path), &score),
	    fd;

	if (rc <= 0)
		return rc < 0 ? rc : -ENOENT;
	if ((fd = rk_open_document(s->ix, path)) < 0)
		return fd;
	rc = fs_mcp_read_fd(fd, ANSWER_MAX, out);
	close(fd);
	return rc;
}

static int tool_recall(const struct fs_mcp *s, const json_t *args,
		       struct fs_mcp_reply *r)
{
	const char *question = fs_mcp_string(args, "question");
	struct rk_buf raw = RK_BUF_INIT;
	int rc = s->ix ? recall_index(s, question, &raw)
		       : read_named(s, "recall", question, &raw);
	size_t whole;

	if (rc == -ENOENT)
		rk_buf_str(&r->text, "nothing near enough is remembered\n");
	else if (rc == -ENAMETOOLONG)
		fs_mcp_fail(r, "question: it is too long");
	else if (rc == 0 && raw.n && memchr(raw.p, 0, raw.n))
		rc = fs_mcp_fail(r, "recall: what is remembered is not text");
	else if (rc < 0)
		fs_mcp_fail(r, "recall: %s", rk_strerror(rc));
	else
		rk_put_utf8(&r->text, (char *)raw.p, raw.n);
	rk_buf_release(&raw);
	whole = r->text.n;
	if (rc == 0 && cut_at_line(&r->text, RECALL_MAX))
		rk_buf_printf(&r->note,
			      "Cut: the first %zu bytes of %zu. `search` for "
			      "the question names the document; `read` has "
			      "the rest.",
			      r->text.n, whole);
	return rc == -ENOENT ? 0 : rc;
}

/* --- the table --- */

enum type { STRING, INTEGER };
enum need { OPTIONAL, REQUIRED };

struct param {
	const char *name;
	enum type type;
	enum need need;
	json_int_t min, max; /* of an integer; max 0: none */
	const char *help;
};

static const struct tool {
	const char *name, *help;
	int (*run)(const struct fs_mcp *s, const json_t *args,
		   struct fs_mcp_reply *r);
	int one; /* works on one index, not on many */
	struct param params[PARAMS_MAX + 1];
} TOOLS[] = {
	{"search",
	 "Ranked search over all indexed documents and source code. Each hit "
	 "is path:line: [first-last] score, then its lines; `read` takes that "
	 "path, and the lines. Use it before reading files. The query takes "
	 "words or a question, \"a phrase\", +must, -not, path:src/**, "
	 "ext:c,h, sym:name, after:7d, /regex/, as:pack tokens:4000.",
	 tool_search,
	 0,
	 {{"query", STRING, REQUIRED, 0, 0, "what to search for"},
	  {"n", INTEGER, OPTIONAL, 1, HITS_MAX, "results, 10 by default"},
	  {"page", INTEGER, OPTIONAL, 1, INT_MAX,
	   "2: the results behind the first n, and so on"},
	  {0}}},
	{"read",
	 "The text of a document (of a PDF, an office file or a compressed "
	 "one: what was extracted), whole or from a line on, by the path and "
	 "the lines that a search gave. A long one comes in parts; each says "
	 "how to go on.",
	 fs_mcp_read,
	 0,
	 {{"path", STRING, REQUIRED, 0, 0, "as a search or a list named it"},
	  {"line", INTEGER, OPTIONAL, 1, 0, "the first line, 1 by default"},
	  {"lines", INTEGER, OPTIONAL, 1, 0, "how many; all by default"},
	  {"offset", INTEGER, OPTIONAL, 0, 0,
	   "bytes of the first line to leave out, to go on in a long one"},
	  {0}}},
	{"list",
	 "The names in a folder of the documents; folders end in /.",
	 fs_mcp_list,
	 0,
	 {{"path", STRING, OPTIONAL, 0, 0, "of the folder; empty: the top"},
	  {"first", INTEGER, OPTIONAL, 1, 0,
	   "number of the first name, to go on in a long list"},
	  {0}}},
	{"remember",
	 "Put a text away under the question that it answers; it is found by "
	 "recall, and by search.",
	 tool_remember,
	 1,
	 {{"question", STRING, REQUIRED, 0, 0, "that the text answers"},
	  {"text", STRING, REQUIRED, 0, 0, "the answer"},
	  {0}}},
	{"recall",
	 "What was remembered for a question like this one, if anything is "
	 "near enough.",
	 tool_recall,
	 1,
	 {{"question", STRING, REQUIRED, 0, 0, "in any words"}, {0}}},
};
enum { NTOOLS = sizeof(TOOLS) / sizeof(TOOLS[0]) };

static json_t *schema_of(const struct tool *t)
{
	json_t *props = json_object(), *required = json_array();

	for (const struct param *p = t->params; p->name; p++) {
		json_t *o = json_pack("{s:s, s:s}", "type",
				      p->type == STRING ? "string" : "integer",
				      "description", p->help);

		if (p->type == INTEGER)
			json_object_set_new(o, "minimum", json_integer(p->min));
		if (p->max)
			json_object_set_new(o, "maximum", json_integer(p->max));
		if (p->type == STRING && p->need == REQUIRED)
			json_object_set_new(o, "minLength", json_integer(1));
		json_object_set_new(props, p->name, o);
		if (p->need == REQUIRED)
			json_array_append_new(required, json_string(p->name));
	}
	return json_pack("{s:s, s:o, s:o, s:b}", "type", "object", "properties",
			 props, "required", required, "additionalProperties",
			 0);
}

json_t *fs_mcp_list_tools(const struct fs_mcp *s)
{
	json_t *v = json_array();

	for (int i = 0; i < NTOOLS; i++)
		if (!s->many || !TOOLS[i].one)
			json_array_append_new(
				v, json_pack("{s:s, s:s, s:o}", "name",
					     TOOLS[i].name, "description",
					     TOOLS[i].help, "inputSchema",
					     schema_of(&TOOLS[i])));
	return v;
}

/* --- arguments --- */

static const char *type_name(const json_t *v)
{
	static const char *const NAMES[] = {
		"an object", "an array", "a string", "an integer",
		"a number",  "true",	 "false",    "null"};

	return NAMES[json_typeof(v)];
}

static int check_string(const struct param *p, const json_t *v,
			struct fs_mcp_reply *r)
{
	const char *s = json_string_value(v);

	if (!s)
		return fs_mcp_fail(r, "%s: expected a string, not %s", p->name,
				   type_name(v));
	if (strlen(s) != json_string_length(v))
		return fs_mcp_fail(r, "%s: a NUL character is in it", p->name);
	if (p->need == REQUIRED && !s[strspn(s, " \t\r\n")])
		return fs_mcp_fail(r, "%s: expected a text, not an empty one",
				   p->name);
	return 0;
}

/* 5.0 is an integer to JSON Schema, "5" is none. */
static int is_integer(const json_t *v)
{
	double d = json_real_value(v);

	return json_is_integer(v) ||
	       (json_is_real(v) && d == floor(d) && fabs(d) < 1e15);
}

static int check_integer(const struct param *p, const json_t *args,
			 const json_t *v, struct fs_mcp_reply *r)
{
	json_int_t n = fs_mcp_integer(args, p->name, 0);

	if (!is_integer(v))
		return fs_mcp_fail(r, "%s: expected an integer, not %s",
				   p->name, type_name(v));
	if (n >= p->min && (!p->max || n <= p->max))
		return 0;
	if (p->max)
		return fs_mcp_fail(r,
				   "%s: expected an integer from %lld to "
				   "%lld, not %lld",
				   p->name, (long long)p->min,
				   (long long)p->max, (long long)n);
	return fs_mcp_fail(r,
			   "%s: expected an integer of at least %lld, not %lld",
			   p->name, (long long)p->min, (long long)n);
}

static const struct param *param_of(const struct tool *t, const char *name)
{
	const struct param *p = t->params;

	while (p->name && strcmp(p->name, name) != 0)
		p++;
	return p->name ? p : NULL;
}

static int unknown_argument(const struct tool *t, const char *name,
			    struct fs_mcp_reply *r)
{
	char known[128] = "";
	size_t n = 0;

	for (const struct param *p = t->params; p->name; p++)
		n += (size_t)snprintf(known + n, sizeof(known) - n, "%s%s",
				      n ? ", " : "", p->name);
	return fs_mcp_fail(r, "%s: %s has no such argument; it takes %s", name,
			   t->name, known);
}

static int check_arguments(const struct tool *t, const json_t *args,
			   struct fs_mcp_reply *r)
{
	const char *key;
	json_t *v;

	if (args && !json_is_null(args) && !json_is_object(args))
		return fs_mcp_fail(r, "arguments: expected an object, not %s",
				   type_name(args));
	/* jansson's functions take what they only read as not constant */
	for (void *i = json_object_iter((json_t *)(uintptr_t)args); i;
	     i = json_object_iter_next((json_t *)(uintptr_t)args, i)) {
		key = json_object_iter_key(i);
		if (!param_of(t, key))
			return unknown_argument(t, key, r);
	}
	for (const struct param *p = t->params; p->name; p++) {
		v = json_object_get(args, p->name);
		if (!v || json_is_null(v)) {
			if (p->need == REQUIRED)
				return fs_mcp_fail(
					r, "%s: missing; expected %s (%s)",
					p->name,
					p->type == STRING ? "a string"
							  : "an integer",
					p->help);
		} else if ((p->type == STRING
				    ? check_string(p, v, r)
				    : check_integer(p, args, v, r)) < 0) {
			return -1;
		}
	}
	return 0;
}

int fs_mcp_call(const struct fs_mcp *s, const char *name, const json_t *args,
		struct fs_mcp_reply *r, int *failed)
{
	for (int i = 0; i < NTOOLS; i++) {
		const struct tool *t = &TOOLS[i];

		if (strcmp(t->name, name) != 0)
			continue;
		if (s->many && t->one)
			*failed = fs_mcp_fail(r,
					      "%s: this is the top of many "
					      "indexes; serve one of them, "
					      "%s/NAME",
					      name, s->root) < 0;
		else
			*failed = check_arguments(t, args, r) < 0 ||
				  t->run(s, args, r) < 0;
		return 1;
	}
	return 0;
}
