#!/usr/bin/env bats
# -o multi: many indexes in one mount.

load setup

setup() {
	# bats' own folder is closed to other users
	OPEN=$(mktemp -d "${TMPDIR:-/tmp}/rankfs-tenants-XXXXXX")
	chmod 755 "$OPEN"
	MNT=$OPEN/mnt
	BACKING=$BATS_TEST_TMPDIR/backing
	mkdir "$MNT"
	start -o multi,allow_other
}

teardown() {
	if mountpoint -q "$MNT"; then
		stop || umount -l "$MNT"
	fi
	rmdir "$MNT" "$OPEN"
	! grep -sE 'Sanitizer|runtime error|died at start' "$BATS_TEST_TMPDIR"/log*
}

daemon_pid() {
	cat "$BACKING/LOCK"
}

# as USER COMMAND...: by another user, without groups
as() {
	setpriv --reuid "$1" --regid "$1" --clear-groups "${@:2}"
}

can_switch() {
	as 1000 true 2>/dev/null || skip "no other user can be taken on here"
	as 1000 ls "$OPEN" >/dev/null
}

@test "mkdir makes an index, with the same tree; rmdir and rm -r remove it" {
	mkdir "$MNT/alice" "$MNT/bob"
	assert_equal "$(ls "$MNT" | xargs)" "alice bob query"
	echo "rotate the alpha keys" >"$MNT/alice/a.md"
	run cat "$MNT/alice/query/rotate"
	assert_line --index 1 --partial "$MNT/alice/a.md:1:"
	run cat "$MNT/bob/query/rotate"
	assert_output --partial "no hits"
	run rmdir "$MNT/alice"
	assert_failure
	rmdir "$MNT/bob"
	rm -r "$MNT/alice"
	assert_equal "$(ls "$MNT")" query
	empty() { [[ -z $(ls -A "$BACKING/indexes") ]]; }
	eventually 5 empty
	for bad in query .rankfs .hidden "$(printf 'x%.0s' {1..70})"; do
		run mkdir "$MNT/$bad"
		assert_failure
	done
	run sh -c "echo x >'$MNT/file'"
	assert_failure
}

@test "query/ at the top searches all, with scores that compare" {
	mkdir "$MNT/a" "$MNT/b"
	# "alpha" is rare over all, common in a: its weight must be the same in both
	for i in $(seq 20); do echo "alpha common $i" >"$MNT/a/$i.md"; done
	for i in $(seq 200); do echo "beta common $i" >"$MNT/b/$i.md"; done
	echo "alpha beta" >"$MNT/a/x.md"
	echo "alpha beta" >"$MNT/b/x.md"
	run cat "$MNT/query/alpha beta n:2 as:jsonl"
	local one two
	one=$(jq -r 'select(.rank==1) | .lanes.lexical.score' <<<"$output")
	two=$(jq -r 'select(.rank==2) | .lanes.lexical.score' <<<"$output")
	assert_equal "$(jq -r .path <<<"$output" | sort | xargs)" "$MNT/a/x.md $MNT/b/x.md"
	awk -v a="$one" -v b="$two" 'BEGIN { exit !(a - b < 1e-6 && b - a < 1e-6) }'
	run cat "$MNT/query/common n:5 page:2"
	assert_line --index 0 --regexp '^# rankfs 1 hits=5/220 '
	assert_equal "$(cat "$MNT/query/%2Falpha.*9%2F as:paths" | xargs)" "$MNT/a/19.md $MNT/a/9.md"
}

@test "a document is found at the top by the next query after it is closed" {
	mkdir "$MNT/a" "$MNT/b"
	cat "$MNT/query/late" >/dev/null
	for i in $(seq 30); do
		echo "late number$i" >"$MNT/b/$i.md"
		assert_equal "$(head -1 "$MNT/query/late n:1" | cut -d' ' -f4)" "hits=1/$i"
	done
	chmod 700 "$MNT/b"
	assert_equal "$(head -1 "$MNT/query/late n:1" | cut -d' ' -f4)" "hits=1/30"
}

@test "one index of all documents and many of parts of them rank alike" {
	mkdir "$MNT/all" "$MNT/p1" "$MNT/p2" "$MNT/p3"
	local k=0
	for f in /usr/share/doc/{bash,git,gcc-12-base,coreutils,sed,tar,grep}/{README,copyright,NEWS,changelog}*; do
		[[ -f $f && $f != *.gz ]] || continue
		k=$((k + 1))
		cp "$f" "$MNT/all/$k.txt"
		cp "$f" "$MNT/p$((k % 3 + 1))/$k.txt"
	done
	((k >= 5))
	# without the whole, the parts together give the same order
	for q in "license warranty" "shell history" "bug report address"; do
		cat "$MNT/all/query/$q mode:lexical as:paths n:5" | sed 's|.*/||' >"$BATS_TEST_TMPDIR/$q"
	done
	rm -r "$MNT/all"
	for q in "license warranty" "shell history" "bug report address"; do
		assert_equal "$(cat "$MNT/query/$q as:paths n:5" | sed 's|.*/||')" "$(cat "$BATS_TEST_TMPDIR/$q")"
	done
}

