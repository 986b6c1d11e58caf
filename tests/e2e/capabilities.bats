#!/usr/bin/env bats
# What the owner of an index may do, and what only who mounted: nobody acts
# with the daemon's rights (fs/base/capabilities.c).

load setup
bats_require_minimum_version 1.5.0

A=12345 # owns an index, and did not mount it
B=12346

as() {
	setpriv --reuid "$1" --regid "$1" --clear-groups "${@:2}"
}

setup() {
	OPEN=$(mktemp -d "${TMPDIR:-/tmp}/rankfs-may-XXXXXX")
	chmod 755 "$OPEN"
	MNT=$OPEN/mnt
	BACKING=$BATS_TEST_TMPDIR/backing
	SECRET=$OPEN/secret
	mkdir "$MNT"
	mkdir -m 700 "$SECRET"
	echo zanzibar >"$SECRET/s.md"
	start -o multi,allow_other
	mkdir "$MNT/alice"
	chown $A:$A "$MNT/alice"
}

teardown() {
	if mountpoint -q "$MNT"; then
		stop || umount -l "$MNT"
	fi
	rm -r "$OPEN"
	! grep -sE 'Sanitizer|runtime error|died at start' "$BATS_TEST_TMPDIR"/log*
}

daemon_pid() {
	cat "$BACKING/LOCK" 2>/dev/null || cat "$BACKING/indexes/main/LOCK"
}

# the other way to own an index: a single one that was given away
single() {
	stop
	BACKING=$BATS_TEST_TMPDIR/single
	start -o allow_other
	chown $A:$A "$MNT"
}

# config USER FOLDER LINE
config() {
	as "$1" sh -c 'echo "$1" >"$2/.rankfs/config"' _ "$3" "$2" 2>/dev/null
}

no_line_that_reaches_out() {
	local line before
	before=$(cat "$1/.rankfs/config")
	for line in "extract.*.zzz /bin/cat" "embed_key_file /etc/shadow" "embedder http://127.0.0.1:9/v1" \
		"embedder https://example.org/v1" "embedder static:/root" "embed_model other" "memory_mib 60000" \
		"workers 64" "extract_memory_mib 65536" 'embed_key_file "/etc/shadow"' "  embedder=http://127.0.0.1:9/"; do
		run config $A "$1" "$line"
		assert_failure
		run as $A cat "$1/.rankfs/error"
		assert_output --partial "only who mounted"
		assert_equal "$(cat "$1/.rankfs/config")" "$before"
	done
	# nor behind a line that is allowed, of which nothing is taken either
	run config $A "$1" $'hits 9\nembed_key_file /etc/shadow'
	assert_failure
	assert_equal "$(cat "$1/.rankfs/config")" "$before"
}

@test "an index's owner sets its ranking, and no command, key file or address" {
	no_line_that_reaches_out "$MNT/alice"
	config $A "$MNT/alice" $'hits 7\nfusion rrf\nlanguage german\nembedder import:3\nextract.*.zzz none'
	# all of it, read and written back, with one number changed
	sed 's/^hits .*/hits 8/' "$MNT/alice/.rankfs/config" >"$OPEN/edited"
	as $A sh -c 'cat "$1" >"$2"' _ "$OPEN/edited" "$MNT/alice/.rankfs/config"
	run cat "$MNT/alice/.rankfs/config"
	assert_line "hits 8"
	assert_line "fusion rrf"
	# who mounted sets all of them, and the owner leaves what there is
	echo "extract.*.zzz /bin/cat" >"$MNT/alice/.rankfs/config"
	echo "embed_key_file /nowhere" >"$MNT/alice/.rankfs/config"
	config $A "$MNT/alice" "extract.*.zzz /bin/cat"
	run config $A "$MNT/alice" "extract.*.zzz /bin/cat /etc/shadow"
	assert_failure
	run config $B "$MNT/alice" "hits 3"
	assert_failure
}

@test "so it is for who was given a single index" {
	single
	no_line_that_reaches_out "$MNT"
	config $A "$MNT" "hits 7"
}

# a descriptor that a caller with more rights writes to is worth no more than
# who opened it
@test "a file that the owner opened stays the owner's, whoever writes to it" {
	run /usr/bin/python3 - "$MNT/alice/.rankfs/config" $A <<-'PY'
	import os, sys
	os.seteuid(int(sys.argv[2]))
	fd = os.open(sys.argv[1], os.O_WRONLY)
	os.seteuid(0)
	try:
	    os.write(fd, b"extract.*.zzz /bin/cat\n")
	except PermissionError:
	    print("refused")
	PY
	assert_output refused
}

# made_source FOLDER NAME: SECRET is indexed, or its link at the top
made_source() {
	[[ $(cat "$1/.rankfs/status") == *"source $2 "* ]]
}

# exchange USER A B: the names of two files
exchange() {
	as "$1" /usr/bin/python3 - "$2" "$3" <<-'PY'
	import ctypes, os, sys
	libc = ctypes.CDLL(None, use_errno=True)
	if libc.renameat2(-100, sys.argv[1].encode(), -100, sys.argv[2].encode(), 2) < 0:
	    sys.exit(os.strerror(ctypes.get_errno()))
	PY
}

