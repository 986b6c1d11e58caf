#!/usr/bin/env bats
# Documents behave as files of the file system below, operation by operation.

load setup

DIFFER=$(dirname "$(readlink -f "$RANKFS")")/tests/conformance/differ
OPS=${CONFORM_OPS:-15000}

setup() {
	MNT=$BATS_TEST_TMPDIR/mnt
	BACKING=$BATS_TEST_TMPDIR/backing
	mkdir "$MNT"
	start -o allow_other
	mkdir -p "$MNT/t" "$BATS_TEST_TMPDIR/native/t"
	NATIVE=$BATS_TEST_TMPDIR/native
}

index_equals_documents() {
	# random operations may leave no word behind; one is there in any case
	echo "w001 and w002" >"$MNT/rest.md"
	run python3 "$BATS_TEST_DIRNAME/../conformance/words.py" "$MNT"
	assert_success
	stop
	run "$RANKFS" check -b "$BACKING"
	assert_success
}

@test "every operation on every kind of target does what it does natively, for three users" {
	run "$DIFFER" "$MNT/t" "$NATIVE/t" matrix users
	assert_success
}

@test "random operations do what they do natively, maps included, and the index equals the documents" {
	run "$DIFFER" "$MNT/t" "$NATIVE/t" "$RANDOM" "$OPS"
	assert_success
	index_equals_documents
}

@test "random operations by three users" {
	run "$DIFFER" "$MNT/t" "$NATIVE/t" "$RANDOM" "$OPS" users
	assert_success
	index_equals_documents
}

@test "random operations by four processes at once" {
	for p in 1 2 3 4; do
		mkdir "$MNT/p$p" "$NATIVE/p$p"
		"$DIFFER" "$MNT/p$p" "$NATIVE/p$p" "$RANDOM" $((OPS / 2)) \
			>"$BATS_TEST_TMPDIR/out$p" 2>&1 3>&- 4>&- &
		pids+=($!)
	done
	for pid in "${pids[@]}"; do
		wait "$pid" || { cat "$BATS_TEST_TMPDIR"/out*; return 1; }
	done
	index_equals_documents
}

@test "a page written through a map of a file opened for appending stays where it is" {
	run python3 - "$MNT/a" <<-'PY'
	import mmap, os, sys
	fd = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT | os.O_APPEND)
	os.write(fd, b"x" * 100)
	with mmap.mmap(fd, 100) as m:
	    m[0:4] = b"yak "
	    m.flush()
	os.write(fd, b"end")
	assert os.pread(fd, 1000, 0) == b"yak " + b"x" * 96 + b"end"
	assert os.fstat(fd).st_size == 103
	PY
	assert_success
}

@test "a removed folder stays the folder it was for who is in it" {
	mkdir "$MNT/gone"
	run bash -c "cd '$MNT/gone' && rmdir ../gone && mkdir ../new && touch ../new/x 2>/dev/null; stat -c %h . && ls -A && ! touch y 2>/dev/null"
	assert_success
	assert_output 0
}
