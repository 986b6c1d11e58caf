/* SPDX-License-Identifier: MIT */
/*
 * query/<text>: each name is a file with the ranked results. Nothing is
 * searched when a name is looked up; the search runs at getattr or open, off
 * the loop, and the request is answered from there. An answer stays with
 * its node until the index changes; an open handle keeps the one it got.
 */
#include "fs/query/query.h"
#include "fs/base/errno.h"
#include "fs/base/names.h"
#include "fs/base/node.h"
#include "fs/base/pool.h"
#include "fs/base/tree.h"
#include "fs/query/followed.h"
#include "fs/query/toucher.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
	SLOW_MS = 5,
	ANSWER_BYTES_MAX = 16 << 20, /* kept for all queries together */
};

/* --- answers, newest first; the oldest go when there are too many --- */

static void answer_unlink(struct fs *fs, struct fs_node *n)
{
	if (!n->blob)
		return;
	*(n->query_prev ? &n->query_prev->query_next : &fs->query_head) =
		n->query_next;
	*(n->query_next ? &n->query_next->query_prev : &fs->query_tail) =
		n->query_prev;
	n->query_prev = n->query_next = NULL;
	fs->answer_bytes -= n->blob->n;
	fs_blob_unref(n->blob);
	n->blob = NULL;
}

static void answer_set(struct fs *fs, struct fs_node *n, struct fs_blob *b)
{
	answer_unlink(fs, n);
	n->blob = fs_blob_ref(b);
	fs->answer_bytes += b->n;
	n->query_next = fs->query_head;
	*(fs->query_head ? &fs->query_head->query_prev : &fs->query_tail) = n;
	fs->query_head = n;
	while (fs->answer_bytes > ANSWER_BYTES_MAX && fs->query_tail != n)
		answer_unlink(fs, fs->query_tail);
}

/* What an answer would be of now; complete: nothing is on its way. */
static uint64_t current(const struct fs_node *n, int *complete)
{
	struct rk_index *ix = n->index->ix;

	if (n->file->current)
		return n->file->current(n, complete);
	*complete = ix && rk_pending(ix) == 0;
	return ix ? rk_generation(ix) : 0;
}

/* The node's answer if nothing can have changed since; a reference. */
static struct fs_blob *fresh_answer(struct fs *fs, struct fs_node *n)
{
	struct fs_blob *b = NULL;
	int complete;
	uint64_t now = current(n, &complete);

	pthread_mutex_lock(&fs->answers);
	if (n->blob && n->complete && complete && n->generation == now)
		b = fs_blob_ref(n->blob);
	pthread_mutex_unlock(&fs->answers);
	return b;
}

/*
 * When the answer became this one: now, unless it is known to have said the
 * same before the kernel forgot it.
 */
static void date_answer(struct fs *fs, struct fs_node *n, uint64_t hash)
{
	struct fs_memo *m = &fs->memos[n->ino % FS_MEMOS];

	if (n->known && n->hash == hash)
		return;
	if (!n->known && m->ino == n->ino && m->hash == hash)
		n->mtime = m->mtime;
	else
		clock_gettime(CLOCK_REALTIME, &n->mtime);
	*m = (struct fs_memo){n->ino, hash, n->mtime};
	n->hash = hash;
	n->known = 1;
}

/*
 * Keep a new answer. If it says the same as the one before, the old bytes
 * stay, so that size and mtime do: a watcher sees a change when there is one.
 */
static struct fs_blob *keep_answer(struct fs *fs, struct fs_node *n,
				   struct fs_blob *b, const struct fs_answer *a)
{
	int same, other;

	pthread_mutex_lock(&fs->answers);
	same = n->blob && n->blob->body_hash == b->body_hash &&
	       n->blob->form == b->form;
	other = n->known && n->hash != b->body_hash;
	date_answer(fs, n, b->body_hash);
	if (same) {
		fs_blob_unref(b);
		b = fs_blob_ref(n->blob);
	} else {
		answer_set(fs, n, b);
	}
	n->size = b->n;
	n->generation = a->generation;
	n->complete = a->pending == 0;
	n->took_ns = a->took_ns;
	pthread_mutex_unlock(&fs->answers);
	if (other) /* whoever watches does not know yet */
		fs_live_nudge(fs);
	return b;
}

/* --- the search, off the loop --- */

