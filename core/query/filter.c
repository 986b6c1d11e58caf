/* SPDX-License-Identifier: MIT */
/*
 * Filters: what the values of path:, ext:, after:, size: ... mean, and whether
 * a document passes.
 */
#include "query/query.h"
#include "text/extract/kind.h"
#include "text/symbols/entity.h"
#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <fnmatch.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <utf8proc.h>

#define NS 1000000000LL

/* --- moments --- */

static int64_t to_ns(time_t t)
{
	return t < 0 ? 0 : t > INT64_MAX / NS ? INT64_MAX : t * NS;
}

/* "7d", "2w", "3h", "1m" (months), "1y", "90min" before now. */
static int relative_moment(const char *v, int64_t now_ns, int64_t *low,
			   int64_t *high)
{
	time_t now = (time_t)(now_ns / NS);
	struct tm tm;
	char *unit;
	long n = strtol(v, &unit, 10);

	if (unit == v || n < 0 || n > 100000 || !localtime_r(&now, &tm))
		return 0;
	tm.tm_isdst = -1;
	if (strcmp(unit, "min") == 0)
		tm.tm_min -= (int)n;
	else if (strcmp(unit, "h") == 0)
		tm.tm_hour -= (int)n;
	else if (strcmp(unit, "d") == 0)
		tm.tm_mday -= (int)n;
	else if (strcmp(unit, "w") == 0)
		tm.tm_mday -= 7 * (int)n;
	else if (strcmp(unit, "m") == 0)
		tm.tm_mon -= (int)n;
	else if (strcmp(unit, "y") == 0)
		tm.tm_year -= (int)n;
	else
		return 0;
	*low = *high = to_ns(mktime(&tm));
	return 1;
}

/* "today", "yesterday": the day. */
static int named_day(const char *v, int64_t now_ns, int64_t *low, int64_t *high)
{
	time_t now = (time_t)(now_ns / NS);
	struct tm tm;

	if (strcasecmp(v, "now") == 0) {
		*low = *high = now_ns;
		return 1;
	}
	if ((strcasecmp(v, "today") != 0 && strcasecmp(v, "yesterday") != 0) ||
	    !localtime_r(&now, &tm))
		return 0;
	tm.tm_hour = tm.tm_min = tm.tm_sec = 0;
	tm.tm_isdst = -1;
	tm.tm_mday -= strcasecmp(v, "yesterday") == 0;
	*low = to_ns(mktime(&tm));
	tm.tm_mday++;
	tm.tm_isdst = -1;
	*high = to_ns(mktime(&tm));
	return 1;
}

/*
 * ISO 8601 in local time: 2026, 2026-01, 2026-01-31, 2026-01-31T12:30[:59].
 * [*low, *high) is the span that it names.
 */
static int calendar_span(const char *v, int64_t *low, int64_t *high)
{
	static const char *const FORMS[] = {"%Y-%m-%dT%H:%M:%S",
					    "%Y-%m-%dT%H:%M", "%Y-%m-%d",
					    "%Y-%m", "%Y"};

	for (int i = 0; i < 5; i++) {
		struct tm tm = {.tm_mday = 1, .tm_isdst = -1}, to;
		const char *end = strptime(v, FORMS[i], &tm);

		if (!end || *end || strspn(v, "0123456789") != 4)
			continue;
		to = tm;
		*(i == 0   ? &to.tm_sec
		  : i == 1 ? &to.tm_min
		  : i == 2 ? &to.tm_mday
		  : i == 3 ? &to.tm_mon
			   : &to.tm_year) += 1;
		tm.tm_isdst = to.tm_isdst = -1;
		*low = to_ns(mktime(&tm));
		*high = to_ns(mktime(&to));
		return 1;
	}
	return 0;
}

static int moment(const char *v, int64_t now_ns, int64_t *low, int64_t *high)
{
	return calendar_span(v, low, high) || named_day(v, now_ns, low, high) ||
	       relative_moment(v, now_ns, low, high);
}

/* --- sizes --- */

static int parse_bytes(const char *v, const char **end, int64_t *out)
{
	static const char UNITS[] = "kmgt";
	char *e;
	double d = strtod(v, &e);
	const char *u;

	if (e == v || !(d >= 0 && d < 1e18) || isalpha((unsigned char)*v))
		return 0;
	if (*e && (u = strchr(UNITS, tolower((unsigned char)*e)))) {
		d *= (double)(1ll << 10 * (u - UNITS + 1));
		e++;
		if (tolower((unsigned char)*e) == 'i')
			e++;
	}
	if (tolower((unsigned char)*e) == 'b')
		e++;
	*out = d < 9e18 ? (int64_t)d : INT64_MAX - 1; /* callers add one */
	*end = e;
	return 1;
}

