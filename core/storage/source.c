/* SPDX-License-Identifier: MIT */
#include "storage/source.h"
#include "base/mem.h"
#include "base/status.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* --- a memory table --- */

static const struct rk_doc_rec *mem_doc(struct rk_source *s, uint32_t doc,
					const char **path)
{
	*path = rk_memtable_path(s->mem, doc);
	return &s->mem->docs[doc].rec;
}

static const struct rk_chunk_rec *mem_chunk(struct rk_source *s, uint32_t chunk,
					    const char **head)
{
	const struct rk_chunk_rec *c = &s->mem->chunks[chunk];

	*head = rk_chunk_head_bytes(c)
			? (const char *)s->mem->heads.p + c->head_off
			: "";
	return c;
}

static const uint8_t *mem_gram(struct rk_source *s, const struct rk_doc_rec *d)
{
	return rk_memtable_gram(s->mem, d);
}

static int mem_dead(struct rk_source *s, uint32_t doc)
{
	const struct rk_mdoc *d = &s->mem->docs[doc];

	return rk_mdoc_dead(d) != 0 || rk_mdoc_born(d) == UINT32_MAX;
}

static const rk_norm *mem_norms(struct rk_source *s)
{
	return s->mem->norms;
}

static int mem_next_term(struct rk_source *s)
{
	uint32_t id;

	if (s->at >= s->nsorted)
		return 0;
	id = s->sorted[s->at++];
	s->term = s->mem->vocab.v[id].s;
	s->term_n = s->mem->vocab.v[id].n;
	s->df = s->mem->terms[id].df;
	return 1;
}

static int mem_open_list(struct rk_source *s)
{
	const struct rk_mterm *t = &s->mem->terms[s->sorted[s->at - 1]];

	s->q = t->p;
	s->q_end = t->p + t->n;
	s->prev = UINT32_MAX;
	return 0;
}

static int mem_next_posting(struct rk_source *s, struct rk_posting *p)
{
	if (s->q == s->q_end)
		return 0;
	p->id = s->prev;
	s->q = rk_mposting_next(s->q, p);
	s->prev = p->id;
	return 1;
}

static const struct rk_source_ops MEM_OPS = {
	.doc = mem_doc,
	.chunk = mem_chunk,
	.gram = mem_gram,
	.dead = mem_dead,
	.norms = mem_norms,
	.next_term = mem_next_term,
	.open_list = mem_open_list,
	.next_posting = mem_next_posting,
};

static int by_term(const void *a, const void *b, void *vocab)
{
	const struct rk_vocab *v = vocab;
	const struct rk_word *x = &v->v[*(const uint32_t *)a];
	const struct rk_word *y = &v->v[*(const uint32_t *)b];

	return rk_term_cmp(x->s, x->n, y->s, y->n);
}

int rk_source_memtable(struct rk_source *src, struct rk_memtable *m)
{
	memset(src, 0, sizeof(*src));
	src->ops = &MEM_OPS;
	src->mem = m;
	src->ndocs = (uint32_t)m->ndocs;
	src->nchunks = (uint32_t)m->nchunks;
	src->sorted = rk_malloc((m->vocab.n + 1) * sizeof(*src->sorted));
	if (!src->sorted)
		return -ENOMEM;
	for (uint32_t i = 0; i < m->vocab.n && i < m->terms_cap; i++)
		if (m->terms[i].df)
			src->sorted[src->nsorted++] = i;
	qsort_r(src->sorted, src->nsorted, sizeof(*src->sorted), by_term,
		&m->vocab);
	return 0;
}

/* --- a segment --- */

static const struct rk_doc_rec *seg_doc(struct rk_source *s, uint32_t doc,
					const char **path)
{
	const struct rk_doc_rec *d = rk_segment_doc(s->seg, doc);

	*path = d ? rk_segment_path(s->seg, d) : NULL;
	return *path ? d : NULL;
}

static const struct rk_chunk_rec *seg_chunk(struct rk_source *s, uint32_t chunk,
					    const char **head)
{
	const struct rk_chunk_rec *c = rk_segment_chunk(s->seg, chunk);

	*head = c ? rk_segment_head(s->seg, c) : NULL;
	return *head ? c : NULL;
}

static const uint8_t *seg_gram(struct rk_source *s, const struct rk_doc_rec *d)
{
	return rk_segment_gram(s->seg, d);
}

static int seg_dead(struct rk_source *s, uint32_t doc)
{
	return rk_segment_dead(s->seg, doc) != 0;
}

static const rk_norm *seg_norms(struct rk_source *s)
{
	return rk_segment_norms(s->seg);
}

static int seg_next_term(struct rk_source *s)
{
	int rc = rk_dict_next(&s->it);

	if (rc == 1 && s->it.n == 0)
		return RK_ECORRUPT;
	s->term = s->it.term;
	s->term_n = s->it.n;
	s->df = s->it.e.df;
	return rc;
}

static int seg_open_list(struct rk_source *s)
{
	s->block = s->i = s->n = 0;
	if (rk_segment_list(s->seg, &s->it.e, &s->list) < 0)
		return RK_ECORRUPT;
	s->nblocks = rk_postr_blocks(&s->list);
	return 0;
}

static int seg_load_block(struct rk_source *s)
{
	int has_head;
	int n = rk_postr_decode(&s->list, s->block, s->ids, s->tf, s->head,
				&has_head);

	if (n < 0)
		return n;
	s->n = (uint32_t)n;
	s->i = 0;
	return rk_postr_positions(&s->list, s->block++, s->n, s->tf, s->head,
				  s->pos, s->pos_n);
}

static int seg_next_posting(struct rk_source *s, struct rk_posting *p)
{
	if (s->i == s->n) {
		if (s->block == s->nblocks)
			return 0;
		if (seg_load_block(s) < 0)
			return RK_ECORRUPT;
	}
	*p = (struct rk_posting){s->ids[s->i], s->tf[s->i], s->head[s->i],
				 s->pos_n[s->i], s->pos[s->i]};
	s->i++;
	return 1;
}

static const struct rk_source_ops SEG_OPS = {
	.doc = seg_doc,
	.chunk = seg_chunk,
	.gram = seg_gram,
	.dead = seg_dead,
	.norms = seg_norms,
	.next_term = seg_next_term,
	.open_list = seg_open_list,
	.next_posting = seg_next_posting,
};

int rk_source_segment(struct rk_source *src, struct rk_segment *seg)
{
	const struct rk_dict *d = rk_segment_dict(seg);

	memset(src, 0, sizeof(*src));
	src->ops = &SEG_OPS;
	src->seg = seg;
	src->ndocs = seg->ndocs;
	src->nchunks = seg->nchunks;
	if (!d)
		return RK_ECORRUPT;
	rk_dict_seek(d, "", 0, &src->it);
	return src->it.err;
}

void rk_source_release(struct rk_source *src)
{
	rk_free(src->sorted);
	src->sorted = NULL;
}
