/* SPDX-License-Identifier: MIT */
/* The answer of one index to a query, and what makes it this answer. */
#include "fs/query/answers.h"
#include "base/hash.h"
#include "fs/base/node.h"
#include "fs/query/query.h"
#include <string.h>

static uint64_t mix(uint64_t h, const void *p, size_t n)
{
	return rk_mix64(h ^ rk_hash64(p, n));
}

static uint64_t mix_text(uint64_t h, const char *s)
{
	return s ? mix(h, s, strlen(s)) : rk_mix64(h);
}

/*
 * Hash of what makes an answer this answer: its places and what is shown of
 * them, not the scores, which move a little with any document.
 */
uint64_t fs_answer_hash(const struct rk_results *r)
{
	uint64_t h = rk_mix64(r->total * 2 + (uint64_t)r->total_is_lower);

	h = mix_text(h, r->reason);
	h = mix_text(h, r->notes);
	h = mix_text(h, r->did_you_mean);
	for (size_t i = 0; i < r->nlines; i++) {
		h = mix_text(h + r->lines[i].line, r->lines[i].path);
		h = mix(h, r->lines[i].text, r->lines[i].len);
	}
	for (size_t i = 0; i < r->nhits; i++) {
		const struct rk_hit *hit = rk_results_hit(r, i);

		h = mix_text(h + hit->line, hit->path);
		h = mix_text(h + hit->first, hit->excerpt);
		for (size_t k = 0; k < hit->ncopies; k++)
			h = mix_text(h, hit->copies[k]);
	}
	return h;
}

uint64_t fs_answer_form(const struct rk_results *r)
{
	const uint64_t v[] = {(uint64_t)(int64_t)r->vectors_percent,
			      (uint64_t)r->mode, r->pending};

	return rk_hash64(v, sizeof(v));
}

static int query_answer(struct fs_node *node, const struct rk_search_opts *opts,
			struct fs_answer *out)
{
	const struct fs_index *x = node->index;
	const char *text = node->text;
	size_t body, n = strlen(text);
	struct rk_results *r;
	int rc = rk_search(x->ix, text, n, opts, &r);

	if (rc < 0)
		return rc;
	rk_render(r, r->format, text, n, x->path, &out->text, &body);
	out->hash = fs_answer_hash(r);
	out->form = fs_answer_form(r);
	out->generation = r->generation;
	out->pending = r->pending;
	rk_results_free(r);
	return 0;
}

const struct fs_file FS_QUERY_FILE = {
	.name = "query",
	.kind = &FS_QUERY,
	.mode = 0444,
	.dir = "query",
	.answer = query_answer,
	.effect_without_words = RK_EFFECT_LIKELY,
};
