/* SPDX-License-Identifier: MIT */
#ifndef FS_FOUND_H
#define FS_FOUND_H

#include "fs/base/fs.h"

/*
 * The results of a query as a folder would show them: one set of entries that
 * does not change, shared by who lists and reads it.
 */
struct fs_entry {
	char *name;	      /* 01-name.ext */
	char *path;	      /* the document, relative to the root */
	struct fs_blob *blob; /* front matter and excerpt */
	int gone;	      /* removed since, by its reader; under answers */
};

struct fs_found {
	_Atomic int refs;
	struct fs_entry *v;
	size_t n;
	uint64_t generation;
	int complete; /* nothing was pending */
	uint64_t hash;
	struct timespec made;	  /* when it was searched */
	_Atomic uint64_t used_ns; /* a name of it was looked up */
};

/*
 * Search `query`; of a saved query (name, else NULL) with what is pinned first
 * and without what was demoted. Returns 0 or negative.
 */
int fs_found_search(struct fs_index *x, const char *query, const char *saved,
		    const struct rk_search_opts *opts, struct fs_found **out);
struct fs_found *fs_found_ref(struct fs_found *f);
void fs_found_unref(struct fs_found *f);

/* What results can be narrowed down by. */
enum fs_facet { FS_BY_EXT, FS_BY_DIR, FS_BY_TAG, FS_FACETS };
extern const char *const FS_FACET_NAMES[FS_FACETS]; /* "by-ext", ... */
/* Values among the results, most frequent first, each with its NUL. */
int fs_found_facet(struct fs_index *x, const char *query, enum fs_facet by,
		   const struct rk_search_opts *opts, struct rk_buf *out);

#endif
