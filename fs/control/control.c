/* SPDX-License-Identifier: MIT */
/*
 * .rankfs/: the control plane as small text files. One table says what each
 * file is: how it reads, what a write to it does. `ctl` takes a verb a line;
 * the verbs are a table, too.
 */
#include "fs/control/control.h"
#include "fs/base/errno.h"
#include "fs/base/errors.h"
#include "fs/base/mounted.h"
#include "fs/base/node.h"
#include "fs/base/pool.h"
#include "fs/base/quota.h"
#include "fs/base/tree.h"
#include "fs/control/help.h"
#include "fs/query/saved.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- what the files say --- */

static void read_status(struct fs_index *x, uid_t uid, struct rk_buf *out)
{
	struct rk_status st = {.size = sizeof(st)};

	(void)uid;
	rk_status(x->ix, &st);
	rk_render_status(&st, RK_STATUS_TEXT, out);
	rk_sources_print(x->ix, out);
	fs_quota_print(x, out);
}

static void read_status_json(struct fs_index *x, uid_t uid, struct rk_buf *out)
{
	struct rk_status st = {.size = sizeof(st)};

	(void)uid;
	rk_status(x->ix, &st);
	rk_render_status(&st, RK_STATUS_JSON, out);
}

static void read_warnings(struct fs_index *x, uid_t uid, struct rk_buf *out)
{
	(void)uid;
	rk_warnings(x->ix, out);
}

static void read_config(struct fs_index *x, uid_t uid, struct rk_buf *out)
{
	(void)uid;
	rk_config_print(x->ix, out);
}

void fs_read_readme(struct fs_index *x, uid_t uid, struct rk_buf *out)
{
	(void)uid;
	fs_help_readme(x->path, out);
}

void fs_read_agents(struct fs_index *x, uid_t uid, struct rk_buf *out)
{
	(void)uid;
	fs_help_agents(x->path, out);
}

/* What is still to be done, a line each; "idle" when there is nothing. */
static void read_progress(struct fs_index *x, uid_t uid, struct rk_buf *out)
{
	struct rk_status st = {.size = sizeof(st)};
	size_t before = out->n;

	(void)uid;
	rk_status(x->ix, &st);
	if (st.pending)
		rk_buf_printf(out, "indexing %zu waiting, %llu done\n",
			      st.pending, (unsigned long long)st.docs);
	if (st.reconciling)
		rk_buf_str(out, "comparing documents with the index\n");
	if (st.embedding)
		rk_buf_printf(out, "vectors %llu of %llu\n",
			      (unsigned long long)st.vectors,
			      (unsigned long long)st.chunks);
	if (out->n == before)
		rk_buf_str(out, "idle\n");
}

static void read_metrics(struct fs_index *x, uid_t uid, struct rk_buf *out)
{
	struct rk_status st = {.size = sizeof(st)};

	(void)uid;
	rk_status(x->ix, &st);
	rk_render_status(&st, RK_STATUS_METRICS, out);
}

/* --- what writing does --- */

static int verb_verify(struct rk_index *ix)
{
	struct rk_verify_report r = {.size = sizeof(r)};
	int rc = rk_verify(ix, &r);

	return rc < 0 ? rc : r.damaged ? RK_ECORRUPT : 0;
}

static int verb_reindex(struct rk_index *ix)
{
	return rk_reindex(ix, 1);
}

enum { REFIT_MS = 120000 };

static int verb_refit(struct rk_index *ix)
{
	return rk_refit(ix, REFIT_MS);
}

static int verb_reconcile(struct rk_index *ix)
{
	return rk_reindex(ix, 0);
}

static int verb_sync(struct rk_index *ix)
{
	return rk_sync(ix, rk_last_touch(ix));
}

static int verb_clear(struct rk_index *ix)
{
	return rk_clear_caches(ix);
}

const struct fs_verb FS_VERBS[] = {
	{"checkpoint", "write what is in memory to a segment now",
	 rk_checkpoint, NULL},
	{"compact", "merge all segments into one, drop old checkpoints",
	 rk_compact, NULL},
	{"refit", "fit the built-in embedding anew, wait for the vectors",
	 verb_refit, NULL},
	{"reindex", "read every document again", verb_reindex, NULL},
	{"reconcile", "compare documents and index", verb_reconcile, NULL},
	{"verify", "check every checksum; damage goes to .rankfs/warnings",
	 verb_verify, NULL},
	{"sync", "put everything accepted so far on disk", verb_sync, NULL},
	{"clear", "throw away extracted texts that are kept", verb_clear, NULL},
	{"save", "save NAME QUERY: as ln -s QUERY query/NAME", NULL,
	 fs_saved_verb_save},
	{"unsave", "unsave NAME: forget a saved query", NULL,
	 fs_saved_verb_unsave},
	{"unmark", "unmark NAME: undo what rm and ln did in find/NAME/", NULL,
	 fs_saved_verb_unmark},
	{NULL, NULL, NULL, NULL},
};

