/* SPDX-License-Identifier: MIT */
/*
 * find/<text>/: results as a folder. A listing searches, unless nothing has
 * changed; what it showed stays until the next one, so that names and sizes
 * fit each other for whoever copies it.
 *
 *   find/<text>/01-name.ext    front matter and excerpt, a regular file
 *   find/<text>/files/...      links to the documents
 *   find/<text>/by-ext/c/      links, narrowed down by a facet
 *   find/<text>/<more text>/   narrowed down by another query
 *   find/<saved query>/        the same; rm demotes a document, ln pins it
 *
 * A folder is known by its path below find/, components separated by '/'.
 */
#include "fs/find/found.h"
#include "fs/documents/documents.h"
#include "base/hash.h"
#include "fs/render/render.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define FRESH_NS     2000000000u
#define IDLE_NS	     10000000000u
#define IDLE_MANY_NS 1000000000u
enum {
	FINDS_KEPT = 256,
	FINDS_MANY = 1024,
	SWEEP_MAX = 512,
	DEPTH_MAX = 16,
	QUERY_MAX = 16 * 1024
};

/* What a path below find/ says. */
struct scope {
	char query[QUERY_MAX];
	char saved[FS_QUERY_BYTES + 1]; /* the saved query itself, or "" */
	int files; /* .../files: links to what the folder above shows */
	int facet; /* .../by-ext: which; else -1 */
	int value; /* .../by-ext/c: links, so that walks see a text once */
};

/* --- from a path to a query --- */

/* All that holds already, and `before` value `after`. */
static int narrow(struct scope *s, const char *before, const char *value,
		  const char *after)
{
	char *was = strdup(s->query);
	int n;

	if (!was)
		return -ENOMEM;
	n = *was ? snprintf(s->query, sizeof(s->query), "+(%s) ", was) : 0;
	if ((size_t)n < sizeof(s->query))
		n += snprintf(s->query + n, sizeof(s->query) - (size_t)n,
			      "%s%s%s", before, value, after);
	free(was);
	return (size_t)n < sizeof(s->query) ? 0 : -ENAMETOOLONG;
}

static int facet_of(const char *name)
{
	for (int i = 0; i < FS_FACETS; i++)
		if (strcmp(name, FS_FACET_NAMES[i]) == 0)
			return i;
	return -1;
}

static int take_first(struct fs_index *x, struct scope *s, const char *name)
{
	char text[FS_QUERY_BYTES * 4 + 1];
	struct rk_buf target = RK_BUF_INIT;
	int rc = -ENAMETOOLONG;

	if (rk_saved_text(x->ix, name, &target))
		snprintf(s->saved, sizeof(s->saved), "%s", name);
	else
		rk_buf_str(&target, name);
	rk_buf_byte(&target, 0);
	if (!target.err && target.n <= sizeof(text)) {
		fs_decode_name((char *)target.p, text);
		rc = narrow(s, "", text, "");
	}
	rk_buf_release(&target);
	return rc;
}

static int take_next(struct scope *s, const char *name)
{
	static const char *const FORMS[FS_FACETS][2] = {
		{"ext:\"", "\""}, {"path:\"", "/**\""}, {"tag:\"", "\""}};
	char text[FS_QUERY_BYTES + 1];
	int by = s->facet;

	s->saved[0] = '\0';
	s->facet = -1;
	s->value = by >= 0;
	fs_decode_name(name, text);
	if (by >= 0)
		return strchr(text, '"')
			       ? -ENOENT
			       : narrow(s, FORMS[by][0], text, FORMS[by][1]);
	if (strcmp(name, "files") == 0) {
		s->files = 1;
		return 0;
	}
	if ((s->facet = facet_of(name)) >= 0)
		return 0;
	return narrow(s, "+(", text, ")");
}

