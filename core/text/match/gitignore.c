/* SPDX-License-Identifier: MIT */
#include "text/match/gitignore.h"
#include "base/mem.h"
#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <string.h>

enum {
	DEPTH_MAX = 64,	       /* stars inside each other */
	STEPS_MAX = 1 << 16,   /* of one match: some patterns are hostile */
	PATTERNS_MAX = 100000, /* of one folder */
};

struct pattern {
	char *s;
	int negate;   /* "!": not left out after all */
	int dir_only; /* "/" at its end */
	int anchored; /* a slash before the end: relative to the folder */
};

struct rk_ignore_set {
	int refs;
	struct rk_ignore_set *parent;
	char *base;
	size_t base_n;
	struct pattern *v;
	size_t n, cap;
};

struct rk_ignore_set *rk_ignore_new(const char *base,
				    struct rk_ignore_set *parent)
{
	struct rk_ignore_set *s = rk_calloc(1, sizeof(*s));

	if (s && !(s->base = rk_strndup(base, strlen(base)))) {
		rk_free(s);
		s = NULL;
	}
	if (!s) {
		rk_ignore_unref(parent);
		return NULL;
	}
	s->refs = 1;
	s->parent = parent;
	s->base_n = strlen(base);
	return s;
}

struct rk_ignore_set *rk_ignore_ref(struct rk_ignore_set *s)
{
	if (s)
		__atomic_add_fetch(&s->refs, 1, __ATOMIC_RELAXED);
	return s;
}

void rk_ignore_unref(struct rk_ignore_set *s)
{
	assert(!s || s->refs > 0);
	while (s && __atomic_sub_fetch(&s->refs, 1, __ATOMIC_ACQ_REL) == 0) {
		struct rk_ignore_set *parent = s->parent;

		for (size_t i = 0; i < s->n; i++)
			rk_free(s->v[i].s);
		rk_free(s->v);
		rk_free(s->base);
		rk_free(s);
		s = parent;
	}
}

int rk_ignore_empty(const struct rk_ignore_set *s)
{
	return s->n == 0;
}

/* --- lines --- */

/* Blanks at the end do not count, unless the last has a backslash. */
static size_t trim(const char *s, size_t n)
{
	if (n && s[n - 1] == '\r')
		n--;
	while (n && s[n - 1] == ' ') {
		size_t slashes = 0;

		while (slashes < n - 1 && s[n - 2 - slashes] == '\\')
			slashes++;
		if (slashes % 2)
			break;
		n--;
	}
	return n;
}

static int add_line(struct rk_ignore_set *set, const char *s, size_t n)
{
	struct pattern p = {NULL, 0, 0, 0};

	n = trim(s, n);
	if (n == 0 || *s == '#' || memchr(s, 0, n) || set->n == PATTERNS_MAX)
		return 0;
	if (*s == '!') {
		p.negate = 1;
		s++, n--;
	}
	if (n && s[n - 1] == '/') {
		p.dir_only = 1;
		n--;
	}
	if (n && *s == '/') {
		p.anchored = 1;
		s++, n--;
	}
	if (n == 0)
		return 0;
	p.anchored |= memchr(s, '/', n) != NULL;
	if (rk_grow(&set->v, &set->cap, set->n + 1, sizeof(*set->v)) < 0 ||
	    !(p.s = rk_strndup(s, n)))
		return -ENOMEM;
	set->v[set->n++] = p;
	return 0;
}

int rk_ignore_add(struct rk_ignore_set *set, const char *s, size_t n)
{
	const char *end = s + n;
	int rc = 0;

	if (n >= 3 && memcmp(s, "\xef\xbb\xbf", 3) == 0)
		s += 3; /* git skips a byte order mark, too */
	while (s < end && rc == 0) {
		const char *nl = memchr(s, '\n', (size_t)(end - s));
		const char *stop = nl ? nl : end;

		rc = add_line(set, s, (size_t)(stop - s));
		s = stop + 1;
	}
	return rc;
}

/* --- wildmatch --- */

struct matcher {
	const char *pattern; /* its start */
	int depth;
	unsigned steps;
};

