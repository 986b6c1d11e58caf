/* SPDX-License-Identifier: MIT */
#ifndef RK_QUERY_QUERY_H
#define RK_QUERY_QUERY_H

#include "base/arena.h"
#include "lexical/dict.h"
#include "lexical/maxscore.h"
#include "lexical/records.h"
#include "base/buf.h"
#include "rankfs.h"
#include "text/analyse/analyse.h"

/*
 * A query, parsed (grammar: fs/doc/query.md). Parsing never fails on text:
 * what is not understood is searched for.
 *
 * A query is a tree of clauses. Its words also lie in one flat list of terms,
 * in the order in which they were said: that is what scores. The tree decides
 * which chunks may be results.
 */
/* How a term finds its postings. */
enum rk_term_match {
	RK_TERM_EXACT,
	RK_TERM_PREFIX, /* all terms that begin with it */
	RK_TERM_FUZZY,	/* all terms near it */
	RK_TERM_GLOB,	/* all terms that it matches */
	RK_TERM_RANGE,	/* properties whose value compares as `compare` says */
};

/* A comparison of a property's value; numbers as such, else bytes. */
struct rk_compare {
	char op;	   /* '<' '>' (inclusive: 'l' 'g'), '=', '~' a glob,
			      '.' a range, '*' any */
	const char *value; /* what to compare with */
	double number;
	int is_number;
	const char *to; /* of a range, inclusive; number and value: from */
	double to_number;
};

enum { RK_ALTS_MAX = 16 };

/* What a word is in a language, other than in the index's own. */
struct rk_form {
	const char *s;
	uint8_t language; /* counts in documents of it alone */
	uint32_t df;	  /* filled by the search */
};

struct rk_qterm {
	const char *s; /* the term, in the arena */
	size_t n;
	enum rk_occur occur; /* RK_MUST: every chunk of the answer holds it;
				RK_NOT: it does not score */
	enum rk_term_match match;
	struct rk_compare compare;
	struct rk_form alts[RK_ALTS_MAX];
	unsigned nalts;
	float weight;	     /* how often the query says it; 0: a filter */
	uint32_t slot;	     /* words in order; pairs are neighbours */
	uint16_t len;	     /* bytes of its token */
	const char *typed;   /* those, in the query; while it is parsed */
	int part;	     /* of an identifier, whole or not */
	const char *surface; /* as typed, folded; for spelling */
	size_t surface_n;
	int phrase;	     /* index of the phrase it belongs to, or -1 */
	uint32_t phrase_pos; /* position inside it */
	/* filled by the search */
	uint64_t df;
	double idf;
};

/* Does a term add to scores? The others only decide what may be a result. */
static inline int rk_term_scores(const struct rk_qterm *t)
{
	return t->occur != RK_NOT && t->weight > 0;
}

enum rk_filter_kind {
	RK_BY_PATH,
	RK_BY_EXT,
	RK_BY_LANG,
	RK_BY_KIND,
	RK_BY_AFTER,
	RK_BY_BEFORE,
	RK_BY_SIZE,
	RK_FILTER_KINDS,
};

/* A condition on a document (kind: on a chunk, too). */
struct rk_filter {
	enum rk_filter_kind kind;
	const char *value; /* glob, or comma-separated list */
	int64_t low, high; /* low <= x < high: nanoseconds, bytes */
};

/* text/regex.h */
struct rk_regex;

enum rk_node_kind {
	RK_NODE_GROUP,	  /* children */
	RK_NODE_WORD,	  /* terms: of one token, an identifier's parts */
	RK_NODE_PHRASE,	  /* terms, at their places */
	RK_NODE_PROPERTY, /* one term that does not score: sym: tag: meta. */
	RK_NODE_FILTER,
	RK_NODE_REGEX,
};

struct rk_qnode {
	enum rk_node_kind kind;
	enum rk_occur occur;
	int any;		/* a group of alternatives */
	struct rk_qnode *child; /* in order */
	struct rk_qnode *next;
	unsigned term, nterms; /* terms[term, term + nterms) */
	int phrase;
	uint32_t slop; /* moves of words that a phrase allows */
	struct rk_filter filter;
	struct rk_regex *regex; /* of the query, or NULL: bad pattern */
	int passage; /* the pattern is asked of a chunk's text, not of lines */
	int minus;   /* excluded by a minus, which pasted text has, too */
	const char *source, *source_end; /* as written, in the arena's copy */
};

