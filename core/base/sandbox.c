/* SPDX-License-Identifier: MIT */
#include "base/sandbox.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* struct landlock_ruleset_attr as it is since version 6 */
struct ruleset {
	uint64_t fs, net, scoped;
};

enum {
	READ = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_EXECUTE,
	LIST = LANDLOCK_ACCESS_FS_READ_DIR,
	WRITE = LANDLOCK_ACCESS_FS_WRITE_FILE,
};

/* What each version of Landlock can forbid: file system, TCP, signals and
 * abstract sockets. */
static size_t all_rights(int version, struct ruleset *r)
{
	*r = (struct ruleset){.fs = version >= 5   ? 0xffff
				    : version >= 3 ? 0x7fff
				    : version >= 2 ? 0x3fff
						   : 0x1fff,
			      .net = version >= 4 ? 3 : 0,
			      .scoped = version >= 6 ? 3 : 0};
	return version >= 6   ? sizeof(*r)
	       : version >= 4 ? offsetof(struct ruleset, scoped)
			      : offsetof(struct ruleset, net);
}

int rk_sandbox_version(void)
{
	long v = syscall(SYS_landlock_create_ruleset, NULL, 0,
			 LANDLOCK_CREATE_RULESET_VERSION);

	return v > 0 ? (int)v : 0;
}

/* What is not there needs no rule. */
static int allow(int rules, const char *path, uint64_t rights)
{
	struct landlock_path_beneath_attr a = {
		.parent_fd = open(path, O_PATH | O_CLOEXEC)};
	struct stat st;
	int rc = 0;

	if (a.parent_fd < 0)
		return 0;
	if (fstat(a.parent_fd, &st) == 0) {
		a.allowed_access =
			S_ISDIR(st.st_mode) ? rights : rights & ~(uint64_t)LIST;
		if (syscall(SYS_landlock_add_rule, rules,
			    LANDLOCK_RULE_PATH_BENEATH, &a, 0) < 0)
			rc = -errno;
	}
	close(a.parent_fd);
	return rc;
}

static int allow_all(int rules, char *const argv[])
{
	/* programs, their libraries, and what Debian puts in between */
	static const char *const DIRS[] = {"/usr",
					   "/opt",
					   "/bin",
					   "/lib",
					   "/lib64",
					   "/etc/alternatives",
					   "/etc/ld.so.cache",
					   "/etc/ld.so.preload",
					   "/dev/zero",
					   "/dev/urandom",
					   NULL};
	int rc = allow(rules, "/dev/null", READ | WRITE);

	for (int i = 0; DIRS[i] && rc == 0; i++)
		rc = allow(rules, DIRS[i], READ | LIST);
	for (int i = 0; argv[i] && rc == 0; i++)
		if (argv[i][0] == '/' && strncmp(argv[i], "/dev/", 5) != 0)
			rc = allow(rules, argv[i], READ);
	return rc;
}

/* Of this thread: glibc's functions would do it to all. */
static int become(uid_t uid, gid_t gid)
{
	if (uid == 0 || geteuid() != 0)
		return 0;
	if (syscall(SYS_setgroups, 0, NULL) < 0 ||
	    syscall(SYS_setresgid, gid, gid, gid) < 0 ||
	    syscall(SYS_setresuid, uid, uid, uid) < 0)
		return -errno;
	return 0;
}

int rk_sandbox_enter(char *const argv[], uid_t uid, gid_t gid)
{
	int version = rk_sandbox_version(), rules, rc;
	struct ruleset r;
	size_t n = all_rights(version, &r);

	/* no child, nor a child of it, gains rights by a set-user-id program */
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	if (version == 0)
		return become(uid, gid);
	rules = (int)syscall(SYS_landlock_create_ruleset, &r, n, 0);
	if (rules < 0)
		return -errno;
	rc = allow_all(rules, argv);
	if (rc == 0)
		rc = become(uid, gid);
	if (rc == 0 && syscall(SYS_landlock_restrict_self, rules, 0) < 0)
		rc = -errno;
	close(rules);
	return rc;
}
