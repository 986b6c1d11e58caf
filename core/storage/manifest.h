/* SPDX-License-Identifier: MIT */
#ifndef RK_STORAGE_MANIFEST_H
#define RK_STORAGE_MANIFEST_H

#include "base/env.h"
#include "base/mem.h"

/*
 * A checkpoint: the set of files that make up the index at one moment
 * (core/doc/format-manifest.md). `MANIFEST-NNNNNN` holds one; `CURRENT`
 * names the newest by a rename. A segment's dead documents are in the
 * manifest, because segment files never change.
 */
struct rk_manifest_seg {
	uint64_t id;
	uint32_t *dead; /* document numbers, ascending; owned */
	uint32_t ndead;
	uint64_t vectors; /* number of the file with its vectors; 0: none */
};

struct rk_manifest {
	uint64_t number;
	uint64_t generation;
	uint64_t wal_floor; /* records up to here are in the segments */
	uint64_t next_segment;
	int64_t created_ns;
	char analyser[64]; /* what made the terms, e.g. "1 english" */
	uint64_t space;	   /* embedding space of the vectors; 0: none */
	uint64_t next_vectors, next_space;
	int fitted;	    /* the space has a file with its fit */
	char embedder[256]; /* what made the vectors, e.g. "hash-lsa 1" */
	struct rk_manifest_seg *segs; /* oldest first; owned */
	uint32_t nsegs;
	uint64_t *vectors; /* while decoding */
	uint32_t nvectors;
};
#define RK_MANIFEST_INIT                                                       \
	{                                                                      \
		.segs = NULL                                                   \
	}
void rk_manifest_release(struct rk_manifest *m);

/* Write durably under m->number, then make it CURRENT. 0 or -errno. */
int rk_manifest_commit(const struct rk_io *io, int dir,
		       const struct rk_manifest *m);
/*
 * Read one by number. Returns 0, -errno, RK_ECORRUPT, or RK_EVERSION for a
 * manifest that a newer rankfs wrote.
 */
int rk_manifest_read(const struct rk_io *io, int dir, uint64_t number,
		     struct rk_manifest *out);
/* The number that CURRENT names; -ENOENT, RK_ECORRUPT. */
int64_t rk_manifest_current(const struct rk_io *io, int dir);
/*
 * Numbers of the manifests in the directory, newest first; at most max.
 * Returns how many, or -errno.
 */
int rk_manifest_list(int dir, uint64_t *numbers, int max);
void rk_manifest_name(uint64_t number, char out[40]);

#endif
