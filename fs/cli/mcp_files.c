/* SPDX-License-Identifier: MIT */
/*
 * The tools that read documents and list folders, by the paths that searches
 * give: relative or absolute, in a linked source, in one of many indexes.
 */
#include "fs/cli/mcp_tools.h"
#include "fs/control/text.h"
#include "base/put.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
	READ_MAX = 64 * 1024, /* of a text that one call gives */
	RAW_MAX = 16 << 20,   /* of a file that is not indexed */
	TEXT_MAX = INT_MAX,   /* `text_max_mib` bounds it before */
	SNIFF_BYTES = 8192,
	LIST_MAX = 1000,
};

static int open_below(int dir, const char *path, int flags, unsigned resolve)
{
	struct open_how how = {
		.flags = (unsigned)flags | O_CLOEXEC,
		.mode = flags & O_CREAT ? 0644 : 0,
		.resolve = RESOLVE_BENEATH | resolve,
	};
	long fd = syscall(SYS_openat2, dir, *path ? path : ".", &how,
			  sizeof(how));

	return fd < 0 ? -errno : (int)fd;
}

int fs_mcp_open_beneath(int dir, const char *path, int flags)
{
	return open_below(dir, path, flags, 0);
}

/* --- where a path leads --- */

/* Something below the documents of an index. */
struct place {
	int fd;	    /* O_PATH */
	int index;  /* the folder of the index, O_PATH */
	int linked; /* in a linked source */
	int at_top; /* the folder of the index itself */
	struct stat st;
	char name[PATH_MAX]; /* as the index calls it, without links and dots */
};
#define PLACE_NONE                                                             \
	{                                                                      \
		.fd = -1, .index = -1                                          \
	}

static void leave(struct place *p)
{
	if (p->fd >= 0)
		close(p->fd);
	if (p->index >= 0)
		close(p->index);
}

/* The path of an open file; 0 or -errno. */
static int path_of(int fd, char out[PATH_MAX])
{
	char link[40];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, out, PATH_MAX - 1);
	if (n < 0 || n == PATH_MAX - 1)
		return n < 0 ? -errno : -ENAMETOOLONG;
	out[n] = '\0';
	return 0;
}

/* The path of p->fd below `base`, behind what is in p->name already. */
static int name_place(struct place *p, int base)
{
	char top[PATH_MAX], full[PATH_MAX];
	size_t have = strlen(p->name), n;
	const char *rest;
	int rc;

	if ((rc = path_of(base, top)) < 0 || (rc = path_of(p->fd, full)) < 0)
		return rc;
	n = strcmp(top, "/") == 0 ? 0 : strlen(top);
	if (strncmp(full, top, n) != 0)
		return -EXDEV;
	rest = full + n;
	if (!have && *rest == '/')
		rest++;
	if (have + strlen(rest) >= sizeof(p->name))
		return -ENAMETOOLONG;
	memcpy(p->name + have, rest, strlen(rest) + 1);
	return 0;
}

/*
 * A link at the top to a folder elsewhere is a linked source: only who mounted
 * can have made it. Its folder, O_PATH; -ENOENT if it is none.
 */
static int open_source(int index, const char *name)
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(index, name, target, sizeof(target) - 1);
	int fd;

	if (n <= 0 || target[0] != '/')
		return -ENOENT;
	target[n] = '\0';
	fd = open(target, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -ENOENT : fd;
}

/* Cut the first component off *path. */
static int take_first(const char **path, char first[NAME_MAX + 1])
{
	size_t n;

	*path += strspn(*path, "/");
	n = strcspn(*path, "/");
	if (n > NAME_MAX)
		return -ENAMETOOLONG;
	memcpy(first, *path, n);
	first[n] = '\0';
	*path += n;
	*path += strspn(*path, "/");
	return 0;
}

static int enter_index(const struct fs_mcp *s, const char **path,
		       struct place *p)
{
	char first[NAME_MAX + 1] = ".";
	int rc = s->many ? take_first(path, first) : 0;

	if (rc < 0)
		return rc;
	p->index = fs_mcp_open_beneath(s->dir, first, O_PATH | O_DIRECTORY);
	return p->index < 0 ? p->index : 0;
}

