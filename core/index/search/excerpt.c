/* SPDX-License-Identifier: MIT */
#include "index/search/excerpt.h"
#include "base/mem.h"
#include "lexical/fuzzy.h"
#include <assert.h>
#include <errno.h>
#include <string.h>
#include <utf8proc.h>

enum { LINE_BYTES = 400, LINES_MAX = 4096, LINES_LEAST = 5 };

void rk_excerpt_release(struct rk_excerpt *e)
{
	rk_buf_release(&e->text);
	rk_free(e->marks);
	e->marks = NULL;
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

static int term_is(const struct rk_qterm *t, const struct rk_word *w)
{
	if (!rk_term_scores(t))
		return 0;
	switch (t->match) {
	case RK_TERM_PREFIX:
		return w->n >= t->n && memcmp(t->s, w->s, t->n) == 0;
	case RK_TERM_FUZZY:
		return rk_fuzzy_near(t->s, t->n, w->s, w->n);
	case RK_TERM_GLOB:
		return rk_word_glob(t->s, t->n, w->s, w->n);
	case RK_TERM_EXACT:
	case RK_TERM_RANGE:
	default:
		if (t->n == w->n && memcmp(t->s, w->s, w->n) == 0)
			return 1;
		for (unsigned i = 0; i < t->nalts; i++)
			if (strcmp(t->alts[i].s, w->s) == 0)
				return 1;
		return 0;
	}
}

/* Which query term a vocabulary id is; terms are few. */
static int query_term(const struct rk_query *q, const struct rk_word *w)
{
	for (unsigned i = 0; i < q->nterms; i++)
		if (term_is(&q->terms[i], w))
			return (int)i;
	return -1;
}

/* Bytes of the chunk that are query terms, in order. */
struct found {
	struct rk_mark *v;
	size_t n, cap;
};

static int note_found(struct found *f, const struct rk_tok *t)
{
	struct rk_mark *last = f->n ? &f->v[f->n - 1] : NULL;

	/* an identifier and its parts are one */
	if (last && t->off < last->off + last->len)
		return 0;
	if (rk_grow(&f->v, &f->cap, f->n + 1, sizeof(*f->v)) < 0)
		return -ENOMEM;
	f->v[f->n++] = (struct rk_mark){t->off, t->len};
	return 0;
}

static int mark_terms(struct lines *l, struct rk_analyser *a,
		      const struct rk_query *q, const char *s, size_t n,
		      struct found *f)
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
	for (size_t i = 0; i < count && rc == 0; i++) {
		int t;

		while (line + 1 < l->n && toks[i].off >= l->v[line + 1].off)
			line++;
		if (toks[i].word)
			continue;
		t = query_term(q, &rk_analyser_vocab(a)->v[toks[i].term]);
		if (t < 0 || line >= l->n)
			continue;
		l->v[line].terms |= 1ull << t;
		rc = note_found(f, &toks[i]);
	}
	return rc;
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

/* The lines of the window from its first to its last hit, and one around. */
static void tighten(const struct lines *l, unsigned *from, unsigned *to)
{
	unsigned a = *from, b = *to;

	while (a < b && !l->v[a].terms)
		a++;
	while (b > a && !l->v[b - 1].terms)
		b--;
	if (a == b)
		return; /* found by meaning: all of it */
	a -= a > *from;
	b += b < *to;
	while (b - a < LINES_LEAST && (b < *to || a > *from)) {
		b += b < *to;
		a -= b - a < LINES_LEAST && a > *from;
	}
	*from = a;
	*to = b;
}

static void choose_lines(const struct lines *l, const struct rk_query *q,
			 const struct rk_excerpt_want *w, unsigned *from,
			 unsigned *to)
{
	if (l->n <= w->lines) {
		*from = 0;
		*to = l->n;
		return;
	}
	*from = w->must_show > w->first ? w->must_show - w->first
					: best_window(l, q, w->lines);
	if (w->must_show && *from + w->lines > l->n)
		*from = l->n - w->lines;
	*to = *from + w->lines < l->n ? *from + w->lines : l->n;
	if (!w->must_show)
		tighten(l, from, to);
}

/* --- writing --- */

struct writer {
	struct rk_excerpt *e;
	const struct found *f;
	size_t next; /* mark that has not been passed */
	size_t cap;
	int squeeze;
};

/* Source byte `at` is about to be written. */
static int begin_mark(struct writer *w, size_t at)
{
	struct rk_excerpt *e = w->e;

	while (w->next < w->f->n && w->f->v[w->next].off < at)
		w->next++;
	if (w->next == w->f->n || w->f->v[w->next].off != at)
		return 0;
	if (rk_grow(&e->marks, &w->cap, e->nmarks + 1, sizeof(*e->marks)) < 0)
		return -ENOMEM;
	e->marks[e->nmarks++] =
		(struct rk_mark){(uint32_t)e->text.n, w->f->v[w->next].len};
	w->next++;
	return 0;
}

/* One line of output: valid UTF-8, no control bytes, cut between characters. */
static int put_line(struct writer *w, const char *s, size_t off, size_t n)
{
	struct rk_buf *out = &w->e->text;
	size_t start = out->n;

	s += off;
	while (n > 0 && (s[n - 1] == '\r' || s[n - 1] == ' '))
		n--;
	while (n > 0 && out->n - start < LINE_BYTES) {
		int32_t c;
		utf8proc_ssize_t k = utf8proc_iterate(
			(const utf8proc_uint8_t *)s, (utf8proc_ssize_t)n, &c);

		if (begin_mark(w, off) < 0)
			return -ENOMEM;
		if (k <= 0) {
			rk_buf_str(out, "\xef\xbf\xbd");
			k = 1;
		} else if ((c < ' ' && c != '\t') || c == 0x7f) {
			rk_buf_byte(out, ' ');
		} else {
			rk_buf_add(out, s, (size_t)k);
		}
		if (w->squeeze && c == ' ')
			while (n > (size_t)k && s[k] == ' ')
				k++;
		s += k;
		off += (size_t)k;
		n -= (size_t)k;
	}
	if (n > 0)
		rk_buf_str(out, " ...");
	rk_buf_byte(out, '\n');
	return 0;
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

static int write_lines(struct rk_excerpt *e, const struct lines *l,
		       const struct found *f, const char *s, unsigned from,
		       unsigned to, int squeeze)
{
	struct writer w = {.e = e, .f = f, .squeeze = squeeze};
	int rc = 0;

	for (unsigned i = from; i < to && rc == 0; i++)
		rc = put_line(&w, s, l->v[i].off, l->v[i].n);
	return rc ? rc : e->text.err;
}

int rk_excerpt_make(struct rk_excerpt *e, struct rk_analyser *a,
		    const struct rk_query *q, const char *s, size_t n,
		    const struct rk_excerpt_want *want)
{
	struct lines *l = rk_malloc(sizeof(*l));
	struct found f = {NULL, 0, 0};
	unsigned from, to;
	int rc;

	assert(want->lines > 0 && want->first > 0);
	if (!l)
		return -ENOMEM;
	split(l, s, n);
	rc = mark_terms(l, a, q, s, n, &f);
	if (rc == 0) {
		choose_lines(l, q, want, &from, &to);
		e->first_line = want->first + from;
		e->best_line = want->first + best_line(l, q, from, to);
		e->complete = want->whole && from == 0 && to == l->n;
		rc = write_lines(e, l, &f, s, from, to, want->squeeze);
	}
	rk_free(f.v);
	rk_free(l);
	return rc;
}