static int posix_class(const char *name, size_t n, unsigned char c)
{
	static const struct {
		const char *name;
		int (*is)(int);
	} CLASSES[] = {
		{"alnum", isalnum}, {"alpha", isalpha}, {"blank", isblank},
		{"cntrl", iscntrl}, {"digit", isdigit}, {"graph", isgraph},
		{"lower", islower}, {"print", isprint}, {"punct", ispunct},
		{"space", isspace}, {"upper", isupper}, {"xdigit", isxdigit}};

	for (size_t i = 0; i < sizeof(CLASSES) / sizeof(CLASSES[0]); i++)
		if (strlen(CLASSES[i].name) == n &&
		    memcmp(CLASSES[i].name, name, n) == 0)
			return c < 0x80 && CLASSES[i].is(c) != 0;
	return 0;
}

/*
 * Behind "[": does the class hold c? *p is left behind its "]"; NULL if it
 * has none, which matches nothing.
 */
static int class_holds(const char **p, unsigned char c)
{
	const char *s = *p;
	int negate = *s == '!' || *s == '^', yes = 0;
	unsigned char prev = 0;

	s += negate;
	for (int first = 1; first || *s != ']'; first = 0) {
		unsigned char x = (unsigned char)*s;

		if (x == '\0') {
			*p = NULL;
			return 0;
		}
		if (x == '[' && s[1] == ':') {
			const char *e = strstr(s + 2, ":]");

			if (e) {
				yes |= posix_class(s + 2, (size_t)(e - s - 2),
						   c);
				s = e + 2;
				prev = 0;
				continue;
			}
		}
		if (x == '-' && prev && s[1] && s[1] != ']') {
			s++;
			if (*s == '\\' && s[1])
				s++;
			yes |= c >= prev && c <= (unsigned char)*s;
			prev = 0;
			s++;
			continue;
		}
		if (x == '\\') {
			x = (unsigned char)*++s;
			if (x == '\0') {
				*p = NULL;
				return 0;
			}
		}
		yes |= x == c;
		prev = x;
		s++;
	}
	*p = s + 1;
	return yes != negate;
}

static int match(struct matcher *m, const char *p, const char *t);

/* "**" between slashes (or ends): any folders, none as well. */
static int match_folders(struct matcher *m, const char *rest, const char *t)
{
	if (*rest == '\0')
		return 1;
	rest++; /* the slash */
	for (;;) {
		if (match(m, rest, t))
			return 1;
		if (!(t = strchr(t, '/')) || m->steps > STEPS_MAX)
			return 0;
		t++;
	}
}

static int match_star(struct matcher *m, const char *p, const char *t)
{
	const char *rest = p;
	int yes = 0;

	while (*rest == '*')
		rest++;
	if (++m->depth > DEPTH_MAX) {
		m->depth--;
		return 0;
	}
	if (rest - p > 1 && (p == m->pattern || p[-1] == '/') &&
	    (*rest == '\0' || *rest == '/')) {
		yes = match_folders(m, rest, t);
	} else {
		for (; !(yes = match(m, rest, t)); t++)
			if (*t == '\0' || *t == '/' || m->steps > STEPS_MAX)
				break;
	}
	m->depth--;
	return yes;
}

static int match(struct matcher *m, const char *p, const char *t)
{
	for (; *p; t++) {
		if (++m->steps > STEPS_MAX)
			return 0;
		if (*p == '*')
			return match_star(m, p, t);
		if (*t == '\0')
			return 0;
		if (*p == '[') {
			p++;
			if (*t == '/' || !class_holds(&p, (unsigned char)*t) ||
			    !p)
				return 0;
			continue;
		}
		if (*p == '?') {
			if (*t == '/')
				return 0;
			p++;
			continue;
		}
		if (*p == '\\' && p[1])
			p++;
		if (*p++ != *t)
			return 0;
	}
	return *t == '\0';
}

int rk_wildmatch(const char *pattern, const char *text)
{
	struct matcher m = {pattern, 0, 0};

	return match(&m, pattern, text);
}

/* --- sets --- */

static int pattern_matches(const struct pattern *p, const char *rel,
			   const char *base, int is_dir)
{
	if (p->dir_only && !is_dir)
		return 0;
	return rk_wildmatch(p->s, p->anchored ? rel : base);
}

int rk_ignore_match(const struct rk_ignore_set *s, const char *path, int is_dir)
{
	const char *slash = strrchr(path, '/');
	const char *base = slash ? slash + 1 : path;

	for (; s; s = s->parent) {
		if (strncmp(path, s->base, s->base_n) != 0)
			continue;
		for (size_t i = s->n; i-- > 0;)
			if (pattern_matches(&s->v[i], path + s->base_n, base,
					    is_dir))
				return !s->v[i].negate;
	}
	return 0;
}