static int scope_of(struct fs_index *x, const char *path, struct scope *s)
{
	char name[FS_QUERY_BYTES + 1];
	int rc = 0, depth = 0;

	*s = (struct scope){.facet = -1};
	while (*path && rc == 0) {
		size_t n = strcspn(path, "/");

		if (n > FS_QUERY_BYTES || depth == DEPTH_MAX)
			return -ENAMETOOLONG;
		memcpy(name, path, n);
		name[n] = '\0';
		rc = depth++ == 0 ? take_first(x, s, name) : take_next(s, name);
		path += n + (path[n] == '/');
	}
	return rc;
}

/* --- nodes --- */

static void find_forget(struct fs *fs, struct fs_node *n)
{
	if (n->kind == &FS_FIND)
		fs->nfinds--;
	fs_found_unref(n->found);
	fs_blob_unref(n->content);
}

static struct fs_node *dir_node(struct fs_index *x, const char *path)
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
static void reply(fuse_req_t req, struct fs *fs, struct fs_node *n)
{
	struct stat st;

	if (!n) {
		fuse_reply_err(req, ENOMEM);
		return;
	}
	n->nlookup++;
	n->kind->stat(n, &st);
	fs_reply_virtual(req, fs, n, &st, fs->timeout);
}

static void reply_dir(fuse_req_t req, struct fs_node *dir, const char *name)
{
	struct fs_index *x = dir->index;
	char *path = below(dir, name);
	struct fs_node *n = NULL;

	if (path)
		n = dir_node(x, path);
	free(path);
	reply(req, x->fs, n);
}

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
			v[n].parent = fs_nodeid(fs, d->index->find_dir);
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

void fs_find_changed(struct fs_index *x)
{
	struct fs *fs = x->fs;

	pthread_mutex_lock(&fs->answers);
	for (size_t i = 0; i < FS_KEYED_BUCKETS; i++)
		for (struct fs_node *n = fs->keyed[i]; n; n = n->chain)
			if (n->index == x && n->kind == &FS_FIND)
				n->stale = 1;
	pthread_mutex_unlock(&fs->answers);
}

/* --- results of a folder --- */

/* What the folder shows now, a reference, or NULL. Is it also what is so? */
static struct fs_found *shown(struct fs_node *dir, int *current)
{
	struct rk_index *ix = dir->index->ix;
	struct fs_found *f;

	pthread_mutex_lock(&dir->index->fs->answers);
	f = dir->found ? fs_found_ref(dir->found) : NULL;
	*current = f && f->complete && !dir->stale;
	pthread_mutex_unlock(&dir->index->fs->answers);
	*current = *current && rk_pending(ix) == 0 &&
		   f->generation == rk_generation(ix);
	return f;
}

/* Somebody is going through the names of the last listing. */
static int is_used(struct fs_found *f)
{
	uint64_t now = rk_mono_ns(), last = f->used_ns;

	f->used_ns = now;
	return now - last < FRESH_NS;
}

/* Off the loop: results for a listing, or for a name of the last one. */
static int results(struct fs_node *dir, int listing, const _Atomic int *cancel,
		   struct fs_found **out)
{
	struct rk_search_opts opts = {.wait_ms = -1, .cancel = cancel};
	struct fs *fs = dir->index->fs;
	struct scope s;
	int rc, current;

	*out = shown(dir, &current);
	if (*out && (current || (!listing && is_used(*out))))
		return 0;
	fs_found_unref(*out);
	*out = NULL;
	if ((rc = scope_of(dir->index, dir->text, &s)) < 0 ||
	    (rc = fs_found_search(dir->index, s.query,
				  *s.saved ? s.saved : NULL, &opts, out)) < 0)
		return rc;
	pthread_mutex_lock(&fs->answers);
	if (!dir->found || dir->found->hash != (*out)->hash)
		dir->mtime = (*out)->made;
	fs_found_unref(dir->found);
	(*out)->used_ns = rk_mono_ns();
	dir->found = fs_found_ref(*out);
	dir->stale = 0;
	pthread_mutex_unlock(&fs->answers);
	return 0;
}

static int is_gone(struct fs *fs, const struct fs_entry *e)
{
	int gone;

	pthread_mutex_lock(&fs->answers);
	gone = e->gone;
	pthread_mutex_unlock(&fs->answers);
	return gone;
}

