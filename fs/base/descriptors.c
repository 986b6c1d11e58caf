/* SPDX-License-Identifier: MIT */
/*
 * Descriptors of open documents. A client's processes together may have more
 * files open than this one process may: those that were used longest ago are
 * closed, and opened again when they are needed. That is the same file as long
 * as its node is known, by any of its names, or by the descriptor that is kept
 * of a file without one.
 */
#include "fs/base/descriptors.h"
#include "fs/base/node.h"
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

enum {
	SHED_MOST = 64, /* are looked at for one that is needed */
	ROOM_MIN = 16,
};

/* Half of what the process may have: folders and the index need some, too. */
void fs_descriptors_init(struct fs *fs)
{
	struct rlimit rl;

	if (getrlimit(RLIMIT_NOFILE, &rl) < 0)
		rl.rlim_cur = 1024;
	fs->fds.max =
		(unsigned)(rl.rlim_cur > 1 << 20 ? 1 << 19 : rl.rlim_cur / 2);
	if (fs->fds.max < ROOM_MIN)
		fs->fds.max = ROOM_MIN;
}

/* --- used longest ago last --- */

static void unlist(struct fs *fs, struct fs_handle *h)
{
	*(h->fd_prev ? &h->fd_prev->fd_next : &fs->fds.head) = h->fd_next;
	*(h->fd_next ? &h->fd_next->fd_prev : &fs->fds.tail) = h->fd_prev;
	h->fd_prev = h->fd_next = NULL;
	fs->fds.n--;
}

static void list_first(struct fs *fs, struct fs_handle *h)
{
	h->fd_next = fs->fds.head;
	*(fs->fds.head ? &fs->fds.head->fd_prev : &fs->fds.tail) = h;
	fs->fds.head = h;
	fs->fds.n++;
}

/* Would opening it again be allowed? Modes matter to all but root. */
static int can_reopen(const struct fs_handle *h)
{
	char path[40];
	int fd;

	if (h->fd_jobs > 0 || h->keep_fd ||
	    (!h->node->links && h->node->gone_fd < 0))
		return 0;
	if (geteuid() == 0)
		return 1;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", h->fd);
	fd = open(path, h->flags | O_CLOEXEC);
	if (fd < 0)
		return 0;
	close(fd);
	return 1;
}

/* Close the one used longest ago, but not `needed`; 0: none can be. */
static int shed(struct fs *fs, const struct fs_handle *needed)
{
	struct fs_handle *h = fs->fds.tail;

	for (int i = 0; h && i < SHED_MOST; i++) {
		struct fs_handle *prev = h->fd_prev;

		if (h != needed && can_reopen(h)) {
			unlist(fs, h);
			close(h->fd);
			h->fd = -1;
			return 1;
		}
		unlist(fs, h); /* so that the next search begins elsewhere */
		list_first(fs, h);
		h = prev;
	}
	return 0;
}

int fs_descriptors_retry(struct fs *fs, int rc)
{
	return (rc == -EMFILE || rc == -ENFILE) && shed(fs, NULL);
}

/* --- handles --- */

void fs_handle_give_fd(struct fs *fs, struct fs_handle *h, int fd)
{
	h->fd = fd;
	list_first(fs, h);
	if (fs->fds.n > fs->fds.max)
		shed(fs, h);
}

void fs_handle_drop_fd(struct fs *fs, struct fs_handle *h)
{
	if (h->fd < 0)
		return;
	unlist(fs, h);
	fs_close_later(fs, h->fd);
	h->fd = -1;
}

static int reopen(struct fs *fs, struct fs_handle *h)
{
	const struct fs_node *n = h->node;
	int fd = fs_node_open(fs, h->node, h->flags);
	struct stat st;

	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0 || st.st_ino != n->ino || st.st_dev != n->dev) {
		close(fd);
		return -ESTALE; /* replaced behind our back */
	}
	fs_handle_give_fd(fs, h, fd);
	return fd;
}

int fs_handle_fd(struct fs *fs, struct fs_handle *h)
{
	if (h->fd < 0)
		return reopen(fs, h);
	if (fs->fds.head != h) {
		unlist(fs, h);
		list_first(fs, h);
	}
	return h->fd;
}

int fs_handle_pin_fd(struct fs *fs, struct fs_handle *h)
{
	int fd = fs_handle_fd(fs, h);

	if (fd >= 0)
		h->fd_jobs++;
	return fd;
}

void fs_handle_unpin_fd(struct fs_handle *h)
{
	h->fd_jobs--;
}

int fs_node_keep_fds(struct fs *fs, struct fs_node *n)
{
	for (struct fs_handle *h = n->open; h; h = h->next) {
		int fd = fs_handle_fd(fs, h);

		if (fd < 0)
			return fd;
		h->keep_fd = 1;
	}
	return 0;
}

static int open_once(struct fs *fs, struct fs_node *n, int flags)
{
	const char *name;
	char proc[40];
	int dir, fd, rc = fs_node_at(fs, n, &dir, &name);

	if (rc < 0)
		return rc;
	fd = *name ? openat(dir, name, flags | O_NOFOLLOW)
		   : open(fs_fd_path(dir, proc), flags);
	return fd < 0 ? -errno : fd;
}

int fs_node_open(struct fs *fs, struct fs_node *n, int flags)
{
	int fd;

	flags = (flags & ~(O_NOFOLLOW | O_CREAT | O_EXCL)) | O_CLOEXEC;
	do
		fd = open_once(fs, n, flags);
	while (fs_descriptors_retry(fs, fd));
	return fd;
}
