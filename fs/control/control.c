/* SPDX-License-Identifier: MIT */
/*
 * .rankfs/: the control plane as small text files: what each of them says, and
 * what a write to it does. Which there are is said by the table in
 * indexes/fixed.c. `ctl` takes a verb a line; the verbs are a table, too.
 */
#include "fs/control/control.h"
#include "fs/base/node.h"
#include "fs/base/quota.h"
#include "fs/base/tree.h"
#include "fs/control/help.h"
#include "fs/query/saved.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- what the files say --- */

void fs_read_status(const struct fs_use *u, struct rk_buf *out)
{
	struct rk_status st = {.size = sizeof(st)};

	rk_status(u->x->ix, &st);
	rk_render_status(&st, RK_STATUS_TEXT, out);
	rk_sources_print(u->x->ix, out);
	fs_quota_print(u->x, out);
}

void fs_read_status_json(const struct fs_use *u, struct rk_buf *out)
{
	struct rk_status st = {.size = sizeof(st)};

	rk_status(u->x->ix, &st);
	rk_render_status(&st, RK_STATUS_JSON, out);
}

void fs_read_warnings(const struct fs_use *u, struct rk_buf *out)
{
	rk_warnings(u->x->ix, out);
}

void fs_read_config(const struct fs_use *u, struct rk_buf *out)
{
	rk_config_print(u->x->ix, out);
}

void fs_read_readme(const struct fs_use *u, struct rk_buf *out)
{
	fs_help_readme(u->x->path, out);
}

void fs_read_agents(const struct fs_use *u, struct rk_buf *out)
{
	fs_help_agents(u->x->path, out);
}

/* What is still to be done, a line each; "idle" when there is nothing. */
void fs_read_progress(const struct fs_use *u, struct rk_buf *out)
{
	struct rk_status st = {.size = sizeof(st)};

	rk_status(u->x->ix, &st);
	if (st.pending)
		rk_buf_printf(out, "indexing %zu waiting, %llu done\n",
			      st.pending, (unsigned long long)st.docs);
	if (st.reconciling)
		rk_buf_str(out, "comparing documents with the index\n");
	if (st.embedding)
		rk_buf_printf(out, "vectors %llu of %llu\n",
			      (unsigned long long)st.vectors,
			      (unsigned long long)st.chunks);
	if (out->n == 0)
		rk_buf_str(out, "idle\n");
}

void fs_read_metrics(const struct fs_use *u, struct rk_buf *out)
{
	struct rk_status st = {.size = sizeof(st)};

	rk_status(u->x->ix, &st);
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

void fs_read_ctl(const struct fs_use *u, struct rk_buf *out)
{
	rk_buf_str(out, "# write one of these, a line each:\n");
	for (const struct fs_verb *v = u->x->verbs; v->name; v++)
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

int fs_write_ctl(struct fs_index *x, int reaches_out, const char *s, size_t n,
		 char *err, size_t err_n)
{
	const char *end = s + n;
	int rc = 0;

	(void)reaches_out;
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

int fs_write_config(struct fs_index *x, int reaches_out, const char *s,
		    size_t n, char *err, size_t err_n)
{
	return reaches_out ? rk_config_set(x->ix, s, n, err, err_n)
			   : rk_config_set_within(x->ix, s, n, err, err_n);
}

/* --- the folder --- */

static unsigned place_of(const struct fs_node *dir)
{
	return fs_fixed_places(dir->index) &
	       (FS_IN_CONTROL | FS_IN_TOP_CONTROL);
}

static void dir_lookup(fuse_req_t req, struct fs *fs, struct fs_node *dir,
		       const char *name)
{
	(void)fs;
	fs_fixed_reply(req, fs_fixed_find(dir->index, place_of(dir), name));
}

static int dir_list(struct fs_node *dir, const _Atomic int *cancel,
		    struct rk_buf *b)
{
	(void)cancel;
	fs_fixed_list(dir->index, place_of(dir), b);
	return 0;
}

const struct fs_kind FS_CONTROL_DIR = {
	.name = ".rankfs/",
	.lookup = dir_lookup,
	.list = dir_list,
};
