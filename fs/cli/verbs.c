/* SPDX-License-Identifier: MIT */
#include "fs/cli/verbs.h"
#include "fs/base/options.h"
#include "fs/cli/mcp.h"
#include "fs/control/help.h"
#include "fs/mount/mount.h"
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

struct verb_args {
	char *backing;
	const char *index; /* which of many; "main" */
	int json;
	int argc; /* what follows the options */
	char **argv;
};

static int fail(const char *what, int rc)
{
	fprintf(stderr, "rankfs: %s: %s\n", what, rk_strerror(rc));
	return 1;
}

static void print(struct rk_buf *b)
{
	fwrite(b->p, 1, b->n, stdout);
	rk_buf_release(b);
}

/* The backing folder, by default if none was named; NULL with a message. */
static const char *backing(struct verb_args *a)
{
	if (!a->backing)
		a->backing = fs_default_backing();
	return a->backing;
}

/* Opening an index for writing makes it; most commands want one to be there. */
static int is_there(struct verb_args *a)
{
	char path[PATH_MAX];
	struct stat st;
	int n;

	if (!backing(a))
		return 0;
	n = snprintf(path, sizeof(path), "%s/indexes/%s", a->backing, a->index);
	if (n < (int)sizeof(path) && stat(path, &st) == 0)
		return 1;
	fprintf(stderr,
		"rankfs: %s is no index: it has no indexes/%s (a folder is "
		"one once rankfs has mounted it as BACKING)\n",
		a->backing, a->index);
	return 0;
}

static int open_index(struct verb_args *a, unsigned flags, struct rk_index **ix)
{
	char holder[64];
	int rc;

	if (!backing(a))
		return -1;
	rc = rk_index_open(fs_env(), a->backing, a->index, flags, ix);

	if (rc == RK_ELOCKED && rk_index_holder(a->backing, a->index, holder,
						sizeof(holder)) == 0) {
		fprintf(stderr,
			"rankfs: %s is in use by %s; unmount it, or write to "
			".rankfs/ctl in the mount\n",
			a->backing, holder);
		return -1;
	}
	if (rc < 0) {
		fail(a->backing, rc);
		return -1;
	}
	return 0;
}

static char *join(const struct verb_args *a, const char *suffix)
{
	struct rk_buf b = RK_BUF_INIT;

	for (int i = 0; i < a->argc; i++)
		rk_buf_printf(&b, "%s%s", i ? " " : "", a->argv[i]);
	rk_buf_str(&b, suffix);
	rk_buf_byte(&b, 0);
	if (b.err)
		rk_buf_release(&b);
	return (char *)b.p;
}

static int verb_search(struct verb_args *a)
{
	struct rk_search_opts opts = {.size = sizeof(opts), .wait_ms = 0};
	char *text = join(a, a->json ? " as:json" : ""), *real, *root = NULL;
	struct rk_buf out = RK_BUF_INIT;
	struct rk_results *r;
	struct rk_index *ix;
	size_t body;
	int rc;

	if (!text || a->argc == 0) {
		fprintf(stderr, "rankfs: search what?\n");
		free(text);
		return 2;
	}
	if (!is_there(a) || open_index(a, RK_READ_ONLY, &ix) < 0) {
		free(text);
		return 1;
	}
	real = realpath(a->backing, NULL);
	if (!real || asprintf(&root, "%s/indexes/%s/files", real, a->index) < 0)
		root = NULL;
	rc = rk_search(ix, text, strlen(text), &opts, &r);
	if (rc == 0) {
		rk_render(r, r->format, text, strlen(text), root ? root : "",
			  &out, &body);
		rc = r->nhits == 0;
		rk_results_free(r);
		print(&out);
	} else {
		rc = fail("search", rc);
	}
	rk_index_close(ix);
	free(real);
	free(root);
	free(text);
	return rc;
}

static int verb_status(struct verb_args *a)
{
	struct rk_buf out = RK_BUF_INIT;
	struct rk_status st = {.size = sizeof(st)};
	struct rk_index *ix;
	char holder[64];

	if (!is_there(a) || open_index(a, RK_READ_ONLY, &ix) < 0)
		return 1;
	rk_status(ix, &st);
	if (a->json) {
		rk_render_status(&st, RK_STATUS_JSON, &out);
	} else {
		rk_render_status(&st, RK_STATUS_TEXT, &out);
		if (rk_index_holder(a->backing, a->index, holder,
				    sizeof(holder)) == 0)
			rk_buf_printf(&out, "writer %s\n", holder);
	}
	rk_warnings(ix, &out);
	print(&out);
	rk_index_close(ix);
	return 0;
}

