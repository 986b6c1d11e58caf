#!/usr/bin/env bats
# .rankfs/, the commands, and the life of a mount.

load setup

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

shown() { grep -qF "$2" "$BATS_TEST_TMPDIR/$1"; }

@test "events is a file that grows: tail -f and tail -F follow it, and seeking works" {
	echo x >"$MNT/first.md"
	noted() { grep -q "changed $1" "$MNT/.rankfs/events"; }
	eventually 5 noted first.md
	tail -F "$MNT/.rankfs/events" >"$BATS_TEST_TMPDIR/F" 2>&1 3>&- 4>&- &
	local pids=$!
	tail -n +1 -f "$MNT/.rankfs/events" >"$BATS_TEST_TMPDIR/f" 2>&1 3>&- 4>&- &
	pids+=" $!"
	eventually 5 shown F "changed first.md"
	eventually 5 shown f "changed first.md"
	echo x >"$MNT/second.md"
	eventually 10 shown F "changed second.md"
	eventually 10 shown f "changed second.md"
	# shellcheck disable=SC2086
	kill $pids
	for t in F f; do
		run cat "$BATS_TEST_TMPDIR/$t"
		refute_output --partial "tail:"
		assert_equal "$(grep -c "changed first.md" <<<"$output")" 1
	done
	assert_equal "$(stat -c %s "$MNT/.rankfs/events")" "$(wc -c <"$MNT/.rankfs/events")"
	assert_equal "$(tail -c 10 "$MNT/.rankfs/events")" "$(cat "$MNT/.rankfs/events" | tail -c 10)"
	assert_equal "$(dd if="$MNT/.rankfs/events" bs=1 skip=2 status=none)" "$(tail -c +3 "$MNT/.rankfs/events")"
	assert_equal "$(cat "$MNT/.rankfs/events")" "$(dd if="$MNT/.rankfs/events" bs=3 status=none)"
}

@test "events keeps the last 1,024 lines, and tells who reads them how many are gone" {
	run timeout 60 python3 - "$MNT" <<-'END'
		import os, sys, time
		mnt = sys.argv[1]
		path = mnt + "/.rankfs/events"
		def write(a, b):
		    for i in range(a, b):
		        open(mnt + f"/n{i}.md", "w").write(f"number {i}\n")
		    end = time.time() + 20
		    while f"changed n{b - 1}.md\n" not in open(path).read():
		        assert time.time() < end
		fd = os.open(path, os.O_RDONLY)
		write(0, 10)
		got = os.read(fd, 30) # into the third line or so
		assert len(got) == 30
		write(10, 1500)
		rest = b""
		while part := os.read(fd, 1000):
		    rest += part
		lines = rest.decode().split("\n")
		gone = [x for x in lines if x.startswith("0 missed ")]
		assert len(gone) == 1, lines[:5]
		all = open(path).read()
		assert all.count("\n") == 1024
		assert rest.decode().split(gone[0] + "\n")[1] == all
		# begun: what a reader has had, whole or in part, is not missed
		total = int(gone[0].split()[2]) + 1024 + got.count(b"\n")
		assert total >= 1500
		write(1500, 1501)
		more = os.read(fd, 1000).decode()
		assert more.endswith("changed n1500.md\n") and more.count("\n") == 1, more
		assert os.stat(path).st_size > len(all)
		print("ok")
	END
	assert_output ok
}

@test "a folder with files is no mount point, unless it is asked for" {
	stop
	local d=$BATS_TEST_TMPDIR/notes
	mkdir "$d"
	for f in plain.md .hidden; do
		echo "purple yak" >"$d/$f"
		run "$RANKFS" "$BACKING" "$d"
		assert_equal "$status" 1
		assert_line --partial "rankfs --index $d MOUNTPOINT"
		assert_line --partial "rankfs MOUNTPOINT"
		run mountpoint -q "$d"
		assert_failure
		rm "$d/$f"
	done
	# a new file system's
	mkdir "$d/lost+found"
	"$RANKFS" "$BACKING" "$d" 3>&- 4>&-
	"$RANKFS" umount "$d"
	echo "purple yak" >"$d/a.md"
	"$RANKFS" -o nonempty "$BACKING" "$d" 3>&- 4>&-
	assert_equal "$(ls "$d")" query
	# mounted, and left by a daemon that died: what it was is still to be had
	run "$RANKFS" "$BACKING" "$d"
	assert_output --partial "mounted already"
	crash
	run "$RANKFS" -o nonempty "$BACKING" "$d" 3>&- 4>&-
	assert_success
	"$RANKFS" umount "$d"
	assert_equal "$(cat "$d/a.md")" "purple yak"
	run "$RANKFS" "$d" "$d"
	assert_output --partial "must not lie under"
}

