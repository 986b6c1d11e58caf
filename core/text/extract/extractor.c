/* SPDX-License-Identifier: MIT */
#include "text/extract/extractor.h"
#include "base/child.h"
#include "base/env.h"
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ARGS_MAX = 24 };

/* Programs of Debian packages; archives are found by what is in them. */
static const struct rk_extractor BUILT_IN[] = {
	{"*.pdf", "pdftotext -q -enc UTF-8 - -", RK_KIND_PAGES, NULL,
	 "poppler-utils"},
	{"*.docx", "docx2txt {} -", RK_KIND_TEXT, NULL, "docx2txt"},
	{"*.od[tpsg]", "odt2txt --encoding=UTF-8 {}", RK_KIND_TEXT, NULL,
	 "odt2txt"},
	{"*.epub", "unzip -p {} *.xhtml *.html *.htm", RK_KIND_HTML, NULL,
	 "unzip"},
	{"*.pptx", "unzip -p {} ppt/slides/*.xml", RK_KIND_HTML, NULL, "unzip"},
	{"*.xlsx", "unzip -p {} xl/sharedStrings.xml", RK_KIND_HTML, NULL,
	 "unzip"},
	{"*.zip", "unzip -Z1 {}", RK_KIND_TEXT, NULL, "unzip"},
	{"*.jar", "unzip -Z1 {}", RK_KIND_TEXT, NULL, "unzip"},
	{"*.tar", "tar -tf {}", RK_KIND_TEXT, NULL, "tar"},
	{"*.tar.gz", "tar -tzf {}", RK_KIND_TEXT, NULL, "tar"},
	{"*.tgz", "tar -tzf {}", RK_KIND_TEXT, NULL, "tar"},
	{"*.tar.xz", "tar -tJf {}", RK_KIND_TEXT, NULL, "tar"},
	{"*.tar.bz2", "tar -tjf {}", RK_KIND_TEXT, NULL, "tar"},
	{"*.tar.zst", "tar --zstd -tf {}", RK_KIND_TEXT, NULL, "tar"},
	{"*.xz", "xz -dc", RK_KINDS, NULL, "xz-utils"},
	{"*.zst", "zstd -dcq", RK_KINDS, NULL, "zstd"},
	{"*.bz2", "bzip2 -dc", RK_KINDS, NULL, "bzip2"},
	{"*.doc", "catdoc -d utf-8 {}", RK_KIND_TEXT, NULL, "catdoc"},
	{"*.rtf", "unrtf --text --quiet {}", RK_KIND_TEXT, NULL, "unrtf"},
};
enum { NBUILT_IN = sizeof(BUILT_IN) / sizeof(BUILT_IN[0]) };

