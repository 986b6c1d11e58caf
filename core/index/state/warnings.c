/* SPDX-License-Identifier: MIT */
#include "index/state/warnings.h"
#include "base/mem.h"
#include "base/status.h"
#include "base/lock.h"
#include <stdarg.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define NAME "warnings"

void rk_warnings_init(struct rk_warnings *w)
{
	memset(w, 0, sizeof(*w));
	pthread_mutex_init(&w->lock, NULL);
}

void rk_warnings_release(struct rk_warnings *w)
{
	for (int i = 0; i < RK_WARNINGS_MAX; i++)
		rk_free(w->line[i]);
	pthread_mutex_destroy(&w->lock);
}

static int known(const struct rk_warnings *w, const char *line)
{
	rk_assert_held(&w->lock);
	for (int i = 0; i < RK_WARNINGS_MAX; i++)
		if (w->line[i] && strcmp(w->line[i], line) == 0)
			return 1;
	return 0;
}

static void add(struct rk_warnings *w, char *line, int kept)
{
	for (char *p = line; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = '?';
	pthread_mutex_lock(&w->lock);
	w->count++;
	if (!known(w, line)) {
		w->changed |= kept || w->kept[w->next];
		rk_free(w->line[w->next]);
		w->line[w->next] = rk_strndup(line, strlen(line));
		w->kept[w->next] = (char)kept;
		w->next = (w->next + 1) % RK_WARNINGS_MAX;
	}
	pthread_mutex_unlock(&w->lock);
}

void rk_warn(struct rk_warnings *w, const char *fmt, ...)
{
	char line[RK_WARNING_BYTES];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	add(w, line, 0);
}

void rk_warn_document(struct rk_warnings *w, const char *fmt, ...)
{
	char line[RK_WARNING_BYTES];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	add(w, line, 1);
}

void rk_warnings_forget(struct rk_warnings *w, const char *prefix)
{
	size_t n = strlen(prefix);

	pthread_mutex_lock(&w->lock);
	for (int i = 0; i < RK_WARNINGS_MAX; i++)
		if (w->line[i] && strncmp(w->line[i], prefix, n) == 0 &&
		    w->line[i][n] == ':') {
			rk_free(w->line[i]);
			w->line[i] = NULL;
			w->changed |= w->kept[i];
			w->kept[i] = 0;
		}
	pthread_mutex_unlock(&w->lock);
}

static void list(const struct rk_warnings *w, int all, struct rk_buf *out)
{
	rk_assert_held(&w->lock);
	for (unsigned i = 0; i < RK_WARNINGS_MAX; i++) {
		unsigned at = (w->next + i) % RK_WARNINGS_MAX;

		if (w->line[at] && (all || w->kept[at]))
			rk_buf_printf(out, "%s\n", w->line[at]);
	}
}

void rk_warnings_list(struct rk_warnings *w, struct rk_buf *out)
{
	pthread_mutex_lock(&w->lock);
	list(w, 1, out);
	pthread_mutex_unlock(&w->lock);
}

int rk_warnings_store(struct rk_warnings *w, const struct rk_io *io, int dir)
{
	struct rk_buf b = RK_BUF_INIT;
	int rc, changed;

	pthread_mutex_lock(&w->lock);
	changed = w->changed;
	if (changed)
		list(w, 0, &b);
	w->changed = 0;
	pthread_mutex_unlock(&w->lock);
	if (!changed)
		return 0;
	rc = b.err ? b.err : rk_io_replace(io, dir, NAME, b.p, b.n);
	rk_buf_release(&b);
	if (rc < 0) {
		pthread_mutex_lock(&w->lock);
		w->changed = 1;
		pthread_mutex_unlock(&w->lock);
	}
	return rc;
}

/* Bytes from the disk may be any: they are only shown. */
void rk_warnings_load(struct rk_warnings *w, const struct rk_io *io, int dir)
{
	struct rk_buf b = RK_BUF_INIT;
	int rc = rk_io_read_file(io, dir, NAME,
				 RK_WARNINGS_MAX * RK_WARNING_BYTES, &b);

	for (size_t at = 0, n; rc == 0 && at < b.n; at += n + 1) {
		const uint8_t *end = memchr(b.p + at, '\n', b.n - at);
		char line[RK_WARNING_BYTES] = "";

		n = end ? (size_t)(end - b.p) - at : b.n - at;
		memcpy(line, b.p + at, n < sizeof(line) ? n : sizeof(line) - 1);
		if (*line)
			add(w, line, 1);
	}
	w->changed = 0;
	rk_buf_release(&b);
	if (rc < 0 && rc != -ENOENT)
		rk_warn(w, "older warnings cannot be read: %s",
			rk_strerror(rc));
}
