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

#include "rankfs.h"
#include <pthread.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

struct fs_kind;
struct fs_pool;

enum {
	FS_KEYED_BUCKETS = 4096,
	FS_RECEIVERS = 4,
	FS_CONTROL_FILES = 16,
	FS_QUERY_BYTES = 1024,	 /* of a query in a name */
	FS_VIEW_PATH = 4096 * 2, /* of a query file, absolute */
	FS_MEMOS = 4096,
	FS_AT_MAX = 4, /* checkpoints that are open */
	FS_UNUSED_FDS = 64,
	/*
	 * Of them may run jobs themselves, which spares waking a thread; one,
	 * because the others must find a processor when requests come.
	 */
	FS_AWAY_MAX = 1,
};

/* Immutable bytes shared by open handles; counted, freed by the last. */
struct fs_blob {
	_Atomic int refs;
	size_t n;
	uint64_t body_hash; /* of what decides "the answer has changed" */
	uint64_t form;	    /* of what else its first line says */
	char p[];
};
/* Takes the bytes of b. NULL: no memory (b is released all the same). */
struct fs_blob *fs_blob_from(struct rk_buf *b);
struct fs_blob *fs_blob_ref(struct fs_blob *b);
void fs_blob_unref(struct fs_blob *b);

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
	struct fs_live *live; /* followed by live.c; or NULL */
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

/* index.c: an index and its nodes; on the loop, unless it is said */
/* One that is not open yet; NULL: no memory. */
struct fs_index *fs_index_new(struct fs *fs, const char *name, const char *path,
			      const struct fs_kind *root);
/* NULL is allowed. What rk_index_close() says. */
int fs_index_free(struct fs_index *x);
/*
 * Make sure that it is open, and stays so while this request is handled. The
 * loop may be given up meanwhile. 0, or what rk_index_open() says.
 */
int fs_index_use(struct fs_index *x);
/* Off the loop, with -o multi: close what has not been used, if it is much. */
void fs_index_tidy(struct fs *fs);
/* Close it; -EBUSY if somebody goes on needing it. */
int fs_index_shut(struct fs_index *x);
/* The same index as one of its checkpoints has it; off the loop. */
int fs_index_open_at(struct fs_index *of, uint64_t checkpoint,
		     struct fs_index **out);
/* Does the kernel know any file of it? */
int fs_index_in_use(const struct fs_index *x);
/* mounted.c */
/* The folder of its documents, which needs no open index; or -errno. */
int fs_index_files(struct fs_index *x);
/* Attributes of its root, and remember who owns it. */
int fs_index_stat(struct fs_index *x, struct stat *st);
/* For each index that is open, off the loop. */
void fs_index_each(struct fs *fs, void (*fn)(struct fs_index *x, void *ctx),
		   void *ctx);
/* Who may do with it as they like: root, who mounted, its owner. */
int fs_is_owner(const struct fs_index *x, uid_t uid);

/* --- privileges.c: what root's daemon gives up --------------------------- */

/* Before the first thread. */
void fs_drop_capabilities(void);
/* System calls, in every thread; once it is mounted. */
void fs_refuse_calls(void);

/* --- walls.c: what others than the owner are told ------------------------ */

enum fs_wall { FS_WALL_UNKNOWN, FS_WALL_NONE, FS_WALL };
/* Virtual files are for their owner alone. x is in use, or `loop` held. */
int fs_walled(struct fs_index *x);
/* The same, known after looking at all documents; any thread, may be slow. */
int fs_wall_scan(struct fs_index *x);
/* `name` was made there, or has another mode, owner or name. loop held. */
void fs_wall_note(struct fs_index *x, struct fs_node *parent, const char *name);
/* Anything may have changed. */
void fs_wall_recheck(struct fs_index *x);

/* tenants.c: the folder of many indexes; on the loop */
int fs_tenant_name_ok(const char *name);
/* The index of that name, made known if it is there; NULL. */
struct fs_index *fs_tenant(struct fs *fs, const char *name);
/* All names, each with a NUL behind it. Any thread. 0 or -errno. */
int fs_tenants_list(struct fs *fs, struct rk_buf *out);
/* It and its documents. 0, -EBUSY, -errno. */
int fs_tenant_remove(struct fs *fs, const char *name);
/* What a daemon that died has left of removed ones. */
void fs_tenants_clean(struct fs *fs);
/* Remove those that nobody has opened for so long; how many. Off the loop. */
int fs_tenants_expire(struct fs *fs, int64_t seconds);

