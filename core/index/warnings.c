/* SPDX-License-Identifier: MIT */
#include "index/warnings.h"
#include "base/mem.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

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
	for (int i = 0; i < RK_WARNINGS_MAX; i++)
		if (w->line[i] && strcmp(w->line[i], line) == 0)
			return 1;
	return 0;
}

void rk_warn(struct rk_warnings *w, const char *fmt, ...)
{
	char line[RK_WARNING_BYTES];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	for (char *p = line; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = '?';
	pthread_mutex_lock(&w->lock);
	w->count++;
	if (!known(w, line)) {
		rk_free(w->line[w->next]);
		w->line[w->next] = rk_strndup(line, strlen(line));
		w->next = (w->next + 1) % RK_WARNINGS_MAX;
	}
	pthread_mutex_unlock(&w->lock);
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
		}
	pthread_mutex_unlock(&w->lock);
}

void rk_warnings_list(struct rk_warnings *w, struct rk_buf *out)
{
	pthread_mutex_lock(&w->lock);
	for (unsigned i = 0; i < RK_WARNINGS_MAX; i++) {
		const char *s = w->line[(w->next + i) % RK_WARNINGS_MAX];

		if (s)
			rk_buf_printf(out, "%s\n", s);
	}
	pthread_mutex_unlock(&w->lock);
}
