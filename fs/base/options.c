/* SPDX-License-Identifier: MIT */
#include "fs/base/options.h"
#include <limits.h>
#include <pwd.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { KEY_IGNORE = 1, MEMORY_MIB = 256, OPEN_MAX = 16 };

#define OPT(t, field, v)                                                       \
	{                                                                      \
		t, offsetof(struct fs_options, field), v                       \
	}
/* FUSE_OPT_KEY() itself converts -1U in a way that clang warns about */
#define IGNORED(t)                                                             \
	{                                                                      \
		t, UINT_MAX, KEY_IGNORE                                        \
	}
static const struct fuse_opt OPTIONS[] = {
	OPT("-f", foreground, 1), OPT("-d", debug, 1), OPT("debug", debug, 1),
	OPT("-h", help, 1), OPT("--help", help, 1), OPT("-V", version, 1),
	OPT("--version", version, 1), OPT("--index %s", folder, 0),
	OPT("nonempty", nonempty, 1), OPT("allow_other", allow_other, 1),
	OPT("ro", read_only, 1), OPT("multi", multi, 1),
	OPT("memory=%u", memory_mib, 0), OPT("open=%u", open_max, 0),
	OPT("expire=%u", expire_days, 0), OPT("timeout=%lf", timeout, 0),
	/* from fstab and mount(8), for others than us */
	IGNORED("rw"), IGNORED("_netdev"), IGNORED("nofail"), IGNORED("noauto"),
	IGNORED("auto"), IGNORED("user"), IGNORED("users"), IGNORED("nouser"),
	IGNORED("defaults"), IGNORED("-n"), IGNORED("-s"), IGNORED("-v"),
	IGNORED("x-"), FUSE_OPT_END};

static const char *home_folder(void)
{
	const char *home = getenv("HOME");
	const struct passwd *pw;

	if (home && *home == '/')
		return home;
	pw = getpwuid(geteuid());
	return pw && pw->pw_dir && *pw->pw_dir == '/' && pw->pw_dir[1]
		       ? pw->pw_dir
		       : NULL;
}

char *fs_default_backing(void)
{
	const char *xdg = getenv("XDG_DATA_HOME"), *home = home_folder();
	char *out = NULL;
	int rc;

	if (xdg && *xdg == '/') {
		rc = asprintf(&out, "%s/rankfs", xdg);
	} else if (home) {
		rc = asprintf(&out, "%s/.local/share/rankfs", home);
	} else {
		fprintf(stderr, "rankfs: there is no HOME to keep the index "
				"in; name a backing folder\n");
		return NULL;
	}
	return rc < 0 ? NULL : out;
}

static int process(void *data, const char *arg, int key,
		   struct fuse_args *outargs)
{
	struct fs_options *o = data;

	(void)outargs;
	if (key == KEY_IGNORE || strncmp(arg, "x-", 2) == 0)
		return 0;
	if (key != FUSE_OPT_KEY_NONOPT)
		return 1; /* libfuse's, or an error that it will name */
	if (!o->mountpoint) {
		o->mountpoint = strdup(arg);
	} else if (!o->backing) {
		o->backing = o->mountpoint;
		o->mountpoint = strdup(arg);
	} else {
		fprintf(stderr, "rankfs: one mount point too many: %s\n", arg);
		return -1;
	}
	return 0;
}

/* What every mount gets, whatever was asked for. */
static int add_defaults(struct fs_options *o)
{
	int rc = fuse_opt_add_arg(&o->fuse, o->read_only
						    ? "-osubtype=rankfs,"
						      "default_permissions,ro"
						    : "-osubtype=rankfs,"
						      "default_permissions");

	if (rc == 0 && o->allow_other)
		rc = fuse_opt_add_arg(&o->fuse, "-oallow_other");
	if (rc == 0 && o->debug)
		rc = fuse_opt_add_arg(&o->fuse, "-d");
	return rc;
}

int fs_options_parse(int argc, char **argv, struct fs_options *o)
{
	struct fuse_args args = FUSE_ARGS_INIT(argc, argv);

	memset(o, 0, sizeof(*o));
	o->timeout = 1.0;
	o->memory_mib = MEMORY_MIB;
	o->open_max = OPEN_MAX;
	if (fuse_opt_parse(&args, o, OPTIONS, process) < 0) {
		fuse_opt_free_args(&args);
		return -1;
	}
	o->fuse = args;
	if (o->folder && *o->folder == '=') /* --index=FOLDER */
		memmove(o->folder, o->folder + 1, strlen(o->folder));
	if (o->help || o->version)
		return 0;
	if (!o->mountpoint) {
		fprintf(stderr, "rankfs: no mount point given; try "
				"rankfs --help\n");
		return -1;
	}
	if (o->open_max == 0 || o->memory_mib < 16) {
		fprintf(stderr, "rankfs: open= is 1 at least, memory= 16\n");
		return -1;
	}
	/* fstab's first field may be a word instead of a folder */
	if (o->backing && (strcmp(o->backing, "rankfs") == 0 ||
			   strcmp(o->backing, "none") == 0)) {
		free(o->backing);
		o->backing = NULL;
	}
	if (o->folder && (o->multi || o->read_only)) {
		fprintf(stderr, "rankfs: --index goes with neither multi nor "
				"ro\n");
		return -1;
	}
	if (!o->backing && !(o->backing = fs_default_backing()))
		return -1;
	if (add_defaults(o) < 0) {
		fprintf(stderr, "rankfs: out of memory\n");
		return -1;
	}
	return 0;
}

void fs_options_release(struct fs_options *o)
{
	free(o->backing);
	free(o->mountpoint);
	free(o->folder);
	fuse_opt_free_args(&o->fuse);
}

static struct rk_env env;

static void env_init(void)
{
	env = *rk_env_posix();
	env.embed_key = getenv("RANKFS_EMBED_KEY");
}

const struct rk_env *fs_env(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, env_init);
	return &env;
}