static struct fs_entry *entry(struct fs *fs, struct fs_found *f,
			      const char *name)
{
	for (size_t i = 0; i < f->n; i++)
		if (strcmp(f->v[i].name, name) == 0)
			return is_gone(fs, &f->v[i]) ? NULL : &f->v[i];
	return NULL;
}

/* Names of results begin with their number. */
static int is_numbered(const char *name)
{
	size_t digits = strspn(name, "0123456789");

	return digits >= 2 && name[digits] == '-';
}

/* --- files and links --- */

/* A node for each content: an open one never changes. */
static struct fs_node *hit_node(struct fs_node *dir, const struct fs_entry *e)
{
	struct fs_node *n = NULL;
	char *key;

	if (asprintf(&key, "%s/%s#%016llx", dir->text, e->name,
		     (unsigned long long)e->blob->body_hash) < 0)
		return NULL;
	n = fs_keyed_node(dir->index, &FS_FOUND, NULL, key);
	if (n && !n->content) {
		n->content = fs_blob_ref(e->blob);
		n->mtime = dir->mtime;
	}
	free(key);
	return n;
}

static struct fs_node *link_node(struct fs_node *dir, const struct fs_entry *e)
{
	struct fs_index *x = dir->index;
	struct fs_node *n;
	char *key;

	if (asprintf(&key, "%s/%s", x->path, e->path) < 0)
		return NULL;
	n = fs_keyed_node(x, &FS_FOUND_LINK, NULL, key);
	free(key);
	return n;
}

static void hit_stat(struct fs_node *n, struct stat *st)
{
	fs_virtual_stat(n, S_IFREG | 0444, n->content->n, st);
}

static void hit_open(fuse_req_t req, struct fs *fs, struct fs_node *n,
		     struct fuse_file_info *fi)
{
	struct fs_handle *h;

	(void)fs;
	if ((fi->flags & O_ACCMODE) != O_RDONLY) {
		fuse_reply_err(req, EACCES);
		return;
	}
	if (!(h = fs_handle_blob(n, fs_blob_ref(n->content)))) {
		fs_blob_unref(n->content);
		fuse_reply_err(req, ENOMEM);
		return;
	}
	fi->fh = (uintptr_t)h;
	fi->keep_cache = 1; /* it never changes */
	fi->noflush = 1;
	fuse_reply_open(req, fi);
}

const struct fs_kind FS_FOUND = {
	.name = "find/<text>/01-name",
	.getattr = fs_virtual_getattr,
	.open = hit_open,
	.read = fs_blob_read,
	.release = fs_blob_release,
	.forget = find_forget,
	.stat = hit_stat,
};

static void link_stat(struct fs_node *n, struct stat *st)
{
	fs_virtual_stat(n, S_IFLNK | 0777, strlen(n->text), st);
}

static void link_readlink(fuse_req_t req, struct fs *fs, struct fs_node *n)
{
	(void)fs;
	fuse_reply_readlink(req, n->text);
}

const struct fs_kind FS_FOUND_LINK = {
	.name = "find/<text>/files/01-name",
	.getattr = fs_virtual_getattr,
	.readlink = link_readlink,
	.forget = find_forget,
	.stat = link_stat,
};

/* --- the folder --- */

struct find_job {
	struct fs_job job;
	fuse_req_t req;
	struct fs_node *dir;
	struct fs_handle *h; /* a listing; NULL: a lookup of name */
	size_t size;
	off_t off;
	int plus;
	int links; /* the entries are links to documents */
	_Atomic int cancel;
	char name[];
};

static void interrupted(fuse_req_t req, void *data)
{
	struct find_job *j = data;

	(void)req;
	j->cancel = 1;
}

/* The folder that holds the results: of files/ the one above. */
static struct fs_node *results_dir(struct fs_node *dir)
{
	const char *name = strrchr(dir->text, '/');
	struct fs_node *up;
	struct scope s;
	char *path;

