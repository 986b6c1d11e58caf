#!/usr/bin/env bash
# libarchive: an extended attribute whose name has a letter outside ASCII comes
# back from a pax archive as two attributes.
#
# Version: libarchive 3.6.2 (Debian 12, libarchive13 and libarchive-tools
#   3.6.2-1+deb12u5).
# One would guess: bsdtar writes and reads its own archives without a change, and
#   the header SCHILY.xattr.NAME holds NAME as it is, as star and GNU tar write
#   it. LIBARCHIVE.xattr.NAME has NAME URL-encoded, because that is its rule.
# What happens: by default each attribute is written under both headers, and both
#   names are URL-encoded. Reading decodes the second alone. So user.größe
#   becomes user.größe and user.gr%C3%B6%C3%9Fe; a blank, a % or an = in a name
#   does the same. GNU tar, which knows SCHILY.xattr, gets the encoded name only.
#   A second round adds user.gr%25C3%25B6%25C3%259Fe. With
#   --options xattrheader=LIBARCHIVE a round changes nothing, but GNU tar then
#   finds no attributes.
# Whom it hurts: backups and exports that keep tags or metadata in attributes
#   (user.xdg.tags are safe, own names in one's own language are not): copies
#   have more attributes after each round.
# Output seen:
#   written by bsdtar, read by bsdtar: user.gr%C3%B6%C3%9Fe user.größe user.plain
#   a second round: user.gr%25C3%25B6%25C3%259Fe user.gr%C3%B6%C3%9Fe user.größe user.plain
#   written by bsdtar, read by GNU tar: user.gr%C3%B6%C3%9Fe user.plain
#   with xattrheader=LIBARCHIVE: user.größe user.plain
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/deb" "$work/root"
(cd "$work/deb" && apt-get download -qq -o APT::Sandbox::User=root libarchive13=3.6.2-1+deb12u5 libarchive-tools=3.6.2-1+deb12u5)
for d in "$work"/deb/*.deb; do dpkg-deb -x "$d" "$work/root"; done
LD_LIBRARY_PATH=$(dirname "$(find "$work/root" -name 'libarchive.so.13')")
export LD_LIBRARY_PATH
bsdtar=$work/root/usr/bin/bsdtar

cd "$work"
mkdir one
echo text >one/file
python3 -c 'import os
os.setxattr("one/file", "user.plain", b"x")
os.setxattr("one/file", "user.größe", b"x")'
names() {
	python3 -c 'import os, sys
print(*sorted(os.listxattr(sys.argv[1])))' "$1/file"
}
# round FROM TO [OPTION...]: by bsdtar, there and back
round() {
	mkdir "$2"
	"$bsdtar" -cf "$2.tar" --format pax --xattrs "${@:3}" -C "$1" file
	"$bsdtar" -xf "$2.tar" --xattrs -C "$2"
}
round one two
round two three
round one plain --options xattrheader=LIBARCHIVE
mkdir gnu
tar --xattrs --xattrs-include='*' -xf two.tar -C gnu 2>/dev/null
out="written by bsdtar, read by bsdtar: $(names two)
a second round: $(names three)
written by bsdtar, read by GNU tar: $(names gnu)
with xattrheader=LIBARCHIVE: $(names plain)"
echo "$out"
[[ $out == "written by bsdtar, read by bsdtar: user.gr%C3%B6%C3%9Fe user.größe user.plain
a second round: user.gr%25C3%25B6%25C3%259Fe user.gr%C3%B6%C3%9Fe user.größe user.plain
written by bsdtar, read by GNU tar: user.gr%C3%B6%C3%9Fe user.plain
with xattrheader=LIBARCHIVE: user.größe user.plain" ]]
