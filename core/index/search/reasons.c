/* SPDX-License-Identifier: MIT */
/* Why an answer is empty, in words that are true for the query at hand. */
#include "index/search/reasons.h"
#include "index/search/grep.h"
#include <ctype.h>

/* What a query asks for besides words that rank. */
struct asked {
	const struct rk_qnode *missing; /* required, and nowhere */
	int must, phrase, filter, pattern, excludes;
};

static int occurs(const struct rk_query *q, const struct rk_qnode *n)
{
	for (unsigned t = n->term; t < n->term + n->nterms; t++)
		if (q->terms[t].df == 0)
			return 0;
	return 1;
}

static void look_at(const struct rk_query *q, const struct rk_qnode *n,
		    struct asked *a)
{
	for (; n; n = n->next) {
		int must = n->occur == RK_MUST;

		if (n->occur == RK_NOT) {
			a->excludes = 1;
			continue;
		}
		if (must && !n->any && !a->missing && n->nterms &&
		    !occurs(q, n))
			a->missing = n;
		a->must |= must && n->kind == RK_NODE_WORD;
		a->phrase |= n->passage || (must && n->kind == RK_NODE_PHRASE);
		a->filter |= n->kind == RK_NODE_FILTER ||
			     n->kind == RK_NODE_PROPERTY;
		a->pattern |= n->kind == RK_NODE_REGEX && !n->passage;
		if (n->kind == RK_NODE_GROUP && !n->any)
			look_at(q, n->child, a);
		else if (n->kind == RK_NODE_GROUP)
			a->filter |= n->child->kind == RK_NODE_FILTER;
	}
}

static int asks_for_words(const struct rk_query *q)
{
	for (unsigned t = 0; t < q->nterms; t++)
		if (rk_term_scores(&q->terms[t]))
			return 1;
	return 0;
}

static const char *missing(const struct rk_qnode *n, struct rk_arena *a)
{
	struct rk_buf b = RK_BUF_INIT;
	const char *s = n->source, *end = n->source_end, *out;

	s += s < end && *s == '+';
	while (end > s && isspace((unsigned char)end[-1]))
		end--;
	rk_buf_printf(&b, "%s %.*s",
		      n->kind == RK_NODE_PHRASE
			      ? "no document has all the words of"
			      : "no document has",
		      (int)(end - s < 200 ? end - s : 200), s);
	out = b.err ? NULL : rk_arena_strndup(a, (char *)b.p, b.n);
	rk_buf_release(&b);
	return out;
}

/* Words occur, but not with all the rest: what could be dropped. */
static const char *too_much(const struct asked *k, struct rk_arena *a)
{
	const struct {
		int there;
		const char *name;
	} PARTS[] = {{k->must, "a +word"},
		     {k->phrase, "a \"phrase\""},
		     {k->filter, "a filter"},
		     {k->pattern, "a pattern"},
		     {k->excludes, "a -word"}};
	struct rk_buf b = RK_BUF_INIT;
	const char *out;
	int n = 0;

	if (k->excludes && !k->must && !k->phrase && !k->filter && !k->pattern)
		return "every match is excluded";
	rk_buf_str(&b, "no document has all that is required: drop ");
	for (size_t i = 0; i < sizeof(PARTS) / sizeof(PARTS[0]); i++)
		if (PARTS[i].there)
			rk_buf_printf(&b, "%s%s", n++ ? " or " : "",
				      PARTS[i].name);
	out = b.err ? NULL : rk_arena_strndup(a, (char *)b.p, b.n);
	rk_buf_release(&b);
	return n ? out : "the documents that match are not there now";
}

/* Nothing is asked for that could be found. */
static const char *nothing_asked(const struct rk_query *q)
{
	if (q->only_stop_words)
		return "only very common words, which are not indexed: add a "
		       "rarer one";
	return q->notes.n ? "nothing that is understood to search for"
			  : "no words to search for";
}

static const char *no_conditions_met(const struct rk_searching *s,
				     const struct asked *k)
{
	if (s->q.common_phrase)
		return "only very common words, which no document has in this "
		       "order: add a rarer one";
	if (rk_is_pattern(&s->q) && s->q.page > 1)
		return "no line that matches is on this page";
	if (rk_is_pattern(&s->q))
		return k->filter || k->excludes
			       ? "no line matches in the documents that pass "
				 "the filters"
			       : "no line matches the pattern";
	return k->excludes && !k->filter ? "every document is excluded"
					 : "no document passes the filters";
}

/* Living documents of which the index lacks the end. */
static unsigned count_partial(const struct rk_qsource *src, uint32_t generation)
{
	unsigned n = 0;

	for (uint32_t d = 0; d < src->ndocs && !src->bad; d++) {
		const struct rk_doc_rec *r =
			src->mem ? &src->mem->docs[d].rec
				 : rk_segment_doc(src->seg, d);
		uint32_t dead;

		if (!r || !(r->flags & RK_DOC_TRUNCATED))
			continue;
		dead = src->mem ? 0 : rk_segment_dead(src->seg, d);
		if (src->mem ? rk_mdoc_alive(&src->mem->docs[d], generation)
			     : dead == 0 || dead > generation)
			n++;
	}
	return n;
}

void rk_note_partial(struct rk_searching *s)
{
	unsigned n = 0;

	if (rk_is_pattern(&s->q))
		return; /* reads them, and says so itself */
	for (unsigned i = 0; i < s->nsrc; i++)
		n += count_partial(&s->src[i], (uint32_t)s->snap.generation);
	if (n)
		rk_buf_printf(&s->q.notes,
			      "%u document%s too long to be indexed whole: "
			      "what is behind text_max_mib or the last chunk "
			      "is not searched\n",
			      n, n == 1 ? " is" : "s are");
}

const char *rk_why_empty(const struct rk_searching *s, struct rk_arena *a)
{
	const struct rk_query *q = &s->q;
	struct asked k = {0};

	if (s->snap.stats.docs == 0)
		return "the index is empty: copy some documents in";
	if (s->like_missing)
		return "there is no document at like:";
	if (s->opts.vector && s->mode == RK_MODE_LEXICAL)
		return "the vector has another dimension than the index";
	if (q->page > 1 && (s->total || s->top.n))
		return "no more results: this page is behind the last one";
	if (q->like && !q->constrained)
		return "no other document is like it";
	if (q->root)
		look_at(q, q->root->child, &k);
	if (q->nterms == 0 && !q->constrained)
		return nothing_asked(q);
	if (k.missing)
		return missing(k.missing, a);
	if (!asks_for_words(q))
		return no_conditions_met(s, &k);
	return rk_query_any_occurs(q)
		       ? too_much(&k, a)
		       : "none of the words occurs in any document";
}
