/* SPDX-License-Identifier: MIT */
/*
 * Where a mount may be, where one is, and taking it away: what is done before
 * a daemon is there, and from outside one.
 */
#include "fs/mount/mount.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <mntent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
	DYING_TRIES = 500,
	DYING_POLL_NS = 10000000,
	UNMOUNT_TRIES = 50,
	UNMOUNT_POLL_MS = 20,
};

static int run_fusermount(const char *flag, const char *mountpoint, int quiet)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		int null = quiet ? open("/dev/null", O_WRONLY | O_CLOEXEC) : -1;

		if (null >= 0)
			dup2(null, 2);
		execlp("fusermount3", "fusermount3", flag, "--", mountpoint,
		       (char *)NULL);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		return -1;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -1;
}

/* What a daemon that died has left: explained, and cleared away. */
static int clear_stale(const char *mountpoint)
{
	int rc;

	fprintf(stderr,
		"rankfs: %s was left by a daemon that died; unmounting it\n",
		mountpoint);
	rc = geteuid() == 0 ? umount2(mountpoint, MNT_DETACH | UMOUNT_NOFOLLOW)
			    : run_fusermount("-uz", mountpoint, 0);
	if (rc < 0)
		fprintf(stderr, "rankfs: cannot unmount %s: %s\n", mountpoint,
			strerror(errno));
	return rc < 0 ? -1 : 0;
}

/* The folder that backs our mount on `path` (malloc'd), or NULL. */
static char *mounted_backing(const char *path)
{
	FILE *f = setmntent("/proc/self/mounts", "re");
	char *source = NULL;
	struct mntent *m;

	while (f && (m = getmntent(f))) {
		if (strcmp(m->mnt_dir, path) != 0)
			continue;
		free(source); /* the last one is on top */
		source = strcmp(m->mnt_type, "fuse.rankfs") == 0
				 ? strdup(m->mnt_fsname)
				 : NULL;
	}
	if (f)
		endmntent(f);
	return source;
}

char *fs_find_mount(const char *backing)
{
	FILE *f = setmntent("/proc/self/mounts", "re");
	char *found = NULL;
	struct mntent *m;

	while (f && (m = getmntent(f)))
		if (strcmp(m->mnt_type, "fuse.rankfs") == 0 &&
		    strcmp(m->mnt_fsname, backing) == 0) {
			free(found); /* the last one is on top */
			found = strdup(m->mnt_dir);
		}
	if (f)
		endmntent(f);
	return found;
}

static int is_ours(const char *path)
{
	char *source = mounted_backing(path);

	free(source);
	return source != NULL;
}

int fs_holder(const char *backing, char *out, size_t n)
{
	int rc = rk_backing_holder(backing, out, n);

	return rc == -ENOENT ? rk_index_holder(backing, "main", out, n) : rc;
}

/* The daemon writes its last checkpoint after the mount has gone. */
static void wait_for_daemon(const char *backing)
{
	const struct timespec ts = {0, 10 * 1000000};
	char holder[64];

	for (int i = 0;
	     i < 6000 && fs_holder(backing, holder, sizeof(holder)) == 0; i++)
		nanosleep(&ts, NULL);
}

/*
 * The toucher has a file of the mount open for a moment now and then: what is
 * busy is tried again for a second.
 */
static int unmount(const char *mountpoint)
{
	const struct timespec ts = {0, UNMOUNT_POLL_MS * 1000000};

	for (int left = UNMOUNT_TRIES; left > 0; left--) {
		if (geteuid() != 0) {
			if (run_fusermount("-u", mountpoint, left > 1) == 0)
				return 0;
		} else if (umount2(mountpoint, UMOUNT_NOFOLLOW) == 0) {
			return 0;
		} else if (errno != EBUSY) {
			break;
		}
		if (left > 1)
			nanosleep(&ts, NULL);
	}
	if (geteuid() != 0)
		return 1;
	fprintf(stderr, "rankfs: cannot unmount %s: %s\n", mountpoint,
		strerror(errno));
	return 1;
}

