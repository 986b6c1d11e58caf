#!/usr/bin/env bats
# What survives, and what is repaired.

load setup

IX=indexes/main

@test "a clean unmount keeps everything, and the next mount reads it back" {
	echo "purple yak" >"$MNT/a.md"
	stop
	assert_exist "$BACKING/$IX/CURRENT"
	start
	assert_equal "$(paths yak)" a.md
}

@test "kill -9 loses nothing that was closed" {
	for round in 1 2 3 4 5; do
		for i in $(seq 20); do echo "round$round item$i" >"$MNT/r$round-$i.txt"; done
		rm "$MNT/r$round-1.txt"
		crash
		run start
		assert_success
		for i in 2 11 20; do
			assert_equal "$(paths "+round$round +item$i")" "r$round-$i.txt"
		done
		assert_equal "$(paths "+round$round +item1")" ""
	done
	assert_file_contains "$BATS_TEST_TMPDIR/log" "was left by a daemon that died"
}

@test "kill -9 under load, then the index equals the documents" {
	(
		set +e
		for i in $(seq 2000); do
			echo "loaded doc$i" >"$MNT/l$i.txt" || break
			echo "$i" >"$BATS_TEST_TMPDIR/acked"
		done 2>/dev/null
	) &
	writer=$!
	eventually 20 acked_over 300
	crash
	wait "$writer" || true
	last=$(cat "$BATS_TEST_TMPDIR/acked")
	start
	for i in 1 $((last / 2)) $((last - 1)) "$last"; do
		assert_equal "$(paths "+doc$i")" "l$i.txt"
	done
	eventually 20 indexed
	stop
	run "$RANKFS" check -b "$BACKING"
	assert_success
}

acked_over() { [[ $(cat "$BATS_TEST_TMPDIR/acked" 2>/dev/null || echo 0) -gt $1 ]]; }

@test "SIGTERM unmounts cleanly" {
	echo "purple yak" >"$MNT/a.md"
	pid=$(daemon_pid)
	kill "$pid"
	run eventually 10 gone "$pid"
	assert_success
	run mountpoint -q "$MNT"
	assert_failure
	start
	assert_equal "$(paths yak)" a.md
}

# a client that writes, one that asks, and one that holds a folder open
load_it() {
	exec 7<"$MNT/sub"
	(while echo "busy $RANDOM" >"$MNT/sub/w.md"; do :; done) 2>/dev/null &
	(while cat "$MNT/query/busy" >/dev/null; do :; done) 2>/dev/null &
	(while ls -R "$MNT/sub" >/dev/null; do :; done) 2>/dev/null &
}