static int verb_check(struct verb_args *a)
{
	struct rk_buf out = RK_BUF_INIT;
	struct rk_verify_report r = {.size = sizeof(r)};
	struct rk_index *ix;
	int rc;

	if (!is_there(a) || open_index(a, RK_READ_ONLY, &ix) < 0)
		return 2;
	rc = rk_verify(ix, &r);
	rk_warnings(ix, &out);
	rk_buf_printf(
		&out,
		"%llu documents, %llu segments, %llu bytes checked: "
		"%llu damaged, %llu not indexed, %llu changed or gone\n",
		(unsigned long long)r.files, (unsigned long long)r.segments,
		(unsigned long long)r.bytes, (unsigned long long)r.damaged,
		(unsigned long long)r.missing, (unsigned long long)r.stale);
	print(&out);
	rk_index_close(ix);
	if (rc < 0) {
		fail("check", rc);
		return 2;
	}
	return r.damaged || r.missing || r.stale;
}

static int wait_indexed(struct rk_index *ix)
{
	const struct timespec ts = {0, 20 * 1000000};
	struct rk_status st = {.size = sizeof(st)};

	for (rk_status(ix, &st); st.reconciling || st.pending;
	     rk_status(ix, &st))
		nanosleep(&ts, NULL);
	printf("%llu documents, %llu chunks\n", (unsigned long long)st.docs,
	       (unsigned long long)st.chunks);
	return 0;
}

static int verb_rebuild(struct verb_args *a)
{
	struct rk_index *ix;
	int rc;

	if (!is_there(a) || open_index(a, RK_REBUILD, &ix) < 0)
		return 1;
	wait_indexed(ix);
	rc = rk_compact(ix);
	if (rc == 0)
		rc = rk_index_close(ix);
	else
		rk_index_close(ix);
	return rc < 0 ? fail("rebuild", rc) : 0;
}

static int verb_compact(struct verb_args *a)
{
	struct rk_index *ix;
	int rc;

	if (!is_there(a) || open_index(a, 0, &ix) < 0)
		return 1;
	wait_indexed(ix);
	rc = rk_compact(ix);
	rk_index_close(ix);
	return rc < 0 ? fail("compact", rc) : 0;
}

/* To a file, or to standard output. */
static int verb_export(struct verb_args *a)
{
	struct rk_index *ix;
	int fd = 1, rc;

	if (a->argc > 1 || (a->argc == 0 && isatty(1))) {
		fprintf(stderr, "rankfs: export needs one file\n");
		return 2;
	}
	if (!is_there(a) || open_index(a, RK_READ_ONLY, &ix) < 0)
		return 1;
	if (a->argc == 1)
		fd = open(a->argv[0], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
			  0600);
	rc = fd < 0 ? -errno : rk_export(ix, fd);
	if (fd > 1 && close(fd) < 0 && rc == 0)
		rc = -errno;
	rk_index_close(ix);
	return rc < 0 ? fail("export", rc) : 0;
}

