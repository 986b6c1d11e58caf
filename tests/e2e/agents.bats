#!/usr/bin/env bats
# For language models: rankfs mcp with the official SDK, rankfs agents.

load setup

sdk() {
	timeout 60 "$NODE" "$PEERS/$1.mjs" "${@:2}"
}

# calls COMMAND...: the tool calls of standard input, a JSON answer each
calls() {
	sdk mcp_client "$@"
}

session() {
	calls "$@" <<-'END'
		["search", {"query": "rotate the keys", "n": 3}]
		["remember", {"question": "How do I rotate the keys?", "text": "Run keyctl rotate."}]
		["recall", {"question": "how to rotate keys"}]
		["recall", {"question": "making pancakes"}]
		["list", {}]
		["read", {"path": "d/a.md", "line": 2, "lines": 1}]
		["read", {"path": "../../etc/passwd"}]
		["read", {"path": "missing.md"}]
		["nonsense", {}]
	END
}

check_session() {
	assert_line --index 0 '"rankfs"'
	assert_line --index 1 '["list","read","recall","remember","search"]'
	assert_line --index 2 --regexp '^\["search",false,"# rankfs 1 hits=1/1 .*d/a\.md:1: '
	assert_line --index 3 --regexp '^\["remember",false,".*cache/How do I rotate the keys\?\.md'
	assert_line --index 4 '["recall",false,"Run keyctl rotate.\n"]'
	assert_line --index 5 '["recall",false,"nothing near enough is remembered\n"]'
	assert_line --index 6 '["list",false,"cache/\nd/\n"]'
	assert_line --index 7 '["read",false,"second line\n","Lines 2 to 2 of 2."]'
	assert_line --index 8 '["read",true,"path: ../../etc/passwd leads out of the documents"]'
	assert_line --index 9 '["read",true,"path: there is no missing.md"]'
	assert_line --index 10 --regexp '^\["error",-32602,".*there is no such tool: nonsense"\]'
}

@test "rankfs mcp serves a mount" {
	needs_peer @modelcontextprotocol/sdk
	mkdir "$MNT/d"
	printf 'rotate the keys of the signer\nsecond line\n' >"$MNT/d/a.md"
	run session "$RANKFS" mcp "$MNT"
	assert_success
	check_session
	assert_equal "$(cat "$MNT/cache/How do I rotate the keys?.md")" "Run keyctl rotate."
}

@test "rankfs mcp finds the mount of a backing folder, and works without one" {
	needs_peer @modelcontextprotocol/sdk
	mkdir "$MNT/d"
	printf 'rotate the keys of the signer\nsecond line\n' >"$MNT/d/a.md"
	run session "$RANKFS" mcp -b "$BACKING"
	check_session
	rm -r "$MNT/cache"
	stop
	run session "$RANKFS" mcp -b "$BACKING"
	check_session
}

@test "rankfs mcp answers what is not JSON, and ends with its input" {
	run sh -c "printf 'garbage\n\n[1]\n{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"nonsense\"}\n{\"method\":\"notifications/x\"}\n' | '$RANKFS' mcp '$MNT'"
	assert_success
	assert_equal "${#lines[@]}" 3
	assert_line --index 0 --partial '"code":-32700'
	assert_line --index 1 --partial '"code":-32600'
	assert_line --index 2 '{"jsonrpc":"2.0","id":7,"error":{"code":-32601,"message":"there is no such method: nonsense"}}'
}

