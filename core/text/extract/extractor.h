/* SPDX-License-Identifier: MIT */
#ifndef RK_TEXT_HELPER_H
#define RK_TEXT_HELPER_H

#include "base/buf.h"
#include "text/extract/kind.h"
#include <stddef.h>
#include <sys/types.h>

/*
 * Documents whose text other programs know how to get: which command belongs
 * to which name. A command is split at blanks (double quotes keep them); {}
 * in it becomes a name under which it can open the file, which is its standard
 * input as well. No shell is involved.
 */
struct rk_extractor {
	char glob[64];	     /* on the last component of the path */
	char command[256];   /* "none": leave such files alone */
	enum rk_kind kind;   /* of what it writes */
	const char *unpack;  /* what the file goes through before; or NULL */
	const char *package; /* Debian's that has it; NULL: not known */
};

enum { RK_EXTRACTORS_MAX = 32 };
struct rk_extractors {
	struct rk_extractor
		v[RK_EXTRACTORS_MAX]; /* configured; later ones win */
	unsigned n;
};

/* Set or replace one. Returns 0, or -EINVAL with why. */
int rk_extractor_set(struct rk_extractors *h, const char *glob,
		     const char *command, char *why, size_t why_n);
/* Configured ones, and behind "# " the built-in ones, as config lines. */
void rk_extractors_print(const struct rk_extractors *h, struct rk_buf *out);
/*
 * What a path needs: 1 and *out (a copy), or 0. A compressed document whose
 * name no glob is meant for is unpacked, and goes by the rest of its name.
 */
int rk_extractor_find(const struct rk_extractors *h, const char *path,
		      struct rk_extractor *out);

struct rk_extractor_limits {
	size_t memory_bytes;   /* address space of the child */
	size_t text_bytes;     /* of its output that are kept */
	size_t unpacked_bytes; /* that a file may have once it is unpacked */
	unsigned timeout_s;    /* for all of it */
	uid_t uid;	       /* by whom it is run, if we are root; 0: root */
	gid_t gid;
};

/*
 * Run it on an open file and append what it writes to out. Returns 0;
 * -ENOENT if there is no such program; -ETIMEDOUT; -EFBIG: it unpacks to too
 * much; -EIO if it failed and wrote nothing; -errno.
 */
int rk_extractor_run(const struct rk_extractor *h, int fd,
		     const struct rk_extractor_limits *limits,
		     struct rk_buf *out);

#endif
