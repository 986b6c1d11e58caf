/* SPDX-License-Identifier: MIT */
/*
 * differ A B SEED OPERATIONS [USERS]: the same random file operations on two
 * folders, each compared by result, error, bytes, attributes and by which
 * times it moved; now and then the whole trees. A is a folder of a mount, B
 * one of the file system below it, which is the standard. After fsx (data of
 * few files through many descriptors and maps) and fsstress (names).
 *
 * differ A B matrix [USERS]: every operation on every kind of target instead.
 *
 * USERS: operations are done as root and as two others. Exit status 1 and a
 * line that names seed and step at the first difference.
 */
#include "unit/t.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/xattr.h>
#include <time.h>

enum {
	SLOTS = 8,	     /* open descriptors */
	MAP_BYTES = 1 << 18, /* of a file that are mapped */
	DATA_MAX = 1 << 17,
	FILE_MAX = 1 << 18, /* offsets stay below */
	NAMES = 5,
};

struct slot {
	int fd;
	char *map; /* MAP_BYTES, shared; or NULL */
	int writable;
};

struct side {
	int dir;
	struct slot slot[SLOTS];
};

/* What an operation is asked; the same for both sides. */
struct args {
	char path[1400], to[1400];
	int slot, other;
	int flags;
	unsigned mode;
	off_t off, off2;
	size_t n;
	unsigned uid, gid;
	unsigned long long seed; /* of the bytes written */
};

struct outcome {
	long ret;
	int err;
	uint64_t digest; /* of bytes or names that came back */
	uint64_t attrs;	 /* of what was stat'ed */
	struct stat st;	 /* of the target then */
	uint64_t after;
	int moved;   /* times that this moved: 1 m, 2 c; << 2 the folder's */
	int settled; /* times that had to be seen to move, the same bits */
};

static struct side sides[2];
static unsigned long long rng;
static int users; /* act as others, too */
static char buf[DATA_MAX];

static unsigned pick(unsigned n)
{
	return (unsigned)(t_rand(&rng) % n);
}

static uint64_t mix(uint64_t h, const void *p, size_t n)
{
	const unsigned char *c = p;

	for (size_t i = 0; i < n; i++)
		h = (h ^ c[i]) * 0x100000001b3ull;
	return h;
}

static uint64_t attrs_of(const struct stat *st)
{
	uint64_t v[7] = {st->st_mode,
			 st->st_uid,
			 st->st_gid,
			 st->st_nlink,
			 S_ISDIR(st->st_mode) ? 0 : (uint64_t)st->st_size,
			 st->st_rdev,
			 1};

	return mix(0xcbf29ce484222325ull, v, sizeof(v));
}

static void give(struct outcome *o, long ret)
{
	o->ret = ret < 0 ? -1 : ret;
	o->err = ret < 0 ? errno : 0;
}

/* Text of words w000 to w199, so that the index can be held against it. */
static size_t text(unsigned long long seed, size_t n)
{
	size_t k = 0;

	if (n > sizeof(buf))
		n = sizeof(buf);
	while (k < n) {
		char word[8];
		int w = snprintf(word, sizeof(word), "w%03d%c",
				 (int)(t_rand(&seed) % 200),
				 t_rand(&seed) % 9 ? ' ' : '\n');

		for (int i = 0; i < w && k < n; i++)
			buf[k++] = word[i];
	}
	return n;
}

/* --- the operations --- */

static void op_open(struct side *s, const struct args *a, struct outcome *o)
{
	struct slot *t = &s->slot[a->slot];

	if (t->map)
		munmap(t->map, MAP_BYTES);
	t->map = NULL;
	if (t->fd >= 0)
		close(t->fd);
	t->fd = openat(s->dir, a->path, a->flags | O_CLOEXEC | O_NONBLOCK,
		       a->mode);
	t->writable = (a->flags & O_ACCMODE) == O_RDWR;
	give(o, t->fd < 0 ? -1 : 0);
}

static void op_close(struct side *s, const struct args *a, struct outcome *o)
{
	struct slot *t = &s->slot[a->slot];

	if (t->map)
		munmap(t->map, MAP_BYTES);
	t->map = NULL;
	give(o, close(t->fd));
	t->fd = -1;
}

static void op_dup(struct side *s, const struct args *a, struct outcome *o)
{
	struct slot *t = &s->slot[a->other];

	if (a->slot == a->other || t->map)
		return;
	if (t->fd >= 0)
		close(t->fd);
	t->fd = dup(s->slot[a->slot].fd);
	t->writable = s->slot[a->slot].writable;
	give(o, t->fd < 0 ? -1 : 0);
}

