/* SPDX-License-Identifier: MIT */
/*
 * .rankfs/: the control plane as small text files. One table says what each
 * file is: how it reads, what a write to it does. `ctl` takes a verb a line;
 * the verbs are a table, too.
 */
#include "fs.h"
#include "render.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- what the files say --- */

static void read_status(struct fs *fs, uid_t uid, struct rk_buf *out)
{
	struct rk_status st;

	(void)uid;
	rk_status(fs->ix, &st);
	fs_render_status(&st, out);
	rk_sources_print(fs->ix, out);
}

static void read_status_json(struct fs *fs, uid_t uid, struct rk_buf *out)
{
	struct rk_status st;

	(void)uid;
	rk_status(fs->ix, &st);
	fs_render_status_json(&st, out);
}

static void read_warnings(struct fs *fs, uid_t uid, struct rk_buf *out)
{
	(void)uid;
	rk_warnings(fs->ix, out);
}

static void read_config(struct fs *fs, uid_t uid, struct rk_buf *out)
{
	(void)uid;
	rk_config_print(fs->ix, out);
}

static void read_error(struct fs *fs, uid_t uid, struct rk_buf *out)
{
	pthread_mutex_lock(&fs->answers);
	for (size_t i = 0; i < 16; i++)
		if (fs->errors[i].text[0] && fs->errors[i].uid == uid)
			rk_buf_printf(out, "%s\n", fs->errors[i].text);
	pthread_mutex_unlock(&fs->answers);
}

static const char CTL_HELP[] =
	"# write one of these, a line each:\n"
	"# checkpoint  write what is in memory to a segment now\n"
	"# compact     merge all segments into one, drop old checkpoints\n"
	"# refit       fit the built-in embedding anew, wait for the vectors\n"
	"# reindex     read every document again\n"
	"# reconcile   compare documents and index\n"
	"# verify      check every checksum; damage goes to .rankfs/warnings\n"
	"# sync        put everything accepted so far on disk\n";

static void read_ctl(struct fs *fs, uid_t uid, struct rk_buf *out)
{
	(void)fs;
	(void)uid;
	rk_buf_str(out, CTL_HELP);
}

static void read_readme(struct fs *fs, uid_t uid, struct rk_buf *out)
{
	(void)uid;
	rk_buf_printf(
		out,
		"rankfs: copy documents in, read query/<text>.\n\n"
		"  cp -r ~/notes %s/\n"
		"  cat \"%s/query/how do I rotate the keys\"\n"
		"  cat \"%s/query/backup \\\"point in time\\\" -draft ext:md "
		"as:paths\"\n\n"
		"Words are ranked by relevance; all of them need not occur.\n"
		"  \"a phrase\"  +must  -not  OR  ( )  pre*  ~fuzzy  /regex/\n"
		"  path:src/**  ext:c,h  lang:  kind:function  sym:name  tag:\n"
		"  meta.key:value  after:2026-01  before:7d  size:>10k\n"
		"  n:20  page:2  min:0.3  sort:new  mode:lexical\n"
		"  as:text as:lines as:paths as:json as:jsonl as:pack "
		"tokens:4000\n"
		"A / in a name is written %%2F, a %% is %%25. =name makes a "
		"query of any name.\n\n"
		"recall/<question>: the document put away for it, if there "
		"is one.\n\n"
		".rankfs/ask                   write a question, read the "
		"answer\n"
		".rankfs/similar/<path>        what is like a document\n"
		".rankfs/chunks/<path>/        what a document was cut into\n"
		".rankfs/symbols/<name>        definitions, callers, callees, "
		"references\n"
		".rankfs/import                JSON Lines: id, text, metadata, "
		"vector\n"
		".rankfs/status, status.json   how the index is doing\n"
		".rankfs/warnings              what could not be indexed "
		"whole\n"
		".rankfs/config                settings, readable and "
		"writable\n"
		".rankfs/ctl                   verbs; cat it for the list\n"
		".rankfs/error                 why your last write failed\n",
		fs->mountpoint, fs->mountpoint, fs->mountpoint);
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

static const struct {
	const char *name;
	int (*run)(struct rk_index *ix);
} VERBS[] = {
	{"checkpoint", rk_checkpoint}, {"compact", rk_compact},
	{"reindex", verb_reindex},     {"reconcile", verb_reconcile},
	{"verify", verb_verify},       {"sync", verb_sync},
	{"refit", verb_refit},
};

static int run_verb(struct fs *fs, const char *s, size_t n, char *err,
		    size_t err_n)
{
	for (size_t i = 0; i < sizeof(VERBS) / sizeof(VERBS[0]); i++) {
		int rc;

		if (strlen(VERBS[i].name) != n || memcmp(VERBS[i].name, s, n))
			continue;
		rc = VERBS[i].run(fs->ix);
		if (rc < 0)
			snprintf(err, err_n, "%s: %s", VERBS[i].name,
				 rk_strerror(rc));
		return rc;
	}
	snprintf(err, err_n, "ctl: '%.*s' is no verb; cat .rankfs/ctl for them",
		 (int)(n < 80 ? n : 80), s);
	return -EINVAL;
}

static int write_ctl(struct fs *fs, const char *s, size_t n, char *err,
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
			rc = run_verb(fs, s, (size_t)(e - s), err, err_n);
		s = nl ? nl + 1 : end;
	}
	return rc < 0 ? rc : 0;
}

