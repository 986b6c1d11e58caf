/* SPDX-License-Identifier: MIT */
#include "storage/merge.h"
#include "base/mem.h"
#include "base/status.h"
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SPOOL_BYTES = 4 * 1024 * 1024 };

/* Bytes that wait beside the file while postings are written to it. */
struct spool {
	struct rk_buf buf;
	int fd; /* -1 until something had to be written out */
	off_t off;
	char name[56];
};

struct merge {
	const struct rk_io *io;
	int dir;
	struct rk_source *src;
	unsigned n;
	struct rk_remap map;
	uint32_t **chunk; /* [source][chunk]: new id or UINT32_MAX */
	struct rk_corpus_stats stats;
	uint32_t spoken[RK_SPOKEN];
	struct rk_norms norms;
	struct rk_container_writer *cw;
	struct rk_dictw dict;
	struct rk_postw post;
	struct rk_buf posts; /* of one term */
	struct spool pos;    /* positions */
	struct spool words;  /* the dictionary, as far as it is written out */
	int have[64];	     /* source has a current term */
	uint32_t live[64];   /* its live documents */
};

void rk_remap_release(struct rk_remap *m)
{
	for (unsigned i = 0; i < m->n; i++)
		rk_free(m->doc[i]);
	rk_free(m->doc);
	*m = (struct rk_remap){NULL, 0};
}

static void spool_release(struct merge *m, struct spool *s)
{
	rk_buf_release(&s->buf);
	if (s->fd >= 0) {
		m->io->close(m->io->ctx, s->fd);
		m->io->unlink(m->io->ctx, m->dir, s->name);
	}
}

static void merge_release(struct merge *m)
{
	for (unsigned i = 0; m->chunk && i < m->n; i++)
		rk_free(m->chunk[i]);
	rk_free(m->chunk);
	rk_dictw_release(&m->dict);
	rk_postw_release(&m->post);
	rk_buf_release(&m->posts);
	spool_release(m, &m->pos);
	spool_release(m, &m->words);
}

static int maps_alloc(struct merge *m)
{
	m->map.doc = rk_calloc(m->n, sizeof(*m->map.doc));
	m->chunk = rk_calloc(m->n, sizeof(*m->chunk));
	if (!m->map.doc || !m->chunk)
		return -ENOMEM;
	m->map.n = m->n;
	for (unsigned i = 0; i < m->n; i++) {
		m->map.doc[i] = rk_malloc((m->src[i].ndocs + 1) * 4ul);
		m->chunk[i] = rk_malloc((m->src[i].nchunks + 1) * 4ul);
		if (!m->map.doc[i] || !m->chunk[i])
			return -ENOMEM;
		memset(m->chunk[i], 0xff, (m->src[i].nchunks + 1) * 4ul);
	}
	return 0;
}

/* Number the live documents and chunks of one source; sum their lengths. */
static int map_source(struct merge *m, unsigned i)
{
	struct rk_source *s = &m->src[i];
	const rk_norm *norms = s->ops->norms(s);

	if (s->ndocs == 0)
		return 0;
	if (!norms)
		return RK_ECORRUPT;
	for (uint32_t d = 0; d < s->ndocs; d++) {
		const struct rk_doc_rec *r;
		const char *path;

		m->map.doc[i][d] = UINT32_MAX;
		if (s->ops->dead(s, d))
			continue;
		if (!(r = s->ops->doc(s, d, &path)))
			return RK_ECORRUPT;
		m->live[i]++;
		m->spoken[r->language % RK_SPOKEN]++;
		m->map.doc[i][d] = (uint32_t)m->stats.docs++;
		for (uint32_t c = r->chunk0; c < r->chunk0 + r->nchunks; c++) {
			m->chunk[i][c] = (uint32_t)m->stats.chunks++;
			m->stats.body_sum += rk_norm_body(norms[c]);
			m->stats.head_sum += rk_norm_head(norms[c]);
		}
	}
	return 0;
}

/* Visit live documents in their new order. */
typedef int doc_fn(struct merge *m, struct rk_source *s,
		   const struct rk_doc_rec *r, const char *path, void *ctx);

