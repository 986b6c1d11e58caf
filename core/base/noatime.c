/* SPDX-License-Identifier: MIT */
#include "base/noatime.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

int rk_openat_noatime(int dir, const char *name, int flags)
{
	int fd = openat(dir, name, flags | O_CLOEXEC | O_NOATIME);

	if (fd < 0 && errno == EPERM)
		fd = openat(dir, name, flags | O_CLOEXEC);
	return fd;
}

static int openat_two(int dir, const char *name, int flags)
{
	struct open_how how = {.flags = (unsigned)flags | O_CLOEXEC,
			       .resolve =
				       RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS};

	return (int)syscall(SYS_openat2, dir, name, &how, sizeof(how));
}

int rk_openat_beneath(int dir, const char *name, int flags)
{
	/* O_PATH goes with no other flag, and reads nothing */
	int noatime = flags & O_PATH ? 0 : O_NOATIME;
	int fd = openat_two(dir, name, flags | noatime);

	if (fd < 0 && errno == EPERM && noatime)
		fd = openat_two(dir, name, flags);
	if (fd < 0 && errno == ENOSYS) /* Linux before 5.6 */
		fd = rk_openat_noatime(dir, name, flags);
	return fd;
}
