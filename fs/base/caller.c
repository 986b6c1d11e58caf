/* SPDX-License-Identifier: MIT */
/*
 * What the thread that looks a name up is about to do with it. The kernel does
 * not say; /proc/PID/syscall does, to root and to the thread's own user: which
 * system call it waits in, and where in its memory the path is that is walked.
 * Where that is refused (Yama, another user's daemon), the names of usual
 * programs and their arguments have to do.
 *
 * What is read is a hint: a caller can make us believe what it likes about its
 * own lookups, and every name is looked up anew each time.
 */
#include "fs/base/caller.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum {
	PATH_BYTES = 4096,
	PAGE_BYTES = 4096, /* the smallest there are */
	ARGUMENT_BYTES = 16384,
	DEPTH = PATH_BYTES / 2,
};

static size_t read_proc(pid_t pid, const char *file, char *buf, size_t cap)
{
	char path[64];
	int fd;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, file);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, buf, cap - 1);
	if (fd >= 0)
		close(fd);
	buf[n > 0 ? n : 0] = '\0';
	return n > 0 ? (size_t)n : 0;
}

/* --- the system call --- */

struct call {
	long nr;
	unsigned long long arg[5];
};

/* 0: it is not told. A thread that waits in no call has number -1. */
static int call_of(pid_t pid, struct call *out)
{
	char buf[256], *p = buf;

	if (!read_proc(pid, "syscall", buf, sizeof(buf)))
		return 0;
	out->nr = strtol(p, &p, 10);
	for (int i = 0; i < 5; i++)
		out->arg[i] = strtoull(p, &p, 16);
	return 1;
}

static int makes_names(long nr)
{
	static const long CALLS[] = {
#ifdef SYS_symlink
		SYS_symlink,   SYS_link,   SYS_rename,
#endif
		SYS_symlinkat, SYS_linkat, SYS_renameat, SYS_renameat2};

	for (size_t i = 0; i < sizeof(CALLS) / sizeof(CALLS[0]); i++)
		if (CALLS[i] == nr)
			return 1;
	return 0;
}

/*
 * A string of the caller's. Nothing is read of a part of it that is not there:
 * so that what is behind its end may be missing, the parts are pages.
 */
static size_t read_string(pid_t pid, unsigned long long at, char *buf,
			  size_t cap)
{
	size_t first = PAGE_BYTES - (size_t)(at % PAGE_BYTES);
	struct iovec to = {buf, cap - 1}, from[2];
	ssize_t n;

	first = first < cap - 1 ? first : cap - 1;
	from[0].iov_base = (void *)(uintptr_t)at;
	from[0].iov_len = first;
	from[1].iov_base = (void *)(uintptr_t)(at + first);
	from[1].iov_len = cap - 1 - first;
	n = process_vm_readv(pid, &to, 1, from, 2, 0);
	buf[n > 0 ? n : 0] = '\0';
	return n > 0 ? (size_t)n : 0;
}

/* Calls that take one path, and which of their arguments it is. */
static int path_argument(long nr)
{
	static const struct {
		long nr;
		int arg;
	} CALLS[] = {
#ifdef SYS_open
		{SYS_open, 0},		{SYS_stat, 0},
		{SYS_lstat, 0},		{SYS_access, 0},
		{SYS_readlink, 0},	{SYS_unlink, 0},
		{SYS_mkdir, 0},		{SYS_creat, 0},
		{SYS_chmod, 0},		{SYS_utime, 0},
		{SYS_utimes, 0},	{SYS_futimesat, 1},
#endif
		{SYS_openat, 1},	{SYS_openat2, 1},
#ifdef SYS_newfstatat
		{SYS_newfstatat, 1},
#endif
		{SYS_statx, 1},		{SYS_faccessat, 1},
#ifdef SYS_faccessat2
		{SYS_faccessat2, 1},
#endif
		{SYS_readlinkat, 1},	{SYS_inotify_add_watch, 1},
		{SYS_fanotify_mark, 4}, {SYS_name_to_handle_at, 1},
		{SYS_utimensat, 1},	{SYS_unlinkat, 1},
		{SYS_mkdirat, 1},	{SYS_fchmodat, 1},
		{SYS_chdir, 0},		{SYS_truncate, 0},
		{SYS_statfs, 0},	{SYS_getxattr, 0},
		{SYS_lgetxattr, 0},	{SYS_listxattr, 0},
		{SYS_llistxattr, 0},
	};

	for (size_t i = 0; i < sizeof(CALLS) / sizeof(CALLS[0]); i++)
		if (CALLS[i].nr == nr)
			return CALLS[i].arg;
	return -1;
}

