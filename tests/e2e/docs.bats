#!/usr/bin/env bats
# What README.md, the mount's own help and the manual pages say is so.

load setup

TREE=$BATS_TEST_DIRNAME/../..

setup() {
	OPEN=$(mktemp -d "${TMPDIR:-/tmp}/rankfs-docs-XXXXXX")
	MNT=$OPEN/home/rankfs
	mkdir "$OPEN/home"
	[[ -d /usr/share/doc/git/RelNotes && -f /usr/share/doc/bash/CHANGES.gz ]] ||
		skip "the documents of the packages bash and git are not here"
}

teardown() {
	if mountpoint -q "$MNT"; then umount -l "$MNT"; fi
	rm -rf --one-file-system "$OPEN"
}

@test "every command that the documents show works as shown, for root" {
	run python3 "$BATS_TEST_DIRNAME/docs.py" "$(realpath "$TREE")" "$(realpath "$RANKFS")" "$OPEN/home"
	assert_success
	assert_line "0 failures"
}

@test "and for a plain user, who mounts with fusermount3" {
	can_mount_as_user
	local user=nobody
	cp "$(readlink -f "$RANKFS")" "$OPEN/rankfs"
	# read by another user: the tree may lie where he cannot go
	mkdir "$OPEN/tree"
	cp -r "$TREE"/{README.md,Makefile,scripts,fs,core,tests} "$OPEN/tree/"
	chown -R "$user" "$OPEN"
	chmod 755 "$OPEN"
	run with_device "$OPEN/dev" setpriv --reuid "$user" --regid nogroup --clear-groups \
		python3 "$OPEN/tree/tests/e2e/docs.py" "$OPEN/tree" "$OPEN/rankfs" "$OPEN/home"
	assert_success
	assert_line "0 failures"
}
