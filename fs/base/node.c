/* SPDX-License-Identifier: MIT */
/*
 * Nodes of the document tree. A node is an inode; it is reached through its
 * names, each a (folder, name) pair, so that no descriptor is held per file
 * and no path is ever too long. Folders keep an O_PATH descriptor while they
 * are in use, the last FS_DIRFDS of them.
 */
#include "fs/base/node.h"
#include "base/hash.h"
#include "fs/base/descriptors.h"
#include "fs/base/mounted.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FIRST_BUCKETS = 1024, FS_DIRFDS = 512 };

struct fs_node *fs_node(struct fs *fs, fuse_ino_t ino)
{
	return ino == FUSE_ROOT_ID ? fs->root : (struct fs_node *)ino;
}

static size_t ino_hash(dev_t dev, ino_t ino)
{
	uint64_t k[2] = {dev, ino};

	return rk_hash64(k, sizeof(k));
}

static size_t name_hash(const struct fs_node *parent, const char *name)
{
	return rk_hash64(name, strlen(name)) ^
	       ((uintptr_t)parent >> 4) * 0x9e3779b97f4a7c15u;
}

static void grow_inos(struct fs *fs)
{
	size_t mask = fs->ino_mask * 2 + 1;
	struct fs_node **v = calloc(mask + 1, sizeof(struct fs_node *));

	if (!v)
		return; /* longer chains, nothing worse */
	for (size_t i = 0; i <= fs->ino_mask; i++)
		while (fs->by_ino[i]) {
			struct fs_node *n = fs->by_ino[i];
			size_t b = ino_hash(n->dev, n->ino) & mask;

			fs->by_ino[i] = n->chain;
			n->chain = v[b];
			v[b] = n;
		}
	free(fs->by_ino);
	fs->by_ino = v;
	fs->ino_mask = mask;
}

static void grow_names(struct fs *fs)
{
	size_t mask = fs->name_mask * 2 + 1;
	struct fs_link **v = calloc(mask + 1, sizeof(struct fs_link *));

	if (!v)
		return;
	for (size_t i = 0; i <= fs->name_mask; i++)
		while (fs->by_name[i]) {
			struct fs_link *l = fs->by_name[i];
			size_t b = name_hash(l->parent, l->name) & mask;

			fs->by_name[i] = l->chain;
			l->chain = v[b];
			v[b] = l;
		}
	free(fs->by_name);
	fs->by_name = v;
	fs->name_mask = mask;
}

struct fs_node *fs_node_virtual(struct fs_index *x, const struct fs_kind *kind)
{
	struct fs_node *n = calloc(1, sizeof(*n));

	if (n) {
		n->index = x;
		n->kind = kind;
		n->dirfd = n->gone_fd = -1;
	}
	return n;
}

int fs_nodes_init(struct fs *fs)
{
	fs->ino_mask = fs->name_mask = FIRST_BUCKETS - 1;
	fs->by_ino = calloc(FIRST_BUCKETS, sizeof(struct fs_node *));
	fs->by_name = calloc(FIRST_BUCKETS, sizeof(struct fs_link *));
	return fs->by_ino && fs->by_name ? 0 : -ENOMEM;
}

static struct fs_link **find_link(struct fs *fs, const struct fs_node *parent,
				  const char *name)
{
	struct fs_link **p =
		&fs->by_name[name_hash(parent, name) & fs->name_mask];

	while (*p && ((*p)->parent != parent || strcmp((*p)->name, name) != 0))
		p = &(*p)->chain;
	return p;
}

struct fs_node *fs_node_find(struct fs *fs, struct fs_node *parent,
			     const char *name)
{
	struct fs_link *l = *find_link(fs, parent, name);

	return l ? l->node : NULL;
}

/* --- virtual files by what they stand for --- */