static void op_pwrite(struct side *s, const struct args *a, struct outcome *o)
{
	size_t n = text(a->seed, a->n);

	give(o, pwrite(s->slot[a->slot].fd, buf, n, a->off));
}

static void op_write(struct side *s, const struct args *a, struct outcome *o)
{
	struct stat st;
	size_t n = text(a->seed, a->n);

	/* appending must not grow a file without end; fifos are the kernel's */
	if (fstat(s->slot[a->slot].fd, &st) == 0 &&
	    (st.st_size > FILE_MAX || S_ISFIFO(st.st_mode)))
		return;
	give(o, write(s->slot[a->slot].fd, buf, n));
}

static void op_pread(struct side *s, const struct args *a, struct outcome *o)
{
	give(o, pread(s->slot[a->slot].fd, buf, a->n, a->off));
	if (o->ret > 0)
		o->digest = mix(1, buf, (size_t)o->ret);
}

static void op_read(struct side *s, const struct args *a, struct outcome *o)
{
	struct stat st;

	/* a fifo's content is not the file system's */
	if (fstat(s->slot[a->slot].fd, &st) == 0 && S_ISFIFO(st.st_mode))
		return;
	give(o, read(s->slot[a->slot].fd, buf, a->n));
	if (o->ret > 0)
		o->digest = mix(1, buf, (size_t)o->ret);
}

static void op_lseek(struct side *s, const struct args *a, struct outcome *o)
{
	static const int WHENCE[] = {SEEK_SET, SEEK_CUR, SEEK_END};
	struct stat st;

	/* positions in folders are the file system's own affair */
	if (fstat(s->slot[a->slot].fd, &st) < 0 || S_ISDIR(st.st_mode))
		return;
	give(o, lseek(s->slot[a->slot].fd, a->off, WHENCE[a->n % 3]));
}

static void op_ftruncate(struct side *s, const struct args *a,
			 struct outcome *o)
{
	give(o, ftruncate(s->slot[a->slot].fd, a->off));
}

static void op_truncate(struct side *s, const struct args *a, struct outcome *o)
{
	give(o, fchdir(s->dir) < 0 ? -1 : truncate(a->path, a->off));
}

static void op_fallocate(struct side *s, const struct args *a,
			 struct outcome *o)
{
	static const int MODES[] = {
		0,
		FALLOC_FL_KEEP_SIZE,
		FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
		FALLOC_FL_ZERO_RANGE,
		FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE,
	};
	struct stat st;

	if (fstat(s->slot[a->slot].fd, &st) < 0 || !S_ISREG(st.st_mode))
		return;
	give(o, fallocate(s->slot[a->slot].fd, MODES[a->mode % 5], a->off,
			  (off_t)a->n));
}

static void op_copy_range(struct side *s, const struct args *a,
			  struct outcome *o)
{
	loff_t from = a->off, to = a->off2;

	give(o, copy_file_range(s->slot[a->slot].fd, &from,
				s->slot[a->other].fd, &to, a->n, 0));
}

static void op_fsync(struct side *s, const struct args *a, struct outcome *o)
{
	int fd = s->slot[a->slot].fd;

	give(o, a->n % 2 ? fsync(fd) : fdatasync(fd));
}

static void op_map(struct side *s, const struct args *a, struct outcome *o)
{
	struct slot *t = &s->slot[a->slot];
	struct stat st;
	void *p;

	if (t->map || fstat(t->fd, &st) < 0 || !S_ISREG(st.st_mode))
		return;
	p = mmap(NULL, MAP_BYTES, PROT_READ | (t->writable ? PROT_WRITE : 0),
		 MAP_SHARED, t->fd, 0);
	give(o, p == MAP_FAILED ? -1 : 0);
	t->map = p == MAP_FAILED ? NULL : p;
}

/* Bytes of the map that the file has: behind them is SIGBUS. */
static size_t mapped(const struct slot *t, const struct args *a)
{
	struct stat st;
	off_t end;

	if (!t->map || fstat(t->fd, &st) < 0)
		return 0;
	end = st.st_size < MAP_BYTES ? st.st_size : MAP_BYTES;
	if (a->off >= end)
		return 0;
	return (size_t)(end - a->off) < a->n ? (size_t)(end - a->off) : a->n;
}

static void op_map_read(struct side *s, const struct args *a, struct outcome *o)
{
	const struct slot *t = &s->slot[a->slot];
	size_t n = mapped(t, a);

	if (n)
		o->digest = mix(1, t->map + a->off, n);
	o->ret = (long)n;
}

