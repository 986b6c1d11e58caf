/* SPDX-License-Identifier: MIT */
/*
 * Which embedding space an index has, and how it gets another. What is kept
 * with the index (the manifest's `embedder`) decides which vectors may be
 * used; the configuration says which are wanted. Where they differ, answers
 * are by words alone until `reindex`.
 */
#include "index/vectors/embspaces.h"
#include "index/state/internal.h"
#include "index/state/tables.h"
#include "index/vectors/embed.h"
#include "base/hash.h"
#include "base/mem.h"
#include "vector/embed/server.h"
#include "vector/embed/static.h"
#include "base/lock.h"
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KEY_MAX = 4096 };

/* --- from the configuration to an embedder --- */

/* The key's file may be anywhere; its first line is the key. */
static char *read_key(struct rk_index *ix, const char *path)
{
	const struct rk_io *io = ix->env->io;
	int fd = io->openat(io->ctx, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
	char *key = rk_calloc(1, KEY_MAX + 1);
	ssize_t n = fd < 0 ? fd : -ENOMEM;

	if (fd >= 0 && key)
		n = io->pread(io->ctx, fd, key, KEY_MAX, 0);
	if (fd >= 0)
		io->close(io->ctx, fd);
	if (n < 0) {
		rk_warn(&ix->warnings, "embed_key_file: %s",
			rk_strerror((int)n));
		rk_free(key);
		return NULL;
	}
	key[strcspn(key, "\r\n")] = '\0';
	return key;
}

static int open_server(struct rk_index *ix, const struct rk_config *c,
		       struct rk_embedder **out)
{
	char *key = *c->embed_key_file ? read_key(ix, c->embed_key_file) : NULL;
	struct rk_server_opts o = {
		.url = c->embedder,
		.model = c->embed_model,
		.key = key ? key : ix->env->embed_key,
		.doc_prefix = c->embed_doc_prefix,
		.query_prefix = c->embed_query_prefix,
		.dims = (uint32_t)c->embed_dims,
		.batch = (uint32_t)c->embed_batch,
		.max_chars = (uint32_t)c->embed_chars,
		.timeout_ms = (int)c->embed_timeout_ms,
		.query_timeout_ms = (int)c->embed_query_ms,
	};
	char err[200] = "";
	int rc = rk_server_open(&o, out, err, sizeof(err));

	if (rc == 0)
		rk_server_set_cancel(*out, &ix->stopping);
	else
		rk_warn(&ix->warnings, "embedder: %s", err);
	if (key)
		explicit_bzero(key, strlen(key));
	rk_free(key);
	return rc;
}

/* Vectors that come with the documents: nothing is embedded here. */
static int none_embed(struct rk_embedder *e, const struct rk_text_ref *texts,
		      size_t n, enum rk_text_role role, float *rows)
{
	(void)e, (void)texts, (void)n, (void)role, (void)rows;
	return -EHOSTDOWN;
}

static void plain_close(struct rk_embedder *e)
{
	rk_free(e);
}

static int open_import(const char *dim, struct rk_embedder **out)
{
	static const struct rk_embedder_ops OPS = {none_embed, plain_close};
	struct rk_embedder *e = rk_calloc(1, sizeof(*e));

	if (!e)
		return -ENOMEM;
	e->ops = &OPS;
	e->refs = 1;
	e->by_document = 1;
	e->dim = (uint32_t)strtoul(dim, NULL, 10);
	snprintf(e->id, sizeof(e->id), "import %u", e->dim);
	*out = e;
	return 0;
}

int rk_embedder_open(struct rk_index *ix, struct rk_latent **latent,
		     struct rk_embedder **e)
{
	static const char STATIC[] = "static:";
	char err[300] = "";
	struct rk_config c;
	int rc = 0;

	*latent = NULL;
	*e = NULL;
	pthread_mutex_lock(&ix->config_lock);
	c = ix->config;
	pthread_mutex_unlock(&ix->config_lock);
	if (strcmp(c.embedder, "none") == 0)
		return 0;
	if (strcmp(c.embedder, "hash-lsa") == 0)
		return rk_latent_new(latent);
	if (strncmp(c.embedder, "import:", 7) == 0)
		return open_import(c.embedder + 7, e);
	if (strncmp(c.embedder, STATIC, sizeof(STATIC) - 1) != 0)
		return open_server(ix, &c, e);
	rc = rk_static_open(c.embedder + sizeof(STATIC) - 1, e, err,
			    sizeof(err));
	if (rc < 0)
		rk_warn(&ix->warnings, "embedder: %s", err);
	return rc;
}

/* --- when an index is opened --- */

static int is_unknown(const struct rk_embedder *e)
{
	return e && e->dim == 0;
}

/* A server's dimension is what the index remembers, if all else is equal. */
static void recall_dim(struct rk_embedder *e, const char *made_by)
{
	const char *space = strrchr(made_by, ' ');
	unsigned long dim = space ? strtoul(space + 1, NULL, 10) : 0;
	char id[256];

	if (!is_unknown(e) || dim == 0 || dim > 65536)
		return;
	rk_server_id(e, (uint32_t)dim, id, sizeof(id));
	if (strcmp(id, made_by) == 0)
		rk_server_set_dim(e, (uint32_t)dim);
}

/* Words alone, for now. */
static int no_space(struct rk_index *ix, uint64_t number)
{
	return rk_embspace_new(number, NULL, NULL, &ix->space);
}

/* A new index, or one from before there were vectors. */
static int first_space(struct rk_index *ix)
{
	uint64_t number = ix->next_space++;
	struct rk_latent *l;
	struct rk_embedder *e;

	if (rk_embedder_open(ix, &l, &e) == -ENOMEM)
		return -ENOMEM;
	if (!is_unknown(e))
		return rk_embspace_new(number, l, e, &ix->space);
	ix->awaited = e;
	return no_space(ix, number);
}

/* The fit that the manifest names; if it is damaged, a space anew. */
static int recover_fit(struct rk_index *ix, struct rk_latent *unfitted)
{
	uint64_t number = ix->manifest.space;
	struct rk_latent *l = NULL;
	int rc = rk_latent_open(ix->env->io, ix->dir_fd, number, &l);

	if (rc == RK_EVERSION || rk_unreadable(rc)) {
		rk_latent_unref(unfitted);
		return rc;
	}
	if (rc == 0) {
		rk_latent_unref(unfitted);
		return rk_embspace_new(number, l, NULL, &ix->space);
	}
	rk_warn(&ix->warnings,
		"the fit of the vectors: %s; vectors are made again",
		rk_strerror(rc));
	ix->dirty = 1;
	return rk_embspace_new(ix->next_space++, unfitted, NULL, &ix->space);
}

static int refuse_vectors(struct rk_index *ix, const char *wanted)
{
	rk_warn(&ix->warnings,
		"the vectors were made by '%s', the configuration says '%s': "
		"answers are by words alone until reindex",
		ix->manifest.embedder, wanted);
	ix->foreign = 1;
	return no_space(ix, ix->manifest.space);
}

int rk_embspace_recover(struct rk_index *ix)
{
	const struct rk_manifest *m = &ix->manifest;
	struct rk_latent *l;
	struct rk_embedder *e;
	char wanted[256];
	int rc;

	if (m->space == 0)
		return first_space(ix);
	if ((rc = rk_embedder_open(ix, &l, &e)) == -ENOMEM)
		return rc;
	if (e)
		recall_dim(e, m->embedder);
	snprintf(wanted, sizeof(wanted), "%s",
		 rc < 0 ? ix->config.embedder
		 : l	? "hash-lsa 1"
		 : e	? e->id
			: "none");
	if (rc == 0 && strcmp(wanted, m->embedder) == 0) {
		if (l && m->fitted)
			return recover_fit(ix, l);
		return rk_embspace_new(m->space, l, e, &ix->space);
	}
	rk_latent_unref(l);
	rk_embedder_unref(e);
	return refuse_vectors(ix, wanted);
}

/* --- changing it --- */

int rk_begin_embspace(struct rk_index *ix, struct rk_embspace *next)
{
	struct rk_embspace *old;
	int rc;

	assert(next->number > 0);
	pthread_mutex_lock(&ix->writer);
	pthread_mutex_lock(&ix->lock);
	old = ix->next;
	ix->next = next;
	for (unsigned i = 0; i < ix->view->nsegs; i++) {
		struct rk_segment *s = ix->view->segs[i];

		rk_vectors_unref(s->vec_next);
		s->vec_next = NULL;
	}
	pthread_mutex_unlock(&ix->lock);
	rk_embspace_unref(old);
	rc = rk_freeze(ix);
	pthread_mutex_unlock(&ix->writer);
	return rc;
}

static int begin_new(struct rk_index *ix, struct rk_latent *l,
		     struct rk_embedder *e)
{
	struct rk_embspace *next;
	uint64_t number;
	int rc;

	pthread_mutex_lock(&ix->lock);
	number = ix->next_space++;
	pthread_mutex_unlock(&ix->lock);
	if ((rc = rk_embspace_new(number, l, e, &next)) < 0)
		return rc;
	return rk_begin_embspace(ix, next);
}

static int take_switch(struct rk_index *ix, char *now, size_t n)
{
	int wanted;

	pthread_mutex_lock(&ix->lock);
	wanted = ix->switch_wanted;
	ix->switch_wanted = 0;
	/* `next` may be another fit of the same; what serves is what counts */
	snprintf(now, n, "%s",
		 ix->foreign ? "" : rk_embspace_embedder(ix->space));
	pthread_mutex_unlock(&ix->lock);
	return wanted;
}

static void await(struct rk_index *ix, struct rk_embedder *e)
{
	struct rk_embedder *old;

	pthread_mutex_lock(&ix->lock);
	old = ix->awaited;
	ix->awaited = e;
	pthread_mutex_unlock(&ix->lock);
	rk_embedder_unref(old);
}

int rk_switch_embedder(struct rk_index *ix)
{
	struct rk_latent *l;
	struct rk_embedder *e;
	char now[256];
	int rc;

	if (!take_switch(ix, now, sizeof(now)))
		return 0;
	await(ix, NULL);
	if ((rc = rk_embedder_open(ix, &l, &e)) < 0)
		return rc == -ENOMEM ? rc : 0; /* the warning says why */
	if (e)
		recall_dim(e, now);
	if (is_unknown(e)) {
		await(ix, e);
		return 0;
	}
	if (strcmp(now, l ? "hash-lsa 1" : e ? e->id : "none") != 0)
		return begin_new(ix, l, e);
	rk_latent_unref(l);
	rk_embedder_unref(e);
	return 0;
}

int rk_probe_embedder(struct rk_index *ix)
{
	struct rk_embedder *e;
	int rc;

	pthread_mutex_lock(&ix->lock);
	e = rk_embedder_ref(ix->awaited);
	pthread_mutex_unlock(&ix->lock);
	if (!e)
		return 0;
	if ((rc = rk_server_probe(e)) < 0) {
		rk_embedder_unref(e);
		return rc;
	}
	rc = begin_new(ix, NULL, rk_embedder_ref(e));
	if (rc == 0)
		await(ix, NULL);
	rk_embedder_unref(e);
	return rc;
}

int rk_check_dimension(struct rk_index *ix)
{
	struct rk_embspace *sp = rk_target_embspace(ix);
	struct rk_latent *l = NULL;
	struct rk_embedder *e = NULL;
	int rc = rk_embedder_open(ix, &l, &e);

	if (rc == 0 && is_unknown(e) && (rc = rk_server_probe(e)) == 0 &&
	    e->dim != sp->dim) {
		rk_warn(&ix->warnings,
			"the server's vectors have %u dimensions now, not %u: "
			"all are made again",
			e->dim, sp->dim);
		rc = begin_new(ix, NULL, rk_embedder_ref(e));
	}
	rk_latent_unref(l);
	rk_embedder_unref(e);
	rk_embspace_unref(sp);
	return rc;
}

/* --- queries --- */

static struct rk_query_vec *find_vec(struct rk_index *ix, uint64_t key,
				     uint64_t space)
{
	rk_assert_held(&ix->lock);
	for (size_t i = 0;
	     i < sizeof(ix->query_vecs) / sizeof(ix->query_vecs[0]); i++) {
		struct rk_query_vec *q = &ix->query_vecs[i];

		if (q->v && q->key == key && q->space == space)
			return q;
	}
	return NULL;
}

static void remember(struct rk_index *ix, uint64_t key,
		     const struct rk_embspace *sp, const float *v)
{
	struct rk_query_vec *q = &ix->query_vecs[0];
	float *copy = rk_malloc(sp->stride * sizeof(*copy));

	if (!copy)
		return;
	memcpy(copy, v, sp->stride * sizeof(*copy));
	pthread_mutex_lock(&ix->lock);
	for (size_t i = 1;
	     i < sizeof(ix->query_vecs) / sizeof(ix->query_vecs[0]); i++)
		if (ix->query_vecs[i].used < q->used)
			q = &ix->query_vecs[i];
	rk_free(q->v);
	*q = (struct rk_query_vec){key, sp->number, ++ix->query_clock, copy};
	pthread_mutex_unlock(&ix->lock);
}

int rk_embed_query(struct rk_index *ix, const struct rk_embspace *sp,
		   const char *text, size_t n, float *out)
{
	struct rk_text_ref t = {text, n};
	uint64_t key = rk_hash64(text, n);
	struct rk_query_vec *q;
	int rc;

	assert(sp->embedder);
	if (n == 0)
		return 0;
	pthread_mutex_lock(&ix->lock);
	if ((q = find_vec(ix, key, sp->number))) {
		memcpy(out, q->v, sp->stride * sizeof(*out));
		q->used = ++ix->query_clock;
	}
	pthread_mutex_unlock(&ix->lock);
	if (q)
		return 1;
	rc = sp->embedder->ops->embed(sp->embedder, &t, 1, RK_FOR_QUERY, out);
	if (rc == -ENOMEM)
		return rc;
	if (rc < 0) {
		if (rc != -EHOSTDOWN)
			rk_warn(&ix->warnings,
				"a query had no vector: %s; words answered",
				rk_strerror(rc));
		return 0;
	}
	remember(ix, key, sp, out);
	return 1;
}
