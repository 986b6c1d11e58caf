/* SPDX-License-Identifier: MIT */
#ifndef FS_RENDER_H
#define FS_RENDER_H

#include "rankfs.h"

/*
 * An answer as bytes, in the form that the query asked for; UTF-8, ending in
 * a newline (fs/doc/query.md describes every form). `root` is put before
 * paths: the mount point, or the folder of the documents.
 * *body is the offset behind what changes without the answer changing.
 */
void fs_render(const struct rk_results *r, const char *query, size_t query_n,
	       const char *root, struct rk_buf *out, size_t *body);
/* The forms of it in render_json.c. */
void fs_render_json(const struct rk_results *r, const char *query, size_t n,
		    const char *root, struct rk_buf *out);
void fs_render_jsonl(const struct rk_results *r, const char *root,
		     struct rk_buf *out);
const char *fs_mode_name(enum rk_mode m);
/* Any bytes as UTF-8: on one line, or with control characters as they are. */
void fs_put_text(struct rk_buf *out, const char *s, size_t n);
void fs_put_utf8(struct rk_buf *out, const char *s, size_t n);
void fs_put_path(struct rk_buf *out, const char *root, const char *path);
/* The status as lines for people, or as one JSON object. */
void fs_render_status(const struct rk_status *st, struct rk_buf *out);
void fs_render_status_json(const struct rk_status *st, struct rk_buf *out);
/* The same for Prometheus. */
void fs_render_metrics(const struct rk_status *st, struct rk_buf *out);

#endif
