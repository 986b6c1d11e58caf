/* SPDX-License-Identifier: MIT */
/*
 * The toucher: a process that touches files of the mount, because the kernel
 * makes inotify events only of what comes through the mount, and a thread of
 * the daemon that does so cannot be killed while it waits for the daemon. It
 * is this program again, started with a socket as descriptor 3; each message
 * is a path: open it for writing, write a byte, close it, answer with a byte.
 * The daemon knows its requests by their process, and drops the byte.
 */
#include "fs/query/toucher.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SOCKET = 3, IN_FLIGHT_MAX = 256, RESTART_MS = 1000 };

/* The live thread's own, but for pid. */
struct fs_toucher {
	_Atomic pid_t pid; /* 0: none */
	int fd;
	unsigned in_flight;
	uint64_t started_ns;
};

/* --- in the toucher --- */

static void touch(const char *path)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY);

	if (fd < 0)
		return;
	if (write(fd, "", 1) != 1) {
		/* it has gone, or is nobody's: no event then */
	}
	close(fd);
}

int fs_toucher_main(void)
{
	static char path[FS_VIEW_PATH];
	ssize_t n;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGINT, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	if (chdir("/") < 0)
		return 1;
	while ((n = recv(SOCKET, path, sizeof(path) - 1, 0)) > 0) {
		path[n] = '\0';
		touch(path);
		if (send(SOCKET, "", 1, MSG_NOSIGNAL) < 0)
			break;
	}
	return 0;
}

/* --- in the daemon --- */

static int spawn(int fd, pid_t *pid)
{
	static char name[] = "rankfs", verb[] = FS_TOUCHER_VERB;
	static char safe[] = "OPENBLAS_NUM_THREADS=1";
	char *argv[] = {name, verb, NULL}, *env[] = {safe, NULL};
	posix_spawn_file_actions_t acts;
	int rc;

	posix_spawn_file_actions_init(&acts);
	posix_spawn_file_actions_addopen(&acts, 0, "/dev/null", O_RDWR, 0);
	posix_spawn_file_actions_adddup2(&acts, 0, 1);
	posix_spawn_file_actions_adddup2(&acts, fd, SOCKET);
	rc = posix_spawn(pid, "/proc/self/exe", &acts, NULL, argv, env);
	posix_spawn_file_actions_destroy(&acts);
	return -rc;
}

static void end(struct fs_toucher *h)
{
	if (h->fd >= 0)
		close(h->fd); /* it reads the end, and exits */
	if (h->pid > 0) {
		kill(h->pid, SIGKILL);
		waitpid(h->pid, NULL, 0);
	}
	h->fd = -1;
	h->pid = 0;
	h->in_flight = 0;
}

static int start(struct fs_toucher *h)
{
	int pair[2], rc;
	pid_t pid = 0;

	h->started_ns = rk_mono_ns();
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	if (pair[1] == SOCKET) { /* dup2 onto itself would keep CLOEXEC */
		int fd = fcntl(pair[1], F_DUPFD_CLOEXEC, SOCKET + 1);

		close(pair[1]);
		pair[1] = fd;
	}
	rc = spawn(pair[1], &pid);
	close(pair[1]);
	if (rc < 0) {
		close(pair[0]);
		return rc;
	}
	h->fd = pair[0];
	h->pid = pid;
	return 0;
}

int fs_toucher_new(struct fs *fs)
{
	struct fs_toucher *h = calloc(1, sizeof(*h));

	if (!h)
		return -ENOMEM;
	h->fd = -1;
	fs->toucher = h;
	return start(h);
}

void fs_toucher_free(struct fs *fs)
{
	if (!fs->toucher)
		return;
	end(fs->toucher);
	free(fs->toucher);
	fs->toucher = NULL;
}

int fs_is_toucher(const struct fs *fs, pid_t pid)
{
	return fs->toucher && fs->toucher->pid == pid;
}

static void take_answers(struct fs_toucher *h)
{
	char c;

	while (h->in_flight && recv(h->fd, &c, 1, MSG_DONTWAIT) == 1)
		h->in_flight--;
	/* one that does not answer is given a moment, then replaced */
	while (h->in_flight >= IN_FLIGHT_MAX) {
		struct timeval tv = {2, 0};

		setsockopt(h->fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
		if (recv(h->fd, &c, 1, 0) != 1) {
			end(h);
			return;
		}
		h->in_flight--;
	}
}

int fs_toucher_touch(struct fs *fs, const char *path)
{
	struct fs_toucher *h = fs->toucher;

	if (!h)
		return -ENOENT;
	if (h->fd >= 0)
		take_answers(h);
	for (int tries = 0; tries < 2; tries++) {
		if (h->fd >= 0 &&
		    send(h->fd, path, strlen(path), MSG_NOSIGNAL) > 0) {
			h->in_flight++;
			return 0;
		}
		end(h); /* it was killed */
		if (rk_mono_ns() - h->started_ns <
		    (uint64_t)RESTART_MS * 1000000)
			break;
		if (start(h) < 0)
			break;
	}
	return -EPIPE;
}
