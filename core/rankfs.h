/* SPDX-License-Identifier: MIT */
#ifndef RANKFS_H
#define RANKFS_H

/*
 * rankfs: an embeddable search index over a folder of plain files.
 *
 * A backing directory holds the documents, unchanged, and an index of them:
 *
 *   BACKING/registry.mp          which indexes there are
 *   BACKING/indexes/main/files/  the documents
 *   BACKING/indexes/main/        log, segments, manifests (core/doc/)
 *
 * The owner of the documents (a mount, a copy tool) changes them with plain
 * file operations and says rk_touch() afterwards; worker threads read the
 * file and bring the index up to date. What is indexed is always what the
 * file holds when it is read: a touch says where to look, never what is there.
 *
 * What holds for every function, unless it says otherwise:
 *
 * Threads. It may be called from any thread, several at once on one index.
 * None may be called from a signal handler, nor from a function that the
 * library calls. A process that forks uses its indexes in the parent alone.
 *
 * Returns. An int is 0 or more on success, -errno from the system, or a code
 * of enum rk_code; rk_strerror() names them all. Outputs are filled on success
 * alone. -ENOMEM is possible wherever something is made.
 *
 * Ownership. What is passed in stays the caller's, and is not used after the
 * call. What comes out in `**out` is the caller's to free, with the function
 * named beside it; everything that it points to belongs to it and goes with
 * it. Strings end with a NUL. Answers do not depend on the index after the
 * call that made them: it may be closed first, where nothing else is said.
 *
 * Growth. Later versions add members at the end of a struct, never in between.
 * - A struct that the caller provides begins with `size`, which the caller
 *   sets to its sizeof: nothing behind that is read or written. Members that
 *   the library does not know are left alone, members that the caller does not
 *   know have their default.
 * - A struct that the library makes is never copied, nor is its sizeof used.
 *   Hits, which come in an array, are reached by rk_results_hit(); elements of
 *   other arrays (lines, marks, chunks, definitions) do not grow as long as the
 *   library has this number in its name (librankfs.so.0).
 * - Enums get new values at their end: take an unknown one as "something else".
 *
 * C11, C++11. GCC and Clang.
 */
#include "base/public.h"
#include <stddef.h>
#include <stdint.h>

