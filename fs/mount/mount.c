/* SPDX-License-Identifier: MIT */
/*
 * Life of a mount: check the mount point, fork, open the index, mount, serve,
 * unmount, checkpoint. The fork comes before any thread; the parent waits on
 * a pipe for the byte that the first request of the kernel sends.
 */
#include "fs/mount/mount.h"
#include "fs/base/descriptors.h"
#include "fs/base/mounted.h"
#include "fs/base/node.h"
#include "fs/base/pool.h"
#include "fs/base/users.h"
#include "fs/base/walls.h"
#include "fs/indexes/fixed.h"
#include "fs/indexes/index.h"
#include "fs/indexes/tenants.h"
#include "fs/mount/background.h"
#include "fs/mount/kernel.h"
#include "fs/mount/privileges.h"
#include "fs/query/followed.h"
#include "fs/query/saved.h"
#include "fs/query/toucher.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
	POOL_THREADS = 4,
	IO_THREADS = 16, /* a disk merges the syncs that it is given at once */
	LOG_THREADS = 2, /* one syncs, one waits to sync what came since */
	POOL_NICE = 10,	 /* searches give way to requests */
};

/* --- serving --- */

/* Why an index cannot be had, with who has it. */
static int complain(const struct fs_options *o, int rc)
{
	char holder[64];

	if (rc == RK_ELOCKED &&
	    fs_holder(o->backing, holder, sizeof(holder)) == 0) {
		char real[PATH_MAX], *at = NULL;

		if (realpath(o->backing, real))
			at = fs_find_mount(real);
		fprintf(stderr, "rankfs: %s is in use by %s%s%s\n", o->backing,
			holder, at ? ", mounted on " : "", at ? at : "");
		if (at && o->folder)
			fprintf(stderr, "  ln -s %s %s/   adds it there\n",
				o->folder, at);
		free(at);
	} else
		fprintf(stderr, "rankfs: cannot open %s: %s\n", o->backing,
			rk_strerror(rc));
	return -1;
}

static int open_one(struct fs *fs, const struct fs_options *o)
{
	struct fs_index *x =
		fs_index_new(fs, "main", fs->mountpoint, &FS_DOCUMENT);
	struct stat st;
	int rc = -ENOMEM;

	if (x) {
		fs->indexes = x;
		fs->root = x->root;
		x->root->nlookup = 1;
		pthread_mutex_lock(&fs->loop);
		rc = fs_index_use(x);
		pthread_mutex_unlock(&fs->loop);
	}
	if (rc == 0)
		rc = fs_index_stat(x, &st);
	return rc < 0 ? complain(o, rc) : 0;
}

/* Many: none is opened before it is needed, but the folder is ours. */
static int open_many(struct fs *fs, const struct fs_options *o)
{
	int rc = rk_backing_open(o->backing, &fs->backing_lock);

	if (rc < 0)
		return complain(o, rc);
	fs->indexes_fd = rc;
	/* threads come and go with the indexes; their heaps would stay */
	mallopt(M_ARENA_MAX, 2);
	fs->top = fs_index_new(fs, "", fs->mountpoint, &FS_TOP);
	if (!fs->top)
		return complain(o, -ENOMEM);
	fs->top->files_fd = fs->indexes_fd;
	fs->root = fs->top->root;
	fs->root->nlookup = 1;
	fs_tenants_clean(fs);
	return 0;
}

/*
 * Whatever is asked, a processor is left for requests: one that has to wait
 * for the end of a searching thread's slice takes milliseconds.
 */
static unsigned slow_threads(void)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);

	return cpus > POOL_THREADS ? POOL_THREADS
	       : cpus > 2	   ? (unsigned)cpus - 1
				   : 1;
}