enum rk_sort { RK_SORT_SCORE, RK_SORT_NEW, RK_SORT_PATH };

enum {
	RK_NODES_MAX = 256,
	RK_PHRASES_MAX = 16,
	RK_REGEX_MAX = 8,
	RK_HITS_MAX = 1000,
	RK_QUERY_BYTES = 1024 * 1024, /* of a query that are read */
	RK_QUERY_DEPTH = 32,	      /* parentheses inside each other */
};

struct rk_query {
	struct rk_arena arena;
	struct rk_qterm terms[RK_TERMS_MAX];
	unsigned nterms;
	unsigned nphrases;
	unsigned nnodes;
	struct rk_qnode *root; /* a group; NULL: the query says nothing */
	int has_filters;       /* on documents, anywhere */
	int constrained;       /* the tree says more than "any of the words" */
	struct rk_regex *regex[RK_REGEX_MAX];
	unsigned nregex;
	int64_t hits;	/* n:, or -1 */
	int64_t page;	/* from 1 */
	int64_t tokens; /* budget, or -1 */
	double min;	/* least score relative to the best */
	enum rk_sort sort;
	enum rk_format format;
	int format_given;
	enum rk_mode mode;
	const char *like;    /* path of a document, or NULL */
	struct rk_buf text;  /* the words as typed, for embedders of texts */
	struct rk_buf notes; /* lines about what was not understood */
	int only_stop_words; /* words there were, but none that is indexed */
	int common_phrase;   /* such words are a condition on the text */
	int exact_case;	     /* case:yes */
	int is_request;	     /* "find me ..." before it has been dropped */
	const char *bare;    /* the whole query, if it is one identifier */
	const char *symbol;  /* what sym: asks for, or NULL */
};

/*
 * Parse n bytes; `now_ns` (since 1970) is what relative dates start from,
 * `languages` (a bit each) what words may have been stemmed by besides the
 * index's own. Returns 0 or -ENOMEM; call rk_query_release() in both cases.
 */
int rk_query_parse(struct rk_query *q, struct rk_analyser *a, const char *s,
		   size_t n, int64_t now_ns, uint64_t languages);
void rk_query_release(struct rk_query *q);
/*
 * Read words with a minus as words: without them nothing is left, so that they
 * are more likely pasted (`rm -rf`) than excluded. 1 if there are such words,
 * and a note about each; 0 if not; -ENOMEM.
 */
int rk_query_minus_as_text(struct rk_query *q);
/* Does any word that scores occur, as far as the search has looked it up? */
static inline int rk_query_any_occurs(const struct rk_query *q)
{
	for (unsigned t = 0; t < q->nterms; t++)
		if (rk_term_scores(&q->terms[t]) && q->terms[t].df > 0)
			return 1;
	return 0;
}
/* A document's or chunk's facts that filters ask for. */
struct rk_facts {
	const char *path; /* NUL-terminated */
	const struct rk_doc_rec *doc;
	const char *chunk_kind; /* "function", ...; or "" */
};
/* Does it pass? */
int rk_filter_ok(const struct rk_filter *f, const struct rk_facts *x);
/* filter.c: values */
/* 1 and f filled, 0 if the value makes no sense. */
int rk_filter_parse(struct rk_filter *f, enum rk_filter_kind kind,
		    const char *value, int64_t now_ns);
/*
 * Does n bytes of text match a pattern of * (any letters), ? (one) and letters?
 */
int rk_word_glob(const char *pattern, size_t pattern_n, const char *s,
		 size_t n);
/* Does a property's value (n bytes) compare as wanted? */
int rk_compare_ok(const struct rk_compare *c, const char *value, size_t n);
void rk_compare_parse(struct rk_compare *c, const char *value);
/* 1 if `text` is a range, which is cut at its dots and stays in use. */
int rk_compare_range(struct rk_compare *c, char *text);

#endif