/* federated.c: the node of a query over all that the caller may read; NULL */
struct fs_node *fs_federated_node(fuse_req_t req, struct fs_index *top,
				  const char *text);

/* quota.c; on the loop */
/* Room for so much more (or less): 0 or -EDQUOT. */
int fs_quota_take(struct fs_index *x, int64_t bytes, int files);
/* Room for a file to reach `end`. */
int fs_quota_grow(struct fs_index *x, int fd, off_t end);
/* What removing a name gives back: bytes, and 1 file. */
int64_t fs_quota_of(struct fs_index *x, int dir, const char *name, int *files);
/* Set the limits; 0 is none. 0 or -errno. */
int fs_quota_set(struct fs_index *x, uint64_t bytes, uint64_t files);
/* Count anew, when it next matters; 1: there is a limit. */
int fs_quota_recount(struct fs_index *x);
void fs_quota_statfs(struct fs_index *x, struct statvfs *st);
void fs_quota_print(struct fs_index *x, struct rk_buf *out);

/* kernel.c: after fuse_session_mount(); 0 or -errno */
int fs_kernel_setup(struct fs *fs);

/* errors.c: what .rankfs/error tells this user; any thread */
/* "" forgets. */
void fs_remember_error(struct fs *fs, uid_t uid, const char *text);
/* Append it. */
void fs_read_error(struct fs_index *x, uid_t uid, struct rk_buf *out);

/* errno.c: the one place where engine codes become errno */
int fs_errno(int rc);

/* descriptors.c: of open documents; loop held */
void fs_descriptors_init(struct fs *fs);
/* rc says that there are too many, and one has been closed: try again. */
int fs_descriptors_retry(struct fs *fs, int rc);
/* The handle gets, or loses, its descriptor. */
void fs_handle_give_fd(struct fs *fs, struct fs_handle *h, int fd);
void fs_handle_drop_fd(struct fs *fs, struct fs_handle *h);
/* Valid until the next call of this kind; or -errno. */
int fs_handle_fd(struct fs *fs, struct fs_handle *h);
/* The same for a job, which ends with unpin (any thread). */
int fs_handle_pin_fd(struct fs *fs, struct fs_handle *h);
void fs_handle_unpin_fd(struct fs_handle *h);
/* All handles of the file stay open: its mode is about to change. */
int fs_node_keep_fds(struct fs *fs, struct fs_node *n);

/* Open a document by its node; flags as for openat(2). Or -errno. */
int fs_node_open(struct fs *fs, struct fs_node *n, int flags);

/*
 * Close a descriptor once the loop is given up: the last one of a removed file
 * frees its blocks, which may take a while.
 */
void fs_close_later(struct fs *fs, int fd);
/* Those that have come together, to be closed by the caller; how many. */
unsigned fs_take_unused(struct fs *fs, int fds[FS_UNUSED_FDS]);
/*
 * Give up the loop for a system call that takes a while, for the sake of other
 * requests; the index and the folder stay open. What was looked up before holds
 * as long as the kernel keeps others from it: the folder of a name that is made
 * or removed is locked by the kernel until the request is answered.
 */
void fs_loop_leave(struct fs_node *dir);
void fs_loop_enter(struct fs_node *dir);

/* node.c */
int fs_nodes_init(struct fs *fs); /* 0 or -ENOMEM */
void fs_nodes_release(struct fs *fs);
struct fs_node *fs_node(struct fs *fs, fuse_ino_t ino);
static inline fuse_ino_t fs_nodeid(const struct fs *fs, const struct fs_node *n)
{
	return n == fs->root ? FUSE_ROOT_ID : (fuse_ino_t)(uintptr_t)n;
}
/* The document node of an inode, made if need be, under one more name. */
struct fs_node *fs_node_get(struct fs *fs, struct fs_node *parent,
			    const char *name, const struct stat *st);
struct fs_node *fs_node_find(struct fs *fs, struct fs_node *parent,
			     const char *name);
