/* SPDX-License-Identifier: MIT */
/*
 * .rankfs/symbols/<name>: where a name is defined, who calls it, what it
 * calls, and where it stands; every line begins with path:line.
 */
#include "base/hash.h"
#include "fs/base/names.h"
#include "fs/base/node.h"
#include "fs/base/tree.h"
#include "fs/query/query.h"
#include "base/put.h"
#include <errno.h>
#include <string.h>

static void put_place(struct fs_index *x, struct rk_buf *out, const char *path,
		      uint32_t line)
{
	rk_put_path(out, x->path, path);
	rk_buf_printf(out, ":%u: ", line);
}

static void put_title(struct rk_buf *out, const char *what, size_t n, int cut)
{
	if (n)
		rk_buf_printf(out, "# %s: %zu%s\n", what, n, cut ? "+" : "");
}

static void put_defs(struct fs_index *x, const struct rk_symbol *s,
		     const char *name, struct rk_buf *out)
{
	put_title(out, "definitions", s->ndefs, 0);
	for (size_t i = 0; i < s->ndefs; i++) {
		const struct rk_symbol_def *d = &s->defs[i];

		put_place(x, out, d->path, d->line);
		rk_buf_printf(out, "%s ", d->kind);
		if (*d->scope) {
			rk_put_line(out, d->scope, strlen(d->scope));
			rk_buf_str(out, "::");
		}
		rk_put_line(out, name, strlen(name));
		rk_put_line(out, d->signature, strlen(d->signature));
		if (d->end > d->line)
			rk_buf_printf(out, " [%u-%u]", d->line, d->end);
		rk_buf_byte(out, '\n');
	}
}

static void put_links(struct fs_index *x, const char *what,
		      const struct rk_symbol_link *v, size_t n,
		      struct rk_buf *out)
{
	put_title(out, what, n, 0);
	for (size_t i = 0; i < n; i++) {
		put_place(x, out, v[i].path, v[i].line);
		rk_put_line(out, v[i].name, strlen(v[i].name));
		rk_buf_byte(out, '\n');
	}
}

static void put_refs(struct fs_index *x, const struct rk_symbol *s,
		     struct rk_buf *out)
{
	put_title(out, "references", s->nrefs, s->refs_cut);
	for (size_t i = 0; i < s->nrefs; i++) {
		const struct rk_symbol_ref *r = &s->refs[i];

		put_place(x, out, r->path, r->line);
		rk_put_line(out, r->text, strlen(r->text));
		rk_buf_byte(out, '\n');
	}
}

static int symbol_answer(struct fs_node *node,
			 const struct rk_search_opts *opts,
			 struct fs_answer *out)
{
	struct fs_index *x = node->index;
	const char *text = node->text;
	struct rk_buf *b = &out->text;
	struct rk_symbol *s;
	int rc = rk_symbol(x->ix, text, strlen(text), opts, &s);

	if (rc < 0)
		return rc;
	put_defs(x, s, text, b);
	put_links(x, "callers", s->callers, s->ncallers, b);
	put_links(x, "callees", s->callees, s->ncallees, b);
	put_refs(x, s, b);
	if (b->n == 0)
		rk_buf_printf(b, "# nothing is known of this name%s\n",
			      s->pending ? " (changes are still being indexed)"
					 : "");
	out->hash = rk_hash64(b->p, b->n);
	out->generation = s->generation;
	out->pending = s->pending;
	rk_symbol_free(s);
	return 0;
}

static const struct fs_file SYMBOL = {
	.name = "symbol",
	.kind = &FS_QUERY,
	.mode = 0444,
	.dir = ".rankfs/symbols",
	.answer = symbol_answer,
	.effect_without_words = RK_EFFECT_LIKELY,
};

static void dir_lookup(fuse_req_t req, struct fs *fs, struct fs_node *parent,
		       const char *name)
{
	char text[4096];
	struct fs_node *n;

	if (fs_is_probe(name, fuse_req_ctx(req)->pid)) {
		fuse_reply_err(req, ENOENT);
		return;
	}
	if (strlen(name) >= sizeof(text)) {
		fuse_reply_err(req, ENAMETOOLONG);
		return;
	}
	fs_decode_name(name, text);
	if (!(n = fs_view_node(parent->index, &SYMBOL, text)))
		fuse_reply_err(req, ENOMEM);
	else
		fs_view_reply(req, fs, n, NULL);
}

const struct fs_kind FS_SYMBOLS_DIR = {
	.name = ".rankfs/symbols/",
	.lookup = dir_lookup,
};
