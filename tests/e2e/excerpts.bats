#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What an answer shows of a document, and how it names it.

load setup

# filler N: N words, on one line, none of which a test asks for
filler() {
	local words=(barin cosol dutak fevem gizor holun jupes) i
	for ((i = 1; i < $1; i++)); do
		printf '%s ' "${words[i % 7]}"
	done
	printf end
}

ask() {
	cat "$MNT/query/$1"
}

@test "of a long line what was found is shown, in every form" {
	local form
	echo "$(filler 150) the rare pangolin sleeps $(filler 150)" >"$MNT/a.md"
	for form in "" as:lines as:json as:pack as:ansi; do
		run ask "rare sleeps $form"
		assert_output --partial pangolin
	done
	run ask "rare sleeps as:lines"
	assert_output --regexp "^$MNT/a.md:1:… .* …\$"
	((${#output} < 600 + ${#MNT}))
	[[ $(ask rare) != *"(complete)"* ]]
	assert_equal "$(ask "rare as:json" | jq .hits[0].complete)" false
	ask "rare as:pack" | grep -qxF "$(head -1 "$MNT/a.md")"
	[[ $(ask "rare as:pack") == *"(complete)"* ]]
}

@test "what is far apart in a long line has a window each" {
	echo "zebra $(filler 150) yak $(filler 150) gnu" >"$MNT/a.txt"
	run ask "gnu zebra yak as:lines"
	assert_output --regexp ":1:zebra .* … .* yak .* … .* gnu\$"
	((${#output} < 900))
}

@test "what is far apart in a chunk has lines each, with their numbers" {
	{
		echo "zebra first"
		seq -f "%g filler" 2 60
		echo "yak last"
	} >"$MNT/a.txt"
	run ask "yak zebra as:lines"
	assert_line "$MNT/a.txt:1:zebra first"
	assert_line "$MNT/a.txt:61:yak last"
	refute_output --partial …
	run ask "yak zebra"
	assert_line "    …"
	run jq -c '.hits[0] | [.excerpt_lines[0], .excerpt_lines[-1], .complete]' <(ask "yak zebra as:json")
	assert_output "[1,61,false]"
	assert_equal "$(jq -r '.hits[0] | (.excerpt_lines | length) == (.excerpt | split("\n") | length - 1)' <(ask "yak zebra as:json"))" true
}

@test "windows are cut between characters" {
	local letters
	for letters in é 漢 𝄞; do
		printf "%s zebra %s\n" "$(printf "$letters%.0s" {1..301})" "$(printf "$letters%.0s" {1..303})" >"$MNT/a.txt"
		run ask "zebra as:lines"
		assert_output --partial "$letters zebra $letters"
		refute_output --partial �
		iconv -f UTF-8 -t UTF-8 <<<"$output" >/dev/null
	done
}

@test "the place of a pattern and of common words in quotes is shown" {
	echo "walrus $(filler 150) to be or not to be $(filler 150) code-4711 $(filler 100)" >"$MNT/a.txt"
	run ask "walrus %2Fcode-[0-9]+%2F as:lines"
	assert_output --partial code-4711
	run ask '"to be or not to be" as:lines'
	assert_output --partial "to be or not to be"
}

@test "of a line of two megabytes the part that a pattern matches is shown" {
	{
		head -c 1000000 < <(yes "var abc=1;") | tr -d '\n'
		printf pangolin
		head -c 1000000 < <(yes "var abc=2;") | tr -d '\n'
		echo
		echo "a short pangolin"
	} >"$MNT/a.js"
	run ask %2Fpangolin%2F
	assert_output --partial "vpangolinvar abc=2;"
	assert_line "$MNT/a.js:2:a short pangolin"
	assert_line --regexp "^# note: of lines of more than"
	((${#output} < 2000))
	run ask "%2Fpangolin%2F as:json"
	((${#output} < 2000))
}

@test "paths with a newline keep to their line, and can be told from others" {
	echo yak >"$MNT/new"$'\n'"line.txt"
	echo yak >"$MNT/new%0Aline.txt"
	echo yak >"$MNT/100%.txt"
	echo yak >"$MNT/a%20b.txt"
	run bash -c "cat '$MNT/query/yak as:paths' | sort"
	assert_output "$(printf '%s\n' "$MNT/100%.txt" "$MNT/a%20b.txt" "$MNT/new%0Aline.txt" "$MNT/new%250Aline.txt" | sort)"
	ask "yak as:paths0" | xargs -0 cat >"$BATS_TEST_TMPDIR/all"
	assert_equal "$(cat "$BATS_TEST_TMPDIR/all")" "$(printf 'yak\nyak\nyak\nyak')"
	run jq -r '[.hits[].path | select(endswith("new\nline.txt"))] | length' <(ask "yak as:json")
	assert_output 1
	run ask "yak as:lines"
	assert_line "$MNT/new%0Aline.txt:1:yak"
}

@test "paths that are not UTF-8 can be opened, and JSON has their bytes" {
	local odd
	odd=$MNT/caf$'\xe9'%.txt
	echo zebra >"$odd"
	cat "$(ask "zebra as:paths")"
	cmp <(ask "zebra as:paths0") <(printf '%s\0' "$odd")
	run jq -r '.hits[0] | .path, .path_escaped' <(ask "zebra as:json")
	assert_output "$MNT/caf%E9%25.txt"$'\n'true
	run jq -r '.lines[0] | .path' <(ask "%2Fzebra%2F as:json")
	assert_output "$MNT/caf%E9%25.txt"
}
