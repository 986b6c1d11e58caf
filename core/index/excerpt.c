/* SPDX-License-Identifier: MIT */
#include "index/excerpt.h"
#include "base/mem.h"
#include <errno.h>
#include <string.h>
#include <utf8proc.h>

enum { LINE_BYTES = 400, LINES_MAX = 512 };

void rk_excerpt_release(struct rk_excerpt *e)
{
	rk_buf_release(&e->text);
}

struct lines {
	struct {
		size_t off, n;
		uint64_t terms; /* bit i: query term i is here */
	} v[LINES_MAX];
	unsigned n;
};

static void split(struct lines *l, const char *s, size_t n)
{
	size_t off = 0;

	l->n = 0;
	while (off < n && l->n < LINES_MAX) {
		const char *nl = memchr(s + off, '\n', n - off);
		size_t end = nl ? (size_t)(nl - s) : n;

		l->v[l->n].off = off;
		l->v[l->n].n = end - off;
		l->v[l->n].terms = 0;
		l->n++;
		off = end + 1;
	}
}

/* Which query term a vocabulary id is; terms are few. */
static int query_term(const struct rk_query *q, const struct rk_word *w)
{
	for (unsigned i = 0; i < q->nterms; i++)
		if (q->terms[i].occur != RK_NOT && q->terms[i].n == w->n &&
		    memcmp(q->terms[i].s, w->s, w->n) == 0)
			return (int)i;
	return -1;
}

static int mark_terms(struct lines *l, struct rk_analyser *a,
		      const struct rk_query *q, const char *s, size_t n)
{
	const struct rk_tok *toks;
	uint32_t pos = 0;
	unsigned line = 0;
	size_t count;
	int rc;

	rk_analyser_reset(a);
	if ((rc = rk_analyse(a, s, n, 0, &pos)) < 0)
		return rc;
	toks = rk_analyser_toks(a, &count);
	for (size_t i = 0; i < count; i++) {
		int t;

		while (line + 1 < l->n && toks[i].off >= l->v[line + 1].off)
			line++;
		if (toks[i].word)
			continue;
		t = query_term(q, &rk_analyser_vocab(a)->v[toks[i].term]);
		if (t >= 0 && line < l->n)
			l->v[line].terms |= 1ull << t;
	}
	return 0;
}

static double worth(const struct rk_query *q, uint64_t terms)
{
	double sum = 0;

	for (; terms; terms &= terms - 1)
		sum += 0.01 + q->terms[__builtin_ctzll(terms)].idf;
	return sum;
}

/* The window with the most; among equals the one that starts at a hit. */
static unsigned best_window(const struct lines *l, const struct rk_query *q,
			    unsigned width)
{
	double best = -1;
	unsigned at = 0;

	for (unsigned i = 0; i < l->n; i++) {
		uint64_t all = 0;
		double sum;

		if (i > 0 && i + width > l->n)
			break;
		for (unsigned k = i; k < i + width && k < l->n; k++)
			all |= l->v[k].terms;
		sum = worth(q, all) + 0.05 * worth(q, l->v[i].terms);
		if (sum > best) {
			best = sum;
			at = i;
		}
	}
	return at;
}

/* One line of output: valid UTF-8, no control bytes, cut between characters. */
static void put_line(struct rk_buf *out, const char *s, size_t n)
{
	size_t start = out->n;

	while (n > 0 && (s[n - 1] == '\r' || s[n - 1] == ' '))
		n--;
	while (n > 0 && out->n - start < LINE_BYTES) {
		int32_t c;
		utf8proc_ssize_t k = utf8proc_iterate(
			(const utf8proc_uint8_t *)s, (utf8proc_ssize_t)n, &c);

		if (k <= 0) {
			rk_buf_str(out, "\xef\xbf\xbd");
			k = 1;
		} else if ((c < ' ' && c != '\t') || c == 0x7f) {
			rk_buf_byte(out, ' ');
		} else {
			rk_buf_add(out, s, (size_t)k);
		}
		s += k;
		n -= (size_t)k;
	}
	if (n > 0)
		rk_buf_str(out, " ...");
	rk_buf_byte(out, '\n');
}

static unsigned best_line(const struct lines *l, const struct rk_query *q,
			  unsigned from, unsigned to)
{
	unsigned at = from;
	double best = 0;

	for (unsigned i = from; i < to; i++)
		if (worth(q, l->v[i].terms) > best) {
			best = worth(q, l->v[i].terms);
			at = i;
		}
	return at;
}

int rk_excerpt_make(struct rk_excerpt *e, struct rk_analyser *a,
		    const struct rk_query *q, const char *s, size_t n,
		    uint32_t line, int whole, unsigned lines)
{
	struct lines *l = rk_malloc(sizeof(*l));
	unsigned from, to;
	int rc;

	if (!l)
		return -ENOMEM;
	split(l, s, n);
	rc = mark_terms(l, a, q, s, n);
	if (rc == 0) {
		from = l->n <= lines ? 0 : best_window(l, q, lines);
		to = from + lines < l->n ? from + lines : l->n;
		e->first_line = line + from;
		e->best_line = line + best_line(l, q, from, to);
		e->complete = whole && from == 0 && to == l->n;
		for (unsigned i = from; i < to; i++)
			put_line(&e->text, s + l->v[i].off, l->v[i].n);
		rc = e->text.err;
	}
	rk_free(l);
	return rc;
}
