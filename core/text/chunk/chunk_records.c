/* SPDX-License-Identifier: MIT */
/*
 * Files that are lists: JSON Lines and tables by record, mailboxes by message,
 * logs by gaps in time. Many small records share chunks, so that a large file
 * does not become a million of them.
 */
#include "text/chunk/cutters.h"
#include "text/chunk/pieces.h"
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
	RECORDS_ALONE = 10000, /* records that may have a chunk each */
	PACK = 1600,	       /* bytes of records put together */
	GAP_S = 300,	       /* silence that ends a chunk of a log */
	LOG_MIN = 200,	       /* bytes, less is not worth a chunk */
};

/* --- records --- */

/* The end of the record that begins at off: a newline outside quotes. */
static size_t record_end(const char *s, size_t n, size_t off, int quotes,
			 uint32_t *lines)
{
	int open = 0;

	*lines = 0;
	for (; off < n; off++) {
		if (quotes && s[off] == '"')
			open = !open;
		if (s[off] != '\n')
			continue;
		++*lines;
		/* a quote that nobody closes must not swallow the file */
		if (!open || *lines > 200)
			return off + 1;
	}
	++*lines;
	return n;
}

static size_t count_records(const char *s, size_t n)
{
	size_t k = 0;

	for (const char *p = s; (p = memchr(p, '\n', n - (size_t)(p - s))); p++)
		k++;
	return k;
}

/* The names of the columns are the heading of every row. */
static const char *columns(struct rk_arena *a, const char *s, size_t n)
{
	char out[RK_HEAD_MAX + 1];
	size_t k = 0;

	for (size_t i = 0; i < n && s[i] != '\n' && k < RK_HEAD_MAX - 2; i++) {
		if (strchr(",;\t|\"\r", s[i]) && s[i]) {
			if (k && out[k - 1] != ' ')
				out[k++] = ' ';
		} else {
			out[k++] = s[i];
		}
	}
	while (k && (unsigned char)out[k - 1] >= 0x80)
		k--; /* it may have been cut inside a character */
	return rk_arena_strndup(a, out, k);
}

int chunk_records(struct rk_chunks *c, enum rk_kind kind, const char *s,
		  size_t n)
{
	int table = kind == RK_KIND_TABLE, rc = 0;
	size_t pack = count_records(s, n) <= RECORDS_ALONE ? 1 : PACK;
	size_t start = 0, off = 0;
	uint32_t line = 1, first = 1, lines;
	const char *head = table ? columns(&c->arena, s, n) : "";

	if (!head)
		return -ENOMEM;
	while (off < n && rc == 0) {
		size_t end = record_end(s, n, off, table, &lines);

		/* the line of names stays with the first row */
		if (end - start >= pack && !(table && off == 0 && end < n)) {
			rc = chunk_paragraphs(c, s, start, end, first, head);
			start = end;
			first = line + lines;
		}
		off = end;
		line += lines;
	}
	return rc || start == n ? rc
				: chunk_paragraphs(c, s, start, n, first, head);
}

/* --- mail --- */

/* RFC 4155: "From " at the start of a line, a blank one before it. */
static int begins_message(const char *s, size_t n, size_t off, int after_blank)
{
	return after_blank && n - off > 5 && memcmp(s + off, "From ", 5) == 0;
}

/* The words of the Subject, folded lines (RFC 5322, 2.2.3) joined. */
static const char *subject(struct rk_arena *a, const char *s, size_t off,
			   size_t end)
{
	char out[RK_HEAD_MAX + 1];
	size_t k = 0;
	int on = 0;

	while (off < end) {
		struct line l = chunk_line_at(s, end, off);

		if (l.end == l.off || (l.end == l.off + 1 && s[l.off] == '\r'))
			break;
		if (s[l.off] != ' ' && s[l.off] != '\t')
			on = l.end - l.off > 8 &&
			     strncasecmp(s + l.off, "subject:", 8) == 0;
		for (size_t i = l.off + (on && k == 0 ? 8 : 0);
		     on && i < l.end && k < 300; i++)
			if (!(k == 0 && s[i] == ' ') && s[i] != '\r')
				out[k++] = s[i] == '\t' ? ' ' : s[i];
		off = l.next;
	}
	while (k == 300 && k && (unsigned char)out[k - 1] >= 0x80)
		k--;
	return rk_arena_strndup(a, out, k);
}

static int emit_message(struct rk_chunks *c, const char *s, size_t off,
			size_t end, uint32_t line)
{
	const char *head = subject(&c->arena, s, off, end);

	return head ? chunk_paragraphs(c, s, off, end, line, head) : -ENOMEM;
}

int chunk_mail(struct rk_chunks *c, const char *s, size_t n)
{
	size_t start = 0;
	uint32_t line = 1, first = 1;
	int after_blank = 0, rc = 0;

	for (size_t off = 0; off < n && rc == 0; line++) {
		struct line l = chunk_line_at(s, n, off);

		if (begins_message(s, n, off, after_blank)) {
			rc = emit_message(c, s, start, off, first);
			start = off;
			first = line;
		}
		after_blank = chunk_line_blank(s, l);
		off = l.next;
	}
	return rc ? rc : emit_message(c, s, start, n, first);
}

/* --- logs --- */

static int digits(const char *s, int n, int *out)
{
	*out = 0;
	for (int i = 0; i < n; i++) {
		if (!isdigit((unsigned char)s[i]))
			return 0;
		*out = *out * 10 + (s[i] - '0');
	}
	return 1;
}

/*
 * Seconds of the day of a clock "hh:mm:ss" near the start of a line, and a
 * number that changes with the date before it; 0 if there is no clock.
 */
static int clock_of(const char *s, struct line l, long *day, long *seconds)
{
	size_t end = l.end - l.off > 48 ? l.off + 48 : l.end;
	int h, m, sec;

	for (size_t i = l.off; i + 8 <= end; i++) {
		if (!digits(s + i, 2, &h) || s[i + 2] != ':' ||
		    !digits(s + i + 3, 2, &m) || s[i + 5] != ':' ||
		    !digits(s + i + 6, 2, &sec) || h > 23 || m > 59 || sec > 60)
			continue;
		*seconds = (h * 60L + m) * 60 + sec;
		*day = 0;
		for (size_t k = l.off; k < i; k++)
			*day = *day * 31 + (unsigned char)s[k];
		return 1;
	}
	return 0;
}

int chunk_log(struct rk_chunks *c, const char *s, size_t n)
{
	size_t start = 0;
	uint32_t line = 1, first = 1;
	long day = 0, last = -1;
	int rc = 0;

	for (size_t off = 0; off < n && rc == 0; line++) {
		struct line l = chunk_line_at(s, n, off);
		long d, t;
		int clock = clock_of(s, l, &d, &t);
		int gap = clock && last >= 0 &&
			  (d != day || labs(t - last) > GAP_S);

		if ((gap && off - start >= LOG_MIN) ||
		    (clock && off - start >= CHUNK_TARGET)) {
			rc = chunk_paragraphs(c, s, start, off, first, "");
			start = off;
			first = line;
		}
		if (clock) {
			day = d;
			last = t;
		}
		off = l.next;
	}
	return rc ? rc : chunk_paragraphs(c, s, start, n, first, "");
}
