/* SPDX-License-Identifier: MIT */
#include "fs/base/options.h"
#include "fs/cli/verbs.h"
#include "fs/query/toucher.h"
#include "fs/mount/mount.h"
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* A closed stdin must not let a file of the index become descriptor 0. */
static void open_stdio(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= 2);
	if (fd > 2)
		close(fd);
}

int main(int argc, char **argv)
{
	struct fs_options o;
	int rc;

	if (argc == 2 && strcmp(argv[1], FS_TOUCHER_VERB) == 0)
		return fs_toucher_main();
	open_stdio();
	rc = fs_verb(argc, argv);
	if (rc >= 0)
		return rc;
	if (fs_options_parse(argc, argv, &o) < 0) {
		fs_options_release(&o);
		return 2;
	}
	rc = 0;
	if (o.help)
		fs_usage();
	else if (o.version)
		fs_version();
	else
		rc = fs_mount(&o);
	fs_options_release(&o);
	return rc;
}
