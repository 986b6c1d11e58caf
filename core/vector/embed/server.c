/* SPDX-License-Identifier: MIT */
#include "vector/embed/server.h"
#include "base/buf.h"
#include "base/env.h"
#include "base/mem.h"
#include "base/status.h"
#include "vector/kernels.h"
#include <assert.h>
#include <curl/curl.h>
#include <errno.h>
#include <jansson.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

enum {
	DIM_MAX = 65536,
	ANSWER_MAX = 256 << 20,
	TRIES = 5,
	BACKOFF_MS = 200,
	RETRY_AFTER_MAX_MS = 30000,
	BREAK_MS = 5000, /* queries do without for so long after a failure */
	CUTS = 3,	 /* a text is halved so often, then given up */
	CHARS_MIN = 64,
};

struct server {
	struct rk_embedder base; /* first: the interface */
	char *url, *model, *key, *doc_prefix, *query_prefix;
	int ollama;
	uint32_t dims, batch, max_chars;
	int timeout_ms, query_timeout_ms;
	const _Atomic int *cancel;
	pthread_mutex_t lock; /* guards the rest */
	CURL *spare;	      /* kept open between requests */
	uint64_t broken_until_ns;
	char error[256];
};

/* One answer. */
struct answer {
	struct rk_buf body;
	long status; /* 0: there was none */
	int retry_after_ms;
};

static int is_query(enum rk_text_role role)
{
	return role == RK_FOR_QUERY;
}

/* --- errors --- */

static void set_error(struct server *s, const char *text)
{
	pthread_mutex_lock(&s->lock);
	snprintf(s->error, sizeof(s->error), "%s", text);
	pthread_mutex_unlock(&s->lock);
}

void rk_server_error(struct rk_embedder *e, char *out, size_t n)
{
	struct server *s = (struct server *)e;

	pthread_mutex_lock(&s->lock);
	snprintf(out, n, "%s", s->error);
	pthread_mutex_unlock(&s->lock);
}

static int is_broken(struct server *s)
{
	int broken;

	pthread_mutex_lock(&s->lock);
	broken = rk_mono_ns() < s->broken_until_ns;
	pthread_mutex_unlock(&s->lock);
	return broken;
}

static void note(struct server *s, int rc)
{
	pthread_mutex_lock(&s->lock);
	if (rc == 0)
		s->error[0] = '\0';
	s->broken_until_ns = rc == 0 ? 0 : rk_mono_ns() + BREAK_MS * 1000000ull;
	pthread_mutex_unlock(&s->lock);
}

static int cancelled(const struct server *s)
{
	return s->cancel && *s->cancel;
}

/* --- one request --- */

static size_t on_body(char *p, size_t size, size_t n, void *ctx)
{
	struct answer *a = ctx;

	if (a->body.n + size * n > ANSWER_MAX)
		return 0;
	rk_buf_add(&a->body, p, size * n);
	return a->body.err ? 0 : size * n;
}

static size_t on_header(char *p, size_t size, size_t n, void *ctx)
{
	static const char NAME[] = "retry-after:";
	struct answer *a = ctx;
	char line[128];
	size_t len = size * n < sizeof(line) - 1 ? size * n : sizeof(line) - 1;

	memcpy(line, p, len);
	line[len] = '\0';
	if (strncasecmp(line, NAME, sizeof(NAME) - 1) == 0) {
		long sec = strtol(line + sizeof(NAME) - 1, NULL, 10);

		a->retry_after_ms = sec > 0 && sec < 3600 ? (int)sec * 1000 : 0;
	}
	return size * n;
}

static int on_progress(void *ctx, curl_off_t a, curl_off_t b, curl_off_t c,
		       curl_off_t d)
{
	(void)a, (void)b, (void)c, (void)d;
	return cancelled(ctx);
}

static CURL *take_handle(struct server *s)
{
	CURL *c;

	pthread_mutex_lock(&s->lock);
	c = s->spare;
	s->spare = NULL;
	pthread_mutex_unlock(&s->lock);
	return c ? c : curl_easy_init();
}

static void give_handle(struct server *s, CURL *c)
{
	pthread_mutex_lock(&s->lock);
	if (!s->spare) {
		s->spare = c;
		c = NULL;
	}
	pthread_mutex_unlock(&s->lock);
	curl_easy_cleanup(c);
}

static struct curl_slist *make_headers(const struct server *s)
{
	struct curl_slist *h =
		curl_slist_append(NULL, "Content-Type: application/json");
	char line[4200];

