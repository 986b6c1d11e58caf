/* SPDX-License-Identifier: MIT */
/*
 * query/ at the top of a mount with -o multi: one answer over all indexes that
 * the caller may read. What he may not read is not asked: it is in no count,
 * weighs no word, and is waited for by nobody.
 *
 * The node of such a query stands for the text and for who asks; its key is
 * the text, a byte 1, and the caller's ids.
 */
#include "fs/indexes/federated.h"
#include "base/hash.h"
#include "fs/base/node.h"
#include "fs/base/options.h"
#include "fs/base/walls.h"
#include "fs/indexes/tenants.h"
#include "fs/query/answers.h"
#include "fs/query/query.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { GROUPS_MAX = 256, KEY_BYTES = 8192 };

struct caller {
	uid_t uid;
	gid_t groups[GROUPS_MAX + 1];
	int ngroups;
};

/* --- keys --- */

/* The key of a text for who asks; 0 or -ENAMETOOLONG. */
static int key_of(fuse_req_t req, const char *text, char *out, size_t cap)
{
	const struct fuse_ctx *c = fuse_req_ctx(req);
	struct fs *fs = fuse_req_userdata(req);
	gid_t groups[GROUPS_MAX];
	int n, len = snprintf(out, cap, "%s\001%u:%u", text, c->uid, c->gid);

	if (!fs->allow_other)
		return 0;
	n = fuse_req_getgroups(req, GROUPS_MAX, groups);
	for (int i = 0; i < n && i < GROUPS_MAX && (size_t)len < cap; i++)
		len += snprintf(out + len, cap - (size_t)len, ",%u", groups[i]);
	return (size_t)len < cap ? 0 : -ENAMETOOLONG;
}

/* An answer over many indexes is for who asked. */
static int is_mine(fuse_req_t req, const struct fs_node *n)
{
	char key[KEY_BYTES], text[KEY_BYTES];
	size_t len = strcspn(n->text, "\001");

	if (len >= sizeof(text))
		return 0;
	memcpy(text, n->text, len);
	text[len] = '\0';
	return key_of(req, text, key, sizeof(key)) == 0 &&
	       strcmp(key, n->text) == 0;
}

static void caller_of(const char *key, struct caller *c)
{
	const char *p = strchr(key, '\001');
	char *end;

	memset(c, 0, sizeof(*c));
	c->uid = (uid_t)-1;
	if (!p)
		return;
	c->uid = (uid_t)strtoul(p + 1, &end, 10);
	while ((*end == ':' || *end == ',') && c->ngroups <= GROUPS_MAX)
		c->groups[c->ngroups++] = (gid_t)strtoul(end + 1, &end, 10);
}

/* --- what may be read --- */

static int in_group(const struct caller *c, gid_t gid)
{
	for (int i = 0; i < c->ngroups; i++)
		if (c->groups[i] == gid)
			return 1;
	return 0;
}

/* As the kernel would decide about listing and entering the folder. */
static int may_read(const struct caller *c, const struct stat *st)
{
	mode_t m = st->st_mode;

	if (c->uid == 0)
		return 1;
	m = c->uid == st->st_uid      ? m >> 6
	    : in_group(c, st->st_gid) ? m >> 3
				      : m;
	return (m & 5) == 5;
}

/* --- asking --- */

struct asking {
	struct fs *fs;
	struct rk_federation *f;
	const struct rk_search_opts *opts;
	struct caller caller;
	struct rk_buf names; /* of what may be read */
};

/* An index as it is open, or opened to be read; *own: close it again. */
static int borrow(struct fs *fs, const char *name, struct fs_index **x,
		  struct rk_index **ix, int *own)
{
	int rc = 0;

	*own = 0;
	pthread_mutex_lock(&fs->loop);
	*x = fs_tenant(fs, name);
	*ix = *x ? (*x)->ix : NULL;
	if (*x)
		(*x)->busy++;
	pthread_mutex_unlock(&fs->loop);
	if (*x && !*ix) {
		rc = rk_index_open(fs_env(), fs->backing, name, RK_READ_ONLY,
				   ix);
		*own = rc == 0;
	}
	return *x ? rc : -ENOENT;
}

static void give_back(struct fs_index *x, struct rk_index *ix, int own)
{
	if (own)
		rk_index_close(ix);
	if (x)
		x->busy--;
}

typedef int step_fn(struct asking *a, struct rk_index *ix, const char *name);

static int count(struct asking *a, struct rk_index *ix, const char *name)
{
	(void)name;
	return rk_federation_count(a->f, ix, a->opts);
}