struct query_job {
	struct fs_job job;
	fuse_req_t req;
	struct fs *fs;
	struct fs_node *n;
	int opening;
	unsigned walls; /* when it was asked */
	struct fuse_file_info fi;
	_Atomic int cancel;
};

static void interrupted(fuse_req_t req, void *data)
{
	struct query_job *j = data;

	(void)req;
	j->cancel = 1;
}

static int evaluate(struct fs *fs, struct fs_node *n,
		    const struct rk_search_opts *opts, struct fs_blob **out)
{
	struct fs_answer a = {.text = RK_BUF_INIT};
	uint64_t start = rk_mono_ns();
	int rc = n->file->answer(n, opts, &a);
	struct fs_blob *blob;

	a.took_ns = rk_mono_ns() - start;
	if (rc < 0) {
		rk_buf_release(&a.text);
		return rc;
	}
	if (!(blob = fs_blob_from(&a.text)))
		return -ENOMEM;
	blob->body_hash = a.hash;
	blob->form = a.form;
	*out = keep_answer(fs, n, blob, &a);
	return 0;
}

static int run_query(struct query_job *j, struct fs_blob **out)
{
	struct rk_search_opts opts = {
		.size = sizeof(opts), .wait_ms = -1, .cancel = &j->cancel};

	return evaluate(j->fs, j->n, &opts, out);
}

int fs_view_refresh(struct fs *fs, struct fs_node *n, const _Atomic int *cancel)
{
	struct rk_search_opts opts = {
		.size = sizeof(opts), .wait_ms = 0, .cancel = cancel};
	struct fs_blob *b = fresh_answer(fs, n);
	int rc = b ? 0 : evaluate(fs, n, &opts, &b);

	fs_blob_unref(b);
	return rc;
}

static void reply_stat(fuse_req_t req, struct fs *fs, struct fs_node *n,
		       size_t size)
{
	struct stat st;

	pthread_mutex_lock(&fs->answers);
	fs_virtual_stat(n, S_IFREG | 0444, size, &st);
	pthread_mutex_unlock(&fs->answers);
	fuse_reply_attr(req, &st, 0);
}

/* Takes over the reference to b; walls: fs->walls before it was found. */
static void reply_opened(fuse_req_t req, struct fs *fs, struct fs_node *n,
			 struct fs_blob *b, unsigned walls,
			 struct fuse_file_info *fi)
{
	struct fs_handle *h = fs_handle_new(req, n, b);

	if (!h) {
		fs_blob_unref(b);
		fuse_reply_err(req, ENOMEM);
		return;
	}
	if (n->file->is_allowed)
		h->walls = walls;
	pthread_mutex_lock(&fs->answers);
	h->next = n->open;
	n->open = h;
	n->opened++;
	if (n->blob != b) { /* shed meanwhile: fstat(2) must see this one */
		answer_set(fs, n, b);
		n->complete = 0;
	}
	pthread_mutex_unlock(&fs->answers);
	fi->fh = (uintptr_t)h;
	fi->direct_io = 1; /* each handle reads its own answer */
	fi->noflush = 1;
	fuse_reply_open(req, fi);
}

/* What the thread opened last and reads; or NULL. Under fs->answers. */
static struct fs_handle *opened_by(const struct fs_node *n, pid_t pid)
{
	struct fs_handle *h = n->open;

	while (h && (h->pid != pid || !h->blob))
		h = h->next;
	return h;
}

/*
 * fstat(2) comes as a plain getattr: a thread that has the file open is told
 * about the answer that it is reading. One that has read it to the end and
 * looks again (tail -F) wants to know whether there is another; if so, it is
 * told that the file was emptied, and reads the new one from the start.
 */
static int pinned_size(fuse_req_t req, struct fs *fs, struct fs_node *n,
		       size_t *size)
{
	const struct fs_handle *h;
	int yes;

	pthread_mutex_lock(&fs->answers);
	h = opened_by(n, fuse_req_ctx(req)->pid);
	yes = h && !h->at_end;
	if (yes)
		*size = h->blob->n;
	pthread_mutex_unlock(&fs->answers);
	return yes;
}

