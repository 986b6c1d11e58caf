/* SPDX-License-Identifier: MIT */
#include "index/search/windows.h"
#include <assert.h>

enum {
	SPAN = 160,	   /* bytes of one window among several */
	EDGE = 24,	   /* a window may lose these to begin with a word */
	GAP = 16,	   /* fewer bytes than that are not worth leaving out */
	CHARACTER_MAX = 4, /* bytes */
};

double rk_worth(const double *worth, uint64_t terms)
{
	double sum = 0;

	for (; terms; terms &= terms - 1)
		sum += worth[__builtin_ctzll(terms)];
	return sum;
}

static int inside(const char *s, size_t n, size_t at)
{
	return at > 0 && at < n && ((unsigned char)s[at] & 0xc0) == 0x80;
}

/* Outward to where a character begins; what is no UTF-8 has no such place. */
static size_t back(const char *s, size_t n, size_t at)
{
	for (int i = 0; i < CHARACTER_MAX && inside(s, n, at); i++)
		at--;
	return at;
}

static size_t forth(const char *s, size_t n, size_t at)
{
	for (int i = 0; i < CHARACTER_MAX && inside(s, n, at); i++)
		at++;
	return at;
}

/* From the beginning of a word, if one begins soon; before `least`. */
static size_t word_start(const char *s, size_t from, size_t least)
{
	for (size_t i = from; i < from + EDGE && i < least; i++)
		if (s[i] == ' ')
			return i + 1;
	return from;
}

static size_t word_end(const char *s, size_t to, size_t least)
{
	for (size_t i = to; i > least && i + EDGE > to; i--)
		if (s[i - 1] == ' ')
			return i - 1;
	return to;
}

/* Around bytes [a, b), `width` in all if the line has them. */
static struct rk_window around(const char *s, size_t n, size_t a, size_t b,
			       size_t width)
{
	size_t room, before;
	struct rk_window w;

	if (b - a > width)
		b = a + width;
	room = width - (b - a);
	before = room / 2;
	if (n - b < room - before)
		before = room - (n - b);
	w.from = a > before ? a - before : 0;
	w.to = w.from + width < n ? w.from + width : n;
	w.from = back(s, n, w.from);
	w.to = forth(s, n, w.to);
	if (w.from > 0)
		w.from = word_start(s, w.from, a);
	if (w.to < n)
		w.to = word_end(s, w.to, b);
	return w;
}

struct choice {
	double sum;
	uint64_t terms; /* of it */
	size_t a, b;	/* bytes */
};

/* The `width` bytes with the most of what is wanted; the first of equals. */
static struct choice best_span(const struct rk_spot *v, size_t nv,
			       const double *worth, uint64_t wanted,
			       size_t width)
{
	struct choice best = {0, 0, 0, 0};

	for (size_t i = 0; i < nv; i++) {
		struct choice c = {0, 0, v[i].off, v[i].off};

		if (!(v[i].terms & wanted))
			continue;
		for (size_t k = i; k < nv; k++) {
			size_t end = (size_t)v[k].off + v[k].len;

			if (k > i && end > v[i].off + width)
				break;
			if (!(v[k].terms & wanted & ~c.terms))
				continue;
			c.terms |= v[k].terms & wanted;
			c.b = end;
		}
		c.sum = rk_worth(worth, c.terms);
		if (c.sum > best.sum)
			best = c;
	}
	return best;
}

/* In its place; what touches another window is one with it. */
static unsigned add_window(struct rk_window *v, unsigned n, struct rk_window w)
{
	unsigned i = 0, k;

	while (i < n && v[i].to + GAP < w.from)
		i++;
	for (k = i; k < n && v[k].from <= w.to + GAP; k++) {
		w.from = v[k].from < w.from ? v[k].from : w.from;
		w.to = v[k].to > w.to ? v[k].to : w.to;
	}
	if (k == i)
		for (unsigned j = n; j > i; j--)
			v[j] = v[j - 1];
	else
		for (unsigned j = k; j < n; j++)
			v[j - k + i + 1] = v[j];
	v[i] = w;
	return n + 1 - (k - i);
}

unsigned rk_windows(const char *s, size_t n, const struct rk_spot *spots,
		    size_t nspots, const double *worth,
		    struct rk_window out[RK_WINDOWS_MAX])
{
	uint64_t left = 0;
	struct choice c;
	unsigned nw = 0;

	for (size_t i = 0; i < nspots; i++) {
		assert((size_t)spots[i].off + spots[i].len <= n);
		left |= spots[i].terms;
	}
	if (n <= RK_LINE_BYTES) {
		out[0] = (struct rk_window){0, n};
		return 1;
	}
	c = best_span(spots, nspots, worth, left, RK_LINE_BYTES);
	if ((left & ~c.terms) == 0) {
		out[0] = around(s, n, c.a, c.b, RK_LINE_BYTES);
		return 1;
	}
	for (int i = 0; i < RK_WINDOWS_MAX && left; i++) {
		c = best_span(spots, nspots, worth, left, SPAN);
		if (!c.terms)
			break;
		left &= ~c.terms;
		nw = add_window(out, nw, around(s, n, c.a, c.b, SPAN));
	}
	return nw;
}
