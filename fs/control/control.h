/* SPDX-License-Identifier: MIT */
#ifndef FS_CONTROL_H
#define FS_CONTROL_H

/* The small files of .rankfs/, and the verbs of ctl, as tables. */
#include "fs/base/fs.h"

/* The last one of a table has no name. */
struct fs_verb {
	const char *name, *help;
	int (*run)(struct rk_index *ix);
	/* or with the rest of the line */
	int (*with)(struct fs_index *x, const char *arg);
};

extern const struct fs_verb FS_VERBS[]; /* of an index */

/* What the files say and do; as struct fs_file has it. */
void fs_read_agents(const struct fs_use *u, struct rk_buf *out);
void fs_read_config(const struct fs_use *u, struct rk_buf *out);
void fs_read_ctl(const struct fs_use *u, struct rk_buf *out);
void fs_read_metrics(const struct fs_use *u, struct rk_buf *out);
void fs_read_progress(const struct fs_use *u, struct rk_buf *out);
void fs_read_readme(const struct fs_use *u, struct rk_buf *out);
void fs_read_status(const struct fs_use *u, struct rk_buf *out);
void fs_read_status_json(const struct fs_use *u, struct rk_buf *out);
void fs_read_warnings(const struct fs_use *u, struct rk_buf *out);
int fs_write_config(struct fs_index *x, int reaches_out, const char *s,
		    size_t n, char *err, size_t err_n);
int fs_write_ctl(struct fs_index *x, int reaches_out, const char *s, size_t n,
		 char *err, size_t err_n);

#endif