static int ask(struct asking *a, struct rk_index *ix, const char *name)
{
	return rk_federation_ask(a->f, ix, name, a->opts);
}

/* One step over all names; those that give 0 are left out of *next. */
static int each(struct asking *a, const struct rk_buf *names, step_fn *step,
		struct rk_buf *next)
{
	const char *name;
	size_t at = 0;
	int rc = 0;

	while (rc >= 0 && (name = rk_buf_next(names, &at)) != NULL) {
		struct rk_index *ix = NULL;
		struct fs_index *x = NULL;
		int own = 0;

		if (a->opts->cancel && *a->opts->cancel)
			return RK_ECANCELLED;
		if (borrow(a->fs, name, &x, &ix, &own) == 0 &&
		    (rc = step(a, ix, name)) == 1 && next)
			rk_buf_name(next, name);
		give_back(x, ix, own);
	}
	return rc < 0 ? rc : 0;
}

/* Not his, and with a document in it that he may not read. */
static int walled(const struct asking *a, const char *name,
		  const struct stat *st)
{
	struct fs *fs = a->fs;
	struct fs_index *x;
	int yes = 1;

	if (a->caller.uid == 0 || a->caller.uid == fs->uid ||
	    a->caller.uid == st->st_uid)
		return 0;
	pthread_mutex_lock(&fs->loop);
	if ((x = fs_tenant(fs, name)) != NULL)
		x->busy++;
	pthread_mutex_unlock(&fs->loop);
	if (x) {
		yes = fs_wall_scan(x);
		x->busy--;
	}
	return yes;
}

static int gather_names(struct asking *a)
{
	struct rk_buf all = RK_BUF_INIT;
	int rc = fs_tenants_list(a->fs, &all);
	const char *name;
	size_t at = 0;

	while (rc == 0 && (name = rk_buf_next(&all, &at)) != NULL) {
		char path[4096];
		struct stat st;

		snprintf(path, sizeof(path), "%s/files", name);
		if (fstatat(a->fs->indexes_fd, path, &st,
			    AT_SYMLINK_NOFOLLOW) == 0 &&
		    may_read(&a->caller, &st) && !walled(a, name, &st))
			rk_buf_name(&a->names, name);
	}
	rk_buf_release(&all);
	return rc ? rc : a->names.err;
}

static int render(struct asking *a, const char *text, size_t n,
		  struct fs_answer *out)
{
	struct rk_results *r;
	size_t body;
	int rc = rk_federation_results(a->f, &r);

	if (rc < 0)
		return rc;
	rk_render(r, r->format, text, n, a->fs->mountpoint, &out->text, &body);
	out->hash = fs_answer_hash(r);
	out->form = fs_answer_form(r);
	out->pending = r->pending;
	rk_federation_results_free(r);
	return 0;
}

static int federated_answer(struct fs_node *node,
			    const struct rk_search_opts *opts,
			    struct fs_answer *out)
{
	size_t n = strcspn(node->text, "\001");
	struct asking a = {.fs = node->index->fs, .opts = opts};
	struct rk_buf some = RK_BUF_INIT;
	int rc;

	out->generation = a.fs->epoch;
	caller_of(node->text, &a.caller);
	if (!(a.f = rk_federation_new(node->text, n)))
		return -ENOMEM;
	rc = gather_names(&a);
	if (rc == 0)
		rc = each(&a, &a.names, count, &some);
	if (rc == 0)
		rc = each(&a, &some, ask, NULL);
	if (rc == 0)
		rc = render(&a, node->text, n, out);
	rk_federation_free(a.f);
	rk_buf_release(&a.names);
	rk_buf_release(&some);
	return rc;
}

/* What is pending in an index changes the epoch. */
static uint64_t federated_current(const struct fs_node *n, int *complete)
{
	*complete = 1;
	return n->index->fs->epoch;
}

static const struct fs_file FEDERATED = {
	.name = "federated",
	.kind = &FS_QUERY,
	.mode = 0444,
	.dir = "query",
	.answer = federated_answer,
	.current = federated_current,
	.is_allowed = is_mine,
	.is_slow = 1,
	.effect_without_words = RK_EFFECT_POSSIBLE,
};

struct fs_node *fs_federated_node(fuse_req_t req, struct fs_index *top,
				  const char *text)
{
	char key[FS_QUERY_BYTES + 4096];

	if (key_of(req, text, key, sizeof(key)) < 0)
		return NULL;
	return fs_view_node(top, &FEDERATED, key);
}