no_link_out() {
	local d=$1
	run as $A ln -s "$SECRET" "$d/out"
	assert_failure
	as $A mkdir "$d/sub"
	as $A ln -s "$SECRET" "$d/sub/out"
	ln -s "$SECRET" "$d/sub/roots"
	for l in out roots; do
		run as $A mv -T "$d/sub/$l" "$d/top"
		assert_failure
		run as $A ln -P "$d/sub/$l" "$d/top"
		assert_failure
		as $A touch "$d/plain"
		run exchange $A "$d/sub/$l" "$d/plain"
		assert_failure
		assert_output --partial "not permitted"
		run exchange $A "$d/plain" "$d/sub/$l"
		assert_failure
		assert_output --partial "not permitted"
	done
	run as $A cat "$d/.rankfs/error"
	assert_output --partial "only who mounted"
	assert_equal "$(cd "$d" && find . -maxdepth 1 -type l)" ""
	as $A touch "$d/sub/other"
	exchange $A "$d/plain" "$d/sub/other"
	# within the index, and by who mounted, links are links
	as $A ln -s sub/out "$d/relative"
	as $A mv "$d/relative" "$d/relative2"
	ln -s "$SECRET" "$d/mine"
	eventually 10 made_source "$d" mine
	as $A mv "$d/mine" "$d/mine2"
	eventually 10 made_source "$d" mine2
	as $A rm "$d/mine2"
}

@test "a folder elsewhere is linked by who mounted alone: ln, mv, link, exchange" {
	no_link_out "$MNT/alice"
}

@test "so it is in a single index that was given away" {
	single
	no_link_out "$MNT"
}

@test "a link that is found is followed if it is root's or who mounted's" {
	stop
	ln -s "$SECRET" "$BACKING/indexes/alice/files/hers"
	chown -h $A:$A "$BACKING/indexes/alice/files/hers"
	ln -s "$SECRET" "$BACKING/indexes/alice/files/roots"
	start -o multi,allow_other
	eventually 10 made_source "$MNT/alice" roots
	run cat "$MNT/alice/.rankfs/status"
	refute_output --partial "source hers"
	run cat "$MNT/alice/.rankfs/warnings"
	assert_output --partial "hers: not followed"
	eventually 10 test -n "$(cat "$MNT/alice/query/zanzibar as:paths")"
	run cat "$MNT/alice/query/zanzibar as:paths"
	refute_output --partial /hers/
	# what is taken away from who mounted stops being a source
	chown -h $A "$MNT/alice/roots"
	gone() { ! made_source "$MNT/alice" roots; }
	eventually 10 gone
}

@test "an archive is put back by who mounted; it brings no key file" {
	echo yak >"$MNT/alice/a.md"
	cat "$MNT/alice/.rankfs/export" >"$OPEN/good.tar.zst"
	chmod 644 "$OPEN/good.tar.zst"
	rm "$MNT/alice/a.md"
	run as $A cp "$OPEN/good.tar.zst" "$MNT/alice/.rankfs/import"
	assert_failure
	run as $A cat "$MNT/alice/.rankfs/error"
	assert_output --partial "only who mounted"
	assert_not_exist "$MNT/alice/a.md"
	mkdir "$OPEN/x"
	cd "$OPEN/x"
	zstd -dc ../good.tar.zst | tar xf -
	first=$(zstd -dc ../good.tar.zst | tar tf - | head -1)
	printf 'hits 7\nembed_key_file /etc/shadow\nembedder static:/root\n' >config
	tar cf - "$first" config files/a.md | zstd -q >../evil.tar.zst
	cd "$OPEN"
	cp evil.tar.zst "$MNT/alice/.rankfs/import"
	assert_equal "$(cat "$MNT/alice/a.md")" yak
	run cat "$MNT/alice/.rankfs/config"
	assert_line "hits 7"
	refute_output --partial /etc/shadow
	refute_output --partial static:/root
}

@test "limits and removal of indexes are for who mounted; the rest of ctl for the owner" {
	chown $A:$A "$MNT"
	for line in "quota alice 1G 0" "remove alice" "expire 1"; do
		run as $A sh -c 'echo "$1" >"$2"' _ "$line" "$MNT/.rankfs/ctl"
		assert_failure
	done
	assert_exist "$MNT/alice"
	for line in checkpoint compact verify reconcile sync clear "save q words" "unsave q"; do
		as $A sh -c 'echo "$1" >"$2"' _ "$line" "$MNT/alice/.rankfs/ctl"
		run as $B sh -c 'echo "$1" >"$2"' _ "$line" "$MNT/alice/.rankfs/ctl"
		assert_failure
	done
	as $A cat "$MNT/alice/.rankfs/export" >"$OPEN/hers"
	assert [ -s "$OPEN/hers" ]
	run as $B cat "$MNT/alice/.rankfs/export"
	assert_failure
}