@test "indexes are closed when there are too many, and opened again" {
	stop
	start -o multi,open=2
	for t in 1 2 3 4 5; do
		mkdir "$MNT/t$t"
		echo "word tenant$t" >"$MNT/t$t/a.md"
	done
	for round in early late; do
		for t in 1 2 3 4 5; do
			run cat "$MNT/t$t/query/tenant$t"
			assert_output --partial "t$t/a.md"
			echo "$round" >"$MNT/t$t/$round.md"
		done
	done
	few() { cat "$MNT/t1/query/x" "$MNT/t2/query/x" >/dev/null; (($(awk '/^open / { print $2 }' "$MNT/.rankfs/status") <= 4)); }
	eventually 20 few
	run cat "$MNT/query/late as:paths n:100"
	assert_equal "${#lines[@]}" 5
	# a daemon that dies loses nothing, whichever are open
	crash
	start -o multi,open=2
	run cat "$MNT/query/late as:paths n:100"
	assert_equal "${#lines[@]}" 5
	for t in 1 2 3 4 5; do assert_equal "$(cat "$MNT/t$t/a.md")" "word tenant$t"; done
}

@test "what a caller may not read is in no answer and no count" {
	can_switch
	mkdir -m 700 "$MNT/secret"
	mkdir -m 755 "$MNT/open"
	echo "the purple yak secret" >"$MNT/secret/s.md"
	echo "the purple gnu" >"$MNT/open/o.md"
	run cat "$MNT/query/purple"
	assert_line --index 0 --partial "hits=2/2"
	run as 1000 cat "$MNT/query/purple"
	assert_line --index 0 --partial "hits=1/1"
	refute_output --partial "secret"
	run as 1000 cat "$MNT/query/yak"
	assert_line --index 0 --regexp 'hits=0/0 .*pending=0'
	refute_output --partial "did you mean"
	run as 1000 cat "$MNT/query/yakk"
	refute_output --partial "yak "
	# also after root has asked the same, and the other way round
	run cat "$MNT/query/yak"
	assert_line --index 0 --partial "hits=1/1"
	run as 1000 cat "$MNT/query/yak"
	assert_line --index 0 --partial "hits=0/0"
	for p in secret secret/query/yak secret/.rankfs/status secret/s.md; do
		run as 1000 cat "$MNT/$p"
		assert_failure
	done
	# a weight that a hidden index has no part in: the same with and without it
	local with without
	with=$(as 1000 cat "$MNT/query/purple as:json" | jq '.hits[0].lanes')
	rm -r "$MNT/secret"
	without=$(as 1000 cat "$MNT/query/purple as:json" | jq '.hits[0].lanes')
	assert_equal "$with" "$without"
}

@test "others make indexes where the top lets them, and own them" {
	can_switch
	run as 1000 mkdir "$MNT/theirs"
	assert_failure
	chmod 1777 "$MNT"
	as 1000 mkdir "$MNT/theirs"
	assert_equal "$(stat -c %u "$MNT/theirs")" 1000
	as 1000 sh -c "echo 'rotate keys' >'$MNT/theirs/a.md'"
	as 1000 ln -s "rotate keys" "$MNT/theirs/query/mine"
	as 1000 sh -c "echo checkpoint >'$MNT/theirs/.rankfs/ctl'"
	run as 1001 sh -c "echo checkpoint >'$MNT/theirs/.rankfs/ctl'"
	assert_failure
	run as 1001 ln -s x "$MNT/theirs/query/other"
	assert_failure
	run as 1001 rm -r "$MNT/theirs"
	assert_failure
	as 1000 rm -r "$MNT/theirs"
	assert_not_exist "$MNT/theirs"
}

@test "quotas end in EDQUOT, and give back what is removed" {
	mkdir "$MNT/t"
	echo "quota t 10K 3" >"$MNT/.rankfs/ctl"
	head -c 8000 /dev/zero >"$MNT/t/a"
	run sh -c "head -c 8000 /dev/zero >'$MNT/t/b'"
	assert_failure
	assert_output --partial "quota"
	rm "$MNT/t/a" "$MNT/t/b"
	head -c 9000 /dev/zero >"$MNT/t/a"
	run truncate -s 20000 "$MNT/t/a"
	assert_failure
	truncate -s 100 "$MNT/t/a"
	touch "$MNT/t/b" "$MNT/t/c"
	run touch "$MNT/t/d"
	assert_failure
	mv "$MNT/t/b" "$MNT/t/c"
	touch "$MNT/t/d"
	run grep quota "$MNT/t/.rankfs/status"
	assert_line "quota_bytes 100 of 10240"
	assert_line "quota_files 3 of 3"
	stop
	start -o multi
	run touch "$MNT/t/e"
	assert_failure
	echo "quota t 0 0" >"$MNT/.rankfs/ctl"
	touch "$MNT/t/e"
	for line in "quota t" "quota nobody 1 1" "expire x" "remove ../t" "unknown"; do
		run sh -c "echo '$line' >'$MNT/.rankfs/ctl'"
		assert_failure
	done
}