/* A node outside the tables, unknown to the kernel; NULL: no memory. */
struct fs_node *fs_node_virtual(struct fs_index *x, const struct fs_kind *kind);
/*
 * The node of a kind (and a view, or NULL) that stands for a text, made if need
 * be; one a text, so that it keeps its inode. It belongs to the table, which
 * frees it when the kernel forgets it. NULL: no memory.
 */
struct fs_node *fs_keyed_node(struct fs_index *x, const struct fs_kind *kind,
			      const struct fs_view *view, const char *text);
/* At the end: all that are left. */
void fs_keyed_release(struct fs *fs);
/*
 * Before `name` (in parent, open as dir) is removed: if that was the node's
 * last name, hold on to the inode until the kernel forgets it. Somebody may
 * be in the folder or have the file open, and until then the inode's number
 * must not become another file's. unkeep: the name was not removed.
 */
void fs_node_keep(struct fs *fs, struct fs_node *parent, const char *name,
		  int dir);
void fs_node_unkeep(struct fs *fs, struct fs_node *parent, const char *name);
/* The name is gone, or now belongs to another inode. */
void fs_link_drop(struct fs *fs, struct fs_node *parent, const char *name);
void fs_link_move(struct fs *fs, struct fs_node *parent, const char *name,
		  struct fs_node *to, const char *to_name, int exchange);
void fs_node_forget(struct fs *fs, struct fs_node *n, uint64_t count);
/*
 * O_PATH descriptor of a folder; borrowed until the next call that needs
 * one, unless pinned. -errno.
 */
int fs_node_dirfd(struct fs *fs, struct fs_node *n);
/*
 * Where it is for the *at() calls: the flags for them, or -errno; *name is ""
 * if *dir is the node itself. Borrowed as fs_node_dirfd() lends.
 */
int fs_node_at(struct fs *fs, struct fs_node *n, int *dir, const char **name);
/* A path that leads to what a descriptor, O_PATH too, was opened from. */
const char *fs_fd_path(int fd, char out[static 40]);
/* Path relative to the documents' root; -ENOENT if unlinked, -ENAMETOOLONG. */
int fs_node_path(const struct fs_node *n, char *out, size_t cap);
/* The same for a name inside a folder. */
int fs_child_path(const struct fs_node *parent, const char *name, char *out,
		  size_t cap);

/* tree.c: what kinds of node there are */
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
/* One with that inode number; NULL: no memory. */
struct fs_node *fs_fixed_node(struct fs_index *x, const struct fs_kind *kind,
			      int number);
struct fs_node **fs_fixed_slot(const struct fs_index *x,
			       const struct fs_fixed *f);
/* The node of that name, or NULL. */
struct fs_node *fs_fixed_find(const struct fs_index *x, enum fs_where where,
			      const char *name);
/* Those that a listing shows; i from 0. NULL: no more. */
const char *fs_fixed_listed(const struct fs_index *x, enum fs_where where,
			    int i, struct fs_node **n);
/* Is this name taken by the tree? */
int fs_reserved(const struct fs_node *parent, const char *name);
/* .rankfs/README, which query/ shows, too. */
struct fs_node *fs_query_readme(struct fs_index *x);

/* Shared by virtual files. */
void fs_virtual_stat(const struct fs_node *n, mode_t mode, size_t size,
		     struct stat *st);
/* For kinds with `stat`. `>` truncates first: there is nothing to lose. */
void fs_virtual_getattr(fuse_req_t req, struct fs *fs, struct fs_node *n);
void fs_virtual_setattr(fuse_req_t req, struct fs *fs, struct fs_node *n,
			struct stat *attr, int to_set,
			struct fuse_file_info *fi);
/* A folder that nobody writes to. */
void fs_virtual_dir_stat(struct fs_node *n, struct stat *st);
/* As its kind says; else the same. */
void fs_dir_stat(struct fs_node *n, struct stat *st);
void fs_virtual_dir_getattr(fuse_req_t req, struct fs *fs, struct fs_node *n);
void fs_reply_virtual(fuse_req_t req, struct fs *fs, struct fs_node *n,
		      const struct stat *st, double entry_timeout);