static int verb_import(struct verb_args *a)
{
	struct rk_index *ix;
	char err[512];
	int fd, rc;

	if (a->argc != 1) {
		fprintf(stderr, "rankfs: import needs one file\n");
		return 2;
	}
	fd = open(a->argv[0], O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return fail(a->argv[0], -errno);
	if (open_index(a, 0, &ix) < 0) {
		close(fd);
		return 1;
	}
	rc = rk_restore(ix, fd, err, sizeof(err));
	close(fd);
	if (rc < 0)
		fprintf(stderr, "rankfs: import: %s\n", err);
	else
		wait_indexed(ix);
	rk_index_close(ix);
	return rc < 0;
}

/* Where the backing folder is mounted, or NULL; malloc'd. */
static char *mount_of(struct verb_args *a)
{
	char *real = NULL, *found = NULL;

	if (a->argc == 1)
		return strdup(a->argv[0]);
	if (backing(a) && (real = realpath(a->backing, NULL)) != NULL)
		found = fs_find_mount(real);
	free(real);
	return found;
}

static int mcp_unmounted(struct verb_args *a)
{
	char *real = NULL, *root = NULL;
	struct rk_index *ix;
	int rc = 1;

	if (open_index(a, 0, &ix) == 0) {
		real = realpath(a->backing, NULL);
		if (real &&
		    asprintf(&root, "%s/indexes/%s/files", real, a->index) < 0)
			root = NULL;
		rc = fs_mcp_index(ix, root ? root : "");
		rk_index_close(ix);
	}
	free(root);
	free(real);
	return rc;
}

static int verb_mcp(struct verb_args *a)
{
	char *mountpoint = mount_of(a);
	int rc = mountpoint ? fs_mcp_mount(mountpoint) : mcp_unmounted(a);

	free(mountpoint);
	return rc;
}

static int verb_agents(struct verb_args *a)
{
	char *mountpoint = mount_of(a), *real;
	struct rk_buf b = RK_BUF_INIT;

	if (!mountpoint) {
		fprintf(stderr, "rankfs: nothing is mounted; name a mount "
				"point\n");
		return 1;
	}
	real = realpath(mountpoint, NULL);
	fs_help_agents(real ? real : mountpoint, &b);
	print(&b);
	free(real);
	free(mountpoint);
	return 0;
}

static int verb_umount(struct verb_args *a)
{
	if (a->argc != 1) {
		fprintf(stderr, "rankfs: umount needs one mount point, or what "
				"is mounted there\n");
		return 2;
	}
	return fs_unmount(a->argv[0]);
}

static const struct {
	const char *name, *args, *what;
	int (*run)(struct verb_args *a);
} VERBS[] = {
	{"search", "[--json] TEXT...", "one query, without a mount",
	 verb_search},
	{"status", "[--json]", "what the index holds", verb_status},
	{"check", "", "verify every checksum and document", verb_check},
	{"rebuild", "", "index all documents anew", verb_rebuild},
	{"compact", "", "merge all segments into one", verb_compact},
	{"export", "[FILE]", "all of an index as one file", verb_export},
	{"import", "FILE", "put such a file back", verb_import},
	{"mcp", "[MOUNTPOINT]", "Model Context Protocol on stdin and stdout",
	 verb_mcp},
	{"agents", "[MOUNTPOINT]", "what to tell a language model",
	 verb_agents},
	{"umount", "MOUNTPOINT|BACKING", "unmount", verb_umount},
};
enum { NVERBS = sizeof(VERBS) / sizeof(VERBS[0]) };

void fs_version(void)
{
	printf("rankfs %s\n"
	       "libfuse %s\n"
	       "features: live-queries saved-queries find multi federation "
	       "quota export at mcp recall embedders(hash-lsa static http "
	       "import) ann(flat ivf hnsw sq8_hnsw binary_hnsw)\n"
	       "formats: index 1 to 3, export 1, saved queries 1\n",
	       RK_VERSION, fuse_pkgversion());
}

void fs_usage(void)
{
	printf("usage: rankfs [options] [BACKING] MOUNTPOINT\n"
	       "       rankfs [options] --index FOLDER [BACKING] MOUNTPOINT\n"
	       "       rankfs COMMAND [-b BACKING] [-i INDEX] ...\n\n"
	       "BACKING defaults to $XDG_DATA_HOME/rankfs "
	       "(~/.local/share/rankfs).\n\n"
	       "  -f                           stay in the foreground\n"
	       "  -d                           the same, and print every "
	       "request\n"
	       "  --index FOLDER               search that folder where it is "
	       "(a link to it in the mount)\n"
	       "  -o ro                        read only\n"
	       "  -o allow_other               let other users in, as file "
	       "modes say\n"
	       "  -o nonempty                  hide what the mount point has\n"
	       "  -o multi                     many indexes: mkdir makes one\n"
	       "  -o memory=MIB                with multi: memory for all of "
	       "them (256)\n"
	       "  -o open=N                    with multi: indexes that stay "
	       "open (16)\n"
	       "  -o expire=DAYS               with multi: remove those that "
	       "nobody used\n"
	       "  -o timeout=S                 seconds that names are cached "
	       "(1)\n"
	       "  -h, --help                   this text\n"
	       "  -V, --version                version and "
	       "features\n\ncommands:\n");
	for (int i = 0; i < NVERBS; i++)
		printf("  %-8s %-18s  %s\n", VERBS[i].name, VERBS[i].args,
		       VERBS[i].what);
}

static int parse(int argc, char **argv, struct verb_args *a)
{
	static const struct option LONG[] = {
		{"json", no_argument, NULL, 'j'},
		{"backing", required_argument, NULL, 'b'},
		{"index", required_argument, NULL, 'i'},
		{NULL, 0, NULL, 0}};
	int c;

	while ((c = getopt_long(argc, argv, "+b:i:j", LONG, NULL)) != -1) {
		if (c == 'b') {
			free(a->backing);
			a->backing = strdup(optarg);
		} else if (c == 'i') {
			a->index = optarg;
		} else if (c == 'j') {
			a->json = 1;
		} else {
			return -1;
		}
	}
	if (strchr(a->index, '/') || *a->index == '.' || !*a->index) {
		fprintf(stderr, "rankfs: '%s' is no name of an index\n",
			a->index);
		return -1;
	}
	a->argc = argc - optind;
	a->argv = argv + optind;
	return 0;
}

int fs_verb(int argc, char **argv)
{
	struct verb_args a = {.index = "main"};
	int rc = 2;

	for (int i = 0; i < NVERBS && argc > 1; i++) {
		if (strcmp(VERBS[i].name, argv[1]) != 0)
			continue;
		if (parse(argc - 1, argv + 1, &a) == 0)
			rc = VERBS[i].run(&a);
		free(a.backing);
		return rc;
	}
	return -1;
}