@test "requests that are none, or lack something, are told what was expected" {
	run "$RANKFS" mcp "$MNT" <<-'END'
		{"jsonrpc":"2.0","id":1}
		{"jsonrpc":"2.0","id":2,"method":5}
		{"jsonrpc":"2.0","id":[3],"method":"ping"}
		{"jsonrpc":"2.0","id":4,"method":"tools/call","params":[]}
		{"jsonrpc":"2.0","id":5,"method":"tools/call","params":{}}
		{"jsonrpc":"2.0","id":6,"method":"initialize","params":{}}
		{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"read","arguments":[1]}}
		{"jsonrpc":"2.0","id":8,"method":"tools/call","params":{"name":"read","arguments":{"path":"a\u0000b"}}}
		{"jsonrpc":"2.0","id":9,"result":{}}
		{"jsonrpc":"2.0","id":"ten","method":"ping"}
		{"jsonrpc":"2.0","id":11,"method":"initialize","params":{"protocolVersion":"2024-11-05"}}
		{"jsonrpc":"2.0","id":12,"method":"initialize","params":{"protocolVersion":"3000-01-01"}}
	END
	assert_success
	assert_equal "${#lines[@]}" 11
	assert_line --index 0 '{"jsonrpc":"2.0","id":1,"error":{"code":-32600,"message":"method: expected a string"}}'
	assert_line --index 1 --partial '"id":2,"error":{"code":-32600'
	assert_line --index 2 --partial '"id":null,"error":{"code":-32600,"message":"id: expected'
	assert_line --index 3 --partial '"id":4,"error":{"code":-32602,"message":"params: expected an object'
	assert_line --index 4 --partial '"id":5,"error":{"code":-32602,"message":"params.name: expected'
	assert_line --index 5 --partial '"id":6,"error":{"code":-32602,"message":"params.protocolVersion: expected'
	assert_line --index 6 --partial '"text":"arguments: expected an object, not an array"}],"isError":true'
	assert_line --index 7 --partial '"text":"path: a NUL character is in it"}],"isError":true'
	assert_line --index 8 '{"jsonrpc":"2.0","id":"ten","result":{}}'
	assert_line --index 9 --partial '"protocolVersion":"2024-11-05"'
	assert_line --index 10 --partial '"protocolVersion":"2025-11-25"'
}

@test "arguments that are wrong are named, with what was expected" {
	mkdir "$MNT/d"
	echo "one" >"$MNT/d/a.md"
	printf 'a\0b' >"$MNT/x.bin"
	run calls "$RANKFS" mcp "$MNT" <<-'END'
		["read", {}]
		["read", {"path": 5}]
		["read", {"path": " "}]
		["read", {"path": "d/a.md", "line": "2"}]
		["read", {"path": "d/a.md", "line": 0}]
		["read", {"path": "d/a.md", "line": 1.5}]
		["read", {"path": "d/a.md", "limit": 3}]
		["read", {"path": "d/a.md", "line": 1.0, "lines": null}]
		["read", {"path": "d/a.md", "line": 7}]
		["read", {"path": "d/a.md", "offset": 4}]
		["read", {"path": "d"}]
		["read", {"path": "d/a.md:1"}]
		["read", {"path": "d/a.md/x"}]
		["read", {"path": "/etc/passwd"}]
		["read", {"path": "x.bin"}]
		["list", {"path": "d/a.md"}]
		["list", {"path": "e"}]
		["list", {"path": "d/../.."}]
		["list", {"path": "d", "first": 2}]
		["list", []]
		["search", {"query": ""}]
		["search", {"query": "one", "n": 1001}]
		["search", {"text": "one"}]
		["remember", {"question": "why"}]
		["recall", {"question": true}]
	END
	assert_success
	assert_line --index 2 '["read",true,"path: missing; expected a string (as a search or a list named it)"]'
	assert_line --index 3 '["read",true,"path: expected a string, not an integer"]'
	assert_line --index 4 '["read",true,"path: expected a text, not an empty one"]'
	assert_line --index 5 '["read",true,"line: expected an integer, not a string"]'
	assert_line --index 6 '["read",true,"line: expected an integer of at least 1, not 0"]'
	assert_line --index 7 '["read",true,"line: expected an integer, not a number"]'
	assert_line --index 8 '["read",true,"limit: read has no such argument; it takes path, line, lines, offset"]'
	assert_line --index 9 '["read",false,"one\n"]'
	assert_line --index 10 '["read",true,"line: 7 is behind the end: the text has 1 line"]'
	assert_line --index 11 '["read",true,"offset: line 1 has 4 bytes, expected less than that"]'
	assert_line --index 12 '["read",true,"path: d is a folder: list it"]'
	assert_line --index 13 '["read",true,"path: there is no d/a.md:1; the number behind the colon is the argument line"]'
	assert_line --index 14 '["read",true,"path: there is no d/a.md/x"]'
	assert_line --index 15 "[\"read\",true,\"path: /etc/passwd is not below $MNT\"]"
	assert_line --index 16 --partial 'path: x.bin has no text (3 bytes;'
	assert_line --index 17 '["list",true,"path: d/a.md is no folder: read it"]'
	assert_line --index 18 '["list",true,"path: there is no e"]'
	assert_line --index 19 '["list",true,"path: d/../.. leads out of the documents"]'
	assert_line --index 20 '["list",true,"first: 2 is behind the end: the folder has 1 names"]'
	assert_line --index 21 '["list",true,"arguments: expected an object, not an array"]'
	assert_line --index 22 '["search",true,"query: expected a text, not an empty one"]'
	assert_line --index 23 '["search",true,"n: expected an integer from 1 to 1000, not 1001"]'
	assert_line --index 24 '["search",true,"text: search has no such argument; it takes query, n, page"]'
	assert_line --index 25 '["remember",true,"text: missing; expected a string (the answer)"]'
	assert_line --index 26 '["recall",true,"question: expected a string, not true"]'
}

