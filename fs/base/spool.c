/* SPDX-License-Identifier: MIT */
/* Temporary files in the backing folder. */
#include "fs/base/spool.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int fs_spool(const struct fs *fs)
{
	int fd = open(fs->backing, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	char name[4096];

	if (fd >= 0)
		return fd;
	/* a file system without unnamed files */
	if ((size_t)snprintf(name, sizeof(name), "%s/.spool-XXXXXX",
			     fs->backing) >= sizeof(name))
		return -ENAMETOOLONG;
	fd = mkostemp(name, O_CLOEXEC);
	if (fd < 0)
		return -errno;
	unlink(name);
	return fd;
}

int fs_write_all(int fd, const char *s, size_t n)
{
	while (n > 0) {
		ssize_t k = write(fd, s, n);

		if (k < 0 && errno != EINTR)
			return -errno;
		if (k > 0) {
			s += k;
			n -= (size_t)k;
		}
	}
	return 0;
}