static int setup(struct fs *fs, struct fs_options *o)
{
	fs->uid = geteuid();
	fs->gid = getegid();
	fs->started = time(NULL);
	fs->timeout = o->timeout;
	pthread_mutex_init(&fs->answers, NULL);
	pthread_mutex_init(&fs->loop, NULL);
	fs_users_init(fs);
	fs->backing = o->backing;
	fs->read_only = o->read_only;
	fs->multi = o->multi;
	fs->allow_other = o->allow_other;
	fs->memory_mib = o->memory_mib;
	fs->open_max = o->open_max;
	fs->expire_s = (int64_t)o->expire_days * 86400;
	fs->indexes_fd = fs->backing_lock = -1;
	fs_descriptors_init(fs);
	pthread_cond_init(&fs->opened, NULL);
	if (fs_nodes_init(fs) < 0 || fs_live_new(fs) < 0 ||
	    (o->multi ? open_many(fs, o) : open_one(fs, o)) < 0)
		return -1;
	fs->pool = fs_pool_new(POOL_THREADS, POOL_NICE);
	fs->slow = fs_pool_new(slow_threads(), POOL_NICE);
	fs->io = fs_pool_new(IO_THREADS, 0);
	fs->log = fs_pool_new(LOG_THREADS, 0);
	fs->throttle = fs_pool_new(1, 0);
	fs->closer = fs_pool_new(1, 0);
	if (!fs->pool || !fs->slow || !fs->io || !fs->log || !fs->throttle ||
	    !fs->closer) {
		fprintf(stderr, "rankfs: out of memory\n");
		return -1;
	}
	return 0;
}

/* Threads made from here on leave signals to the request loop. */
static void block_signals(sigset_t *old)
{
	sigset_t set;

	sigfillset(&set);
	pthread_sigmask(SIG_BLOCK, &set, old);
}

/*
 * What df, mount and umount know as the source: without links in it, because
 * umount(8) resolves what it is given. Commas would end the option.
 */
static int name_session(struct fs_options *o)
{
	char arg[PATH_MAX * 2 + 16], *d = arg + sprintf(arg, "-ofsname=");
	char real[PATH_MAX];
	const char *s = realpath(o->backing, real) ? real : o->backing;

	for (; *s && d < arg + sizeof(arg) - 3; s++) {
		if (*s == ',' || *s == '\\')
			*d++ = '\\';
		*d++ = *s;
	}
	*d = '\0';
	return fuse_opt_add_arg(&o->fuse, arg);
}

static int mount_session(struct fs *fs, struct fs_options *o)
{
	if (name_session(o) < 0)
		return -1;
	fs->se = fuse_session_new(&o->fuse, &FS_OPS, sizeof(FS_OPS), fs);
	if (!fs->se)
		return -1;
	if (fuse_set_signal_handlers(fs->se) < 0)
		return -1;
	if (fuse_session_mount(fs->se, fs->mountpoint) < 0) {
		fprintf(stderr, "rankfs: cannot mount on %s\n", fs->mountpoint);
		fuse_remove_signal_handlers(fs->se);
		return -1;
	}
	if (fs_kernel_setup(fs) < 0)
		fprintf(stderr, "rankfs: slower writes: libfuse refuses "
				"custom input and output\n");
	return 0;
}

static void close_all(struct fs *fs)
{
	while (fs->indexes) {
		struct fs_index *x = fs->indexes;
		int rc;

		fs->indexes = x->next;
		rc = fs_index_free(x);
		if (rc < 0)
			fprintf(stderr, "rankfs: last checkpoint: %s\n",
				rk_strerror(rc));
	}
	fs_index_free(fs->top);
	if (fs->indexes_fd >= 0)
		close(fs->indexes_fd);
	if (fs->backing_lock >= 0)
		close(fs->backing_lock);
}

static void teardown(struct fs *fs)
{
	fs_live_stop(fs);
	fs_toucher_free(fs);
	fs_pool_free(fs->throttle);
	fs_pool_free(fs->pool);
	fs_pool_free(fs->slow);
	fs_pool_free(fs->io);
	fs_pool_free(fs->log);
	if (fs->se) {
		fuse_session_unmount(fs->se);
		fuse_session_destroy(fs->se);
	}
	fs_pool_free(fs->closer);
	for (struct fs_index *x = fs->indexes; x; x = x->next) {
		fs_saved_release(x);
		if (x->ix) /* its workers go on until it is closed */
			rk_listen(x->ix, NULL, NULL);
	}
	fs_keyed_release(fs);
	fs_live_free(fs);
	close_all(fs);
	fs_nodes_release(fs);
	fs_users_release(fs);
	pthread_mutex_destroy(&fs->answers);
	pthread_mutex_destroy(&fs->loop);
	pthread_cond_destroy(&fs->opened);
	free(fs->mountpoint);
	free(fs);
}

/* Descriptors 0 to 2 never belong to a file of ours. */
static void detach_stdio(int keep_stderr)
{
	int fd = open("/dev/null", O_RDWR);

	if (fd < 0)
		return;
	dup2(fd, 0);
	dup2(fd, 1);
	if (!keep_stderr)
		dup2(fd, 2);
	if (fd > 2)
		close(fd);
}

