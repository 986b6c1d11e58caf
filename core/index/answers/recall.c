/* SPDX-License-Identifier: MIT */
/*
 * The index as a semantic cache: which document was put away for this
 * question? The search proposes; what decides is how near the question is to
 * what a document is about in its own words: its name, its first line, or all
 * of it if it is short.
 */
#include "index/answers/same_question.h"
#include "index/state/internal.h"
#include "index/vectors/embspaces.h"
#include "index/write/cache.h"
#include "vector/kernels.h"
#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
	CANDIDATES = 10,
	TEXT_MAX = 1024, /* of the question, and of a document */
	SHORT = 400,	 /* a document that is its own key */
	KEYS = 3,
};

struct key {
	char p[TEXT_MAX];
	size_t n;
};

struct best {
	double score;
	size_t hit; /* index among the results */
};

/* The question as words: nothing in it is an operator. */
static size_t plain_query(const char *s, size_t n, char *out, size_t cap)
{
	size_t k = 0;

	for (size_t i = 0; i < n && k + 32 < cap; i++)
		out[k++] = strchr("\"+-~*():/|", s[i]) ||
					   isspace((unsigned char)s[i])
				   ? ' '
				   : s[i];
	k += (size_t)snprintf(out + k, cap - k, " n:%d", CANDIDATES);
	return k;
}

static void key_from(struct key *k, const char *s, size_t n)
{
	k->n = n < sizeof(k->p) ? n : sizeof(k->p);
	memcpy(k->p, s, k->n);
}

/* The file's name without folder and extension. */
static void name_key(const char *path, struct key *k)
{
	const char *base = strrchr(path, '/'), *dot;

	base = base ? base + 1 : path;
	dot = strrchr(base, '.');
	key_from(k, base, dot > base ? (size_t)(dot - base) : strlen(base));
}

/* The first line with something on it, without marks in front. */
static void line_key(const char *s, size_t n, struct key *k)
{
	size_t at = 0, end;

	while (at < n && !isalnum((unsigned char)s[at]) &&
	       (unsigned char)s[at] < 0x80)
		at++;
	for (end = at; end < n && s[end] != '\n';)
		end++;
	key_from(k, s + at, end - at);
}

static unsigned keys_of(struct rk_index *ix, const char *path, struct key *k)
{
	int fd = rk_open_document(ix, path);
	char text[TEXT_MAX];
	ssize_t n;

	name_key(path, &k[0]);
	if (fd < 0)
		return 0; /* gone since */
	n = ix->env->io->pread(ix->env->io->ctx, fd, text, sizeof(text), 0);
	close(fd);
	if (n <= 0)
		return 1;
	line_key(text, (size_t)n, &k[1]);
	if (n > SHORT)
		return 2;
	key_from(&k[2], text, (size_t)n);
	return 3;
}

/* By an embedder of texts, where there is one: cosine, or -1. */
static double embedded(struct rk_index *ix, const struct rk_embspace *sp,
		       const char *s, size_t n, const struct key *k)
{
	_Alignas(64) float v[2][4096];
	struct rk_text_ref t = {k->p, k->n};

	if (!sp->embedder || sp->stride > 4096 || k->n == 0 ||
	    rk_embed_query(ix, sp, s, n, v[0]) != 1 ||
	    sp->embedder->ops->embed(sp->embedder, &t, 1, RK_FOR_QUERY, v[1]) <
		    0)
		return -1;
	return (double)rk_dot(v[0], v[1], sp->stride);
}

static int judge(struct rk_index *ix, struct rk_analyser *a, const char *s,
		 size_t n, const struct rk_results *r, struct best *best)
{
	struct rk_embspace *sp = rk_target_embspace(ix);
	struct key keys[KEYS];
	int rc = 0;

	for (size_t i = 0; i < r->nhits && rc == 0; i++) {
		unsigned nkeys = 0;

		if (!rk_cache_expired(ix, r->hits[i].path, r->hits[i].mtime_ns))
			nkeys = keys_of(ix, r->hits[i].path, keys);

		for (unsigned k = 0; k < nkeys && rc == 0; k++) {
			double score = 0, other;

			if (!rk_same_question(s, n, keys[k].p, keys[k].n))
				continue;
			rc = rk_similar(a, s, n, keys[k].p, keys[k].n, &score);
			other = embedded(ix, sp, s, n, &keys[k]);
			if (other > score)
				score = other;
			if (score > best->score)
				*best = (struct best){score, i};
		}
	}
	rk_embspace_unref(sp);
	return rc;
}

int rk_recall(struct rk_index *ix, const char *text, size_t n,
	      const struct rk_search_opts *opts, char *path, size_t path_n,
	      double *score)
{
	struct best best = {0, 0};
	struct rk_analyser *a = NULL;
	struct rk_results *r = NULL;
	char query[TEXT_MAX + 64];
	int rc, hit;

	assert(path_n > 0);
	n = n < TEXT_MAX ? n : TEXT_MAX;
	rc = rk_search(ix, query, plain_query(text, n, query, sizeof(query)),
		       opts, &r);
	if (rc == 0 && (rc = rk_analyser_new(ix->language, &a)) == 0)
		rc = judge(ix, a, text, n, r, &best);
	hit = rc == 0 && r->nhits > 0 &&
	      best.score * 100 >= (double)rk_config_int(ix, "recall_min");
	if (hit && strlen(r->hits[best.hit].path) >= path_n)
		hit = 0;
	if (hit)
		memcpy(path, r->hits[best.hit].path,
		       strlen(r->hits[best.hit].path) + 1);
	*score = best.score;
	rk_analyser_free(a);
	rk_results_free(r);
	if (rc < 0)
		return rc;
	if (hit)
		rk_cache_used(ix, path);
	++*(hit ? &ix->recall_hits : &ix->recall_misses);
	return hit;
}