	/* by-dir/files is a value: only the scope tells them apart */
	if (!name || scope_of(dir->index, dir->text, &s) < 0 || !s.files)
		return dir;
	if (!(path = strndup(dir->text, (size_t)(name - dir->text))))
		return NULL;
	up = dir_node(dir->index, path);
	free(path);
	return up;
}

static void lookup_run(struct find_job *j, struct fs_node *owner)
{
	struct fs *fs = owner->index->fs;
	struct fs_found *f = NULL;
	int rc = results(owner, 0, &j->cancel, &f);
	struct fs_entry *e = rc == 0 ? entry(fs, f, j->name) : NULL;

	pthread_mutex_lock(&fs->loop);
	if (rc < 0 || !e)
		fuse_reply_err(j->req, rc < 0 ? fs_errno(rc) : ENOENT);
	else
		reply(j->req, fs,
		      j->links ? link_node(owner, e) : hit_node(owner, e));
	pthread_mutex_unlock(&fs->loop);
	fs_found_unref(f);
}

static void put_facet(struct rk_buf *b, const struct rk_buf *values)
{
	struct rk_buf name = RK_BUF_INIT;
	const char *value;
	size_t at = 0;

	while ((value = rk_buf_next(values, &at))) {
		name.n = 0;
		fs_encode_name(value, &name);
		rk_buf_byte(&name, 0);
		if (!name.err)
			fs_list_add(b, 'd', (char *)name.p);
	}
	rk_buf_release(&name);
}

static int list_facet(struct find_job *j, const struct scope *s,
		      struct rk_buf *b)
{
	struct rk_search_opts opts = {.wait_ms = -1, .cancel = &j->cancel};
	struct rk_buf values = RK_BUF_INIT;
	int rc = fs_found_facet(j->dir->index, s->query,
				(enum fs_facet)s->facet, &opts, &values);

	if (rc == 0)
		put_facet(b, &values);
	rk_buf_release(&values);
	return rc;
}

static int list_results(struct find_job *j, struct fs_node *owner,
			struct rk_buf *b)
{
	int plain = !j->links, rc;
	struct fs_found *f = NULL;

	if ((rc = results(owner, 1, &j->cancel, &f)) < 0)
		return rc;
	for (size_t i = 0; i < f->n; i++)
		if (!is_gone(owner->index->fs, &f->v[i]))
			fs_list_add(b, plain ? 'f' : 'l', f->v[i].name);
	if (plain && f->n) {
		fs_list_add(b, 'd', "files");
		for (int i = 0; i < FS_FACETS; i++)
			fs_list_add(b, 'd', FS_FACET_NAMES[i]);
	}
	fs_found_unref(f);
	return 0;
}

static void list_run(struct find_job *j, struct fs_node *owner)
{
	struct rk_buf b = RK_BUF_INIT;
	struct scope s;
	int rc = 0;

	if (!j->h->blob) {
		fs_list_begin(&b);
		rc = scope_of(j->dir->index, j->dir->text, &s);
		j->links = s.files || s.value;
		if (rc == 0)
			rc = s.facet >= 0 ? list_facet(j, &s, &b)
					  : list_results(j, owner, &b);
		if (rc == 0 && !(j->h->blob = fs_blob_from(&b)))
			rc = -ENOMEM;
		rk_buf_release(&b);
	}
	if (rc < 0)
		fuse_reply_err(j->req, fs_errno(rc));
	else
		fs_list_blob(j->req, j->h->blob, j->size, j->off, j->plus);
}

static void find_run(struct fs_job *job)
{
	struct find_job *j = (struct find_job *)job;
	struct fs *fs = j->dir->index->fs;
	struct fs_node *owner;

	pthread_mutex_lock(&fs->loop);
	if ((owner = results_dir(j->dir)) != NULL)
		owner->nlookup++;
	pthread_mutex_unlock(&fs->loop);
	if (!owner)
		fuse_reply_err(j->req, ENOMEM);
	else if (j->h)
		list_run(j, owner);
	else
		lookup_run(j, owner);
	if (owner) {
		pthread_mutex_lock(&fs->loop);
		fs_node_forget(fs, owner, 1);
		pthread_mutex_unlock(&fs->loop);
	}
	free(j);
}