	h = curl_slist_append(h, "Expect:");
	if (s->key) {
		snprintf(line, sizeof(line), "Authorization: Bearer %s",
			 s->key);
		h = curl_slist_append(h, line);
	}
	return h;
}

/* Returns 0 with a status, or -EIO if no answer came. */
static int post(struct server *s, const char *json, size_t n, int timeout_ms,
		struct answer *a)
{
	CURL *c = take_handle(s);
	struct curl_slist *h = c ? make_headers(s) : NULL;
	char text[CURL_ERROR_SIZE] = "";
	CURLcode rc;

	if (!c)
		return -ENOMEM;
	a->body.n = 0;
	a->status = 0;
	a->retry_after_ms = 0;
	curl_easy_setopt(c, CURLOPT_URL, s->url);
	curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L); /* carries the key */
	curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, (long)timeout_ms);
	curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS,
			 (long)(timeout_ms < 5000 ? timeout_ms : 5000));
	curl_easy_setopt(c, CURLOPT_HTTPHEADER, h);
	curl_easy_setopt(c, CURLOPT_POSTFIELDS, json);
	curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)n);
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(c, CURLOPT_WRITEDATA, a);
	curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(c, CURLOPT_HEADERDATA, a);
	curl_easy_setopt(c, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(c, CURLOPT_XFERINFOFUNCTION, on_progress);
	curl_easy_setopt(c, CURLOPT_XFERINFODATA, s);
	curl_easy_setopt(c, CURLOPT_ERRORBUFFER, text);
	rc = curl_easy_perform(c);
	curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &a->status);
	curl_easy_setopt(c, CURLOPT_ERRORBUFFER, NULL);
	curl_slist_free_all(h);
	give_handle(s, c);
	if (rc == CURLE_OK)
		return 0;
	set_error(s, *text ? text : curl_easy_strerror(rc));
	a->status = 0;
	return -EIO;
}

/* --- what is asked --- */

/* At most `chars` bytes of a text behind its prefix, as valid UTF-8. */
static json_t *text_json(const struct server *s, const struct rk_text_ref *t,
			 enum rk_text_role role, size_t chars)
{
	const char *prefix = is_query(role) ? s->query_prefix : s->doc_prefix;
	struct rk_buf b = RK_BUF_INIT;
	size_t n = t->n < chars ? t->n : chars;
	json_t *j;

	while (n > 0 && n < t->n && ((unsigned char)t->p[n] & 0xc0) == 0x80)
		n--;
	rk_buf_str(&b, prefix);
	rk_buf_add(&b, t->p, n);
	j = b.err ? NULL : json_stringn((char *)b.p, b.n);
	if (!j && b.err == 0) { /* bytes that are not UTF-8 */
		for (size_t i = 0; i < b.n; i++)
			if (b.p[i] >= 0x80 || b.p[i] == 0)
				b.p[i] = '?';
		j = json_stringn((char *)b.p, b.n);
	}
	rk_buf_release(&b);
	return j;
}

static char *request_json(const struct server *s, const struct rk_text_ref *t,
			  size_t n, enum rk_text_role role, size_t chars)
{
	json_t *o = json_object(), *input = json_array();
	char *out;

	for (size_t i = 0; i < n; i++)
		json_array_append_new(input, text_json(s, &t[i], role, chars));
	json_object_set_new(o, "input", input);
	if (*s->model)
		json_object_set_new(o, "model", json_string(s->model));
	if (s->dims)
		json_object_set_new(o, "dimensions", json_integer(s->dims));
	if (s->ollama)
		json_object_set_new(o, "truncate", json_true());
	else
		json_object_set_new(o, "encoding_format",
				    json_string("base64"));
	out = json_dumps(o, JSON_COMPACT);
	json_decref(o);
	return out;
}

/* --- a batch --- */

/* The error object's message, as far as there is one. */
static void tell_status(struct server *s, const struct answer *a)
{
	json_t *o = json_loadb((char *)a->body.p, a->body.n, 0, NULL);
	const json_t *e = json_object_get(o, "error");
	const char *m =
		json_is_string(e)
			? json_string_value(e)
			: json_string_value(json_object_get(e, "message"));
	char text[256];

	snprintf(text, sizeof(text), "HTTP status %ld%s%.150s", a->status,
		 m ? ": " : "", m ? m : "");
	set_error(s, text);
	json_decref(o);
}

static int says_too_large(const struct answer *a)
{
	static const char *const WORDS[] = {"too large", "too long",
					    "context length", "maximum context",
					    "longer than"};

	if (a->status == 413 || a->status == 422)
		return 1;
	for (size_t i = 0; i < sizeof(WORDS) / sizeof(WORDS[0]); i++)
		if (a->body.n && a->status >= 400 &&
		    memmem(a->body.p, a->body.n, WORDS[i], strlen(WORDS[i])))
			return 1;
	return 0;
}