struct fs_node *fs_keyed_node(struct fs_index *x, const struct fs_kind *kind,
			      const struct fs_file *file, const char *text)
{
	struct fs *fs = x->fs;
	uint64_t h = rk_hash64(text, strlen(text)) ^
		     rk_hash64(kind->name, strlen(kind->name)) ^
		     (file ? rk_hash64(file->name, strlen(file->name)) : 0) ^
		     rk_hash64(x->path, strlen(x->path));
	ino_t ino = (ino_t)(h >> 8 | (uint64_t)0x7e << 56);
	struct fs_node **p = &fs->keyed[ino % FS_KEYED_BUCKETS], *n;

	for (n = *p; n; n = n->chain)
		if (n->ino == ino && n->kind == kind && n->file == file &&
		    n->index == x && strcmp(n->text, text) == 0)
			return n;
	n = fs_node_virtual(x, kind);
	if (!n || !(n->text = strdup(text))) {
		free(n);
		return NULL;
	}
	n->file = file;
	n->keyed = 1;
	n->ino = ino;
	n->chain = *p;
	*p = n;
	return n;
}

static void keyed_free(struct fs *fs, struct fs_node *n)
{
	struct fs_node **p = &fs->keyed[n->ino % FS_KEYED_BUCKETS];

	if (n->kind->forget)
		n->kind->forget(fs, n);
	while (*p != n)
		p = &(*p)->chain;
	*p = n->chain;
	free(n->text);
	free(n);
}

void fs_keyed_release(struct fs *fs)
{
	for (size_t i = 0; i < FS_KEYED_BUCKETS; i++)
		while (fs->keyed[i])
			keyed_free(fs, fs->keyed[i]);
}

/* --- open folders --- */

static void lru_remove(struct fs *fs, struct fs_node *n)
{
	*(n->lru_prev ? &n->lru_prev->lru_next : &fs->lru_head) = n->lru_next;
	*(n->lru_next ? &n->lru_next->lru_prev : &fs->lru_tail) = n->lru_prev;
	n->lru_prev = n->lru_next = NULL;
}

static void lru_first(struct fs *fs, struct fs_node *n)
{
	n->lru_next = fs->lru_head;
	*(fs->lru_head ? &fs->lru_head->lru_prev : &fs->lru_tail) = n;
	fs->lru_head = n;
}

static void close_dirfd(struct fs *fs, struct fs_node *n)
{
	if (n->dirfd < 0 || n == n->index->root)
		return;
	lru_remove(fs, n);
	close(n->dirfd);
	n->dirfd = -1;
	fs->ndirfds--;
}

static void shed_dirfds(struct fs *fs)
{
	struct fs_node *n = fs->lru_tail;

	while (n && fs->ndirfds > FS_DIRFDS) {
		struct fs_node *prev = n->lru_prev;

		if (!n->pinned)
			close_dirfd(fs, n);
		n = prev;
	}
}

