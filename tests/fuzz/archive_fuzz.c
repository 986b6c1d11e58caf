/* SPDX-License-Identifier: MIT */
/*
 * An archive to be imported: any bytes. Properties: no crash; a failure has a
 * sentence; nothing is written outside the documents; the index still answers.
 */
#include "index/state/internal.h"
#include "base/mem.h"
#include "fuzz/fuzz.h"
#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

enum { FILE_MAX = 4 << 20, ROUNDS_MAX = 200 };

static char dir[64]; /* holds "b", the backing folder, and nothing else */
static struct rk_index *ix;

static int remove_one(const char *path, const struct stat *st, int type,
		      struct FTW *at)
{
	(void)st;
	(void)type;
	(void)at;
	return remove(path) * 0;
}

static void end(void)
{
	rk_index_close(ix);
	ix = NULL;
	nftw(dir, remove_one, 32, FTW_DEPTH | FTW_PHYS);
}

static void begin(void)
{
	struct rlimit r = {FILE_MAX, FILE_MAX};
	char backing[80];
	static int once;

	if (!once++) {
		setrlimit(RLIMIT_FSIZE, &r); /* 64 KiB may unpack to much */
		signal(SIGXFSZ, SIG_IGN);
		atexit(end);
	}
	snprintf(dir, sizeof(dir), "%s/rankfs-fuzz-XXXXXX",
		 access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	PROPERTY(mkdtemp(dir) != NULL);
	snprintf(backing, sizeof(backing), "%s/b", dir);
	PROPERTY(rk_index_open(NULL, backing, "main", RK_NO_RECONCILE, &ix) ==
		 0);
}

static int entries(const char *path)
{
	DIR *d = opendir(path);
	int n = 0;

	while (d && readdir(d))
		n++;
	if (d)
		closedir(d);
	return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static int rounds;
	char err[256] = "";
	int fd = memfd_create("archive", MFD_CLOEXEC), rc;

	if (!ix)
		begin();
	PROPERTY(fd >= 0 && write(fd, data, n) == (ssize_t)n);
	lseek(fd, 0, SEEK_SET);
	rc = rk_restore(ix, fd, err, sizeof(err));
	close(fd);
	PROPERTY(rc == 0 || err[0]);
	PROPERTY(entries(dir) == 3); /* ".", "..", "b" */
	if (++rounds % ROUNDS_MAX == 0)
		end();
	return 0;
}