enum { LINE_BYTES = 8192 };

void fs_read_ctl(struct fs_index *x, uid_t uid, struct rk_buf *out)
{
	(void)uid;
	rk_buf_str(out, "# write one of these, a line each:\n");
	for (const struct fs_verb *v = x->verbs; v->name; v++)
		rk_buf_printf(out, "# %-11s %s\n", v->name, v->help);
}

static int call_verb(struct fs_index *x, const struct fs_verb *v,
		     const char *arg, char *err, size_t err_n)
{
	int rc;

	if (v->run && !*arg) {
		rc = v->run(x->ix);
	} else if (v->with && *arg) {
		rc = v->with(x, arg);
	} else {
		snprintf(err, err_n, "%s: %s", v->name,
			 v->with ? v->help : "takes nothing behind it");
		return -EINVAL;
	}
	if (rc < 0)
		snprintf(err, err_n, "%s: %s", v->name, rk_strerror(rc));
	return rc;
}

static int run_verb(struct fs_index *x, const char *s, size_t n, char *err,
		    size_t err_n)
{
	char line[LINE_BYTES];
	size_t verb_n;

	if (n >= sizeof(line) || memchr(s, '\0', n)) {
		snprintf(err, err_n, "ctl: not a line of text");
		return -EINVAL;
	}
	memcpy(line, s, n);
	line[n] = '\0';
	verb_n = strcspn(line, " \t");
	for (const struct fs_verb *v = x->verbs; v->name; v++)
		if (strlen(v->name) == verb_n &&
		    memcmp(v->name, line, verb_n) == 0)
			return call_verb(x, v,
					 line + verb_n +
						 strspn(line + verb_n, " \t"),
					 err, err_n);
	snprintf(err, err_n, "ctl: '%.*s' is no verb; cat .rankfs/ctl for them",
		 (int)(n < 80 ? n : 80), line);
	return -EINVAL;
}

int fs_write_ctl(struct fs_index *x, const char *s, size_t n, char *err,
		 size_t err_n)
{
	const char *end = s + n;
	int rc = 0;

	while (s < end && rc >= 0) {
		const char *nl = memchr(s, '\n', (size_t)(end - s));
		const char *e = nl ? nl : end;

		while (s < e && (*s == ' ' || *s == '\t'))
			s++;
		while (e > s && strchr(" \t\r", e[-1]))
			e--;
		if (e > s && *s != '#')
			rc = run_verb(x, s, (size_t)(e - s), err, err_n);
		s = nl ? nl + 1 : end;
	}
	return rc < 0 ? rc : 0;
}

static int write_config(struct fs_index *x, const char *s, size_t n, char *err,
			size_t err_n)
{
	return rk_config_set(x->ix, s, n, err, err_n);
}

enum { FIRST_FILE = 100 }; /* of their inode numbers */

/* --- the table --- */

const struct fs_file FS_FILES[] = {
	{"README", fs_read_readme, NULL, 0},
	{"AGENTS.md", fs_read_agents, NULL, 0},
	{"config", read_config, write_config, 0},
	{"ctl", fs_read_ctl, fs_write_ctl, 0},
	{"error", fs_read_error, NULL, 0},
	{"metrics", read_metrics, NULL, 0},
	{"progress", read_progress, NULL, 0},
	{"status", read_status, NULL, 0},
	{"status.json", read_status_json, NULL, 0},
	{"warnings", read_warnings, NULL, 1},
	{NULL, NULL, NULL, 0},
};

_Static_assert(sizeof(FS_FILES) / sizeof(FS_FILES[0]) - 1 <=
		       (size_t)FS_CONTROL_FILES,
	       "room for the files");

int fs_control_files(struct fs_index *x, const struct fs_file *files)
{
	for (int i = 0; files[i].name; i++) {
		x->files[i] =
			fs_fixed_node(x, &FS_CONTROL_FILE, FIRST_FILE + i);
		if (!x->files[i])
			return -ENOMEM;
		x->files[i]->file = &files[i];
	}
	return 0;
}

/* --- reading and writing them --- */

static struct fs_blob *file_text(const struct fs_node *n, uid_t uid)
{
	struct rk_buf b = RK_BUF_INIT;

	n->file->read(n->index, uid, &b);
	return fs_blob_from(&b);
}

static mode_t file_mode(const struct fs_node *n)
{
	return S_IFREG | (n->file->secret  ? 0400
			  : n->file->write ? 0644
					   : 0444);
}

