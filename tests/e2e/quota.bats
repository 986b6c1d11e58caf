#!/usr/bin/env bats
# How much an index may hold (-o multi): what is counted, and when it is full.

load setup

setup() {
	MNT=$BATS_TEST_TMPDIR/mnt
	BACKING=$BATS_TEST_TMPDIR/backing
	mkdir "$MNT"
	start -o multi
	mkdir "$MNT/t"
}

daemon_pid() {
	cat "$BACKING/LOCK"
}

limit() {
	echo "quota t $1 $2" >"$MNT/.rankfs/ctl"
}

used() { # BYTES FILES
	[[ $(sed -n 's/^quota_[a-z]* \([0-9]*\) .*/\1/p' "$MNT/t/.rankfs/status" | xargs) == "$1 $2" ]]
}

# is_full COMMAND...: it ends with EDQUOT
is_full() {
	run "$@"
	assert_failure
	assert_output --partial "quota exceeded"
}

@test "a file that is saved again and again takes its room once" {
	limit 1M 0
	for _ in $(seq 25); do
		head -c 100K /dev/urandom >"$BATS_TEST_TMPDIR/new"
		cat "$BATS_TEST_TMPDIR/new" >"$MNT/t/saved"
		cmp "$BATS_TEST_TMPDIR/new" "$MNT/t/saved"
		used 102400 1
	done
	for _ in $(seq 25); do
		cp "$BATS_TEST_TMPDIR/new" "$MNT/t/saved.new"
		mv "$MNT/t/saved.new" "$MNT/t/saved"
	done
	eventually 5 used 102400 1
}

@test "what no name leads to counts until it is closed" {
	limit 100K 3
	exec 8>"$MNT/t/a"
	head -c 60K /dev/zero >&8
	rm "$MNT/t/a"
	used 61440 0
	is_full sh -c "head -c 60K /dev/zero >'$MNT/t/b'"
	rm "$MNT/t/b"
	head -c 20K /dev/zero >&8
	exec 8>&-
	eventually 5 used 0 0
	head -c 60K /dev/zero >"$MNT/t/b"
	# a name more is a file more, and no bytes
	ln "$MNT/t/b" "$MNT/t/c"
	ln -s b "$MNT/t/d"
	used 61441 3
	is_full ln "$MNT/t/b" "$MNT/t/e"
	is_full ln -s b "$MNT/t/e"
	rm "$MNT/t/b"
	used 61441 2
	rm "$MNT/t/c"
	eventually 5 used 1 1
}

@test "what does not fit fails before anything is cut" {
	limit 100K 0
	head -c 60K /dev/urandom >"$BATS_TEST_TMPDIR/old"
	cp "$BATS_TEST_TMPDIR/old" "$MNT/t/a.md"
	head -c 30K /dev/urandom >"$MNT/t/b.md"
	is_full truncate -s 120K "$MNT/t/a.md"
	is_full fallocate -l 120K "$MNT/t/a.md"
	run sh -c "python3 -c 'import json; print(json.dumps({\"id\": \"a.md\", \"text\": \"y\" * 90000}))' >'$MNT/t/.rankfs/import'"
	assert_failure
	cmp "$BATS_TEST_TMPDIR/old" "$MNT/t/a.md"
	# so much over the limit that what is emptied could not be written again
	limit 20K 0
	is_full sh -c "echo new >'$MNT/t/a.md'"
	cmp "$BATS_TEST_TMPDIR/old" "$MNT/t/a.md"
	truncate -s 1000 "$MNT/t/a.md"
	rm "$MNT/t/b.md"
	echo new >"$MNT/t/a.md"
	eventually 5 used 4 1
}

@test "a limit that comes back counts what came meanwhile; so does one with a cache" {
	limit 100K 0
	head -c 10K /dev/zero >"$MNT/t/a"
	limit 0 0
	head -c 50K /dev/zero >"$MNT/t/b"
	limit 100K 0
	used 61440 2
	mkdir "$MNT/t/cache"
	head -c 30K /dev/zero >"$MNT/t/cache/old"
	echo "cache_ttl_s 1" >"$MNT/t/.rankfs/config"
	eventually 30 used 61440 2
	head -c 30K /dev/zero >"$MNT/t/c"
}

@test "the account of a quota equals a recount after every operation" {
	limit 300K 22
	for seed in 1 2 3; do
		run /usr/bin/python3 "$BATS_TEST_DIRNAME/quota.py" "$MNT" t "$BACKING" 4 "$seed"
		echo "$output"
		assert_success
		find "$MNT/t" -mindepth 1 -delete
		eventually 5 used 0 0
	done
}