static int enter(const struct fs_mcp *s, const char *path, struct place *p)
{
	char first[NAME_MAX + 1];
	const char *rest;
	int rc = enter_index(s, &path, p), base;

	if (rc < 0)
		return rc;
	rest = path;
	if ((rc = take_first(&rest, first)) < 0)
		return rc;
	base = *first ? open_source(p->index, first) : -ENOENT;
	p->linked = base >= 0;
	if (p->linked)
		memcpy(p->name, first, strlen(first) + 1);
	p->fd = p->linked ? open_below(base, rest, O_PATH, RESOLVE_NO_SYMLINKS)
			  : fs_mcp_open_beneath(p->index, path, O_PATH);
	rc = p->fd < 0 ? p->fd : fstat(p->fd, &p->st) < 0 ? -errno : 0;
	if (rc == 0)
		rc = name_place(p, p->linked ? base : p->index);
	p->at_top = rc == 0 && !*p->name;
	if (base >= 0)
		close(base);
	return rc;
}

/* "a.md:12" where "a.md" was meant */
static int has_line(const char *path)
{
	size_t n = strlen(path), k;

	if (n && path[n - 1] == ':')
		n--;
	for (k = n; k && path[k - 1] >= '0' && path[k - 1] <= '9'; k--)
		;
	return k < n && k > 1 && path[k - 1] == ':';
}

static int cannot(struct fs_mcp_reply *r, const char *path, int rc)
{
	if (rc == -EXDEV || rc == -ELOOP)
		return fs_mcp_fail(r, "path: %s leads out of the documents",
				   path);
	if ((rc == -ENOENT || rc == -ENOTDIR) && has_line(path))
		return fs_mcp_fail(r,
				   "path: there is no %s; the number behind "
				   "the colon is the argument line",
				   path);
	if (rc == -ENOENT || rc == -ENOTDIR)
		return fs_mcp_fail(r, "path: there is no %s", path);
	return fs_mcp_fail(r, "path: %s: %s", path, rk_strerror(rc));
}

/* As answers name it, or from the top. 0, or -1 and the reply says why. */
static int find_place(const struct fs_mcp *s, const char *given,
		      struct place *p, struct fs_mcp_reply *r)
{
	size_t n = strlen(s->root);
	const char *path = given;
	int rc;

	if (strncmp(path, s->root, n) == 0 &&
	    (path[n] == '/' || path[n] == '\0'))
		path += n + (path[n] == '/');
	else if (*path == '/')
		return fs_mcp_fail(r, "path: %s is not below %s", given,
				   s->root);
	rc = enter(s, path, p);
	return rc < 0 ? cannot(r, given, rc) : 0;
}

/* --- read --- */

