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

enum {
	FS_KEYED_BUCKETS = 4096,
	FS_RECEIVERS = 6,
	FS_FIXED_MAX = 40,	 /* rows of the table of virtual files */
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
	const struct fs_file *file; /* what it is made of */
	char *text;		    /* that it stands for: a query, a name */
	/* the newest answer, under fs->answers */
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
	/* find.c: what a folder shows, under fs->answers; a file's text, which
	 * stays the same */
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
	/* of virtual files: who opened it */
	uid_t uid;
	gid_t gid;
	pid_t pid;
	unsigned
		walls; /* fs->walls when that one was last found to be let in */
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
	struct fs_node *root;
	struct fs_node *fixed[FS_FIXED_MAX]; /* by row of FS_FIXED, or NULL */
	const struct fs_file *rows;	     /* FS_FIXED */
	const struct fs_verb *verbs;	     /* of ctl */
	struct fs_events *events;
	/* the node of a query's text; NULL: FS_QUERY_FILE has it */
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
	_Atomic unsigned walls; /* grows when any wall may have been raised */
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
	struct fs_toucher *toucher;
	struct {
		uid_t uid;
		char text[256];
	} errors[16]; /* last control error by user; under answers */
	unsigned next_error;
	int ready_fd; /* told once the kernel is there; -1 */
};

/* What kinds of node there are. One with `lookup` is a folder. */
struct fs_kind {
	const char *name;
	int document; /* a file or folder of the backing folder */
	mode_t mode;  /* permission bits of a virtual folder; 0: 0555 */
	unsigned in;  /* as a root: FS_IN_*, its fixed nodes; 0: an index's */
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
	/* documents; what a virtual folder has is said by `list` */
	void (*readdir)(fuse_req_t, struct fs *, struct fs_handle *, size_t,
			off_t, int plus);
	/*
	 * The names in a virtual folder, with fs_list_add(); missing: they are
	 * found, not listed. 0 or negative. list_later: off the loop, as it
	 * waits or searches.
	 */
	int (*list)(struct fs_node *, const _Atomic int *cancel,
		    struct rk_buf *);
	int list_later;
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
extern const struct fs_kind FS_DOCUMENT, FS_FILE, FS_QUERY_DIR, FS_QUERY,
	FS_CONTROL_DIR, FS_RECALL_DIR, FS_SIMILAR_DIR, FS_CHUNKS_DIR, FS_CHUNKS,
	FS_SYMBOLS_DIR, FS_SAVED, FS_FIND_DIR, FS_FIND, FS_FOUND_LINK,
	FS_AT_DIR, FS_AT_ROOT, FS_TOP, FS_QUERY_SLASH, FS_RECALL_SLASH,
	FS_TEXT_DIR, FS_TERMS_DIR, FS_TERMS;
extern const struct fuse_lowlevel_ops FS_OPS;

/* Where a fixed file or folder is; bits. */
enum fs_where {
	FS_IN_ROOT = 1,	       /* of an index */
	FS_IN_CONTROL = 2,     /* .rankfs/ of an index */
	FS_IN_TOP = 4,	       /* the folder of many indexes */
	FS_IN_TOP_CONTROL = 8, /* .rankfs/ there */
	FS_IN_AT = 16,	       /* .rankfs/at/<checkpoint>/ */
};

/* Who may do more than the mode of a file says. */
enum fs_who {
	FS_ANYONE,	 /* the mode says all */
	FS_OWNER_WRITES, /* a write is refused to all but the owner */
	FS_OWNER,	 /* so is opening it */
};

/* Who uses a virtual file. */
struct fs_use {
	struct fs_node *n;
	struct fs_index *x; /* that it is of */
	uid_t uid;
	pid_t pid; /* 0: it is not known */
};

/* A virtual file of which each open one is a thing of its own. */
struct fs_stream {
	size_t state; /* bytes of it: h->dir, all zero to begin with */
	/* it is opened, and released; begin: 0, or negative (then no end) */
	int (*begin)(struct fs_handle *h);
	int begin_later; /* off the loop */
	void (*end)(struct fs_handle *h);
	/* each answers its request; where missing: EBADF, nothing, ready */
	void (*read)(fuse_req_t, struct fs *, struct fs_handle *, size_t,
		     off_t);
	void (*write)(fuse_req_t, struct fs *, struct fs_handle *, const char *,
		      size_t, off_t);
	void (*flush)(fuse_req_t, struct fs *, struct fs_handle *);
	void (*poll)(fuse_req_t, struct fs_handle *, struct fuse_pollhandle *);
	int no_seek; /* offsets mean nothing */
};

/* An answer: what a file says that is computed from a text. */
struct fs_answer {
	struct rk_buf text; /* what the file holds */
	uint64_t hash;	    /* of what decides whether it has changed */
	uint64_t form;	    /* of the rest that a reader relies on */
	uint64_t generation;
	size_t pending; /* changes that are not in it */
	uint64_t took_ns;
};

/*
 * What a virtual file is: a row of a table. base/file.c does with it what the
 * kernel asks for; fs/doc/adding.md tells how to add one. The last row of a
 * table has no name.
 */
struct fs_file {
	const char *name;
	unsigned in;		    /* enum fs_where, of fixed ones */
	unsigned hidden;	    /* where it is not listed */
	const struct fs_kind *kind; /* of folders; NULL: FS_FILE */
	mode_t mode;		    /* permission bits, if there is no wall */
	enum fs_who who;
	/* All of its text, as it is now; a failure is put into out->err. */
	void (*read)(const struct fs_use *u, struct rk_buf *out);
	/*
	 * What is written, at once; in a pool thread. 0 or negative, and then
	 * a sentence in err, for .rankfs/error.
	 */
	int (*write)(struct fs_index *x, const char *p, size_t n, char *err,
		     size_t err_n);
	const struct fs_stream *stream; /* instead of both */
	/*
	 * Its size and times, where reading it to know them would be dear or
	 * has no meaning; they are 0 and the mount's. 0 or negative.
	 */
	int (*stat)(const struct fs_use *u, struct stat *st);
	int lasts; /* it is the same for as long as the mount is there */
	/*
	 * Of FS_QUERY: what the node's text stands for, found when it is
	 * needed, in a pool thread; it stays until the index changes, and may
	 * be followed. 0, or negative; out->text is released by the caller.
	 */
	int (*answer)(struct fs_node *n, const struct rk_search_opts *opts,
		      struct fs_answer *out);
	const char *dir; /* where such files are, from the index's root */
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
