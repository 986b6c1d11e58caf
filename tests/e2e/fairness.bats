#!/usr/bin/env bats
# One user of many takes the service from nobody (fs/base/users.c).

load setup

A=12345 # has thousands of everything
B=12346

as() {
	setpriv --reuid "$1" --regid "$1" --clear-groups "${@:2}"
}

setup() {
	OPEN=$(mktemp -d "${TMPDIR:-/tmp}/rankfs-fair-XXXXXX")
	chmod 755 "$OPEN"
	MNT=$OPEN/mnt
	BACKING=$BATS_TEST_TMPDIR/backing
	mkdir "$MNT"
	start -o allow_other
	chmod 755 "$MNT"
	cp "$BATS_TEST_DIRNAME/greedy.py" "$OPEN"
	chmod 644 "$OPEN/greedy.py"
}

teardown() {
	[[ -z ${GREEDY:-} ]] || kill "$GREEDY" 2>/dev/null || :
	[[ -z ${WATCHER:-} ]] || kill "$WATCHER" 2>/dev/null || :
	if mountpoint -q "$MNT"; then
		eventually 10 stop || umount -l "$MNT"
	fi
	rm -r "$OPEN"
	! grep -sE 'Sanitizer|runtime error|died at start' "$BATS_TEST_TMPDIR"/log*
}

# greedy WHAT N: user A has N of it, and keeps them; a line says how many
greedy() {
	ulimit -n 20000
	# not by a function, whose process would be another
	setpriv --reuid $A --regid $A --clear-groups /usr/bin/python3 "$OPEN/greedy.py" "$MNT" "$1" "$2" >"$BATS_TEST_TMPDIR/greedy" 2>&1 3>&- &
	GREEDY=$!
	eventually 60 grep -q "^has" "$BATS_TEST_TMPDIR/greedy"
}

has() {
	sed -n 's/^has //p' "$BATS_TEST_TMPDIR/greedy"
}

modified() {
	grep -q MODIFY "$BATS_TEST_TMPDIR/events"
}

watching() {
	grep -q "^Watches established" "$BATS_TEST_TMPDIR/events"
}

@test "5,000 queries that one user watches stop nobody's else" {
	for i in $(seq 50); do echo "word$i purple" >"$MNT/$i.md"; done
	greedy watch 5000
	assert_equal "$(has)" 5000
	setpriv --reuid $B --regid $B --clear-groups inotifywait -m -e modify --format '%w %e' "$MNT/query/purple yak" >"$BATS_TEST_TMPDIR/events" 2>&1 3>&- &
	WATCHER=$!
	eventually 10 watching
	echo "the purple yak, word1 word2 word3" >"$MNT/new.md"
	eventually 10 modified
}

rss() {
	awk '/^VmRSS/ { print $2 }' "/proc/$(daemon_pid)/status"
}

less_than() {
	(($(rss) < $1))
}

@test "conversations and answers that one user keeps open have an end, and give back what they took" {
	for i in $(seq 200); do seq -f "purple yak number %.0f of $i" 200 >"$MNT/$i.md"; done
	cat "$MNT/query/purple n:200" >/dev/null
	local before
	before=$(rss)
	for what in ask answers; do
		greedy $what 5000
		(($(has) >= 50 && $(has) <= 2048))
		assert [ "$(rss)" -lt $((before + 150000)) ]
		run as $A cat "$MNT/.rankfs/error"
		assert_output --partial "too many virtual files"
		# meanwhile another asks, and reads
		run as $B cat "$MNT/query/purple n:1"
		assert_output --partial "hits=1"
		run as $B bash -c 'exec 9<>"$1" && echo "purple yak" >&9 && cat <&9' _ "$MNT/.rankfs/ask"
		assert_output --partial "hits="
		kill "$GREEDY"
		wait "$GREEDY" || :
		eventually 20 less_than $((before + 30000)) || { echo "$what: $before, now $(rss)"; false; }
	done
	as $A cat "$MNT/query/purple n:2" >/dev/null
}

@test "many searches of one user let one of another through" {
	for i in $(seq 300); do seq -f "purple yak number %.0f of $i" 300 >"$MNT/$i.md"; done
	eventually 20 indexed
	greedy search 300
	local start=$EPOCHREALTIME
	as $B cat "$MNT/query/%2Fyak.*7 of%2F n:1" >/dev/null
	local took=$(((${EPOCHREALTIME/./} - ${start/./}) / 1000))
	echo "took $took ms"
	# A's are far from done
	run kill -0 "$GREEDY"
	assert_success
	run cat "$BATS_TEST_TMPDIR/greedy"
	refute_output --partial "done"
}
