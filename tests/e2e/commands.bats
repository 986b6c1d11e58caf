#!/usr/bin/env bats
# .rankfs/, the commands, and the life of a mount.

load helper

@test "status in words and as JSON" {
	echo "purple yak" >"$MNT/a.md"
	eventually 5 indexed
	run cat "$MNT/.rankfs/status"
	assert_line "state ok"
	assert_line "documents 1"
	assert_equal "$(jq -r '.state, .documents' "$MNT/.rankfs/status.json" | xargs)" "ok 1"
}

@test ".rankfs is reached by name and listed by nobody" {
	run ls -A "$MNT"
	assert_output query
	run ls "$MNT/.rankfs"
	assert_line ctl
	assert_line config
}

@test "verbs: checkpoint, compact, verify, sync, reindex" {
	for i in 1 2 3; do
		echo "purple yak $i" >"$MNT/$i.md"
		echo checkpoint >"$MNT/.rankfs/ctl"
	done
	echo sync >"$MNT/.rankfs/ctl"
	echo verify >"$MNT/.rankfs/ctl"
	printf 'compact\nreindex\n' >"$MNT/.rankfs/ctl"
	eventually 5 indexed
	assert_equal "$(paths yak | wc -l)" 3
	run ls "$BACKING/indexes/main"
	assert_output --partial CURRENT
}

@test "a wrong verb is refused and explained" {
	run bash -c "echo frobnicate >'$MNT/.rankfs/ctl'"
	assert_failure
	assert_output --partial "Invalid argument"
	run cat "$MNT/.rankfs/error"
	assert_output "ctl: 'frobnicate' is no verb; cat .rankfs/ctl for them"
	echo sync >"$MNT/.rankfs/ctl"
	assert_equal "$(cat "$MNT/.rankfs/error")" ""
}

@test "configuration is read, written, checked and kept" {
	run cat "$MNT/.rankfs/config"
	assert_line "hits 10"
	echo "hits 3" >"$MNT/.rankfs/config"
	run bash -c "echo 'hits banana' >'$MNT/.rankfs/config'"
	assert_failure
	assert_file_contains "$MNT/.rankfs/error" "hits: 'banana' is not a number from 1 to 1000"
	for i in 1 2 3 4 5; do echo "purple yak" >"$MNT/$i.md"; done
	assert_equal "$(cat "$MNT/query/yak as:paths" | wc -l)" 3
	stop; start
	assert_file_contains "$MNT/.rankfs/config" "^hits 3$"
}

@test "another language takes effect with the next mount" {
	echo "Häuser am See" >"$MNT/a.md"
	echo "language german" >"$MNT/.rankfs/config"
	stop; start
	eventually 10 indexed
	assert_equal "$(paths Haus)" a.md
}

@test "search, status and check need no mount" {
	echo "purple yak" >"$MNT/a.md"
	run "$RANKFS" search -b "$BACKING" purple yak
	assert_success
	assert_output --partial "/a.md:1:"
	stop
	run "$RANKFS" search -b "$BACKING" --json purple
	assert_success
	assert_equal "$(jq -r .total <<<"$output")" 1
	run "$RANKFS" search -b "$BACKING" nothinglikeit
	assert_equal "$status" 1
	run "$RANKFS" check -b "$BACKING"
	assert_success
	assert_output --partial "1 documents, 1 segments"
	run "$RANKFS" status -b "$BACKING"
	assert_line "documents 1"
}

@test "check notices what does not fit" {
	echo "purple yak" >"$MNT/a.md"
	stop
	echo more >"$BACKING/indexes/main/files/b.md"
	run "$RANKFS" check -b "$BACKING"
	assert_equal "$status" 1
	assert_output --partial "1 not indexed"
}

@test "rebuild and compact" {
	for i in 1 2 3; do echo "purple yak $i" >"$MNT/$i.md"; done
	run "$RANKFS" rebuild -b "$BACKING"
	assert_failure
	assert_output --partial "is in use by process"
	stop
	run "$RANKFS" rebuild -b "$BACKING"
	assert_success
	assert_output --partial "3 documents"
	run "$RANKFS" compact -b "$BACKING"
	assert_success
	run "$RANKFS" search -b "$BACKING" yak
	assert_output --partial "hits=3/3"
}

@test "mount errors are told before the command returns" {
	run "$RANKFS" "$BACKING-x" "$MNT/nowhere"
	assert_failure
	assert_output --partial "No such file"
	: >"$BATS_TEST_TMPDIR/file"
	run "$RANKFS" "$BACKING-x" "$BATS_TEST_TMPDIR/file"
	assert_failure
	assert_output --partial "is not a folder"
	mkdir "$BATS_TEST_TMPDIR/m2"
	run "$RANKFS" -o nosuchoption "$BACKING-x" "$BATS_TEST_TMPDIR/m2"
	assert_failure
	run "$RANKFS" "$BATS_TEST_TMPDIR/m2" "$BATS_TEST_TMPDIR/m2"
	assert_failure
	run "$RANKFS"
	assert_equal "$status" 2
}

@test "mount(8) and its options" {
	stop
	ln -s "$(realpath "$RANKFS")" /usr/local/bin/rankfs-e2e-$$ 2>/dev/null || skip "cannot write to /usr/local/bin"
	run mount -t "fuse.rankfs-e2e-$$" "$BACKING" "$MNT" -o rw,nofail,x-test=1
	rm "/usr/local/bin/rankfs-e2e-$$"
	assert_success
	echo "purple yak" >"$MNT/a.md"
	assert_equal "$(paths yak)" a.md
}

@test "a read-only mount shows and refuses" {
	echo "purple yak" >"$MNT/a.md"
	stop
	start -o ro
	assert_equal "$(paths yak)" a.md
	run bash -c "echo x >'$MNT/b.md'"
	assert_failure
	assert_output --partial "Read-only file system"
	sync "$MNT/a.md" "$MNT" # there is nothing that is not on disk
}

@test "help and version" {
	run "$RANKFS" --help
	assert_success
	assert_output --partial "usage: rankfs"
	run "$RANKFS" --version
	assert_success
	assert_output --partial "rankfs "
}

@test "a slow question is given up with Ctrl-C" {
	echo "purple yak" >"$MNT/a.md"
	# many words, no excerpt limit: interrupted or done, never stuck
	run timeout -s INT 5 cat "$MNT/query/$(printf 'purple%d ' {1..60})"
	assert_success
}