@test "SIGTERM ends under load, each time" {
	local round pid checkpoint=0 now
	mkdir "$MNT/sub"
	for ((round = 0; round < ${TERM_ROUNDS:-12}; round++)); do
		load_it
		pid=$(daemon_pid)
		# written, so that there is something to checkpoint
		echo "round r$round" >"$MNT/sub/r.md"
		kill "$pid"
		run eventually 10 gone "$pid"
		exec 7<&-
		assert_success
		run mountpoint -q "$MNT"
		assert_failure
		wait
		now=$(tr -dc 0-9 <"$BACKING/$IX/CURRENT")
		((10#$now > 10#$checkpoint))
		checkpoint=$now
		start
		assert_equal "$(paths "+r$round")" sub/r.md
	done
}

@test "a deleted index is built anew from the documents" {
	echo "purple yak" >"$MNT/a.md"
	stop
	find "$BACKING/$IX" -maxdepth 1 -type f -delete
	rm "$BACKING/registry.mp"
	start
	eventually 10 indexed
	assert_equal "$(paths yak)" a.md
}

@test "documents changed while unmounted are found" {
	echo "purple yak" >"$MNT/a.md"
	echo "green gnu" >"$MNT/b.md"
	stop
	echo "blue boa" >"$BACKING/$IX/files/a.md"
	rm "$BACKING/$IX/files/b.md"
	start
	eventually 10 indexed
	assert_equal "$(paths boa)" a.md
	assert_equal "$(paths 'yak gnu')" ""
}

prepare() {
	for i in 1 2 3; do
		echo "purple yak $i" >"$MNT/a$i.md"
		echo checkpoint >"$MNT/.rankfs/ctl"
	done
	stop
}

all_there() {
	eventually 10 indexed
	[[ $(paths yak | sort | xargs) == "a1.md a2.md a3.md" ]]
}

@test "CURRENT missing: the newest manifest is taken" {
	prepare
	rm "$BACKING/$IX/CURRENT"
	start
	all_there
}

@test "CURRENT names nothing: the newest manifest is taken" {
	prepare
	echo MANIFEST-999999 >"$BACKING/$IX/CURRENT"
	start
	all_there
	run cat "$MNT/.rankfs/warnings"
	assert_output --partial "went on from checkpoint"
}

@test "a damaged manifest: the one before, and the documents" {
	prepare
	m=$(cat "$BACKING/$IX/CURRENT")
	printf X | dd of="$BACKING/$IX/$m" bs=1 seek=40 conv=notrunc status=none
	start
	all_there
}

@test "all manifests damaged: built anew" {
	prepare
	for m in "$BACKING/$IX"/MANIFEST-*; do : >"$m"; done
	start
	all_there
}

@test "a segment cut short is set aside and its documents indexed again" {
	prepare
	for s in "$BACKING/$IX"/seg-*.mp; do truncate -s 200 "$s"; done
	start
	all_there
	run ls "$BACKING/$IX"
	assert_output --partial .damaged
}

@test "a flipped bit inside a segment is noticed at use and repaired" {
	prepare
	for s in "$BACKING/$IX"/seg-*.mp; do
		for at in 200 300 500 700 900; do
			printf '\xa5' | dd of="$s" bs=1 seek=$at conv=notrunc status=none
		done
	done
	start
	cat "$MNT/query/yak" >/dev/null
	run eventually 10 all_there
	assert_success
}

@test "a missing segment: its documents are indexed again" {
	prepare
	rm "$BACKING/$IX"/seg-*.mp
	start
	all_there
}

# themes: 300 documents of two themes, fitted, on disk, unmounted
themes() {
	for i in $(seq 300); do
		printf 'part %d\n%s number %d\n' "$i" \
			"$( ((i % 2)) && echo "gearbox clutch lever" || echo "violin cello string")" "$i" >"$MNT/d$i.md"
	done
	echo refit >"$MNT/.rankfs/ctl"
	echo checkpoint >"$MNT/.rankfs/ctl"
	before=$(paths "clutch mode:hybrid" | sort)
	stop
}

settled() {
	[[ $(cat "$MNT/.rankfs/status") == *"pending 0"*"reconciling no"*"embedding no"* ]]
}

@test "damaged vectors: words answer, and they are made again" {
	themes
	for f in "$BACKING/$IX"/vec-*.vec; do
		printf 'damage' | dd of="$f" bs=1 seek="$(($(stat -c %s "$f") / 3))" conv=notrunc status=none
	done
	run "$RANKFS" check -b "$BACKING"
	assert_failure
	start
	assert_equal "$(paths '+d7 clutch' | head -1)" d7.md
	eventually 10 settled
	eventually 10 made_again
	assert_equal "$(paths 'clutch mode:hybrid' | sort)" "$before"
}

made_again() {
	echo verify >"$MNT/.rankfs/ctl" && settled &&
		[[ $(head -1 "$MNT/query/violin mode:vector") == *"vectors=100%"*"mode=vector"* ]]
}

@test "missing vectors and a missing fit are made again" {
	themes
	rm "$BACKING/$IX"/vec-*
	start
	eventually 10 settled
	assert_equal "$(paths 'clutch mode:hybrid' | sort)" "$before"
	stop
	rm "$BACKING/$IX"/latent-*
	start
	run cat "$MNT/.rankfs/warnings"
	assert_output --partial "the fit of the vectors"
	eventually 10 settled
	assert_equal "$(paths 'clutch mode:hybrid' | sort)" "$before"
}

@test "garbage in every file of vectors: the mount starts and finds" {
	themes
	for f in "$BACKING/$IX"/{vec,latent}-*; do head -c 5000 /dev/urandom >"$f"; done
	start
	assert_equal "$(paths '+d7 clutch' | head -1)" d7.md
	eventually 10 settled
	assert_equal "$(paths 'clutch mode:hybrid' | sort)" "$before"
}

@test "a manifest of a newer rankfs is refused, and nothing is touched" {
	prepare
	m=$(cat "$BACKING/$IX/CURRENT")
	PYTHONPATH=$BATS_TEST_DIRNAME PYTHONDONTWRITEBYTECODE=1 python3 - "$BACKING/$IX/$m" <<-'P'
		import sys
		from forge import crc32c
		p = sys.argv[1]; b = bytearray(open(p, "rb").read()[:-5])
		b[16] = 2  # the version behind the magic string
		open(p, "wb").write(bytes(b) + b"\xce" + crc32c(bytes(b)).to_bytes(4, "big"))
	P
	ls -la "$BACKING/$IX" >"$BATS_TEST_TMPDIR/before"
	run "$RANKFS" "$BACKING" "$MNT"
	assert_failure
	assert_output --partial "newer version of rankfs: the manifest is of format 2"
	ls -la "$BACKING/$IX" | diff - "$BATS_TEST_TMPDIR/before"
}

@test "a segment that needs a feature of a newer rankfs is refused by name" {
	prepare
	ls "$BACKING/$IX" >"$BATS_TEST_TMPDIR/before"
	PYTHONPATH=$BATS_TEST_DIRNAME PYTHONDONTWRITEBYTECODE=1 python3 - "$BACKING/$IX"/seg-*.mp <<-'P'
		import re, sys
		from forge import crc32c
		for p in sys.argv[1:]:
		    b = bytearray(open(p, "rb").read())
		    b[8] = 4  # features, behind the magic string and the version
		    off, n = int.from_bytes(b[-16:-8], "little"), int.from_bytes(b[-8:-4], "little")
		    at = b.index(b"\xa6format\x92\x01\x00", off)
		    b[at + 9] = 4
		    b[-4:] = crc32c(bytes(b[off:off + n])).to_bytes(4, "little")
		    open(p, "wb").write(b)
	P
	run "$RANKFS" "$BACKING" "$MNT"
	assert_failure
	assert_output --regexp 'seg-[0-9]+\.mp needs features 0x4'
	run diff "$BATS_TEST_TMPDIR/before" <(ls "$BACKING/$IX")
	assert_success
}

@test "garbage instead of every index file: the mount still starts" {
	prepare
	for f in "$BACKING/$IX"/{CURRENT,MANIFEST-*,seg-*,wal-*} "$BACKING/registry.mp"; do
		head -c 3000 /dev/urandom >"$f"
	done
	start
	all_there
}

@test "folders where files should be: the mount still starts" {
	prepare
	for f in "$BACKING/$IX"/{CURRENT,MANIFEST-*,seg-*}; do rm "$f"; mkdir "$f"; done
	start
	eventually 10 indexed
	assert_equal "$(paths yak | sort | xargs)" "a1.md a2.md a3.md"
}

# traced COMMAND...: run it while the daemon's syncs are noted
traced() {
	local pid tracer
	pid=$(daemon_pid)
	strace -f -e trace=fsync,fdatasync -y -o "$BATS_TEST_TMPDIR/trace" -p "$pid" 2>"$BATS_TEST_TMPDIR/strace" 3>&- &
	tracer=$!
	eventually 10 grep -q attached "$BATS_TEST_TMPDIR/strace" || skip "nothing can be traced here"
	"$@"
	kill "$tracer"
	wait "$tracer" || :
}

@test "fsync reaches the document's file, its folder and the log" {
	command -v strace >/dev/null || skip "no strace"
	echo "purple yak" >"$MNT/a.md"
	traced sync "$MNT/a.md"
	run cat "$BATS_TEST_TMPDIR/trace"
	assert_line --regexp 'fsync\(.*files/a.md>'
	assert_line --regexp 'fdatasync\(.*/wal-[0-9]*.log>'
	traced sync -d "$MNT/a.md"
	run cat "$BATS_TEST_TMPDIR/trace"
	assert_line --regexp 'fdatasync\(.*files/a.md>'
	mkdir "$MNT/folder"
	traced sync "$MNT/folder"
	run cat "$BATS_TEST_TMPDIR/trace"
	assert_line --regexp 'fsync\(.*files/folder>'
}

@test "a second mount of the same backing is refused with the holder's name" {
	mkdir "$BATS_TEST_TMPDIR/m2"
	run "$RANKFS" "$BACKING" "$BATS_TEST_TMPDIR/m2"
	assert_failure
	assert_output --partial "is in use by process $(daemon_pid)"
	run "$RANKFS" "$BACKING" "$MNT"
	assert_failure
	assert_output --partial "mounted already"
}

@test "a copied backing mounts elsewhere" {
	prepare
	cp -r "$BACKING" "$BACKING-copy"
	BACKING=$BACKING-copy
	start
	all_there
}

@test "a full disk loses no document, and the index catches up" {
	stop
	mkdir "$BATS_TEST_TMPDIR/small"
	mount -t tmpfs -o size=6m tmpfs "$BATS_TEST_TMPDIR/small"
	BACKING=$BATS_TEST_TMPDIR/small/b
	start
	echo "purple yak" >"$MNT/a.md"
	head -c 20000000 /dev/urandom | base64 >"$MNT/fill.txt" || true
	echo "green gnu" >"$MNT/b.md" || true
	assert_equal "$(cat "$MNT/a.md")" "purple yak"
	rm "$MNT/fill.txt"
	eventually 10 written "$MNT/c.md" "blue boa" # once the reader lets go
	assert_equal "$(paths boa)" c.md
	assert_equal "$(paths yak)" a.md
	stop
	umount "$BATS_TEST_TMPDIR/small"
}

@test "killed on a full disk: the mount starts, and what was acknowledged is there" {
	stop
	mkdir "$BATS_TEST_TMPDIR/small"
	mount -t tmpfs -o size=6m tmpfs "$BATS_TEST_TMPDIR/small"
	BACKING=$BATS_TEST_TMPDIR/small/b
	start
	echo "purple yak" >"$MNT/a.md"
	head -c 20000000 /dev/zero >"$MNT/fill.bin" || true
	for i in $(seq 50); do echo "small doc$i" >"$MNT/s$i.md" && last=$i || break; done 2>/dev/null
	crash
	start
	assert_equal "$(cat "$MNT/a.md")" "purple yak"
	rm "$MNT/fill.bin"
	eventually 10 written "$MNT/c.md" "blue boa"
	eventually 10 indexed
	assert_equal "$(paths 'yak OR boa' | sort | xargs)" "a.md c.md"
	[[ -z ${last:-} ]] || assert_equal "$(paths "+doc$last")" "s$last.md"
	stop
	umount "$BATS_TEST_TMPDIR/small"
}

written() { echo "$2" >"$1"; }

@test "kill -9 again and again under load: nothing acknowledged is lost, nothing replaced comes back" {
	stop
	run timeout $((60 + ${KILL_ROUNDS:-15} * 4)) python3 "$BATS_TEST_DIRNAME/kill_loop.py" \
		"$RANKFS" "$BACKING" "$MNT" "${KILL_ROUNDS:-15}"
	assert_success
	eventually 20 indexed
	stop
	run "$RANKFS" check -b "$BACKING"
	assert_success
}
