/* SPDX-License-Identifier: MIT */
#include "text/symbols/ctags.h"
#include "text/symbols/dialects.h"
#include "text/symbols/ends.h"
#include "base/child.h"
#include "base/env.h"
#include "base/mem.h"
#include "text/extract/kind.h"
#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

enum {
	MEMORY_BYTES = 512 << 20,
	TEXT_MAX = 4 << 20,	 /* of one file; generated code is larger */
	ANSWER_MAX = 64 << 20,	 /* of JSON about one file */
	FAILURES_MAX = 5,	 /* in a row, then it is left alone */
	FILES_PER_CHILD = 20000, /* whatever it may leak ends with it */
	LINE_MAX_BYTES = 16384,	 /* a longer one is no source that is read */
	DIALECTS_MAX = 200,
};
#define TIMEOUT_NS (10 * UINT64_C(1000000000))

struct rk_ctags {
	struct rk_child child;
	struct rk_buf answer; /* bytes that have arrived */
	size_t at;	      /* of them that have been looked at */
	unsigned failures, files;
	char language[32]; /* of the file, by ctags' name */
	int missing;	   /* there is no such program */
};

int rk_ctags_new(struct rk_ctags **out)
{
	struct rk_ctags *c = rk_calloc(1, sizeof(*c));

	if (!c)
		return -ENOMEM;
	c->child = (struct rk_child)RK_CHILD_NONE;
	*out = c;
	return 0;
}

void rk_ctags_free(struct rk_ctags *c)
{
	if (!c)
		return;
	rk_child_kill(&c->child);
	rk_buf_release(&c->answer);
	rk_free(c);
}

/* --- the conversation --- */

/* The next line of the answer, without its newline; NULL and *rc at the end. */
static const char *next_line(struct rk_ctags *c, uint64_t deadline, size_t *n,
			     int *rc)
{
	size_t looked = c->at;

	for (;;) {
		char *p = (char *)c->answer.p;
		char *nl = c->answer.n > looked ? memchr(p + looked, '\n',
							 c->answer.n - looked)
						: NULL;
		ssize_t got;

		if (nl) {
			const char *line = p + c->at;

			*n = (size_t)(nl - line);
			c->at += *n + 1;
			return line;
		}
		looked = c->answer.n;
		if (c->answer.n > ANSWER_MAX) {
			*rc = -EPIPE;
			return NULL;
		}
		got = rk_child_read(&c->child, &c->answer, deadline);
		if (got <= 0) {
			*rc = got == 0 ? -EPIPE : (int)got;
			return NULL;
		}
	}
}

/* It introduces itself as universal-ctags, or it is another ctags. */
static int greeted(struct rk_ctags *c)
{
	size_t n;
	int rc = 0;
	const char *line = next_line(c, rk_mono_ns() + TIMEOUT_NS, &n, &rc);

	return line && memmem(line, n, "Universal Ctags", 15) != NULL;
}

static int start(struct rk_ctags *c)
{
	static const char *const FIRST[] = {"ctags", "--options=NONE",
					    "--sort=no", "--fields=+neKSl-P"};
	const char *argv[DIALECTS_MAX];
	char *args[DIALECTS_MAX]; /* the same, as exec(3) wants them */
	size_t n = sizeof(FIRST) / sizeof(FIRST[0]);
	const struct rk_child_limits limits = {.memory_bytes = MEMORY_BYTES};
	int rc;

	if (c->missing || c->failures >= FAILURES_MAX)
		return -ENOENT;
	memcpy(argv, FIRST, sizeof(FIRST));
	for (const char *const *d = RK_CTAGS_DIALECTS;
	     *d && n < DIALECTS_MAX - 2; d++)
		argv[n++] = *d;
	/* options are read before the mode takes over */
	argv[n++] = "--_interactive=sandbox";
	argv[n] = NULL;
	memcpy(args, argv, (n + 1) * sizeof(*args));
	c->answer.n = c->at = 0;
	c->files = 0;
	rc = rk_child_start(&c->child, args, -1, &limits);
	if (rc == 0 && !greeted(c)) {
		rk_child_kill(&c->child);
		rc = -ENOENT;
	}
	c->missing = rc == -ENOENT;
	return rc;
}

static int ask(struct rk_ctags *c, const char *path, const char *s, size_t n,
	       uint64_t deadline)
{
	const char *base = strrchr(path, '/'), *ext;
	char head[600], name[256];
	size_t k = 0;
	int len, rc;

	/* a name that is plain JSON; its end decides the language */
	base = base ? base + 1 : path;
	if (strlen(base) > 200)
		base += strlen(base) - 200;
	for (; *base; base++)
		name[k++] =
			isalnum((unsigned char)*base) || strchr("._-+", *base)
				? *base
				: '_';
	name[k] = '\0';
	ext = *rk_language_of_path(name) ? "" : rk_script_extension(s, n);
	len = snprintf(head, sizeof(head),
		       "{\"command\":\"generate-tags\",\"filename\":"
		       "\"%s%s%s\",\"size\":%zu}\n",
		       name, *ext ? "." : "", ext, n);
	rc = rk_child_write(&c->child, head, (size_t)len, deadline);
	return rc < 0 ? rc : rk_child_write(&c->child, s, n, deadline);
}

