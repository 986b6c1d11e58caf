#!/usr/bin/env bash
# fuse_opt_parse(): an argument goes through every template that matches it.
#
# Version: libfuse 3.14.0 (Debian 12, libfuse3-3 and libfuse3-dev 3.14.0-4).
# One would guess: as with getopt_long(3), one option is found for an argument,
#   so that "--index=%s" and "--index %s" side by side accept both spellings
#   into one field, the first template that matches being the one that counts.
# What happens: every template that matches is carried out, in order.
#   "--index=notes" matches the first, which stores "notes", and then the second,
#   for which what stands behind "--index" is the value: it stores "=notes" over
#   it. No error is given. In the same way "level=3" may set one field by
#   "level=%i" and another one by "level=3".
# Whom it hurts: file systems that offer a long option in both spellings: the
#   one with "=" works, with a value that begins with "=".
# Output seen:
#   --index notes mnt: rc 0, index notes, level 0, verbose 0, rest mnt
#   --index=notes mnt: rc 0, index =notes, level 0, verbose 0, rest mnt
#   -o level=3 mnt: rc 0, index none, level 3, verbose 1, rest mnt
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/deb" "$work/root"
(cd "$work/deb" && apt-get download -qq -o APT::Sandbox::User=root libfuse3-3=3.14.0-4 libfuse3-dev=3.14.0-4)
for d in "$work"/deb/*.deb; do dpkg-deb -x "$d" "$work/root"; done
lib=$(dirname "$(find "$work/root" -name 'libfuse3.so.3')")
cat >"$work/opt.c" <<'C'
#define FUSE_USE_VERSION 35
#include <fuse_opt.h>
#include <stddef.h>
#include <stdio.h>

struct values {
	char *index;
	int verbose, level;
};
static const struct fuse_opt OPTIONS[] = {
	{"--index=%s", offsetof(struct values, index), 0},
	{"--index %s", offsetof(struct values, index), 0},
	{"level=%i", offsetof(struct values, level), 0},
	{"level=3", offsetof(struct values, verbose), 1},
	FUSE_OPT_END};

int main(int argc, char **argv)
{
	struct fuse_args a = FUSE_ARGS_INIT(argc, argv);
	struct values v = {0};
	int rc = fuse_opt_parse(&a, &v, OPTIONS, NULL);

	printf("rc %d, index %s, level %d, verbose %d, rest", rc,
	       v.index ? v.index : "none", v.level, v.verbose);
	for (int i = 1; i < a.argc; i++)
		printf(" %s", a.argv[i]);
	puts("");
	return 0;
}
C
gcc -I"$work/root/usr/include/fuse3" "$work/opt.c" -o "$work/opt" "$lib/libfuse3.so.3" -Wl,-rpath,"$lib"
show() { printf '%s: ' "$*"; "$work/opt" "$@" 2>&1; }
{
	show --index notes mnt
	show --index=notes mnt
	show -o level=3 mnt
} | tee "$work/out"
diff "$work/out" - <<'END'
--index notes mnt: rc 0, index notes, level 0, verbose 0, rest mnt
--index=notes mnt: rc 0, index =notes, level 0, verbose 0, rest mnt
-o level=3 mnt: rc 0, index none, level 3, verbose 1, rest mnt
END
