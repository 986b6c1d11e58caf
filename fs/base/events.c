/* SPDX-License-Identifier: MIT */
/*
 * .rankfs/events: a line for each change. A reader gets what it has not had
 * yet, the last FS_EVENTS to begin with, and then the end of the file; poll(2)
 * waits for the next line.
 *
 * To programs that seek (tail -f) it is a file that grows: its size is that of
 * all lines since the mount, and the last FS_EVENTS are where they were
 * written. Who reads where older ones were gets the oldest that is left, and
 * what follows it; so offsets of its descriptor are shifted from there on.
 *
 *   GENERATION changed PATH    GENERATION removed PATH
 *   GENERATION query TEXT      the answer of a query that somebody watches
 *   GENERATION answers         vectors are new: any answer may be another
 */
#include "fs/base/events.h"
#include "fs/base/node.h"
#include "fs/base/tree.h"
#include "base/put.h"
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

enum { FS_EVENTS = 1024 };

struct fs_events {
	pthread_mutex_t lock;
	char *line[FS_EVENTS];	 /* number k is at k % FS_EVENTS */
	uint64_t end[FS_EVENTS]; /* bytes of all lines up to its end */
	uint64_t next;		 /* number of the next one */
	uint64_t size;		 /* bytes of all lines ever */
	struct timespec changed;
	struct reader *readers;
};

/* An open file. */
struct reader {
	uint64_t offset;      /* of its next read, if it does not seek */
	uint64_t shift;	      /* from there to the place among all lines */
	uint64_t line;	      /* number of the line that it is in */
	int inside;	      /* it has had a part of that line */
	struct rk_buf missed; /* that lines are gone; told first */
	size_t missed_at;
	struct fuse_pollhandle *poll;
	struct reader *next;
};

struct fs_events *fs_events_new(void)
{
	struct fs_events *e = calloc(1, sizeof(*e));

	if (e)
		pthread_mutex_init(&e->lock, NULL);
	return e;
}

void fs_events_free(struct fs_events *e)
{
	if (!e)
		return;
	for (int i = 0; i < FS_EVENTS; i++)
		free(e->line[i]);
	pthread_mutex_destroy(&e->lock);
	free(e);
}

static char *make_line(uint64_t generation, const char *what, const char *on)
{
	struct rk_buf b = RK_BUF_INIT;

	rk_buf_printf(&b, "%llu %s", (unsigned long long)generation, what);
	if (*on) {
		rk_buf_byte(&b, ' ');
		rk_put_line(&b, on, strlen(on));
	}
	rk_buf_str(&b, "\n");
	rk_buf_byte(&b, 0);
	if (b.err)
		rk_buf_release(&b);
	return (char *)b.p;
}

void fs_event(struct fs_index *x, uint64_t generation, const char *what,
	      const char *on)
{
	struct fs_events *e = x->events;
	char *line = make_line(generation, what, on);

	if (!line)
		return;
	pthread_mutex_lock(&e->lock);
	free(e->line[e->next % FS_EVENTS]);
	e->line[e->next % FS_EVENTS] = line;
	e->size += strlen(line);
	e->end[e->next++ % FS_EVENTS] = e->size;
	clock_gettime(CLOCK_REALTIME, &e->changed);
	for (struct reader *r = e->readers; r; r = r->next) {
		if (!r->poll)
			continue;
		fuse_lowlevel_notify_poll(r->poll);
		fuse_pollhandle_destroy(r->poll);
		r->poll = NULL;
	}
	pthread_mutex_unlock(&e->lock);
}

int fs_events_stat(const struct fs_use *u, struct stat *st)
{
	struct fs_events *e = u->x->events;

	pthread_mutex_lock(&e->lock);
	st->st_size = (off_t)e->size;
	if (e->changed.tv_sec)
		st->st_mtim = e->changed;
	pthread_mutex_unlock(&e->lock);
	return 0;
}

static int events_begin(struct fs_handle *h)
{
	struct fs_events *e = h->node->index->events;
	struct reader *r = h->dir;

	pthread_mutex_lock(&e->lock);
	r->next = e->readers;
	e->readers = r;
	pthread_mutex_unlock(&e->lock);
	return 0;
}

static uint64_t oldest(const struct fs_events *e)
{
	return e->next < FS_EVENTS ? 0 : e->next - FS_EVENTS;
}