static struct find_job *job_new(fuse_req_t req, struct fs_node *dir,
				const char *name)
{
	struct find_job *j = calloc(1, sizeof(*j) + strlen(name) + 1);

	if (!j) {
		fuse_reply_err(req, ENOMEM);
		return NULL;
	}
	strcpy(j->name, name);
	j->job.run = find_run;
	j->job.x = dir->index;
	j->req = req;
	j->dir = dir;
	fuse_req_interrupt_func(req, interrupted, j);
	return j;
}

static void find_lookup(fuse_req_t req, struct fs *fs, struct fs_node *dir,
			const char *name)
{
	struct scope s;
	struct find_job *j;
	int rc = scope_of(dir->index, dir->text, &s);

	dir->used_ns = rk_mono_ns();
	if (rc < 0) {
		fuse_reply_err(req, fs_errno(rc));
	} else if (s.files || (s.facet < 0 && is_numbered(name))) {
		if ((j = job_new(req, dir, name)) == NULL)
			return;
		j->links = s.files || s.value;
		fs_run(fs, &j->job);
	} else if (fs_is_probe(name) ||
		   (*s.saved && fs_is_making(fuse_req_ctx(req)->pid))) {
		fuse_reply_err(req, ENOENT);
	} else {
		reply_dir(req, dir, name);
	}
}

static void find_readdir(fuse_req_t req, struct fs *fs, struct fs_handle *h,
			 size_t size, off_t off, int plus)
{
	struct find_job *j = job_new(req, h->node, "");

	if (!j)
		return;
	if (off == 0) { /* also rewinddir(3): as it is now */
		fs_blob_unref(h->blob);
		h->blob = NULL;
	}
	j->h = h;
	j->size = size;
	j->off = off;
	j->plus = plus;
	fs_run(fs, &j->job);
}

/* Its owner takes results out of it, and puts documents in. */
static void find_stat(struct fs_node *n, struct stat *st)
{
	fs_virtual_stat(n, S_IFDIR | 0755, 0, st);
}

static void find_getattr(fuse_req_t req, struct fs *fs, struct fs_node *n)
{
	struct stat st;

	(void)fs;
	n->kind->stat(n, &st);
	fuse_reply_attr(req, &st, 0);
}

/* --- what a reader says of single results --- */

/* The saved query whose folder this is; else the refusal is replied. */
static int take_saved(fuse_req_t req, struct fs_node *dir, struct scope *s)
{
	uid_t uid = fuse_req_ctx(req)->uid;
	const char *why = NULL;

	if (scope_of(dir->index, dir->text, s) < 0 || !*s->saved || s->files)
		why = "only results of a saved query can be removed or pinned: "
		      "ln -s \"the query\" query/NAME, then find/NAME";
	else if (!fs_is_owner(dir->index, uid))
		why = "only who mounted may change results";
	if (!why)
		return 1;
	fs_remember_error(dir->index->fs, uid, why);
	fuse_reply_err(req, EPERM);
	return 0;
}

static void find_unlink(fuse_req_t req, struct fs *fs, struct fs_node *dir,
			const char *name)
{
	struct fs_found *f;
	struct fs_entry *e;
	struct scope s;
	int rc, current;

	if (!take_saved(req, dir, &s))
		return;
	f = shown(dir, &current);
	e = f ? entry(fs, f, name) : NULL;
	rc = e ? rk_saved_mark(dir->index->ix, s.saved, e->path,
			       RK_FEEDBACK_DEMOTED)
	       : -ENOENT;
	if (rc == 0) {
		pthread_mutex_lock(&fs->answers);
		for (size_t i = 0; i < f->n; i++)
			if (strcmp(f->v[i].path, e->path) == 0)
				f->v[i].gone = 1;
		dir->stale = 1;
		pthread_mutex_unlock(&fs->answers);
	}
	fs_found_unref(f);
	fuse_reply_err(req, fs_errno(rc));
}

