/* SPDX-License-Identifier: MIT */
#ifndef RK_INDEX_INTERNAL_H
#define RK_INDEX_INTERNAL_H

#include "base/status.h"
#include "rankfs.h"
#include "index/state/changes.h"
#include "index/state/config.h"
#include "index/state/queue.h"
#include "index/state/embspace.h"
#include "index/state/view.h"
#include "index/state/warnings.h"
#include "storage/manifest.h"
#include "storage/wal.h"

/*
 * The parts of one index and who may touch what.
 *
 * Invariants
 *   X1 An index generation is a number that grows by one with each change of
 *      an answer. A document is in generation g if born <= g and it is not
 *      dead by g; births and deaths of one change share a generation, so a
 *      path is there exactly once in any of them.
 *   X2 `writer` is held while anything about documents or the list of
 *      segments changes; `lock` for the moment in which readers could see it.
 *      A reader holds `lock` only while it takes a snapshot.
 *   X3 A segment or memory table named by a view lives as long as the view.
 *   X4 The log is cut only up to a floor below which every record's effect
 *      is in the segments of a durable manifest.
 *   X5 Vectors of the space that serves are `vec` of their segments; while
 *      `next` is being built, both spaces are brought along by merges.
 *      Whatever is missing is made again by the embedding thread.
 *
 * Lock order
 *   Who holds one of these takes only such as come later; those on one line
 *   are never held together. Every mutex and rwlock of core/ is here.
 *
 *   moving            documents get other names, or a checkpoint is written
 *   touching          a record goes to log and queue as one
 *   writer            documents, and the list of segments
 *   persist_lock      what is asked of the threads in the background
 *   memtable.lock     a table's contents; queries share it to their end, those
 *                     of a snapshot in the order of the view
 *   links.lock        the list of linked sources
 *   lock              view, generation, statistics, manifest, spaces
 *   queue.lock, wal.lock, changes.lock, warnings.lock, config_lock, saved.lock,
 *   the lazy_lock of segment.c, `writing` of registry.c, the server's lock
 *                     last: nothing else is taken under them, except what
 *                     rk_listen() was given takes (followed.c), under
 *                     changes.lock, and warnings.lock while a saved file
 *                     cannot be written
 *
 *   So nobody who holds `lock` waits for a table: rk_memtable_publish() and
 *   rk_delete_doc() need none of its locks. rk_assert_held() stands where a
 * function needs one of these.
 */
enum { RK_SPARE_MAX = 8 };

/* What a document that needs a helper was, and where its text is kept. */
enum { RK_TEXT_KEYS = 256 };
struct rk_text_key {
	uint64_t tag;
	char key[40];
};

/* What was renamed and is not yet so in the index, in order. */
struct rk_moves {
	struct rk_move {
		char *from, *to;
	} * v;
	size_t n, cap;
};
void rk_moves_release(struct rk_moves *m);

struct rk_links;
struct rk_saved;

struct rk_index {
	const struct rk_env *env;
	unsigned flags;
	char *name;
	uint64_t at; /* the checkpoint it is fixed to; 0: the newest */
	int backing_fd, dir_fd, files_fd, lock_fd;
	char language[32]; /* of the configuration, as it was when opened */
	struct rk_config config;
	pthread_mutex_t config_lock; /* guards config and text_keys */
	struct rk_text_key text_keys[RK_TEXT_KEYS];
	_Atomic uint64_t texts_kept;
	struct rk_warnings warnings;
	struct rk_wal *wal;
	struct rk_queue queue;
	struct rk_change_log changes;
	struct rk_saved *saved; /* answers/ owns what is in it */

	pthread_mutex_t moving;	  /* one at a time (write/rename.c) */
	pthread_mutex_t touching; /* a record goes to log and queue as one */
	struct rk_moves moves;	  /* names that changed; under touching */
	pthread_mutex_t writer;
	pthread_mutex_t lock; /* guards view, generation, stats, manifest */
	struct rk_view *view;
	uint32_t generation;
	struct rk_corpus_stats stats;
	struct rk_manifest manifest; /* the one in use, without its segs */
	uint64_t last_manifest;	     /* the highest number there is */
	uint64_t next_segment;
	uint64_t floor; /* of the log, for the next manifest */
	int dirty;	/* a manifest is due: segments or the dead changed */
	/* embedding: under lock */
	struct rk_embspace *space, *next; /* next: NULL, or being built */
	uint64_t next_vectors, next_space;
	uint64_t vectors_busy; /* file being written; 0: none */
	_Atomic int told_no_ctags;
	int foreign; /* vectors of another embedder than configured */
	int refit_wanted, refitting, switch_wanted;
	struct rk_embedder *awaited; /* a server that must be probed first */
	struct rk_query_vec {	     /* vectors of recent queries */
		uint64_t key, space, used;
		float *v;
	} query_vecs[32];
	uint64_t query_clock;

	pthread_t workers[64];
	unsigned nworkers;
	struct rk_links *links; /* documents/ does */
	_Atomic int links_changed, links_rescan;
	_Atomic size_t memory_limit; /* of tables; 0: configured */
	int watch_fd; /* wakes the thread that follows linked sources */
	pthread_t persist_thread, reconcile_thread, embed_thread, watch_thread;
	int have_persist, have_reconcile, have_embed, have_watch;
	pthread_mutex_t persist_lock; /* guards the request fields below */
	pthread_cond_t persist_cond, room_cond, embed_cond;
	uint64_t want_checkpoint, did_checkpoint;
	uint64_t want_compact, did_compact;
	int checkpoint_rc;
	int reconcile_wanted; /* 1: compare, 2: read everything */
	uint64_t did_reconcile;
	uint64_t retry_ns, retried_ns; /* what failed; 0: nothing, never */
	unsigned retry_ms;	       /* the next wait */
	_Atomic int reconciling;
	_Atomic int stopping;
	_Atomic uint64_t queries, recall_hits, recall_misses, evicted;
	uint64_t dirty_since_ns;		 /* 0: clean; under lock */
	struct rk_analyser *spare[RK_SPARE_MAX]; /* for queries; under lock */
	unsigned nspare;
};

/* A rename to moves and queue, as rk_renamed() does under `touching`. */
int rk_push_rename(struct rk_index *ix, const char *from, const char *to,
		   unsigned flags, uint64_t seq);

enum { START_AGAIN_US = 100000 }; /* a thread without memory to start */

#endif
