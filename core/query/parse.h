/* SPDX-License-Identifier: MIT */
#ifndef RK_QUERY_PARSE_H
#define RK_QUERY_PARSE_H

#include "query/query.h"

/* The parts of the parser share it; nobody else does. */
struct parser {
	struct rk_query *q;
	struct rk_analyser *a;
	const char *s, *end;
	int64_t now_ns;
	uint64_t languages;
	uint32_t slot;
	int depth;
	int operators;	/* AND, OR and NOT are more than words */
	unsigned items; /* read so far */
	int err;	/* -ENOMEM sticks */
};

/* terms.c: words to terms */
/* A copy in the query's arena; NULL (and p->err) when memory is short. */
char *rk_q_keep(struct parser *p, const char *s, size_t n);
/* A copy for comparing paths: composed, small letters; NULL as above. */
const char *rk_q_fold(struct parser *p, const char *s);
/* A node, or NULL if there are too many or memory is short. */
struct rk_qnode *rk_q_node(struct parser *p, enum rk_node_kind kind,
			   enum rk_occur occur);
/*
 * The terms of one word, or of phrase number `phrase` (else -1), as a node;
 * NULL if nothing in it is indexed, or all of it has been said.
 */
struct rk_qnode *rk_q_text(struct parser *p, const char *s, size_t n,
			   enum rk_occur occur, int phrase);
/* One term that stands for many: pre*, ~fuzzy, w?ld. */
struct rk_qnode *rk_q_expanding(struct parser *p, const char *s, size_t n,
				enum rk_occur occur, enum rk_term_match match);
/* sym: tag: meta.key: */
struct rk_qnode *rk_q_property(struct parser *p, char kind, const char *key,
			       size_t key_n, const char *value,
			       enum rk_occur occur);

/* keys.c */
/*
 * What `key:value` asks for; NULL for directives, which are carried out.
 * *understood stays 0 where it is plain text.
 */
struct rk_qnode *rk_q_key(struct parser *p, const char *key, size_t key_n,
			  const char *value, enum rk_occur occur,
			  int *understood);
int rk_q_is_key(const char *key, size_t n);

/* finish.c */
void rk_q_finish(struct parser *p);
void rk_q_append(struct rk_qnode *group, struct rk_qnode *n);
/*
 * Very common words, which are not indexed, as a condition on the text; NULL
 * for one word.
 */
struct rk_qnode *rk_q_common_phrase(struct parser *p, const char *s, size_t n);
/*
 * A quoted word is meant as it is written, not what has its stem: the node of
 * its terms together with that condition. The node itself if it is of several
 * words, or has letters beyond ASCII.
 */
struct rk_qnode *rk_q_exactly(struct parser *p, struct rk_qnode *word,
			      const char *s, size_t n);

#endif
