#!/usr/bin/env bats
# find/<text>/: results as folders.

load setup

fill() {
	mkdir -p "$MNT/src" "$MNT/notes"
	echo "rotate the keys quarterly" >"$MNT/a.md"
	echo 'int rotate_keys(void) { return 1; } /* rotate keys */' >"$MNT/src/k.c"
	printf -- '---\ntags: [ops, keys]\n---\nrotate keys now please\n' >"$MNT/notes/t.md"
}

names() {
	(cd "$MNT/find/$1" && printf '%s\n' [0-9]*) 2>/dev/null | xargs
}

@test "hits are numbered regular files with their origin and exact sizes" {
	fill
	assert_equal "$(names "rotate keys" | wc -w)" 3
	local f
	for f in "$MNT/find/rotate keys/"[0-9]*; do
		assert_equal "$(stat -c '%F %s' "$f")" "regular file $(wc -c <"$f")"
	done
	run cat "$MNT/find/quarterly/01-a.md"
	assert_line "path: $MNT/a.md"
	assert_line "lines: 1-1"
	assert_line "sha256: $(sha256sum "$MNT/a.md" | cut -d' ' -f1)"
	assert_line --regexp '^ref: [0-9a-f]{16}$'
	assert_line --regexp '^tokens: [0-9]+$'
	assert_line "rotate the keys quarterly"
}

@test "files/ has links to the documents, for opening and editing" {
	fill
	assert_equal "$(readlink "$MNT/find/quarterly/files/01-a.md")" "$MNT/a.md"
	echo "more" >>"$MNT/find/quarterly/files/01-a.md"
	run cat "$MNT/a.md"
	assert_line "more"
}

@test "another name narrows down" {
	fill
	assert_equal "$(names "rotate keys/quarterly")" "01-a.md"
	assert_equal "$(names "rotate keys/ext:c")" "01-k.c"
	assert_equal "$(names "rotate keys/quarterly/ext:c")" "[0-9]*"
}

@test "facets narrow down, with links" {
	fill
	assert_equal "$(ls "$MNT/find/rotate keys/by-ext" | sort | xargs)" "c md"
	assert_equal "$(ls "$MNT/find/rotate keys/by-dir" | sort | xargs)" "notes src"
	assert_equal "$(ls "$MNT/find/rotate keys/by-tag" | sort | xargs)" "keys ops"
	assert_equal "$(readlink "$MNT/find/rotate keys/by-ext/c/01-k.c")" "$MNT/src/k.c"
	assert_equal "$(readlink "$MNT/find/rotate keys/by-tag/ops/01-t.md")" "$MNT/notes/t.md"
	assert_equal "$(readlink "$MNT/find/rotate keys/by-dir/src/01-k.c")" "$MNT/src/k.c"
}

@test "a folder that is called files is a value of by-dir like any other" {
	fill
	mkdir "$MNT/files"
	echo "rotate the keys of files" >"$MNT/files/f.md"
	assert_equal "$(names "rotate keys" | wc -w)" 4
	assert_equal "$(names "rotate keys/by-dir/files")" "01-f.md"
	assert_equal "$(names "rotate keys/by-dir/files/files")" "01-f.md"
	assert_equal "$(readlink "$MNT/find/rotate keys/by-dir/files/01-f.md")" "$MNT/files/f.md"
	assert_equal "$(names "rotate keys/by-ext/files")" "[0-9]*"
}

@test "a walk ends, and sees each text once" {
	fill
	assert_equal "$(timeout 20 grep -rl quarterly "$MNT/find/rotate keys" | wc -l)" 1
	assert_equal "$(timeout 20 find "$MNT/find/rotate keys" -type f | wc -l)" 3
	timeout 20 cp -r "$MNT/find/rotate keys" "$BATS_TEST_TMPDIR/copy"
	assert_equal "$(cat "$BATS_TEST_TMPDIR"/copy/[0-9]* | sha256sum)" "$(cat "$MNT/find/rotate keys"/[0-9]* | sha256sum)"
}

@test "what a listing showed stays while it is used, and the next listing is new" {
	fill
	cd "$MNT/find/rotate keys"
	assert_equal "$(ls | grep -c '^0')" 3
	echo "rotate the new keys rotate keys" >"$MNT/new.md"
	local f
	for f in 01 02 03; do cat $f-* >/dev/null; done
	assert_equal "$(ls | grep -c '^0')" 4
	cd /
}

