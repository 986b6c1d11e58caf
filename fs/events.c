/* SPDX-License-Identifier: MIT */
/*
 * .rankfs/events: a line for each change. A reader gets what it has not had
 * yet, the last FS_EVENTS to begin with, and then the end of the file; poll(2)
 * waits for the next line.
 *
 *   GENERATION changed PATH    GENERATION removed PATH
 *   GENERATION query TEXT      the answer of a query that somebody watches
 *   GENERATION answers         vectors are new: any answer may be another
 */
#include "fs.h"
#include "render.h"
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

enum { FS_EVENTS = 1024, READ_LINES = 4096 };

struct fs_events {
	pthread_mutex_t lock;
	char *line[FS_EVENTS]; /* number k is at k % FS_EVENTS */
	uint64_t next;	       /* number of the next one */
	struct reader *readers;
};

/* An open file. */
struct reader {
	uint64_t at; /* number of the next line for it */
	struct fuse_pollhandle *poll;
	struct rk_buf rest; /* of lines that a read had no room for */
	size_t rest_at;
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
		fs_put_text(&b, on, strlen(on));
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
	e->line[e->next++ % FS_EVENTS] = line;
	for (struct reader *r = e->readers; r; r = r->next) {
		if (!r->poll)
			continue;
		fuse_lowlevel_notify_poll(r->poll);
		fuse_pollhandle_destroy(r->poll);
		r->poll = NULL;
	}
	pthread_mutex_unlock(&e->lock);
}

static void events_stat(struct fs_node *n, struct stat *st)
{
	/* lines may speak of documents that were not for others */
	fs_virtual_stat(n, S_IFREG | 0400, 0, st);
}

static void events_open(fuse_req_t req, struct fs *fs, struct fs_node *n,
			struct fuse_file_info *fi)
{
	struct fs_events *e = n->index->events;
	struct fs_handle *h = fs_handle_blob(n, NULL);
	struct reader *r = calloc(1, sizeof(*r));

	(void)fs;
	if (!h || !r || (fi->flags & O_ACCMODE) != O_RDONLY) {
		fuse_reply_err(req, h && r ? EACCES : ENOMEM);
		free(h);
		free(r);
		return;
	}
	h->dir = r;
	pthread_mutex_lock(&e->lock);
	r->at = e->next < FS_EVENTS ? 0 : e->next - FS_EVENTS;
	r->next = e->readers;
	e->readers = r;
	pthread_mutex_unlock(&e->lock);
	fi->fh = (uintptr_t)h;
	fi->direct_io = 1;
	fi->nonseekable = 1;
	fi->noflush = 1;
	fuse_reply_open(req, fi);
}

/* More lines into rest; a reader that was away too long has missed some. */
static void take_lines(struct fs_events *e, struct reader *r)
{
	r->rest.n = 0;
	r->rest_at = 0;
	if (e->next > FS_EVENTS && r->at < e->next - FS_EVENTS) {
		rk_buf_printf(
			&r->rest, "0 missed %llu\n",
			(unsigned long long)(e->next - FS_EVENTS - r->at));
		r->at = e->next - FS_EVENTS;
	}
	for (int i = 0; i < READ_LINES && r->at < e->next; i++, r->at++)
		rk_buf_str(&r->rest, e->line[r->at % FS_EVENTS]);
}

static void events_read(fuse_req_t req, struct fs *fs, struct fs_handle *h,
			size_t n, off_t off)
{
	struct fs_events *e = h->node->index->events;
	struct reader *r = h->dir;
	size_t left;
	const char *p;

	(void)fs;
	(void)off;
	pthread_mutex_lock(&e->lock);
	if (r->rest_at == r->rest.n)
		take_lines(e, r);
	pthread_mutex_unlock(&e->lock);
	p = (const char *)r->rest.p + r->rest_at;
	left = r->rest.n - r->rest_at;
	n = left < n ? left : n;
	r->rest_at += n;
	fuse_reply_buf(req, n ? p : NULL, n);
}

static void events_poll(fuse_req_t req, struct fs_handle *h,
			struct fuse_pollhandle *ph)
{
	struct fs_events *e = h->node->index->events;
	struct reader *r = h->dir;
	struct fuse_pollhandle *old = NULL;
	int there;

	pthread_mutex_lock(&e->lock);
	there = r->at < e->next || r->rest_at < r->rest.n;
	if (ph) {
		old = r->poll;
		r->poll = ph;
	}
	pthread_mutex_unlock(&e->lock);
	if (old)
		fuse_pollhandle_destroy(old);
	fuse_reply_poll(req, there ? POLLIN | POLLRDNORM : 0);
}

static void events_release(fuse_req_t req, struct fs *fs, struct fs_handle *h)
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
	rk_buf_release(&r->rest);
	free(r);
	h->dir = NULL;
	fs_blob_release(req, fs, h);
}

const struct fs_kind FS_EVENTS_FILE = {
	.name = ".rankfs/events",
	.getattr = fs_virtual_getattr,
	.open = events_open,
	.read = events_read,
	.poll = events_poll,
	.release = events_release,
	.stat = events_stat,
};