static int each_doc(struct merge *m, doc_fn *fn, void *ctx)
{
	for (unsigned i = 0; i < m->n; i++) {
		struct rk_source *s = &m->src[i];

		for (uint32_t d = 0; d < s->ndocs; d++) {
			const struct rk_doc_rec *r;
			const char *path;
			int rc;

			if (m->map.doc[i][d] == UINT32_MAX)
				continue;
			if (!(r = s->ops->doc(s, d, &path)))
				return RK_ECORRUPT;
			if ((rc = fn(m, s, r, path, ctx)) < 0)
				return rc;
		}
	}
	return 0;
}

struct offsets {
	uint64_t path, chunk, head, doc, gram;
};

static int put_doc(struct merge *m, struct rk_source *s,
		   const struct rk_doc_rec *r, const char *path, void *ctx)
{
	struct offsets *o = ctx;
	struct rk_doc_rec d = *r;

	(void)s;
	(void)path;
	if (o->path > UINT32_MAX)
		return RK_ETOOBIG;
	d.path_off = (uint32_t)o->path;
	d.chunk0 = (uint32_t)o->chunk;
	d.gram_off = o->gram;
	o->path += d.path_n;
	o->chunk += d.nchunks;
	o->gram += d.gram_n;
	rk_cw_add(m->cw, &d, sizeof(d));
	return 0;
}

static int put_path(struct merge *m, struct rk_source *s,
		    const struct rk_doc_rec *r, const char *path, void *ctx)
{
	(void)s;
	(void)ctx;
	rk_cw_add(m->cw, path, r->path_n);
	return 0;
}

static int put_gram(struct merge *m, struct rk_source *s,
		    const struct rk_doc_rec *r, const char *path, void *ctx)
{
	const uint8_t *gram = s->ops->gram(s, r);

	(void)path;
	(void)ctx;
	if (!gram)
		return RK_ECORRUPT;
	rk_cw_add(m->cw, gram, r->gram_n);
	return 0;
}

static int put_chunks(struct merge *m, struct rk_source *s,
		      const struct rk_doc_rec *r, const char *path, void *ctx)
{
	struct offsets *o = ctx;

	(void)path;
	for (uint32_t i = 0; i < r->nchunks; i++) {
		const char *head;
		const struct rk_chunk_rec *c =
			s->ops->chunk(s, r->chunk0 + i, &head);
		struct rk_chunk_rec k;

		if (!c)
			return RK_ECORRUPT;
		if (o->head > UINT32_MAX)
			return RK_ETOOBIG;
		k = *c;
		k.doc = (uint32_t)o->doc;
		k.head_off = (uint32_t)o->head;
		o->head += rk_chunk_head_bytes(&k);
		rk_cw_add(m->cw, &k, sizeof(k));
	}
	o->doc++;
	return 0;
}

static int put_norms(struct merge *m, struct rk_source *s,
		     const struct rk_doc_rec *r, const char *path, void *ctx)
{
	(void)path;
	(void)ctx;
	rk_cw_add(m->cw, s->ops->norms(s) + r->chunk0,
		  r->nchunks * sizeof(rk_norm));
	return 0;
}

static int put_heads(struct merge *m, struct rk_source *s,
		     const struct rk_doc_rec *r, const char *path, void *ctx)
{
	(void)path;
	(void)ctx;
	for (uint32_t i = 0; i < r->nchunks; i++) {
		const char *head;
		const struct rk_chunk_rec *c =
			s->ops->chunk(s, r->chunk0 + i, &head);

		if (!c)
			return RK_ECORRUPT;
		rk_cw_add(m->cw, head, rk_chunk_head_bytes(c));
	}
	return 0;
}

struct path_ref {
	const char *p;
	uint32_t n, doc;
};
struct path_list {
	struct path_ref *v;
	uint32_t n;
};

static int take_path(struct merge *m, struct rk_source *s,
		     const struct rk_doc_rec *r, const char *path, void *ctx)
{
	struct path_list *l = ctx;

	(void)m;
	(void)s;
	l->v[l->n] = (struct path_ref){path, r->path_n, l->n};
	l->n++;
	return 0;
}