static int write_config(struct fs *fs, const char *s, size_t n, char *err,
			size_t err_n)
{
	return rk_config_set(fs->ix, s, n, err, err_n);
}

/* --- the table --- */

struct fs_file {
	const char *name;
	void (*read)(struct fs *, uid_t, struct rk_buf *);
	/* in a pool thread; a sentence in err when it fails */
	int (*write)(struct fs *, const char *, size_t, char *err,
		     size_t err_n);
};

static const struct fs_file FILES[] = {
	{"README", read_readme, NULL},
	{"config", read_config, write_config},
	{"ctl", read_ctl, write_ctl},
	{"error", read_error, NULL},
	{"status", read_status, NULL},
	{"status.json", read_status_json, NULL},
	{"warnings", read_warnings, NULL},
};
enum { NFILES = sizeof(FILES) / sizeof(FILES[0]) };

static struct fs_node *file_nodes[NFILES]; /* one mount a process */

int fs_control_init(struct fs *fs)
{
	fs->query_dir = fs_node_virtual(fs, &FS_QUERY_DIR);
	fs->control_dir = fs_node_virtual(fs, &FS_CONTROL_DIR);
	fs->recall_dir = fs_node_virtual(fs, &FS_RECALL_DIR);
	fs->ask = fs_node_virtual(fs, &FS_ASK);
	fs->import = fs_node_virtual(fs, &FS_IMPORT);
	fs->similar_dir = fs_node_virtual(fs, &FS_SIMILAR_DIR);
	fs->chunks_dir = fs_node_virtual(fs, &FS_CHUNKS_DIR);
	fs->symbols_dir = fs_node_virtual(fs, &FS_SYMBOLS_DIR);
	if (!fs->recall_dir || !fs->ask || !fs->import || !fs->similar_dir ||
	    !fs->chunks_dir || !fs->symbols_dir)
		return -ENOMEM;
	fs->chunks_dir->ino = ((ino_t)0x7f << 56) | 54;
	fs->symbols_dir->ino = ((ino_t)0x7f << 56) | 55;
	fs->recall_dir->ino = ((ino_t)0x7f << 56) | 50;
	fs->ask->ino = ((ino_t)0x7f << 56) | 51;
	fs->import->ino = ((ino_t)0x7f << 56) | 52;
	fs->similar_dir->ino = ((ino_t)0x7f << 56) | 53;
	for (int i = 0; i < NFILES; i++) {
		file_nodes[i] = fs_node_virtual(fs, &FS_CONTROL_FILE);
		if (!file_nodes[i])
			return -ENOMEM;
		file_nodes[i]->file = &FILES[i];
		file_nodes[i]->ino = ((ino_t)0x7f << 56) | (ino_t)(100 + i);
	}
	return fs->query_dir && fs->control_dir ? 0 : -ENOMEM;
}

void fs_control_release(struct fs *fs)
{
	for (int i = 0; i < NFILES; i++) {
		free(file_nodes[i]);
		file_nodes[i] = NULL;
	}
	free(fs->query_dir);
	free(fs->control_dir);
	free(fs->recall_dir);
	free(fs->ask);
	free(fs->import);
	free(fs->similar_dir);
	free(fs->chunks_dir);
	free(fs->symbols_dir);
}

struct fs_node *fs_query_readme(struct fs *fs)
{
	(void)fs;
	return file_nodes[0];
}

/* --- files --- */

static struct fs_blob *file_text(struct fs *fs, const struct fs_node *n,
				 uid_t uid)
{
	struct rk_buf b = RK_BUF_INIT;

	n->file->read(fs, uid, &b);
	return fs_blob_from(&b);
}