/* --- the path --- */

struct part {
	const char *p;
	size_t n;
};

/* The next part of a path; n is 0 at its end. "." is none. */
static struct part next_part(const char **at)
{
	struct part c;

	do {
		*at += strspn(*at, "/");
		c = (struct part){*at, strcspn(*at, "/")};
		*at += c.n;
	} while (c.n == 1 && *c.p == '.');
	return c;
}

static int is_up(struct part c)
{
	return c.n == 2 && memcmp(c.p, "..", 2) == 0;
}

/*
 * Do the last parts spell `names`? 2: and the one before them is `dir`, as it
 * is unless the folder is reached by a link or is the working directory.
 */
static int spells(const struct part *v, size_t n, const char *dir,
		  const char *names)
{
	const char *end = names + strlen(names);

	while (end > names) {
		const char *start = end;

		while (start > names && start[-1] != '/')
			start--;
		if (n == 0 || v[n - 1].n != (size_t)(end - start) ||
		    memcmp(v[n - 1].p, start, v[n - 1].n) != 0)
			return 0;
		n--;
		end = start > names ? start - 1 : start;
	}
	return n > 0 && v[n - 1].n == strlen(dir) &&
			       memcmp(v[n - 1].p, dir, v[n - 1].n) == 0
		       ? 2
		       : 1;
}

/*
 * Walk a path by its text. Where it has come to `names` in `dir`, does it go
 * on? Returns how sure the place is (0: it is not in the path).
 */
static int follow(const char *path, const char *dir, const char *names,
		  int *beyond)
{
	struct part v[DEPTH], c;
	int best = 0, sure;
	size_t n = 0;

	while ((c = next_part(&path)).n && n < DEPTH) {
		if (is_up(c)) {
			n -= n > 0;
			continue;
		}
		v[n++] = c;
		if ((sure = spells(v, n, dir, names)) > best) {
			const char *rest = path;

			best = sure;
			c = next_part(&rest);
			*beyond = c.n && !is_up(c);
		}
	}
	return best;
}

/* Of all that the program was started with. */
static int follow_arguments(pid_t pid, const char *dir, const char *names)
{
	char buf[ARGUMENT_BYTES];
	size_t n = read_proc(pid, "cmdline", buf, sizeof(buf));
	int best = 0, beyond = 0;

	for (size_t at = 0; at < n; at += strlen(buf + at) + 1) {
		int on = 0, sure = follow(buf + at, dir, names, &on);

		if (sure > best || (sure == best && on)) {
			best = sure;
			beyond = on;
		}
	}
	return best && beyond;
}

/* --- */

/* The first thread of a thread's program, which bears its name. */
static pid_t leader_of(pid_t pid)
{
	char status[2048], *line;

	read_proc(pid, "status", status, sizeof(status));
	line = strstr(status, "\nTgid:");
	return line ? (pid_t)strtol(line + 6, NULL, 10) : pid;
}

void fs_caller_name(pid_t pid, int program, char *out, size_t cap)
{
	read_proc(program ? leader_of(pid) : pid, "comm", out, cap);
	out[strcspn(out, "\n")] = '\0';
}

static int is_maker(pid_t pid)
{
	char comm[32];

	fs_caller_name(pid, 0, comm, sizeof(comm));
	return strcmp(comm, "ln") == 0 || strcmp(comm, "mv") == 0;
}

int fs_is_making(pid_t pid)
{
	struct call c;

	return call_of(pid, &c) ? makes_names(c.nr) : is_maker(pid);
}

enum fs_aim fs_caller_aim(pid_t pid, const char *dir, const char *names)
{
	char path[PATH_BYTES + 1];
	int arg, beyond = 0;
	struct call c;

	if (!call_of(pid, &c)) {
		if (is_maker(pid))
			return FS_AIM_MAKE;
		return follow_arguments(pid, dir, names) ? FS_AIM_BEYOND
							 : FS_AIM_FILE;
	}
	if (makes_names(c.nr))
		return FS_AIM_MAKE;
	if ((arg = path_argument(c.nr)) < 0 ||
	    !read_string(pid, c.arg[arg], path, sizeof(path)))
		return FS_AIM_FILE;
	return follow(path, dir, names, &beyond) && beyond ? FS_AIM_BEYOND
							   : FS_AIM_FILE;
}