/* The size to tell of the newest answer. */
static size_t size_for(fuse_req_t req, struct fs *fs, struct fs_node *n,
		       const struct fs_blob *b)
{
	struct fs_handle *h;
	size_t size = b->n;

	pthread_mutex_lock(&fs->answers);
	h = opened_by(n, fuse_req_ctx(req)->pid);
	if (h && h->at_end) {
		int other = h->blob->body_hash != b->body_hash;

		/* emptied, then as long as the new one is */
		size = !other ? h->blob->n : h->restart ? b->n : 0;
		h->restart = other;
	}
	pthread_mutex_unlock(&fs->answers);
	return size;
}

static void query_run(struct fs_job *job)
{
	struct query_job *j = (struct query_job *)job;
	struct fs_blob *b = NULL;
	int rc = run_query(j, &b);

	fuse_req_interrupt_func(j->req, NULL, NULL);
	if (rc < 0) {
		fuse_reply_err(j->req, fs_errno(rc));
	} else if (j->opening) {
		reply_opened(j->req, j->fs, j->n, b, j->walls, &j->fi);
	} else {
		reply_stat(j->req, j->fs, j->n,
			   size_for(j->req, j->fs, j->n, b));
		fs_blob_unref(b);
	}
	free(j);
}

/* It was the last time; or it reads documents, or always is. */
static int is_slow(struct fs *fs, struct fs_node *n)
{
	int slow;

	pthread_mutex_lock(&fs->answers);
	slow = n->took_ns > (uint64_t)SLOW_MS * 1000000;
	pthread_mutex_unlock(&fs->answers);
	return slow || strchr(n->text, '/') || n->file->is_slow;
}

static void search_later(fuse_req_t req, struct fs *fs, struct fs_node *n,
			 const struct fuse_file_info *fi)
{
	struct query_job *j = calloc(1, sizeof(*j));

	if (!j) {
		fuse_reply_err(req, ENOMEM);
		return;
	}
	j->job.run = query_run;
	j->job.x = n->index;
	j->job.slow = is_slow(fs, n);
	j->req = req;
	j->fs = fs;
	j->n = n;
	j->walls = fs->walls;
	if (fi) {
		j->opening = 1;
		j->fi = *fi;
	}
	fuse_req_interrupt_func(req, interrupted, j);
	fs_run(fs, &j->job);
}

/* --- query files --- */

static void query_read(fuse_req_t req, struct fs *fs, struct fs_handle *h,
		       size_t n, off_t off)
{
	pthread_mutex_lock(&fs->answers);
	if (off == 0 && h->restart && h->node->blob) {
		fs_blob_unref(h->blob);
		h->blob = fs_blob_ref(h->node->blob);
		h->restart = 0;
	}
	h->at_end = h->blob && (size_t)off >= h->blob->n;
	pthread_mutex_unlock(&fs->answers);
	fs_blob_read(req, fs, h, n, off);
}

static int is_allowed(fuse_req_t req, const struct fs *fs,
		      const struct fs_node *n)
{
	return !n->file->is_allowed || !fs->allow_other ||
	       fs_is_toucher(fs, fuse_req_ctx(req)->pid) ||
	       n->file->is_allowed(req, n);
}

/* Nothing is searched for the toucher, and it may open what others may not. */
static void toucher_getattr(fuse_req_t req, struct fs *fs, struct fs_node *n)
{
	struct stat st;

	pthread_mutex_lock(&fs->answers);
	fs_virtual_stat(n, S_IFREG | 0644, n->size, &st);
	pthread_mutex_unlock(&fs->answers);
	fuse_reply_attr(req, &st, 0);
}

static void query_getattr(fuse_req_t req, struct fs *fs, struct fs_node *n)
{
	struct fs_blob *b;
	size_t size;

	if (fs_is_toucher(fs, fuse_req_ctx(req)->pid)) {
		toucher_getattr(req, fs, n);
	} else if (!is_allowed(req, fs, n)) {
		fuse_reply_err(req, EACCES);
	} else if (pinned_size(req, fs, n, &size)) {
		reply_stat(req, fs, n, size);
	} else if ((b = fresh_answer(fs, n)) != NULL) {
		reply_stat(req, fs, n, size_for(req, fs, n, b));
		fs_blob_unref(b);
	} else {
		search_later(req, fs, n, NULL);
	}
}

