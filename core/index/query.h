/* SPDX-License-Identifier: MIT */
#ifndef RK_INDEX_QUERY_H
#define RK_INDEX_QUERY_H

#include "base/arena.h"
#include "lexical/maxscore.h"
#include "rankfs.h"
#include "text/analyse.h"

/*
 * A query, parsed (grammar: fs/doc/query.md). Parsing never fails on text:
 * what is not understood is searched for.
 */
enum rk_occur { RK_SHOULD, RK_MUST, RK_NOT };

struct rk_qterm {
	const char *s; /* the term, in the arena */
	size_t n;
	enum rk_occur occur;
	float weight;  /* how often the query says it */
	uint32_t slot; /* words of the query in order; pairs are neighbours */
	const char *surface; /* as typed, folded; for spelling */
	size_t surface_n;
	int phrase;	     /* index of the phrase it belongs to, or -1 */
	uint32_t phrase_pos; /* position inside it */
	/* filled by the search */
	uint64_t df;
	double idf;
};

enum rk_filter_kind { RK_BY_PATH, RK_BY_EXT };

struct rk_filter {
	enum rk_filter_kind kind;
	int negate;
	const char *value; /* glob, or comma-separated extensions */
};

enum { RK_FILTERS_MAX = 32, RK_PHRASES_MAX = 16 };

struct rk_query {
	struct rk_arena arena;
	struct rk_qterm terms[RK_TERMS_MAX];
	unsigned nterms;
	unsigned nphrases;
	struct rk_filter filters[RK_FILTERS_MAX];
	unsigned nfilters;
	int64_t hits; /* n:, or -1 */
	enum rk_format format;
	enum rk_mode mode;
	const char *like;    /* path of a document, or NULL */
	struct rk_buf text;  /* the words as typed, for embedders of texts */
	int only_stop_words; /* words there were, but none that is indexed */
};

/* Returns 0 or -ENOMEM; call rk_query_release() in both cases. */
int rk_query_parse(struct rk_query *q, struct rk_analyser *a, const char *s,
		   size_t n);
void rk_query_release(struct rk_query *q);
/* Does a path pass the filters? */
int rk_query_path_ok(const struct rk_query *q, const char *path);

#endif
