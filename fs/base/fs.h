/* SPDX-License-Identifier: MIT */
#ifndef FS_FS_H
#define FS_FS_H

/*
 * The mount. Requests are handled one at a time, under `loop`, by whichever
 * receiver got them; that owns every node. What may be slow (searches, syncs,
 * control verbs; syncs, cold reads) goes to a pool and replies from there. So
 * the tree of nodes needs no lock of its own; what pool threads share with the
 * loop is said at each field.
 */
#define FUSE_USE_VERSION 314
#include <fuse_lowlevel.h>

#include "base/buf.h"
#include "base/env.h"
#include "base/status.h"
#include "rankfs.h"
#include <pthread.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

struct fs_kind;
struct fs_pool;
struct fs_view;

enum {
	FS_KEYED_BUCKETS = 4096,
	FS_RECEIVERS = 6,
	FS_CONTROL_FILES = 16,
	FS_QUERY_BYTES = 1024,	 /* of a query in a name */
	FS_VIEW_PATH = 4096 * 2, /* of a query file, absolute */
	FS_MEMOS = 4096,
	FS_AT_MAX = 4, /* checkpoints that are open */
	FS_UNUSED_FDS = 64,
	/*
	 * How many of the FS_RECEIVERS may run a job themselves, which spares
	 * waking a thread. One that searches: the others must find a processor
	 * when requests come.
	 */
	FS_AWAY_MAX = 1,
	FS_AWAY_IO_MAX = 3, /* the same for jobs that wait for a disk */
};

/* Immutable bytes shared by open handles; counted, freed by the last. */
struct fs_blob {
	_Atomic int refs;
	size_t n;
	uint64_t body_hash; /* of what decides "the answer has changed" */
	uint64_t form;	    /* of what else its first line says */
	char p[];
};
/* A name of a document inode that the kernel has been told. */
struct fs_link {
	struct fs_node *node;
	struct fs_node *parent;
	struct fs_link *next;  /* other names of the same inode */
	struct fs_link *chain; /* hash bucket by (parent, name) */
	int going;	       /* the name is being removed */
	char name[];
};

struct fs_node {
	const struct fs_kind *kind;
	struct fs_index *index; /* whose tree it is in */
	uint64_t nlookup;	/* what the kernel will forget */
	uint64_t children;	/* links that name this node as their parent */
	/* documents (kind->document) */
	dev_t dev;
	ino_t ino;
	mode_t type;		/* S_IFMT bits */
	struct fs_link *links;	/* NULL once unlinked */
	struct fs_handle *open; /* open handles, newest first; of answers
				   under fs->answers */
	int dirfd;		/* O_PATH; -1 while not open */
	int gone_fd; /* O_PATH, of what has lost its last name; else -1 */
	int pinned;  /* dirfd in use: not to be closed */
	struct fs_node *lru_prev, *lru_next; /* of open dirfds */
	struct fs_node *chain;		     /* hash bucket by inode */
	/* virtual files */
	int keyed;		    /* it is in fs->keyed */
	const struct fs_file *file; /* entry of a table, control.h */
	const struct fs_view *view; /* what computes its answers, */
	char *text;		    /* from this: a query, a name */
	/* a view's newest answer, under fs->answers */
	struct fs_blob *blob;
	size_t size;	     /* of the newest answer, also once it is gone */
	uint64_t hash;	     /* of what it says */
	uint64_t took_ns;    /* to find it; under fs->answers */
	int known;	     /* there was one: hash and mtime mean it */
	uint64_t generation; /* that the answer belongs to */
	int complete;	     /* nothing was pending then */
	struct timespec mtime;
	pid_t opener;	      /* who opened it last, and still has it open */
	_Atomic int opened;   /* handles; live.c looks, too */
	struct fs_live *live; /* query/followed.h; or NULL */
	/* find.c: what a folder shows, under fs->answers; a file's text */
	struct fs_found *found;
	uint64_t used_ns; /* a folder of find/, when last; the loop's */
	int stale;	  /* a listing must search again; under fs->answers */
	uint64_t saved_epoch; /* of the index when it last did; likewise */
	struct fs_blob *content;
	struct fs_node *query_prev, *query_next; /* newest answers first */
};

/* An open document, directory or virtual file: fi->fh. */
struct fs_handle {
	struct fs_node *node;
	int fd;	   /* of a document, -1 while it is closed: fs_handle_fd() */
	int flags; /* to open it with again */
	_Atomic int fd_jobs; /* jobs that use fd: it stays open */
	int keep_fd; /* the file's mode may not allow to open it again */
	struct fs_handle *fd_prev, *fd_next; /* fs->fds */
	int dirty;  /* changed since the index was last told */
	int fresh;  /* created, or emptied, and not written yet */
	int writes; /* opened for it: the index stays open */
	void *dir;  /* DIR* */
	struct fs_blob *blob;
	pid_t pid;
	/* of an answer: read to its end; told that it begins anew */
	int at_end, restart;
	struct fs_handle *next; /* of the node */
};