struct fs_handle *fs_handle_blob(struct fs_node *n, struct fs_blob *b);
void fs_blob_read(fuse_req_t req, struct fs *fs, struct fs_handle *h, size_t n,
		  off_t off);
void fs_blob_release(fuse_req_t req, struct fs *fs, struct fs_handle *h);

/* mirror.c */
/* Answer a lookup with the folder that mirrors a path. */
void fs_mirror_reply_dir(fuse_req_t req, struct fs_index *x,
			 const struct fs_kind *kind, const char *path);

/* text.c */
/*
 * Append a document's text as UTF-8; if it is cut, its last line says so.
 * What rk_document_whole() returns.
 */
int fs_document_text(struct rk_index *ix, const char *path, struct rk_buf *out);
/* Answer a lookup with the file that holds it. */
void fs_text_reply(fuse_req_t req, struct fs_index *x, const char *path);

/*
 * A listing of names, "." and ".." first: each a letter (d folder, f file,
 * l link), the name, a NUL.
 */
/* Begin such a listing, and add a name. */
void fs_list_begin(struct rk_buf *b);
void fs_list_add(struct rk_buf *b, char type, const char *name);
/* Keep it in the handle for as long as it is read, and answer from it. */
void fs_list_reply(fuse_req_t req, struct fs_handle *h, struct rk_buf *b,
		   size_t size, off_t off, int plus);
void fs_list_blob(fuse_req_t req, const struct fs_blob *names, size_t size,
		  off_t off, int plus);
/* A listing of fixed names; "." and ".." first. */
void fs_list_names(fuse_req_t req, struct fs *fs, const char *const *names,
		   int count, size_t size, off_t off, int plus);
void fs_empty_readdir(fuse_req_t req, struct fs *fs, struct fs_handle *h,
		      size_t size, off_t off, int plus);

/* query.c */
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
extern const struct fs_view FS_VIEW_QUERY;
/* Of what makes an answer this answer: places and texts, not scores. */
uint64_t fs_answer_hash(const struct rk_results *r);
/* What its first line says of how it was found, but for times. */
uint64_t fs_answer_form(const struct rk_results *r);
/* The node of a text in a view, made if need be; NULL: no memory. */
struct fs_node *fs_view_node(struct fs_index *x, const struct fs_view *view,
			     const char *text);
/* Answer a lookup with it. `name`: (its first) in query/; NULL elsewhere. */
void fs_view_reply(fuse_req_t req, struct fs *fs, struct fs_node *n,
		   const char *name);
/* Where a view's file is, for who has a name of it; 0 or -ENAMETOOLONG. */
int fs_view_path(const struct fs_node *n, char *out, size_t cap);
/*
 * Bring a view's answer up to date without waiting for changes that are not
 * indexed yet. Any thread, off the loop, which keeps the node. 0 or negative.
 */
int fs_view_refresh(struct fs *fs, struct fs_node *n,
		    const _Atomic int *cancel);

/* followed.c, live.c: queries that are asked again when an index changes */
int fs_live_new(struct fs *fs); /* 0 or -ENOMEM */
void fs_live_free(struct fs *fs);
/* An index has changed. Any thread, any locks. */
void fs_live_wake(void *fs);
/* There is something to do for its thread. */
void fs_live_nudge(struct fs *fs);
/* On the loop: somebody has looked the query up, by this name in query/. */
void fs_live_add(struct fs_node *n, const char *name);
void fs_live_remove(struct fs_node *n);
/* A saved query is followed whether somebody watches it or not. */
void fs_live_hold(struct fs_node *n);
void fs_live_unhold(struct fs_node *n);

/* mount/background.c: the thread of live queries, and of what else waits */
/* Once it is mounted; 0 or -errno. */
int fs_live_start(struct fs *fs);
/* Wait for its thread; what it knows of nodes stays until fs_live_free(). */
void fs_live_stop(struct fs *fs);

/* find.c: let the kernel forget folders of results that are not used */
void fs_find_sweep(struct fs *fs);

/* helper.c: the process that touches files, so that there are events */
int fs_helper_new(struct fs *fs); /* 0 or -errno */
void fs_helper_free(struct fs *fs);
/* The live thread's: 0, or -errno if nobody can be told. */
int fs_helper_touch(struct fs *fs, const char *path);
int fs_is_helper(const struct fs *fs, pid_t pid);

