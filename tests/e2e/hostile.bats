#!/usr/bin/env bats
# Names, writes and documents made to hurt.

load setup

N=${HOSTILE_INPUTS:-1500}

@test "odd names, control writes, imports and conversations" {
	run timeout $((120 + N / 20)) python3 "$BATS_TEST_DIRNAME/hostile.py" "$MNT" "$N" "${HOSTILE_SEED:-7}"
	assert_success
	run find "$BACKING" "$BATS_TEST_TMPDIR" -maxdepth 2 -name 'x' -not -path "$MNT/*"
	assert_output ""
}

@test "lines to the model's server, whole and broken" {
	python3 - "$N" >"$BATS_TEST_TMPDIR/lines" <<-'PY'
		import random, sys
		rng = random.Random(5)
		good = ['{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18"}}',
		        '{"jsonrpc":"2.0","id":2,"method":"tools/list"}',
		        '{"jsonrpc":"2.0","id":3,"method":"tools/call","params":{"name":"search","arguments":{"query":"yak"}}}',
		        '{"jsonrpc":"2.0","id":4,"method":"tools/call","params":{"name":"read","arguments":{"path":"../../etc/passwd"}}}',
		        '{"jsonrpc":"2.0","id":5,"method":"tools/call","params":{"name":"list","arguments":{"path":"/"}}}',
		        '{"jsonrpc":"2.0","id":6,"method":"tools/call","params":{"name":"remember","arguments":{"question":"q","answer":"a"}}}',
		        '[' * 500, '{"id":', 'null', '{}']
		for i in range(int(sys.argv[1])):
		    s = list(rng.choice(good))
		    for _ in range(rng.randrange(3)):
		        s[rng.randrange(len(s))] = rng.choice('{}[]",:\\0a\u00e9')
		    print("".join(s))
		print('{"jsonrpc":"2.0","id":"last","method":"tools/list"}')
	PY
	run timeout 120 "$RANKFS" mcp -b "$BACKING" <"$BATS_TEST_TMPDIR/lines"
	assert_success
	assert_output --partial '"last"'
	refute_output --partial "root:x:0"
}

# within SECONDS COMMAND...
within() { timeout "$@"; }

@test "archives that unpack to much, in one step and in many" {
	head -c 300000000 /dev/zero | gzip -9 >"$MNT/bomb.gz"
	head -c 100000000 /dev/zero | tr '\0' 'a' | gzip | gzip | gzip >"$MNT/nested.gz"
	(cd "$BATS_TEST_TMPDIR" && head -c 200000000 /dev/zero >z.docx.raw && python3 - "$MNT/bomb.docx" <<-'PY'
		import sys, zipfile
		with zipfile.ZipFile(sys.argv[1], "w", zipfile.ZIP_DEFLATED) as z:
		    for i in range(20): z.writestr(f"word/document{i}.xml", b"<w:t>" + b"a" * 10000000)
		    z.writestr("word/document.xml", b"<w:t>" + b"b " * 20000000)
	PY
	)
	echo "purple yak" >"$MNT/a.md"
	run within 30 cat "$MNT/query/yak as:paths"
	assert_output "$MNT/a.md"
	eventually 60 indexed
	rss=$(sed -n 's/^VmHWM:[^0-9]*\([0-9]*\) kB/\1/p' "/proc/$(daemon_pid)/status")
	[[ $rss -lt 400000 || -n $(grep -l asan "/proc/$(daemon_pid)/maps" 2>/dev/null) ]]
}

@test "deep nesting and endless lines in every kind of document" {
	python3 - "$MNT" <<-'PY'
		import sys
		m = sys.argv[1]
		n = 200000
		files = {"quote.md": ">" * n, "list.md": "\n".join(" " * (i % 2000) + "- x" for i in range(20000)), "emph.md": "*_" * n, "link.md": "[" * n + "x" + "](" * n,
		         "deep.json": "[" * n, "deep.html": "<div>" * n + "x", "deep.c": "{" * n, "paren.py": "(" * n, "head.org": "*" * n + " x", "table.md": "|" * n + "\n" + "-|" * n,
		         "line.txt": "a" * 5000000, "words.txt": "word " * 1000000, "uniq.txt": " ".join(f"u{i}" for i in range(300000)), "fence.md": "```\n" * n,
		         "mail.mbox": "From \n" * n, "log.log": "2026-01-01 00:00:00 \n" * n, "html.md": "<a href='" * n, "man.1": ".SH\n" * n, "rst.rst": "=" * n + "\nx\n" + "=" * n, "csv.csv": "," * n,
		         "bad.txt": "\udcff\udcfe" * n}
		for name, text in files.items():
		    with open(f"{m}/{name}", "wb") as f: f.write(text.encode("utf-8", "surrogateescape"))
	PY
	echo "purple yak" >"$MNT/a.md"
	run within 60 cat "$MNT/query/yak as:paths"
	assert_output "$MNT/a.md"
	eventually 120 indexed
	run cat "$MNT/.rankfs/chunks/quote.md/1"
	assert_success
}

@test "patterns and queries that take for ever elsewhere" {
	printf '%s\n' "$(printf 'a%.0s' {1..20000})b" >"$MNT/a.txt"
	for i in $(seq 200); do echo "alpha beta gamma $i" >"$MNT/$i.md"; done
	for q in '%2F(a+)+$%2F' '%2F(a|a)*c%2F' '%2F(.*)(.*)(.*)(.*)(.*)x%2F' '%2F(?=a)*b%2F' '%2F((a{1,100}){1,100}){1,100}%2F' \
		"$(printf '(%.0s' {1..120})" "$(printf 'a OR b %.0s' {1..30})" '****' "$(printf '~alpah %.0s' {1..30})" "$(printf '"a b c" %.0s' {1..30})"; do
		run within 20 cat "$MNT/query/$q"
		assert_success
	done
}
