/* SPDX-License-Identifier: MIT */
#include "text/match/regex.h"
#include "base/arena.h"
#include "base/mem.h"
#include "text/match/trigram.h"
#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

enum {
	MATCH_LIMIT = 100000, /* steps on one line */
	DEPTH_LIMIT = 1000,
	HEAP_KIB = 4096,
	NESTING = 64,
	NEEDS_MAX = 512, /* nodes of the tree of trigrams */
	LITERAL_MAX = 64,
};

/* What must be there: one trigram, all of, or any of the children. */
enum need_op { NEED_GRAM, NEED_ALL, NEED_ANY };
struct need {
	enum need_op op;
	uint32_t gram;
	struct need *child, *next;
};

struct rk_regex {
	pcre2_code *code;
	pcre2_match_data *md;
	pcre2_match_context *mc;
	struct rk_arena arena;
	const struct need *need; /* NULL: nothing */
	/* the longest string that every match contains, as it is written */
	char literal[LITERAL_MAX];
	size_t literal_n; /* 0: none is known */
};

void rk_regex_free(struct rk_regex *r)
{
	if (!r)
		return;
	pcre2_code_free(r->code);
	pcre2_match_data_free(r->md);
	pcre2_match_context_free(r->mc);
	rk_arena_release(&r->arena);
	rk_free(r);
}

/* --- what a pattern requires --- */

struct reader {
	const char *s, *end;
	struct rk_arena *arena;
	int fold;
	int depth;
	unsigned needs;
	int unknown; /* something that this reader does not understand */
	/* the longest run outside of groups and alternatives */
	char literal[LITERAL_MAX];
	size_t literal_n;
	int alternatives;
};

/* A run of literal bytes, as long as nothing comes between. */
struct run {
	unsigned char p[LITERAL_MAX]; /* folded */
	char raw[LITERAL_MAX];
	size_t n;
	size_t last; /* where the last character starts */
};

static struct need *new_need(struct reader *r, enum need_op op)
{
	struct need *n = NULL;

	if (r->needs < NEEDS_MAX)
		n = rk_arena_alloc(r->arena, sizeof(*n));
	if (!n) {
		r->unknown = 1;
		return NULL;
	}
	r->needs++;
	memset(n, 0, sizeof(*n));
	n->op = op;
	return n;
}

static void add(struct need *to, struct need *n)
{
	if (n) {
		n->next = to->child;
		to->child = n;
	}
}

static void flush_run(struct reader *r, struct run *run, struct need *all)
{
	if (r->depth == 0 && run->n > r->literal_n) {
		memcpy(r->literal, run->raw, run->n);
		r->literal_n = run->n;
	}
	for (size_t i = 0; i + 3 <= run->n; i++) {
		struct need *n = new_need(r, NEED_GRAM);

		if (!n)
			break;
		n->gram = rk_trigram(run->p[i], run->p[i + 1], run->p[i + 2]);
		add(all, n);
	}
	run->n = 0;
}

static void put_literal(struct reader *r, struct run *run, struct need *all,
			unsigned char c)
{
	if (r->fold && c >= 0x80) { /* may have another case, other bytes */
		flush_run(r, run, all);
		return;
	}
	if (run->n == sizeof(run->p)) { /* the next run overlaps by two */
		size_t keep = run->n - 2;

		flush_run(r, run, all);
		memmove(run->p, run->p + keep, 2);
		memmove(run->raw, run->raw + keep, 2);
		run->n = 2;
	}
	if ((c & 0xc0) != 0x80)
		run->last = run->n;
	run->raw[run->n] = (char)c;
	run->p[run->n++] = rk_fold_byte(c);
}

/* A quantifier at r->s, if there is one: its minimum, else -1. */
static int quantifier(struct reader *r)
{
	const char *s = r->s;
	int min;

	if (s == r->end)
		return -1;
	if (*s == '*' || *s == '?') {
		min = 0;
	} else if (*s == '+') {
		min = 1;
	} else if (*s == '{') {
		const char *d = s + 1;

		while (d < r->end && isdigit((unsigned char)*d))
			d++;
		if (d < r->end && d > s + 1 && (*d == ',' || *d == '}'))
			min = s[1] == '0' ? 0 : 1;
		else if (d < r->end && d == s + 1 && *d == ',')
			min = 0; /* {,n}: a literal in some versions */
		else
			return -1;
		s = memchr(d, '}', (size_t)(r->end - d));
		if (!s)
			return -1;
	} else {
		return -1;
	}
	s++;
	if (s < r->end && (*s == '?' || *s == '+'))
		s++;
	r->s = s;
	return min;
}

