#!/usr/bin/env bats
# The library as other programs see it: installed, compiled against, linked.

load setup

setup_file() {
	export INSTALLED=$BATS_FILE_TMPDIR/usr
	export PKG_CONFIG_PATH=$INSTALLED/lib/pkgconfig
	make -s --no-print-directory -C "$BATS_TEST_DIRNAME/../.." install PREFIX="$INSTALLED" >/dev/null
}

setup() {
	HELLO=$BATS_TEST_DIRNAME/../embed/hello.c
	MNT=$BATS_TEST_TMPDIR/mnt
	BACKING=$BATS_TEST_TMPDIR/backing
	mkdir "$MNT"
	cd "$BATS_TEST_TMPDIR"
}

teardown() {
	if mountpoint -q "$MNT"; then
		stop || umount -l "$MNT"
	fi
}

# hello FLAG...: compile the example, strictly
compile() {
	gcc -std=c11 -Wall -Wextra -pedantic -Werror "$HELLO" -o hello "$@"
}

# Without what two searches of the same index do not share.
steady() {
	jq 'del(.took_ms, .generation) | .hits |= map(del(.mtime_ns))' "$@"
}

@test "a program that embeds the library prints what a mount shows" {
	# shellcheck disable=SC2046
	compile $(pkg-config --cflags --libs rankfs)
	run readelf -d hello
	assert_output --partial "[librankfs.so.0]"
	LD_LIBRARY_PATH=$INSTALLED/lib ./hello "$BACKING" "rotate keys" >embedded
	start
	sed "s|$BACKING/hello.md|$(realpath "$MNT")/hello.md|" embedded | steady >want
	cat "$MNT/query/rotate keys as:json" | jq '.query = "rotate keys"' | steady >got
	run diff want got
	assert_success
	run jq -r '.hits[0].excerpt' got
	assert_output --partial "Rotate the signing keys."
}

@test "linked statically, it needs no librankfs.so" {
	# shellcheck disable=SC2046
	compile $(pkg-config --static --cflags --libs rankfs | sed 's/-lrankfs/-l:librankfs.a/')
	run readelf -d hello
	refute_output --partial librankfs
	run ./hello "$BACKING" "rotate keys"
	assert_success
	assert_output --partial '"total": 1'
}

@test "the header alone compiles, as C and as C++, and includes nothing of ours" {
	echo '#include <rankfs.h>' >alone.c
	local strict=(-Wall -Wextra -pedantic -Werror -fsyntax-only -I "$INSTALLED/include")
	gcc -std=c11 "${strict[@]}" alone.c
	g++ -std=c++11 "${strict[@]}" -x c++ alone.c
	run grep -c '#include "' "$INSTALLED/include/rankfs.h"
	assert_output 0
}

# The functions of the header, as the compiler reads it.
declared() {
	echo '#include <rankfs.h>' | gcc -E -P -I "$INSTALLED/include" - |
		tr '\n' ' ' | tr ';' '\n' | grep -oE '\brk_[a-z0-9_]+ ?\(' | tr -d ' (' | sort -u
}

@test "what is exported is what the header declares" {
	declared >want
	run wc -l <want
	assert [ "$output" -gt 60 ]
	nm -D --defined-only "$INSTALLED/lib/librankfs.so" | awk '$2 != "A" { sub(/@.*/, "", $3); print $3 }' | sort >shared
	run diff want shared
	assert_success
	# no other name of the archive can clash with one of the program
	nm -g --defined-only "$INSTALLED/lib/librankfs.a" | awk 'NF == 3 { print $3 }' | sort >archive
	run diff want archive
	assert_success
}

@test "the library has a name of its major version, and the header its reasons" {
	run readelf -d "$INSTALLED/lib/librankfs.so"
	assert_output --partial "soname: [librankfs.so.0]"
	run pkg-config --modversion rankfs
	assert_output "$("$RANKFS" --version | awk 'NR == 1 { print $2 }')"
	# six lines of ten say what a function returns, who owns it, who may call
	run awk '
		/^[ \t]*$/ { next }
		{ all++ }
		inside || /\/\*/ { said++ }
		/\/\*/ { inside = 1 }
		/\*\// { inside = 0 }
		END { print int(100 * said / all) }' "$INSTALLED/include/rankfs.h"
	assert [ "$output" -ge 60 ]
}
