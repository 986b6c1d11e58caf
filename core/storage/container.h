/* SPDX-License-Identifier: MIT */
#ifndef RK_STORAGE_CONTAINER_H
#define RK_STORAGE_CONTAINER_H

#include "base/buf.h"
#include "base/env.h"
#include "base/mp.h"

/*
 * A file of named sections: a MessagePack stream in which each section's
 * payload is a `bin` that starts at a multiple of 64 bytes, so that it can be
 * mapped and used where it lies (core/doc/format-segment.md). Every byte of
 * payload is covered by the CRC-32C of its 64 KiB granule; a granule is
 * verified the first time something in it is asked for.
 *
 *   file    := "rankfs" version:uint read_features:uint section* footer trail
 *   section := name:str pad:bin payload:bin
 *   footer  := map {"sections": [[name, off, len, crcs:bin]...], "meta": map}
 *   trail   := bin(16) { footer_off:u64 footer_len:u32 footer_crc:u32 }
 */
enum {
	RK_CONTAINER_VERSION = 1,
	RK_SECTIONS_MAX = 24,
	RK_GRANULE = 64 * 1024,
	RK_ALIGN = 64,
};

/* Writing: one section at a time, of any length. */
struct rk_container_writer;
/*
 * Create `name` in `dir` for writing. Nothing is durable before finish.
 * Returns 0 or -errno.
 */
int rk_cw_open(const struct rk_io *io, int dir, const char *name,
	       struct rk_container_writer **out);
/* Errors stick and are reported by rk_cw_finish(). */
void rk_cw_begin(struct rk_container_writer *w, const char *section);
void rk_cw_add(struct rk_container_writer *w, const void *p, size_t n);
void rk_cw_end(struct rk_container_writer *w);
/*
 * Append the footer (`meta` is an encoded MessagePack map), fsync, close.
 * *size gets the file's bytes. Frees w in every case; after a failure the
 * file is removed.
 */
int rk_cw_finish(struct rk_container_writer *w, const struct rk_buf *meta,
		 uint64_t *size);
/* Give up: remove the file, free w. */
void rk_cw_abort(struct rk_container_writer *w);

/*
 * The number in a file's name "PREFIX-NNNNNN.SUFFIX...", or -1. What follows
 * the suffix (".tmp") is not looked at.
 */
int64_t rk_name_number(const char *file, const char *prefix,
		       const char *suffix);
/* The highest number of such files in a directory; 0: none there; -errno. */
int64_t rk_highest_number(int dir, const char *prefix, const char *suffix);

/* Reading: the file mapped whole. Any number of threads. */
struct rk_container;
/* Returns 0, -errno, RK_ECORRUPT, or RK_EVERSION. */
int rk_container_open(const struct rk_io *io, int dir, const char *name,
		      struct rk_container **out);
void rk_container_close(struct rk_container *c);
uint64_t rk_container_size(const struct rk_container *c);
/* The footer's "meta" map. Borrowed. */
struct rk_mpr rk_container_meta(const struct rk_container *c);

/* Index of a section, or -1. */
int rk_container_section(const struct rk_container *c, const char *name);
uint64_t rk_section_len(const struct rk_container *c, int section);
/*
 * Bytes [off, off+n) of a section, verified; NULL if they are damaged or out
 * of range. Borrowed until close.
 */
const void *rk_section_at(struct rk_container *c, int section, uint64_t off,
			  uint64_t n);
/*
 * Give the mapped pages back: they stay in the page cache, if there is room,
 * and come back when they are read. Any time, any thread.
 */
void rk_container_cool(struct rk_container *c);
/* Verify everything. Returns 0 or RK_ECORRUPT. */
int rk_container_verify(struct rk_container *c);

#endif
