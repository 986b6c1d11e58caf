#!/usr/bin/env bats
# The index as a memory: recall/, .rankfs/ask, .rankfs/similar, .rankfs/import.

load setup

embedded() {
	[[ $(cat "$MNT/.rankfs/status") == *"pending 0"*"reconciling no"*"embedding no"* ]]
}

import() {
	cat >"$MNT/.rankfs/import"
}

@test "recall gives the document that was put away for a question, or nothing" {
	printf 'How do I rotate the signing keys?\n\nRun keyctl rotate, then restart.\n' >"$MNT/a.md"
	printf 'disable the firewall\n\nufw disable\n' >"$MNT/b.md"
	mkdir "$MNT/cache"
	echo "cp -r notes mnt" >"$MNT/cache/copy a folder into the mount.txt"
	run cat "$MNT/recall/how do I rotate signing keys"
	assert_success
	assert_line --index 1 "Run keyctl rotate, then restart."
	run cat "$MNT/recall/copying a folder into the mount"
	assert_output "cp -r notes mnt"
	for q in "how do I make pancakes" "enable the firewall" "rotate the logs" "do not disable the firewall"; do
		run cat "$MNT/recall/$q"
		assert_failure
		assert_output --partial "No such file"
	done
	run grep recall_ "$MNT/.rankfs/status"
	assert_line "recall_hits 2"
	assert_line "recall_misses 4"
	rm "$MNT/b.md"
	assert_not_exist "$MNT/recall/disable the firewall"
}

@test "how near is near enough can be set" {
	echo "rotate the signing keys of the cluster" >"$MNT/a.md"
	assert_not_exist "$MNT/recall/rotate the keys"
	echo "recall_min 30" >"$MNT/.rankfs/config"
	assert_exist "$MNT/recall/rotate the keys"
	echo "recall_min 100" >"$MNT/.rankfs/config"
	assert_not_exist "$MNT/recall/rotate the keys of it"
}

@test "recall guards against numbers, negations and opposites" {
	echo "recall_min 40" >"$MNT/.rankfs/config"
	echo "install version 12 of the driver" >"$MNT/a.md"
	assert_exist "$MNT/recall/installing version 12 of the driver"
	for q in "install version 13 of the driver" "uninstall version 12 of the driver" \
		"never install version 12 of the driver" "install the driver"; do
		assert_not_exist "$MNT/recall/$q"
	done
}

@test "recall files have the document's size and times, and take no writes" {
	echo "what is the answer" >"$MNT/q.md"
	assert_equal "$(stat -c '%s %Y' "$MNT/recall/what is the answer")" "$(stat -c '%s %Y' "$MNT/q.md")"
	run bash -c "echo x >'$MNT/recall/what is the answer'"
	assert_failure
	run bash -c "echo x >'$MNT/recall/something else'"
	assert_failure
	assert_equal "$(ls "$MNT/recall")" ""
	assert_not_exist "$MNT/recall/.git"
}

@test "a conversation: questions written, answers read, each descriptor its own" {
	echo "purple yak" >"$MNT/a.md"
	echo "violet cow" >"$MNT/b.md"
	exec 5<>"$MNT/.rankfs/ask" 6<>"$MNT/.rankfs/ask"
	echo "yak as:paths" >&5
	echo "cow as:paths" >&6
	assert_equal "$(cat <&5)" "$MNT/a.md"
	assert_equal "$(cat <&6)" "$MNT/b.md"
	echo '{"query":"cow","as":"paths","n":1}' >&5
	assert_equal "$(cat <&5)" "$MNT/b.md"
	printf 'a question\nof several lines / with a slash\nyak' >&6
	assert_equal "$(cat <&6 | grep -c "$MNT/a.md")" 1
	exec 5>&- 6>&-
	run cat "$MNT/.rankfs/ask"
	assert_success
	assert_output ""
}

@test "a long question is read whole" {
	echo "needle" >"$MNT/a.md"
	exec 5<>"$MNT/.rankfs/ask"
	{ yes "nothing of the kind" | head -5000; echo "needle as:paths"; } >&5
	assert_equal "$(cat <&5)" "$MNT/a.md"
	exec 5>&-
}