int fs_node_dirfd(struct fs *fs, struct fs_node *n)
{
	int at, fd;

	if (n == n->index->root)
		return fs_index_files(n->index);
	if (n->dirfd >= 0) {
		lru_remove(fs, n);
		lru_first(fs, n);
		return n->dirfd;
	}
	if (n->gone_fd >= 0)
		return n->gone_fd;
	if (!n->links)
		return -ENOENT;
	at = fs_node_dirfd(fs, n->links->parent);
	if (at < 0)
		return at;
	do
		fd = openat(at, n->links->name,
			    O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	while (fd < 0 && fs_descriptors_retry(fs, -errno));
	if (fd < 0)
		return -errno;
	n->dirfd = fd;
	lru_first(fs, n);
	fs->ndirfds++;
	n->pinned++;
	shed_dirfds(fs);
	n->pinned--;
	return fd;
}

int fs_node_at(struct fs *fs, struct fs_node *n, int *dir, const char **name)
{
	*dir = -1;
	*name = "";
	if (n == n->index->root) {
		*dir = fs_index_files(n->index);
		return *dir < 0 ? *dir : AT_EMPTY_PATH;
	}
	/* also while the last name is being removed */
	if (!n->links || n->gone_fd >= 0) {
		*dir = n->gone_fd;
		return *dir < 0 ? -ENOENT : AT_EMPTY_PATH;
	}
	*dir = fs_node_dirfd(fs, n->links->parent);
	*name = n->links->name;
	return *dir < 0 ? *dir : AT_SYMLINK_NOFOLLOW;
}

const char *fs_fd_path(int fd, char out[static 40])
{
	snprintf(out, 40, "/proc/self/fd/%d", fd);
	return out;
}

/* --- life --- */

static void node_free(struct fs *fs, struct fs_node *n);

/* Nobody knows the node any more: free it, and parents that waited for it. */
static void node_settle(struct fs *fs, struct fs_node *n)
{
	if (n->nlookup == 0 && n->children == 0 && n->kind->document &&
	    n != n->index->root)
		node_free(fs, n);
}

static void link_free(struct fs *fs, struct fs_link *l)
{
	struct fs_link **p = find_link(fs, l->parent, l->name);
	struct fs_node *parent = l->parent;

	*p = l->chain;
	for (p = &l->node->links; *p != l; p = &(*p)->next)
		;
	*p = l->next;
	fs->nlinks--;
	free(l);
	parent->children--;
	node_settle(fs, parent);
}

void fs_close_later(struct fs *fs, int fd)
{
	if (fs->nunused_fds < FS_UNUSED_FDS)
		fs->unused_fds[fs->nunused_fds++] = fd;
	else
		close(fd);
}

unsigned fs_take_unused(struct fs *fs, int fds[FS_UNUSED_FDS])
{
	unsigned n = fs->nunused_fds;

	memcpy(fds, fs->unused_fds, n * sizeof(fds[0]));
	fs->nunused_fds = 0;
	return n;
}

/* It has a name again, or is needed no more: see fs_node_keep(). */
static void unkeep(struct fs_node *n)
{
	if (n->gone_fd >= 0)
		fs_close_later(n->index->fs, n->gone_fd);
	n->gone_fd = -1;
}

static void node_free(struct fs *fs, struct fs_node *n)
{
	struct fs_node **p =
		&fs->by_ino[ino_hash(n->dev, n->ino) & fs->ino_mask];

	while (*p && *p != n)
		p = &(*p)->chain;
	if (*p)
		*p = n->chain;
	close_dirfd(fs, n);
	unkeep(n);
	n->children = 1; /* its links must not free it again */
	while (n->links)
		link_free(fs, n->links); /* NOLINT: unlinks itself first */
	fs->nnodes--;
	n->index->nnodes--;
	free(n);
}

static struct fs_link *link_add(struct fs *fs, struct fs_node *n,
				struct fs_node *parent, const char *name)
{
	struct fs_link **p = find_link(fs, parent, name), *l = *p;

	if (l && l->node == n)
		return l;
	if (l)
		link_free(fs, l);
	l = malloc(sizeof(*l) + strlen(name) + 1);
	if (!l)
		return NULL;
	memcpy(l->name, name, strlen(name) + 1);
	l->node = n;
	l->parent = parent;
	l->going = 0;
	l->next = n->links;
	n->links = l;
	unkeep(n);
	parent->children++;
	if (++fs->nlinks > fs->name_mask)
		grow_names(fs);
	p = &fs->by_name[name_hash(parent, name) & fs->name_mask];
	l->chain = *p;
	*p = l;
	return l;
}

struct fs_node *fs_node_of_inode(struct fs *fs, dev_t dev, ino_t ino)
{
	struct fs_node *n = fs->by_ino[ino_hash(dev, ino) & fs->ino_mask];

	while (n && (n->ino != ino || n->dev != dev))
		n = n->chain;
	return n;
}

struct fs_node *fs_node_get(struct fs *fs, struct fs_node *parent,
			    const char *name, const struct stat *st)
{
	struct fs_node **p =
		&fs->by_ino[ino_hash(st->st_dev, st->st_ino) & fs->ino_mask];
	struct fs_node **at = p, *n;

	while ((n = *at) && (n->ino != st->st_ino || n->dev != st->st_dev ||
			     n->type != (st->st_mode & S_IFMT)))
		at = &n->chain;
	if (n && !n->links && n->gone_fd < 0 && !n->open) {
		*at = n->chain; /* removed elsewhere; the number is another's */
		n = NULL;
	}
	if (!n) {
		n = fs_node_virtual(parent->index, parent->kind);
		if (!n)
			return NULL;
		n->dev = st->st_dev;
		n->ino = st->st_ino;
		n->type = st->st_mode & S_IFMT;
		n->chain = *p;
		*p = n;
		n->index->nnodes++;
		if (++fs->nnodes > fs->ino_mask)
			grow_inos(fs);
	}
	n->nlookup++;
	if (!link_add(fs, n, parent, name)) {
		fs_node_forget(fs, n, 1);
		return NULL;
	}
	return n;
}

void fs_node_forget(struct fs *fs, struct fs_node *n, uint64_t count)
{
	if (n == fs->root)
		return;
	n->nlookup -= count < n->nlookup ? count : n->nlookup;
	if (n->nlookup > 0)
		return;
	if (n->keyed)
		keyed_free(fs, n);
	else
		node_settle(fs, n);
}

void fs_node_keep(struct fs *fs, struct fs_node *parent, const char *name,
		  int dir)
{
	struct fs_link *l = *find_link(fs, parent, name);
	int others = 0;

	if (!l)
		return;
	l->going = 1;
	for (const struct fs_link *k = l->node->links; k; k = k->next)
		others |= !k->going;
	if (!others && l->node->gone_fd < 0)
		l->node->gone_fd =
			openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
}

void fs_node_unkeep(struct fs *fs, struct fs_node *parent, const char *name)
{
	struct fs_link *l = *find_link(fs, parent, name);

	if (!l)
		return;
	l->going = 0;
	unkeep(l->node);
}

void fs_link_drop(struct fs *fs, struct fs_node *parent, const char *name)
{
	struct fs_link *l = *find_link(fs, parent, name);

	if (l)
		link_free(fs, l);
}

void fs_link_move(struct fs *fs, struct fs_node *parent, const char *name,
		  struct fs_node *to, const char *to_name, int exchange)
{
	struct fs_node *a = fs_node_find(fs, parent, name);
	struct fs_node *b = fs_node_find(fs, to, to_name);

	if (a == b)
		return; /* two names of one inode: rename(2) does nothing */
	if (a)
		a->nlookup++; /* alive while it has no name */
	if (b)
		b->nlookup++;
	fs_link_drop(fs, parent, name);
	fs_link_drop(fs, to, to_name);
	if (a)
		link_add(fs, a, to, to_name);
	if (b && exchange)
		link_add(fs, b, parent, name);
	if (a)
		fs_node_forget(fs, a, 1);
	if (b)
		fs_node_forget(fs, b, 1);
}

void fs_nodes_release(struct fs *fs)
{
	while (fs->nunused_fds > 0)
		close(fs->unused_fds[--fs->nunused_fds]);
	for (size_t i = 0; fs->by_ino && i <= fs->ino_mask; i++)
		while (fs->by_ino[i]) {
			struct fs_node *n = fs->by_ino[i];

			fs->by_ino[i] = n->chain;
			if (n->dirfd >= 0)
				close(n->dirfd);
			if (n->gone_fd >= 0)
				close(n->gone_fd);
			free(n);
		}
	for (size_t i = 0; fs->by_name && i <= fs->name_mask; i++)
		while (fs->by_name[i]) {
			struct fs_link *l = fs->by_name[i];

			fs->by_name[i] = l->chain;
			free(l);
		}
	free(fs->by_ino);
	free(fs->by_name);
}

/* --- paths --- */

int fs_child_path(const struct fs_node *parent, const char *name, char *out,
		  size_t cap)
{
	size_t at = cap, n = strlen(name);

	if (n + 1 > cap)
		return -ENAMETOOLONG;
	at -= n + 1;
	memcpy(out + at, name, n + 1);
	while (parent->links) {
		n = strlen(parent->links->name);
		if (n + 1 > at)
			return -ENAMETOOLONG;
		out[--at] = '/';
		at -= n;
		memcpy(out + at, parent->links->name, n);
		parent = parent->links->parent;
	}
	memmove(out, out + at, cap - at);
	return 0;
}

int fs_node_path(const struct fs_node *n, char *out, size_t cap)
{
	if (!n->links) {
		out[0] = '\0';
		return n->ino ? -ENOENT : 0; /* the root has no inode here */
	}
	return fs_child_path(n->links->parent, n->links->name, out, cap);
}