/* A file that is kept and not indexed (a lock file, a backup). */
static int load_raw(const struct place *p, struct rk_buf *out)
{
	struct rk_buf raw = RK_BUF_INIT;
	char link[40];
	int fd, rc;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", p->fd);
	fd = open(link, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	rc = fd < 0 ? -errno : fs_mcp_read_fd(fd, RAW_MAX, &raw);
	if (fd >= 0)
		close(fd);
	if (rc == 0 && raw.n &&
	    memchr(raw.p, 0, raw.n < SNIFF_BYTES ? raw.n : SNIFF_BYTES))
		rc = -ENODATA;
	if (rc == 0)
		rk_put_utf8(out, (char *)raw.p, raw.n);
	if (rc == 0 && raw.n == RAW_MAX)
		rk_buf_printf(out,
			      "\n[only the first %d MiB of this file can "
			      "be read]\n",
			      RAW_MAX >> 20);
	rk_buf_release(&raw);
	return rc;
}

/* The text that searches see. */
static int load_text(const struct fs_mcp *s, const struct place *p,
		     struct rk_buf *out)
{
	struct rk_buf path = RK_BUF_INIT;
	int fd, rc;

	if (s->ix)
		return fs_document_text(s->ix, p->name, out);
	rk_buf_printf(&path, ".rankfs/text/%s", p->name);
	rk_buf_byte(&path, 0);
	fd = path.err ? -1
		      : openat(p->index, (char *)path.p, O_RDONLY | O_CLOEXEC);
	rc = fd < 0 ? -errno : fs_mcp_read_fd(fd, TEXT_MAX, out);
	if (fd >= 0)
		close(fd);
	rk_buf_release(&path);
	return rc;
}

static int load(const struct fs_mcp *s, const char *given, struct rk_buf *text,
		struct fs_mcp_reply *r)
{
	struct place p = PLACE_NONE;
	int rc = find_place(s, given, &p, r);

	if (rc == 0 && S_ISDIR(p.st.st_mode))
		rc = fs_mcp_fail(r, "path: %s is a folder: list it",
				 *given ? given : ".");
	else if (rc == 0 && !S_ISREG(p.st.st_mode))
		rc = fs_mcp_fail(r, "path: %s is not a document", given);
	if (rc < 0) {
		leave(&p);
		return rc;
	}
	rc = load_text(s, &p, text);
	if (rc == -ENOENT && !p.linked)
		rc = load_raw(&p, text);
	if (rc == -ENODATA)
		rc = fs_mcp_fail(r,
				 "path: %s has no text (%lld bytes; binary, "
				 "or nothing here can extract it)",
				 given, (long long)p.st.st_size);
	else if (rc == -ENOENT)
		rc = fs_mcp_fail(r,
				 "path: %s is not indexed: an ignore file "
				 "leaves it out, or it is new",
				 given);
	else if (rc < 0)
		rc = cannot(r, given, rc);
	leave(&p);
	return rc;
}

static size_t line_end(const struct rk_buf *b, size_t at)
{
	const uint8_t *nl = memchr(b->p + at, '\n', b->n - at);

	return nl ? (size_t)(nl - b->p) + 1 : b->n;
}

static json_int_t count_lines(const struct rk_buf *b)
{
	json_int_t lines = 0;

	for (size_t at = 0; at < b->n; at = line_end(b, at))
		lines++;
	return lines;
}

/* Bytes [from, to) of a text, which is a page of it. */
struct page {
	size_t from, to;
	json_int_t first, last, all; /* lines */
	size_t skipped;		     /* bytes of the first one */
};

/* The last character that begins before `at` may not end before it. */
static size_t char_start(const struct rk_buf *b, size_t at)
{
	while (at > 0 && at < b->n && (b->p[at] & 0xc0) == 0x80)
		at--;
	return at;
}

static int begin_page(const struct rk_buf *b, const json_t *args,
		      struct page *p, struct fs_mcp_reply *r)
{
	json_int_t offset = fs_mcp_integer(args, "offset", 0);
	size_t end;

	p->first = fs_mcp_integer(args, "line", 1);
	p->all = count_lines(b);
	if (p->first > (p->all ? p->all : 1))
		return fs_mcp_fail(r,
				   "line: %lld is behind the end: the text "
				   "has %lld line%s",
				   (long long)p->first, (long long)p->all,
				   p->all == 1 ? "" : "s");
	for (json_int_t i = 1; i < p->first; i++)
		p->from = line_end(b, p->from);
	end = b->n ? line_end(b, p->from) : 0;
	if (offset > 0 && (size_t)offset >= end - p->from)
		return fs_mcp_fail(r,
				   "offset: line %lld has %zu bytes, expected "
				   "less than that",
				   (long long)p->first, end - p->from);
	p->skipped = char_start(b, p->from + (size_t)offset) - p->from;
	p->from += p->skipped;
	return 0;
}

/* Whole lines as long as there is room; part of one that is longer. */
static void end_page(const struct rk_buf *b, json_int_t count, struct page *p)
{
	p->to = p->from;
	p->last = p->first - 1;
	while (p->to < b->n && p->last - p->first + 1 < count) {
		size_t end = line_end(b, p->to);

		if (end - p->from > READ_MAX)
			break;
		p->to = end;
		p->last++;
	}
	if (p->to == p->from && p->from < b->n)
		p->to = char_start(b, p->from + READ_MAX);
}

static void note_page(const struct rk_buf *b, const struct page *p,
		      struct fs_mcp_reply *r)
{
	if (b->n == 0) {
		rk_buf_str(&r->note, "The document is empty.");
	} else if (p->last < p->first) {
		size_t start = p->from - p->skipped;

		rk_buf_printf(&r->note,
			      "Bytes %zu to %zu of the %zu of line %lld (of "
			      "%lld). Go on with line:%lld offset:%zu.",
			      p->skipped, p->to - start - 1,
			      line_end(b, p->from) - start, (long long)p->first,
			      (long long)p->all, (long long)p->first,
			      p->to - start);
	} else if (p->from > 0 || p->to < b->n) {
		rk_buf_printf(&r->note, "Lines %lld to %lld of %lld.",
			      (long long)p->first, (long long)p->last,
			      (long long)p->all);
		if (p->to < b->n)
			rk_buf_printf(&r->note, " Go on with line:%lld.",
				      (long long)p->last + 1);
	}
}

int fs_mcp_read(const struct fs_mcp *s, const json_t *args,
		struct fs_mcp_reply *r)
{
	struct rk_buf text = RK_BUF_INIT;
	struct page p = {0};
	int rc = load(s, fs_mcp_string(args, "path"), &text, r);

	if (rc == 0)
		rc = begin_page(&text, args, &p, r);
	if (rc == 0) {
		end_page(&text, fs_mcp_integer(args, "lines", LLONG_MAX), &p);
		rk_buf_add(&r->text, text.p + p.from, p.to - p.from);
		note_page(&text, &p, r);
	}
	rk_buf_release(&text);
	return rc;
}

/* --- list --- */

struct names {
	char **v;
	size_t n, cap;
};

static void names_release(struct names *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->v[i]);
	free(l->v);
}

