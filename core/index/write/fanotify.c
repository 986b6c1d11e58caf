/* SPDX-License-Identifier: MIT */
#include "index/write/fanotify.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/fanotify.h>
#include <sys/statfs.h>
#include <unistd.h>

enum { EVENT_BYTES = 64 * 1024, ONE_BYTES = 1024 /* a name, a handle */ };

int rk_fan_open(void)
{
	int fd = fanotify_init(FAN_CLASS_NOTIF | FAN_REPORT_DFID_NAME |
				       FAN_NONBLOCK | FAN_CLOEXEC,
			       O_RDONLY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

int rk_fan_mark(int fan, const char *path)
{
	const uint64_t mask = FAN_CREATE | FAN_DELETE | FAN_MOVED_FROM |
			      FAN_MOVED_TO | FAN_CLOSE_WRITE | FAN_ATTRIB |
			      FAN_ONDIR;

	return fanotify_mark(fan, FAN_MARK_ADD | FAN_MARK_FILESYSTEM, mask,
			     AT_FDCWD, path) < 0
		       ? -errno
		       : 0;
}

static void decode(const struct fanotify_event_metadata *m,
		   struct rk_fan_event *e)
{
	const struct fanotify_event_info_fid *info = (const void *)(m + 1);
	const struct file_handle *h = (const void *)info->handle;

	memset(e, 0, sizeof(*e));
	e->mask = m->mask;
	if (m->mask & FAN_Q_OVERFLOW) {
		e->overflow = 1;
		return;
	}
	if (m->event_len < sizeof(*m) + sizeof(*info) ||
	    info->hdr.info_type != FAN_EVENT_INFO_TYPE_DFID_NAME)
		return;
	memcpy(e->fsid, &info->fsid, sizeof(e->fsid));
	e->handle = h;
	e->name = (const char *)h->f_handle + h->handle_bytes;
}

void rk_fan_read(int fan, rk_fan_fn *fn, void *ctx)
{
	/* events follow each other at multiples of four: each is copied */
	_Alignas(struct fanotify_event_metadata) char one[ONE_BYTES];
	const struct fanotify_event_metadata *m = (const void *)one;
	char buf[EVENT_BYTES];
	ssize_t n = read(fan, buf, sizeof(buf));
	const char *at = buf;

	while (n >= (ssize_t)sizeof(*m)) {
		struct rk_fan_event e = {.name = NULL};

		memcpy(one, at, sizeof(*m));
		if (m->vers != FANOTIFY_METADATA_VERSION ||
		    m->event_len < sizeof(*m) || m->event_len > (size_t)n)
			return;
		if (m->event_len <= sizeof(one)) {
			memcpy(one, at, m->event_len);
			decode(m, &e);
		}
		if (e.overflow || e.name)
			fn(ctx, &e);
		at += m->event_len;
		n -= (ssize_t)m->event_len;
	}
}

int rk_fan_folder(const struct rk_fan_event *e, const char *root, char *out,
		  size_t n)
{
	int mount = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC), fd;
	struct statfs st;
	char link[40];
	ssize_t len;

	if (mount < 0)
		return -errno;
	if (fstatfs(mount, &st) < 0 ||
	    memcmp(&st.f_fsid, e->fsid, sizeof(e->fsid)) != 0) {
		close(mount);
		return -EXDEV;
	}
	fd = open_by_handle_at(mount,
			       (struct file_handle *)(uintptr_t)e->handle,
			       O_PATH | O_CLOEXEC);
	close(mount);
	if (fd < 0)
		return -errno; /* ESTALE: gone already */
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	len = readlink(link, out, n - 1);
	close(fd);
	if (len < 0)
		return -errno;
	out[len] = '\0';
	return (int)len;
}
