#!/usr/bin/env bats
# A line of .rankfs/import is taken whole or not at all.

load setup

import() { cat >"$MNT/.rankfs/import"; }

refused() {
	run import <<<"$1"
	assert_failure
	run cat "$MNT/.rankfs/error"
	assert_output --partial "$2"
}

@test "a refused line leaves the document, its attributes and its folders as they were" {
	import <<<'{"id":"d/a.md","text":"the old text","metadata":{"k":"old"}}'
	before=$(stat -c '%i %s %y' "$MNT/d/a.md")
	refused '{"id":"d/a.md","text":"new","metadata":{"k":["list"]}}' "line 1: metadata"
	refused '{"id":"d/a.md","text":"new","metadata":{"k":"new","":1}}' "metadata"
	refused '{"id":"d/a.md","text":"new","metadata":"x"}' "metadata: not an object"
	refused '{"id":"d/a.md","text":"new","vector":[1,"x"]}' "vector"
	refused '{"id":"d/a.md","text":"new","vector":[0,0]}' "vector"
	refused '{"id":"new/b.md","text":"new","vector":[0,0]}' "vector"
	refused '{"id":"d/../../b.md","text":"new"}' "id"
	assert_equal "$(cat "$MNT/d/a.md")" "the old text"
	assert_equal "$(getfattr --absolute-names -n user.k --only-values "$MNT/d/a.md")" old
	assert_equal "$(stat -c '%i %s %y' "$MNT/d/a.md")" "$before"
	[[ ! -e $MNT/new && $(ls -A "$BACKING/indexes/main/incoming") == "" ]]
	assert_equal "$(paths '+old')" d/a.md
}

@test "lines before a refused one are in, and none after it" {
	run import <<-'END'
		{"id":"1.md","text":"gnu one"}
		{"id":"2.md","text":"gnu two","vector":[]}
		{"id":"3.md","text":"gnu three"}
	END
	assert_failure
	assert_equal "$(cat "$MNT/.rankfs/error")" "import: line 2: vector: not an array of numbers"
	assert_equal "$(paths '+gnu')" 1.md
}

@test "a vector of another length than the others is refused" {
	echo "embedder import:3" >"$MNT/.rankfs/config"
	import <<<'{"id":"a.md","text":"yak","vector":[1,2,3]}'
	refused '{"id":"a.md","text":"gnu","vector":[1,2]}' "of 2 numbers, where embedder says 3"
	assert_equal "$(cat "$MNT/a.md")" yak
}

@test "who holds the old document keeps it, and everybody else sees the new one" {
	echo "the old text" >"$MNT/a.md"
	chmod 640 "$MNT/a.md"
	exec 7<"$MNT/a.md"
	stat "$MNT/a.md" >/dev/null
	import <<<'{"id":"a.md","text":"another and longer text\n"}'
	assert_equal "$(cat "$MNT/a.md")" "another and longer text"
	assert_equal "$(stat -c '%s %a' "$MNT/a.md")" "24 640"
	assert_equal "$(cat <&7)" "the old text"
	exec 7<&-
	assert_equal "$(paths '+longer')" a.md
	assert_equal "$(paths '+old')" ""
	echo "and on" >>"$MNT/a.md"
	assert_equal "$(tail -1 "$MNT/a.md")" "and on"
}

@test "links and folders in the way are left alone" {
	mkdir "$MNT/d"
	ln -s a.md "$MNT/l"
	run import <<<'{"id":"d","text":"x"}'
	assert_failure
	run import <<<'{"id":"l","text":"x"}'
	assert_failure
	[[ -d $MNT/d && -L $MNT/l && ! -e $MNT/a.md ]]
}

@test "kill -9 while lines come in: each document is the old one or the new one" {
	python3 - "$MNT" <<-'PY'
		import sys
		for i in range(20):
		    open(f"{sys.argv[1]}/{i}.md", "w").write(f"round 0 of {i}\n" * 2000)
	PY
	for round in 1 2 3 4 5 6; do
		python3 - "$MNT" "$round" <<-'PY' &
			import json, sys
			m, r = sys.argv[1], sys.argv[2]
			try:
			    with open(f"{m}/.rankfs/import", "w") as f:
			        while True:
			            for i in range(20):
			                f.write(json.dumps({"id": f"{i}.md", "text": f"round {r} of {i}\n" * 2000, "metadata": {"round": r}}) + "\n")
			except OSError:
			    pass
		PY
		eventually 20 grep -q "round $round" "$MNT/7.md"
		crash
		wait $!
		umount -l "$MNT"
		start
		python3 - "$MNT" <<-'PY'
			import os, re, sys
			for i in range(20):
			    p = f"{sys.argv[1]}/{i}.md"
			    t = open(p).read()
			    r = re.match(r"round (\d) ", t).group(1)
			    assert t == f"round {r} of {i}\n" * 2000, (i, len(t))
			    if r != "0":
			        assert os.getxattr(p, "user.round") == r.encode(), i
		PY
		[[ $(ls -A "$BACKING/indexes/main/incoming") == "" ]]
	done
}