/* >10k  >=10k  <1M  <=1M  10k..1M  =0  and 10k alone: at least. */
static int size_span(const char *v, int64_t *low, int64_t *high)
{
	char op = *v && strchr("<>=", *v) ? *v++ : 0;
	int equal = op && *v == '=';
	const char *end;
	int64_t a, b;

	v += equal;
	if (!parse_bytes(v, &end, &a))
		return 0;
	*low = 0;
	*high = INT64_MAX;
	if (!op && strncmp(end, "..", 2) == 0) {
		if (end[2] && (!parse_bytes(end + 2, &end, &b) || *end))
			return 0;
		*low = a;
		if (*end == '\0')
			*high = b + 1;
		return 1;
	}
	if (*end)
		return 0;
	if (op == '<')
		*high = equal ? a + 1 : a;
	else
		*low = op == '>' && !equal ? a + 1 : a;
	if (op == '=')
		*high = a + 1;
	return 1;
}

/* --- parsing and asking --- */

int rk_filter_parse(struct rk_filter *f, enum rk_filter_kind kind,
		    const char *value, int64_t now_ns)
{
	int64_t low, high;

	*f = (struct rk_filter){.kind = kind, .value = value, .low = INT64_MIN};
	f->high = INT64_MAX;
	switch (kind) {
	case RK_BY_AFTER:
		if (!moment(value, now_ns, &low, &high))
			return 0;
		f->low = low;
		return 1;
	case RK_BY_BEFORE:
		if (!moment(value, now_ns, &low, &high))
			return 0;
		f->high = low;
		return 1;
	case RK_BY_SIZE:
		return size_span(value, &f->low, &f->high);
	case RK_BY_PATH:
	case RK_BY_EXT:
	case RK_BY_LANG:
	case RK_BY_KIND:
	case RK_FILTER_KINDS:
	default:
		return *value != '\0';
	}
}

enum { PATH_BYTES = 4096 };

/*
 * Letters of the same look are one, composed or not, large or small. The path
 * itself if it is ASCII, or not UTF-8.
 */
static const char *fold_path(const char *path, char *out, size_t cap)
{
	utf8proc_int32_t *cp = (utf8proc_int32_t *)out;
	const utf8proc_ssize_t room = (utf8proc_ssize_t)(cap / sizeof(*cp)) - 1;
	utf8proc_ssize_t n;

	for (n = 0; path[n] && (unsigned char)path[n] < 0x80;)
		n++;
	if (!path[n])
		return path;
	n = utf8proc_decompose((const utf8proc_uint8_t *)path, 0, cp, room,
			       UTF8PROC_NULLTERM | UTF8PROC_STABLE |
				       UTF8PROC_COMPOSE | UTF8PROC_CASEFOLD);
	if (n < 0 || n > room)
		return path;
	return utf8proc_reencode(cp, n, UTF8PROC_STABLE | UTF8PROC_COMPOSE) < 0
		       ? path
		       : out;
}

/* A glob on the whole path; without slash or wildcard, any part of it. */
static int path_matches(const char *glob, const char *path)
{
	char folded[4 * PATH_BYTES] __attribute__((aligned(4)));
	size_t n;

	path = fold_path(path, folded, sizeof(folded));
	glob += *glob == '/';
	n = strlen(glob);
	if (!strpbrk(glob, "*?[")) {
		if (strchr(glob, '/'))
			return strncasecmp(path, glob, n) == 0 &&
			       (path[n] == '\0' || path[n] == '/' ||
				(n && glob[n - 1] == '/'));
		return strcasestr(path, glob) != NULL;
	}
	if (fnmatch(glob, path, FNM_CASEFOLD) == 0)
		return 1;
	if (!strchr(glob, '/')) { /* as a name, anywhere */
		const char *base = strrchr(path, '/');

		return fnmatch(glob, base ? base + 1 : path, FNM_CASEFOLD) == 0;
	}
	return 0;
}