static uint64_t start_of(const struct fs_events *e, uint64_t k)
{
	return e->end[k % FS_EVENTS] - strlen(e->line[k % FS_EVENTS]);
}

/* The line that holds a place among all; e->next if none does yet. */
static uint64_t line_at(const struct fs_events *e, uint64_t at)
{
	uint64_t lo = oldest(e), hi = e->next;

	while (lo < hi) {
		uint64_t mid = lo + (hi - lo) / 2;

		if (e->end[mid % FS_EVENTS] <= at)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* The place to read from; a reader that was away too long is told. */
static uint64_t place(struct fs_events *e, struct reader *r, uint64_t offset)
{
	uint64_t first = oldest(e), at, start;

	if (offset != r->offset) {
		r->shift = 0;
		r->inside = 0;
		r->line = first; /* wherever it has been: it missed none */
		r->missed.n = r->missed_at = 0;
	}
	at = offset + r->shift;
	start = e->next > first ? start_of(e, first) : e->size;
	if (at >= start)
		return at;
	if (offset && r->line < first)
		rk_buf_printf(&r->missed, "%s0 missed %llu\n",
			      r->inside ? "\n" : "",
			      (unsigned long long)(first - r->line));
	r->shift += start - at;
	return start;
}

/* What is told of missed lines has no place among them. */
static void take_missed(struct reader *r, struct rk_buf *out, size_t n)
{
	size_t left = r->missed.n - r->missed_at;

	left = left < n ? left : n;
	if (!left)
		return;
	rk_buf_add(out, r->missed.p + r->missed_at, left);
	r->missed_at += left;
	r->shift -= left;
	if (r->missed_at == r->missed.n)
		r->missed.n = r->missed_at = 0;
}

static void take_lines(struct fs_events *e, struct reader *r, uint64_t at,
		       struct rk_buf *out, size_t n)
{
	uint64_t k = line_at(e, at);

	for (; k < e->next && out->n < n; k++) {
		const char *s = e->line[k % FS_EVENTS];
		size_t skip = (size_t)(at - start_of(e, k));
		size_t left = strlen(s) - skip;

		left = left < n - out->n ? left : n - out->n;
		rk_buf_add(out, s + skip, left);
		at += left;
		if (at < e->end[k % FS_EVENTS])
			break;
	}
	r->line = k;
	r->inside = k < e->next && at > start_of(e, k);
}

static void events_read(fuse_req_t req, struct fs *fs, struct fs_handle *h,
			size_t n, off_t off)
{
	struct fs_events *e = h->node->index->events;
	struct reader *r = h->dir;
	struct rk_buf out = RK_BUF_INIT;
	uint64_t at;

	(void)fs;
	pthread_mutex_lock(&e->lock);
	at = place(e, r, (uint64_t)off);
	take_missed(r, &out, n);
	take_lines(e, r, at, &out, n);
	r->offset = (uint64_t)off + out.n;
	pthread_mutex_unlock(&e->lock);
	if (out.err)
		fuse_reply_err(req, ENOMEM);
	else
		fuse_reply_buf(req, (const char *)out.p, out.n);
	rk_buf_release(&out);
}

static void events_poll(fuse_req_t req, struct fs_handle *h,
			struct fuse_pollhandle *ph)
{
	struct fs_events *e = h->node->index->events;
	struct reader *r = h->dir;
	struct fuse_pollhandle *old = NULL;
	int there;

	pthread_mutex_lock(&e->lock);
	there = r->offset + r->shift < e->size || r->missed.n;
	if (ph) {
		old = r->poll;
		r->poll = ph;
	}
	pthread_mutex_unlock(&e->lock);
	if (old)
		fuse_pollhandle_destroy(old);
	fuse_reply_poll(req, there ? POLLIN | POLLRDNORM : 0);
}

static void events_end(struct fs_handle *h)
{
	struct fs_events *e = h->node->index->events;
	struct reader *r = h->dir, **p;

	pthread_mutex_lock(&e->lock);
	for (p = &e->readers; *p != r; p = &(*p)->next)
		;
	*p = r->next;
	pthread_mutex_unlock(&e->lock);
	if (r->poll)
		fuse_pollhandle_destroy(r->poll);
	rk_buf_release(&r->missed);
}

const struct fs_stream FS_EVENTS_STREAM = {
	.state = sizeof(struct reader),
	.begin = events_begin,
	.end = events_end,
	.read = events_read,
	.poll = events_poll,
};
