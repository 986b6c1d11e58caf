/* SPDX-License-Identifier: MIT */
#ifndef RK_INDEX_INTERNAL_H
#define RK_INDEX_INTERNAL_H

#include "rankfs.h"
#include "index/state/changes.h"
#include "index/state/config.h"
#include "index/documents/links.h"
#include "index/state/queue.h"
#include "index/answers/saved.h"
#include "index/state/space.h"
#include "index/state/warnings.h"
#include "lexical/memtable.h"
#include "storage/ann.h"
#include "storage/manifest.h"
#include "storage/segment.h"
#include "storage/wal.h"
#include "text/symbols/ctags.h"
#include "text/extract/extract.h"
#include "text/match/trigram.h"
#include <sys/stat.h>

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
 * Lock order: touching; writer, persist_lock, links.lock, lock, memtable.lock,
 * queue.lock, warnings.lock, changes.lock.
 */
enum { RK_SEGS_MAX = 60, RK_MEMS_MAX = 4, RK_SPARE_MAX = 8 };

struct rk_view {
	_Atomic int refs;
	struct rk_segment *segs[RK_SEGS_MAX]; /* oldest first */
	unsigned nsegs;
	struct rk_memtable
		*mems[RK_MEMS_MAX]; /* oldest first; last is active */
	unsigned nmems;
};

/* What a query runs on: a view at a generation. */
struct rk_snapshot {
	struct rk_view *view;
	uint32_t generation;
	struct rk_corpus_stats stats; /* live at that generation */
	struct rk_space *space;
	struct rk_vectors *vecs[RK_SEGS_MAX]; /* by segment, in that space */
	struct rk_ann *anns[RK_SEGS_MAX];     /* over them, or NULL */
};

/* What a document that needs a helper was, and where its text is kept. */
enum { RK_TEXT_KEYS = 256 };
struct rk_text_key {
	uint64_t tag;
	char key[40];
};

struct rk_index {
	const struct rk_env *env;
	unsigned flags;
	char *name;
	uint64_t at; /* the checkpoint it is fixed to; 0: the newest */
	int backing_fd, dir_fd, files_fd, lock_fd;
	struct rk_config config;
	pthread_mutex_t config_lock; /* guards config and text_keys */
	struct rk_text_key text_keys[RK_TEXT_KEYS];
	_Atomic uint64_t texts_kept;
	struct rk_warnings warnings;
	struct rk_wal *wal;
	struct rk_queue queue;
	struct rk_change_log changes;
	struct rk_saved saved;