/* Behind "[": to behind its "]". */
static void skip_class(struct reader *r)
{
	const char *s = r->s;

	if (s < r->end && *s == '^')
		s++;
	if (s < r->end && *s == ']')
		s++;
	while (s < r->end && *s != ']') {
		if (*s == '\\' && s + 1 < r->end) {
			r->unknown |= s[1] == 'Q' || s[1] == 'E';
			s++;
		} else if (*s == '[' && s + 1 < r->end && strchr(":.=", s[1])) {
			const char *e = s + 2;

			while (e + 1 < r->end && !(*e == s[1] && e[1] == ']'))
				e++;
			if (e + 1 < r->end)
				s = e + 1;
		}
		s++;
	}
	r->s = s < r->end ? s + 1 : s;
}

/* Behind "\": 1 if it is a literal byte (left at r->s), 0 if it is not one. */
static int read_escape(struct reader *r)
{
	static const char PLAIN[] = "bBwWdDsSAzZGhHvVRXNKnrtfae";
	char c;

	if (r->s == r->end) {
		r->unknown = 1;
		return 0;
	}
	c = *r->s;
	if (!isalnum((unsigned char)c))
		return 1;
	if (!strchr(PLAIN, c) ||
	    (c == 'N' && r->s + 1 < r->end && r->s[1] == '{'))
		r->unknown = 1;
	r->s++;
	return 0;
}

static struct need *read_any(struct reader *r);

/* Behind "(": what the group requires; r->s behind its ")". */
static struct need *read_group(struct reader *r)
{
	struct need *n;

	if (r->s < r->end && *r->s == '*')
		r->unknown = 1;
	if (r->s + 1 < r->end && *r->s == '?') {
		if (r->s[1] == ':')
			r->s += 2;
		else
			r->unknown = 1;
	}
	if (++r->depth > NESTING)
		r->unknown = 1;
	n = r->unknown ? NULL : read_any(r);
	r->depth--;
	if (r->s < r->end && *r->s == ')')
		r->s++;
	return n;
}

/* One alternative, up to "|" or ")" or the end. */
static struct need *read_all(struct reader *r)
{
	struct need *all = new_need(r, NEED_ALL);
	struct run run = {.n = 0};

	while (all && !r->unknown && r->s < r->end && *r->s != '|' &&
	       *r->s != ')') {
		unsigned char c = (unsigned char)*r->s++;
		struct need *group = NULL;
		int literal = 0, min;

		if (c == '(') {
			flush_run(r, &run, all);
			group = read_group(r);
		} else if (c == '[') {
			flush_run(r, &run, all);
			skip_class(r);
		} else if (c == '\\' && (literal = read_escape(r))) {
			c = (unsigned char)*r->s++;
		} else if (c == '.' || c == '^' || c == '$' || c == '\\') {
			flush_run(r, &run, all);
		} else {
			literal = 1;
		}
		if (literal)
			put_literal(r, &run, all, c);
		/* a character of several bytes is quantified as one */
		if (r->s < r->end && ((unsigned char)*r->s & 0xc0) == 0x80)
			continue;
		min = quantifier(r);
		if (min == 0 && literal && run.n)
			run.n = run.last;
		if (min >= 0)
			flush_run(r, &run, all);
		if (min != 0)
			add(all, group);
	}
	if (all)
		flush_run(r, &run, all);
	return all;
}

/* Alternatives: if one requires nothing, all of them do. */
static struct need *read_any(struct reader *r)
{
	struct need *any = new_need(r, NEED_ANY);
	int free_one = 0;

	while (any && !r->unknown) {
		struct need *all = read_all(r);

		free_one |= !all || !all->child;
		add(any, all);
		if (r->s >= r->end || *r->s != '|')
			break;
		r->alternatives |= r->depth == 0;
		r->s++;
	}
	return free_one || r->unknown ? NULL : any;
}

static int satisfied(const struct need *n, const uint8_t *sig, size_t len)
{
	if (n->op == NEED_GRAM)
		return rk_gram_in(sig, len, n->gram);
	for (const struct need *c = n->child; c; c = c->next)
		if (satisfied(c, sig, len) != (n->op == NEED_ALL))
			return n->op == NEED_ANY;
	return n->op == NEED_ALL;
}