static mode_t file_mode(const struct fs_node *n)
{
	return S_IFREG | (n->file->write ? 0644 : 0444);
}

static void file_stat(struct fs *fs, struct fs_node *n, struct stat *st)
{
	struct fs_blob *b = file_text(fs, n, fs->uid);

	fs_virtual_stat(fs, n, file_mode(n), b ? b->n : 0, st);
	if (strcmp(n->file->name, "README") != 0)
		clock_gettime(CLOCK_REALTIME, &st->st_mtim);
	fs_blob_unref(b);
}

static void file_open(fuse_req_t req, struct fs *fs, struct fs_node *n,
		      struct fuse_file_info *fi)
{
	struct fs_blob *b = file_text(fs, n, fuse_req_ctx(req)->uid);
	struct fs_handle *h;

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

void fs_remember_error(struct fs *fs, uid_t uid, const char *text)
{
	size_t i = 0;

	pthread_mutex_lock(&fs->answers);
	while (i < 16 && (!fs->errors[i].text[0] || fs->errors[i].uid != uid))
		i++;
	if (i == 16 && *text)
		i = fs->next_error++ % 16;
	if (i < 16) {
		fs->errors[i].uid = uid;
		snprintf(fs->errors[i].text, sizeof(fs->errors[i].text), "%s",
			 text);
	}
	pthread_mutex_unlock(&fs->answers);
}

struct write_job {
	struct fs_job job;
	fuse_req_t req;
	struct fs *fs;
	const struct fs_file *file;
	uid_t uid;
	size_t n;
	char p[];
};

static void write_run(struct fs_job *job)
{
	struct write_job *j = (struct write_job *)job;
	char err[256] = "";
	int rc = j->file->write(j->fs, j->p, j->n, err, sizeof(err));

	fs_remember_error(j->fs, j->uid, err);
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
	if (!file->write) {
		fuse_reply_err(req, EACCES);
		return;
	}
	j = malloc(sizeof(*j) + n);
	if (!j) {
		fuse_reply_err(req, ENOMEM);
		return;
	}
	j->job.run = write_run;
	j->req = req;
	j->fs = fs;
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
	size_t node; /* offset in struct fs */
} OTHERS[] = {
	{"ask", offsetof(struct fs, ask)},
	{"import", offsetof(struct fs, import)},
	{"chunks", offsetof(struct fs, chunks_dir)},
	{"similar", offsetof(struct fs, similar_dir)},
	{"symbols", offsetof(struct fs, symbols_dir)},
};
enum { NOTHERS = sizeof(OTHERS) / sizeof(OTHERS[0]) };

static struct fs_node *other_node(struct fs *fs, int i)
{
	return *(struct fs_node **)((char *)fs + OTHERS[i].node);
}

static void dir_lookup(fuse_req_t req, struct fs *fs, struct fs_node *parent,
		       const char *name)
{
	struct stat st;

	(void)parent;
	for (int i = 0; i < NOTHERS; i++) {
		struct fs_node *n = other_node(fs, i);

		if (strcmp(OTHERS[i].name, name) != 0)
			continue;
		n->nlookup++;
		n->kind->stat(fs, n, &st);
		fs_reply_virtual(req, fs, n, &st, fs->timeout);
		return;
	}
	for (int i = 0; i < NFILES; i++) {
		if (strcmp(FILES[i].name, name) != 0)
			continue;
		file_nodes[i]->nlookup++;
		file_stat(fs, file_nodes[i], &st);
		fs_reply_virtual(req, fs, file_nodes[i], &st, fs->timeout);
		return;
	}
	fuse_reply_err(req, ENOENT);
}

static void dir_readdir(fuse_req_t req, struct fs *fs, struct fs_handle *h,
			size_t size, off_t off, int plus)
{
	const char *names[NFILES + NOTHERS + 2] = {".", ".."};

	(void)h;
	for (int i = 0; i < NFILES; i++)
		names[i + 2] = FILES[i].name;
	for (int i = 0; i < NOTHERS; i++)
		names[i + 2 + NFILES] = OTHERS[i].name;
	fs_list_names(req, fs, names, NFILES + NOTHERS + 2, size, off, plus);
}

const struct fs_kind FS_CONTROL_DIR = {
	.name = ".rankfs/",
	.lookup = dir_lookup,
	.getattr = fs_virtual_dir_getattr,
	.release = fs_blob_release,
	.readdir = dir_readdir,
};