int rk_extractor_set(struct rk_extractors *h, const char *glob,
		     const char *command, char *why, size_t why_n)
{
	struct rk_extractor *x = NULL;

	if (*glob == '\0' || strlen(glob) >= sizeof(x->glob) ||
	    strlen(command) >= sizeof(x->command) || *command == '\0') {
		snprintf(why, why_n, "extract.GLOB COMMAND is what it wants");
		return -EINVAL;
	}
	for (unsigned i = 0; i < h->n; i++)
		if (strcmp(h->v[i].glob, glob) == 0)
			x = &h->v[i];
	if (!x && h->n == RK_EXTRACTORS_MAX) {
		snprintf(why, why_n, "more than %d extractors",
			 RK_EXTRACTORS_MAX);
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

void rk_extractors_print(const struct rk_extractors *h, struct rk_buf *out)
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

static const struct rk_extractor *configured(const struct rk_extractors *h,
					     const char *name)
{
	const struct rk_extractor *x = NULL;

	for (unsigned i = 0; i < h->n; i++)
		if (fnmatch(h->v[i].glob, name, FNM_CASEFOLD) == 0)
			x = &h->v[i];
	return x;
}

static const struct rk_extractor *built_in(const char *name)
{
	for (int i = 0; i < NBUILT_IN; i++)
		if (fnmatch(BUILT_IN[i].glob, name, FNM_CASEFOLD) == 0)
			return &BUILT_IN[i];
	return NULL;
}

/* The helper of a name, looked up as it is. */
static int find_by_name(const struct rk_extractors *h, const char *name,
			struct rk_extractor *out)
{
	const struct rk_extractor *x = configured(h, name);

	if (!x)
		x = built_in(name);
	if (!x || strcmp(x->command, "none") == 0)
		return 0;
	*out = *x;
	/* what is inside a compressed file, by the rest of its name */
	if (out->kind == RK_KINDS)
		out->kind = rk_kind_of_path(name);
	return 1;
}

/* Is there a row for all of this name, not only for how it is compressed? */
static int is_meant(const struct rk_extractors *h, const char *name)
{
	const struct rk_extractor *x = built_in(name);

	return configured(h, name) || (x && x->kind != RK_KINDS);
}

static int find_packed(const struct rk_extractors *h, const char *name,
		       struct rk_extractor *out)
{
	static const char *const UNPACK[RK_PACKINGS] = {
		NULL, "gzip -dc", "xz -dc", "zstd -dcq", "bzip2 -dc"};
	char inner[256];
	size_t n;
	enum rk_packing packing = rk_packing_of_name(name, &n);

	if (packing == RK_PACKED_NOT || n >= sizeof(inner) || is_meant(h, name))
		return 0;
	memcpy(inner, name, n);
	inner[n] = '\0';
	if (!find_by_name(h, inner, out))
		return 0;
	out->unpack = UNPACK[packing];
	return 1;
}

int rk_extractor_find(const struct rk_extractors *h, const char *path,
		      struct rk_extractor *out)
{
	const char *base = strrchr(path, '/');

	base = base ? base + 1 : path;
	return find_packed(h, base, out) || find_by_name(h, base, out);
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

/* `fd` is rewound: its offset is the child's, too. */
static int start(struct rk_child *c, const char *text, int fd,
		 const struct rk_extractor_limits *limits)
{
	const struct rk_child_limits own = {.memory_bytes =
						    limits->memory_bytes,
					    .cpu_s = limits->timeout_s,
					    .uid = limits->uid,
					    .gid = limits->gid};
	char command[sizeof(((struct rk_extractor *)0)->command)];
	char *argv[ARGS_MAX + 1];

	memcpy(command, text, strlen(text) + 1);
	if (split(command, argv) == 0)
		return -EINVAL;
	if (lseek(fd, 0, SEEK_SET) < 0)
		return -errno;
	return rk_child_start(c, argv, fd, &own);
}

/* 0 if it ended well, or has said something. */
static int finish(struct rk_child *c, uint64_t deadline, int said)
{
	int status = rk_child_finish(c, deadline);

	if (status < 0)
		return status;
	return status && !said ? -EIO : 0;
}

/* --- unpacking --- */

static int write_all(int fd, const uint8_t *p, size_t n)
{
	while (n > 0) {
		ssize_t k = write(fd, p, n);

		if (k < 0 && errno != EINTR)
			return -errno;
		p += k > 0 ? k : 0;
		n -= k > 0 ? (size_t)k : 0;
	}
	return 0;
}

static int pour(struct rk_child *c, int to, size_t max, uint64_t deadline,
		size_t *sum)
{
	struct rk_buf b = RK_BUF_INIT;
	ssize_t got;
	int rc = 0;

	while (rc == 0 && (got = rk_child_read(c, &b, deadline)) > 0) {
		*sum += (size_t)got;
		rc = *sum > max ? -EFBIG : write_all(to, b.p, b.n);
		b.n = 0;
	}
	rk_buf_release(&b);
	return rc ? rc : (int)got;
}

/*
 * To a file in memory: programs that look things up in a document must seek in
 * it. Returns the file, or -errno.
 */
static int unpack(const char *command, int fd,
		  const struct rk_extractor_limits *limits, uint64_t deadline)
{
	int to = memfd_create("document", MFD_CLOEXEC), rc;
	struct rk_child c;
	size_t sum = 0;

	if (to < 0)
		return -errno;
	if ((rc = start(&c, command, fd, limits)) == 0) {
		rc = pour(&c, to, limits->unpacked_bytes, deadline, &sum);
		if (rc < 0)
			rk_child_kill(&c);
		else
			rc = finish(&c, deadline, sum > 0);
	}
	if (rc < 0) {
		close(to);
		return rc;
	}
	return to;
}

/* --- copying --- */

/*
 * A program that opens its standard input by name opens the document anew, and
 * so moves its access time: it gets a copy in memory. Returns the copy, or
 * `fd` itself of a document that is larger than `max`; or -errno.
 */
static int copy(int fd, size_t max)
{
	struct stat st;
	off_t at = 0;
	ssize_t n = 1;
	int to;

	if (fstat(fd, &st) < 0)
		return -errno;
	if ((uint64_t)st.st_size > max)
		return fd;
	if ((to = memfd_create("document", MFD_CLOEXEC)) < 0)
		return -errno;
	while (at < st.st_size && n > 0)
		n = sendfile(to, fd, &at, (size_t)(st.st_size - at));
	if (n < 0) {
		int rc = -errno;

		close(to);
		return rc;
	}
	return to;
}

/* --- extracting --- */

/* 1: it had more to say than `max` bytes. */
static int listen(struct rk_child *c, size_t max, uint64_t deadline,
		  struct rk_buf *out)
{
	size_t start_n = out->n;
	ssize_t got;

	while ((got = rk_child_read(c, out, deadline)) > 0)
		if (out->n - start_n > max) {
			out->n = start_n + max;
			return 1;
		}
	return (int)got;
}

static int extract(const char *command, int fd,
		   const struct rk_extractor_limits *limits, uint64_t deadline,
		   struct rk_buf *out)
{
	size_t start_n = out->n;
	struct rk_child c;
	int rc = start(&c, command, fd, limits);

	if (rc < 0)
		return rc;
	rc = listen(&c, limits->text_bytes, deadline, out);
	if (rc == 0)
		return finish(&c, deadline, out->n > start_n);
	rk_child_kill(&c);
	return rc < 0 ? rc : 0;
}

int rk_extractor_run(const struct rk_extractor *h, int fd,
		     const struct rk_extractor_limits *limits,
		     struct rk_buf *out)
{
	uint64_t deadline =
		rk_mono_ns() + limits->timeout_s * UINT64_C(1000000000);
	int file = fd, rc;

	assert(fd >= 0);
	if (h->unpack)
		file = unpack(h->unpack, fd, limits, deadline);
	else if (strstr(h->command, "{}"))
		file = copy(fd, limits->unpacked_bytes);
	if (file < 0)
		return file;
	rc = extract(h->command, file, limits, deadline, out);
	if (file != fd)
		close(file);
	return rc;
}
