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

struct fs_file {
	const char *name;
	void (*read)(struct fs_index *, uid_t, struct rk_buf *);
	/* in a pool thread; a sentence in err when it fails */
	int (*write)(struct fs_index *, const char *, size_t, char *err,
		     size_t err_n);
	int secret; /* may name what has gone and was not for others */
};

extern const struct fs_verb FS_VERBS[]; /* of an index */
extern const struct fs_file FS_FILES[];

/* The nodes of a table's files; 0 or -ENOMEM. README is the first. */
int fs_control_files(struct fs_index *x, const struct fs_file *files);

/* What the files of any table may say and do; as struct fs_file has it. */
void fs_read_readme(struct fs_index *x, uid_t uid, struct rk_buf *out);
void fs_read_agents(struct fs_index *x, uid_t uid, struct rk_buf *out);
void fs_read_ctl(struct fs_index *x, uid_t uid, struct rk_buf *out);
int fs_write_ctl(struct fs_index *x, const char *s, size_t n, char *err,
		 size_t err_n);

#endif
