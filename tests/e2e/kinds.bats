#!/usr/bin/env bats
# Every kind of node: what the kernel forgets, and calls that few programs make.

load setup

ROUNDS=${KINDS_ROUNDS:-2}

setup() {
	MNT=$BATS_TEST_TMPDIR/mnt
	BACKING=$BATS_TEST_TMPDIR/backing
	export OUTSIDE=$BATS_TEST_TMPDIR/outside
	mkdir "$MNT"
}

kinds() {
	run timeout 300 python3 "$BATS_TEST_DIRNAME/kinds.py" "$@"
	assert_success
}

@test "the kernel forgets every kind of node, held or not, in any order" {
	start
	kinds forget "$MNT" 0 "$ROUNDS"
}

@test "the kernel forgets every kind of node of many indexes" {
	start -o multi
	kinds forget "$MNT" 1 "$ROUNDS"
}

@test "every call on every kind of virtual file is answered" {
	start
	kinds calls "$MNT" 0
}

@test "every call on every kind of virtual file of many indexes is answered" {
	start -o multi
	kinds calls "$MNT" 1
}
