/* SPDX-License-Identifier: MIT */
/*
 * .rankfs/: the control plane as small text files. One table says what each
 * file is: how it reads, what a write to it does. `ctl` takes a verb a line;
 * the verbs are a table, too.
 */
#include "fs/base/fs.h"
#include "fs/control/help.h"
#include "fs/render/render.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- what the files say --- */

static void read_status(struct fs_index *x, uid_t uid, struct rk_buf *out)
{
	struct rk_status st;

	(void)uid;
	rk_status(x->ix, &st);
	fs_render_status(&st, out);
	rk_sources_print(x->ix, out);
	fs_quota_print(x, out);
}

static void read_status_json(struct fs_index *x, uid_t uid, struct rk_buf *out)
{
	struct rk_status st;

	(void)uid;
	rk_status(x->ix, &st);
	fs_render_status_json(&st, out);
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

static void read_readme(struct fs_index *x, uid_t uid, struct rk_buf *out)
{
	(void)uid;
	fs_help_readme(x->path, out);
}

static void read_agents(struct fs_index *x, uid_t uid, struct rk_buf *out)
{
	(void)uid;
	fs_help_agents(x->path, out);
}

/* What is still to be done, a line each; "idle" when there is nothing. */
static void read_progress(struct fs_index *x, uid_t uid, struct rk_buf *out)
{
	struct rk_status st;
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
	struct rk_status st;

	(void)uid;
	rk_status(x->ix, &st);
	fs_render_metrics(&st, out);
}

/* --- at the top of many indexes --- */

static void top_status(struct fs_index *x, uid_t uid, struct rk_buf *out)
{
	struct fs *fs = x->fs;
	struct rk_buf names = RK_BUF_INIT;
	size_t n = 0, at = 0;

	fs_tenants_list(fs, &names);
	while (rk_buf_next(&names, &at))
		n++;
	rk_buf_printf(out, "indexes %zu\nopen %u\nopen_max %u\n", n, fs->nopen,
		      fs->open_max);
	/* names and owners are told by ls; only who mounted sees the rest */
	for (const struct fs_index *i = fs->indexes;
	     i && (uid == 0 || uid == fs->uid); i = i->next)
		if (i->ix && !i->removed)
			rk_buf_printf(out, "index %s pending %zu\n", i->name,
				      rk_pending(i->ix));
	rk_buf_release(&names);
}

static void top_metrics(struct fs_index *x, uid_t uid, struct rk_buf *out)
{
	(void)uid;
	rk_buf_printf(out,
		      "# TYPE rankfs_open_indexes gauge\n"
		      "rankfs_open_indexes %u\n",
		      x->fs->nopen);
}

/* --- what writing does --- */

static int verb_verify(struct rk_index *ix)
{
	struct rk_verify_report r;
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

struct verb {
	const char *name, *help;
	int (*run)(struct rk_index *ix);
	/* or with the rest of the line */
	int (*with)(struct fs_index *x, const char *arg);
};

static const struct verb TOP_VERBS[];
static const struct verb VERBS[] = {
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

static const struct verb *verbs_of(const struct fs_index *x)
{
	return x == x->fs->top ? TOP_VERBS : VERBS;
}

static void read_ctl(struct fs_index *x, uid_t uid, struct rk_buf *out)
{
	(void)uid;
	rk_buf_str(out, "# write one of these, a line each:\n");
	for (const struct verb *v = verbs_of(x); v->name; v++)
		rk_buf_printf(out, "# %-11s %s\n", v->name, v->help);
}

static int call_verb(struct fs_index *x, const struct verb *v, const char *arg,
		     char *err, size_t err_n)
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
	for (const struct verb *v = verbs_of(x); v->name; v++)
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

static int write_ctl(struct fs_index *x, const char *s, size_t n, char *err,
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

/* A number and, if there is room for one, K, M or G. */
static int parse_size(const char *s, const char *units, uint64_t *out)
{
	const char *unit;
	char *end;
	int shift = 0;

	if (*s < '0' || *s > '9')
		return -EINVAL;
	errno = 0;
	*out = strtoull(s, &end, 10);
	if (*end && (unit = strchr(units, *end)) != NULL && !end[1])
		shift = 10 * (int)(unit - units + 1);
	else if (*end)
		return -EINVAL;
	if (errno || *out > UINT64_MAX >> shift)
		return -ERANGE;
	*out <<= shift;
	return 0;
}

/* quota NAME BYTES FILES */
static int top_quota(struct fs_index *x, const char *arg)
{
	char name[64], first[32], second[32], rest;
	uint64_t bytes, files;
	struct fs_index *i;
	int rc;

	if (sscanf(arg, "%63s %31s %31s %c", name, first, second, &rest) != 3)
		return -EINVAL;
	if ((rc = parse_size(first, "KMG", &bytes)) < 0 ||
	    (rc = parse_size(second, "", &files)) < 0)
		return rc;
	pthread_mutex_lock(&x->fs->loop);
	i = fs_tenant(x->fs, name);
	rc = i ? fs_quota_set(i, bytes, files) : -ENOENT;
	pthread_mutex_unlock(&x->fs->loop);
	return rc;
}

/* expire DAYS */
static int top_expire(struct fs_index *x, const char *arg)
{
	char *end;
	long days = strtol(arg, &end, 10);

	if (end == arg || *end || days < 1)
		return -EINVAL;
	return fs_tenants_expire(x->fs, days * 86400) < 0 ? -EIO : 0;
}

/* remove NAME: the index and all documents in it */
static int top_remove(struct fs_index *x, const char *arg)
{
	int rc;

	if (!fs_tenant_name_ok(arg))
		return -EINVAL;
	pthread_mutex_lock(&x->fs->loop);
	rc = fs_tenant_remove(x->fs, arg);
	pthread_mutex_unlock(&x->fs->loop);
	return rc;
}

static const struct verb TOP_VERBS[] = {
	{"quota", "quota NAME BYTES[K|M|G] FILES: limits of an index; 0: none",
	 NULL, top_quota},
	{"expire", "expire DAYS: remove indexes that nobody opened so long",
	 NULL, top_expire},
	{"remove", "remove NAME: an index and all documents in it", NULL,
	 top_remove},
	{NULL, NULL, NULL, NULL},
};

static int write_config(struct fs_index *x, const char *s, size_t n, char *err,
			size_t err_n)
{
	return rk_config_set(x->ix, s, n, err, err_n);
}

/* --- the table --- */

struct fs_file {
	const char *name;
	void (*read)(struct fs_index *, uid_t, struct rk_buf *);
	/* in a pool thread; a sentence in err when it fails */
	int (*write)(struct fs_index *, const char *, size_t, char *err,
		     size_t err_n);
	/* at the top of many indexes; NULL: it is not there */
	void (*top)(struct fs_index *, uid_t, struct rk_buf *);
	int secret; /* may name what has gone and was not for others */
};

static const struct fs_file FILES[] = {
	{"README", read_readme, NULL, read_readme, 0},
	{"AGENTS.md", read_agents, NULL, read_agents, 0},
	{"config", read_config, write_config, NULL, 0},
	{"ctl", read_ctl, write_ctl, read_ctl, 0},
	{"error", fs_read_error, NULL, fs_read_error, 0},
	{"metrics", read_metrics, NULL, top_metrics, 0},
	{"progress", read_progress, NULL, NULL, 0},
	{"status", read_status, NULL, top_status, 0},
	{"status.json", read_status_json, NULL, NULL, 0},
	{"warnings", read_warnings, NULL, NULL, 1},
};
enum { NFILES = sizeof(FILES) / sizeof(FILES[0]) };

_Static_assert((int)NFILES <= (int)FS_CONTROL_FILES, "room for the files");

/* What has a kind of its own: at the root, and in .rankfs/. */
static const struct {
	size_t node; /* offset in struct fs_index */
	const struct fs_kind *kind;
} NODES[] = {
	{offsetof(struct fs_index, query_dir), &FS_QUERY_DIR},
	{offsetof(struct fs_index, find_dir), &FS_FIND_DIR},
	{offsetof(struct fs_index, control_dir), &FS_CONTROL_DIR},
	{offsetof(struct fs_index, recall_dir), &FS_RECALL_DIR},
	{offsetof(struct fs_index, ask), &FS_ASK},
	{offsetof(struct fs_index, import), &FS_IMPORT},
	{offsetof(struct fs_index, similar_dir), &FS_SIMILAR_DIR},
	{offsetof(struct fs_index, chunks_dir), &FS_CHUNKS_DIR},
	{offsetof(struct fs_index, symbols_dir), &FS_SYMBOLS_DIR},
	{offsetof(struct fs_index, events_file), &FS_EVENTS_FILE},
	{offsetof(struct fs_index, export_file), &FS_EXPORT},
	{offsetof(struct fs_index, at_dir), &FS_AT_DIR},
	{offsetof(struct fs_index, text_dir), &FS_TEXT_DIR},
};
enum { NNODES = sizeof(NODES) / sizeof(NODES[0]), FIRST_FILE = 100 };

static struct fs_node **node_slot(const struct fs_index *x, size_t off)
{
	return (struct fs_node **)((uintptr_t)x + off);
}

/* Inode numbers that no backing file system uses. */
static struct fs_node *node_new(struct fs_index *x, const struct fs_kind *kind,
				int number)
{
	struct fs_node *n = fs_node_virtual(x, kind);

	if (n)
		n->ino = ((ino_t)0x7f << 56) | (ino_t)number;
	return n;
}

int fs_control_init(struct fs_index *x)
{
	for (int i = 0; i < NNODES; i++)
		if (!(*node_slot(x, NODES[i].node) =
			      node_new(x, NODES[i].kind, i + 1)))
			return -ENOMEM;
	for (int i = 0; i < NFILES; i++) {
		x->files[i] = node_new(x, &FS_CONTROL_FILE, FIRST_FILE + i);
		if (!x->files[i])
			return -ENOMEM;
		x->files[i]->file = &FILES[i];
	}
	return 0;
}

void fs_control_release(struct fs_index *x)
{
	for (int i = 0; i < NFILES; i++)
		free(x->files[i]);
	for (int i = 0; i < NNODES; i++)
		free(*node_slot(x, NODES[i].node));
}

int fs_control_in_use(const struct fs_index *x)
{
	for (int i = 0; i < NNODES; i++)
		if ((*node_slot(x, NODES[i].node))->nlookup)
			return 1;
	for (int i = 0; i < NFILES; i++)
		if (x->files[i]->nlookup)
			return 1;
	return 0;
}

/* --- files --- */

static struct fs_blob *file_text(const struct fs_node *n, uid_t uid)
{
	struct rk_buf b = RK_BUF_INIT;

	if (n->index == n->index->fs->top)
		n->file->top(n->index, uid, &b);
	else
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

/* What has a kind of its own. */
static const struct {
	const char *name;
	size_t node; /* offset in struct fs_index */
} OTHERS[] = {
	{"ask", offsetof(struct fs_index, ask)},
	{"import", offsetof(struct fs_index, import)},
	{"events", offsetof(struct fs_index, events_file)},
	{"export", offsetof(struct fs_index, export_file)},
	{"at", offsetof(struct fs_index, at_dir)},
	{"chunks", offsetof(struct fs_index, chunks_dir)},
	{"similar", offsetof(struct fs_index, similar_dir)},
	{"symbols", offsetof(struct fs_index, symbols_dir)},
	{"text", offsetof(struct fs_index, text_dir)},
};
enum { NOTHERS = sizeof(OTHERS) / sizeof(OTHERS[0]) };

static void dir_lookup(fuse_req_t req, struct fs *fs, struct fs_node *parent,
		       const char *name)
{
	struct fs_index *x = parent->index;
	struct stat st;

	for (int i = 0; i < NOTHERS && x != fs->top; i++) {
		struct fs_node *n = *node_slot(x, OTHERS[i].node);

		if (strcmp(OTHERS[i].name, name) != 0)
			continue;
		n->nlookup++;
		n->kind->stat(n, &st);
		fs_reply_virtual(req, fs, n, &st, fs->timeout);
		return;
	}
	for (int i = 0; i < NFILES; i++) {
		if (strcmp(FILES[i].name, name) != 0 ||
		    (x == fs->top && !FILES[i].top))
			continue;
		x->files[i]->nlookup++;
		file_stat(x->files[i], &st);
		fs_reply_virtual(req, fs, x->files[i], &st, fs->timeout);
		return;
	}
	fuse_reply_err(req, ENOENT);
}

static void dir_readdir(fuse_req_t req, struct fs *fs, struct fs_handle *h,
			size_t size, off_t off, int plus)
{
	struct fs_index *x = h->node->index;
	struct rk_buf b = RK_BUF_INIT;

	fs_list_begin(&b);
	for (int i = 0; i < NFILES; i++)
		if (x != fs->top || FILES[i].top)
			fs_list_add(&b, 'f', FILES[i].name);
	for (int i = 0; i < NOTHERS && x != fs->top; i++) {
		const struct fs_node *n = *node_slot(x, OTHERS[i].node);

		fs_list_add(&b, n->kind->readdir ? 'd' : 'f', OTHERS[i].name);
	}
	fs_list_reply(req, h, &b, size, off, plus);
}

const struct fs_kind FS_CONTROL_DIR = {
	.name = ".rankfs/",
	.lookup = dir_lookup,
	.getattr = fs_virtual_dir_getattr,
	.release = fs_blob_release,
	.readdir = dir_readdir,
};
