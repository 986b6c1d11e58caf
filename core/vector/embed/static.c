/* SPDX-License-Identifier: MIT */
#include "vector/embed/static.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/status.h"
#include "vector/kernels.h"
#include "vector/embed/safetensors.h"
#include "vector/embed/tokenizer.h"
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DIM_MAX = 8192, HASHED = 1 << 20 };

struct mapping {
	uint8_t *p;
	size_t n;
};

struct static_model {
	struct rk_embedder base; /* first: the interface */
	struct mapping weights_file;
	struct rk_tokenizer *tokenizer;
	struct rk_tensor rows, weights, map;
	int has_weights, has_map;
};

static int map_file(const char *dir, const char *name, struct mapping *m)
{
	char path[4200];
	struct stat st;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size == 0) {
		close(fd);
		return -EINVAL;
	}
	m->n = (size_t)st.st_size;
	m->p = mmap(NULL, m->n, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	if (m->p == MAP_FAILED) {
		m->p = NULL;
		return -ENOMEM;
	}
	return 0;
}

static void unmap_file(struct mapping *m)
{
	if (m->p)
		munmap(m->p, m->n);
	m->p = NULL;
}

/* --- embedding --- */

/* The row of a token, or -1; maps come from the file and are not trusted. */
static int64_t row_of(const struct static_model *m, uint32_t id)
{
	double row = id;

	if (m->has_map) {
		if (id >= m->map.rows)
			return -1;
		row = rk_tensor_at(&m->map, id);
	}
	return row >= 0 && row < (double)m->rows.rows ? (int64_t)row : -1;
}

static void mean(const struct static_model *m, const struct rk_ids *ids,
		 float *out)
{
	memset(out, 0, rk_vec_stride(m->base.dim) * sizeof(*out));
	for (size_t i = 0; i < ids->n; i++) {
		int64_t row = row_of(m, ids->v[i]);
		float w = 1;

		if (row < 0)
			continue;
		if (m->has_weights)
			w = ids->v[i] < m->weights.rows
				    ? (float)rk_tensor_at(&m->weights,
							  ids->v[i])
				    : 0;
		rk_tensor_add_row(&m->rows, (uint64_t)row, w, out);
	}
	rk_unit(out, m->base.dim);
}

static int static_embed(struct rk_embedder *e, const struct rk_text_ref *texts,
			size_t n, enum rk_text_role role, float *rows)
{
	const struct static_model *m = (const struct static_model *)e;
	struct rk_ids ids = {NULL, 0, 0};
	int rc = 0;

	(void)role;
	for (size_t i = 0; i < n && rc == 0; i++) {
		ids.n = 0;
		rc = rk_tokenize(m->tokenizer, texts[i].p, texts[i].n, &ids);
		if (rc == 0)
			mean(m, &ids, rows + i * rk_vec_stride(e->dim));
	}
	rk_free(ids.v);
	return rc;
}

static void static_close(struct rk_embedder *e)
{
	struct static_model *m = (struct static_model *)e;

	rk_tokenizer_free(m->tokenizer);
	unmap_file(&m->weights_file);
	rk_free(m);
}

static const struct rk_embedder_ops OPS = {static_embed, static_close};

/* --- loading --- */

/* 1, 0 (there is none), negative */
static int find(const struct static_model *m, const char *name,
		struct rk_tensor *t)
{
	return rk_safetensors_find(m->weights_file.p, m->weights_file.n, name,
				   t);
}

static int load_tensors(struct static_model *m, char *err, size_t err_n)
{
	int rc = find(m, "embeddings", &m->rows);

	if (rc == 0)
		rc = find(m, "embedding.weight", &m->rows);
	if (rc == 0) {
		snprintf(err, err_n, "model.safetensors: no embeddings in it");
		return -EINVAL;
	}
	if (rc > 0 && (rc = find(m, "weights", &m->weights)) >= 0) {
		m->has_weights = rc;
		rc = find(m, "mapping", &m->map);
		m->has_map = rc > 0;
	}
	if (rc >= 0 && (m->rows.cols == 0 || m->rows.cols > DIM_MAX))
		rc = -ENOTSUP;
	if (rc < 0)
		snprintf(err, err_n, "model.safetensors: %s", rk_strerror(rc));
	m->base.dim = (uint32_t)m->rows.cols;
	return rc < 0 ? rc : 0;
}

/* The same files give the same vectors; that is what the id says. */
static void set_id(struct static_model *m, const struct mapping *tokenizer)
{
	size_t n = m->weights_file.n < HASHED ? m->weights_file.n : HASHED;
	uint64_t h;

	assert(m->weights_file.p && tokenizer->p);
	h = rk_hash64(tokenizer->p, tokenizer->n);
	h ^= rk_hash64(m->weights_file.p, n) * 31 + m->weights_file.n;
	snprintf(m->base.id, sizeof(m->base.id), "static %016llx %u",
		 (unsigned long long)h, m->base.dim);
}

static int load_from(const char *dir, const char *sub, struct static_model *m,
		     char *err, size_t err_n)
{
	struct mapping tok = {NULL, 0};
	char path[4100];
	int rc;

	snprintf(path, sizeof(path), "%s%s", dir, sub);
	if ((rc = map_file(path, "model.safetensors", &m->weights_file)) < 0 ||
	    (rc = map_file(path, "tokenizer.json", &tok)) < 0) {
		snprintf(err, err_n,
			 "%s: model.safetensors and tokenizer.json "
			 "must be in it: %s",
			 path, rk_strerror(rc));
		unmap_file(&m->weights_file);
		return rc;
	}
	rc = rk_tokenizer_load((const char *)tok.p, tok.n, &m->tokenizer, err,
			       err_n);
	if (rc == 0 && (rc = load_tensors(m, err, err_n)) == 0)
		set_id(m, &tok);
	unmap_file(&tok);
	return rc;
}

int rk_static_open(const char *dir, struct rk_embedder **out, char *err,
		   size_t err_n)
{
	struct static_model *m = rk_calloc(1, sizeof(*m));
	int rc;

	if (!m)
		return -ENOMEM;
	m->base.ops = &OPS;
	m->base.refs = 1;
	rc = load_from(dir, "", m, err, err_n);
	if (rc == -ENOENT)
		rc = load_from(dir, "/0_StaticEmbedding", m, err, err_n);
	if (rc < 0) {
		static_close(&m->base);
		return rc;
	}
	*out = &m->base;
	return 0;
}
