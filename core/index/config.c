/* SPDX-License-Identifier: MIT */
#include "index/config.h"
#include "text/analyse.h"
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct key {
	const char *name;
	size_t offset;
	int64_t dflt, min, max; /* min > max: a language name */
	const char *help;
} KEYS[] = {
	{"language", offsetof(struct rk_config, language), 0, 1, 0,
	 "Snowball stemmer (english, german, french, ...) or none; a change "
	 "reads every document again at the next mount"},
	{"memory_mib", offsetof(struct rk_config, memory_mib), 96, 4, 65536,
	 "memory for what is not yet written to segments"},
	{"text_max_mib", offsetof(struct rk_config, text_max_mib), 8, 1, 1024,
	 "text indexed of one document; the rest is stored, not searched"},
	{"workers", offsetof(struct rk_config, workers), 0, 0, 64,
	 "indexing threads; 0: a processor less than there are, 1 to 4 "
	 "(next mount)"},
	{"wait_ms", offsetof(struct rk_config, wait_ms), 5000, 0, 600000,
	 "how long a query waits for changes made before it"},
	{"checkpoint_s", offsetof(struct rk_config, checkpoint_s), 30, 1, 86400,
	 "write memory out at least this often while it changes"},
	{"sync_ms", offsetof(struct rk_config, sync_ms), 1000, 0, 3600000,
	 "put the log on disk this often; 0: only on fsync"},
	{"retain", offsetof(struct rk_config, retain), 2, 1, 100,
	 "checkpoints kept to fall back to"},
	{"hits", offsetof(struct rk_config, hits), 10, 1, 1000,
	 "results of a query that does not say n:"},
	{"excerpt_lines", offsetof(struct rk_config, excerpt_lines), 8, 1, 200,
	 "lines of text shown with a result"},
};
enum { NKEYS = sizeof(KEYS) / sizeof(KEYS[0]) };

static int64_t *number(const struct rk_config *c, const struct key *k)
{
	return (int64_t *)(uintptr_t)((const char *)c + k->offset);
}

static int is_text(const struct key *k)
{
	return k->min > k->max;
}

void rk_config_defaults(struct rk_config *c)
{
	memset(c, 0, sizeof(*c));
	snprintf(c->language, sizeof(c->language), "english");
	for (int i = 0; i < NKEYS; i++)
		if (!is_text(&KEYS[i]))
			*number(c, &KEYS[i]) = KEYS[i].dflt;
}

static const struct key *find_key(const char *s, size_t n)
{
	for (int i = 0; i < NKEYS; i++)
		if (strlen(KEYS[i].name) == n && !memcmp(KEYS[i].name, s, n))
			return &KEYS[i];
	return NULL;
}

static int set_text(struct rk_config *c, const char *v, char *err, size_t err_n)
{
	if (strlen(v) >= sizeof(c->language) || !rk_analyser_knows(v)) {
		snprintf(err, err_n, "language: no stemmer named '%.40s'", v);
		return -EINVAL;
	}
	memset(c->language, 0, sizeof(c->language)); /* no old bytes behind */
	snprintf(c->language, sizeof(c->language), "%s", v);
	return 0;
}

static int set_number(struct rk_config *c, const struct key *k, const char *v,
		      char *err, size_t err_n)
{
	char *end;
	long long x;

	errno = 0;
	x = strtoll(v, &end, 10);
	if (end == v || *end || errno || x < k->min || x > k->max) {
		snprintf(err, err_n,
			 "%s: '%.40s' is not a number from %lld to %lld",
			 k->name, v, (long long)k->min, (long long)k->max);
		return -EINVAL;
	}
	*number(c, k) = x;
	return 0;
}

static int parse_line(struct rk_config *c, char *line, char *err, size_t err_n)
{
	char *s = line + strspn(line, " \t"), *v, *end;
	const struct key *k;
	size_t n;

	if (*s == '\0' || *s == '#')
		return 0;
	n = strcspn(s, " \t=");
	k = find_key(s, n);
	if (!k) {
		snprintf(err, err_n, "unknown key '%.*s'",
			 (int)(n < 40 ? n : 40), s);
		return -EINVAL;
	}
	v = s + n + strspn(s + n, " \t=");
	end = v + strlen(v);
	while (end > v && strchr(" \t\r", end[-1]))
		*--end = '\0';
	return is_text(k) ? set_text(c, v, err, err_n)
			  : set_number(c, k, v, err, err_n);
}

int rk_config_parse(struct rk_config *c, const char *text, size_t n, char *err,
		    size_t err_n)
{
	struct rk_config next = *c;
	const char *end = text + n;

	while (text < end) {
		const char *nl = memchr(text, '\n', (size_t)(end - text));
		size_t len = (size_t)((nl ? nl : end) - text);
		char line[512];
		int rc;

		if (len >= sizeof(line) || memchr(text, '\0', len)) {
			snprintf(err, err_n, "not a configuration line");
			return -EINVAL;
		}
		memcpy(line, text, len);
		line[len] = '\0';
		if ((rc = parse_line(&next, line, err, err_n)) < 0)
			return rc;
		text += len + 1;
	}
	*c = next;
	return 0;
}

void rk_config_format(const struct rk_config *c, struct rk_buf *out)
{
	for (int i = 0; i < NKEYS; i++) {
		rk_buf_printf(out, "# %s\n", KEYS[i].help);
		if (is_text(&KEYS[i]))
			rk_buf_printf(out, "%s %s\n", KEYS[i].name,
				      c->language);
		else
			rk_buf_printf(out, "%s %lld\n", KEYS[i].name,
				      (long long)*number(c, &KEYS[i]));
	}
}

int64_t rk_config_lookup(const struct rk_config *c, const char *key)
{
	const struct key *k = find_key(key, strlen(key));

	return k && !is_text(k) ? *number(c, k) : -1;
}