/* --index: a link in the root, as ln -s would make it. */
static int link_folder(struct fs *fs, const struct fs_options *o)
{
	const char *name = strrchr(o->folder, '/') + 1;
	struct fs_index *x = fs->indexes;
	char old[PATH_MAX];
	ssize_t n = readlinkat(x->files_fd, name, old, sizeof(old) - 1);
	int rc;

	if (n >= 0 && strncmp(old, o->folder, (size_t)n) == 0 &&
	    o->folder[n] == '\0')
		return 0;
	rc = symlinkat(o->folder, x->files_fd, name) < 0 ? -errno : 0;
	if (rc == 0) {
		rk_links_changed(x->ix);
		fs_wall_recheck(x);
	}
	if (rc < 0)
		fprintf(stderr,
			rc == -EEXIST
				? "rankfs: %s: %s has another %s already\n"
				: "rankfs: cannot link %s into %s as %s\n",
			o->folder, o->backing, name);
	return rc;
}

/*
 * Receivers: several threads wait for the kernel, one at a time works. With
 * a single waiter every request wakes the same sleeping processor; several
 * are woken where the client runs (measured in core/doc/performance.md).
 */
static void handle_request(struct fs *fs, struct fuse_buf *buf)
{
	int fds[FS_UNUSED_FDS];
	unsigned n;

	pthread_mutex_lock(&fs->loop);
	fuse_session_process_buf(fs->se, buf);
	n = fs_take_unused(fs, fds);
	pthread_mutex_unlock(&fs->loop);
	while (n > 0)
		close(fds[--n]);
}

/* Only to wake a receiver from read(2). */
static void ignore_signal(int sig)
{
	(void)sig;
}

static void *receive(void *arg)
{
	struct fs *fs = arg;
	struct fuse_buf buf = {.mem = NULL};

	while (!fuse_session_exited(fs->se)) {
		int n = fuse_session_receive_buf(fs->se, &buf);

		if (n == -EINTR || n == -EAGAIN)
			continue;
		if (n <= 0)
			break;
		handle_request(fs, &buf);
	}
	fuse_session_exit(fs->se);
	free(buf.mem);
	return NULL;
}

static void *receive_more(void *arg)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	return receive(arg);
}

/*
 * Nothing but a request or a signal wakes who reads from the kernel: a lazy
 * unmount does not, while a client holds a folder open. A signal may come just
 * before the read, so it is sent until they are gone.
 */
static void join_receivers(const pthread_t *more, int n)
{
	struct timespec until;

	while (n > 0) {
		pthread_kill(more[n - 1], SIGUSR2);
		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_nsec += 10000000;
		until.tv_sec += until.tv_nsec / 1000000000;
		until.tv_nsec %= 1000000000;
		if (pthread_timedjoin_np(more[n - 1], NULL, &until) == 0)
			n--;
	}
}

/*
 * Clients that wait get ENOTCONN. Answers that are still being made go nowhere:
 * the descriptor's number stays taken until nobody writes to it any more.
 */
static void end_connection(struct fs *fs)
{
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (fd >= 0)
		dup3(fd, fuse_session_fd(fs->se), O_CLOEXEC);
	if (fd >= 0)
		close(fd);
}

/* Until unmounted from outside, or told to end by a signal. */
static void serve_requests(struct fs *fs)
{
	struct sigaction wake = {.sa_handler = ignore_signal};
	pthread_t more[FS_RECEIVERS - 1];
	int n = 0;
	sigset_t old;

	sigaction(SIGUSR2, &wake, NULL);
	block_signals(&old);
	while (n < FS_RECEIVERS - 1 &&
	       pthread_create(&more[n], NULL, receive_more, fs) == 0)
		n++;
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	receive(fs);
	fuse_remove_signal_handlers(fs->se);
	join_receivers(more, n);
	end_connection(fs);
}

/* A mount that cannot tell watchers is a mount all the same. */
static void follow_queries(struct fs *fs)
{
	sigset_t old;

	if (fs->read_only)
		return;
	block_signals(&old);
	if (fs_toucher_new(fs) < 0 || fs_live_start(fs) < 0)
		fprintf(stderr, "rankfs: watchers of queries get no events\n");
	pthread_sigmask(SIG_SETMASK, &old, NULL);
}

