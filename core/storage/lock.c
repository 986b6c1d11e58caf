/* SPDX-License-Identifier: MIT */
#include "storage/lock.h"
#include "base/status.h"
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int rk_lock_take(int dir)
{
	struct flock fl = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	int fd = openat(dir, "LOCK", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW,
			0600);
	char pid[32];
	int n;

	if (fd < 0)
		return -errno;
	if (fcntl(fd, F_OFD_SETLK, &fl) < 0) {
		int err = errno;

		close(fd);
		return err == EAGAIN || err == EACCES ? RK_ELOCKED : -err;
	}
	n = snprintf(pid, sizeof(pid), "%d\n", (int)getpid());
	if (ftruncate(fd, 0) < 0 || pwrite(fd, pid, (size_t)n, 0) < 0) {
		/* the lock holds all the same; the message will be poorer */
	}
	return fd;
}

int rk_lock_holder(int dir, char *out, size_t n)
{
	struct flock fl = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	int fd = openat(dir, "LOCK", O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	char pid[32] = "";
	ssize_t r;

	assert(n > 0);
	if (fd < 0)
		return -ENOENT;
	if (fcntl(fd, F_OFD_GETLK, &fl) < 0 || fl.l_type == F_UNLCK) {
		close(fd);
		return -ENOENT;
	}
	r = pread(fd, pid, sizeof(pid) - 1, 0);
	close(fd);
	pid[r > 0 ? strcspn(pid, "\n") : 0] = '\0';
	snprintf(out, n, "process %s", pid[0] ? pid : "(unknown)");
	return 0;
}