source_and_documents() {
	local d=$BATS_TEST_TMPDIR/d src=$BATS_TEST_TMPDIR/src
	mkdir -p "$d" "$src/lib" "$MNT/notes"
	python3 "$BATS_TEST_DIRNAME/make_documents.py" "$d"
	cp "$d"/* "$MNT/"
	gzip -c "$d/paper.pdf" >"$MNT/notes/packed.pdf.gz"
	xz -c "$d/letter.docx" >"$MNT/notes/packed.docx.xz"
	{
		seq -f "line %g of the numbat report" 400
		echo "the pademelon is on line 401"
	} | gzip >"$MNT/notes/report.txt.gz"
	seq -f "word%g" -s " " 20000 >"$MNT/notes/endless.txt"
	seq -f "    static int wallaroo_%g(void) { return 1; }" 300 >"$src/lib/w.c"
	printf '.TH ZOO 1\n.SH NAME\nzoo \\- keeps \\fBcassowary\\fR birds\n' >"$src/zoo.1"
	echo "*.secret" >"$src/.gitignore"
	echo "the secret" >"$src/a.secret"
	ln -s lib/w.c "$src/link.c"
	ln -s "$src" "$MNT/src"
}

wallaroos() {
	[[ $(paths wallaroo_7) == src/lib/w.c ]]
}

@test "what a search names can be read by its lines: extracted texts, linked sources" {
	source_and_documents
	eventually 20 wallaroos
	for server in "$MNT" "-b $BACKING"; do
		# shellcheck disable=SC2086 # an option and its value
		run sdk mcp_agree "$RANKFS" mcp $server <<-'END'
			quokka
			wombat sleeps
			numbats
			bandicoots
			bilby
			potoroo
			kiwi
			ostrich
			pademelon
			numbat report
			wallaroo_7
			wallaroo_250
			cassowary
			line of filler words
			word19999
		END
		assert_success
		refute_output --partial '"hits":0'
		assert_output --regexp '"queries":15,"hits":[2-9][0-9],.*"differ":0'
		if mountpoint -q "$MNT"; then stop; fi
	done
}

@test "linked sources are listed and read, and lead no further" {
	source_and_documents
	eventually 20 wallaroos
	calls "$RANKFS" mcp "$MNT" >"$BATS_TEST_TMPDIR/out" <<-END
		["list", {"path": ""}]
		["list", {"path": "src"}]
		["list", {"path": "$MNT/src/lib/"}]
		["read", {"path": "$MNT/src/lib/w.c", "line": 300}]
		["read", {"path": "src/../src/./lib//w.c", "line": 300}]
		["read", {"path": "src/../../d/page.html"}]
		["read", {"path": "src/link.c"}]
		["read", {"path": "src/a.secret"}]
		["read", {"path": "src"}]
	END
	run cat "$BATS_TEST_TMPDIR/out"
	assert_line --index 2 --partial 'paper.pdf\nsrc/\nstuff.zip\n"'
	assert_line --index 3 '["list",false,"a.secret\nlib/\nlink.c\nzoo.1\n"]'
	assert_line --index 4 '["list",false,"w.c\n"]'
	assert_line --index 5 '["read",false,"    static int wallaroo_300(void) { return 1; }\n","Lines 300 to 300 of 300."]'
	assert_line --index 6 --partial '"path: src/../src/./lib//w.c leads out of the documents"'
	assert_line --index 7 --partial '"path: src/../../d/page.html leads out of the documents"'
	assert_line --index 8 '["read",true,"path: src/link.c leads out of the documents"]'
	assert_line --index 9 '["read",true,"path: src/a.secret is not indexed: an ignore file leaves it out, or it is new"]'
	assert_line --index 10 '["read",true,"path: src is a folder: list it"]'
}

@test "answers that are cut say so, and how to go on" {
	mkdir "$MNT/many"
	seq -f "row %04g of the table of wombats, long enough to fill a page" 3000 >"$MNT/long.txt"
	{
		echo "first"
		seq -f "é%g" -s "" 40000
		echo "last"
	} >"$MNT/wide.txt"
	(cd "$MNT/many" && touch $(seq -f "f%04g.tmp" 1500))
	run calls "$RANKFS" mcp "$MNT" <<-'END'
		["read", {"path": "long.txt"}]
		["read", {"path": "long.txt", "line": 2101, "lines": 2}]
		["read", {"path": "wide.txt"}]
		["read", {"path": "wide.txt", "line": 2}]
		["list", {"path": "many"}]
		["list", {"path": "many", "first": 1001}]
		["search", {"query": "wombats", "n": 1}]
		["search", {"query": "wombats first", "n": 1}]
		["search", {"query": "wombats first", "n": 1, "page": 2}]
		["read", {"path": "many/f0001.tmp"}]
	END
	assert_success
	assert_line --index 2 --regexp 'Lines 1 to [0-9]+ of 3000. Go on with line:[0-9]+."]$'
	assert_line --index 3 --partial '"row 2101 of the table of wombats, long enough to fill a page\nrow 2102 of the table of wombats, long enough to fill a page\n","Lines 2101 to 2102 of 3000. Go on with line:2103."'
	assert_line --index 4 '["read",false,"first\n","Lines 1 to 1 of 3. Go on with line:2."]'
	assert_line --index 5 --regexp 'Bytes 0 to [0-9]+ of the [0-9]+ of line 2 \(of 3\). Go on with line:2 offset:[0-9]+."]$'
	assert_line --index 6 --regexp 'f1000.tmp.n","Names 1 to 1000 of 1500. Go on with first:1001."]$'
	assert_line --index 7 --regexp 'f1500.tmp.n","Names 1001 to 1500 of 1500."]$'
	refute_line --index 8 --partial '"There are more'
	assert_line --index 9 --partial '"There are more: page:2."'
	assert_line --index 10 --partial '"# rankfs 1 hits=1/2'
	refute_line --index 10 --partial '"There are more'
	assert_line --index 11 '["read",false,"","The document is empty."]'
}

@test "pages put together are the document" {
	seq -f "row %04g of the table of wombats, long enough to fill a page" 3000 >"$MNT/long.txt"
	{
		echo "first"
		seq -f "é%g" -s "" 40000
		echo "last"
	} >"$MNT/wide.txt"
	for f in long.txt wide.txt; do
		: >"$BATS_TEST_TMPDIR/whole"
		local next='"line":1'
		while [[ -n $next ]]; do
			calls "$RANKFS" mcp "$MNT" <<<"[\"read\",{\"path\":\"$f\",$next}]" | sed -n 3p >"$BATS_TEST_TMPDIR/page"
			jq -j '.[2]' "$BATS_TEST_TMPDIR/page" >>"$BATS_TEST_TMPDIR/whole"
			next=$(jq -r '.[3] // ""' "$BATS_TEST_TMPDIR/page" |
				sed -n 's/.*Go on with line:\([0-9]*\) offset:\([0-9]*\)\.$/"line":\1,"offset":\2/p; s/.*Go on with line:\([0-9]*\)\.$/"line":\1/p')
		done
		cmp "$BATS_TEST_TMPDIR/whole" "$MNT/$f"
	done
}

@test "many indexes: all of them are searched, and what is found is read" {
	stop
	start -o multi
	mkdir "$MNT/alice" "$MNT/bob"
	echo "the purple yak" >"$MNT/alice/a.md"
	python3 "$BATS_TEST_DIRNAME/make_documents.py" "$MNT/bob"
	run calls "$RANKFS" mcp "$MNT" <<-END
		["search", {"query": "yak wombat"}]
		["read", {"path": "$MNT/bob/paper.pdf", "line": 3, "lines": 1}]
		["read", {"path": "alice/a.md"}]
		["read", {"path": "alice/../bob/paper.pdf"}]
		["read", {"path": "alice"}]
		["list", {}]
		["list", {"path": "alice"}]
		["recall", {"question": "why"}]
	END
	assert_line --index 1 '["list","read","search"]'
	assert_line --index 2 --partial "$MNT/bob/paper.pdf"
	assert_line --index 2 --partial "$MNT/alice/a.md"
	assert_line --index 3 --partial 'A wombat sleeps'
	assert_line --index 4 '["read",false,"the purple yak\n"]'
	assert_line --index 5 --partial 'leads out of the documents'
	assert_line --index 6 --partial 'alice is a folder'
	assert_line --index 7 '["list",false,"alice/\nbob/\nmain/\n"]'
	assert_line --index 8 '["list",false,"a.md\n"]'
	assert_line --index 9 --partial 'recall: this is the top of many indexes'
	run calls "$RANKFS" mcp "$MNT/alice" <<<'["search", {"query": "yak"}]'
	assert_line --index 2 --partial "$MNT/alice/a.md:1:"
}

@test "words that look like JSON, open quotation marks and long questions are words" {
	echo "the purple yak" >"$MNT/a.md"
	echo '{"query": "purple yak"}' >"$MNT/q.txt"
	local long
	long=$(printf 'why %.0s' {1..80})
	calls "$RANKFS" mcp "$MNT" >"$BATS_TEST_TMPDIR/out" <<-END
		["search", {"query": "{\"query\": \"purple yak\"}"}]
		["search", {"query": "\"purple yak", "n": 1}]
		["remember", {"question": "$long is one", "text": "first"}]
		["remember", {"question": "$long is two", "text": "second"}]
		["remember", {"question": "a/b", "text": "slash"}]
		["remember", {"question": "a-b", "text": "dash"}]
	END
	run cat "$BATS_TEST_TMPDIR/out"
	assert_line --index 2 --partial "q.txt:1:"
	refute_line --index 2 --partial "a.md:1:"
	assert_line --index 3 --partial "hits=1/2"
	assert_equal "$(cat "$MNT"/cache/* | sort | xargs)" "dash first second slash"
}

@test "a server lets its mount go, and serves the next one" {
	echo "the purple yak" >"$MNT/a.md"
	coproc SERVER { "$RANKFS" mcp "$MNT" 2>&1; }
	tool() {
		echo "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{\"name\":\"read\",\"arguments\":{\"path\":\"a.md\"}}}" >&"${SERVER[1]}"
		read -rt 20 output <&"${SERVER[0]}"
	}
	tool
	assert_output --partial "the purple yak"
	stop
	tool
	assert_output --partial "nothing is mounted at $MNT"
	start
	tool
	assert_output --partial "the purple yak"
	local to=${SERVER[1]}
	exec {to}>&-
	run "$RANKFS" mcp "$BATS_TEST_TMPDIR"
	assert_failure 1
	assert_output --partial "not an index that is mounted"
}

@test "what agents are told is short, and true of this mount" {
	run "$RANKFS" agents "$MNT"
	assert_success
	((${#lines[@]} <= 25))
	assert_equal "$output" "$(cat "$MNT/.rankfs/AGENTS.md")"
	echo "the purple yak" >"$MNT/a.md"
	mkdir "$MNT/cache"
	echo "Paris" >"$MNT/cache/What is the capital of France.md"
	assert_equal "$(cat "$MNT/recall/capital of France")" Paris
	exec 7<>"$MNT/.rankfs/ask"
	echo 'purple yak' >&7
	run cat <&7
	exec 7>&-
	assert_output --partial "a.md:1:"
}