/* 0, -E2BIG (halve it), -EAGAIN (try again), -EACCES and others (give up) */
static int judge(struct server *s, const struct answer *a)
{
	if (a->status == 200)
		return 0;
	tell_status(s, a);
	if (says_too_large(a))
		return -E2BIG;
	if (a->status == 408 || a->status == 429 || a->status >= 500)
		return -EAGAIN;
	return a->status == 401 || a->status == 403 ? -EACCES : -EPROTO;
}

static int once(struct server *s, const struct rk_text_ref *t, size_t n,
		enum rk_text_role role, size_t chars, float *rows,
		struct answer *a)
{
	char *json = request_json(s, t, n, role, chars), err[128];
	uint32_t dim = s->base.dim;
	int rc;

	if (!json)
		return -ENOMEM;
	rc = post(s, json, strlen(json),
		  is_query(role) ? s->query_timeout_ms : s->timeout_ms, a);
	free(json);
	if (rc == -EIO)
		return -EAGAIN;
	if (rc < 0 || (rc = judge(s, a)) < 0)
		return rc;
	rc = rk_server_parse((char *)a->body.p, a->body.n, n, &dim, s->dims,
			     rows, rk_vec_stride(dim), err, sizeof(err));
	if (rc < 0)
		set_error(s, err);
	else if (s->base.dim == 0)
		rk_server_set_dim(&s->base, dim);
	return rc;
}

static void pause_ms(const struct server *s, int ms)
{
	for (; ms > 0 && !cancelled(s); ms -= 20)
		nanosleep(&(struct timespec){0, 20000000}, NULL);
}

/* With retries. A wrong answer is tried again, too: some servers shed load
 * with half an answer. */
static int persist(struct server *s, const struct rk_text_ref *t, size_t n,
		   enum rk_text_role role, size_t chars, float *rows)
{
	struct answer a = {.body = RK_BUF_INIT};
	int tries = is_query(role) ? 1 : TRIES, wait = BACKOFF_MS, rc = 0;

	for (int i = 0; i < tries; i++) {
		rc = once(s, t, n, role, chars, rows, &a);
		if ((rc != -EAGAIN && rc != -EPROTO) || i + 1 == tries ||
		    cancelled(s))
			break;
		if (a.status >= 400 && a.status < 500 && rc == -EPROTO)
			break; /* asking again will not help */
		if (a.retry_after_ms > 0 &&
		    a.retry_after_ms <= RETRY_AFTER_MAX_MS)
			wait = a.retry_after_ms;
		/* jitter: several indexes must not ask in step */
		pause_ms(s, wait + (int)(rk_mono_ns() / 1000 % 100));
		wait *= 2;
	}
	rk_buf_release(&a.body);
	return cancelled(s) ? RK_ECANCELLED : rc;
}

static int halve(struct server *s, const struct rk_text_ref *t, size_t n,
		 enum rk_text_role role, size_t chars, float *rows, int cuts)
{
	size_t stride = rk_vec_stride(s->base.dim), half = n / 2;
	int rc = persist(s, t, n, role, chars, rows);

	if (rc != -E2BIG)
		return rc;
	if (n > 1) {
		rc = halve(s, t, half, role, chars, rows, cuts);
		return rc ? rc
			  : halve(s, t + half, n - half, role, chars,
				  rows + half * stride, cuts);
	}
	if (cuts < CUTS && chars / 2 > CHARS_MIN) {
		chars = t->n < chars ? t->n : chars;
		return halve(s, t, n, role, chars / 2, rows, cuts + 1);
	}
	memset(rows, 0, stride * sizeof(*rows)); /* by its words alone */
	return 0;
}

/* Servers crash on empty texts: they are not sent. */
static int is_blank(const struct rk_text_ref *t)
{
	for (size_t i = 0; i < t->n; i++)
		if ((unsigned char)t->p[i] > ' ')
			return 0;
	return 1;
}

static int server_embed(struct rk_embedder *e, const struct rk_text_ref *texts,
			size_t n, enum rk_text_role role, float *rows)
{
	struct server *s = (struct server *)e;
	size_t stride = rk_vec_stride(e->dim), at = 0;
	int rc = 0;

	if (is_query(role) && is_broken(s))
		return -EHOSTDOWN;
	while (at < n && rc == 0) {
		size_t k = 0;

		if (is_blank(&texts[at])) {
			memset(rows + at++ * stride, 0, stride * sizeof(*rows));
			continue;
		}
		while (at + k < n && k < s->batch && !is_blank(&texts[at + k]))
			k++;
		rc = halve(s, texts + at, k, role, s->max_chars,
			   rows + at * stride, 0);
		at += k;
	}
	note(s, rc);
	return rc;
}

