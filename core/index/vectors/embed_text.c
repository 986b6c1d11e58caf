/* SPDX-License-Identifier: MIT */
/*
 * Vectors by embedders that need the text: it is read from the documents
 * again, chunk by chunk, as long as they are what was indexed. What a server
 * does not give now is asked for again later.
 */
#include "index/vectors/embed_text.h"
#include "index/documents/document.h"
#include "index/documents/texts.h"
#include "base/attributes.h"
#include "base/mem.h"
#include "text/extract/extract.h"
#include "vector/kernels.h"
#include "vector/embed/safetensors.h"
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	WINDOW = 256,	  /* rows of a segment in memory at a time */
	TABLE_BATCH = 64, /* chunks of a memory table at a time */
	PASS_S = 30,	  /* then what there is begins to serve */
};

/* A chunk whose text is wanted. */
struct want {
	char path[4096];
	struct rk_doc_rec doc;
	struct rk_chunk_rec chunk;
};

/* The chunk's text; empty if the document has changed or gone. */
static int load_text(struct rk_index *ix, const struct want *w,
		     struct rk_text *out)
{
	int fd = rk_open_document(ix, w->path);
	struct stat st;
	int rc = 0;

	if (fd < 0)
		return 0;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	    rk_is_unchanged(&w->doc, &st))
		rc = rk_read_range(ix, fd, w->path, w->chunk.off, w->chunk.len,
				   out);
	close(fd);
	return rc == -ENOMEM ? rc : 0;
}

void rk_document_vector(struct rk_index *ix, const struct rk_embspace *sp,
			const char *path, size_t n, float *rows)
{
	size_t bytes = sp->dim * sizeof(uint16_t);
	uint16_t *h = rk_malloc(bytes + 1);
	int fd = rk_open_document(ix, path);
	ssize_t got = -1;
	char file[32];

	snprintf(file, sizeof(file), "/proc/self/fd/%d", fd);
	memset(rows, 0, n * sp->stride * sizeof(*rows));
	if (h && fd >= 0)
		got = rk_attr_get(ix->files_fd, file, "user.rankfs.vector", h,
				  bytes + 1);
	for (uint32_t i = 0; h && got == (ssize_t)bytes && i < sp->dim; i++) {
		rows[i] = rk_half(h[i]);
	}
	rk_unit(rows, sp->dim);
	for (size_t i = 1; i < n; i++)
		memcpy(rows + i * sp->stride, rows, sp->stride * sizeof(*rows));
	if (fd >= 0)
		close(fd);
	rk_free(h);
}

/* Vectors of n chunks into rows. */
static int embed_wanted(struct rk_index *ix, const struct rk_embspace *sp,
			const struct want *w, size_t n, float *rows)
{
	struct rk_text *t = rk_calloc(n, sizeof(*t));
	struct rk_text_ref *ref = rk_calloc(n, sizeof(*ref));
	int rc = t && ref ? 0 : -ENOMEM;

	for (size_t i = 0; i < n && sp->embedder->by_document; i++)
		rk_document_vector(ix, sp, w[i].path, 1, rows + i * sp->stride);
	if (sp->embedder->by_document)
		n = 0;
	for (size_t i = 0; i < n && rc == 0; i++) {
		rc = load_text(ix, &w[i], &t[i]);
		ref[i] = (struct rk_text_ref){t[i].p, t[i].n};
	}
	if (rc == 0 && n > 0)
		rc = sp->embedder->ops->embed(sp->embedder, ref, n,
					      RK_FOR_DOCUMENT, rows);
	for (size_t i = 0; t && i < n; i++)
		rk_text_release(&t[i]);
	rk_free(t);
	rk_free(ref);
	return rc;
}

static void copy_path(struct want *w, const char *p, size_t n)
{
	n = n < sizeof(w->path) ? n : 0;
	memcpy(w->path, p, n);
	w->path[n] = '\0';
}

/* --- a segment --- */

struct pass {
	struct rk_index *ix;
	const struct rk_embspace *sp;
	struct rk_segment *seg;
	struct rk_vectors *old; /* what there is, or NULL */
	struct want *want;	/* WINDOW */
	uint32_t *at;		/* their rows in the window */
	float *rows, *got;	/* WINDOW rows */
	uint64_t end_ns;
	int failed; /* no further requests; rows that are there still count */
	uint32_t made;
};

static int is_zero(const float *row, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (row[i] != 0.0f)
			return 0;
	return 1;
}

/* Old rows of the window, and what is missing among them. */
static int gather(struct pass *p, uint32_t from, uint32_t n, uint32_t *missing)
{
	size_t stride = p->sp->stride;
	const float *old = p->old ? rk_vectors_rows(p->old, from, n) : NULL;

	*missing = 0;
	memset(p->rows, 0, n * stride * sizeof(float));
	for (uint32_t i = 0; i < n; i++) {
		struct want *w = &p->want[*missing];
		const struct rk_chunk_rec *c;
		const struct rk_doc_rec *d;
		const char *path;

		if (old && !is_zero(old + i * stride, p->sp->dim)) {
			memcpy(p->rows + i * stride, old + i * stride,
			       stride * sizeof(float));
			continue;
		}
		if (!(c = rk_segment_chunk(p->seg, from + i)) ||
		    !(d = rk_segment_doc(p->seg, c->doc)) ||
		    !(path = rk_segment_path(p->seg, d)))
			return RK_ECORRUPT;
		if (rk_segment_dead(p->seg, c->doc))
			continue;
		w->doc = *d;
		w->chunk = *c;
		copy_path(w, path, d->path_n);
		p->at[(*missing)++] = i;
	}
	return 0;
}