static int by_path(const void *a, const void *b)
{
	const struct path_ref *x = a, *y = b;

	return rk_term_cmp(x->p, x->n, y->p, y->n);
}

static int put_sorted(struct merge *m)
{
	struct path_list l = {NULL, 0};
	int rc;

	l.v = rk_malloc((m->stats.docs + 1) * sizeof(*l.v));
	if (!l.v)
		return -ENOMEM;
	rc = each_doc(m, take_path, &l);
	if (rc == 0) {
		qsort(l.v, l.n, sizeof(*l.v), by_path);
		rk_cw_begin(m->cw, "sorted");
		for (uint32_t i = 0; i < l.n; i++)
			rk_cw_add(m->cw, &l.v[i].doc, 4);
		rk_cw_end(m->cw);
	}
	rk_free(l.v);
	return rc;
}

static int put_table(struct merge *m, const char *name, doc_fn *fn)
{
	struct offsets o = {0};
	int rc;

	rk_cw_begin(m->cw, name);
	rc = each_doc(m, fn, &o);
	rk_cw_end(m->cw);
	return rc;
}

static int put_tables(struct merge *m)
{
	static const struct {
		const char *name;
		doc_fn *fn;
	} TABLES[] = {
		{"docs", put_doc},	{"paths", put_path},
		{"chunks", put_chunks}, {"norms", put_norms},
		{"heads", put_heads},	{"grams", put_gram},
	};
	int rc = 0;

	for (size_t i = 0; i < sizeof(TABLES) / sizeof(TABLES[0]) && rc == 0;
	     i++)
		rc = put_table(m, TABLES[i].name, TABLES[i].fn);
	return rc ? rc : put_sorted(m);
}

static int spool_flush(struct merge *m, struct spool *s)
{
	int rc;

	if (s->fd < 0)
		s->fd = m->io->openat(m->io->ctx, m->dir, s->name,
				      O_RDWR | O_CREAT | O_TRUNC, 0600);
	if (s->fd < 0)
		return s->fd;
	rc = rk_io_write_all(m->io, s->fd, s->buf.p, s->buf.n, s->off);
	s->off += (off_t)s->buf.n;
	s->buf.n = 0;
	return rc;
}

/* All that went into it, to the section that is open. */
static int spool_copy(struct merge *m, struct spool *s)
{
	struct rk_buf b = RK_BUF_INIT;
	int rc = 0;

	for (off_t off = 0; off < s->off && rc == 0;) {
		size_t n = s->off - off < SPOOL_BYTES ? (size_t)(s->off - off)
						      : SPOOL_BYTES;

		b.n = 0;
		if ((rc = rk_buf_reserve(&b, n)) == 0 &&
		    (rc = rk_io_read_all(m->io, s->fd, b.p, n, off)) == 0)
			rk_cw_add(m->cw, b.p, n);
		off += (off_t)n;
	}
	rk_cw_add(m->cw, s->buf.p, s->buf.n);
	rk_buf_release(&b);
	return rc;
}

static int put_spooled(struct merge *m, const char *section, struct spool *s)
{
	int rc;

	rk_cw_begin(m->cw, section);
	rc = spool_copy(m, s);
	rk_cw_end(m->cw);
	return rc;
}

/* The dictionary of a large index is large: it is not kept in memory. */
static int spool_words(struct merge *m)
{
	int rc;

	rk_buf_add(&m->words.buf, m->dict.blob.p, m->dict.blob.n);
	if (m->words.buf.err || m->dict.blob.err)
		return -ENOMEM;
	m->dict.taken += m->dict.blob.n;
	m->dict.blob.n = 0;
	rc = m->words.buf.n >= SPOOL_BYTES ? spool_flush(m, &m->words) : 0;
	return rc;
}

/* Add the live postings of source i under the current term. */
static int merge_list(struct merge *m, unsigned i, uint32_t *df)
{
	struct rk_source *s = &m->src[i];
	const rk_norm *norms = s->ops->norms(s);
	struct rk_posting p;
	int rc;

	if ((rc = s->ops->open_list(s)) < 0)
		return rc;
	while ((rc = s->ops->next_posting(s, &p)) == 1) {
		uint32_t old = p.id;

		p.id = m->chunk[i][old];
		if (p.id == UINT32_MAX)
			continue;
		++*df;
		if (s->term[0] != RK_WORD_MARK)
			rk_postw_add(
				&m->post, &p,
				rk_bm25_x(&m->norms, norms[old], p.tf, p.head));
	}
	return rc;
}

