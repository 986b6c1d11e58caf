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
 * Threads: every function may be called from any thread, unless it says
 * otherwise. Returns: 0 or more on success, -errno from the system, or a code
 * of base/status.h; rk_strerror() names them all.
 */
#include "base/buf.h"
#include "base/env.h"
#include "base/status.h"
#include <stddef.h>
#include <stdint.h>

struct rk_index;

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

struct rk_checkpoint {
	uint64_t number, generation;
	int64_t created_ns; /* since 1970 */
};
/* Those that are retained, newest first; how many, or -errno. */
int rk_checkpoints(struct rk_index *ix, struct rk_checkpoint *v, int max);

/*
 * Finish what is queued, write a checkpoint, stop all threads, free.
 * NULL is allowed. No other call may be running.
 * Returns 0, or what went wrong with the checkpoint (nothing is lost: the
 * log still knows).
 */
int rk_index_close(struct rk_index *ix);

/* Directory of the documents; borrowed until rk_index_close(). */
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
/* Who has locked it: 0 with out filled, -ENOENT if nobody. */
int rk_backing_holder(const char *backing, char *out, size_t n);
/* An index has been removed or renamed: the registry forgets its name. */
int rk_index_forget(const struct rk_env *env, const char *backing,
		    const char *name);

/* --- changes ----------------------------------------------------------- */