/* An index as it is mounted: its root, and what is virtual below it. */
struct fs_index {
	struct fs *fs;
	struct rk_index *ix; /* NULL: closed, or the top of many */
	char *name;	     /* in the backing folder */
	char *path;	     /* of the root, absolute */
	int files_fd;	     /* its documents; -1: not open */
	int own_fd;	     /* files_fd is not the index's own */
	/* of the root, when last looked at; told in any thread */
	_Atomic uid_t uid;
	_Atomic gid_t gid;
	_Atomic mode_t mode;
	/* walls.c: whether others may see what is made of its documents */
	_Atomic int wall;	       /* enum fs_wall */
	_Atomic unsigned wall_changes; /* of modes, seen by requests */
	_Atomic int wall_scanning;
	struct fs_node *root, *query_dir, *find_dir, *recall_dir, *control_dir;
	struct fs_node *ask, *import, *similar_dir, *chunks_dir, *symbols_dir;
	struct fs_node *events_file, *export_file, *at_dir, *text_dir;
	struct fs_node *files[FS_CONTROL_FILES]; /* of .rankfs/, by table */
	const struct fs_fixed *fixed;		 /* what the nodes above are */
	const struct fs_verb *verbs;		 /* of ctl */
	struct fs_events *events;
	/* the node of a query's text; NULL: FS_VIEW_QUERY has it */
	struct fs_node *(*query_node)(fuse_req_t, struct fs_index *,
				      const char *text);
	struct fs_node **saved; /* targets of saved queries, kept; loop */
	size_t nsaved;
	_Atomic uint64_t saved_epoch; /* what saved queries show is another */
	_Atomic int attributes; /* some document may have attributes beside it;
				   loop */
	size_t nnodes; /* of documents that the kernel knows; under loop */
	uint64_t checkpoint; /* that it is fixed to; 0: it is the newest */
	struct fs_index *at[FS_AT_MAX]; /* its open checkpoints; under loop */
	/*
	 * Threads, jobs and open files that need it open. Grows on the loop
	 * alone: there, 0 means that nobody does.
	 */
	_Atomic unsigned busy;
	int opening, closing, was_open, removed;
	uint64_t used_ns;
	struct fs_index *next;
	struct {
		int loaded, counted;
		uint64_t bytes, files; /* limits; 0: none */
		uint64_t used_bytes, used_files;
	} quota;
};

/* When an answer last changed, for queries that the kernel has forgotten. */
struct fs_memo {
	ino_t ino;
	uint64_t hash;
	struct timespec mtime;
};

struct fs {
	const char *backing; /* borrowed */
	int read_only, multi, allow_other;
	int64_t memory_mib;   /* that all indexes of many may take */
	unsigned open_max;    /* of them that stay open */
	int64_t expire_s;     /* those that nobody used for so long go; 0 */
	int backing_lock;     /* held with -o multi; -1 */
	int indexes_fd;	      /* their folder, with -o multi */
	struct fs_index *top; /* of many; else NULL */
	struct fs_index *indexes;
	unsigned nopen, nclosing;
	pthread_cond_t opened;	/* an index has been opened, or closed */
	struct fs_pool *closer; /* one thread, that closes them */
	_Atomic uint64_t epoch; /* grows with any change of any index */
	struct fuse_session *se;
	struct fs_pool *pool;	  /* searches, control verbs */
	struct fs_pool *slow;	  /* searches that leave a processor free */
	struct fs_pool *io;	  /* what waits for a disk: syncs, reads */
	struct fs_pool *log;	  /* syncs of logs; many share one, so few */
	struct fs_pool *throttle; /* one thread: writers that must wait */
	char *mountpoint;	  /* absolute */
	double timeout; /* seconds that names and attributes are cached */
	uid_t uid;
	gid_t gid;
	time_t started;
	struct fs_node *root;
	struct fs_node **by_ino;
	struct fs_link **by_name;
	size_t ino_mask, name_mask, nnodes, nlinks;
	struct fs_node *lru_head, *lru_tail;
	unsigned ndirfds;
	pthread_mutex_t loop; /* held while a request is handled */
	struct {
		struct fs_handle *head, *tail; /* used last, longest ago */
		unsigned n, max;
	} fds;			       /* open descriptors of documents */
	int unused_fds[FS_UNUSED_FDS]; /* to be closed without it */
	unsigned nunused_fds;
	unsigned away;		 /* receivers that run a job; under loop */
	pthread_mutex_t answers; /* guards answers of query nodes, errors */
	struct fs_node *keyed[FS_KEYED_BUCKETS]; /* the loop's own */
	struct fs_node *query_head, *query_tail;
	size_t answer_bytes;
	struct fs_memo memos[FS_MEMOS]; /* by inode; under answers */
	struct fs_live_thread *live;
	size_t nfinds; /* folders of results that the kernel knows; loop */
	struct fs_helper *helper;
	struct {
		uid_t uid;
		char text[256];
	} errors[16]; /* last control error by user; under answers */
	unsigned next_error;
	int ready_fd; /* told once the kernel is there; -1 */
};