/* --- what it says --- */

static const char *text_of(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s ? s : "";
}

/* What a parser by shape takes for a name. */
static int no_name(const char *s)
{
	static const char *const WORDS[] = {
		"<lambda>", "if", "for",  "while", "switch", "catch", "return",
		"else",	    "do", "with", "elsif", "elseif", NULL};

	for (const char *const *w = WORDS; *w; w++)
		if (strcmp(*w, s) == 0)
			return 1;
	return s[0] == '$' && s[1] == '{'; /* of a JavaScript template */
}

/*
 * Local names and parameters are no definitions; members without parameters
 * are fields of a structure and stay findable by name.
 */
static int add_tag(struct rk_ctags *c, const json_t *o, struct rk_entities *out)
{
	struct rk_entity e = {
		.name = text_of(o, "name"),
		.kind = text_of(o, "kind"),
		.scope = text_of(o, "scope"),
		.signature = text_of(o, "signature"),
		.line = (uint32_t)json_integer_value(
			json_object_get(o, "line")),
		.end = (uint32_t)json_integer_value(json_object_get(o, "end")),
	};

	if (!*c->language)
		snprintf(c->language, sizeof(c->language), "%s",
			 text_of(o, "language"));
	/* Python's methods; those of C are fields */
	if (strcmp(e.kind, "member") == 0 && *e.signature)
		e.kind = "method";
	if (!*e.name || e.line == 0 || strcmp(e.kind, "local") == 0 ||
	    strcmp(e.kind, "parameter") == 0 ||
	    strncmp(e.name, "__anon", 6) == 0 || no_name(e.name))
		return 0;
	return rk_entities_add(out, &e);
}

/* Read lines up to "completed". */
static int listen(struct rk_ctags *c, uint64_t deadline,
		  struct rk_entities *out)
{
	const char *line;
	size_t n;
	int rc = 0, done = 0;

	while (rc == 0 && !done && (line = next_line(c, deadline, &n, &rc))) {
		json_t *o = json_loadb(line, n, 0, NULL);
		const char *type = o ? text_of(o, "_type") : "";

		if (strcmp(type, "tag") == 0)
			rc = add_tag(c, o, out);
		else if (strcmp(type, "completed") == 0)
			done = 1;
		else if (strcmp(type, "error") == 0 &&
			 json_is_true(json_object_get(o, "fatal")))
			rc = -EPIPE;
		json_decref(o);
	}
	return rc;
}

/*
 * Lines that no one reads take ctags seconds: to it they are empty. The text
 * itself if it has none.
 */
static const char *without_long_lines(const char *s, size_t *n,
				      struct rk_buf *b)
{
	size_t done = 0;

	for (size_t off = 0; off < *n;) {
		const char *nl = memchr(s + off, '\n', *n - off);
		size_t end = nl ? (size_t)(nl - s) : *n;

		if (end - off > LINE_MAX_BYTES) {
			rk_buf_add(b, s + done, off - done);
			done = end;
		}
		off = end + 1;
	}
	if (done == 0)
		return s;
	rk_buf_add(b, s + done, *n - done);
	*n = b->n;
	return b->err ? NULL : b->n ? (const char *)b->p : "";
}

static int ask_and_listen(struct rk_ctags *c, const char *path, const char *s,
			  size_t n, struct rk_entities *out)
{
	uint64_t deadline = rk_mono_ns() + TIMEOUT_NS;
	struct rk_buf shorter = RK_BUF_INIT;
	size_t sent = n;
	const char *text = without_long_lines(s, &sent, &shorter);
	int rc = text ? ask(c, path, text, sent, deadline) : -ENOMEM;

	if (rc == 0)
		rc = listen(c, deadline, out);
	rk_buf_release(&shorter);
	return rc < 0 ? rc : rk_entities_find_ends(c->language, s, n, out);
}

int rk_ctags_run(struct rk_ctags *c, const char *path, const char *s, size_t n,
		 struct rk_entities *out)
{
	int rc = 0;

	assert(out->n == 0);
	if (c->child.pid && c->files >= FILES_PER_CHILD)
		rk_child_kill(&c->child);
	if (c->child.pid == 0 && (rc = start(c)) < 0)
		return rc;
	n = n < TEXT_MAX ? n : TEXT_MAX;
	c->answer.n = c->at = 0;
	c->files++;
	c->language[0] = '\0';
	if ((rc = ask_and_listen(c, path, s, n, out)) == 0) {
		c->failures = 0;
		rk_entities_sort(out);
		return 0;
	}
	rk_entities_release(out);
	rk_child_kill(&c->child);
	c->failures++;
	return rc == -ENOMEM || rc == -ETIMEDOUT ? rc : -EPIPE;
}