static int serve(struct fs_options *o, char *mountpoint, int ready_fd)
{
	struct fs *fs = calloc(1, sizeof(*fs));
	sigset_t old;
	int rc = 1;

	if (!fs)
		return 1;
	fs->mountpoint = mountpoint;
	fs->ready_fd = ready_fd;
	fs_drop_capabilities();
	block_signals(&old);
	if (setup(fs, o) == 0 && (!o->folder || link_folder(fs, o) == 0)) {
		pthread_sigmask(SIG_SETMASK, &old, NULL);
		if (mount_session(fs, o) == 0) {
			if (!o->foreground)
				detach_stdio(0);
			follow_queries(fs);
			fs_refuse_calls();
			serve_requests(fs);
			rc = 0;
		}
	}
	teardown(fs);
	return rc;
}

/*
 * Tell a service manager that the mount is there: a datagram to
 * $NOTIFY_SOCKET (sd_notify(3)).
 */
void fs_notify_ready(void)
{
	const char *to = getenv("NOTIFY_SOCKET");
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	size_t n = to ? strlen(to) : 0;
	int fd;

	if (n < 2 || n >= sizeof(a.sun_path) || (*to != '/' && *to != '@'))
		return;
	memcpy(a.sun_path, to, n);
	if (*to == '@')
		a.sun_path[0] = '\0'; /* an abstract name */
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	sendto(fd, "READY=1", 7, MSG_NOSIGNAL, (struct sockaddr *)&a,
	       (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n));
	close(fd);
}

/* Wait for the daemon's word; its messages go to our stderr. */
static int wait_ready(int fd, pid_t pid)
{
	char c;
	int status;
	ssize_t r;

	do
		r = read(fd, &c, 1);
	while (r < 0 && errno == EINTR);
	if (r == 1)
		return 0;
	waitpid(pid, &status, 0);
	if (WIFSIGNALED(status))
		fprintf(stderr, "rankfs: died at start (signal %d)\n",
			WTERMSIG(status));
	return 1;
}

static void raise_limits(void)
{
	struct rlimit rl;

	if (getrlimit(RLIMIT_NOFILE, &rl) == 0) {
		rl.rlim_cur = rl.rlim_max;
		setrlimit(RLIMIT_NOFILE, &rl);
	}
}

static int daemonise(struct fs_options *o, char *mountpoint)
{
	int pipefd[2];
	pid_t pid;

	if (pipe2(pipefd, O_CLOEXEC) < 0 || (pid = fork()) < 0) {
		fprintf(stderr, "rankfs: %s\n", strerror(errno));
		return 1;
	}
	if (pid > 0) {
		free(mountpoint);
		close(pipefd[1]);
		return wait_ready(pipefd[0], pid);
	}
	close(pipefd[0]);
	setsid();
	if (chdir("/") < 0)
		return 1;
	return serve(o, mountpoint, pipefd[1]);
}

/* What --index names: made absolute, and a name that the root can have. */
static int check_folder(struct fs_options *o, const char *mountpoint)
{
	char *real = realpath(o->folder, NULL);
	const char *name = real ? strrchr(real, '/') + 1 : "";
	const char *why = NULL;
	struct stat st;

	if (!real || stat(real, &st) < 0)
		why = strerror(errno);
	else if (!S_ISDIR(st.st_mode))
		why = "not a folder";
	else if (strcmp(real, mountpoint) == 0)
		why = "cannot be the mount point as well";
	else if (!*name || fs_reserved_name(name))
		why = "rankfs cannot give it that name; mount, and link it "
		      "(ln -s) under another";
	if (why) {
		fprintf(stderr, "rankfs: %s: %s\n", o->folder, why);
		free(real);
		return -1;
	}
	free(o->folder);
	o->folder = real;
	return 0;
}

int fs_mount(struct fs_options *o)
{
	char *mountpoint = fs_check_mountpoint(o->mountpoint), *backing;

	if (!mountpoint)
		return 1;
	backing = fs_absolute(o->backing);
	if (!backing || fs_check_backing(backing, mountpoint) < 0 ||
	    (!o->nonempty && fs_check_empty(mountpoint) < 0) ||
	    (o->folder && check_folder(o, mountpoint) < 0)) {
		free(backing);
		free(mountpoint);
		return 1;
	}
	free(o->backing);
	o->backing = backing;
	umask(0); /* modes arrive with the caller's umask applied */
	raise_limits();
	if (o->debug)
		o->foreground = 1;
	if (o->foreground)
		return serve(o, mountpoint, -1);
	return daemonise(o, mountpoint);
}
