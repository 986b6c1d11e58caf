/* SPDX-License-Identifier: MIT */
#include "text/helper.h"
#include "base/child.h"
#include "base/env.h"
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { ARGS_MAX = 24 };

/* Programs of Debian packages; archives are found by what is in them. */
static const struct rk_helper BUILT_IN[] = {
	{"*.pdf", "pdftotext -q -enc UTF-8 - -", RK_KIND_PAGES,
	 "poppler-utils"},
	{"*.docx", "docx2txt {} -", RK_KIND_TEXT, "docx2txt"},
	{"*.od[tpsg]", "odt2txt --encoding=UTF-8 {}", RK_KIND_TEXT, "odt2txt"},
	{"*.epub", "unzip -p {} *.xhtml *.html *.htm", RK_KIND_HTML, "unzip"},
	{"*.pptx", "unzip -p {} ppt/slides/*.xml", RK_KIND_HTML, "unzip"},
	{"*.xlsx", "unzip -p {} xl/sharedStrings.xml", RK_KIND_HTML, "unzip"},
	{"*.zip", "unzip -Z1 {}", RK_KIND_TEXT, "unzip"},
	{"*.jar", "unzip -Z1 {}", RK_KIND_TEXT, "unzip"},
	{"*.tar", "tar -tf {}", RK_KIND_TEXT, "tar"},
	{"*.tar.gz", "tar -tzf {}", RK_KIND_TEXT, "tar"},
	{"*.tgz", "tar -tzf {}", RK_KIND_TEXT, "tar"},
	{"*.tar.xz", "tar -tJf {}", RK_KIND_TEXT, "tar"},
	{"*.tar.bz2", "tar -tjf {}", RK_KIND_TEXT, "tar"},
	{"*.tar.zst", "tar --zstd -tf {}", RK_KIND_TEXT, "tar"},
	{"*.xz", "xz -dc", RK_KINDS, "xz-utils"},
	{"*.zst", "zstd -dcq", RK_KINDS, "zstd"},
	{"*.bz2", "bzip2 -dc", RK_KINDS, "bzip2"},
	{"*.doc", "catdoc -d utf-8 {}", RK_KIND_TEXT, "catdoc"},
	{"*.rtf", "unrtf --text --quiet {}", RK_KIND_TEXT, "unrtf"},
};
enum { NBUILT_IN = sizeof(BUILT_IN) / sizeof(BUILT_IN[0]) };

int rk_helper_set(struct rk_helpers *h, const char *glob, const char *command,
		  char *why, size_t why_n)
{
	struct rk_helper *x = NULL;

	if (*glob == '\0' || strlen(glob) >= sizeof(x->glob) ||
	    strlen(command) >= sizeof(x->command) || *command == '\0') {
		snprintf(why, why_n, "extract.GLOB COMMAND is what it wants");
		return -EINVAL;
	}
	for (unsigned i = 0; i < h->n; i++)
		if (strcmp(h->v[i].glob, glob) == 0)
			x = &h->v[i];
	if (!x && h->n == RK_HELPERS_MAX) {
		snprintf(why, why_n, "more than %d extractors", RK_HELPERS_MAX);
		return -EINVAL;
	}
	if (!x)
		x = &h->v[h->n++];
	memset(x, 0, sizeof(*x));
	memcpy(x->glob, glob, strlen(glob));
	memcpy(x->command, command, strlen(command));
	x->kind = RK_KINDS;
	return 0;
}

void rk_helpers_print(const struct rk_helpers *h, struct rk_buf *out)
{
	rk_buf_str(out, "# programs that get the text of documents: "
			"extract.GLOB COMMAND ({}: the file; none: leave it); "
			"built in are\n");
	for (int i = 0; i < NBUILT_IN; i++)
		rk_buf_printf(out, "#   extract.%s %s\n", BUILT_IN[i].glob,
			      BUILT_IN[i].command);
	for (unsigned i = 0; i < h->n; i++)
		rk_buf_printf(out, "extract.%s %s\n", h->v[i].glob,
			      h->v[i].command);
}

int rk_helper_find(const struct rk_helpers *h, const char *path,
		   struct rk_helper *out)
{
	const char *base = strrchr(path, '/');
	const struct rk_helper *x = NULL;

	base = base ? base + 1 : path;
	for (unsigned i = 0; i < h->n; i++)
		if (fnmatch(h->v[i].glob, base, FNM_CASEFOLD) == 0)
			x = &h->v[i];
	for (int i = 0; i < NBUILT_IN && !x; i++)
		if (fnmatch(BUILT_IN[i].glob, base, FNM_CASEFOLD) == 0)
			x = &BUILT_IN[i];
	if (!x || strcmp(x->command, "none") == 0)
		return 0;
	*out = *x;
	/* what is inside a compressed file, by the rest of its name */
	if (out->kind == RK_KINDS)
		out->kind = rk_kind_of_path(path);
	return 1;
}

/* Split the command in place; {} becomes the standard input's name. */
static int split(char *s, char **argv)
{
	static char self[] = "/dev/stdin";
	int n = 0;

	for (;;) {
		char stop = ' ';

		s += strspn(s, " \t");
		if (*s == '\0' || n == ARGS_MAX)
			break;
		if (*s == '"') {
			stop = '"';
			s++;
		}
		argv[n++] = s;
		s += strcspn(s, stop == '"' ? "\"" : " \t");
		if (*s)
			*s++ = '\0';
		if (strcmp(argv[n - 1], "{}") == 0)
			argv[n - 1] = self;
	}
	argv[n] = NULL;
	return n;
}

static int listen(struct rk_child *c, size_t max, uint64_t deadline,
		  struct rk_buf *out, unsigned *flags)
{
	size_t start = out->n;
	ssize_t got;

	while ((got = rk_child_read(c, out, deadline)) > 0)
		if (out->n - start > max) {
			out->n = start + max;
			*flags |= RK_HELPER_CUT;
			return 0;
		}
	return (int)got;
}

int rk_helper_run(const struct rk_helper *h, int fd,
		  const struct rk_helper_limits *limits, struct rk_buf *out,
		  unsigned *flags)
{
	const struct rk_child_limits own = {limits->memory_bytes,
					    limits->timeout_s};
	uint64_t deadline =
		rk_mono_ns() + limits->timeout_s * UINT64_C(1000000000);
	struct rk_child c;
	char command[sizeof(h->command)], *argv[ARGS_MAX + 1];
	size_t start = out->n;
	int rc, status;

	memcpy(command, h->command, sizeof(command));
	if (split(command, argv) == 0)
		return -EINVAL;
	/* its offset is the child's, too */
	if (lseek(fd, 0, SEEK_SET) < 0)
		return -errno;
	if ((rc = rk_child_start(&c, argv, fd, &own)) < 0)
		return rc;
	rc = listen(&c, limits->text_bytes, deadline, out, flags);
	if (rc < 0 || (*flags & RK_HELPER_CUT)) {
		rk_child_kill(&c);
		return rc;
	}
	status = rk_child_finish(&c, deadline);
	if (status < 0)
		return status;
	return status && out->n == start ? -EIO : 0;
}
