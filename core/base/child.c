/* SPDX-License-Identifier: MIT */
#include "base/child.h"
#include "base/env.h"
#include "base/sandbox.h"
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { READ_BYTES = 64 * 1024, POLL_MS_MAX = 1000, REAP_STEP_US = 500 };

static void limit(pid_t pid, int what, rlim_t max)
{
	struct rlimit r = {max, max};

	prlimit(pid, (__rlimit_resource_t)what, &r, NULL);
}

/*
 * posix_spawn() and not fork(): no handler of a library runs in a half-copied
 * process. The limits are put on it from outside, a moment after it starts.
 */
static int spawn(pid_t *pid, char *const argv[], int in, int out)
{
	static char path[] = "PATH=/usr/local/bin:/usr/bin:/bin",
		    locale[] = "LC_ALL=C.UTF-8", home[] = "HOME=/nonexistent";
	char *env[] = {path, locale, home, NULL};
	posix_spawn_file_actions_t fa;
	posix_spawnattr_t at;
	sigset_t set;
	int rc;

	posix_spawn_file_actions_init(&fa);
	posix_spawnattr_init(&at);
	posix_spawn_file_actions_adddup2(&fa, in, 0);
	posix_spawn_file_actions_adddup2(&fa, out, 1);
	posix_spawn_file_actions_addopen(&fa, 2, "/dev/null", O_WRONLY, 0);
	sigfillset(&set);
	posix_spawnattr_setsigdefault(&at, &set);
	sigemptyset(&set);
	posix_spawnattr_setsigmask(&at, &set);
	posix_spawnattr_setpgroup(&at, 0);
	posix_spawnattr_setflags(&at, POSIX_SPAWN_SETPGROUP |
					      POSIX_SPAWN_SETSIGDEF |
					      POSIX_SPAWN_SETSIGMASK);
	rc = posix_spawnp(pid, argv[0], &fa, &at, argv, env);
	posix_spawn_file_actions_destroy(&fa);
	posix_spawnattr_destroy(&at);
	return -rc;
}

struct start {
	pid_t pid;
	char *const *argv;
	int in, out, rc;
	const struct rk_child_limits *limits;
};

static void *start_in_sandbox(void *arg)
{
	struct start *s = arg;

	s->rc = rk_sandbox_enter(s->argv, s->limits->uid, s->limits->gid);
	if (s->rc == 0)
		s->rc = spawn(&s->pid, s->argv, s->in, s->out);
	return NULL;
}

/* By a thread of its own, which has no other use: nobody leaves a sandbox. */
static int start(struct start *s)
{
	pthread_t thread;
	int rc = pthread_create(&thread, NULL, start_in_sandbox, s);

	if (rc)
		return -rc;
	pthread_join(thread, NULL);
	return s->rc;
}

int rk_child_start(struct rk_child *c, char *const argv[], int fd,
		   const struct rk_child_limits *limits)
{
	struct start st = {.argv = argv, .limits = limits};
	int s[2], rc;

	assert(argv[0]);
	*c = (struct rk_child)RK_CHILD_NONE;
	/* a socket, so that writing to the dead is an error, not a signal */
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, s) < 0)
		return -errno;
	st.in = fd < 0 ? s[1] : fd;
	st.out = s[1];
	rc = start(&st);
	close(s[1]);
	if (rc < 0) {
		close(s[0]);
		return rc;
	}
	c->pid = st.pid;
	if (limits->memory_bytes)
		limit(c->pid, RLIMIT_AS, limits->memory_bytes);
	if (limits->cpu_s)
		limit(c->pid, RLIMIT_CPU, limits->cpu_s);
	limit(c->pid, RLIMIT_CORE, 0);
	limit(c->pid, RLIMIT_NOFILE, 64);
	c->out = s[0];
	c->in = fd < 0 ? s[0] : -1;
	return 0;
}

/* 1 when fd is ready, -ETIMEDOUT. */
static int wait_ready(int fd, short events, uint64_t deadline_ns)
{
	struct pollfd p = {fd, events, 0};

	for (;;) {
		uint64_t now = rk_mono_ns();
		uint64_t left = deadline_ns > now ? deadline_ns - now : 0;
		int ms = left / 1000000 > POLL_MS_MAX ? POLL_MS_MAX
						      : (int)(left / 1000000);

		if (poll(&p, 1, ms) > 0)
			return 1;
		if (left == 0)
			return -ETIMEDOUT;
	}
}

int rk_child_write(struct rk_child *c, const void *p, size_t n,
		   uint64_t deadline_ns)
{
	const char *s = p;

	while (n > 0) {
		ssize_t k = send(c->in, s, n, MSG_NOSIGNAL | MSG_DONTWAIT);
		int rc;

		if (k > 0) {
			s += k;
			n -= (size_t)k;
		} else if (k < 0 && errno == EAGAIN) {
			rc = wait_ready(c->in, POLLOUT, deadline_ns);
			if (rc < 0)
				return rc;
		} else if (k < 0 && errno != EINTR) {
			return -errno;
		}
	}
	return 0;
}

ssize_t rk_child_read(struct rk_child *c, struct rk_buf *out,
		      uint64_t deadline_ns)
{
	ssize_t n;
	int rc;

	assert(c->pid > 0 && c->out >= 0);
	if (rk_buf_reserve(out, READ_BYTES) < 0)
		return -ENOMEM;
	do {
		if ((rc = wait_ready(c->out, POLLIN, deadline_ns)) < 0)
			return rc;
		n = recv(c->out, out->p + out->n, READ_BYTES, MSG_DONTWAIT);
	} while (n < 0 && (errno == EAGAIN || errno == EINTR));
	if (n < 0)
		return errno == ECONNRESET ? 0 : -errno;
	out->n += (size_t)n;
	return n;
}

static void close_ends(struct rk_child *c)
{
	if (c->out >= 0)
		close(c->out);
	*c = (struct rk_child)RK_CHILD_NONE;
}

void rk_child_kill(struct rk_child *c)
{
	if (!c || c->pid == 0)
		return;
	kill(-c->pid, SIGKILL);
	kill(c->pid, SIGKILL); /* in case it has no group yet */
	while (waitpid(c->pid, NULL, 0) < 0 && errno == EINTR)
		;
	close_ends(c);
}

int rk_child_finish(struct rk_child *c, uint64_t deadline_ns)
{
	int status, rc;

	assert(c->pid > 0);
	for (;;) {
		rc = (int)waitpid(c->pid, &status, WNOHANG);
		if (rc == c->pid)
			break;
		if (rc < 0 && errno != EINTR) {
			close_ends(c);
			return -ECHILD;
		}
		if (rk_mono_ns() >= deadline_ns) {
			rk_child_kill(c);
			return -ETIMEDOUT;
		}
		usleep(REAP_STEP_US);
	}
	kill(-c->pid, SIGKILL); /* what it left running */
	close_ends(c);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 256 + WTERMSIG(status);
}