/* A flag that another thread sets to end a call early. */
#ifdef __cplusplus
#include <atomic>
typedef std::atomic<int> rk_flag;
extern "C" {
#else
typedef _Atomic int rk_flag;
#endif
#pragma GCC visibility push(default)

/* An open index. Freed by rk_index_close(). */
struct rk_index;
/* The outside world; NULL everywhere means the real one. Tests have others. */
struct rk_env;

/* --- opening ----------------------------------------------------------- */

enum { /* rk_index_open() flags */
       /*
	* Change nothing and take no lock: the newest checkpoint, and what the
	* log says has changed since, indexed in memory. Several readers may
	* open beside one writer.
	*/
       RK_READ_ONLY = 1,
       /* Do not compare the documents with the index after opening. */
       RK_NO_RECONCILE = 2,
       /* Throw the index away and build it from the documents. */
       RK_REBUILD = 4,
};

/*
 * Open the index `name` (usually "main") in a backing directory, which is
 * made (0700) if it does not exist. Returns as soon as queries can be
 * answered: the manifest is read and the log replayed; reading the documents
 * that the log names, and comparing all documents with the index, go on in
 * the background. `env` (NULL: the real world) must outlive the index.
 * Damage is repaired or set aside and told by rk_warnings(), never fatal.
 *
 * Returns 0; RK_ELOCKED if another process writes this index; RK_EVERSION
 * if a newer rankfs wrote it; -errno.
 */
int rk_index_open(const struct rk_env *env, const char *backing,
		  const char *name, unsigned flags, struct rk_index **out);

/*
 * Open the index as a retained checkpoint has it, for reading: nothing that
 * came later. Documents that have changed since are found by what they said
 * then, without an excerpt. Returns 0, -ENOENT if there is no such checkpoint,
 * or as above.
 */
int rk_index_open_at(const struct rk_env *env, const char *backing,
		     const char *name, uint64_t checkpoint,
		     struct rk_index **out);

/* A state of the index that can be opened; it does not grow. */
struct rk_checkpoint {
	uint64_t number, generation;
	/* since 1970 */
	int64_t created_ns;
};
/*
 * The checkpoints that are retained, newest first, at most `max`, into v.
 * Returns how many, or -errno.
 */
int rk_checkpoints(struct rk_index *ix, struct rk_checkpoint *v, int max);

/*
 * Finish what is queued, write a checkpoint, stop all threads, free.
 * NULL is allowed. No other call may be running.
 * Returns 0, or what went wrong with the checkpoint (nothing is lost: the
 * log still knows).
 */
int rk_index_close(struct rk_index *ix);

/*
 * Returns a descriptor of the directory of the documents: for openat(2) of what
 * is then touched. It belongs to the index: not to be closed, and gone after
 * rk_index_close().
 */
int rk_index_files_fd(const struct rk_index *ix);

/*
 * The text of the process that holds the writer's lock, for messages such
 * as "in use by process 123". Returns 0 with out filled, -ENOENT if nobody.
 */
int rk_index_holder(const char *backing, const char *name, char *out, size_t n);

/*
 * Memory for what is not yet in segments, if it is less than the index is
 * configured for: a share of what many indexes may take together.
 */
void rk_index_limit_memory(struct rk_index *ix, size_t bytes);

/*
 * A backing folder for many indexes: made if it does not exist, and locked for
 * one process; *lock is closed to give it up. Returns the descriptor of the
 * folder of indexes, the caller's; RK_ELOCKED, -errno.
 */
int rk_backing_open(const char *backing, int *lock);
/*
 * Who has locked it, as text like that of rk_index_holder(). Returns 0 with out
 * filled, -ENOENT if nobody.
 */
int rk_backing_holder(const char *backing, char *out, size_t n);
/*
 * An index has been removed or renamed by the caller: the registry forgets its
 * name. It must not be open. Returns 0, also if there was no such name; -errno.
 */
int rk_index_forget(const struct rk_env *env, const char *backing,
		    const char *name);

/*
 * How a program keeps an index: it writes a document with plain file calls,
 * below rk_index_files_fd(), and says rk_touch(). That is all. A search sees
 * the change as soon as a worker has read the file, which rk_search() can wait
 * for; a program that must know that the change survives a power cut calls
 * fsync(2) on the file and rk_sync() afterwards.
 */
/* --- changes ----------------------------------------------------------- */

enum {
	/* path is a folder: everything below it, too */
	RK_TOUCH_TREE = 1,
	/* it was removed: told even if the disk is too full for the log */
	RK_TOUCH_REMOVED = 2,
};

/*
 * A document was written, made, renamed or removed: look at `path` again.
 * Paths are relative to the documents' directory, '/' between components,
 * at most 4,095 bytes. When this returns the change is in the log, so that
 * it is found even if the process dies now, and queued for the workers.
 * Never waits for indexing. `seq` (may be NULL) is for rk_sync().
 * Returns 0, -errno if the log cannot be written, RK_EREADONLY.
 */
int rk_touch(struct rk_index *ix, const char *path, unsigned flags,
	     uint64_t *seq);

/*
 * `from` was renamed to `to`, in place of what was there. As rk_touch() of both
 * (flags: RK_TOUCH_TREE for folders), but documents that were indexed under the
 * old name are not read again: they are found under the new one, all at once.
 */
int rk_renamed(struct rk_index *ix, const char *from, const char *to,
	       unsigned flags, uint64_t *seq);

/*
 * Symbolic links at the top of the documents may have changed: those to
 * folders elsewhere are linked sources, whose files are documents, too. They
 * are followed in the background. Returns at once.
 */
void rk_links_changed(struct rk_index *ix);

/*
 * Where the documents are mounted, if they are: no linked source may be there,
 * and none is entered. To be called before the first link is made.
 */
void rk_index_set_mount(struct rk_index *ix, const char *mountpoint);

/* Append one line a source: `source NAME FOLDER ok|scanning|missing`. */
void rk_sources_print(struct rk_index *ix, struct rk_buf *out);

/*
 * Returns the log record of the newest touch: rk_sync() of it syncs all. 0 if
 * there was none.
 */
uint64_t rk_last_touch(struct rk_index *ix);

/*
 * Wait until log record `seq`, and all before it, are on disk; several callers
 * share one fsync(2). Returns 0, also at once for an index that was opened for
 * reading; -errno if the disk fails: the record may then be lost by a power
 * cut, not by the end of the process.
 */
int rk_sync(struct rk_index *ix, uint64_t seq);

/* Returns the number of touches that the workers have not finished. */
size_t rk_pending(struct rk_index *ix);

/*
 * True while the queue is so long that a writer should wait (rk_barrier)
 * before handing over more; what keeps memory bounded under a bulk copy.
 */
int rk_congested(struct rk_index *ix);

/*
 * Wait until every touch made before this call is searchable, at most
 * timeout_ms, or until *cancel (may be NULL) becomes non-zero.
 * Returns 0, -ETIMEDOUT, RK_ECANCELLED.
 */
int rk_barrier(struct rk_index *ix, int timeout_ms, const rk_flag *cancel);

/* --- queries ------------------------------------------------------------ */

/* The forms of an answer: as:... in the query. */
enum rk_format {
	RK_AS_TEXT,
	RK_AS_JSON,
	RK_AS_JSONL,
	RK_AS_PATHS,
	RK_AS_LINES,
	RK_AS_PACK,   /* whole chunks up to a budget of tokens */
	RK_AS_ANSI,   /* text, with what was found in colour */
	RK_AS_PATHS0, /* paths as they are, each ended by a NUL */
};

/* What ranks: mode:... in the query. */
enum rk_mode {
	RK_MODE_HYBRID,
	RK_MODE_LEXICAL,
	RK_MODE_VECTOR,
};

/*
 * How to search. All members 0, but `size`, is a search that does not wait for
 * changes; NULL instead of it waits as the index is configured to.
 */
struct rk_search_opts {
	/* sizeof(struct rk_search_opts) */
	size_t size;
	/* for read-your-writes; -1: configured */
	int wait_ms;
	/* may be NULL */
	const rk_flag *cancel;
	/* hits without text: faster */
	int no_excerpts;
	/* besides those the query asks for */
	unsigned extra_hits;
	/*
	 * A vector to look near, of the index's dimension (vector_dim floats,
	 * any length but zero), instead of the query's own; NULL: none.
	 */
	const float *vector;
	uint32_t vector_dim;
	/* hits from the first one on, up to the last of the page asked for */
	int all_pages;
};

/* A piece of an excerpt: bytes [off, off + len). It does not grow. */
struct rk_mark {
	uint32_t off, len;
};

/* A line that matches the query's patterns. It does not grow. */
struct rk_line {
	const char *path;
	uint32_t line;
	/* len bytes, as they are in the document */
	const char *text;
	size_t len;
};

/* What a clause of a query asks for. */
enum rk_op {
	/* its children, each as its `occur` says */
	RK_OP_ALL,
	/* one word, in all its forms */
	RK_OP_WORD,
	/* words at their places */
	RK_OP_PHRASE,
	/* sym: tag: meta. */
	RK_OP_PROPERTY,
	/* a condition on the document: path: ext: after: */
	RK_OP_FILTER,
	/* a pattern of the text */
	RK_OP_REGEX,
	/* one of its children */
	RK_OP_ANY,
};

/* What a clause means for a result. */
enum rk_occur {
	/* it ranks higher with it */
	RK_SHOULD,
	/* there is none without it */
	RK_MUST,
	/* there is none with it */
	RK_NOT,
};

/*
 * The query as it was understood: a tree, whose root stands for all of it and
 * whose `next` is NULL.
 */
struct rk_clause {
	enum rk_op op;
	enum rk_occur occur;
	/* as written */
	const char *text;
	/* what is looked up, separated by blanks; or "" */
	const char *terms;
	const struct rk_clause *child, *next;
};

/*
 * A result: a chunk of a document, with why it is where it is. Strings are
 * never NULL; they belong to the answer.
 */
struct rk_hit {
	/* relative to the documents' directory */
	const char *path;
	/* the best line, from 1 */
	uint32_t line;
	/* lines of the chunk */
	uint32_t first, last;
	/* bytes of the chunk in the text */
	uint64_t off, len;
	/* 0 to 1, relative to the best hit */
	double score;
	/* the same, before it was made relative */
	double raw;
	/* BM25F with pair scores */
	double lexical;
	/* cosine, -1 to 1 */
	double vector;
	/* in each lane, from 1; 0: not found there */
	uint32_t lexical_rank;
	uint32_t vector_rank;
	/* of the chunk: hash of its text */
	uint64_t id;
	/* of the document; 0: it has none */
	uint32_t page;
	/* heading path, or "" */
	const char *heading;
	/* names defined in the chunk, or "" */
	const char *symbol;
	/* "markdown", "function", ... */
	const char *kind;
	/*
	 * of its words, if it is another than the index's: "german", ...; or ""
	 */
	const char *language;
	/*
	 * lines, each ended by a newline; or "". "..." (one character) stands
	 * for what is left out: inside a long line, or as a line of its own
	 */
	const char *excerpt;
	/* line of the excerpt's first */
	uint32_t excerpt_line;
	/* the excerpt is the whole document */
	int complete;
	/* what of the excerpt the query speaks of: bytes, in order */
	const struct rk_mark *marks;
	size_t nmarks;
	/* documents that say nearly the same and are not listed */
	const char *const *copies;
	size_t ncopies;
	/* estimate for the chunk */
	uint32_t tokens;
	/* of the file */
	uint64_t size;
	int64_t mtime_ns;
	/* the number of each of the excerpt's lines; 0: lines left out */
	const uint32_t *lines;
	size_t nlines;
};

/* An answer. Everything in it is owned by it; rk_results_free() frees it. */
struct rk_results {
	/* the library's own: rk_results_hit() */
	struct rk_hit *hits;
	size_t nhits;
	/* documents that match */
	uint64_t total;
	/* counting was cut short: "at least" */
	int total_is_lower;
	/* of the index that was asked */
	uint64_t generation;
	/* changes not yet in the answer */
	size_t pending;
	double took_ms;
	enum rk_format format;
	/* that was answered in */
	enum rk_mode mode;
	/* of chunks that have theirs; -1: no vectors */
	int vectors_percent;
	/* from 1 */
	uint32_t page;
	/* hits of one */
	size_t per_page;
	/* the budget of a pack, or -1 */
	int64_t tokens;
	/*
	 * Instead of hits, where the query is a pattern: every line that
	 * matches, by path and line. `cut`: there are more.
	 */
	const struct rk_line *lines;
	size_t nlines;
	int is_lines, lines_cut;
	/* NULL: it says nothing */
	const struct rk_clause *clauses;
	/* lines about what was not understood, or NULL */
	const char *notes;
	/* what was searched instead, or NULL */
	const char *did_you_mean;
	/* why there are no hits, or NULL */
	const char *reason;
	/* in the index */
	uint64_t docs;
};

/*
 * Answer a query (grammar: fs/doc/query.md). Any bytes are a query; none is
 * an error. Runs on an immutable view: writers never wait for it, nor it for
 * them beyond read-your-writes.
 * Returns 0 and *out, RK_ECANCELLED, -ENOMEM.
 */
int rk_search(struct rk_index *ix, const char *text, size_t n,
	      const struct rk_search_opts *opts, struct rk_results **out);

/* Frees an answer of rk_search(). NULL is allowed. */
void rk_results_free(struct rk_results *r);

/*
 * Returns hit i, best first, from 0; NULL from `nhits` on. It belongs to the
 * answer.
 */
const struct rk_hit *rk_results_hit(const struct rk_results *r, size_t i);

/* --- answers as bytes ---------------------------------------------------- */

/*
 * Append an answer in one of the forms that `as:` chooses, byte for byte what a
 * mount shows (fs/doc/query.md describes every form): UTF-8 but for paths that
 * are not, ending in a newline (a NUL in RK_AS_PATHS0); no bytes for a list of
 * nothing.
 *
 * form       r->format is the one that the query asks for
 * query      its text, `query_n` bytes, which as:json repeats
 * root       put before paths, with a slash: a mount point, or the folder of
 *            the documents; "" gives paths that begin with the slash
 * body       out, may be NULL: where what depends on the answer alone begins;
 *            the line before it says how long the search took
 *
 * Needs only the answer, not the index. Returns 0, or -ENOMEM; out then has a
 * part of it.
 */
int rk_render(const struct rk_results *r, enum rk_format form,
	      const char *query, size_t query_n, const char *root,
	      struct rk_buf *out, size_t *body);

/*
 * The name of a mode as in a query, "hybrid" and so on. Static storage.
 */
const char *rk_mode_name(enum rk_mode mode);

/* --- many indexes as one ------------------------------------------------- */

/*
 * A query over several indexes with the statistics of all of them together:
 * first each is counted, then each that holds something is asked, then there
 * is one answer, by words alone. Indexes need not be open at the same time. One
 * thread. Everything returns -ENOMEM or RK_ECANCELLED besides what is said.
 */
struct rk_federation;

/* Returns a federation for a query of n bytes, which it copies; NULL without
 * memory. rk_federation_free() frees it. */
struct rk_federation *rk_federation_new(const char *text, size_t n);

/* NULL is allowed. Its results must have been freed before. */
void rk_federation_free(struct rk_federation *f);

/*
 * Count the words of the query in an index, before any is asked. Returns 1: it
 * is worth asking; 0: it holds none of the words. The index may be closed
 * afterwards and opened again for rk_federation_ask().
 */
int rk_federation_count(struct rk_federation *f, struct rk_index *ix,
			const struct rk_search_opts *opts);

/*
 * Ask an index. `name` and a slash are put before its paths. Returns 0. The
 * index may be closed afterwards.
 */
int rk_federation_ask(struct rk_federation *f, struct rk_index *ix,
		      const char *name, const struct rk_search_opts *opts);

/*
 * The one answer, after the last index was asked. It is valid as long as the
 * federation, and is freed before it, by rk_federation_results_free(), not by
 * rk_results_free(). Returns 0.
 */
int rk_federation_results(struct rk_federation *f, struct rk_results **out);
void rk_federation_results_free(struct rk_results *r);

/* --- standing queries ---------------------------------------------------- */

/*
 * Ask to be told of changes: `wake` is called, from the thread that made one,
 * under locks: it must not wait and may call nothing here. One listener at a
 * time; NULL ends it.
 */
void rk_listen(struct rk_index *ix, void (*wake)(void *ctx), void *ctx);

/* What has changed since it was last taken. The caller frees it. */
struct rk_changes;
/* NULL: nothing, or nobody listens. */
struct rk_changes *rk_changes_take(struct rk_index *ix);

/* Frees changes that were taken. NULL is allowed. */
void rk_changes_free(struct rk_changes *c);

/* A document that came or went. It does not grow. */
struct rk_change {
	/* borrowed from the changes */
	const char *path;
	uint64_t generation;
	/* else it has come, in place of one that is told before */
	int gone;
};

/* Returns how many there are. */
size_t rk_changes_count(const struct rk_changes *c);

/* Returns change i, below rk_changes_count(), by value. */
struct rk_change rk_changes_at(const struct rk_changes *c, size_t i);

/*
 * Returns 1 if there was more than is listed: too many changes, or vectors that
 * are new. Every standing query may then have another answer.
 */
int rk_changes_much(const struct rk_changes *c);

/* A query that is asked again when its answer may be another. */
struct rk_standing;
enum rk_effect {
	/* not one result, nor the number of matches */
	RK_EFFECT_NONE,
	/* a document may have come near in meaning */
	RK_EFFECT_POSSIBLE,
	/* a document with its words came or went */
	RK_EFFECT_LIKELY,
};
/*
 * Told from postings alone, in about a microsecond a word and document; scores
 * may change by a little with any document and do not count. Any thread, no
 * longer than the index is open. *held: most words of it that one of the
 * documents holds: who has more is more urgent. rk_standing_new(): 0,
 * RK_ECANCELLED, -ENOMEM.
 */
int rk_standing_new(struct rk_index *ix, const char *text, size_t n,
		    struct rk_standing **out);

/* Frees a standing query, while its index is open. NULL is allowed. */
void rk_standing_free(struct rk_standing *st);
enum rk_effect rk_standing_effect(const struct rk_standing *st,
				  const struct rk_changes *c, unsigned *held);

/* --- saved queries ------------------------------------------------------- */

/*
 * Queries with a name, kept with the index, and marks on single documents that
 * one of them must or must not show. A change is on disk when the call returns
 * 0. Returns: -ENOENT no such name, -EEXIST, -EINVAL, -ENOSPC, RK_EREADONLY,
 * -errno.
 */
int rk_saved_put(struct rk_index *ix, const char *name, const char *text);
int rk_saved_drop(struct rk_index *ix, const char *name);
/* In the place of `to`, if there is one. Marks go with it. */
int rk_saved_rename(struct rk_index *ix, const char *from, const char *to);

/* Returns 1 and its text appended to out (may be NULL); 0: no such name. */
int rk_saved_text(struct rk_index *ix, const char *name, struct rk_buf *out);

/* Append all names in order, each with a NUL behind it. */
void rk_saved_names(struct rk_index *ix, struct rk_buf *out);

/* What a mark says of a document. */
enum rk_feedback {
	RK_FEEDBACK_NONE,
	/* shown first, whatever the search says */
	RK_FEEDBACK_PINNED,
	/* never shown */
	RK_FEEDBACK_DEMOTED,
};
int rk_saved_mark(struct rk_index *ix, const char *name, const char *path,
		  enum rk_feedback mark);

/* Forget all marks of a query. Returns as above. */
int rk_saved_unmark(struct rk_index *ix, const char *name);
/* Paths so marked, each with a NUL behind it, oldest first. */
void rk_saved_marks(struct rk_index *ix, const char *name,
		    enum rk_feedback mark, struct rk_buf *out);

/* --- what documents are made of ----------------------------------------- */

/* A chunk of a document: what a query ranks. */
struct rk_chunk_info {
	/* hash of its text */
	uint64_t id;
	/* lines */
	uint32_t first, last;
	/* bytes of the text */
	uint64_t off, len;
	/* 0: the document has none */
	uint32_t page;
	/* an estimate */
	uint32_t tokens;
	/* or "" */
	const char *heading;
	/* names defined in it, or "" */
	const char *symbol;
	/* "function", "markdown", ... */
	const char *kind;
};

/* Owned by it; rk_chunk_infos_free() frees. */
struct rk_chunk_infos {
	/* in order */
	struct rk_chunk_info *v;
	size_t n;
};

/*
 * The chunks of the document at `path` as they are in the index. Returns 0;
 * -ENOENT if it is not there; -ENOMEM, RK_ECORRUPT.
 */
int rk_document_chunks(struct rk_index *ix, const char *path,
		       struct rk_chunk_infos **out);

/* Frees the chunks of a document. NULL is allowed. */
void rk_chunk_infos_free(struct rk_chunk_infos *p);

/*
 * The document's file, for reading; nothing leads out of the documents or their
 * linked source. A descriptor, the caller's; or -errno.
 */
int rk_open_document(struct rk_index *ix, const char *path);
/*
 * What it is, or a folder of documents, as lstat(2) would say, on the same
 * terms: a link in the middle of the path is -ELOOP. "NAME/" is the folder of
 * the linked source NAME. Returns 0 or -errno.
 */
struct stat;
int rk_stat_document(struct rk_index *ix, const char *path, struct stat *st);
/*
 * The tags of the document as it is now: front matter, extended attributes;
 * each with a NUL behind it, in lower case. Returns 0, -errno.
 */
int rk_document_tags(struct rk_index *ix, const char *path, struct rk_buf *out);
/*
 * Append bytes [off, off+len) of a document's text, extracted where it has to
 * be. Fewer if it has become shorter. Returns 0, -errno.
 */
int rk_document_text(struct rk_index *ix, const char *path, uint64_t off,
		     size_t len, struct rk_buf *out);

/*
 * Append all of a document's text as it is searched; lines count as those of
 * hits do. *cut: it goes on behind `text_max_mib`. Returns 0; -ENOENT if the
 * index has no such document; -ENODATA if it has no text (it is binary, or
 * could not be extracted); -errno.
 */
int rk_document_whole(struct rk_index *ix, const char *path, struct rk_buf *out,
		      int *cut);

/* Where a name is defined. It does not grow. */
struct rk_symbol_def {
	/* "" where unknown */
	const char *path, *kind, *scope, *signature;
	uint32_t line, end;
};
/* Where a name stands. It does not grow. */
struct rk_symbol_ref {
	/* the line, without blanks around it */
	const char *path, *text;
	/* what it is in the definition of, or "" */
	const char *inside;
	uint32_t line;
	/* the name is followed by "(" */
	int is_call;
};
/* One end of an edge of the graph of calls. */
struct rk_symbol_link {
	const char *name, *path;
	uint32_t line;
};

/* What the index knows of a name. Owned by it; rk_symbol_free() frees. */
struct rk_symbol {
	struct rk_symbol_def *defs;
	struct rk_symbol_ref *refs;
	struct rk_symbol_link *callers, *callees;
	size_t ndefs, nrefs, ncallers, ncallees;
	/* there are more */
	int refs_cut;
	uint64_t generation;
	size_t pending;
};

/*
 * Definitions of a name by case, of all cases if none agrees; every place in
 * source code where it stands as an identifier; what calls it, and what its
 * definitions call. Waits as rk_search() does. A name that nothing is known of
 * has none of each. Returns 0, RK_ECANCELLED, -ENOMEM.
 */
int rk_symbol(struct rk_index *ix, const char *name, size_t n,
	      const struct rk_search_opts *opts, struct rk_symbol **out);

/* Frees what is known of a name. NULL is allowed. */
void rk_symbol_free(struct rk_symbol *s);

/*
 * A word of the vocabulary. Words are kept folded: in lower case and without
 * accents. Forms of one word (rotate, rotates, rotation) are one term of the
 * index; it is shown as the form that occurs most often, if the index knows
 * one, else as the stem that it is searched by ("rotat").
 */
struct rk_term {
	const char *word; /* ends in a NUL */
	uint64_t count;	  /* passages (chunks) that a query for it finds */
};
struct rk_terms {
	struct rk_term *v;
	size_t n;
};

/*
 * The words that begin with `prefix` (n bytes of UTF-8, 0: all words), `most`
 * of them: those with the highest counts, highest first. All segments and what
 * is still in memory count together. Words of documents that were changed or
 * removed count until a checkpoint or a merge has dropped them. Waits as
 * rk_search() does; `opts` may be NULL, only wait_ms and cancel matter. Any
 * thread. It walks the dictionaries: 100 to 300 ms for 100,000 words.
 * Returns 0 and *out, which the caller frees with rk_terms_free(); nothing
 * begins so: n is 0. RK_ECANCELLED, -ENOMEM: *out is not touched.
 */
int rk_terms(struct rk_index *ix, const char *prefix, size_t n, size_t most,
	     const struct rk_search_opts *opts, struct rk_terms **out);
void rk_terms_free(struct rk_terms *t); /* NULL is allowed */
/*
 * The count of one word, as rk_terms() tells it; 0 if there is no such word.
 * Takes microseconds. Otherwise as above.
 */
int rk_term_count(struct rk_index *ix, const char *word, size_t n,
		  const struct rk_search_opts *opts, uint64_t *count);

/*
 * The index as a semantic cache: the path of the document that was put away
 * for this question, by its name, its first line or, if it is short, all of
 * it; if it is at least as near as `recall_min` says and does not differ in a
 * number, a negation or an opposite. `score`: 0 to 1, of the nearest.
 * Returns 1 and the path (path_n bytes of room), 0 for a miss, or as above.
 */
int rk_recall(struct rk_index *ix, const char *text, size_t n,
	      const struct rk_search_opts *opts, char *path, size_t path_n,
	      double *score);

/* --- keeping ----------------------------------------------------------- */

/*
 * Write what is in memory to a segment and a new manifest, and wait for it.
 * Returns 0; RK_EREADONLY; -errno: the log still has what was not written.
 */
int rk_checkpoint(struct rk_index *ix);

/*
 * Merge all segments into one, drop old checkpoints, and wait for it. Takes
 * as much disk again as the index has. Returns as rk_checkpoint() does.
 */
int rk_compact(struct rk_index *ix);

/*
 * Compare documents and index, in the background; `all`: read every document
 * again. rk_status() says when it is over (`reconciling`). Returns 0,
 * RK_EREADONLY.
 */
int rk_reindex(struct rk_index *ix, int all);

/* Throw away what is kept to save work: extracted texts. 0, -errno. */
int rk_clear_caches(struct rk_index *ix);

/*
 * Fit the built-in embedding on the index as it is now, and wait until all
 * vectors are made and indexed, at most timeout_ms. An index too small for a
 * fit has nothing to wait for. Returns 0, -ETIMEDOUT, RK_EREADONLY.
 */
int rk_refit(struct rk_index *ix, int timeout_ms);

/* Wait, likewise, for the vectors that are due anyway, without a fit. */
int rk_vectors_wait(struct rk_index *ix, int timeout_ms);

/*
 * Write the index as one file to fd (core/doc/format-export.md): documents,
 * saved queries, configuration. Documents that change meanwhile are in it as
 * they were when they were read. Returns 0, -errno.
 */
int rk_export(struct rk_index *ix, int fd);
/*
 * Put back what such a file holds: its documents replace those of the same
 * path, its saved queries those names that are free. Nothing is written
 * outside the documents. Returns 0; -EINVAL, RK_EVERSION, -errno with a
 * sentence in err; what came before the failure is in.
 */
int rk_restore(struct rk_index *ix, int fd, char *err, size_t err_n);

/* What rk_verify() has found. */
struct rk_verify_report {
	/* sizeof(struct rk_verify_report) */
	size_t size;
	/* looked at */
	uint64_t files, segments, bytes;
	/* what does not hold */
	uint64_t damaged, missing, stale;
};
/* Check every checksum, and the documents against the index. Reads only. */
int rk_verify(struct rk_index *ix, struct rk_verify_report *out);

/* --- looking ----------------------------------------------------------- */

/* An index at one moment. */
struct rk_status {
	/* sizeof(struct rk_status) */
	size_t size;
	uint64_t docs, chunks, terms, segments;
	uint64_t generation, checkpoint;
	/* segment files */
	uint64_t index_bytes;
	/* tables not yet written */
	uint64_t memory_bytes;
	size_t pending;
	int reconciling;
	int sandbox; /* version of Landlock for helper programs; 0: none */
	uint64_t queries, recall_hits, recall_misses, warnings;
	/* documents of the cache, since it was opened */
	uint64_t evicted;
	/* chunks that have theirs */
	uint64_t vectors;
	/* files of them */
	uint64_t vector_bytes;
	/* vectors are being made */
	int embedding;
	/* chunks that the built-in was fitted on */
	uint64_t fitted;
	char embedder[256];
	/* wall clock of the last one; 0: none */
	int64_t checkpoint_ns;
	/* "ok", or what is wrong */
	char state[128];
	char language[32];
};
/* Fill *out, as far as out->size goes. Cannot fail. */
void rk_status(struct rk_index *ix, struct rk_status *out);

/* How a status is written. */
enum rk_status_form {
	/* lines `key value` for people */
	RK_STATUS_TEXT,
	/* one object */
	RK_STATUS_JSON,
	/* Prometheus' text format 0.0.4 */
	RK_STATUS_METRICS,
};

/*
 * Append a status that rk_status() has filled; members that st->size leaves
 * out are 0. Returns 0, -ENOMEM.
 */
int rk_render_status(const struct rk_status *st, enum rk_status_form form,
		     struct rk_buf *out);

/*
 * The number of changes that searches have come to see; an answer of the same
 * generation is the same answer. Never fails, never waits.
 */
uint64_t rk_generation(struct rk_index *ix);

/*
 * Append one line a warning, oldest first: damage that was repaired, documents
 * that could not be read, programs that are missing. The newest are kept.
 */
void rk_warnings(struct rk_index *ix, struct rk_buf *out);

/*
 * Configuration: `key value` lines with their comments, as read back and as
 * written (rk_config_set accepts any part of it). Unknown keys and values out
 * of range change nothing and give a sentence in err.
 * Returns 0, -EINVAL, -errno.
 */
void rk_config_print(struct rk_index *ix, struct rk_buf *out);
int rk_config_set(struct rk_index *ix, const char *text, size_t n, char *err,
		  size_t err_n);
/*
 * The same for somebody who owns the index and not this process: -EPERM if a
 * line would run a program, read a file outside the index, name a server or a
 * model, or take more of the machine.
 */
int rk_config_set_within(struct rk_index *ix, const char *text, size_t n,
			 char *err, size_t err_n);

/* Returns the value of an integer key; -1 if there is no such key. */
int64_t rk_config_int(struct rk_index *ix, const char *key);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

#endif
