/* SPDX-License-Identifier: MIT */
/*
 * .rankfs/terms/PREFIX/: the vocabulary. A folder's entries are the words that
 * begin with its name, at most TERMS_MAX, the most frequent first; of terms/
 * itself the most frequent of all. The size of an entry is its count, so that
 * `ls -lS` sorts by it; there is nothing in it to read. The words in terms/
 * are folders in turn: each is a prefix.
 */
#include "fs/base/errno.h"
#include "fs/base/file.h"
#include "fs/base/names.h"
#include "fs/base/node.h"
#include "fs/base/pool.h"
#include "fs/base/tree.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { TERMS_MAX = 1000 };

/* --- a word --- */

static void word_read(const struct fs_use *u, struct rk_buf *out)
{
	(void)u; /* what there is to say is its size */
	(void)out;
}

static int word_stat(const struct fs_use *u, struct stat *st)
{
	st->st_size = (off_t)u->n->size;
	st->st_blocks = 0;
	return 0;
}

static const struct fs_file WORD = {
	.name = ".rankfs/terms/<prefix>/<word>",
	.mode = 0444,
	.read = word_read,
	.stat = word_stat,
};

/* --- looking up --- */

struct terms_job {
	struct fs_job job;
	fuse_req_t req;
	struct fs_node *dir;
	_Atomic int cancel;
	char word[];
};

/* Is there any word that begins so? 1, 0, negative. */
static int begins_any(struct rk_index *ix, const char *word,
		      const struct rk_search_opts *opts)
{
	struct rk_terms *t;
	int rc = rk_terms(ix, word, strlen(word), 1, opts, &t);

	if (rc < 0)
		return rc;
	rc = t->n > 0;
	rk_terms_free(t);
	return rc;
}

static void reply(struct terms_job *j, uint64_t count)
{
	struct fs_index *x = j->dir->index;
	struct fs_node *n;
	struct stat st;

	pthread_mutex_lock(&x->fs->loop);
	n = j->dir->text ? fs_file_node(x, &WORD, j->word)
			 : fs_keyed_node(x, &FS_TERMS, NULL, j->word);
	if (n) {
		n->nlookup++;
		n->size = (size_t)count;
		fs_node_stat(n, &st);
		/* whether a prefix is one takes a walk of the dictionaries: not
		 * for each word below it */
		fs_reply_virtual(j->req, x->fs, n, &st,
				 j->dir->text ? 0 : x->fs->timeout);
	} else {
		fuse_reply_err(j->req, ENOMEM);
	}
	pthread_mutex_unlock(&x->fs->loop);
}

static void lookup_run(struct fs_job *job)
{
	struct terms_job *j = (struct terms_job *)job;
	struct rk_search_opts opts = {
		.size = sizeof(opts), .wait_ms = -1, .cancel = &j->cancel};
	struct rk_index *ix = j->dir->index->ix;
	uint64_t count;
	int rc = rk_term_count(ix, j->word, strlen(j->word), &opts, &count);

	if (rc == 0)
		rc = count > 0;
	if (rc == 0 && !j->dir->text)
		rc = begins_any(ix, j->word, &opts);
	fuse_req_interrupt_func(j->req, NULL, NULL);
	if (rc == 1)
		reply(j, count);
	else
		fuse_reply_err(j->req, rc < 0 ? fs_errno(rc) : ENOENT);
	free(j);
}

static void interrupted(fuse_req_t req, void *data)
{
	struct terms_job *j = data;

	(void)req;
	j->cancel = 1;
}

static void terms_lookup(fuse_req_t req, struct fs *fs, struct fs_node *dir,
			 const char *name)
{
	const char *prefix = dir->text ? dir->text : "";
	struct terms_job *j;

	if (fs_is_probe(name, fuse_req_ctx(req)->pid) ||
	    strncasecmp(name, prefix, strlen(prefix)) != 0) {
		fuse_reply_err(req, ENOENT);
		return;
	}
	if (!(j = calloc(1, sizeof(*j) + strlen(name) + 1))) {
		fuse_reply_err(req, ENOMEM);
		return;
	}
	strcpy(j->word, name);
	j->job = (struct fs_job){.run = lookup_run, .x = dir->index};
	j->req = req;
	j->dir = dir;
	fuse_req_interrupt_func(req, interrupted, j);
	fs_run(fs, req, &j->job);
}

/* --- listing --- */

static int terms_list(struct fs_node *dir, const _Atomic int *cancel,
		      struct rk_buf *b)
{
	struct rk_search_opts opts = {
		.size = sizeof(opts), .wait_ms = -1, .cancel = cancel};
	const char *prefix = dir->text ? dir->text : "";
	struct rk_terms *t;
	int rc = rk_terms(dir->index->ix, prefix, strlen(prefix), TERMS_MAX,
			  &opts, &t);

	if (rc < 0)
		return rc;
	for (size_t i = 0; i < t->n; i++)
		fs_list_add(b, dir->text ? 'f' : 'd', t->v[i].word);
	rk_terms_free(t);
	return 0;
}

static void prefix_stat(struct fs_node *n, struct stat *st)
{
	fs_virtual_stat(n, S_IFDIR | 0555, n->size, st);
	st->st_blocks = 0;
}

const struct fs_kind FS_TERMS_DIR = {
	.name = ".rankfs/terms/",
	.lookup = terms_lookup,
	.list = terms_list,
	.list_later = 1,
};

const struct fs_kind FS_TERMS = {
	.name = ".rankfs/terms/<prefix>/",
	.lookup = terms_lookup,
	.list = terms_list,
	.list_later = 1,
	.stat = prefix_stat,
};
