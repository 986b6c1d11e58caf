/* SPDX-License-Identifier: MIT */
#include "index/search/excerpt.h"
#include "base/mem.h"
#include "index/search/spots.h"
#include "index/search/windows.h"
#include <assert.h>
#include <errno.h>
#include <string.h>
#include <utf8proc.h>

enum { LINES_LEAST = 5 };

void rk_excerpt_release(struct rk_excerpt *e)
{
	rk_buf_release(&e->text);
	rk_free(e->marks);
	rk_free(e->lines);
	e->marks = NULL;
	e->lines = NULL;
}

struct line {
	size_t off, n;
	uint64_t terms; /* bit i: what i asks for is here */
	int show;
};

struct lines {
	struct line *v;
	size_t cap;
	unsigned n;
	struct rk_spots f;
};

static int split(struct lines *l, const char *s, size_t n)
{
	size_t off = 0;

	while (off < n) {
		const char *nl = memchr(s + off, '\n', n - off);
		size_t end = nl ? (size_t)(nl - s) : n;

		if (rk_grow(&l->v, &l->cap, l->n + 1, sizeof(*l->v)) < 0)
			return -ENOMEM;
		l->v[l->n++] = (struct line){off, end - off, 0, 0};
		off = end + 1;
	}
	return 0;
}

static void spread_spots(struct lines *l)
{
	unsigned line = 0;

	for (size_t i = 0; i < l->f.n; i++) {
		while (line + 1 < l->n && l->f.v[i].off >= l->v[line + 1].off)
			line++;
		l->v[line].terms |= l->f.v[i].terms;
	}
}

static double worth(const struct lines *l, uint64_t terms)
{
	return rk_worth(l->f.worth, terms);
}

/* --- which lines --- */

/* The window with the most; among equals the one that starts at a hit. */
static unsigned best_window(const struct lines *l, unsigned width)
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
		sum = worth(l, all) + 0.05 * worth(l, l->v[i].terms);
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

static uint64_t terms_of(const struct lines *l, unsigned from, unsigned to)
{
	uint64_t all = 0;

	for (unsigned i = from; i < to; i++)
		all |= l->v[i].terms;
	return all;
}

static void show(struct lines *l, unsigned from, unsigned to)
{
	for (unsigned i = from; i < to; i++)
		l->v[i].show = 1;
}

/* The line with the most of what is left; of equals the one nearest to `to`. */
static unsigned best_of_left(const struct lines *l, uint64_t left, unsigned to)
{
	unsigned at = 0, best_far = 0;
	double best = -1;

	for (unsigned i = 0; i < l->n; i++) {
		double x = worth(l, l->v[i].terms & left);
		unsigned far = i > to ? i - to : to - i;

		if (x > best || (!(x < best) && far < best_far)) {
			best = x;
			best_far = far;
			at = i;
		}
	}
	return at;
}

/* Around lines that are shown, first what lies between two of them. */
static void add_context(struct lines *l, unsigned room)
{
	static const struct {
		int before, after;
	} PASS[] = {{1, 1}, {1, 0}, {0, 1}};

	for (unsigned p = 0; p < 3; p++) {
		int before = l->v[0].show; /* as it was before this pass */

		for (unsigned i = 1; i < l->n && room; i++) {
			int was = l->v[i].show;
			int after = i + 1 < l->n && l->v[i + 1].show;

			if (!was && before >= PASS[p].before &&
			    after >= PASS[p].after) {
				l->v[i].show = 1;
				room--;
			}
			before = was;
		}
	}
}

/* What was found is too far apart for one window: a line for each of it. */
static void show_apart(struct lines *l, uint64_t left, unsigned room)
{
	unsigned at = best_of_left(l, left, 0);

	for (; left && room; room--) {
		l->v[at].show = 1;
		left &= ~l->v[at].terms;
		at = best_of_left(l, left, at);
	}
	add_context(l, room);
}

static void choose_lines(struct lines *l, const struct rk_excerpt_want *w)
{
	unsigned from, to;

	if (l->n <= w->lines) {
		show(l, 0, l->n);
		return;
	}
	from = w->must_show > w->first ? w->must_show - w->first
				       : best_window(l, w->lines);
	if (from + w->lines > l->n)
		from = l->n - w->lines;
	to = from + w->lines;
	if (!w->must_show && terms_of(l, 0, l->n) & ~terms_of(l, from, to)) {
		show_apart(l, terms_of(l, 0, l->n), w->lines);
		return;
	}
	if (!w->must_show)
		tighten(l, &from, &to);
	show(l, from, to);
}

/* --- writing --- */

struct writer {
	struct rk_excerpt *e;
	const struct rk_spots *f;
	size_t next; /* mark that has not been passed */
	size_t cap, lines_cap;
	int squeeze, whole;
};

/* Source byte `at` is about to be written, up to `end`. */
static int begin_mark(struct writer *w, size_t at, size_t end)
{
	struct rk_excerpt *e = w->e;
	size_t len;

	while (w->next < w->f->n && w->f->v[w->next].off < at)
		w->next++;
	if (w->next == w->f->n || w->f->v[w->next].off != at)
		return 0;
	if (rk_grow(&e->marks, &w->cap, e->nmarks + 1, sizeof(*e->marks)) < 0)
		return -ENOMEM;
	len = w->f->v[w->next].len;
	len = len < end - at ? len : end - at;
	e->marks[e->nmarks++] =
		(struct rk_mark){(uint32_t)e->text.n, (uint32_t)len};
	w->next++;
	return 0;
}

