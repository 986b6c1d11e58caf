/* SPDX-License-Identifier: MIT */
#ifndef RK_STORAGE_RENAMED_H
#define RK_STORAGE_RENAMED_H

#include "storage/source.h"

/*
 * A source of some documents of a table or segment, under other names: what
 * was read and computed of them is brought along as it is, and only the terms
 * of their names change.
 */
struct rk_new_name {
	struct rk_doc_rec rec; /* as it was */
	uint32_t doc;
	const char *path; /* the new one */
	uint16_t path_n;
	int32_t tokens; /* that it has more than the old one */
};
/* A term that the new name has more often in the head, or less. */
struct rk_name_term {
	const char *term;
	uint32_t n;
	uint32_t name; /* which of the names */
	int32_t head;  /* weight; words (analyse.h) have none */
};

struct rk_renamed {
	/* the caller's, borrowed: names in the order of documents, terms in
	 * any */
	struct rk_new_name *names;
	uint32_t nnames;
	struct rk_name_term *terms;
	size_t nterms;

	const struct rk_source_ops *base;
	uint32_t *name_of; /* document: its name + 1, 0: not of these */
	rk_norm *norms;
	/* the term at hand: in the base, and as terms[first, end) */
	const char *term;
	size_t term_n;
	uint32_t df;
	int have, in_base;
	size_t first, end;
	/* its postings */
	struct rk_posting next; /* of the base, if loaded and more */
	int loaded, more;
	size_t at;	       /* the name that comes next */
	uint32_t chunk;	       /* of that document */
	struct rk_buf counted; /* positions with another count before them */
};

/*
 * From now on the source gives these documents alone, by their new names.
 * Returns 0, -ENOMEM, RK_ECORRUPT. r lives as long as the source.
 */
int rk_source_rename(struct rk_source *s, struct rk_renamed *r);
void rk_renamed_release(struct rk_renamed *r);

#endif
