#!/usr/bin/env bats
# For language models: rankfs mcp with the official SDK, rankfs agents.

load helper

with_sdk() {
	timeout 60 "$NODE" "$PEERS/mcp_client.mjs" "$@"
}

check_session() {
	assert_line --index 0 '"rankfs"'
	assert_line --index 1 '["list","read","recall","remember","search"]'
	assert_line --index 2 --regexp '^\["search",false,"# rankfs 1 hits=1/1 .*d/a\.md:1: '
	assert_line --index 3 --regexp '^\["remember",false,".*cache/How do I rotate the keys\?\.md'
	assert_line --index 4 '["recall",false,"Run keyctl rotate.\n"]'
	assert_line --index 5 '["recall",false,"nothing near enough is remembered\n"]'
	assert_line --index 6 '["list",false,"cache/\nd/\n"]'
	assert_line --index 7 '["read",false,"second line\n"]'
	assert_line --index 8 '["read",true,"../../etc/passwd: leads out of the documents"]'
	assert_line --index 9 --regexp '^\["read",true,"missing.md: '
	assert_line --index 10 '["error",-32602]'
}

@test "rankfs mcp serves a mount" {
	needs_peer @modelcontextprotocol/sdk
	mkdir "$MNT/d"
	printf 'rotate the keys of the signer\nsecond line\n' >"$MNT/d/a.md"
	run with_sdk "$RANKFS" mcp "$MNT"
	assert_success
	check_session
	assert_equal "$(cat "$MNT/cache/How do I rotate the keys?.md")" "Run keyctl rotate."
}

@test "rankfs mcp finds the mount of a backing folder, and works without one" {
	needs_peer @modelcontextprotocol/sdk
	mkdir "$MNT/d"
	printf 'rotate the keys of the signer\nsecond line\n' >"$MNT/d/a.md"
	run with_sdk "$RANKFS" mcp -b "$BACKING"
	check_session
	rm -r "$MNT/cache"
	stop
	run with_sdk "$RANKFS" mcp -b "$BACKING"
	check_session
}

@test "rankfs mcp answers what is not JSON, and ends with its input" {
	run sh -c "printf 'garbage\n\n[1]\n{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"nonsense\"}\n{\"method\":\"notifications/x\"}\n' | '$RANKFS' mcp '$MNT'"
	assert_success
	assert_equal "${#lines[@]}" 3
	assert_line --index 0 --partial '"code":-32700'
	assert_line --index 2 '{"jsonrpc":"2.0","id":7,"error":{"code":-32601,"message":"no such method"}}'
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
