/* SPDX-License-Identifier: MIT */
#include "text/match/ignore.h"
#include <ctype.h>
#include <fnmatch.h>
#include <stddef.h>
#include <string.h>

/* whole names of folders whose contents are another program's database */
static const char *const DIRS[] = {".git", ".hg",    ".svn", ".bzr",
				   "CVS",  "_darcs", NULL};

/* fnmatch(3) patterns on the last component */
static const char *const FILES[] = {
	"*~",		"#*#",
	".#*",		"*.sw[a-p]",
	"*.swpx",	".*.sw[a-p]",
	".*.swpx",	"4913",
	"*.tmp",	"*.part",
	"*.crdownload", ".fuse_hidden*",
	".nfs????*",	".goutputstream-*",
	"tmp_obj_*",	"*.lock",
	".~lock.*#",	NULL,
};

/* sed -i writes sedXXXXXX, rsync .name.XXXXXX: six letters or digits */
static int random_suffix(const char *base, size_t n)
{
	if (n < 6)
		return 0;
	for (size_t i = n - 6; i < n; i++)
		if (!isalnum((unsigned char)base[i]))
			return 0;
	if (n == 9 && strncmp(base, "sed", 3) == 0)
		return 1;
	return n > 8 && base[0] == '.' && base[n - 7] == '.';
}

static int ignored_dir(const char *name, size_t n)
{
	for (const char *const *d = DIRS; *d; d++)
		if (strlen(*d) == n && memcmp(name, *d, n) == 0)
			return 1;
	return 0;
}

int rk_ignored(const char *path)
{
	const char *slash;

	for (; (slash = strchr(path, '/')) != NULL; path = slash + 1)
		if (ignored_dir(path, (size_t)(slash - path)))
			return 1;
	for (const char *const *f = FILES; *f; f++)
		if (fnmatch(*f, path, 0) == 0)
			return 1;
	return random_suffix(path, strlen(path)) ||
	       ignored_dir(path, strlen(path));
}