static void op_map_write(struct side *s, const struct args *a,
			 struct outcome *o)
{
	const struct slot *t = &s->slot[a->slot];
	size_t n = t->writable ? mapped(t, a) : 0;

	n = text(a->seed, n);
	if (n)
		memcpy(t->map + a->off, buf, n);
	o->ret = (long)n;
}

static void op_msync(struct side *s, const struct args *a, struct outcome *o)
{
	if (s->slot[a->slot].map)
		give(o, msync(s->slot[a->slot].map, MAP_BYTES, MS_SYNC));
}

static void op_unmap(struct side *s, const struct args *a, struct outcome *o)
{
	struct slot *t = &s->slot[a->slot];

	if (t->map)
		give(o, munmap(t->map, MAP_BYTES));
	t->map = NULL;
}

static void op_fstat(struct side *s, const struct args *a, struct outcome *o)
{
	struct stat st;

	give(o, fstat(s->slot[a->slot].fd, &st));
	if (o->ret == 0)
		o->attrs = attrs_of(&st);
}

static void op_stat(struct side *s, const struct args *a, struct outcome *o)
{
	struct stat st;

	give(o,
	     fstatat(s->dir, a->path, &st, a->n % 2 ? AT_SYMLINK_NOFOLLOW : 0));
	if (o->ret == 0)
		o->attrs = attrs_of(&st);
}

static void op_access(struct side *s, const struct args *a, struct outcome *o)
{
	give(o, faccessat(s->dir, a->path, (int)a->mode & 7, AT_EACCESS));
}

static void op_mkdir(struct side *s, const struct args *a, struct outcome *o)
{
	give(o, mkdirat(s->dir, a->path, a->mode | 0300));
}

static void op_rmdir(struct side *s, const struct args *a, struct outcome *o)
{
	give(o, unlinkat(s->dir, a->path, AT_REMOVEDIR));
}

static void op_unlink(struct side *s, const struct args *a, struct outcome *o)
{
	give(o, unlinkat(s->dir, a->path, 0));
}

static void op_rename(struct side *s, const struct args *a, struct outcome *o)
{
	static const unsigned FLAGS[] = {0, 0, 0, RENAME_NOREPLACE,
					 RENAME_EXCHANGE};

	give(o, renameat2(s->dir, a->path, s->dir, a->to, FLAGS[a->mode % 5]));
}

static void op_link(struct side *s, const struct args *a, struct outcome *o)
{
	give(o, linkat(s->dir, a->path, s->dir, a->to,
		       a->n % 4 ? 0 : AT_SYMLINK_FOLLOW));
}

static void op_symlink(struct side *s, const struct args *a, struct outcome *o)
{
	give(o, symlinkat(a->to, s->dir, a->path));
}

static void op_readlink(struct side *s, const struct args *a, struct outcome *o)
{
	give(o, readlinkat(s->dir, a->path, buf, 1 + a->n % 300));
	if (o->ret > 0)
		o->digest = mix(1, buf, (size_t)o->ret);
}

static void op_mknod(struct side *s, const struct args *a, struct outcome *o)
{
	static const mode_t TYPES[] = {S_IFREG, S_IFIFO, S_IFSOCK};

	give(o,
	     mknodat(s->dir, a->path, TYPES[a->n % 3] | (a->mode & 0777), 0));
}

static void op_chmod(struct side *s, const struct args *a, struct outcome *o)
{
	give(o, fchmodat(s->dir, a->path, a->mode, 0));
}

static void op_fchmod(struct side *s, const struct args *a, struct outcome *o)
{
	give(o, fchmod(s->slot[a->slot].fd, a->mode));
}

static void op_chown(struct side *s, const struct args *a, struct outcome *o)
{
	give(o, fchownat(s->dir, a->path, a->uid, a->gid,
			 a->n % 2 ? AT_SYMLINK_NOFOLLOW : 0));
}