/* 0 and the folder shows the document from its next listing on. */
static int pin(struct fs_node *dir, const char *saved, const char *path)
{
	int rc = rk_saved_mark(dir->index->ix, saved, path, RK_FEEDBACK_PINNED);

	pthread_mutex_lock(&dir->index->fs->answers);
	dir->stale = 1;
	pthread_mutex_unlock(&dir->index->fs->answers);
	return rc;
}

static void find_link(fuse_req_t req, struct fs *fs, struct fs_node *what,
		      struct fs_node *dir, const char *name)
{
	struct fuse_entry_param e = {.ino = 0};
	char path[4096];
	struct scope s;
	int rc;

	(void)name;
	if (!take_saved(req, dir, &s))
		return;
	if (what->kind != &FS_DOCUMENT || what->index != dir->index) {
		fuse_reply_err(req, EXDEV);
		return;
	}
	rc = fs_node_path(what, path, sizeof(path));
	if (rc == 0)
		rc = fs_doc_stat(fs, what, &e.attr);
	if (rc == 0)
		rc = pin(dir, s.saved, path);
	if (rc < 0) {
		fuse_reply_err(req, fs_errno(rc));
		return;
	}
	/* the new name is the document's until it is looked up again */
	e.ino = fs_nodeid(fs, what);
	what->nlookup++;
	if (fuse_reply_entry(req, &e) < 0)
		fs_node_forget(fs, what, 1);
}

static void find_symlink(fuse_req_t req, struct fs *fs, struct fs_node *dir,
			 const char *name, const char *target)
{
	size_t n = strlen(dir->index->path);
	struct fs_node *link;
	struct scope s;
	int rc;

	(void)name;
	if (!take_saved(req, dir, &s))
		return;
	if (strncmp(target, dir->index->path, n) != 0 || target[n] != '/') {
		fs_remember_error(fs, fuse_req_ctx(req)->uid,
				  "not the absolute path of a document here");
		fuse_reply_err(req, EINVAL);
		return;
	}
	if ((rc = pin(dir, s.saved, target + n + 1)) < 0) {
		fuse_reply_err(req, fs_errno(rc));
		return;
	}
	link = fs_keyed_node(dir->index, &FS_FOUND_LINK, NULL, target);
	reply(req, fs, link);
}

const struct fs_kind FS_FIND = {
	.name = "find/<text>/",
	.lookup = find_lookup,
	.getattr = find_getattr,
	.release = fs_blob_release,
	.readdir = find_readdir,
	.symlink = find_symlink,
	.link = find_link,
	.unlink = find_unlink,
	.forget = find_forget,
	.stat = find_stat,
};

/* --- find/ itself --- */

static void root_lookup(fuse_req_t req, struct fs *fs, struct fs_node *dir,
			const char *name)
{
	(void)fs;
	if (fs_is_probe(name))
		fuse_reply_err(req, ENOENT);
	else if (strlen(name) > FS_QUERY_BYTES)
		fuse_reply_err(req, ENAMETOOLONG);
	else
		reply_dir(req, dir, name);
}

static void root_readdir(fuse_req_t req, struct fs *fs, struct fs_handle *h,
			 size_t size, off_t off, int plus)
{
	struct rk_buf b = RK_BUF_INIT, names = RK_BUF_INIT;
	const char *name;
	size_t at = 0;

	(void)fs;
	if (h->blob) {
		fs_list_blob(req, h->blob, size, off, plus);
		return;
	}
	fs_list_begin(&b);
	rk_saved_names(h->node->index->ix, &names);
	while ((name = rk_buf_next(&names, &at)))
		fs_list_add(&b, 'd', name);
	rk_buf_release(&names);
	fs_list_reply(req, h, &b, size, off, plus);
}

const struct fs_kind FS_FIND_DIR = {
	.name = "find/",
	.lookup = root_lookup,
	.getattr = fs_virtual_dir_getattr,
	.release = fs_blob_release,
	.readdir = root_readdir,
	.stat = fs_virtual_dir_stat,
};
