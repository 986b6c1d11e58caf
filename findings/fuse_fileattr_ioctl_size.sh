#!/usr/bin/env bash
# Inode flags through FUSE: the size that the request carries is not the one in
# the ioctl's number.
#
# Versions: libfuse 3.14.0 (Debian 12, libfuse3-3 and libfuse3-dev 3.14.0-4),
#   e2fsprogs 1.47 as lsattr; Linux 6.18.
# One would guess: FS_IOC_GETFLAGS is _IOR('f', 1, long), so a handler is told
#   out_bufsz = _IOC_SIZE(cmd) = 8 on 64-bit machines, and may check for that.
# What happens: the kernel makes the request itself, from its file attribute
#   call, and asks for an unsigned int: out_bufsz is 4, while the number still
#   says 8. FS_IOC_FSGETXATTR agrees with its number (28). A reply of 8 bytes
#   to the first is refused: lsattr fails.
# Whom it hurts: file systems that check sizes by the number (lsattr then says
#   "Invalid argument"), or that answer with a long.
# Output seen:
#   asked for flags: number says 8, out_bufsz 4
#   asked for fsxattr: number says 28, out_bufsz 28
#   4 bytes: lsattr shows them
#   8 bytes: lsattr fails
set -eu
work=$(mktemp -d)
mnt=$work/mnt
trap 'umount "$mnt" 2>/dev/null || :; rm -rf "$work"' EXIT
mkdir "$mnt" "$work/deb" "$work/root"
(cd "$work/deb" && apt-get download -qq -o APT::Sandbox::User=root libfuse3-3=3.14.0-4 libfuse3-dev=3.14.0-4)
for d in "$work"/deb/*.deb; do dpkg-deb -x "$d" "$work/root"; done
lib=$(dirname "$(find "$work/root" -name 'libfuse3.so.3')")

cat >"$work/fs.c" <<'C'
#define FUSE_USE_VERSION 35
#include <fuse_lowlevel.h>
#include <errno.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

static size_t answer_bytes;
static FILE *seen;

static void attributes(fuse_ino_t ino, struct stat *st)
{
	memset(st, 0, sizeof(*st));
	st->st_ino = ino;
	st->st_mode = ino == 1 ? S_IFDIR | 0755 : S_IFREG | 0644;
	st->st_nlink = 1;
}

static void get_attr(fuse_req_t r, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct stat st;

	(void)fi;
	attributes(ino, &st);
	fuse_reply_attr(r, &st, 0);
}

static void look_up(fuse_req_t r, fuse_ino_t dir, const char *name)
{
	struct fuse_entry_param e = {.ino = 2};

	(void)dir;
	if (strcmp(name, "file")) {
		fuse_reply_err(r, ENOENT);
		return;
	}
	attributes(2, &e.attr);
	fuse_reply_entry(r, &e);
}

static void open_file(fuse_req_t r, fuse_ino_t ino, struct fuse_file_info *fi)
{
	(void)ino;
	fuse_reply_open(r, fi);
}

static void control(fuse_req_t r, fuse_ino_t ino, unsigned cmd, void *arg,
		    struct fuse_file_info *fi, unsigned flags, const void *in,
		    size_t in_n, size_t out_n)
{
	char out[64] = {0x40}; /* FS_NODUMP_FL */

	(void)ino, (void)arg, (void)fi, (void)flags, (void)in, (void)in_n;
	fprintf(seen, "asked for %s: number says %u, out_bufsz %zu\n",
		cmd == FS_IOC_GETFLAGS ? "flags" : "fsxattr", _IOC_SIZE(cmd),
		out_n);
	fflush(seen);
	if (cmd == FS_IOC_GETFLAGS)
		fuse_reply_ioctl(r, 0, out, answer_bytes);
	else
		fuse_reply_ioctl(r, 0, out, out_n);
}

int main(int argc, char **argv)
{
	static const struct fuse_lowlevel_ops ops = {
		.getattr = get_attr, .lookup = look_up, .open = open_file,
		.ioctl = control};
	char *args[] = {argv[0], "-osubtype=finding"};
	struct fuse_args a = FUSE_ARGS_INIT(2, args);
	struct fuse_session *se = fuse_session_new(&a, &ops, sizeof(ops), NULL);

	(void)argc;
	answer_bytes = strtoul(argv[2], NULL, 10);
	seen = fopen(argv[3], "a");
	if (!se || !seen || fuse_session_mount(se, argv[1]))
		return 1;
	fuse_session_loop(se);
	fuse_session_unmount(se);
	return 0;
}
C
cat >"$work/ask.c" <<'C'
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>

int main(int argc, char **argv)
{
	struct fsxattr x;

	(void)argc;
	return ioctl(open(argv[1], O_RDONLY), FS_IOC_FSGETXATTR, &x) < 0;
}
C
gcc -I"$work/root/usr/include/fuse3" "$work/fs.c" -o "$work/fs" "$lib/libfuse3.so.3" -Wl,-rpath,"$lib"
gcc "$work/ask.c" -o "$work/ask"

mounted() {
	"$work/fs" "$mnt" "$1" "$work/seen" &
	until mountpoint -q "$mnt"; do read -rt 0.05 <> <(:) || :; done
	if lsattr "$mnt/file" >"$work/out" 2>&1; then
		echo "$1 bytes: lsattr shows them"
	else
		echo "$1 bytes: lsattr fails"
	fi
	"$work/ask" "$mnt/file" || :
	umount "$mnt"
	wait
}
{ mounted 4; mounted 8; } >"$work/results"
sort -u "$work/seen" >"$work/all"
cat "$work/results" >>"$work/all"
cat "$work/all"
diff "$work/all" - <<'END'
asked for flags: number says 8, out_bufsz 4
asked for fsxattr: number says 28, out_bufsz 28
4 bytes: lsattr shows them
8 bytes: lsattr fails
END