static void op_utimens(struct side *s, const struct args *a, struct outcome *o)
{
	struct timespec ts[2] = {
		{(time_t)a->off, UTIME_OMIT},
		{(time_t)a->off, (long)(a->seed % 1000000000)}};
	struct stat st;

	if (a->n % 5 == 0)
		ts[1].tv_nsec = UTIME_NOW;
	give(o, utimensat(s->dir, a->path, ts,
			  a->n % 2 ? AT_SYMLINK_NOFOLLOW : 0));
	if (o->ret == 0 && ts[1].tv_nsec != UTIME_NOW &&
	    fstatat(s->dir, a->path, &st, a->n % 2 ? AT_SYMLINK_NOFOLLOW : 0) ==
		    0)
		o->attrs = mix(1, &st.st_mtim, sizeof(st.st_mtim));
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Names and types, sorted: the order is nobody's promise. */
static uint64_t list(int dir, const char *path, int *err)
{
	int fd = openat(dir, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char *names[4000];
	uint64_t h = 7;
	struct dirent *e;
	size_t n = 0;
	DIR *d;

	if (fd < 0 || !(d = fdopendir(fd))) {
		*err = errno;
		return 0;
	}
	while ((e = readdir(d)) && n < 4000) {
		char *line;

		/* reserved at the top of the mount, listed there alone */
		if (asprintf(&line, "%s/%d", e->d_name, e->d_type) > 0)
			names[n++] = line;
	}
	closedir(d);
	qsort(names, n, sizeof(*names), by_name);
	for (size_t i = 0; i < n; i++) {
		h = mix(h, names[i], strlen(names[i]) + 1);
		free(names[i]);
	}
	return h;
}

static void op_list(struct side *s, const struct args *a, struct outcome *o)
{
	o->digest = list(s->dir, a->path, &o->err);
}

static void op_flock(struct side *s, const struct args *a, struct outcome *o)
{
	static const int OPS[] = {LOCK_SH, LOCK_EX, LOCK_UN};

	give(o, flock(s->slot[a->slot].fd, OPS[a->n % 3] | LOCK_NB));
}

static void op_lock(struct side *s, const struct args *a, struct outcome *o)
{
	static const short TYPES[] = {F_RDLCK, F_WRLCK, F_UNLCK};
	struct flock l = {.l_type = TYPES[a->n % 3],
			  .l_whence = SEEK_SET,
			  .l_start = a->off,
			  .l_len = (off_t)a->mode};

	give(o, fcntl(s->slot[a->slot].fd, F_OFD_SETLK, &l));
}

static void op_setxattr(struct side *s, const struct args *a, struct outcome *o)
{
	char name[32];

	if (fchdir(s->dir) < 0)
		return;
	snprintf(name, sizeof(name), "user.%u", a->mode % 3);
	text(a->seed, a->n % 200);
	give(o, lsetxattr(a->path, name, buf, a->n % 200,
			  (int)(a->mode / 3 % 3))); /* any, create, replace */
}

static void op_getxattr(struct side *s, const struct args *a, struct outcome *o)
{
	char name[32];

	if (fchdir(s->dir) < 0)
		return;
	snprintf(name, sizeof(name), "user.%u", a->mode % 3);
	give(o, lgetxattr(a->path, name, buf, a->n % 100));
	if (o->ret > 0 && a->n % 100)
		o->digest = mix(1, buf, (size_t)o->ret);
}

static void op_removexattr(struct side *s, const struct args *a,
			   struct outcome *o)
{
	char name[32];

	if (fchdir(s->dir) < 0)
		return;
	snprintf(name, sizeof(name), "user.%u", a->mode % 3);
	give(o, lremovexattr(a->path, name));
}

enum { FD = 1, FD2 = 2, PATH = 4, NO_TIMES = 8, NO_USER = 16 };

static const struct op {
	const char *name;
	void (*run)(struct side *, const struct args *, struct outcome *);
	int needs;
	int weight;
} OPS[] = {
	{"open", op_open, PATH, 40},
	{"close", op_close, FD, 14},
	{"dup", op_dup, FD | NO_TIMES, 3},
	{"write", op_write, FD, 20},
	{"pwrite", op_pwrite, FD, 30},
	{"read", op_read, FD, 12},
	{"pread", op_pread, FD, 25},
	{"lseek", op_lseek, FD, 10},
	{"ftruncate", op_ftruncate, FD, 12},
	{"truncate", op_truncate, PATH, 6},
	{"fallocate", op_fallocate, FD, 8},
	{"copy_file_range", op_copy_range, FD | FD2, 8},
	{"fsync", op_fsync, FD | NO_TIMES, 3},
	{"mmap", op_map, FD | NO_TIMES, 6},
	{"read of a map", op_map_read, FD | NO_TIMES, 10},
	{"write to a map", op_map_write, FD | NO_TIMES, 14},
	{"msync", op_msync, FD | NO_TIMES, 4},
	{"munmap", op_unmap, FD | NO_TIMES, 4},
	{"fstat", op_fstat, FD, 8},
	{"stat", op_stat, PATH, 14},
	{"access", op_access, PATH, 6},
	{"mkdir", op_mkdir, PATH, 14},
	{"rmdir", op_rmdir, PATH, 8},
	{"unlink", op_unlink, PATH, 14},
	{"rename", op_rename, PATH, 18},
	{"link", op_link, PATH, 10},
	{"symlink", op_symlink, PATH, 8},
	{"readlink", op_readlink, PATH, 4},
	{"mknod", op_mknod, PATH, 6},
	{"chmod", op_chmod, PATH, 8},
	{"fchmod", op_fchmod, FD, 3},
	{"chown", op_chown, PATH, 6},
	{"utimens", op_utimens, PATH, 6},
	{"list", op_list, PATH, 8},
	{"flock", op_flock, FD | NO_TIMES, 4},
	{"lock", op_lock, FD | NO_TIMES, 6},
	{"setxattr", op_setxattr, PATH, 4},
	{"getxattr", op_getxattr, PATH, 3},
	{"removexattr", op_removexattr, PATH, 2},
};
enum { N_OPS = sizeof(OPS) / sizeof(OPS[0]) };

/* --- doing one on both --- */

struct times {
	struct timespec m, c, dir_m, dir_c;
	struct stat st;
};

static int same_time(struct timespec a, struct timespec b)
{
	return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

static void take_times(struct times *t, const struct stat *st)
{
	t->m = st->st_mtim;
	t->c = st->st_ctim;
	t->st = *st;
}

static void look_at_times(const struct side *s, const struct op *op,
			  const struct args *a, struct times *t)
{
	char dir[1400];
	struct stat st;
	char *slash;

	memset(t, 0, sizeof(*t));
	if (op->needs & FD) {
		if (fstat(s->slot[a->slot].fd, &st) == 0)
			take_times(t, &st);
		return;
	}
	if (fstatat(s->dir, a->path, &st, AT_SYMLINK_NOFOLLOW) == 0)
		take_times(t, &st);
	snprintf(dir, sizeof(dir), "%s", a->path);
	slash = strrchr(dir, '/');
	if (slash)
		*slash = '\0';
	if (fstatat(s->dir, slash ? dir : ".", &st, AT_SYMLINK_NOFOLLOW) == 0)
		t->dir_m = st.st_mtim, t->dir_c = st.st_ctim;
}

/* The clock of a file system moves in steps: in one, nothing can be told. */
static int settled(struct timespec t)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (now.tv_sec - t.tv_sec) * 1000 +
		       (now.tv_nsec - t.tv_nsec) / 1000000 >
	       20;
}

static void note_moved(const struct times *a, const struct times *b,
		       struct outcome *o)
{
	const struct timespec *from[] = {&a->m, &a->c, &a->dir_m, &a->dir_c};
	const struct timespec *to[] = {&b->m, &b->c, &b->dir_m, &b->dir_c};

	for (int i = 0; i < 4; i++) {
		o->moved |= same_time(*from[i], *to[i]) ? 0 : 1 << i;
		o->settled |= settled(*from[i]) ? 1 << i : 0;
	}
}

static void become(unsigned uid)
{
	if (geteuid() != 0 && seteuid(0) < 0)
		abort();
	if (setegid(uid) < 0 || (uid && seteuid(uid) < 0))
		abort();
}

static struct outcome do_on(struct side *s, const struct op *op,
			    const struct args *a, unsigned uid)
{
	struct outcome o = {.ret = 0};
	struct times before, after;

	if ((op->needs & FD && s->slot[a->slot].fd < 0) ||
	    (op->needs & FD2 && s->slot[a->other].fd < 0))
		return o;
	if (!(op->needs & NO_TIMES))
		look_at_times(s, op, a, &before);
	if (uid)
		become(uid);
	op->run(s, a, &o);
	if (uid)
		become(0);
	if (!(op->needs & NO_TIMES)) {
		look_at_times(s, op, a, &after);
		note_moved(&before, &after, &o);
		o.st = after.st;
		o.after = attrs_of(&o.st);
	}
	return o;
}

static void show(const struct args *a, const struct outcome *o, unsigned uid)
{
	printf("#   path \"%.60s\" to \"%.60s\" slot %d other %d flags %#x "
	       "mode %#o off %lld,%lld n %zu uid %u\n",
	       a->path, a->to, a->slot, a->other, (unsigned)a->flags, a->mode,
	       (long long)a->off, (long long)a->off2, a->n, uid);
	for (int i = 0; i < 2; i++)
		printf("#   %s: %ld %s, digest %llx, attributes %llx, times "
		       "%d, then mode %o size %lld links %d owner %u:%u\n",
		       i ? "native" : "mount", o[i].ret,
		       o[i].err ? strerrorname_np(o[i].err) : "",
		       (unsigned long long)o[i].digest,
		       (unsigned long long)o[i].attrs, o[i].moved,
		       o[i].st.st_mode, (long long)o[i].st.st_size,
		       (int)o[i].st.st_nlink, o[i].st.st_uid, o[i].st.st_gid);
}

static int same(const struct outcome *a, const struct outcome *b)
{
	int sure = a->settled & b->settled;

	return a->ret == b->ret && a->err == b->err && a->digest == b->digest &&
	       a->attrs == b->attrs && a->after == b->after &&
	       (a->moved & sure) == (b->moved & sure);
}

/* Known and said in fs/doc/tree.md: not a difference that counts. */
static int expected(const struct op *op, const struct outcome *o)
{
	return op->run == op_open && o[0].err == EOPNOTSUPP; /* O_TMPFILE */
}

static void trace(const struct op *op, const struct args *a)
{
	if (getenv("DIFFER_TRACE"))
		printf("# %s %s %s slot %d other %d off %lld n %zu\n", op->name,
		       a->path, a->to, a->slot, a->other, (long long)a->off,
		       a->n);
}

static int both(const struct op *op, const struct args *a, unsigned uid)
{
	struct outcome o[2];

	trace(op, a);
	for (int i = 0; i < 2; i++)
		o[i] = do_on(&sides[i], op, a, uid);
	if (same(&o[0], &o[1]) || expected(op, o))
		return 0;
	printf("# %s differs\n", op->name);
	show(a, o, uid);
	return -1;
}

/* --- the whole trees --- */

static int compare_file(const char *path)
{
	for (off_t off = 0; off < 4 * FILE_MAX; off += DATA_MAX) {
		uint64_t h[2];
		ssize_t n[2];

		for (int i = 0; i < 2; i++) {
			int fd = openat(sides[i].dir, path,
					O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

			n[i] = pread(fd, buf, DATA_MAX, off);
			h[i] = n[i] > 0 ? mix(1, buf, (size_t)n[i]) : 0;
			close(fd);
		}
		if (n[0] != n[1] || h[0] != h[1]) {
			printf("# %s: bytes from %lld on differ (%zd, %zd)\n",
			       path, (long long)off, n[0], n[1]);
			return -1;
		}
		if (n[0] < DATA_MAX)
			break;
	}
	return 0;
}

static int compare_tree(const char *path, int depth)
{
	int fd = openat(sides[1].dir, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct dirent *e;
	int bad = 0, err[2] = {0, 0};
	uint64_t h[2];
	DIR *d = fd < 0 ? NULL : fdopendir(fd);

	if (!d)
		return -1;
	for (int i = 0; i < 2; i++)
		h[i] = list(sides[i].dir, path, &err[i]);
	if (h[0] != h[1]) {
		printf("# %s: lists differ\n", path);
		bad = -1;
	}
	while (bad == 0 && (e = readdir(d))) {
		struct stat st[2];
		char sub[4096];

		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		snprintf(sub, sizeof(sub), "%s/%s", path, e->d_name);
		for (int i = 0; i < 2; i++)
			if (fstatat(sides[i].dir, sub, &st[i],
				    AT_SYMLINK_NOFOLLOW) < 0)
				memset(&st[i], 0, sizeof(st[i]));
		if (attrs_of(&st[0]) != attrs_of(&st[1])) {
			printf("# %s: attributes differ: mode %o %o size %lld "
			       "%lld links %d %d\n",
			       sub, st[0].st_mode, st[1].st_mode,
			       (long long)st[0].st_size,
			       (long long)st[1].st_size, (int)st[0].st_nlink,
			       (int)st[1].st_nlink);
			bad = -1;
		} else if (S_ISDIR(st[0].st_mode) && depth < 60) {
			bad = compare_tree(sub, depth + 1);
		} else if (S_ISREG(st[0].st_mode)) {
			bad = compare_file(sub);
		}
	}
	closedir(d);
	return bad;
}

/* --- random arguments --- */

static void random_path(char *out, size_t n)
{
	static const char *const TAILS[] = {"/", "/.", "/..", "//", "/../a"};
	unsigned depth = 1 + pick(3);
	size_t k = 0;

	out[0] = '\0';
	for (unsigned i = 0; i < depth; i++)
		k += (size_t)snprintf(out + k, n - k, "%s%c", i ? "/" : "",
				      'a' + (int)pick(NAMES));
	if (pick(40) == 0)
		snprintf(out + k, n - k, "%s", TAILS[pick(5)]);
	else if (pick(200) == 0) /* the longest name, and one more */
		snprintf(out + k, n - k, "/%0*d", 255 + (int)pick(2), 0);
}

static int random_flags(void)
{
	static const int ACCESS[] = {O_RDONLY, O_WRONLY, O_RDWR, O_RDWR};
	static const int MORE[] = {O_CREAT, O_CREAT,  O_CREAT,	   O_EXCL,
				   O_TRUNC, O_APPEND, O_DIRECTORY, O_NOFOLLOW};
	int flags = ACCESS[pick(4)];

	for (unsigned i = pick(4); i > 0; i--)
		flags |= MORE[pick(8)];
	/* with O_CREAT, what O_DIRECTORY means has changed over kernels */
	if (flags & O_CREAT)
		flags &= ~O_DIRECTORY;
	return flags;
}

static void random_args(struct args *a)
{
	static const unsigned MODES[] = {0644, 0755, 0600,  0777,  0700, 0444,
					 0,    0711, 02755, 04755, 01777};
	static const unsigned IDS[] = {0, 12345, 12346, (unsigned)-1};

	memset(a, 0, sizeof(*a));
	random_path(a->path, sizeof(a->path));
	random_path(a->to, sizeof(a->to));
	a->slot = (int)pick(SLOTS);
	a->other = (int)pick(SLOTS);
	a->flags = random_flags();
	a->mode = pick(3) ? MODES[pick(2)] : MODES[pick(11)];
	a->off = pick(3) ? pick(8192) : pick(FILE_MAX / 2);
	a->off2 = pick(3) ? pick(8192) : pick(FILE_MAX / 2);
	a->n = pick(3) ? 1 + pick(600) : 1 + pick(DATA_MAX / 2);
	a->uid = IDS[pick(4)];
	a->gid = IDS[pick(4)];
	a->seed = t_rand(&rng);
}

static const struct op *random_op(void)
{
	static unsigned total;
	unsigned at;

	if (total == 0)
		for (int i = 0; i < N_OPS; i++)
			total += (unsigned)OPS[i].weight;
	at = pick(total);
	for (int i = 0;; i++) {
		if (at < (unsigned)OPS[i].weight)
			return &OPS[i];
		at -= (unsigned)OPS[i].weight;
	}
}

static unsigned random_user(void)
{
	static const unsigned WHO[] = {0, 0, 12345, 12346};

	return users ? WHO[pick(4)] : 0;
}

static int random_run(unsigned long long seed, long steps)
{
	rng = seed;
	for (long i = 0; i < steps; i++) {
		const struct op *op = random_op();
		struct args a;

		random_args(&a);
		if (both(op, &a, random_user()) < 0 ||
		    ((i % 5000 == 4999 || i == steps - 1) &&
		     compare_tree(".", 0) < 0)) {
			printf("# seed %llu, step %ld\n", seed, i);
			return -1;
		}
	}
	return 0;
}

/* --- every operation on every kind of target --- */

static const char *const TARGETS[] = {
	"none",	       "file",		"dir",
	"full",	       "to-file",	"to-dir",
	"to-none",     "loop",		"fifo",
	"sock",	       "file/x",	"none/x",
	"to-dir/x",    "loop/x",	"dir/",
	"file/",       "to-file/",	"to-dir/",
	"none/",       "full/in",	"closed/in",
	"sealed/in",   "sticky/theirs", "sealed/new",
	"sticky/mine", "closed",	"",
	".",	       "dir/.",		"dir/..",
};
enum { N_TARGETS = sizeof(TARGETS) / sizeof(TARGETS[0]) };

/* Everything below the open folder, which is taken over. */
static void empty(int dir)
{
	DIR *d = fdopendir(dir);
	struct dirent *e;

	while (d && (e = readdir(d))) {
		int sub;

		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		if (e->d_type == DT_DIR &&
		    (sub = openat(dir, e->d_name, O_RDONLY | O_CLOEXEC)) >= 0)
			empty(sub);
		unlinkat(dir, e->d_name,
			 e->d_type == DT_DIR ? AT_REMOVEDIR : 0);
	}
	closedir(d);
}

static void put(int dir, const char *name, const char *content)
{
	int fd = openat(dir, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	if (fd < 0 || write(fd, content, strlen(content)) < 0 || close(fd) < 0)
		abort();
}

static void put_socket(int dir)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX, .sun_path = "sock"};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fchdir(dir) < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0)
		abort();
	close(fd);
}

/* A fresh tree that has one of each; as root. */
static void furnish(struct side *s)
{
	static const struct {
		const char *name;
		mode_t mode;
	} DIRS[] = {{"dir", 0777},
		    {"full", 0755},
		    {"closed", 0700},
		    {"sealed", 0555},
		    {"sticky", 01777}};
	int d = s->dir;

	empty(openat(d, ".", O_RDONLY | O_CLOEXEC));
	put(d, "file", "w001\n");
	for (int i = 0; i < 5; i++)
		if (mkdirat(d, DIRS[i].name, 0755) < 0)
			abort();
	put(d, "full/in", "w002\n");
	put(d, "closed/in", "w003\n");
	put(d, "sealed/in", "w004\n");
	put(d, "sticky/theirs", "w005\n");
	put(d, "sticky/mine", "w006\n");
	if (fchownat(d, "sticky/mine", 12345, 12345, 0) < 0 ||
	    fchownat(d, "sticky/theirs", 12346, 0, 0) < 0 ||
	    symlinkat("file", d, "to-file") < 0 ||
	    symlinkat("dir", d, "to-dir") < 0 ||
	    symlinkat("gone", d, "to-none") < 0 ||
	    symlinkat("loop", d, "loop") < 0 || mkfifoat(d, "fifo", 0644) < 0)
		abort();
	put_socket(d);
	for (int i = 0; i < 5; i++)
		if (fchmodat(d, DIRS[i].name, DIRS[i].mode, 0) < 0)
			abort();
}

static long matrix_point(const struct op *op, const struct args *a,
			 unsigned uid, int *changed)
{
	struct outcome o[2];

	for (int i = 0; i < 2; i++)
		o[i] = do_on(&sides[i], op, a, uid);
	*changed |= o[1].ret >= 0 && o[1].err == 0 && o[1].moved;
	if (same(&o[0], &o[1]) || expected(op, o))
		return 0;
	printf("# %s differs\n", op->name);
	show(a, o, uid);
	return 1;
}

static void close_all(void)
{
	for (int i = 0; i < 2; i++)
		for (int k = 0; k < SLOTS; k++) {
			struct slot *t = &sides[i].slot[k];

			if (t->map)
				munmap(t->map, MAP_BYTES);
			if (t->fd >= 0)
				close(t->fd);
			*t = (struct slot){.fd = -1};
		}
}

/* One operation, one target; every second target, flag and user with it. */
static long matrix_row(const struct op *op, int target, long *points)
{
	static const int FLAGS[] = {O_RDONLY,
				    O_WRONLY,
				    O_RDWR | O_TRUNC,
				    O_RDWR | O_CREAT,
				    O_WRONLY | O_CREAT | O_EXCL,
				    O_RDONLY | O_NOFOLLOW,
				    O_RDONLY | O_DIRECTORY,
				    O_WRONLY | O_APPEND};
	static const unsigned MODES[] = {0644, 0, 02711};
	int two = op->run == op_rename || op->run == op_link ||
		  op->run == op_symlink;
	int variants = two ? N_TARGETS : op->run == op_open ? 8 : 3;
	unsigned nusers = users ? 3 : 1;
	long bad = 0;

	for (int v = 0; v < variants; v++)
		for (unsigned u = 0; u < nusers; u++) {
			struct args a = {.uid = 12345, .gid = (unsigned)-1};
			int changed = 0;

			snprintf(a.path, sizeof(a.path), "%s", TARGETS[target]);
			snprintf(a.to, sizeof(a.to), "%s",
				 TARGETS[two ? v : 1]);
			a.flags = FLAGS[v % 8];
			a.mode = two ? 0 : MODES[v % 3];
			a.n = (size_t)v + 1;
			bad += matrix_point(op, &a, u ? 12344 + u : 0,
					    &changed);
			close_all();
			++*points;
			if (changed) {
				furnish(&sides[0]);
				furnish(&sides[1]);
			}
		}
	return bad;
}

static int matrix_run(void)
{
	long bad = 0, points = 0;

	furnish(&sides[0]);
	furnish(&sides[1]);
	for (int o = 0; o < N_OPS; o++)
		for (int t = 0; OPS[o].needs & PATH && t < N_TARGETS; t++)
			bad += matrix_row(&OPS[o], t, &points);
	printf("# %ld points, %ld differ\n", points, bad);
	return bad || points < 2000 ? -1 : 0;
}

int main(int argc, char **argv)
{
	int rc;

	if (argc < 4)
		return 2;
	umask(022);
	for (int i = 0; i < 2; i++) {
		sides[i].dir =
			open(argv[1 + i], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (sides[i].dir < 0) {
			perror(argv[1 + i]);
			return 2;
		}
		for (int k = 0; k < SLOTS; k++)
			sides[i].slot[k].fd = -1;
	}
	if (strcmp(argv[3], "matrix") == 0) {
		users = argc > 4;
		rc = matrix_run();
	} else {
		users = argc > 5;
		rc = random_run(strtoull(argv[3], NULL, 10),
				argc > 4 ? atol(argv[4]) : 10000);
	}
	close_all();
	return rc < 0;
}
