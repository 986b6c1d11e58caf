/* SPDX-License-Identifier: MIT */
#ifndef FS_OPTIONS_H
#define FS_OPTIONS_H

#include "fs/base/fs.h"

/* What the command line of a mount says. Strings are owned. */
struct fs_options {
	char *backing, *mountpoint; /* as given */
	char *folder;		    /* to be linked as a source; or NULL */
	int nonempty;
	int foreground, debug, read_only, allow_other, multi;
	unsigned memory_mib, open_max, expire_days; /* with multi */
	double timeout;
	struct fuse_args fuse; /* for fuse_session_new() */
	int help, version;
};

/*
 * Parse `rankfs [options] [BACKING] MOUNTPOINT` with -o lists as mount(8)
 * passes them. Prints what is wrong to stderr. Returns 0 or -1.
 */
int fs_options_parse(int argc, char **argv, struct fs_options *o);
void fs_options_release(struct fs_options *o);

/*
 * The outside world for rk_index_open(): the real one, with the token for an
 * embedding server from RANKFS_EMBED_KEY. Static storage.
 */
const struct rk_env *fs_env(void);

/*
 * $XDG_DATA_HOME/rankfs, or ~/.local/share/rankfs; malloc'd. NULL with a
 * message: this user has no home.
 */
char *fs_default_backing(void);

#endif