static void file_stat(struct fs_node *n, struct stat *st)
{
	struct fs_blob *b = file_text(n, n->index->fs->uid);

	fs_virtual_stat(n, file_mode(n), b ? b->n : 0, st);
	if (strcmp(n->file->name, "README") != 0)
		clock_gettime(CLOCK_REALTIME, &st->st_mtim);
	fs_blob_unref(b);
}

static void file_open(fuse_req_t req, struct fs *fs, struct fs_node *n,
		      struct fuse_file_info *fi)
{
	struct fs_blob *b = file_text(n, fuse_req_ctx(req)->uid);
	struct fs_handle *h;

	(void)fs;
	if ((fi->flags & O_ACCMODE) != O_RDONLY && !n->file->write) {
		fs_blob_unref(b);
		fuse_reply_err(req, EACCES);
		return;
	}
	if (!b || !(h = fs_handle_blob(n, b))) {
		fs_blob_unref(b);
		fuse_reply_err(req, ENOMEM);
		return;
	}
	fi->fh = (uintptr_t)h;
	fi->direct_io = 1;
	fuse_reply_open(req, fi);
}

struct write_job {
	struct fs_job job;
	fuse_req_t req;
	struct fs_index *x;
	const struct fs_file *file;
	uid_t uid;
	size_t n;
	char p[];
};

static void write_run(struct fs_job *job)
{
	struct write_job *j = (struct write_job *)job;
	char err[256] = "";
	int rc = j->file->write(j->x, j->p, j->n, err, sizeof(err));

	fs_remember_error(j->x->fs, j->uid, err);
	if (rc < 0)
		fuse_reply_err(j->req, fs_errno(rc));
	else
		fuse_reply_write(j->req, j->n);
	free(j);
}

static void file_write(fuse_req_t req, struct fs *fs, struct fs_handle *h,
		       const char *p, size_t n, off_t off)
{
	const struct fs_file *file = h->node->file;
	struct write_job *j;

	(void)off;
	if (!file->write ||
	    !fs_is_owner(h->node->index, fuse_req_ctx(req)->uid)) {
		fuse_reply_err(req, EACCES);
		return;
	}
	j = malloc(sizeof(*j) + n);
	if (!j) {
		fuse_reply_err(req, ENOMEM);
		return;
	}
	j->job.run = write_run;
	j->job.x = h->node->index;
	j->req = req;
	j->x = h->node->index;
	j->file = file;
	j->uid = fuse_req_ctx(req)->uid;
	j->n = n;
	memcpy(j->p, p, n);
	fs_pool_add(fs->pool, &j->job);
}

const struct fs_kind FS_CONTROL_FILE = {
	.name = ".rankfs/file",
	.getattr = fs_virtual_getattr,
	.setattr = fs_virtual_setattr,
	.open = file_open,
	.read = fs_blob_read,
	.write = file_write,
	.release = fs_blob_release,
	.stat = file_stat,
};

/* --- the folder --- */

static void reply_fixed(fuse_req_t req, struct fs_node *n)
{
	struct fs *fs = n->index->fs;
	struct stat st;

	n->nlookup++;
	fs_dir_stat(n, &st);
	fs_reply_virtual(req, fs, n, &st, fs->timeout);
}

static void dir_lookup(fuse_req_t req, struct fs *fs, struct fs_node *parent,
		       const char *name)
{
	struct fs_index *x = parent->index;
	struct fs_node *n =
		x == fs->top ? NULL : fs_fixed_find(x, FS_IN_CONTROL, name);

	for (int i = 0; !n && i < FS_CONTROL_FILES && x->files[i]; i++)
		if (strcmp(x->files[i]->file->name, name) == 0)
			n = x->files[i];
	if (n)
		reply_fixed(req, n);
	else
		fuse_reply_err(req, ENOENT);
}

static void dir_readdir(fuse_req_t req, struct fs *fs, struct fs_handle *h,
			size_t size, off_t off, int plus)
{
	struct fs_index *x = h->node->index;
	struct rk_buf b = RK_BUF_INIT;
	const char *name;
	struct fs_node *n;

	fs_list_begin(&b);
	for (int i = 0; i < FS_CONTROL_FILES && x->files[i]; i++)
		fs_list_add(&b, 'f', x->files[i]->file->name);
	for (int i = 0;
	     x != fs->top && (name = fs_fixed_listed(x, FS_IN_CONTROL, i, &n));
	     i++)
		fs_list_add(&b, n->kind->readdir ? 'd' : 'f', name);
	fs_list_reply(req, h, &b, size, off, plus);
}

const struct fs_kind FS_CONTROL_DIR = {
	.name = ".rankfs/",
	.lookup = dir_lookup,
	.getattr = fs_virtual_dir_getattr,
	.release = fs_blob_release,
	.readdir = dir_readdir,
};
