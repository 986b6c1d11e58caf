/* SPDX-License-Identifier: MIT */
/*
 * like:PATH, more of the same: the document's own rarest words become words of
 * the query, and its vectors the query's vector. The document itself is no
 * result.
 */
#include "index/search/like.h"
#include "index/documents/texts.h"
#include "index/search/candidates.h"
#include "index/search/lookup.h"
#include "text/extract/extract.h"
#include "vector/kernels.h"
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	TEXT_MAX = 64 * 1024, /* bytes of the document that are looked at */
	WORDS = 25,
	CANDIDATES =
		200, /* most frequent terms, of which the rarest are taken */
};

/* The path below the documents that is meant: absolute ones lose folders in
 * front until something is there. -1: nothing is. */
static int open_document(struct rk_searching *s)
{
	const char *p = s->q.like;

	for (;;) {
		int fd;

		while (*p == '/')
			p++;
		if (*p == '\0')
			return -1;
		fd = rk_open_document(s->ix, p);
		if (fd >= 0 || s->q.like[0] != '/') {
			s->q.like = p;
			return fd;
		}
		if (!(p = strchr(p, '/')))
			return -1;
	}
}

struct counted {
	uint32_t term, tf;
};

static int more_first(const void *a, const void *b)
{
	const struct counted *x = a, *y = b;

	if (x->tf != y->tf)
		return x->tf > y->tf ? -1 : 1;
	return (x->term > y->term) - (x->term < y->term);
}

static int by_term(const void *a, const void *b)
{
	const struct counted *x = a, *y = b;

	return (x->term > y->term) - (x->term < y->term);
}

/* Terms with their frequencies, the most frequent first; returns how many. */
static size_t count_terms(const struct rk_tok *t, size_t n, struct counted *c)
{
	size_t k = 0, kept = 0;

	for (size_t i = 0; i < n; i++)
		if (!t[i].word)
			c[k++] = (struct counted){t[i].term, 1};
	qsort(c, k, sizeof(*c), by_term);
	for (size_t i = 0; i < k; i++) {
		if (kept && c[kept - 1].term == c[i].term)
			c[kept - 1].tf++;
		else
			c[kept++] = c[i];
	}
	qsort(c, kept, sizeof(*c), more_first);
	return kept;
}

static int add_word(struct rk_searching *s, const struct rk_word *w,
		    uint32_t tf)
{
	struct rk_qterm *t = &s->q.terms[s->q.nterms];

	*t = (struct rk_qterm){
		.s = rk_arena_strndup(&s->q.arena, w->s, w->n),
		.n = w->n,
		.occur = RK_SHOULD,
		.weight = 1 + (float)log((double)tf),
		.slot = 1000 + 100 * s->q.nterms, /* no pairs */
		.surface = "",
		.phrase = -1,
	};
	if (!t->s)
		return -ENOMEM;
	s->q.nterms++;
	return 0;
}

static double worth(struct rk_searching *s, const struct rk_word *w,
		    uint32_t tf)
{
	uint64_t df = rk_count_postings(s, w->s, w->n);

	return df ? (1 + log(tf)) * rk_bm25_idf(s->snap.stats.chunks, df) : 0;
}

/* The WORDS terms of most weight. */
static int choose_words(struct rk_searching *s, const struct counted *c,
			size_t n)
{
	const struct rk_vocab *v = rk_analyser_vocab(s->a);
	double best[WORDS] = {0};
	size_t at[WORDS], have = 0;
	int rc = 0;

	for (size_t i = 0; i < n && i < CANDIDATES; i++) {
		double w = worth(s, &v->v[c[i].term], c[i].tf);
		size_t k;

		if (w <= 0 || (have == WORDS && w <= best[WORDS - 1]))
			continue;
		k = have < WORDS ? have++ : WORDS - 1;
		for (; k > 0 && best[k - 1] < w; k--) {
			best[k] = best[k - 1];
			at[k] = at[k - 1];
		}
		best[k] = w;
		at[k] = i;
	}
	for (size_t k = 0; k < have && rc == 0 && s->q.nterms < RK_TERMS_MAX;
	     k++)
		rc = add_word(s, &v->v[c[at[k]].term], c[at[k]].tf);
	return rc;
}

static int expand_text(struct rk_searching *s, const char *p, size_t n)
{
	const struct rk_tok *toks;
	struct counted *c;
	uint32_t pos = 0;
	size_t ntoks;
	int rc;

	rk_analyser_reset(s->a);
	if ((rc = rk_analyser_use(s->a, rk_language_detect(p, n))) < 0)
		return rc;
	rc = rk_analyse(s->a, p, n < TEXT_MAX ? n : TEXT_MAX, 0, &pos);
	if (rc < 0 || (rc = rk_analyser_use(s->a, RK_LANGUAGE_BASE)) < 0)
		return rc;
	toks = rk_analyser_toks(s->a, &ntoks);
	c = rk_arena_alloc(&s->arena, (ntoks + 1) * sizeof(*c));
	if (!c)
		return -ENOMEM;
	return choose_words(s, c, count_terms(toks, ntoks, c));
}

int rk_like_expand(struct rk_searching *s)
{
	struct rk_text t = RK_TEXT_INIT;
	int fd = open_document(s), rc;

	assert(s->q.like);
	if (fd < 0) {
		s->like_missing = 1;
		return 0;
	}
	rc = rk_read_text(s->ix, fd, s->q.like, RK_READ_AGAIN, &t);
	close(fd);
	if (rc == 0)
		rc = expand_text(s, t.p, t.n);
	rk_text_release(&t);
	return rc == -ENOMEM ? rc : 0;
}

/* --- its vector --- */

static const struct rk_doc_rec *live_doc(struct rk_searching *s,
					 const struct rk_qsource *src,
					 const char *path, size_t n)
{
	int64_t doc = src->mem ? rk_memtable_find(src->mem, path, n)
			       : rk_segment_find(src->seg, path, n);

	if (doc < 0)
		return NULL;
	if (src->mem)
		return rk_mdoc_alive(&src->mem->docs[doc], s->snap.generation)
			       ? &src->mem->docs[doc].rec
			       : NULL;
	if (rk_segment_dead(src->seg, (uint32_t)doc))
		return NULL;
	return rk_segment_doc(src->seg, (uint32_t)doc);
}

int rk_like_vector(struct rk_searching *s, float *out)
{
	size_t stride = s->snap.space->stride, n = strlen(s->q.like);
	int found = 0;

	assert(s->q.like);
	memset(out, 0, stride * sizeof(*out));
	for (unsigned i = 0; i < s->nsrc && !found; i++) {
		const struct rk_doc_rec *d =
			s->src[i].bad ? NULL
				      : live_doc(s, &s->src[i], s->q.like, n);

		for (uint32_t c = 0; d && c < d->nchunks; c++) {
			const float *v =
				rk_chunk_vector(&s->src[i], d->chunk0 + c);

			if (v)
				rk_axpy(out, v, 1, stride);
			found |= v != NULL;
		}
	}
	return found;
}