/*
 * An unstemmed word is a count, for spelling. It is not known which documents
 * had it, so it shrinks with the share of them that is alive, and fades.
 */
static void merge_word(const struct merge *m, unsigned i, uint32_t *df)
{
	uint64_t n = m->src[i].df, docs = m->src[i].ndocs;

	*df += (uint32_t)(n * m->live[i] / (docs ? docs : 1));
}

static int finish_term(struct merge *m, const char *s, size_t n, uint32_t df)
{
	size_t before = m->pos.buf.n;
	int bound, rc;

	if (df == 0)
		return 0;
	m->posts.n = 0;
	bound = s[0] == RK_WORD_MARK
			? 0
			: rk_postw_finish(&m->post, &m->posts, &m->pos.buf);
	if (bound < 0)
		return bound;
	rk_dictw_add(&m->dict, s, n, df, m->posts.n, m->pos.buf.n - before,
		     (uint8_t)bound);
	rk_cw_add(m->cw, m->posts.p, m->posts.n);
	if (m->dict.blob.n >= SPOOL_BYTES && (rc = spool_words(m)) < 0)
		return rc;
	return m->pos.buf.n >= SPOOL_BYTES ? spool_flush(m, &m->pos) : 0;
}

/* The smallest current term over all sources; -1 when all are done. */
static int smallest(const struct merge *m)
{
	int best = -1;

	for (unsigned i = 0; i < m->n; i++)
		if (m->have[i] &&
		    (best < 0 ||
		     rk_term_cmp(m->src[i].term, m->src[i].term_n,
				 m->src[best].term, m->src[best].term_n) < 0))
			best = (int)i;
	return best;
}

static int merge_term(struct merge *m, int best)
{
	char term[RK_TERM_MAX];
	size_t n = m->src[best].term_n;
	uint32_t df = 0;
	int rc = 0;

	assert(n <= RK_TERM_MAX);
	memcpy(term, m->src[best].term, n);
	for (unsigned i = 0; i < m->n && rc == 0; i++) {
		struct rk_source *s = &m->src[i];

		if (!m->have[i] || rk_term_cmp(s->term, s->term_n, term, n))
			continue;
		if (term[0] == RK_WORD_MARK)
			merge_word(m, i, &df);
		else
			rc = merge_list(m, i, &df);
		if (rc == 0 && (rc = s->ops->next_term(s)) >= 0) {
			m->have[i] = rc;
			rc = 0;
		}
	}
	return rc ? rc : finish_term(m, term, n, df);
}

static int put_terms(struct merge *m, const _Atomic int *cancel)
{
	int best, rc = 0;

	for (unsigned i = 0; i < m->n; i++)
		if ((m->have[i] = m->src[i].ops->next_term(&m->src[i])) < 0)
			return m->have[i];
	rk_cw_begin(m->cw, "posts");
	while (rc == 0 && (best = smallest(m)) >= 0)
		rc = cancel && *cancel ? RK_ECANCELLED : merge_term(m, best);
	rk_cw_end(m->cw);
	if (rc == 0)
		rc = put_spooled(m, "poss", &m->pos);
	if (rc == 0 && (rc = spool_words(m)) == 0)
		rc = put_spooled(m, "dict", &m->words);
	rk_cw_begin(m->cw, "dictix");
	rk_cw_add(m->cw, m->dict.index.p, m->dict.index.n);
	rk_cw_end(m->cw);
	return rc ? rc : m->dict.blob.err | m->dict.index.err;
}