int rk_regex_may_match(const struct rk_regex *r, const uint8_t *sig, size_t n)
{
	return !r->need || n == 0 || satisfied(r->need, sig, n);
}

/* --- matching --- */

static int compile(struct rk_regex *r, const char *s, size_t n, int fold,
		   char *why, size_t why_n)
{
	uint32_t flags = PCRE2_UTF | PCRE2_UCP | PCRE2_MATCH_INVALID_UTF |
			 PCRE2_NEVER_BACKSLASH_C | (fold ? PCRE2_CASELESS : 0);
	pcre2_compile_context *cc = pcre2_compile_context_create(NULL);
	PCRE2_SIZE at;
	int err;

	if (!cc)
		return -ENOMEM;
	pcre2_set_parens_nest_limit(cc, NESTING);
	r->code = pcre2_compile((PCRE2_SPTR)s, n, flags, &err, &at, cc);
	pcre2_compile_context_free(cc);
	if (!r->code) {
		pcre2_get_error_message(err, (PCRE2_UCHAR *)why, why_n);
		return err == PCRE2_ERROR_NOMEMORY ? -ENOMEM : -EINVAL;
	}
	pcre2_jit_compile(r->code, PCRE2_JIT_COMPLETE); /* or interpreted */
	r->md = pcre2_match_data_create(1, NULL);
	r->mc = pcre2_match_context_create(NULL);
	if (!r->md || !r->mc)
		return -ENOMEM;
	pcre2_set_match_limit(r->mc, MATCH_LIMIT);
	pcre2_set_depth_limit(r->mc, DEPTH_LIMIT);
	pcre2_set_heap_limit(r->mc, HEAP_KIB);
	return 0;
}

int rk_regex_new(const char *s, size_t n, int fold, struct rk_regex **out,
		 char *why, size_t why_n)
{
	struct rk_regex *r;
	struct reader reader;
	int rc;

	if (n > RK_PATTERN_MAX) {
		snprintf(why, why_n, "it is longer than %d bytes",
			 RK_PATTERN_MAX);
		return -EINVAL;
	}
	if (!(r = rk_calloc(1, sizeof(*r))))
		return -ENOMEM;
	if ((rc = compile(r, s, n, fold, why, why_n)) < 0) {
		rk_regex_free(r);
		return rc;
	}
	reader = (struct reader){
		.s = s, .end = s + n, .arena = &r->arena, .fold = fold};
	r->need = read_any(&reader);
	if (reader.unknown || reader.s < reader.end)
		r->need = NULL;
	else if (!fold && !reader.alternatives) {
		memcpy(r->literal, reader.literal, reader.literal_n);
		r->literal_n = reader.literal_n;
	}
	*out = r;
	return 0;
}

int rk_regex_match(struct rk_regex *r, const char *s, size_t n)
{
	size_t at = 0, len;

	return rk_regex_find(r, s, n, &at, &len);
}

int rk_regex_find(struct rk_regex *r, const char *s, size_t n, size_t *at,
		  size_t *len)
{
	const PCRE2_SIZE *v = pcre2_get_ovector_pointer(r->md);
	int rc = pcre2_match(r->code, (PCRE2_SPTR)s, n, *at, 0, r->md, r->mc);

	if (rc < 0)
		return rc == PCRE2_ERROR_NOMATCH ? 0 : -ELOOP;
	*at = v[0];
	*len = v[1] > v[0] ? v[1] - v[0] : 0; /* \K may set it further on */
	return 1;
}

const char *rk_regex_candidate(const struct rk_regex *r, const char *s,
			       const char *end)
{
	assert(s <= end);
	if (r->literal_n < 2)
		return s;
	return memmem(s, (size_t)(end - s), r->literal, r->literal_n);
}

int rk_regex_in_text(struct rk_regex *r, const char *s, size_t n)
{
	const char *end = s + n, *p;

	while (s < end && (p = rk_regex_candidate(r, s, end))) {
		const char *nl = memchr(p, '\n', (size_t)(end - p));
		const char *from = memrchr(s, '\n', (size_t)(p - s));
		const char *stop = nl ? nl : end;

		from = from ? from + 1 : s;
		if (rk_regex_match(r, from, (size_t)(stop - from)) == 1)
			return 1;
		s = stop + 1;
	}
	return 0;
}