/* spool.c: a file without a name in the backing folder; or -errno */
int fs_spool(const struct fs *fs);
/* All of it, whatever interrupts; 0 or -errno. */
int fs_write_all(int fd, const char *s, size_t n);

/* events.c */
struct fs_events *fs_events_new(void);
void fs_events_free(struct fs_events *e);
/* A line for who reads .rankfs/events; not from inside a request. */
void fs_event(struct fs_index *x, uint64_t generation, const char *what,
	      const char *on);

/* names.c: names that are texts */
/* What editors, shells and version control ask every folder for. */
int fs_is_probe(const char *name);
/*
 * The text that a name stands for: %2F, %0A and %25 decode, nothing else
 * does, and a leading = is dropped. out has room for the name; returns bytes.
 */
size_t fs_decode_name(const char *name, char *out);
/* The other way round. */
void fs_encode_name(const char *text, struct rk_buf *out);

/* caller.c: what the thread that looks a name up is about to do */
enum fs_aim {
	FS_AIM_FILE,   /* to use what the name stands for; or it is unknown */
	FS_AIM_BEYOND, /* to go on from there: its path has more names */
	FS_AIM_MAKE,   /* to make the name, so that it must not be there */
};
/*
 * names: what has been looked up below the folder `dir`, with slashes between.
 * Reads the caller's memory, which may wait for a file of this mount: off the
 * loop.
 */
enum fs_aim fs_caller_aim(pid_t pid, const char *dir, const char *names);
/* FS_AIM_MAKE? Without reading its memory. */
int fs_is_making(pid_t pid);

/* folder.c */
/*
 * In a folder whose texts may have slashes: the names from it on, to out
 * (FS_QUERY_BYTES + 1 bytes). 0, -ENAMETOOLONG, or -ENOENT: programs look for
 * the first in every folder.
 */
int fs_slashes_join(const struct fs_node *parent, const char *name, char *out);
/* Ends it in a name that programs look for in every folder? */
int fs_slashes_probe(const char *names);
/* Answer a lookup with the folder that such a text is the beginning of. */
void fs_slashes_reply(fuse_req_t req, struct fs_index *x,
		      const struct fs_kind *kind, const char *names);

/* saved.c; all on the loop */
/* 1: it is one, and the lookup in query/ has been answered. */
int fs_saved_lookup(fuse_req_t req, struct fs_node *dir, const char *name);
void fs_saved_symlink(fuse_req_t, struct fs *, struct fs_node *dir,
		      const char *name, const char *target);
void fs_saved_unlink(fuse_req_t, struct fs *, struct fs_node *dir,
		     const char *name);
void fs_saved_rename(fuse_req_t, struct fs *, struct fs_node *dir,
		     const char *name, struct fs_node *to, const char *to_name,
		     unsigned flags);
/* Verbs of ctl; in a pool thread. */
int fs_saved_verb_save(struct fs_index *x, const char *arg);
int fs_saved_verb_unsave(struct fs_index *x, const char *arg);
int fs_saved_verb_unmark(struct fs_index *x, const char *arg);
/* Keep the nodes of what is saved now. */
void fs_saved_follow(struct fs_index *x);
void fs_saved_release(struct fs_index *x);

/* pool.c: bounded threads, first come first served */
struct fs_job {
	void (*run)(struct fs_job *); /* in a pool thread; frees the job */
	struct fs_index *x; /* that stays open meanwhile; NULL: none */
	int slow;	    /* not for a thread that takes requests */
	struct fs_job *next;
};
/* nice: how far its threads stand back; 0 to 19. NULL: no memory. */
struct fs_pool *fs_pool_new(unsigned threads, int nice);
/* Never blocks. */
void fs_pool_add(struct fs_pool *p, struct fs_job *job);
/*
 * Run a job off the loop: on this receiver's own thread while enough others
 * are left to take requests (no thread has to be woken), else in the pool.
 * Called with `loop` held, as the last thing of a request; it is given up
 * meanwhile.
 */
void fs_run(struct fs *fs, struct fs_job *job);
/* Finish what is queued, stop the threads. */
void fs_pool_free(struct fs_pool *p);

#endif
