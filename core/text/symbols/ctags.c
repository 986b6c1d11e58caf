/* SPDX-License-Identifier: MIT */
#include "text/symbols/ctags.h"
#include "base/child.h"
#include "base/env.h"
#include "base/mem.h"
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
};
#define TIMEOUT_NS (10 * UINT64_C(1000000000))

struct rk_ctags {
	struct rk_child child;
	struct rk_buf answer; /* bytes that have arrived */
	size_t at;	      /* of them that have been looked at */
	unsigned failures, files;
	int missing; /* there is no such program */
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
	static char name[] = "ctags", mode[] = "--_interactive=sandbox",
		    none[] = "--options=NONE", sort[] = "--sort=no",
		    fields[] = "--fields=+neKS";
	/* options are read before the mode takes over */
	char *const argv[] = {name, none, sort, fields, mode, NULL};
	const struct rk_child_limits limits = {.memory_bytes = MEMORY_BYTES};
	int rc;

	if (c->missing || c->failures >= FAILURES_MAX)
		return -ENOENT;
	c->answer.n = c->at = 0;
	c->files = 0;
	rc = rk_child_start(&c->child, argv, -1, &limits);
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
	const char *base = strrchr(path, '/');
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
	len = snprintf(head, sizeof(head),
		       "{\"command\":\"generate-tags\",\"filename\":\"%s\","
		       "\"size\":%zu}\n",
		       name, n);
	rc = rk_child_write(&c->child, head, (size_t)len, deadline);
	return rc < 0 ? rc : rk_child_write(&c->child, s, n, deadline);
}

/* --- what it says --- */

static const char *text_of(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s ? s : "";
}

/*
 * Local names and parameters are no definitions; members without parameters
 * are fields of a structure and stay findable by name.
 */
static int add_tag(const json_t *o, struct rk_entities *out)
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

	if (!*e.name || e.line == 0 || strcmp(e.kind, "local") == 0 ||
	    strcmp(e.kind, "parameter") == 0 ||
	    strncmp(e.name, "__anon", 6) == 0)
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
			rc = add_tag(o, out);
		else if (strcmp(type, "completed") == 0)
			done = 1;
		else if (strcmp(type, "error") == 0 &&
			 json_is_true(json_object_get(o, "fatal")))
			rc = -EPIPE;
		json_decref(o);
	}
	return rc;
}

int rk_ctags_run(struct rk_ctags *c, const char *path, const char *s, size_t n,
		 struct rk_entities *out)
{
	uint64_t deadline = rk_mono_ns() + TIMEOUT_NS;
	int rc = 0;

	assert(out->n == 0);
	if (c->child.pid && c->files >= FILES_PER_CHILD)
		rk_child_kill(&c->child);
	if (c->child.pid == 0 && (rc = start(c)) < 0)
		return rc;
	n = n < TEXT_MAX ? n : TEXT_MAX;
	c->answer.n = c->at = 0;
	c->files++;
	if ((rc = ask(c, path, s, n, deadline)) == 0)
		rc = listen(c, deadline, out);
	if (rc == 0) {
		c->failures = 0;
		rk_entities_sort(out);
		return 0;
	}
	rk_entities_release(out);
	rk_child_kill(&c->child);
	c->failures++;
	return rc == -ENOMEM || rc == -ETIMEDOUT ? rc : -EPIPE;
}