/* --- life --- */

static void server_close(struct rk_embedder *e)
{
	struct server *s = (struct server *)e;

	if (s->spare)
		curl_easy_cleanup(s->spare);
	if (s->key)
		explicit_bzero(s->key, strlen(s->key));
	rk_free(s->url);
	rk_free(s->model);
	rk_free(s->key);
	rk_free(s->doc_prefix);
	rk_free(s->query_prefix);
	pthread_mutex_destroy(&s->lock);
	rk_free(s);
}

static const struct rk_embedder_ops OPS = {server_embed, server_close};

void rk_server_id(const struct rk_embedder *e, uint32_t dim, char *out,
		  size_t n)
{
	const struct server *s = (const struct server *)e;

	snprintf(out, n, "server %s|%s|%s %u", s->model, s->doc_prefix,
		 s->query_prefix, dim);
}

void rk_server_set_dim(struct rk_embedder *e, uint32_t dim)
{
	assert(dim > 0);
	e->dim = dim;
	rk_server_id(e, dim, e->id, sizeof(e->id));
}

void rk_server_set_cancel(struct rk_embedder *e, const _Atomic int *cancel)
{
	((struct server *)e)->cancel = cancel;
}

int rk_server_probe(struct rk_embedder *e)
{
	struct server *s = (struct server *)e;
	struct rk_text_ref t = {"the quick brown fox jumps over the lazy dog",
				43};
	struct answer a = {.body = RK_BUF_INIT};
	int rc = once(s, &t, 1, RK_FOR_DOCUMENT, s->max_chars, NULL, &a);

	rk_buf_release(&a.body);
	note(s, rc);
	return rc;
}

static int has_path(const char *url)
{
	const char *p = strstr(url, "://");

	p = p ? strchr(p + 3, '/') : NULL;
	return p && p[1];
}

static char *full_url(const char *url)
{
	size_t n = strlen(url);
	const char *path = "";
	char *out;

	if (!has_path(url))
		path = strstr(url, ":11434") ? "/api/embed" : "/v1/embeddings";
	while (*path && n > 0 && url[n - 1] == '/')
		n--;
	out = rk_malloc(n + strlen(path) + 1);
	if (out) {
		memcpy(out, url, n);
		memcpy(out + n, path, strlen(path) + 1);
	}
	return out;
}

static char *copy(const char *s)
{
	return rk_strndup(s ? s : "", s ? strlen(s) : 0);
}

static pthread_once_t curl_once = PTHREAD_ONCE_INIT;

static void curl_begin(void)
{
	curl_global_init(CURL_GLOBAL_DEFAULT);
}

int rk_server_open(const struct rk_server_opts *o, struct rk_embedder **out,
		   char *err, size_t err_n)
{
	struct server *s;

	if (strncmp(o->url, "http://", 7) != 0 &&
	    strncmp(o->url, "https://", 8) != 0) {
		snprintf(err, err_n, "'%.60s' is no http URL", o->url);
		return -EINVAL;
	}
	pthread_once(&curl_once, curl_begin);
	if (!(s = rk_calloc(1, sizeof(*s))))
		return -ENOMEM;
	s->base.ops = &OPS;
	s->base.refs = 1;
	s->base.remote = 1;
	pthread_mutex_init(&s->lock, NULL);
	s->url = full_url(o->url);
	s->model = copy(o->model);
	s->key = o->key && *o->key ? copy(o->key) : NULL;
	s->doc_prefix = copy(o->doc_prefix);
	s->query_prefix = copy(o->query_prefix);
	s->dims = o->dims < DIM_MAX ? o->dims : DIM_MAX;
	s->batch = o->batch ? o->batch : 32;
	s->max_chars = o->max_chars ? o->max_chars : 8192;
	s->timeout_ms = o->timeout_ms;
	s->query_timeout_ms = o->query_timeout_ms;
	if (!s->url || !s->model || !s->doc_prefix || !s->query_prefix ||
	    (o->key && *o->key && !s->key)) {
		server_close(&s->base);
		return -ENOMEM;
	}
	s->ollama = strstr(s->url, "/api/embed") != NULL;
	rk_server_id(&s->base, 0, s->base.id, sizeof(s->base.id));
	*out = &s->base;
	return 0;
}
