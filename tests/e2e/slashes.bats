#!/usr/bin/env bats
# Names with slashes in query/ and recall/ are longer texts.

load setup

bats_require_minimum_version 1.5.0

setup() {
	MNT=$BATS_TEST_TMPDIR/mnt
	BACKING=$BATS_TEST_TMPDIR/backing
	mkdir "$MNT"
	# other users must get to the mount point
	local d=$BATS_TEST_TMPDIR
	until [[ $d == / ]]; do
		chmod o+x "$d"
		d=$(dirname "$d")
	done
	start -o allow_other
	chmod 755 "$MNT"
	mkdir -p "$MNT/src/net"
	echo "the TCP/IP stack, in short" >"$MNT/src/net/tcp.md"
	echo "the purple yak" >"$MNT/yak.md"
}

teardown() {
	for p in ${PIDS:-}; do kill "$p" 2>/dev/null || :; done
	if mountpoint -q "$MNT"; then
		stop || umount -l "$MNT"
	fi
	! grep -sE 'Sanitizer|runtime error|died at start' "$BATS_TEST_TMPDIR"/log*
}

@test "a query with slashes is read like any other, whoever opens it how" {
	local want=$MNT/src/net/tcp.md q="stack path:src/** as:paths"
	assert_equal "$(cat "$MNT/query/$q")" "$want"
	assert_equal "$(<"$MNT/query/$q")" "$want"
	assert_equal "$(head -1 "$MNT/query/$q")" "$want"
	assert_equal "$(cd "$MNT" && cat "query/$q")" "$want"
	assert_equal "$(cd "$MNT/query" && cat "$q")" "$want"
	assert_equal "$(cd "$MNT/src" && cat "../query/$q")" "$want"
	assert_equal "$(cat "$MNT/query/./$q")" "$want"
	assert_equal "$(cat "$MNT//src/..//query///$q")" "$want"
	assert_equal "$(stat -c %s "$MNT/query/$q")" $((${#want} + 1))
	test -f "$MNT/query/$q"
	test -r "$MNT/query/$q"
	cp "$MNT/query/$q" "$BATS_TEST_TMPDIR/copy"
	assert_equal "$(cat "$BATS_TEST_TMPDIR/copy")" "$want"
	assert_equal "$(python3 -c 'import os, sys
d = os.open(sys.argv[1], os.O_RDONLY)
print(os.read(os.open(sys.argv[2], os.O_RDONLY, dir_fd=d), 99).decode(), end="")' "$MNT/query" "$q")" "$want"
	assert_equal "$(python3 -c 'import os, sys
print(open(os.path.realpath(sys.argv[1])).read(), end="")' "$MNT/query/$q")" "$want"
	ln -s "$MNT/query" "$BATS_TEST_TMPDIR/q"
	assert_equal "$(cat "$BATS_TEST_TMPDIR/q/$q")" "$want"
	assert_equal "$(readlink -f "$MNT/query/$q")" "$MNT/query/$q"
	assert_equal "$(git hash-object "$MNT/query/$q")" "$(echo "$want" | git hash-object --stdin)"
}

@test "it is the same file as the one whose slashes are written %2F" {
	assert_equal "$(stat -c %i "$MNT/query/the TCP/IP stack")" "$(stat -c %i "$MNT/query/the TCP%2FIP stack")"
	run cat "$MNT/query/what goes in /usr/share as:json"
	assert_equal "$(jq -r .query <<<"$output")" "what goes in /usr/share as:json"
	run cat "$MNT/query/=a/b/c/d/e/.hidden as:json"
	assert_equal "$(jq -r .query <<<"$output")" "a/b/c/d/e/.hidden as:json"
}

@test "one name is a query and the beginning of longer ones, at any time" {
	local i
	for i in $(seq 30); do
		run cat "$MNT/query/TCP"
		assert_line --index 1 --partial tcp.md
		run cat "$MNT/query/TCP/IP"
		assert_line --index 1 --partial tcp.md
		test -f "$MNT/query/TCP"
		test -f "$MNT/query/TCP/IP"
		run cat "$MNT/query/TCP/IP/stack as:json"
		assert_equal "$(jq -r .query <<<"$output")" "TCP/IP/stack as:json"
	done
	# the same word twice
	run cat "$MNT/query/query/query as:json"
	assert_equal "$(jq -r .query <<<"$output")" "query/query as:json"
	run cat "$MNT/query/yak/yak/yak as:json"
	assert_equal "$(jq -r .query <<<"$output")" "yak/yak/yak as:json"
	run cat "$MNT/query/query as:json"
	assert_equal "$(jq -r .query <<<"$output")" "query as:json"
}

@test "many at once do not get into each other's way" {
	cat >"$BATS_TEST_TMPDIR/many.py" <<-'END'
		import sys, threading, json
		q, bad = sys.argv[1] + "/query/", []
		def ask(text):
		    for i in range(150):
		        try:
		            got = json.load(open(q + text + " as:json"))["query"]
		        except OSError as e:
		            got = str(e)
		        if got != text + " as:json":
		            bad.append((text, got))
		ts = [threading.Thread(target=ask, args=(t,)) for t in ("TCP", "TCP/IP", "TCP/IP/x", "TCP as/x") * 2]
		[t.start() for t in ts]
		[t.join() for t in ts]
		print(bad[:5])
		sys.exit(bool(bad))
	END
	run timeout 100 python3 "$BATS_TEST_TMPDIR/many.py" "$MNT"
	assert_success
}

watching() {
	(($(cat /proc/"$1"/fdinfo/* 2>/dev/null | grep -c ^inotify) >= $2))
}
told() {
	(($(grep -c "$1 MODIFY" "$BATS_TEST_TMPDIR/events") >= $2))
}

@test "watches of a query, and of a longer one, survive who reads the other" {
	run cat "$MNT/query/TCP" "$MNT/query/TCP/IP"
	inotifywait -m -q -e modify --format '%w %e' "$MNT/query/TCP" "$MNT/query/TCP/IP" \
		>"$BATS_TEST_TMPDIR/events" 2>/dev/null 3>&- 4>&- &
	PIDS=$!
	eventually 5 watching $! 2
	local i
	for i in 1 2 3; do
		run cat "$MNT/query/TCP"
		assert_success
		run cat "$MNT/query/TCP/IP"
		assert_success
		echo "TCP/IP once more, number $i" >"$MNT/more$i.md"
		eventually 5 told "query/TCP" "$i"
		eventually 5 told "query/TCP/IP" "$i"
	done
	if echo 2 >/proc/sys/vm/drop_caches 2>/dev/null; then
		echo "TCP/IP the last" >"$MNT/last.md"
		eventually 5 told "query/TCP" 4
		eventually 5 told "query/TCP/IP" 4
	fi
}

@test "tail -F and open files of a longer query see its answers" {
	exec 7<"$MNT/query/TCP/IP as:paths"
	tail -n +1 -F "$MNT/query/TCP/IP" >"$BATS_TEST_TMPDIR/tail" 2>/dev/null 3>&- 4>&- &
	PIDS=$!
	shown() { grep -q "$1" "$BATS_TEST_TMPDIR/tail"; }
	eventually 5 shown tcp.md
	cat "$MNT/query/TCP" >/dev/null
	echo "TCP/IP again" >"$MNT/again.md"
	eventually 10 shown again.md
	assert_equal "$(cat <&7)" "$MNT/src/net/tcp.md"
	exec 7<&-
}

@test "a slash at the end, .. and what programs look for stay what they were" {
	run cat "$MNT/query/TCP/"
	assert_failure
	assert_output --partial "Not a directory"
	run ls "$MNT/query/TCP/.."
	assert_failure
	for n in .hidden TCP/.hidden TCP/IP~ TCP/.IP.swp .git/config; do
		run cat "$MNT/query/$n"
		assert_failure
		assert_output --partial "No such file"
	done
	run mkdir "$MNT/query/TCP/IP"
	assert_failure
	run sh -c "echo x >'$MNT/query/TCP/IP'"
	assert_failure
	run rm "$MNT/query/TCP/IP"
	assert_failure
	assert_equal "$(ls "$MNT/query")" README
	local long
	long=$(printf 'x%.0s' {1..250})
	run cat "$MNT/query/$long/$long/$long/$long/$long"
	assert_failure
	assert_output --partial "name too long"
}

@test "what is saved may have slashes" {
	ln -s "stack path:src/**" "$MNT/query/net"
	assert_equal "$(readlink "$MNT/query/net")" "stack path:src%2F**"
	run cat "$MNT/query/net"
	assert_line --index 1 --partial tcp.md
	ln -sf "TCP/IP" "$MNT/query/net"
	run cat "$MNT/query/net"
	assert_line --index 1 --partial tcp.md
	run ls "$MNT/find/net"
	assert_output --partial tcp.md
	run ln -s /etc/passwd "$MNT/query/bad"
	assert_failure
	run ln -s ../src "$MNT/query/bad"
	assert_failure
}

@test "recall/ takes slashes, too" {
	mkdir "$MNT/cache"
	echo "Both, and ICMP." >"$MNT/cache/what is the difference of TCP%2FIP and UDP.md"
	echo "ask me: is it and/or" >"$MNT/cache/q.md"
	run cat "$MNT/recall/ask me: is it and/or"
	assert_output "ask me: is it and/or"
	run cat "$MNT/recall/something/else/altogether"
	assert_failure
	assert_output --partial "No such file"
}

as() {
	setpriv --reuid "$1" --regid "$1" --clear-groups "${@:2}"
}

@test "another user's queries, too" {
	as 12345 true 2>/dev/null || skip "no other user can be taken on here"
	run as 12345 cat "$MNT/query/stack path:src/** as:paths"
	assert_output "$MNT/src/net/tcp.md"
}

@test "over many indexes" {
	stop
	BACKING=$BATS_TEST_TMPDIR/many
	start -o multi
	mkdir "$MNT/a"
	echo "the TCP/IP stack" >"$MNT/a/tcp.md"
	run cat "$MNT/query/TCP/IP as:paths"
	assert_output "$MNT/a/tcp.md"
	run cat "$MNT/a/query/TCP/IP as:paths"
	assert_output "$MNT/a/tcp.md"
	rm -r "$MNT/a"
}

@test "a checkpoint's queries" {
	echo checkpoint >"$MNT/.rankfs/ctl"
	local n
	n=$(find "$MNT/.rankfs/at" -mindepth 1 -printf '%f\n' | sort -n | tail -1)
	run cat "$MNT/.rankfs/at/$n/query/TCP/IP as:paths"
	assert_success
	assert_output --partial tcp.md
}

@test "a plain user's daemon: his own programs, and of others what they were started with" {
	can_mount_as_user
	local d
	d=$(mktemp -d "${TMPDIR:-/tmp}/rankfs-slashes-XXXXXX")
	mkdir "$d/m"
	cp "$(readlink -f "$RANKFS")" "$d/rankfs"
	chown -R nobody "$d"
	chmod 755 "$d"
	# the text is no argument of the shells, but where cat has it
	cat >"$d/try" <<-'END'
		set -e
		nobody() { setpriv --reuid nobody --regid nogroup --clear-groups "$@"; }
		nobody "$1/rankfs" -o allow_other "$1/b" "$1/m"
		trap 'nobody "$1/rankfs" umount "$1/m"' EXIT
		nobody sh -c 'echo "the TCP/IP stack" >"$1/m/a.md"' _ "$1"
		nobody sh -c 'q=TCP/IP; cat <"$1/m/query/$q" >/dev/null' _ "$1"
		cat "$1/m/query/TCP/IP" "$1/m/query/TCP%2FIP" | grep -c "a.md:1:"
		cat "$1/m/query/TCP" | grep -c "a.md:1:"
		q=TCP/IP
		if : <"$1/m/query/$q"; then echo "root's redirection works, too"; fi
	END
	run with_device "$d/dev" bash "$d/try" "$d"
	rm -rf "$d"
	assert_success
	assert_line --index 0 2
	assert_line --index 1 1
	assert_line --index 2 --partial "Not a directory"
}