	pthread_mutex_t touching; /* a record goes to log and queue as one */
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
	struct rk_space *space, *next; /* next: NULL, or being built */
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
	struct rk_links links;
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

enum { START_AGAIN_US = 100000 }; /* a thread without memory to start */

/* requests.c: what is asked of the threads in the background */
void rk_persist_wake(struct rk_index *ix);
/* Let the workers keep up, so that the queue stays small. */
void rk_throttle(struct rk_index *ix);
/* Something failed that may not fail later: compare again soon. */
void rk_retry_later(struct rk_index *ix);

/* tables.c */
/* Swap in a view that the caller has built. Needs `writer`. */
void rk_view_swap(struct rk_index *ix, struct rk_view *v);
/* Freeze the active table (if it holds anything). Needs `writer`. */
int rk_freeze(struct rk_index *ix);

/* space.c */
/* The space that new vectors are made in; a reference. */
struct rk_space *rk_target_space(struct rk_index *ix);
uint64_t rk_take_vectors_id(struct rk_index *ix);

/* view.c */
struct rk_view *rk_view_new(void);
struct rk_view *rk_view_copy(const struct rk_view *v); /* new references */
void rk_view_unref(struct rk_view *v);
void rk_snapshot_take(struct rk_index *ix, struct rk_snapshot *s);
void rk_snapshot_release(struct rk_snapshot *s);
/* Answers have changed although no document has: a generation of its own. */
void rk_new_generation(struct rk_index *ix);

/* Chunks with a vector in the snapshot's space; of them in percent, or -1. */
uint64_t rk_vectors_there(const struct rk_snapshot *s);
int rk_vectors_percent(const struct rk_snapshot *s);

/* A live document in a view. */
struct rk_docref {
	struct rk_segment *seg; /* or NULL: */
	struct rk_memtable *mem;
	uint32_t doc;
	struct rk_doc_rec rec;
};
/*
 * The live document at `path`, newest generation. Needs `writer`.
 * Returns 1, 0, or RK_ECORRUPT.
 */
int rk_find_live(struct rk_index *ix, const char *path, size_t n,
		 struct rk_docref *out);
/*
 * Call fn for every live document whose path starts with `prefix`; the path
 * is NUL-terminated and valid during the call. Needs `writer`.
 */
typedef int rk_doc_fn(void *ctx, const struct rk_docref *d, const char *path);
int rk_each_live(struct rk_index *ix, const char *prefix, rk_doc_fn *fn,
		 void *ctx);
/* Remove from the next generation on; needs `writer` and `lock`. */
int rk_kill(struct rk_index *ix, const struct rk_docref *d, uint32_t gen);

/* ingest.c: what the workers do */
void *rk_worker_main(void *ix);
/* For readers without workers: everything in the queue, in this thread. */
void rk_drain_queue(struct rk_index *ix);
/*
 * Index text under a path, replacing what was there, without a file: for
 * bulk loading and benchmarks. The caller brings the worker's state.
 */
struct rk_worker {
	struct rk_rows rows;
	struct rk_analyser *analyser;
	enum rk_language base; /* that the index is configured for */
	struct rk_inverted inverted;
	struct rk_ctags *ctags;
	struct rk_grams grams;
	struct rk_termmap map;
};
int rk_worker_init(struct rk_worker *w, struct rk_index *ix);
void rk_worker_release(struct rk_worker *w);
struct rk_source_text {
	enum rk_kind kind;
	const char *s;
	size_t n;
	int fd; /* of the file, for its extended attributes; -1: none */
};
int rk_put_text(struct rk_index *ix, struct rk_worker *w, const char *path,
		struct rk_doc_rec *rec, const struct rk_source_text *t);
int rk_remove_path(struct rk_index *ix, const char *path);

/* document.c */
/*
 * Extended attributes of a file are metadata, too (ours are not): appended as
 * properties, each with its NUL. Returns 0 or -ENOMEM.
 */
int rk_attached(struct rk_index *ix, int fd, struct rk_buf *props);
/*
 * The folder that a document is in, on the terms of rk_open_document(), and
 * its name there. An O_PATH descriptor, the caller's; or -errno.
 */
int rk_open_parent(struct rk_index *ix, const char *path, const char **name);
/* Is the file what it was when it was indexed? */
int rk_is_unchanged(const struct rk_doc_rec *d, const struct stat *st);

/* texts.c */
enum rk_read {
	RK_READ_TO_INDEX, /* warns of what cannot be read */
	RK_READ_AGAIN,
	RK_READ_LINES, /* markup as it is */
};
/*
 * The text of an open document, by a helper program where its kind needs one.
 * Returns 0, -errno, -ENOMEM.
 */
int rk_read_text(struct rk_index *ix, int fd, const char *path,
		 enum rk_read how, struct rk_text *out);
/* Bytes [off, off+len) of the text that was indexed. */
int rk_read_range(struct rk_index *ix, int fd, const char *path, uint64_t off,
		  size_t len, struct rk_text *out);

/* cache.c: documents that go by themselves, if so configured */
/* Every second or so: remove what is too old, or too much. */
void rk_cache_tick(struct rk_index *ix, uint64_t *next_ns);
/* Is it in the cache, and too old to be given? */
int rk_cache_expired(struct rk_index *ix, const char *path, int64_t mtime_ns);
/* It has been of use: others go first. */
void rk_cache_used(struct rk_index *ix, const char *path);

/* persist.c */
void *rk_persist_main(void *ix);
/* Wait until no full table waits to be written, or the index is closed. */
void rk_wait_for_room(struct rk_index *ix);
/* checkpoint.c: the view as a manifest; keep `retain` of them. 0, -errno */
int rk_commit_manifest(struct rk_index *ix, int retain);
/* Take a damaged segment out of the view; the caller reconciles. */
void rk_drop_damaged(struct rk_index *ix);

/* spaces.c: which embedding space, and changing it */
/*
 * What the configuration asks for: *latent for the built-in, *e for another,
 * neither for none. A server's dimension may be unknown (0). Failures are
 * warned about. Returns 0, -errno.
 */
int rk_embedder_open(struct rk_index *ix, struct rk_latent **latent,
		     struct rk_embedder **e);
/* Bring another embedder into use, if the configuration names one. */
int rk_switch_embedder(struct rk_index *ix);
/* Ask a server whose dimension is unknown; then its space becomes next. */
int rk_probe_embedder(struct rk_index *ix);
/*
 * After answers that do not fit: has the server another dimension than was
 * thought? Then a space of that one becomes next. Returns 0 or -errno.
 */
int rk_check_dimension(struct rk_index *ix);
/* From here on, new vectors are made in `next`. Takes the reference. */
int rk_begin_space(struct rk_index *ix, struct rk_space *next);
/*
 * The vector of a query's text, by an embedder of texts; remembered. Returns
 * 1 and out (stride floats), 0 if there is none to be had now, -ENOMEM.
 */
int rk_embed_query(struct rk_index *ix, const struct rk_space *sp,
		   const char *text, size_t n, float *out);

/* embed_text.c: vectors that need the documents' text */
/*
 * The vector that comes with a document (extended attribute
 * user.rankfs.vector: dim halves) into n rows; zeros if there is none.
 */
void rk_document_vector(struct rk_index *ix, const struct rk_space *sp,
			const char *path, size_t n, float *rows);
int rk_embed_segment(struct rk_index *ix, const struct rk_space *sp,
		     struct rk_segment *seg, struct rk_vectors *old,
		     uint64_t id);
/* The active table's next chunks. 1: some were done, 0: all are. */
int rk_embed_memtable(struct rk_index *ix, const struct rk_space *sp);

/* embed.c: vectors in the background */
void *rk_embed_main(void *ix);
/* Choose the space that a manifest (or nothing) and the configuration ask for.
 */
int rk_space_recover(struct rk_index *ix);
/* Are vectors to be made that are not there yet? */
int rk_embed_pending(struct rk_index *ix);

/* recover.c: from nothing or a directory to a view */
int rk_recover(struct rk_index *ix);
extern const char RK_ANALYSER_VERSION[];

/* reconcile.c */
void *rk_reconcile_main(void *ix);
/*
 * Walk a folder of documents, telling fn each regular, indexable file. A
 * folder that is not there has none; one that cannot be read now is warned
 * about, and its -errno is returned once the others are done.
 */
typedef int rk_file_fn(void *ctx, const char *path, const struct stat *st);
int rk_walk_files(struct rk_index *ix, const char *path, rk_file_fn *fn,
		  void *ctx);

#endif