enum {
	RK_TOUCH_TREE = 1, /* path is a folder: everything below it, too */
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
 * Symbolic links at the top of the documents may have changed: those to
 * folders elsewhere are linked sources, whose files are documents, too. They
 * are followed in the background. Returns at once.
 */
void rk_links_changed(struct rk_index *ix);
/* Where the documents are mounted: no source may be there, none is entered. */
void rk_index_set_mount(struct rk_index *ix, const char *mountpoint);
/* One line a source: `source NAME FOLDER ok|scanning|missing`. */
void rk_sources_print(struct rk_index *ix, struct rk_buf *out);

/* The log record of the newest touch; what rk_sync() must be given for all. */
uint64_t rk_last_touch(struct rk_index *ix);

/* Wait until log record `seq` is on disk; a reader has none to wait for. */
int rk_sync(struct rk_index *ix, uint64_t seq);

/* Number of touches that the workers have not finished. */
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
int rk_barrier(struct rk_index *ix, int timeout_ms, const _Atomic int *cancel);

/* --- queries ------------------------------------------------------------ */

enum rk_format { /* as:... in the query */
		 RK_AS_TEXT,
		 RK_AS_JSON,
		 RK_AS_JSONL,
		 RK_AS_PATHS,
		 RK_AS_LINES,
		 RK_AS_PACK, /* whole chunks up to a budget of tokens */
		 RK_AS_ANSI, /* text, with what was found in colour */
};

enum rk_mode { /* mode:... in the query */
	       RK_MODE_HYBRID,
	       RK_MODE_LEXICAL,
	       RK_MODE_VECTOR,
};

struct rk_search_opts {
	int wait_ms;		   /* for read-your-writes; -1: configured */
	const _Atomic int *cancel; /* may be NULL */
	int no_excerpts;	   /* hits without text: faster */
	unsigned extra_hits;	   /* besides those the query asks for */
	/*
	 * A vector to look near, of the index's dimension (vector_dim floats,
	 * any length but zero), instead of the query's own; NULL: none.
	 */
	const float *vector;
	uint32_t vector_dim;
	/* of a federation, for its own use */
	const struct rk_global *global;
	int all_pages; /* hits from the first one on, up to the page's last */
};

struct rk_mark {
	uint32_t off, len;
};

/* A line that matches the query's patterns. */
struct rk_line {
	const char *path;
	uint32_t line;
	const char *text; /* len bytes, as they are in the document */
	size_t len;
};

/* The query as it was understood. */
struct rk_clause {
	const char *op;	   /* "all", "any", "word", "phrase", "property",
			      "filter", "regex" */
	const char *occur; /* "should", "must", "not" */
	const char *text;  /* as written */
	const char *terms; /* what is looked up, separated by blanks; or "" */
	const struct rk_clause *child, *next;
};

struct rk_hit {
	const char *path;      /* relative to the documents' directory */
	uint32_t line;	       /* the best line, from 1 */
	uint32_t first, last;  /* lines of the chunk */
	uint64_t off, len;     /* bytes of the chunk in the text */
	double score;	       /* 0 to 1, relative to the best hit */
	double raw;	       /* the same, before it was made relative */
	double lexical;	       /* BM25F with pair scores */
	double vector;	       /* cosine, -1 to 1 */
	uint32_t lexical_rank; /* in each lane, from 1; 0: not found there */
	uint32_t vector_rank;
	uint64_t id;	       /* of the chunk: hash of its text */
	uint32_t page;	       /* of the document; 0: it has none */
	const char *heading;   /* heading path, or "" */
	const char *symbol;    /* names defined in the chunk, or "" */
	const char *kind;      /* "markdown", "function", ... */
	const char *language;  /* of its words, if it is another than the
				  index's: "german", ...; or "" */
	const char *excerpt;   /* lines, each ended by a newline; or "" */
	uint32_t excerpt_line; /* line of the excerpt's first */
	int complete;	       /* the excerpt is the whole document */
	/* what of the excerpt the query speaks of: bytes, in order */
	const struct rk_mark *marks;
	size_t nmarks;
	/* documents that say nearly the same and are not listed */
	const char *const *copies;
	size_t ncopies;
	uint32_t tokens; /* estimate for the chunk */
	uint64_t size;	 /* of the file */
	int64_t mtime_ns;
};

/* An answer. Everything in it is owned by it; rk_results_free() frees it. */
struct rk_results {
	struct rk_hit *hits;
	size_t nhits;
	uint64_t total;	     /* documents that match */
	int total_is_lower;  /* counting was cut short: "at least" */
	uint64_t generation; /* of the index that was asked */
	size_t pending;	     /* changes not yet in the answer */
	double took_ms;
	enum rk_format format;
	enum rk_mode mode;   /* that was answered in */
	int vectors_percent; /* of chunks that have theirs; -1: no vectors */
	uint32_t page;	     /* from 1 */
	size_t per_page;     /* hits of one */
	int sort;	     /* as the query says (query/query.h) */
	int64_t tokens;	     /* the budget of a pack, or -1 */
	/*
	 * Instead of hits, where the query is a pattern: every line that
	 * matches, by path and line. `cut`: there are more.
	 */
	const struct rk_line *lines;
	size_t nlines;
	int is_lines, lines_cut;
	const struct rk_clause *clauses; /* NULL: it says nothing */
	const char *notes; /* lines about what was not understood, or NULL */
	const char *did_you_mean; /* what was searched instead, or NULL */
	const char *reason;	  /* why there are no hits, or NULL */
	uint64_t docs;		  /* in the index */
};

/*
 * Answer a query (grammar: fs/doc/query.md). Any bytes are a query; none is
 * an error. Runs on an immutable view: writers never wait for it, nor it for
 * them beyond read-your-writes.
 * Returns 0 and *out, RK_ECANCELLED, -ENOMEM.
 */
int rk_search(struct rk_index *ix, const char *text, size_t n,
	      const struct rk_search_opts *opts, struct rk_results **out);
void rk_results_free(struct rk_results *r);

/* --- many indexes as one ------------------------------------------------- */

/*
 * A query over several indexes with the statistics of all of them together:
 * first each is counted, then each that holds something is asked, then there
 * is one answer, by words alone. Indexes need not be open at the same time. One
 * thread. Everything returns -ENOMEM or RK_ECANCELLED besides what is said.
 */
struct rk_federation;
struct rk_federation *rk_federation_new(const char *text, size_t n);
void rk_federation_free(struct rk_federation *f);
/* 1: it is worth asking; 0: it holds none of the words. */
int rk_federation_count(struct rk_federation *f, struct rk_index *ix,
			const struct rk_search_opts *opts);
/* `name` and a slash come before its paths. 0. */
int rk_federation_ask(struct rk_federation *f, struct rk_index *ix,
		      const char *name, const struct rk_search_opts *opts);
/* Valid as long as the federation; free it first. */
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
void rk_changes_free(struct rk_changes *c);

struct rk_change {
	const char *path; /* borrowed from the changes */
	uint64_t generation;
	int gone; /* else it has come, in place of one that is told before */
};
size_t rk_changes_count(const struct rk_changes *c);
struct rk_change rk_changes_at(const struct rk_changes *c, size_t i);
/* There was more than is listed: too many, or vectors that are new. */
int rk_changes_much(const struct rk_changes *c);

/* A query that is asked again when its answer may be another. */
struct rk_standing;
enum rk_effect {
	RK_EFFECT_NONE,	    /* not one result, nor the number of matches */
	RK_EFFECT_POSSIBLE, /* a document may have come near in meaning */
	RK_EFFECT_LIKELY,   /* a document with its words came or went */
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
/* 1 and its text appended to out (may be NULL), or 0. */
int rk_saved_text(struct rk_index *ix, const char *name, struct rk_buf *out);
/* All names in order, each with a NUL behind it. */
void rk_saved_names(struct rk_index *ix, struct rk_buf *out);

enum rk_feedback {
	RK_FEEDBACK_NONE,
	RK_FEEDBACK_PINNED,  /* shown first, whatever the search says */
	RK_FEEDBACK_DEMOTED, /* never shown */
};
int rk_saved_mark(struct rk_index *ix, const char *name, const char *path,
		  enum rk_feedback mark);
/* Forget all marks of a query. */
int rk_saved_unmark(struct rk_index *ix, const char *name);
/* Paths so marked, each with a NUL behind it, oldest first. */
void rk_saved_marks(struct rk_index *ix, const char *name,
		    enum rk_feedback mark, struct rk_buf *out);

/* --- what documents are made of ----------------------------------------- */

/* A chunk of a document: what a query ranks. */
struct rk_part {
	uint64_t id;	      /* hash of its text */
	uint32_t first, last; /* lines */
	uint64_t off, len;    /* bytes of the text */
	uint32_t page;	      /* 0: the document has none */
	uint32_t tokens;      /* an estimate */
	const char *heading;  /* or "" */
	const char *symbol;   /* names defined in it, or "" */
	const char *kind;     /* "function", "markdown", ... */
};

/* Owned by it; rk_parts_free() frees. */
struct rk_parts {
	struct rk_part *v; /* in order */
	size_t n;
};

/*
 * The chunks of the document at `path` as they are in the index. Returns 0;
 * -ENOENT if it is not there; -ENOMEM, RK_ECORRUPT.
 */
int rk_document_parts(struct rk_index *ix, const char *path,
		      struct rk_parts **out);
void rk_parts_free(struct rk_parts *p);
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

struct rk_symbol_def {
	const char *path, *kind, *scope, *signature; /* "" where unknown */
	uint32_t line, end;
};
struct rk_symbol_ref {
	const char *path, *text; /* the line, without blanks around it */
	const char *inside;	 /* what it is in the definition of, or "" */
	uint32_t line;
	int is_call; /* the name is followed by "(" */
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
	int refs_cut; /* there are more */
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
 * thread. It walks the dictionaries: 10 to 20 ms for 100,000 words.
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

/* Write what is in memory to a segment and a new manifest; waits for it. */
int rk_checkpoint(struct rk_index *ix);
/* Merge all segments into one and drop old checkpoints; waits for it. */
int rk_compact(struct rk_index *ix);
/* Compare documents and index now; `all`: read every document again. */
int rk_reindex(struct rk_index *ix, int all);

/* Throw away what is kept to save work: extracted texts. 0, -errno. */
int rk_clear_caches(struct rk_index *ix);

/*
 * Fit the built-in embedding on the index as it is now, and wait until all
 * vectors are made and indexed, at most timeout_ms. An index too small for a
 * fit has nothing to wait for. Returns 0, -ETIMEDOUT, RK_EREADONLY.
 */
int rk_refit(struct rk_index *ix, int timeout_ms);
/* Wait, likewise, for what is due anyway. */
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

struct rk_verify_report {
	uint64_t files, segments, bytes;  /* looked at */
	uint64_t damaged, missing, stale; /* what does not hold */
};
/* Check every checksum, and the documents against the index. Reads only. */
int rk_verify(struct rk_index *ix, struct rk_verify_report *out);

/* --- looking ----------------------------------------------------------- */

struct rk_status {
	uint64_t docs, chunks, terms, segments;
	uint64_t generation, checkpoint;
	uint64_t index_bytes;  /* segment files */
	uint64_t memory_bytes; /* tables not yet written */
	size_t pending;
	int reconciling;
	int sandbox; /* version of Landlock for helper programs; 0: none */
	uint64_t queries, recall_hits, recall_misses, warnings;
	uint64_t evicted;      /* documents of the cache, since it was opened */
	uint64_t vectors;      /* chunks that have theirs */
	uint64_t vector_bytes; /* files of them */
	int embedding;	       /* vectors are being made */
	uint64_t fitted;       /* chunks that the built-in was fitted on */
	char embedder[256];
	int64_t checkpoint_ns; /* wall clock of the last one; 0: none */
	char state[128];       /* "ok", or what is wrong */
	char language[32];
};
void rk_status(struct rk_index *ix, struct rk_status *out);
uint64_t rk_generation(struct rk_index *ix);

/* Append one line a warning, oldest first, to out. */
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
/* The value of an integer key; -1 if there is no such key. */
int64_t rk_config_int(struct rk_index *ix, const char *key);

#endif