static int add_name(struct names *l, const char *name, int is_folder)
{
	if (l->n == l->cap) {
		size_t cap = l->cap ? l->cap * 2 : 64;
		char **v = realloc(l->v, cap * sizeof(*v));

		if (!v)
			return -ENOMEM;
		l->v = v;
		l->cap = cap;
	}
	if (asprintf(&l->v[l->n], "%s%s", name, is_folder ? "/" : "") < 0)
		return -ENOMEM;
	l->n++;
	return 0;
}

static int is_folder(const struct place *p, int dir, const struct dirent *e)
{
	struct stat st;
	int fd;

	if (e->d_type == DT_DIR || e->d_type == DT_REG)
		return e->d_type == DT_DIR;
	if (fstatat(dir, e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	if (!S_ISLNK(st.st_mode) || !p->at_top)
		return S_ISDIR(st.st_mode);
	fd = open_source(dir, e->d_name);
	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

/* Virtual folders are for `search`. */
static int is_shown(const struct fs_mcp *s, const struct place *p,
		    const char *name)
{
	return name[0] != '.' &&
	       (s->ix || !p->at_top || strcmp(name, "query") != 0);
}

static int read_names(const struct fs_mcp *s, const struct place *p,
		      struct names *l)
{
	int fd = openat(p->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc = 0;
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;

	if (!d)
		return -errno;
	while (rc == 0 && (e = readdir(d)))
		if (is_shown(s, p, e->d_name))
			rc = add_name(l, e->d_name, is_folder(p, dirfd(d), e));
	closedir(d);
	return rc;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int put_names(const struct names *l, size_t first,
		     struct fs_mcp_reply *r)
{
	size_t end =
		l->n - (first - 1) < LIST_MAX ? l->n : first - 1 + LIST_MAX;

	for (size_t i = first - 1; i < end; i++) {
		rk_put_line(&r->text, l->v[i], strlen(l->v[i]));
		rk_buf_byte(&r->text, '\n');
	}
	if (l->n == 0)
		rk_buf_str(&r->note, "The folder is empty.");
	else if (first > 1 || end < l->n)
		rk_buf_printf(&r->note, "Names %zu to %zu of %zu.", first, end,
			      l->n);
	if (end < l->n)
		rk_buf_printf(&r->note, " Go on with first:%zu.", end + 1);
	return 0;
}

/* The place of the top of many indexes is no index: it has no place. */
static int is_top(const struct fs_mcp *s, const char *given)
{
	size_t n = strlen(s->root);

	if (strncmp(given, s->root, n) == 0)
		given += n;
	return s->many && given[strspn(given, "/.")] == '\0';
}

int fs_mcp_list(const struct fs_mcp *s, const json_t *args,
		struct fs_mcp_reply *r)
{
	const char *given = fs_mcp_string(args, "path");
	json_int_t first = fs_mcp_integer(args, "first", 1);
	struct place p = PLACE_NONE;
	struct names l = {NULL, 0, 0};
	int rc = 0;

	if (is_top(s, given)) {
		p.fd = fcntl(s->dir, F_DUPFD_CLOEXEC, 0);
		p.at_top = 1;
		p.st.st_mode = S_IFDIR;
	} else {
		rc = find_place(s, given, &p, r);
	}
	if (rc == 0 && !S_ISDIR(p.st.st_mode))
		rc = fs_mcp_fail(r, "path: %s is no folder: read it", given);
	else if (rc == 0 && (rc = read_names(s, &p, &l)) < 0)
		rc = cannot(r, *given ? given : ".", rc);
	if (rc == 0 && (size_t)first > (l.n ? l.n : 1))
		rc = fs_mcp_fail(r,
				 "first: %lld is behind the end: the folder "
				 "has %zu names",
				 (long long)first, l.n);
	if (rc == 0) {
		if (l.n)
			qsort(l.v, l.n, sizeof(*l.v), by_name);
		rc = put_names(&l, (size_t)first, r);
	}
	names_release(&l);
	leave(&p);
	return rc;
}
