/* SPDX-License-Identifier: MIT */
/*
 * find/: results as folders (folders.c), known by their path below it,
 * components separated by '/'. Those that nobody uses are forgotten.
 *
 *   find/<text>/01-name.ext    front matter and excerpt, a regular file
 *   find/<text>/files/...      links to the documents
 *   find/<text>/by-ext/c/      links, narrowed down by a facet
 *   find/<text>/<more text>/   narrowed down by another query
 *   find/<saved query>/        the same; rm demotes a document, ln pins it
 */
#include "fs/find/find.h"
#include "fs/base/names.h"
#include "fs/base/node.h"
#include "fs/base/tree.h"
#include "fs/find/found.h"
#include "fs/query/followed.h"
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define IDLE_NS	     10000000000u
#define IDLE_MANY_NS 1000000000u
enum { FINDS_KEPT = 256, FINDS_MANY = 1024, SWEEP_MAX = 512 };

/* --- nodes --- */

void fs_find_forget(struct fs *fs, struct fs_node *n)
{
	fs->nfinds--;
	fs_found_unref(n->found);
}

struct fs_node *fs_find_dir(struct fs_index *x, const char *path)
{
	struct fs_node *n = fs_keyed_node(x, &FS_FIND, NULL, path);

	if (n && !n->used_ns && x->fs->nfinds++ == 0)
		fs_live_nudge(x->fs);
	if (n)
		n->used_ns = rk_mono_ns();
	return n;
}

static char *below(const struct fs_node *dir, const char *name)
{
	char *path;

	if (!dir->text)
		return strdup(name);
	return asprintf(&path, "%s/%s", dir->text, name) < 0 ? NULL : path;
}

/* Takes one lookup of the node; NULL: no memory. */
void fs_find_reply(fuse_req_t req, struct fs *fs, struct fs_node *n)
{
	struct stat st;

	if (!n) {
		fuse_reply_err(req, ENOMEM);
		return;
	}
	n->nlookup++;
	fs_node_stat(n, &st);
	fs_reply_virtual(req, fs, n, &st, fs->timeout);
}

void fs_find_reply_dir(fuse_req_t req, struct fs_node *dir, const char *name)
{
	struct fs_index *x = dir->index;
	char *path = below(dir, name);
	struct fs_node *n = NULL;

	if (path)
		n = fs_find_dir(x, path);
	free(path);
	fs_find_reply(req, x->fs, n);
}

/* --- folders that nobody uses --- */

/*
 * Folders that many have been and nobody uses: names in find/ that the kernel
 * may forget, with all below them.
 */
struct unused {
	fuse_ino_t parent;
	char *name;
};

static size_t gather_unused(struct fs *fs, struct unused *v, size_t max)
{
	uint64_t idle = fs->nfinds > FINDS_MANY ? IDLE_MANY_NS : IDLE_NS;
	uint64_t now = rk_mono_ns();
	size_t n = 0;

	if (fs->nfinds <= FINDS_KEPT)
		return 0;
	for (size_t i = 0; i < FS_KEYED_BUCKETS && n < max; i++)
		for (struct fs_node *d = fs->keyed[i]; d && n < max;
		     d = d->chain) {
			if (d->kind != &FS_FIND || strchr(d->text, '/') ||
			    now - d->used_ns < idle)
				continue;
			d->used_ns = now; /* asked; not again at once */
			v[n].parent = fs_nodeid(
				fs,
				fs_fixed_find(d->index, FS_IN_ROOT | FS_IN_AT,
					      "find"));
			if ((v[n].name = strdup(d->text)) != NULL)
				n++;
		}
	return n;
}

void fs_find_sweep(struct fs *fs)
{
	struct unused *v = calloc(SWEEP_MAX, sizeof(*v));
	size_t n = 0;

	pthread_mutex_lock(&fs->loop);
	if (v)
		n = gather_unused(fs, v, SWEEP_MAX);
	pthread_mutex_unlock(&fs->loop);
	for (size_t i = 0; i < n; i++) {
		fuse_lowlevel_notify_inval_entry(fs->se, v[i].parent, v[i].name,
						 strlen(v[i].name));
		free(v[i].name);
	}
	free(v);
}

/* --- find/ itself --- */

static void root_lookup(fuse_req_t req, struct fs *fs, struct fs_node *dir,
			const char *name)
{
	(void)fs;
	if (fs_is_probe(name, fuse_req_ctx(req)->pid))
		fuse_reply_err(req, ENOENT);
	else if (strlen(name) > FS_QUERY_BYTES)
		fuse_reply_err(req, ENAMETOOLONG);
	else
		fs_find_reply_dir(req, dir, name);
}

static int root_list(struct fs_node *n, const _Atomic int *cancel,
		     struct rk_buf *b)
{
	struct rk_buf names = RK_BUF_INIT;
	const char *name;
	size_t at = 0;

	(void)cancel;
	rk_saved_names(n->index->ix, &names);
	while ((name = rk_buf_next(&names, &at)))
		fs_list_add(b, 'd', name);
	rk_buf_release(&names);
	return 0;
}

const struct fs_kind FS_FIND_DIR = {
	.name = "find/",
	.lookup = root_lookup,
	.list = root_list,
};
