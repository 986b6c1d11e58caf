/* SPDX-License-Identifier: MIT */
/* Why an answer is empty, in words. */
#include "index/search/reasons.h"
#include "index/search/grep.h"

const char *rk_why_empty(const struct rk_searching *s)
{
	if (s->snap.stats.docs == 0)
		return "the index is empty: copy some documents in";
	if (s->like_missing)
		return "there is no document at like:";
	if (s->q.like)
		return "no other document is like it";
	if (s->opts.vector && s->mode == RK_MODE_LEXICAL)
		return "the vector has another dimension than the index";
	if (s->q.nterms == 0 && !s->q.constrained)
		return s->q.only_stop_words ? "only very common words, which "
					      "are not indexed: "
					      "add a rarer one"
					    : "no words to search for";
	if (s->q.page > 1)
		return "no more results: this page is behind the last one";
	if (s->q.min > 0)
		return "no result reaches min:";
	if (rk_is_pattern(&s->q))
		return "no line matches the pattern";
	for (unsigned i = 0; i < s->q.nterms; i++)
		if (s->q.terms[i].df > 0)
			return s->q.constrained
				       ? "no document has all that is "
					 "required: "
					 "drop a +word, \"phrase\" or filter"
				       : "every match is excluded";
	return s->q.nterms ? "none of the words occurs in any document"
			   : "no document passes the filters";
}
