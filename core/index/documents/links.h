/* SPDX-License-Identifier: MIT */
#ifndef RK_INDEX_LINKS_H
#define RK_INDEX_LINKS_H

#include "base/buf.h"
#include "text/match/gitignore.h"
#include <pthread.h>
#include <sys/stat.h>

/*
 * Linked sources: a symbolic link at the top of the documents to a folder
 * elsewhere stands for that tree. Its documents are called NAME/..., and read
 * where they are. The links themselves are all that is kept of them.
 *
 * Root folders are opened by path each time and never held: what is mounted
 * there can be unmounted. A root that has gone, or has become empty, or is
 * another folder than before, is missing: its documents stay in the index
 * until it is back.
 */
struct rk_link {
	char *name; /* of the link */
	char *root; /* real path of the folder */
	dev_t dev;
	ino_t ino;
	int missing;
	int told; /* that it is missing */
	int fan;  /* its file system is watched as a whole */
	int scan; /* wanted: 1 compare, 2 read everything */
	const char *state;
};

enum { RK_LINKS_MAX = 64 };

struct rk_index;

struct rk_links {
	pthread_mutex_t lock;
	struct rk_link v[RK_LINKS_MAX];
	_Atomic unsigned n;
	char *backing, *mount; /* real paths that no source may be in */
	_Atomic int scanning;
	_Atomic int limited; /* not every folder could be watched */
};

void rk_links_init(struct rk_links *l);
void rk_links_release(struct rk_links *l);

/* Where the backing directory is, and the links as they are now. */
int rk_links_open(struct rk_index *ix, const char *backing);

/*
 * Read the links anew. What is no longer linked is taken out of the index.
 * Returns 0; -errno if they cannot be read now, and nothing has changed.
 */
int rk_links_read(struct rk_index *ix);

/*
 * Is the document one of a linked source? 1, and its root (a copy, PATH_MAX
 * bytes of room) and the rest of its path; 0.
 */
int rk_link_of(struct rk_index *ix, const char *path, char *root,
	       const char **rest);
/* Its folder as an O_PATH descriptor, or -errno. */
int rk_link_open(const char *root);
/* May this folder be a source? Not if it is in our mount or backing. */
int rk_link_allowed(struct rk_index *ix, const char *root);
/* Is the source that the path belongs to there? */
int rk_link_there(struct rk_index *ix, const char *path);

/* --- walking ----------------------------------------------------------- */

/*
 * A walk over a source or a folder in it. Files and folders that are left
 * out by .gitignore or .rankfsignore are not visited.
 */
struct rk_link_walk {
	struct rk_index *ix;
	const char *name, *root;
	/* a folder that is entered: path as of documents; rules of its files */
	void (*folder)(void *ctx, const char *path, const char *real,
		       struct rk_ignore_set *rules);
	/* a file to index; 0, or negative to end the walk */
	int (*file)(void *ctx, const char *path, const struct stat *st);
	void *ctx;
};
/* `below`: a folder in it, relative, "" for all. Returns 0 or negative. */
int rk_link_walk(const struct rk_link_walk *w, const char *below);

/*
 * Is a document of a source left out, or its folder gone? One look along its
 * path. 1, 0, or -errno where the way there cannot be read now.
 */
int rk_link_ignored(struct rk_index *ix, const char *path);

/* watch.c */
void *rk_watch_main(void *ix);
/* Wake it: links have changed, or all are to be compared. */
void rk_watch_wake(struct rk_index *ix);

#endif