@test "--index: a folder is searched where it is" {
	stop
	local d="$BATS_TEST_TMPDIR/my notes"
	mkdir "$d"
	echo "the purple yak" >"$d/a.md"
	cd "$BATS_TEST_TMPDIR"
	"$RANKFS" --index "my notes" "$BACKING" "$MNT" 3>&- 4>&-
	assert_equal "$(readlink "$MNT/my notes")" "$d"
	found() { [[ $(paths yak) == "my notes/a.md" ]]; }
	eventually 10 found
	stop
	# again, and where the index has its default place
	"$RANKFS" "--index=$d" "$BACKING" "$MNT" 3>&- 4>&-
	eventually 10 found
	mkdir "$BATS_TEST_TMPDIR/m2" "$BATS_TEST_TMPDIR/other" "$BATS_TEST_TMPDIR/other/my notes"
	run "$RANKFS" --index other "$BACKING" "$BATS_TEST_TMPDIR/m2"
	assert_equal "$status" 1
	assert_line --partial "mounted on $MNT"
	assert_line --partial "ln -s $BATS_TEST_TMPDIR/other $MNT/"
	stop
	run "$RANKFS" --index "other/my notes" "$BACKING" "$MNT"
	assert_equal "$status" 1
	assert_output --partial "has another my notes already"
	for bad in nowhere "my notes/a.md" "$MNT" / ; do
		run "$RANKFS" --index "$bad" "$BACKING" "$MNT"
		assert_equal "$status" 1
	done
	mkdir query
	run "$RANKFS" --index query "$BACKING" "$MNT"
	assert_equal "$status" 1
	assert_output --partial "under another"
	run "$RANKFS" --index other -o multi "$BACKING" "$MNT"
	assert_equal "$status" 2
	XDG_DATA_HOME=$BATS_TEST_TMPDIR/data "$RANKFS" --index other "$MNT" 3>&- 4>&-
	assert_equal "$(readlink "$MNT/other")" "$BATS_TEST_TMPDIR/other"
	assert_exist "$BATS_TEST_TMPDIR/data/rankfs/indexes/main"
}

@test "a mount is found, and unmounted, by what it mounts" {
	stop
	mkdir "$BATS_TEST_TMPDIR/real"
	ln -s real "$BATS_TEST_TMPDIR/link"
	# umount(8) takes an absolute path of a folder for a mount point
	for how in "$RANKFS umount" "umount --all-targets"; do
		for name in "link/b" "$BATS_TEST_TMPDIR/real/b" "$BATS_TEST_TMPDIR/link/b"; do
			cd "$BATS_TEST_TMPDIR"
			"$RANKFS" link/b "$MNT" 3>&- 4>&-
			assert_equal "$(findmnt -no SOURCE "$MNT")" "$BATS_TEST_TMPDIR/real/b"
			assert_equal "$("$RANKFS" agents -b "$name" | head -1)" "## Searching $MNT"
			# shellcheck disable=SC2086
			run $how "$name"
			assert_success
			run mountpoint -q "$MNT"
			assert_failure
			free() { ! [[ -s link/b/indexes/main/LOCK ]] || ! kill -0 "$(cat link/b/indexes/main/LOCK)" 2>/dev/null; }
			eventually 10 free
		done
	done
	run "$RANKFS" umount "$BATS_TEST_TMPDIR/real/b"
	assert_equal "$status" 1
	assert_output --partial "is not mounted by rankfs"
}

