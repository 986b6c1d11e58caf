/* SPDX-License-Identifier: MIT */
/*
 * .rankfs/ask: a conversation. What is written on a descriptor is a question
 * (any text, any length; or a JSON object with "query", "vector", "n",
 * "mode", "as"); what is read from it afterwards is the answer. The next
 * write begins the next question. Each open file is a conversation of its own.
 */
#include "fs/query/ask.h"
#include "fs/base/errno.h"
#include "fs/base/node.h"
#include "fs/base/pool.h"
#include "fs/base/users.h"
#include "fs/base/tree.h"
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

enum { QUESTION_MAX = 1 << 20, DIM_MAX = 65536 };

/* A handle: `blob` is the answer, once there is one. */
struct fs_talk {
	struct rk_buf question;
	size_t at; /* bytes of the answer that have been read */
};

static void ask_write(fuse_req_t req, struct fs *fs, struct fs_handle *h,
		      const char *p, size_t n, off_t off)
{
	struct fs_talk *t = h->dir;
	int rc;

	(void)fs;
	(void)off;
	if (h->blob) { /* the answer to the last one has been asked for */
		fs_blob_unref(h->blob);
		h->blob = NULL;
		t->question.n = 0;
		t->at = 0;
	}
	if (t->question.n + n > QUESTION_MAX) {
		fuse_reply_err(req, EFBIG);
		return;
	}
	if ((rc = fs_user_holds(h, t->question.n + n)) < 0) {
		fuse_reply_err(req, -rc);
		return;
	}
	rk_buf_add(&t->question, p, n);
	if (t->question.err)
		fuse_reply_err(req, ENOMEM);
	else
		fuse_reply_write(req, n);
}

/* --- the question --- */

struct question {
	struct rk_buf text;
	float *vector;
	uint32_t dim;
};

static void add_key(struct rk_buf *b, const json_t *o, const char *json,
		    const char *key)
{
	const json_t *v = json_object_get(o, json);

	if (json_is_string(v))
		rk_buf_printf(b, " %s:%s", key, json_string_value(v));
	else if (json_is_integer(v))
		rk_buf_printf(b, " %s:%lld", key,
			      (long long)json_integer_value(v));
}

static int take_vector(struct question *q, const json_t *a)
{
	size_t n = json_array_size(a);

	if (n == 0)
		return 0;
	if (n > DIM_MAX || !(q->vector = calloc(n + 16, sizeof(float))))
		return n > DIM_MAX ? -EINVAL : -ENOMEM;
	q->dim = (uint32_t)n;
	for (size_t i = 0; i < n; i++) {
		const json_t *v = json_array_get(a, i);

		if (!json_is_number(v))
			return -EINVAL;
		q->vector[i] = (float)json_number_value(v);
	}
	return 0;
}

/* JSON if it is an object, else words as they are. */
static int parse_question(const struct rk_buf *in, struct question *q)
{
	json_t *o = in->n && in->p[0] == '{'
			    ? json_loadb((char *)in->p, in->n, 0, NULL)
			    : NULL;
	const char *s = json_string_value(json_object_get(o, "query"));
	int rc = 0;

	if (!json_is_object(o)) {
		rk_buf_add(&q->text, in->p, in->n);
	} else {
		rk_buf_str(&q->text, s ? s : "");
		add_key(&q->text, o, "n", "n");
		add_key(&q->text, o, "mode", "mode");
		add_key(&q->text, o, "as", "as");
		rc = take_vector(q, json_object_get(o, "vector"));
	}
	json_decref(o);
	return rc ? rc : q->text.err;
}

/* --- the answer --- */

struct ask_job {
	struct fs_job job;
	fuse_req_t req;
	struct fs_handle *h;
	size_t size;
	_Atomic int cancel;
};

static int keep_answer(struct fs_handle *h, struct rk_buf *out)
{
	const struct fs_talk *t = h->dir;
	struct fs_blob *b = fs_blob_from(out);
	int rc = b ? fs_user_holds(h, t->question.n + b->n) : -ENOMEM;

	if (rc < 0)
		fs_blob_unref(b);
	else
		h->blob = b;
	return rc;
}

static int answer(struct ask_job *j)
{
	struct fs_index *x = j->h->node->index;
	struct fs_talk *t = j->h->dir;
	struct question q = {.text = RK_BUF_INIT};
	struct rk_search_opts opts = {
		.size = sizeof(opts), .wait_ms = -1, .cancel = &j->cancel};
	struct rk_buf out = RK_BUF_INIT;
	struct rk_results *r = NULL;
	size_t body;
	int rc = parse_question(&t->question, &q);

	opts.vector = q.vector;
	opts.vector_dim = q.dim;
	if (rc == 0)
		rc = rk_search(x->ix, (char *)q.text.p, q.text.n, &opts, &r);
	if (rc == 0) {
		rk_render(r, r->format, (char *)q.text.p, q.text.n, x->path,
			  &out, &body);
		rk_results_free(r);
		rc = keep_answer(j->h, &out);
	}
	rk_buf_release(&q.text);
	free(q.vector);
	return rc;
}

static void reply_rest(fuse_req_t req, struct fs_handle *h, size_t size)
{
	struct fs_talk *t = h->dir;
	size_t left = h->blob->n - t->at;
	size_t n = left < size ? left : size;
	struct fs_blob *b = fs_blob_ref(h->blob);
	const char *p = b->p + t->at;

	/* before the reply: the next read may come while this one returns,
	 * or the file be closed */
	t->at += n;
	fuse_reply_buf(req, p, n);
	fs_blob_unref(b);
}

static void ask_run(struct fs_job *job)
{
	struct ask_job *j = (struct ask_job *)job;
	int rc = answer(j);

	fuse_req_interrupt_func(j->req, NULL, NULL);
	if (rc < 0)
		fuse_reply_err(j->req, fs_errno(rc));
	else
		reply_rest(j->req, j->h, j->size);
	free(j);
}

static void interrupted(fuse_req_t req, void *data)
{
	struct ask_job *j = data;

	(void)req;
	j->cancel = 1;
}

/* Offsets mean nothing here: reading goes on where it was. */
static void ask_read(fuse_req_t req, struct fs *fs, struct fs_handle *h,
		     size_t n, off_t off)
{
	struct fs_talk *t = h->dir;
	struct ask_job *j;

	(void)off;
	if (h->blob || t->question.n == 0) {
		if (h->blob)
			reply_rest(req, h, n);
		else
			fuse_reply_buf(req, NULL, 0);
		return;
	}
	if (!(j = calloc(1, sizeof(*j)))) {
		fuse_reply_err(req, ENOMEM);
		return;
	}
	j->job.run = ask_run;
	j->job.x = h->node->index;
	j->req = req;
	j->h = h;
	j->size = n;
	fuse_req_interrupt_func(req, interrupted, j);
	fs_run(fs, req, &j->job);
}

static void ask_end(struct fs_handle *h)
{
	struct fs_talk *t = h->dir;

	rk_buf_release(&t->question);
}

const struct fs_stream FS_ASK_STREAM = {
	.state = sizeof(struct fs_talk),
	.end = ask_end,
	.read = ask_read,
	.write = ask_write,
	.no_seek = 1,
};