/* Is one item of a comma-separated list the name, whatever its case? */
static int listed(const char *list, const char *name, size_t n)
{
	while (*list) {
		size_t k = strcspn(list, ",");

		if (k == n && strncasecmp(list, name, n) == 0)
			return 1;
		list += k + (list[k] == ',');
	}
	return 0;
}

static int ext_matches(const char *list, const char *path)
{
	const char *base = strrchr(path, '/');
	const char *dot = strrchr(base ? base : path, '.');

	return dot && (listed(list, dot + 1, strlen(dot + 1)) ||
		       listed(list, dot, strlen(dot)));
}

static int name_listed(const char *list, const char *name)
{
	return *name && listed(list, name, strlen(name));
}

/* By its own name or the common one; methods are functions. */
static int kind_listed(const char *list, const char *kind)
{
	const char *common = rk_entity_kind_common(kind);

	return name_listed(list, kind) || name_listed(list, common) ||
	       (strcmp(common, "method") == 0 && name_listed(list, "function"));
}

int rk_filter_ok(const struct rk_filter *f, const struct rk_facts *x)
{
	switch (f->kind) {
	case RK_BY_PATH:
		return path_matches(f->value, x->path);
	case RK_BY_EXT:
		return ext_matches(f->value, x->path);
	case RK_BY_LANG:
		return name_listed(f->value, rk_language_of_path(x->path));
	case RK_BY_KIND:
		return name_listed(f->value,
				   rk_kind_name((enum rk_kind)x->doc->kind)) ||
		       kind_listed(f->value, x->chunk_kind);
	case RK_BY_AFTER:
	case RK_BY_BEFORE:
		return x->doc->mtime_ns >= f->low && x->doc->mtime_ns < f->high;
	case RK_BY_SIZE:
		return f->low <= (int64_t)x->doc->size &&
		       (int64_t)x->doc->size < f->high;
	case RK_FILTER_KINDS:
	default:
		return 1;
	}
}

/* --- comparisons of properties --- */

static int as_number(const char *s, double *out)
{
	char *end;

	*out = strtod(s, &end);
	return end > s && *end == '\0' && isfinite(*out);
}

void rk_compare_parse(struct rk_compare *c, const char *value)
{
	*c = (struct rk_compare){.op = '=', .value = value};
	if (strcmp(value, "*") == 0) {
		c->op = '*';
		return;
	}
	if (*value == '<' || *value == '>') {
		c->op = *value++;
		if (*value == '=') {
			c->op = c->op == '<' ? 'l' : 'g';
			value++;
		}
		c->value = value;
		c->is_number = as_number(value, &c->number);
		return;
	}
	if (strpbrk(value, "*?"))
		c->op = '~'; /* a glob */
}

/* "10..20", "10.." and "..20", with `low` having room for what is before. */
int rk_compare_range(struct rk_compare *c, char *low)
{
	char *dots = strstr(low, "..");

	if (!dots || strpbrk(low, "<>*?") || (dots == low && !dots[2]))
		return 0;
	*dots = '\0';
	*c = (struct rk_compare){.op = '.', .value = low, .to = dots + 2};
	c->is_number = (!*low || as_number(low, &c->number)) &&
		       (!*c->to || as_number(c->to, &c->to_number));
	return 1;
}

static int in_range(const struct rk_compare *c, const char *text)
{
	double x;

	if (c->is_number)
		return as_number(text, &x) && (!*c->value || x >= c->number) &&
		       (!*c->to || x <= c->to_number);
	return (!*c->value || strcasecmp(text, c->value) >= 0) &&
	       (!*c->to || strncasecmp(text, c->to, strlen(c->to)) <= 0);
}

int rk_compare_ok(const struct rk_compare *c, const char *value, size_t n)
{
	char text[256];
	double x;
	int r;

	assert(value || n == 0);
	if (c->op == '*')
		return 1;
	n = n < sizeof(text) - 1 ? n : sizeof(text) - 1;
	memcpy(text, value, n);
	text[n] = '\0';
	if (c->op == '.')
		return in_range(c, text);
	if (c->op == '~')
		return fnmatch(c->value, text, FNM_CASEFOLD) == 0;
	if (c->is_number) {
		if (!as_number(text, &x))
			return 0;
		r = (x > c->number) - (x < c->number);
	} else {
		r = strcasecmp(text, c->value);
	}
	switch (c->op) {
	case '<':
		return r < 0;
	case '>':
		return r > 0;
	case 'l':
		return r <= 0;
	case 'g':
		return r >= 0;
	default:
		return r == 0;
	}
}