@test "lines that match a pattern are a file a document" {
	fill
	run cat "$MNT/find/%2Frotate_[a-z]+%2F/01-k.c"
	assert_line '1:int rotate_keys(void) { return 1; } /* rotate keys */'
}

@test "rm demotes and ln pins in the folder of a saved query, for good; ctl undoes" {
	fill
	echo "about something else" >"$MNT/other.md"
	ln -s "rotate keys" "$MNT/query/keys"
	assert_equal "$(ls "$MNT/find")" keys
	local first
	first=$(names keys | cut -d' ' -f1)
	rm "$MNT/find/keys/$first"
	assert_equal "$(names keys | wc -w)" 2
	refute [ "$(names keys | tr ' ' '\n' | grep -c "${first#01}")" -gt 0 ]
	assert_equal "$(names "rotate keys" | wc -w)" 3
	ln "$MNT/other.md" "$MNT/find/keys/"
	assert_equal "$(names keys | cut -d' ' -f1)" "01-other.md"
	run cat "$MNT/find/keys/01-other.md"
	assert_line "pinned: yes"
	stop
	start
	assert_equal "$(names keys | cut -d' ' -f1)" "01-other.md"
	assert_equal "$(names keys | wc -w)" 3
	assert_exist "$MNT/${first#01-}" || assert_exist "$MNT/src/${first#01-}" || assert_exist "$MNT/notes/${first#01-}"
	echo "unmark keys" >"$MNT/.rankfs/ctl"
	assert_equal "$(names keys)" "$(names "rotate keys")"
}

@test "pages of a saved query are one list in pieces, whatever was removed and pinned" {
	local i
	for i in $(seq 1 9); do
		{ for _ in $(seq "$i" 9); do echo zebra; done; for _ in $(seq "$i"); do echo filling; done; } >"$MNT/$i.md"
	done
	for i in 1 2 3; do ln -s "zebra n:3 page:$i mode:lexical" "$MNT/query/p$i"; done
	assert_equal "$(names p1) $(names p2) $(names p3)" "01-1.md 02-2.md 03-3.md 01-4.md 02-5.md 03-6.md 01-7.md 02-8.md 03-9.md"
	rm "$MNT/find/p2/01-4.md" "$MNT/find/p2/02-5.md"
	assert_equal "$(names p2)" "01-6.md 02-7.md 03-8.md"
	rm "$MNT/find/p2/01-6.md"
	assert_equal "$(names p2)" "01-7.md 02-8.md 03-9.md"
	ln "$MNT/9.md" "$MNT/find/p1/"
	assert_equal "$(names p1)" "01-9.md 02-1.md 03-2.md"
	ln "$MNT/1.md" "$MNT/find/p3/"
	assert_equal "$(names p3)" "01-7.md 02-8.md 03-9.md"
}

@test "two hits can be removed in one command" {
	fill
	ln -s "rotate keys" "$MNT/query/keys"
	(cd "$MNT/find/keys" && rm 01-* 02-*)
	assert_equal "$(names keys | wc -w)" 1
}

@test "rm -r of results is harmless" {
	fill
	run rm -r "$MNT/find/rotate keys"
	assert_failure
	run cat "$MNT/.rankfs/error"
	assert_output --partial "saved query"
	assert_equal "$(names "rotate keys" | wc -w)" 3
	assert_exist "$MNT/a.md"
	run mkdir "$MNT/find/x/y"
	assert_failure
	run sh -c "echo x >'$MNT/find/x/y'"
	assert_failure
}

@test "no hits are an empty folder" {
	fill
	assert_equal "$(ls "$MNT/find/zebra")" ""
}

@test "thousands of folders are forgotten again" {
	for i in $(seq 20); do echo "document $i common words" >"$MNT/$i.md"; done
	ls "$MNT/find/common" >/dev/null
	local pid before after
	pid=$(daemon_pid)
	before=$(awk '/RssAnon/ { print $2 }' "/proc/$pid/status")
	for i in $(seq 1500); do printf '%s\0' "$MNT/find/common w$i"; done | xargs -0 ls >/dev/null
	after=$(awk '/RssAnon/ { print $2 }' "/proc/$pid/status")
	# sanitizers keep what is freed for a while
	((after - before < ${ASAN_OPTIONS:+10}60000))
}
