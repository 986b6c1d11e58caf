/* SPDX-License-Identifier: MIT */
#ifndef RK_STORAGE_WAL_H
#define RK_STORAGE_WAL_H

#include "base/buf.h"
#include "base/env.h"
#include <pthread.h>

/*
 * Write-ahead log (core/doc/format-wal.md). Files `wal-NNNNNN.log`, each
 * written with zeros ahead of use so that a commit changes data blocks alone:
 *
 *   file   := magic[8] salt:u64 first_seq:u64 crc:u32 zero[36]     64 bytes
 *   record := len:u32 crc:u32 seq:u64 type:u8 body[len]
 *
 * crc is CRC-32C over the file's salt, then len, seq, type and body, so that
 * bytes left over from another file never pass for a record. A record of
 * len 0 and crc 0 is the end. Sequence numbers are consecutive over files.
 *
 * Invariants: W1 a record is acknowledged after it is handed to the kernel
 * (it survives the death of the process); W2 rk_wal_sync(seq) returns after
 * it is on disk; W3 replay yields a prefix of what was appended, and at least
 * every record that was synced.
 */
enum { RK_WAL_HEADER = 64, RK_WAL_RECORD = 17, RK_WAL_BODY_MAX = 1 << 20 };

struct rk_wal_record {
	uint64_t seq;
	uint8_t type;
	const uint8_t *body; /* borrowed until the callback returns */
	uint32_t len;
};
/* Return non-zero to stop the replay with that value. */
typedef int rk_wal_fn(void *ctx, const struct rk_wal_record *r);

struct rk_wal_report {
	uint64_t records, bytes; /* replayed */
	uint64_t last_seq;	 /* 0: none */
	int torn;		 /* a tail was cut: an interrupted last write */
	int damaged; /* records after a bad one, or a gap, were set aside */
	char detail[160]; /* a sentence about it, or "" */
};

struct rk_wal;

/*
 * Replay the records with seq > floor, oldest first, then open the log for
 * appending behind them (read_only: replay alone, change nothing, *out NULL).
 * A torn tail is cut; damage before valid records is reported, the files
 * concerned are renamed to *.damaged, and replay goes on behind the gap: a
 * record only names what to look at again, so a later one stays true.
 * Returns 0, -errno (a read error is not damage), or what fn returned.
 */
int rk_wal_open(const struct rk_io *io, int dir, uint64_t floor, int read_only,
		rk_wal_fn *fn, void *ctx, struct rk_wal_report *report,
		struct rk_wal **out);
void rk_wal_close(struct rk_wal *w);

/*
 * Append one record; body at most RK_WAL_BODY_MAX bytes. Any thread.
 * *seq gets its number. After a failed write the log is cut back to its last
 * whole record; after a failed sync it refuses everything with that error.
 * Returns 0, -errno, RK_ETOOBIG.
 */
int rk_wal_append(struct rk_wal *w, uint8_t type, const void *body, size_t n,
		  uint64_t *seq);
/* Wait until record seq is on disk; callers at the same time share one sync. */
int rk_wal_sync(struct rk_wal *w, uint64_t seq);
/* Begin a new file: records <= the last one are no longer appended to. */
int rk_wal_rotate(struct rk_wal *w);
/* Remove files that hold nothing above floor. */
int rk_wal_drop(struct rk_wal *w, uint64_t floor);
uint64_t rk_wal_last(struct rk_wal *w);

#endif
