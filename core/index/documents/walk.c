/* SPDX-License-Identifier: MIT */
/* The regular files below a folder of documents, those that are ignored left
 * out. */
#include "index/documents/walk.h"
#include "index/state/internal.h"
#include "text/match/ignore.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { DEPTH_MAX = 512, PATH_BYTES = 4096 };

struct walk {
	struct rk_index *ix;
	rk_file_fn *fn;
	void *ctx;
	char path[PATH_BYTES];
	int depth;
	int unread; /* why a folder could not be read; 0: all were */
};

/* The folder w->path is not empty because it cannot be read now. */
static int not_read(struct walk *w, int rc)
{
	if (!rk_unreadable(rc))
		return 0; /* gone meanwhile */
	rk_warn(&w->ix->warnings, "%s/: the folder cannot be read: %s", w->path,
		rk_strerror(rc));
	w->unread = rc;
	return 0;
}

static int walk_dir(struct walk *w, DIR *d, size_t n);

static int walk_entry(struct walk *w, int dirfd, const char *name, size_t n)
{
	size_t len = strlen(name), start = n ? n + 1 : 0;
	struct stat st;
	int rc;
	DIR *d;

	if (start + len >= PATH_BYTES) {
		rk_warn_document(&w->ix->warnings,
				 "%.200s/...: path too long to index", w->path);
		return 0;
	}
	if (n)
		w->path[n] = '/';
	memcpy(w->path + start, name, len + 1);
	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	    rk_ignored(w->path))
		return 0;
	if (S_ISREG(st.st_mode))
		return w->fn(w->ctx, w->path, &st);
	if (!S_ISDIR(st.st_mode))
		return 0;
	if (w->depth >= DEPTH_MAX)
		return 0;
	rc = rk_dir_open(dirfd, name, &d);
	return rc < 0 ? not_read(w, rc) : walk_dir(w, d, start + len);
}

/* Takes over d; w->path[0, n) names it. */
static int walk_dir(struct walk *w, DIR *d, size_t n)
{
	struct dirent *e = NULL;
	int rc = 0, next = 0;

	w->depth++;
	while (rc == 0 && !w->ix->stopping &&
	       (next = rk_dir_next(d, &e)) == 1) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		rc = walk_entry(w, dirfd(d), e->d_name, n);
		w->path[n] = '\0';
	}
	w->depth--;
	closedir(d);
	return next < 0 ? not_read(w, next) : rc;
}

int rk_walk_files(struct rk_index *ix, const char *path, rk_file_fn *fn,
		  void *ctx)
{
	struct walk *w;
	DIR *d;
	int rc;

	if (strlen(path) >= PATH_BYTES)
		return 0;
	if (!(w = rk_calloc(1, sizeof(*w))))
		return -ENOMEM;
	w->ix = ix;
	w->fn = fn;
	w->ctx = ctx;
	snprintf(w->path, sizeof(w->path), "%s", path);
	rc = rk_dir_open(ix->files_fd, path[0] ? path : ".", &d);
	rc = rc < 0 ? not_read(w, rc) : walk_dir(w, d, strlen(path));
	if (rc == 0)
		rc = w->unread;
	rk_free(w);
	return rc;
}