@test "a quota that cannot be meant is refused" {
	mkdir "$MNT/alice"
	local bad
	for bad in "alice 17179869184G 5" "alice 99999999999999999999 5" "alice -1 5" "alice 5X 5" "alice 5" "alice 5 -1" "alice K 5"; do
		run sh -c "echo 'quota $bad' >'$MNT/.rankfs/ctl'"
		assert_failure
	done
	echo "quota alice 1K 5" >"$MNT/.rankfs/ctl"
	run sh -c "head -c 2000 /dev/zero >'$MNT/alice/big'"
	assert_failure
	stop
	start -o multi,allow_other
	run sh -c "head -c 2000 /dev/zero >'$MNT/alice/big'"
	assert_failure
}

@test "what nobody has opened for long goes, if it is asked for" {
	mkdir "$MNT/old" "$MNT/new"
	echo x >"$MNT/old/a.md"
	echo x >"$MNT/new/a.md"
	cat "$MNT/query/x" >/dev/null
	stop
	touch -d "40 days ago" "$BACKING/indexes/old/LOCK"
	start -o multi
	echo "expire 30" >"$MNT/.rankfs/ctl"
	assert_equal "$(ls "$MNT" | xargs)" "new query"
	mkdir "$MNT/other"
	echo x >"$MNT/other/a.md"
	stop
	touch -d "40 days ago" "$BACKING/indexes/other/LOCK"
	start -o multi,expire=30
	gone_now() { [[ $(ls "$MNT" | xargs) == "new query" ]]; }
	eventually 5 gone_now
	empty() { [[ $(ls -A "$BACKING/indexes") == new ]]; }
	eventually 5 empty
}

@test "an index is renamed; nothing moves between two but by copying" {
	mkdir "$MNT/a" "$MNT/b"
	echo "rotate the keys" >"$MNT/a/x.md"
	mv "$MNT/a" "$MNT/c"
	run cat "$MNT/c/query/rotate"
	assert_output --partial "$MNT/c/x.md"
	mv "$MNT/c/x.md" "$MNT/b/"
	run cat "$MNT/query/rotate as:paths"
	assert_output "$MNT/b/x.md"
	run ln "$MNT/b/x.md" "$MNT/c/y.md"
	assert_failure
}

@test "the backing folder is one daemon's" {
	mkdir "$BATS_TEST_TMPDIR/mnt2"
	run "$RANKFS" -o multi "$BACKING" "$BATS_TEST_TMPDIR/mnt2"
	assert_failure
	assert_output --partial "in use by"
}

@test "commands take the name of an index" {
	mkdir "$MNT/a"
	echo "rotate the keys" >"$MNT/a/x.md"
	cat "$MNT/a/query/rotate" >/dev/null
	run "$RANKFS" search -b "$BACKING" -i a rotate
	assert_line --index 1 --partial "$BACKING/indexes/a/files/x.md:1:"
	stop
	run "$RANKFS" check -b "$BACKING" --index a
	assert_success
	assert_output --partial "1 documents"
	run "$RANKFS" check -b "$BACKING" -i ../a
	assert_failure
}

@test "queries over all are told of changes, too" {
	mkdir "$MNT/a" "$MNT/b"
	echo "the purple yak" >"$MNT/a/a.md"
	cat "$MNT/query/purple" >/dev/null
	inotifywait -q -t 10 -e modify "$MNT/query/purple" >"$BATS_TEST_TMPDIR/ev" 3>&- 4>&- &
	local w=$! n=0
	# until it watches, and is told
	told() { n=$((n + 1)); echo "purple $n" >"$MNT/b/$n.md"; [[ -s $BATS_TEST_TMPDIR/ev ]]; }
	eventually 10 told
	wait "$w"
}

@test "what an owner imports is the owner's" {
	can_switch
	mkdir "$MNT/alice"
	chown 1000:1000 "$MNT/alice"
	as 1000 sh -c "echo '{\"id\":\"new/a.md\",\"text\":\"yak\"}' >'$MNT/alice/.rankfs/import'"
	assert_equal "$(stat -c '%u:%g %a' "$MNT/alice/new/a.md")" "1000:1000 644"
	assert_equal "$(stat -c '%u:%g' "$MNT/alice/new")" "1000:1000"
	as 1000 sh -c "echo more >>'$MNT/alice/new/a.md'"
}