static void pack_meta(const struct merge *m, struct rk_buf *out)
{
	const struct {
		const char *key;
		uint64_t v;
	} PAIRS[] = {
		{"docs", m->stats.docs},
		{"chunks", m->stats.chunks},
		{"body_sum", m->stats.body_sum},
		{"head_sum", m->stats.head_sum},
		{"terms", m->dict.n},
	};
	size_t n = sizeof(PAIRS) / sizeof(PAIRS[0]);
	msgpack_packer pk;

	rk_mp_init(&pk, out);
	msgpack_pack_map(&pk, n + 1);
	for (size_t i = 0; i < n; i++) {
		rk_mp_key(&pk, PAIRS[i].key);
		msgpack_pack_uint64(&pk, PAIRS[i].v);
	}
	rk_mp_key(&pk, "spoken");
	msgpack_pack_array(&pk, RK_SPOKEN);
	for (size_t i = 0; i < RK_SPOKEN; i++)
		msgpack_pack_uint32(&pk, m->spoken[i]);
}

static int write_file(struct merge *m, const char *name,
		      const _Atomic int *cancel)
{
	struct rk_buf meta = RK_BUF_INIT;
	uint64_t size;
	int rc = rk_cw_open(m->io, m->dir, name, &m->cw);

	if (rc < 0)
		return rc;
	if ((rc = put_tables(m)) == 0)
		rc = put_terms(m, cancel);
	pack_meta(m, &meta);
	if (rc == 0)
		rc = meta.err;
	if (rc == 0)
		rc = rk_cw_finish(m->cw, &meta, &size);
	else
		rk_cw_abort(m->cw);
	rk_buf_release(&meta);
	return rc;
}

int64_t rk_merge(const struct rk_io *io, int dir, uint64_t id,
		 struct rk_source *src, unsigned n, const _Atomic int *cancel,
		 struct rk_remap *remap)
{
	struct merge *m = rk_calloc(1, sizeof(*m));
	char name[40];
	int rc;

	assert(n > 0 && id > 0);
	if (!m)
		return -ENOMEM;
	assert(n <= sizeof(m->have) / sizeof(m->have[0]));
	m->io = io;
	m->dir = dir;
	m->src = src;
	m->n = n;
	m->pos.fd = m->words.fd = -1;
	rk_segment_name(id, name);
	snprintf(m->pos.name, sizeof(m->pos.name), "%s.pos.tmp", name);
	snprintf(m->words.name, sizeof(m->words.name), "%s.dict.tmp", name);
	rc = maps_alloc(m);
	for (unsigned i = 0; i < n && rc == 0; i++)
		rc = map_source(m, i);
	rk_norms_init(&m->norms, &m->stats);
	if (rc == 0 && m->stats.docs > 0)
		rc = write_file(m, name, cancel);
	merge_release(m);
	if (rc == 0)
		*remap = m->map;
	else
		rk_remap_release(&m->map);
	n = (unsigned)m->stats.docs;
	rk_free(m);
	return rc < 0 ? rc : (int64_t)n;
}

/* --- vectors --- */

static int put_vectors(struct rk_vectors_writer *w, struct rk_source *s,
		       const struct rk_doc_rec *r)
{
	for (uint32_t c = r->chunk0; c < r->chunk0 + r->nchunks; c++) {
		const float *row = s->mem ? rk_memtable_vector(s->mem, c)
					  : rk_vectors_rows(s->vec, c, 1);

		if (!row)
			return RK_ECORRUPT;
		rk_vectors_add(w, row, 1);
	}
	return 0;
}

int rk_merge_vectors(const struct rk_io *io, int dir, uint64_t id,
		     uint64_t space, uint32_t dim, struct rk_source *src,
		     unsigned n, const struct rk_remap *remap, int complete)
{
	struct rk_vectors_writer w;
	int rc = rk_vectors_create(io, dir, id, space, dim, &w);

	assert(n > 0 && n == remap->n && dim > 0);
	for (unsigned i = 0; i < n && rc == 0; i++)
		for (uint32_t d = 0; d < src[i].ndocs && rc == 0; d++) {
			const struct rk_doc_rec *r;
			const char *path;

			if (remap->doc[i][d] == UINT32_MAX)
				continue;
			r = src[i].ops->doc(&src[i], d, &path);
			rc = r ? put_vectors(&w, &src[i], r) : RK_ECORRUPT;
		}
	w.complete = complete;
	if (rc == 0)
		return rk_vectors_finish(&w);
	rk_vectors_abort(&w);
	return rc;
}
