/* SPDX-License-Identifier: MIT */
#ifndef RK_INDEX_FANOTIFY_H
#define RK_INDEX_FANOTIFY_H

#include <stddef.h>
#include <stdint.h>

/*
 * Changes on whole file systems, for root: one mark takes the place of a watch
 * on every folder (fanotify(7), FAN_REPORT_DFID_NAME). Events name a folder by
 * handle; it is opened by way of a path on the same file system, which is not
 * held between events, so that the file system can be unmounted.
 */
struct rk_fan_event {
	uint64_t mask;	    /* FAN_CREATE ... */
	const char *name;   /* in the folder */
	const void *handle; /* of the folder */
	int fsid[2];
	int overflow; /* events were lost; nothing else is set */
};

/* A descriptor to poll, or -errno: not root, or not this kernel. */
int rk_fan_open(void);
/* Watch the file system that `path` is on. Returns 0 or -errno. */
int rk_fan_mark(int fan, const char *path);
/* Call fn for each event that has arrived. */
typedef void rk_fan_fn(void *ctx, const struct rk_fan_event *e);
void rk_fan_read(int fan, rk_fan_fn *fn, void *ctx);
/*
 * The folder of an event as a path, if it is on the file system of `root`.
 * Returns its length, or -errno.
 */
int rk_fan_folder(const struct rk_fan_event *e, const char *root, char *out,
		  size_t n);

#endif