/* Bytes of a line: valid UTF-8, no control bytes. */
static int put_bytes(struct writer *w, const char *text, size_t off, size_t end)
{
	struct rk_buf *out = &w->e->text;

	while (off < end) {
		const char *s = text + off;
		int32_t c;
		utf8proc_ssize_t k =
			utf8proc_iterate((const utf8proc_uint8_t *)s,
					 (utf8proc_ssize_t)(end - off), &c);

		if (begin_mark(w, off, end) < 0)
			return -ENOMEM;
		if (k <= 0) {
			rk_buf_str(out, "\xef\xbf\xbd");
			k = 1;
		} else if ((c < ' ' && c != '\t') || c == 0x7f) {
			rk_buf_byte(out, ' ');
		} else {
			rk_buf_add(out, s, (size_t)k);
		}
		off += (size_t)k;
		if (w->squeeze && c == ' ')
			while (off < end && text[off] == ' ')
				off++;
	}
	return out->err;
}

/* The spots of bytes [off, off + n), relative to them; cut to end with them. */
static size_t spots_of(const struct rk_spots *f, size_t off, size_t n,
		       struct rk_spot *v)
{
	size_t k = 0;

	for (size_t i = 0; i < f->n && f->v[i].off < off + n; i++) {
		struct rk_spot x = f->v[i];

		if (x.off < off)
			continue;
		x.off -= (uint32_t)off;
		if (x.len > n - x.off)
			x.len = (uint32_t)(n - x.off);
		v[k++] = x;
	}
	return k;
}

/* A line that is longer than what is shown of one: by its windows. */
static int put_windows(struct writer *w, const char *s, size_t off, size_t n)
{
	struct rk_spot *v = rk_malloc((w->f->n + 1) * sizeof(*v));
	struct rk_window win[RK_WINDOWS_MAX];
	unsigned count;
	int rc = 0;

	if (!v)
		return -ENOMEM;
	count = rk_windows(s + off, n, v, spots_of(w->f, off, n, v),
			   w->f->worth, win);
	rk_free(v);
	for (unsigned i = 0; i < count && rc == 0; i++) {
		if (win[i].from > 0)
			rk_buf_str(&w->e->text,
				   i ? " " RK_ELLIPSIS " " : RK_ELLIPSIS " ");
		rc = put_bytes(w, s, off + win[i].from, off + win[i].to);
	}
	if (win[count - 1].to < n)
		rk_buf_str(&w->e->text, " " RK_ELLIPSIS);
	return rc;
}

static int put_line(struct writer *w, const char *s, const struct line *l)
{
	size_t n = l->n;
	int rc;

	while (n > 0 && (s[l->off + n - 1] == '\r' || s[l->off + n - 1] == ' '))
		n--;
	if (n <= RK_LINE_BYTES || w->whole) {
		rc = put_bytes(w, s, l->off, l->off + n);
	} else {
		rc = put_windows(w, s, l->off, n);
		w->e->complete = 0;
	}
	rk_buf_byte(&w->e->text, '\n');
	return rc;
}

static int number_line(struct writer *w, uint32_t line)
{
	struct rk_excerpt *e = w->e;

	if (rk_grow(&e->lines, &w->lines_cap, e->nlines + 1,
		    sizeof(*e->lines)) < 0)
		return -ENOMEM;
	e->lines[e->nlines++] = line;
	return 0;
}

static int write_lines(struct writer *w, const struct lines *l, const char *s,
		       uint32_t first)
{
	int rc = 0, any = 0;

	for (unsigned i = 0; i < l->n && rc == 0; i++) {
		if (!l->v[i].show) {
			w->e->complete = 0;
			continue;
		}
		if (any && !l->v[i - 1].show) {
			rk_buf_str(&w->e->text, RK_ELLIPSIS "\n");
			rc = number_line(w, 0);
		}
		any = 1;
		if (rc == 0 && (rc = number_line(w, first + i)) == 0)
			rc = put_line(w, s, &l->v[i]);
	}
	return rc ? rc : w->e->text.err;
}

static uint32_t best_line(const struct lines *l)
{
	unsigned at = 0;
	double best = -1;

	for (unsigned i = 0; i < l->n; i++)
		if (l->v[i].show && worth(l, l->v[i].terms) > best) {
			best = worth(l, l->v[i].terms);
			at = i;
		}
	return at;
}

int rk_excerpt_make(struct rk_excerpt *e, struct rk_analyser *a,
		    const struct rk_query *q, const char *s, size_t n,
		    const struct rk_excerpt_want *want)
{
	struct lines l = {NULL, 0, 0, RK_SPOTS_INIT};
	struct writer w = {.e = e,
			   .f = &l.f,
			   .squeeze = want->squeeze,
			   .whole = want->lines == RK_LINES_ALL};
	int rc;

	assert(want->lines > 0 && want->first > 0);
	if ((rc = split(&l, s, n)) == 0 &&
	    (rc = rk_spots_find(&l.f, a, q, s, n)) == 0 && l.n) {
		spread_spots(&l);
		choose_lines(&l, want);
		e->complete = want->whole;
		e->best_line = want->first + best_line(&l);
		rc = write_lines(&w, &l, s, want->first);
		e->first_line = e->nlines ? e->lines[0] : want->first;
	}
	rk_spots_release(&l.f);
	rk_free(l.v);
	return rc;
}
