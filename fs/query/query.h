/* SPDX-License-Identifier: MIT */
#ifndef FS_QUERY_H
#define FS_QUERY_H

/* Files whose content is computed from a text. */
#include "fs/base/fs.h"
#include "fs/base/node.h"

/*
 * A file whose content is computed from a text when it is needed, in a pool
 * thread, and stays until the index changes.
 */
struct fs_answer {
	struct rk_buf text; /* what the file holds */
	uint64_t hash;	    /* of what decides whether it has changed */
	uint64_t form;	    /* of the rest that a reader relies on */
	uint64_t generation;
	size_t pending; /* changes that are not in it */
	uint64_t took_ns;
};
struct fs_view {
	const char *name;
	const char *dir; /* where its files are, from the index's root */
	/* 0, or negative; out->text is released by the caller */
	int (*answer)(struct fs_node *n, const struct rk_search_opts *opts,
		      struct fs_answer *out);
	/*
	 * The generation that an answer would be of now; complete: nothing is
	 * on its way to it. NULL: those of the node's index.
	 */
	uint64_t (*current)(const struct fs_node *n, int *complete);
	/* May the caller see it? NULL: who gets to the file may. */
	int (*is_allowed)(fuse_req_t req, const struct fs_node *n);
	int is_slow; /* it always takes a while */
	/* what a change means to it that cannot be told by its words */
	enum rk_effect effect_without_words;
};
extern const struct fs_view FS_VIEW_QUERY;
/* The node of a text in a view, made if need be; NULL: no memory. */
struct fs_node *fs_view_node(struct fs_index *x, const struct fs_view *view,
			     const char *text);
/* Answer a lookup with it. `name`: (its first) in query/; NULL elsewhere. */
void fs_view_reply(fuse_req_t req, struct fs *fs, struct fs_node *n,
		   const char *name);
/* Where a view's file is, for who has a name of it; 0 or -ENAMETOOLONG. */
int fs_view_path(const struct fs_node *n, char *out, size_t cap);
/*
 * Bring a view's answer up to date without waiting for changes that are not
 * indexed yet. Any thread, off the loop, which keeps the node. 0 or negative.
 */
int fs_view_refresh(struct fs *fs, struct fs_node *n,
		    const _Atomic int *cancel);

#endif
