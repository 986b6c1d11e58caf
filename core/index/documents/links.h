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

struct rk_links *rk_links_new(void); /* NULL: no memory */
void rk_links_free(struct rk_links *l);

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

#endif