static int fill_window(struct pass *p, uint32_t from, uint32_t n)
{
	size_t stride = p->sp->stride;
	uint32_t missing;
	int rc = gather(p, from, n, &missing);

	if (rc < 0 || missing == 0)
		return rc;
	if (p->failed || rk_mono_ns() > p->end_ns || p->ix->stopping) {
		p->failed = p->failed ? p->failed : -EAGAIN;
		return 0;
	}
	rc = embed_wanted(p->ix, p->sp, p->want, missing, p->got);
	if (rc == -ENOMEM)
		return rc;
	if (rc < 0) {
		p->failed = rc;
		return 0;
	}
	for (uint32_t i = 0; i < missing; i++)
		memcpy(p->rows + p->at[i] * stride, p->got + i * stride,
		       stride * sizeof(float));
	p->made += missing;
	return 0;
}

static int write_pass(struct pass *p, uint64_t id)
{
	struct rk_vectors_writer w;
	const struct rk_embspace *sp = p->sp;
	int rc = rk_vectors_create(p->ix->env->io, p->ix->dir_fd, id,
				   sp->number, sp->dim, &w);

	for (uint32_t at = 0; at < p->seg->nchunks && rc == 0; at += WINDOW) {
		uint32_t n = p->seg->nchunks - at;

		n = n < WINDOW ? n : WINDOW;
		if ((rc = fill_window(p, at, n)) == 0)
			rk_vectors_add(&w, p->rows, n);
	}
	/* nothing new: not worth a file */
	if (rc == 0 && p->failed && p->made == 0)
		rc = p->failed;
	if (rc < 0) {
		rk_vectors_abort(&w);
		return rc;
	}
	w.complete = p->failed == 0;
	return rk_vectors_finish(&w);
}

int rk_embed_segment(struct rk_index *ix, const struct rk_embspace *sp,
		     struct rk_segment *seg, struct rk_vectors *old,
		     uint64_t id)
{
	size_t bytes = WINDOW * sp->stride * sizeof(float);
	struct pass p = {
		.ix = ix,
		.sp = sp,
		.seg = seg,
		.old = old,
		.want = rk_malloc(WINDOW * sizeof(*p.want)),
		.at = rk_malloc(WINDOW * sizeof(*p.at)),
		.rows = rk_aligned_alloc(64, bytes),
		.got = rk_aligned_alloc(64, bytes),
		.end_ns = rk_mono_ns() + PASS_S * 1000000000ull,
	};
	int rc = p.want && p.at && p.rows && p.got ? 0 : -ENOMEM;

	assert(sp->stride > 0 && id > 0);
	if (rc == 0)
		rc = write_pass(&p, id);
	rk_free(p.want);
	rk_free(p.at);
	rk_free(p.rows);
	rk_free(p.got);
	return rc;
}

/* --- the active memory table --- */

static struct rk_memtable *active_table(struct rk_index *ix,
					const struct rk_embspace *sp)
{
	struct rk_memtable *m;

	pthread_mutex_lock(&ix->lock);
	m = ix->view->mems[ix->view->nmems - 1];
	m = m->vec_space == sp->number ? rk_memtable_ref(m) : NULL;
	pthread_mutex_unlock(&ix->lock);
	return m;
}

/* Chunks from `from` on that are published; how many. */
static uint32_t wanted_of(struct rk_memtable *m, size_t from, struct want *w)
{
	uint32_t n = 0;

	pthread_rwlock_rdlock(&m->lock);
	while (n < TABLE_BATCH && from + n < m->nchunks) {
		const struct rk_chunk_rec *c = &m->chunks[from + n];
		const struct rk_mdoc *d = &m->docs[c->doc];

		if (rk_mdoc_born(d) == UINT32_MAX)
			break; /* still being added */
		w[n].doc = d->rec;
		w[n].chunk = *c;
		/* of the dead no text is wanted */
		copy_path(&w[n], rk_memtable_path(m, c->doc),
			  rk_mdoc_dead(d) ? 0 : d->rec.path_n);
		n++;
	}
	pthread_rwlock_unlock(&m->lock);
	return n;
}

/* Only while it is active: a frozen table is being written out. */
static void store_rows(struct rk_index *ix, struct rk_memtable *m, size_t from,
		       uint32_t n, const float *rows)
{
	pthread_mutex_lock(&ix->writer);
	if (ix->view->mems[ix->view->nmems - 1] == m) {
		pthread_rwlock_wrlock(&m->lock);
		for (uint32_t i = 0; i < n; i++)
			memcpy(rk_memtable_vector(m, from + i),
			       rows + i * m->vec_stride,
			       m->vec_stride * sizeof(float));
		m->vec_done = from + n;
		pthread_rwlock_unlock(&m->lock);
		pthread_mutex_lock(&ix->lock);
		__atomic_store_n(&ix->generation, ix->generation + 1,
				 __ATOMIC_RELEASE);
		pthread_mutex_unlock(&ix->lock);
	}
	pthread_mutex_unlock(&ix->writer);
}

int rk_embed_memtable(struct rk_index *ix, const struct rk_embspace *sp)
{
	struct rk_memtable *m = active_table(ix, sp);
	struct want *w = rk_malloc(TABLE_BATCH * sizeof(*w));
	float *rows = rk_aligned_alloc(64, TABLE_BATCH * (sp->stride + 1) *
						   sizeof(*rows));
	size_t from = m ? m->vec_done : 0;
	uint32_t n = 0;
	int rc = w && rows ? 0 : -ENOMEM;

	if (rc == 0 && m)
		n = wanted_of(m, from, w);
	if (n > 0 && (rc = embed_wanted(ix, sp, w, n, rows)) == 0)
		store_rows(ix, m, from, n, rows);
	rk_memtable_unref(m);
	rk_free(w);
	rk_free(rows);
	return rc < 0 ? rc : n > 0;
}