/* touch(1) is harmless; the answer's times are its own. */
static void query_setattr(fuse_req_t req, struct fs *fs, struct fs_node *n,
			  struct stat *attr, int to_set,
			  struct fuse_file_info *fi)
{
	const int times = FUSE_SET_ATTR_ATIME | FUSE_SET_ATTR_MTIME |
			  FUSE_SET_ATTR_ATIME_NOW | FUSE_SET_ATTR_MTIME_NOW |
			  FUSE_SET_ATTR_CTIME;

	(void)attr;
	(void)fi;
	if (to_set & ~times)
		fuse_reply_err(req, EPERM);
	else
		query_getattr(req, fs, n);
}

/* What the toucher writes is nothing but the event that it makes. */
static void open_to_touch(fuse_req_t req, struct fs *fs, struct fs_node *n,
			  struct fuse_file_info *fi)
{
	struct fs_handle *h;

	if (!fs_is_toucher(fs, fuse_req_ctx(req)->pid)) {
		fuse_reply_err(req, EACCES);
		return;
	}
	if (!(h = fs_handle_new(req, n, NULL))) {
		fuse_reply_err(req, ENOMEM);
		return;
	}
	pthread_mutex_lock(&fs->answers);
	n->opened++;
	pthread_mutex_unlock(&fs->answers);
	fi->fh = (uintptr_t)h;
	fi->direct_io = 1;
	fi->noflush = 1;
	fuse_reply_open(req, fi);
}

static void query_write(fuse_req_t req, struct fs *fs, struct fs_handle *h,
			const char *p, size_t n, off_t off)
{
	(void)fs;
	(void)h;
	(void)p;
	(void)off;
	fuse_reply_write(req, n);
}

static void query_open(fuse_req_t req, struct fs *fs, struct fs_node *n,
		       struct fuse_file_info *fi)
{
	unsigned walls = fs->walls;
	struct fs_blob *b;

	if (!is_allowed(req, fs, n))
		fuse_reply_err(req, EACCES);
	else if ((fi->flags & O_ACCMODE) != O_RDONLY)
		open_to_touch(req, fs, n, fi);
	else if ((b = fresh_answer(fs, n)) != NULL)
		reply_opened(req, fs, n, b, walls, fi);
	else
		search_later(req, fs, n, fi);
}

static void query_release(fuse_req_t req, struct fs *fs, struct fs_handle *h)
{
	struct fs_handle **p = &h->node->open;

	pthread_mutex_lock(&fs->answers);
	h->node->opened--;
	while (*p && *p != h) /* the toucher's are not in it */
		p = &(*p)->next;
	if (*p)
		*p = h->next;
	pthread_mutex_unlock(&fs->answers);
	fs_blob_release(req, fs, h);
}

static void query_forget(struct fs *fs, struct fs_node *n)
{
	fs_live_remove(n);
	pthread_mutex_lock(&fs->answers);
	answer_unlink(fs, n);
	pthread_mutex_unlock(&fs->answers);
}

const struct fs_kind FS_QUERY = {
	.name = "query",
	.getattr = query_getattr,
	.setattr = query_setattr,
	.open = query_open,
	.write = query_write,
	.read = query_read,
	.release = query_release,
	.forget = query_forget,
};

/* --- nodes --- */

int fs_view_path(const struct fs_node *n, char *out, size_t cap)
{
	struct rk_buf b = RK_BUF_INIT;
	int rc = -ENAMETOOLONG;

	rk_buf_printf(&b, "%s/%s/", n->index->path, n->file->dir);
	fs_encode_name(n->text, &b);
	rk_buf_byte(&b, 0);
	if (!b.err && b.n <= cap) {
		memcpy(out, b.p, b.n);
		rc = 0;
	}
	rk_buf_release(&b);
	return rc;
}

struct fs_node *fs_view_node(struct fs_index *x, const struct fs_file *file,
			     const char *text)
{
	return fs_keyed_node(x, &FS_QUERY, file, text);
}

void fs_view_reply(fuse_req_t req, struct fs *fs, struct fs_node *n,
		   const char *name)
{
	struct stat st;

	n->nlookup++;
	fs_live_add(n, name);
	pthread_mutex_lock(&fs->answers);
	fs_virtual_stat(n, S_IFREG | 0444, n->size, &st);
	pthread_mutex_unlock(&fs->answers);
	/* in query/ another caller may be meant another node by that name */
	fs_reply_virtual(req, fs, n, &st, name ? 0 : fs->timeout);
}
