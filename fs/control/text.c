/* SPDX-License-Identifier: MIT */
/*
 * .rankfs/text/<path>: the text of a document as it is searched, whatever the
 * document is. Lines and pages are those that hits name.
 */
#include "fs/control/text.h"
#include "base/hash.h"
#include "fs/base/node.h"
#include "fs/base/tree.h"
#include "fs/query/query.h"
#include "base/put.h"
#include <errno.h>

int fs_document_text(struct rk_index *ix, const char *path, struct rk_buf *out)
{
	struct rk_buf raw = RK_BUF_INIT;
	int cut = 0, rc = rk_document_whole(ix, path, &raw, &cut);

	if (rc == 0) {
		rk_put_utf8(out, (char *)raw.p, raw.n);
		if (cut)
			rk_buf_printf(
				out,
				"\n[only the first %lld MiB of this "
				"document are searched]\n",
				(long long)rk_config_int(ix, "text_max_mib"));
	}
	rk_buf_release(&raw);
	return rc ? rc : out->err;
}

/* Waits for what was written before, as queries do. */
static int text_answer(struct fs_node *node, const struct rk_search_opts *opts,
		       struct fs_answer *out)
{
	struct rk_index *ix = node->index->ix;
	int ms = opts->wait_ms < 0 ? (int)rk_config_int(ix, "wait_ms")
				   : opts->wait_ms;
	int rc;

	if (rk_barrier(ix, ms, opts->cancel) == RK_ECANCELLED)
		return RK_ECANCELLED;
	out->generation = rk_generation(ix);
	out->pending = rk_pending(ix);
	rc = fs_document_text(ix, node->text, &out->text);
	if (rc == 0)
		out->hash = rk_hash64(out->text.p, out->text.n);
	return rc;
}

static const struct fs_file TEXT = {
	.name = "text",
	.kind = &FS_QUERY,
	.mode = 0444,
	.dir = ".rankfs/text",
	.answer = text_answer,
	.effect_without_words = RK_EFFECT_LIKELY,
};

/* Not followed as queries are: a change of the document is an event of it. */
void fs_text_reply(fuse_req_t req, struct fs_index *x, const char *path)
{
	struct fs_node *n = fs_view_node(x, &TEXT, path);
	struct stat st;

	if (!n) {
		fuse_reply_err(req, ENOMEM);
		return;
	}
	n->nlookup++;
	pthread_mutex_lock(&x->fs->answers);
	fs_virtual_stat(n, S_IFREG | 0444, n->size, &st);
	pthread_mutex_unlock(&x->fs->answers);
	fs_reply_virtual(req, x->fs, n, &st, x->fs->timeout);
}