/* What is given may be the mount point, or what is mounted there. */
int fs_unmount(const char *given)
{
	char *path = realpath(given, NULL);
	char *backing = path ? mounted_backing(path) : NULL;
	char *mount = path && !backing ? fs_find_mount(path) : NULL;
	int rc;

	if (mount) {
		backing = path;
		path = mount;
	}
	if (path && !backing) {
		fprintf(stderr, "rankfs: %s is not mounted by rankfs\n", path);
		rc = 1;
	} else {
		rc = unmount(path ? path : given);
		if (rc == 0 && backing)
			wait_for_daemon(backing);
	}
	free(backing);
	free(path);
	return rc;
}

/* Killed, and not yet rid of all its threads and files. */
static int is_dying(const char *holder)
{
	char path[100], line[400] = "";
	const char *state;
	FILE *f;

	holder += strcspn(holder, "0123456789"); /* "process 123" */
	snprintf(path, sizeof(path), "/proc/%.64s/stat", holder);
	if (!(f = fopen(path, "re")))
		return 1;
	if (!fgets(line, sizeof(line), f))
		line[0] = '\0';
	fclose(f);
	state = strrchr(line, ')'); /* behind the name, which may be anything */
	return !state || state[1] == '\0' || strchr("ZX", state[2]) != NULL;
}

/* Ours, and nobody serves it: its names may still be cached for a moment. */
static int is_orphan(const char *path)
{
	const struct timespec ts = {0, DYING_POLL_NS};
	char *source = mounted_backing(path), holder[64];
	int orphan = 0;

	for (int i = 0; source && !orphan && i < DYING_TRIES; i++) {
		orphan = fs_holder(source, holder, sizeof(holder)) == -ENOENT;
		if (!orphan && !is_dying(holder))
			break;
		if (!orphan)
			nanosleep(&ts, NULL);
	}
	free(source);
	return orphan;
}

char *fs_check_mountpoint(const char *given)
{
	struct stat st;
	char *path;

	if (stat(given, &st) < 0 &&
	    (errno == ENOTCONN || errno == ECONNABORTED)) {
		if (clear_stale(given) < 0)
			return NULL;
	}
	path = realpath(given, NULL);
	if (!path || stat(path, &st) < 0)
		fprintf(stderr, "rankfs: mount point %s: %s\n", given,
			strerror(errno));
	else if (!S_ISDIR(st.st_mode))
		fprintf(stderr, "rankfs: mount point %s is not a folder\n",
			given);
	else if (is_ours(path) && !(is_orphan(path) && clear_stale(path) == 0))
		fprintf(stderr, "rankfs: %s is mounted already\n", path);
	else
		return path;
	free(path);
	return NULL;
}

/* Is there anything that the mount would hide? */
static int is_empty(const char *path)
{
	DIR *d = opendir(path);
	const struct dirent *e;
	int empty = 1;

	while (d && empty && (e = readdir(d)))
		empty = strcmp(e->d_name, ".") == 0 ||
			strcmp(e->d_name, "..") == 0 ||
			strcmp(e->d_name, "lost+found") == 0;
	if (d)
		closedir(d);
	return empty;
}

int fs_check_empty(const char *mountpoint)
{
	if (is_empty(mountpoint))
		return 0;
	fprintf(stderr,
		"rankfs: %s is not empty, and what is in it would be hidden. "
		"Either\n"
		"  rankfs --index %s MOUNTPOINT   index that folder where it "
		"is, or\n"
		"  rankfs MOUNTPOINT              mount on an empty folder "
		"(-o nonempty: mount here all the same)\n",
		mountpoint, mountpoint);
	return -1;
}

/* A backing folder under its own mount point would wait for itself. */
int fs_check_backing(const char *backing, const char *mountpoint)
{
	char *real = realpath(backing, NULL);
	size_t n = strlen(mountpoint);
	int bad = 0;

	if (real)
		bad = strncmp(real, mountpoint, n) == 0 &&
		      (real[n] == '/' || real[n] == '\0');
	free(real);
	if (bad)
		fprintf(stderr,
			"rankfs: the backing folder %s must not lie under the "
			"mount point %s\n",
			backing, mountpoint);
	return bad ? -1 : 0;
}

char *fs_absolute(const char *path)
{
	char *cwd, *out = NULL;

	if (*path == '/')
		return strdup(path);
	cwd = getcwd(NULL, 0);
	if (!cwd || asprintf(&out, "%s/%s", cwd, path) < 0)
		out = NULL;
	free(cwd);
	return out;
}