/* What kinds of node there are. */
struct fs_kind {
	const char *name;
	int document; /* a file or folder of the backing folder */
	void (*lookup)(fuse_req_t, struct fs *, struct fs_node *, const char *);
	void (*getattr)(fuse_req_t, struct fs *, struct fs_node *);
	void (*setattr)(fuse_req_t, struct fs *, struct fs_node *,
			struct stat *, int to_set, struct fuse_file_info *);
	void (*open)(fuse_req_t, struct fs *, struct fs_node *,
		     struct fuse_file_info *);
	void (*read)(fuse_req_t, struct fs *, struct fs_handle *, size_t,
		     off_t);
	void (*write)(fuse_req_t, struct fs *, struct fs_handle *, const char *,
		      size_t, off_t);
	void (*flush)(fuse_req_t, struct fs *, struct fs_handle *);
	void (*release)(fuse_req_t, struct fs *, struct fs_handle *);
	void (*readdir)(fuse_req_t, struct fs *, struct fs_handle *, size_t,
			off_t, int plus);
	void (*readlink)(fuse_req_t, struct fs *, struct fs_node *);
	void (*poll)(fuse_req_t, struct fs_handle *, struct fuse_pollhandle *);
	/* in a folder of this kind; where missing: EPERM */
	void (*symlink)(fuse_req_t, struct fs *, struct fs_node *dir,
			const char *name, const char *target);
	void (*link)(fuse_req_t, struct fs *, struct fs_node *what,
		     struct fs_node *dir, const char *name);
	void (*mkdir)(fuse_req_t, struct fs *, struct fs_node *dir,
		      const char *name, mode_t mode);
	void (*unlink)(fuse_req_t, struct fs *, struct fs_node *dir,
		       const char *name);
	void (*rmdir)(fuse_req_t, struct fs *, struct fs_node *dir,
		      const char *name);
	void (*rename)(fuse_req_t, struct fs *, struct fs_node *dir,
		       const char *name, struct fs_node *to,
		       const char *to_name, unsigned flags);
	/* a keyed node is about to be freed: release what hangs on it */
	void (*forget)(struct fs *, struct fs_node *);
	/* virtual files whose attributes cost nothing */
	void (*stat)(struct fs_node *, struct stat *);
};
extern const struct fs_kind FS_DOCUMENT, FS_QUERY_DIR, FS_QUERY, FS_CONTROL_DIR,
	FS_CONTROL_FILE, FS_RECALL_DIR, FS_RECALL, FS_ASK, FS_IMPORT,
	FS_SIMILAR_DIR, FS_CHUNKS_DIR, FS_CHUNKS, FS_SYMBOLS_DIR,
	FS_EVENTS_FILE, FS_SAVED, FS_FIND_DIR, FS_FIND, FS_FOUND, FS_FOUND_LINK,
	FS_EXPORT, FS_AT_DIR, FS_AT_ROOT, FS_TOP, FS_QUERY_SLASH,
	FS_RECALL_SLASH, FS_TEXT_DIR;
extern const struct fuse_lowlevel_ops FS_OPS;
/*
 * Fixed nodes: what an index has of a kind of its own. indexes/fixed.c has the
 * table, whose last row has no name.
 */
enum fs_where { FS_IN_ROOT, FS_IN_CONTROL };
struct fs_fixed {
	const char *name;
	enum fs_where where;
	size_t node; /* offset in struct fs_index */
	const struct fs_kind *kind;
	int listed; /* shown by readdir; walks may enter */
};

/*
 * A file whose content is computed from a text when it is needed, in a pool
 * thread, and stays until the index changes.
 */
struct fs_answer {
	struct rk_buf text; /* what the file holds */
	uint64_t hash;	    /* of what decides whether it has changed */
	uint64_t form;	    /* of the rest that a reader relies on */
	uint64_t generation;
	size_t pending; /* changes that are not in it */
	uint64_t took_ns;
};

struct fs_view {
	const char *name;
	const char *dir; /* where its files are, from the index's root */
	/* 0, or negative; out->text is released by the caller */
	int (*answer)(struct fs_node *n, const struct rk_search_opts *opts,
		      struct fs_answer *out);
	/*
	 * The generation that an answer would be of now; complete: nothing is
	 * on its way to it. NULL: those of the node's index.
	 */
	uint64_t (*current)(const struct fs_node *n, int *complete);
	/* May the caller see it? NULL: who gets to the file may. */
	int (*is_allowed)(fuse_req_t req, const struct fs_node *n);
	int is_slow; /* it always takes a while */
	/* what a change means to it that cannot be told by its words */
	enum rk_effect effect_without_words;
};

#endif