@test "warnings about documents survive the mount" {
	printf 'PK\0\1\2' >"$MNT/binary.bin"
	head -c 9000000 /dev/zero | tr '\0' 'x' >"$MNT/big.txt"
	echo "purple yak" >"$MNT/ok.md"
	printf 'a\0b' >"$MNT/gone.bin"
	printf 'a\0b' >"$MNT/text.bin"
	eventually 20 indexed
	warned() {
		local f w
		w=$(cat "$MNT/.rankfs/warnings")
		for f in "$@"; do grep -q "^$f: " <<<"$w" || return 1; done
	}
	eventually 5 warned binary.bin big.txt gone.bin text.bin
	stop
	rm "$BACKING/indexes/main/files/gone.bin"
	start
	warned binary.bin big.txt text.bin
	not_gone() { ! warned gone.bin; }
	eventually 5 not_gone
	echo "now a text" >"$MNT/text.bin"
	eventually 5 indexed
	# a daemon that dies has kept them with its last checkpoint, or its log has the documents
	printf 'a\0b' >"$MNT/late.bin"
	eventually 5 warned late.bin
	crash
	start
	eventually 5 indexed
	warned binary.bin big.txt late.bin
	run warned text.bin
	assert_failure
	assert_equal "$(grep -c ^big.txt: "$MNT/.rankfs/warnings")" 1
	stop
	run "$RANKFS" status -b "$BACKING"
	assert_line --partial "big.txt: only the first"
	# any bytes may be in that file
	head -c 200000 /dev/urandom >"$BACKING/indexes/main/warnings"
	start
	run cat "$MNT/query/yak as:paths"
	assert_output "$MNT/ok.md"
}

@test "a command about a folder that is no index says so, and makes none" {
	mkdir "$BATS_TEST_TMPDIR/none"
	for d in "$BATS_TEST_TMPDIR/none" "$BATS_TEST_TMPDIR/nowhere"; do
		for verb in search status check rebuild compact export; do
			run "$RANKFS" $verb -b "$d" word
			[[ $status -eq 1 || $verb == check && $status -eq 2 ]]
			assert_output --partial "$d is no index"
		done
	done
	assert_equal "$(ls -A "$BATS_TEST_TMPDIR/none")" ""
	assert_not_exist "$BATS_TEST_TMPDIR/nowhere"
	run "$RANKFS" search -b "$BACKING" -i other word
	assert_equal "$status" 1
	assert_output --partial "no indexes/other"
	run "$RANKFS" search -b "$BACKING" -i ../main word
	assert_equal "$status" 2
	assert_output --partial "no name of an index"
}

@test "without a home there is no default place, and a message" {
	stop
	run env -i XDG_DATA_HOME="$BATS_TEST_TMPDIR/xdg" "$RANKFS" "$MNT" 3>&- 4>&-
	assert_success
	assert_exist "$BATS_TEST_TMPDIR/xdg/rankfs/indexes/main"
	# what needs no default asks for none
	run env -i setpriv --reuid 54321 --clear-groups "$RANKFS" agents "$MNT"
	refute_output --partial HOME
	stop
	run env -i setpriv --reuid 54321 --clear-groups "$RANKFS" search word
	assert_equal "$status" 1
	assert_output --partial "no HOME"
	chmod 777 "$MNT"
	run env -i setpriv --reuid 54321 --clear-groups "$RANKFS" "$MNT"
	assert_equal "$status" 2
	assert_output --partial "name a backing folder"
	# the password file knows a home where the environment does not
	run env -i "$RANKFS" search --index nosuchindex word
	assert_output --partial "$(getent passwd "$(id -u)" | cut -d: -f6)/.local/share/rankfs is no index"
}

@test "--help is in columns" {
	run "$RANKFS" --help
	# options, then commands: what they do begins in one column
	local columns
	columns=$(grep -E '^  [-a-z]' <<<"$output" | sed -E 's/^(  .*[^ ]  +)[^ ].*$/\1/' | awk '{ print length($0) }' | sort -u)
	assert_equal "$(wc -l <<<"$columns")" 1
	((${#lines[@]} > 20))
	for l in "${lines[@]}"; do ((${#l} <= 100)); done
}