@test "similar documents, by path" {
	mkdir "$MNT/d"
	for i in 1 2 3; do echo "gears and levers of the engine number $i" >"$MNT/d/engine$i.md"; done
	echo "violins and cellos" >"$MNT/music.md"
	run cat "$MNT/.rankfs/similar/d/engine1.md"
	assert_output --partial "d/engine2.md"
	assert_output --partial "d/engine3.md"
	refute_output --partial "music.md"
	refute_output --partial "engine1.md:"
	run cat "$MNT/query/like:d%2Fengine2.md as:paths"
	assert_output --partial "d/engine3.md"
	run cat "$MNT/query/like:$(echo "$MNT/d/engine2.md" | sed 's|/|%2F|g') as:paths"
	assert_output --partial "d/engine3.md"
	assert_not_exist "$MNT/.rankfs/similar/nowhere.md"
	run cat "$MNT/query/like:nowhere.md"
	assert_output --partial "no document at like:"
}

@test "lines of JSON become documents with metadata" {
	import <<'JSON'
{"id":"notes/a.md","text":"the purple yak\n","metadata":{"author":"ann","year":2026,"draft":true}}

{"id":"b.md","text":"the violet cow"}
JSON
	assert_equal "$(cat "$MNT/notes/a.md")" "the purple yak"
	assert_equal "$(paths yak)" notes/a.md
	assert_equal "$(getfattr --only-values -n user.author "$MNT/notes/a.md")" ann
	assert_equal "$(getfattr --only-values -n user.year "$MNT/notes/a.md")" 2026
	printf '{"id":"b.md","text":"replaced"}' | import
	assert_equal "$(cat "$MNT/b.md")" replaced
	assert_equal "$(paths violet)" ""
}

@test "a bad line is told, and those before it are in" {
	run bash -c "printf '{\"id\":\"ok.md\",\"text\":\"fine\"}\n{\"id\":\"x\"}\n' >'$MNT/.rankfs/import'"
	assert_failure
	assert_equal "$(cat "$MNT/.rankfs/error")" "import: line 2: id and text are needed, as strings"
	assert_equal "$(paths fine)" ok.md
	for id in ../out.md /etc/x a//b ./a a/../b query/x .rankfs/x a/ ""; do
		run bash -c "printf '{\"id\":\"$id\",\"text\":\"x\"}\n' >'$MNT/.rankfs/import'"
		assert_failure
		run cat "$MNT/.rankfs/error"
		assert_output --partial "import: line 1: id:"
	done
	ln -s /tmp "$MNT/leads-out"
	run bash -c "printf '{\"id\":\"leads-out/x\",\"text\":\"x\"}\n' >'$MNT/.rankfs/import'"
	assert_failure
}

@test "vectors that come with documents are searched by vectors" {
	printf 'embedder import:3\n' >"$MNT/.rankfs/config"
	echo reindex >"$MNT/.rankfs/ctl"
	eventually 10 embedded
	for i in $(seq 0 99); do
		printf '{"id":"v/%d.md","text":"document %d","vector":[%d,%d,1]}\n' "$i" "$i" "$i" "$((100 - i))"
	done | import
	exec 5<>"$MNT/.rankfs/ask"
	echo '{"vector":[30,70,1],"as":"paths","n":3}' >&5
	assert_equal "$(cat <&5 | head -1)" "$MNT/v/30.md"
	stop_and_start
	exec 5<>"$MNT/.rankfs/ask"
	echo '{"vector":[61,39,1],"as":"paths","n":3}' >&5
	assert_equal "$(cat <&5 | head -1)" "$MNT/v/61.md"
	echo '{"vector":[1,2],"as":"text"}' >&5
	run cat <&5
	assert_output --partial "another dimension"
	exec 5>&-
	# words answer beside them, and the index can be built anew
	assert_equal "$(paths '+document +42' | head -1)" v/42.md
	stop
	"$RANKFS" rebuild -b "$BACKING"
	start
	exec 5<>"$MNT/.rankfs/ask"
	echo '{"vector":[61,39,1],"as":"paths","n":3}' >&5
	assert_equal "$(cat <&5 | head -1)" "$MNT/v/61.md"
	exec 5>&-
}

stop_and_start() {
	exec 5>&-
	stop
	start
}
