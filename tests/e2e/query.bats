#!/usr/bin/env bats
# query/<text>: results as files.

load setup

@test "a document is found by the next query after it is closed" {
	for i in $(seq 50); do
		echo "the purple yak number$i" >"$MNT/d$i.md"
		assert_equal "$(paths "+number$i")" "d$i.md"
	done
}

@test "the answer has a header and grep-shaped lines" {
	printf 'first\nthe purple yak\nlast\n' >"$MNT/a.md"
	run cat "$MNT/query/purple yak"
	assert_line --index 0 --regexp '^# rankfs 1 hits=1/1 generation=[0-9]+ pending=0 vectors=100% took=[0-9.]+ms mode=hybrid$'
	assert_line --index 1 "$MNT/a.md:2: [1-3] score=1.0000 (complete)"
	assert_line --index 3 "    the purple yak"
}

@test "a removed file leaves no result" {
	echo "purple yak" >"$MNT/a.md"
	assert_equal "$(paths yak)" a.md
	rm "$MNT/a.md"
	assert_equal "$(paths yak)" ""
	run cat "$MNT/query/yak"
	assert_output --partial "# no hits: the index is empty"
}

@test "a changed file is found by what it says now" {
	echo "purple yak" >"$MNT/a.md"
	echo "green gnu" >"$MNT/a.md"
	assert_equal "$(paths yak)" ""
	assert_equal "$(paths gnu)" a.md
	truncate -s 0 "$MNT/a.md"
	assert_equal "$(paths gnu)" ""
}

@test "renames of files and folders move their results" {
	mkdir "$MNT/d"
	echo "purple yak" >"$MNT/d/a.md"
	mv "$MNT/d/a.md" "$MNT/d/b.md"
	assert_equal "$(paths yak)" d/b.md
	mv "$MNT/d" "$MNT/e"
	assert_equal "$(paths yak)" e/b.md
	mkdir "$MNT/f"; echo "purple yak too" >"$MNT/f/c.md"
	mv "$MNT/f" "$MNT/e/"
	assert_equal "$(paths yak | sort | xargs)" "e/b.md e/f/c.md"
	rm -r "$MNT/e"
	assert_equal "$(paths yak)" ""
}

@test "a hard link is found under both names, and changes with the other" {
	echo "purple yak" >"$MNT/a.md"
	ln "$MNT/a.md" "$MNT/b.md"
	assert_equal "$(paths yak | sort | xargs)" "a.md b.md"
	echo "green gnu" >"$MNT/b.md"
	assert_equal "$(paths gnu | sort | xargs)" "a.md b.md"
	assert_equal "$(paths yak)" ""
}

@test "editors' ways of saving leave one current version" {
	echo "version zero" >"$MNT/a.md"
	sed -i s/zero/sedone/ "$MNT/a.md"
	assert_equal "$(paths version)" a.md
	assert_equal "$(paths sedone)" a.md
	vim -es -u NONE -c 'set backup writebackup backupcopy=no backupdir=. directory=.' \
		-c 's/sedone/vimtwo/' -c wq "$MNT/a.md" </dev/null
	assert_equal "$(paths version)" a.md
	assert_equal "$(paths vimtwo)" a.md
	python3 -c "
import os; p='$MNT/a.md'
open(p+'.tmp','w').write('version pythree\n'); os.replace(p+'.tmp', p)"
	assert_equal "$(paths version)" a.md
	assert_equal "$(paths pythree)" a.md
}

@test "temporary and version control files are not indexed" {
	mkdir "$MNT/.git"
	for n in a~ .a.swp '#a#' 4913 .git/config a.tmp; do echo "purple yak" >"$MNT/$n"; done
	assert_equal "$(paths yak)" ""
	mv "$MNT/a.tmp" "$MNT/a.md"
	assert_equal "$(paths yak)" a.md
}

@test "looking up a name starts no search" {
	echo x >"$MNT/a"
	before=$(queries)
	ls "$MNT/query" >/dev/null
	find "$MNT" >/dev/null
	grep -r nothing "$MNT" || true
	rg nothing "$MNT" || true
	tar -C "$MNT" -cf - . >/dev/null
	rsync -a "$MNT/" "$BATS_TEST_TMPDIR/copy/"
	assert_equal "$(queries)" "$before"
	assert_equal "$(ls "$MNT/query")" README
	cat "$MNT/query/x" >/dev/null
	assert [ "$(queries)" -gt "$before" ]
}

queries() { sed -n 's/^queries //p' "$MNT/.rankfs/status"; }

@test "every tool sees the whole answer" {
	for i in $(seq 40); do seq -f "purple yak $i line %g" 60 >"$MNT/d$i.txt"; done
	eventually 5 indexed
	q="$MNT/query/purple yak n:40"
	cat "$q" >"$BATS_TEST_TMPDIR/cat"
	size=$(stat -c %s "$BATS_TEST_TMPDIR/cat")
	assert [ "$size" -gt 5000 ]
	assert_equal "$(stat -c %s "$q")" "$size"
	cp "$q" "$BATS_TEST_TMPDIR/cp"
	rsync "$q" "$BATS_TEST_TMPDIR/rsync"
	tar -C "$MNT/query" -cf - "purple yak n:40" | tar -xOf - >"$BATS_TEST_TMPDIR/tar"
	python3 -c "import shutil,sys; shutil.copyfile(sys.argv[1], sys.argv[2])" "$q" "$BATS_TEST_TMPDIR/py"
	dd if="$q" of="$BATS_TEST_TMPDIR/dd" bs=7 status=none
	tail -c +1 "$q" >"$BATS_TEST_TMPDIR/tail"
	git hash-object "$q" >"$BATS_TEST_TMPDIR/hash"
	assert_equal "$(cat "$BATS_TEST_TMPDIR/hash")" "$(git hash-object "$BATS_TEST_TMPDIR/cat")"
	for t in cp rsync tar py dd tail; do cmp "$BATS_TEST_TMPDIR/cat" "$BATS_TEST_TMPDIR/$t"; done
	assert_equal "$(wc -l <"$q")" "$(wc -l <"$BATS_TEST_TMPDIR/cat")"
	assert_equal "$(grep -c score= "$q")" 40
}

@test "an open answer does not change" {
	for i in $(seq 30); do seq -f "purple yak $i line %g" 30 >"$MNT/d$i.txt"; done
	before=$(cat "$MNT/query/yak n:30")
	exec 8<"$MNT/query/yak n:30"
	rm "$MNT"/d*.txt
	assert_equal "$(cat <&8)" "$before"
	exec 8<&-
	assert_equal "$(paths yak)" ""
}

@test "size and mtime change only when the answer does" {
	echo "purple yak" >"$MNT/a.md"
	a=$(stat -c '%i %s %Y.%y' "$MNT/query/yak")
	echo "something else" >"$MNT/b.md"
	assert_equal "$(stat -c '%i %s %Y.%y' "$MNT/query/yak")" "$a"
	echo "another yak" >"$MNT/c.md"
	b=$(stat -c '%i %s %Y.%y' "$MNT/query/yak")
	assert_not_equal "$b" "$a"
	assert_equal "${b%% *}" "${a%% *}"
}

@test "forms of an answer" {
	printf '# Title\n\nthe purple yak\n' >"$MNT/a.md"
	echo "yak again" >"$MNT/b.txt"
	assert_equal "$(cat "$MNT/query/yak as:paths" | sort | xargs)" "$MNT/a.md $MNT/b.txt"
	assert_equal "$(cat "$MNT/query/purple as:lines" | grep purple)" "$MNT/a.md:3:the purple yak"
	assert_equal "$(jq -r '.format_version, .total, .hits[0].heading, .hits[0].line' "$MNT/query/purple as:json" | xargs)" "1 1 Title 3"
	assert_equal "$(jq -r .path "$MNT/query/yak as:jsonl" | sort | xargs)" "$MNT/a.md $MNT/b.txt"
	assert_equal "$(jq -r .lanes.lexical.rank "$MNT/query/purple as:jsonl")" 1
}

@test "words, phrases, required and forbidden ones" {
	echo "rotate the signing keys" >"$MNT/a.md"
	echo "keys rotate automatically" >"$MNT/b.md"
	echo "signing ceremony" >"$MNT/c.md"
	assert_equal "$(paths 'rotate keys signing' | sort | xargs)" "a.md b.md c.md"
	assert_equal "$(paths '+rotate +signing')" a.md
	assert_equal "$(paths '"signing keys"')" a.md
	assert_equal "$(paths 'keys -automatically')" a.md
	assert_equal "$(paths 'automatically OR ceremony' | sort | xargs)" "b.md c.md"
}

@test "filters by path and extension" {
	mkdir -p "$MNT/src/x" "$MNT/doc"
	for f in src/x/a.c src/b.h doc/c.md; do echo "purple yak" >"$MNT/$f"; done
	assert_equal "$(paths 'yak ext:c,h' | sort | xargs)" "src/b.h src/x/a.c"
	assert_equal "$(paths 'yak path:src%2F**' | sort | xargs)" "src/b.h src/x/a.c"
	assert_equal "$(paths 'yak -path:src')" doc/c.md
	assert_equal "$(paths 'ext:md')" doc/c.md
	assert_equal "$(cat "$MNT/query/yak n:2 as:paths" | wc -l)" 2
}

@test "no name is an error" {
	echo "purple yak" >"$MNT/a.md"
	for q in '"' '(((' 'a"b' '+-+-' ':::' 'path:' 'n:-1' 'as:' '\' '$x' '"a" "b' '~ ~ .' '%' '%zz' \
		$'tab\there' $'\xff\xfe' "=Makefile" '=.hidden' 'x OR' '-'; do
		run cat "$MNT/query/ $q"
		assert_success
		assert_line --index 0 --partial "# rankfs 1 hits="
	done
	run cat "$MNT/query/$(printf 'word %.0s' {1..180})"
	assert_success
	run cat "$MNT/query/$(printf 'x%.0s' {1..1100})"
	assert_failure
}

@test "names that nobody asks for are no queries" {
	for n in .hidden .git .rotate.swp 'rotate keys~' 'a~' 'a,v' '#a b#' 'a.swp'; do
		assert_not_exist "$MNT/query/$n"
	done
	assert_exist "$MNT/query/=.git"
	assert_exist "$MNT/query/the end ~"
}

@test "names that programs probe for are queries to everything else" {
	echo "remove the tags from go.mod, s.length, .NET 3.5, HEAD, p.m. tomorrow" >"$MNT/a.txt"
	for n in tags go.mod s.length ".NET 3.5" .NET HEAD "p.m. tomorrow" \
		Makefile package.json 4913; do
		run cat "$MNT/query/$n"
		assert_success
	done
	run cat "$MNT/query/tags"
	assert_output --partial "$MNT/a.txt:1:"
	run cat "$MNT/query/.NET 3.5"
	assert_output --partial "$MNT/a.txt:1:"
	# a program is known by its name
	cp "$(command -v cat)" "$BATS_TEST_TMPDIR/vim"
	cp "$(command -v cat)" "$BATS_TEST_TMPDIR/make"
	run "$BATS_TEST_TMPDIR/vim" "$MNT/query/tags"
	assert_failure
	run "$BATS_TEST_TMPDIR/vim" "$MNT/query/HEAD"
	assert_success
	run "$BATS_TEST_TMPDIR/make" "$MNT/query/Makefile"
	assert_failure
	run "$BATS_TEST_TMPDIR/make" "$MNT/query/s.length"
	assert_failure
}

@test "a minus that leaves nothing is read as text" {
	echo "then rm -rf build" >"$MNT/a.md"
	echo "walnut cake with butter" >"$MNT/b.md"
	run cat "$MNT/query/rm -rf"
	assert_output --partial "$MNT/a.md:1:"
	assert_output --partial "# note: -rf is read as a word"
	echo "rm is a command" >"$MNT/c.md"
	run cat "$MNT/query/rm -rf"
	refute_output --partial "$MNT/a.md"
	assert_output --partial "$MNT/c.md:1:"
	# said in so many words it stays excluded
	rm "$MNT/c.md"
	run cat "$MNT/query/rm NOT rf"
	refute_output --partial "$MNT/a.md"
	run cat "$MNT/query/-rf"
	assert_output --partial "$MNT/a.md:1:"
}

@test "one word in quotes is meant as it is written" {
	echo "the universe is large" >"$MNT/a.txt"
	echo "the University is large" >"$MNT/b.txt"
	run cat "$MNT/query/\"university\" as:paths"
	assert_output "$MNT/b.txt"
	run cat "$MNT/query/-\"university\" large as:paths"
	assert_output "$MNT/a.txt"
}

@test "wildcards stand for letters anywhere in a word" {
	echo "die Hundeschule am Park" >"$MNT/a.txt"
	echo "the organisation of organized women" >"$MNT/b.txt"
	for q in "*schule" "hunde*le" "Hund?schule"; do
		run cat "$MNT/query/$q as:paths"
		assert_output "$MNT/a.txt"
	done
	for q in "organi?ation" "wom?n" "*gani?ed"; do
		run cat "$MNT/query/$q as:paths mode:lexical"
		assert_output "$MNT/b.txt"
	done
}

@test "case:yes finds words as they are written" {
	echo "an apple a day" >"$MNT/a.txt"
	echo "Apple makes computers" >"$MNT/b.txt"
	run cat "$MNT/query/Apple case:yes as:paths"
	assert_output "$MNT/b.txt"
	run cat "$MNT/query/apple case:yes as:paths"
	assert_output "$MNT/a.txt"
}

@test "a boost makes a word count for more" {
	printf 'zebra crossing\n' >"$MNT/a.txt"
	printf 'giraffe crossing\n' >"$MNT/b.txt"
	run cat "$MNT/query/zebra giraffe^4 as:paths mode:lexical"
	assert_line --index 0 "$MNT/b.txt"
	run cat "$MNT/query/zebra^4 giraffe as:paths mode:lexical"
	assert_line --index 0 "$MNT/a.txt"
}

@test "values that make no sense are noted" {
	echo "purple yak" >"$MNT/a.txt"
	run cat "$MNT/query/purple n:abc"
	assert_output --partial "# note: n:abc is not a number"
	assert_output --partial "$MNT/a.txt:1:"
	run cat "$MNT/query/purple lang:klingon"
	assert_output --partial "# note: lang:klingon is no language that is known"
	run cat "$MNT/query/purple after:whenever"
	assert_output --partial "# note: after:whenever is not a date"
}

@test "nothing can be made in query/" {
	run mkdir "$MNT/query/new folder"
	assert_failure
	run bash -c "echo x >'$MNT/query/new'"
	assert_failure
	run rm "$MNT/query/README"
	assert_failure
}

@test "a typing error is repaired, and said so" {
	echo "aeroelastic flutter of wings" >"$MNT/a.md"
	run cat "$MNT/query/aeroelstic"
	assert_output --partial "# did you mean: aeroelstic -> aeroelastic"
	assert_output --partial "$MNT/a.md:1:"
}

# reason QUERY SENTENCE
reason() {
	run cat "$MNT/query/$1"
	assert_line "# no hits: $2"
}

@test "an empty answer says what is to blame" {
	echo "purple yak grazes" >"$MNT/a.md"
	echo "yellow cow" >"$MNT/b.txt"
	reason "zebra mode:lexical" "none of the words occurs in any document"
	reason "zebra -purple mode:lexical" "none of the words occurs in any document"
	reason "purple +zebra" "no document has zebra"
	reason "tag:nothing purple" "no document has tag:nothing"
	reason "+purple +cow" "no document has all that is required: drop a +word"
	reason '"grazes purple"' 'no document has all that is required: drop a "phrase"'
	reason '"purple zebra"' 'no document has all the words of "purple zebra"'
	reason "+purple ext:txt mode:lexical" \
		"no document has all that is required: drop a +word or a filter"
	reason "purple NOT yak mode:lexical" "every match is excluded"
	reason "ext:pdf" "no document passes the filters"
	reason "purple page:9" "no more results: this page is behind the last one"
	reason "zebra page:9 mode:lexical" "none of the words occurs in any document"
	reason "%2Fzebra%2F" "no line matches the pattern"
	reason "%2Fcow%2F ext:md" "no line matches in the documents that pass the filters"
	reason "%2F(%2F" "nothing that is understood to search for"
	reason "()" "no words to search for"
}

@test "an answer does not claim what is behind a limit" {
	echo "text_max_mib 1" >"$MNT/.rankfs/config"
	yes "2024-01-01 10:00:00 a line about ordinary things" | head -c 1200000 >"$MNT/big.log"
	echo "needlefish" >>"$MNT/big.log"
	run cat "$MNT/query/needlefish mode:lexical"
	assert_output --partial "# note: 1 document is too long to be indexed whole"
	# patterns read the file itself
	run cat "$MNT/query/%2Fneedlefish%2F"
	assert_output --partial "$MNT/big.log:"
	refute_output --partial "# note:"
	rm "$MNT/big.log"
	run cat "$MNT/query/needlefish mode:lexical"
	refute_output --partial "# note:"
}

@test "a script is code by its first line" {
	printf '#!/usr/bin/env -S python3 -u\ndef roll_out(server):\n\treturn server\n' >"$MNT/deploy"
	printf '#!/bin/sh\nroll_back() {\n\techo x\n}\n' >"$MNT/undo"
	run cat "$MNT/query/sym:roll_out as:paths"
	assert_output "$MNT/deploy"
	run cat "$MNT/query/sym:roll_back kind:function as:paths"
	assert_output "$MNT/undo"
	run cat "$MNT/query/kind:code server as:paths mode:lexical"
	assert_output "$MNT/deploy"
}

@test "kind:function finds functions in every language" {
	printf 'package a\n\nfunc Walk() {\n\tx()\n}\n' >"$MNT/a.go"
	printf 'sub walk {\n\treturn 1;\n}\n' >"$MNT/a.pl"
	printf 'const walk = () => {\n\treturn 1;\n};\n' >"$MNT/a.js"
	printf 'class A:\n\tdef walk(self):\n\t\treturn 1\n' >"$MNT/a.py"
	printf 'func walk() {\n\tx()\n}\n' >"$MNT/a.swift"
	printf 'contract A {\n\tfunction walk() public {\n\t}\n}\n' >"$MNT/a.sol"
	printf 'struct walk {\n\tint a;\n};\n' >"$MNT/a.c"
	run bash -c "cat '$MNT/query/kind:function walk as:paths n:20 mode:lexical' | sort"
	assert_output "$(printf "$MNT/a.%s\n" go js pl py sol swift)"
}

@test "common words alone are looked for as a phrase" {
	printf 'He said:\nto be, or not\nto be. That is it.\n' >"$MNT/a.md"
	echo "a band called The Who" >"$MNT/b.md"
	echo "to not be or to be" >"$MNT/c.md"
	run cat "$MNT/query/to be or not to be as:paths"
	assert_output "$MNT/a.md"
	run cat "$MNT/query/the who as:paths"
	assert_output "$MNT/b.md"
	run cat "$MNT/query/\"the who\" band as:paths"
	assert_output "$MNT/b.md"
	run cat "$MNT/query/\"who the\" band as:paths"
	assert_output ""
	run cat "$MNT/query/it was so"
	assert_output --partial "no document has in this order"
	run cat "$MNT/query/the"
	assert_output --partial "only very common words"
}

@test "man pages, gzip and UTF-16 are searched" {
	printf '.TH YAK 1\n.SH NAME\nyak \\- a purple\\-ish \\fBbeast\\fR\n' | gzip >"$MNT/yak.1.gz"
	printf 'the ultraviolet gnu\n' | iconv -t UTF-16 >"$MNT/u16.txt"
	assert_equal "$(paths beast)" yak.1.gz
	assert_equal "$(paths ultraviolet)" u16.txt
	run cat "$MNT/query/beast"
	assert_output --partial "YAK > NAME"
}

@test "binary files are found by name and named in warnings" {
	head -c 5000 /dev/zero >"$MNT/purpleyak.bin"
	assert_equal "$(paths purpleyak)" purpleyak.bin
	run cat "$MNT/.rankfs/warnings"
	assert_output --partial "purpleyak.bin: not text"
	rm "$MNT/purpleyak.bin"
	assert_equal "$(paths purpleyak)" ""
	assert_equal "$(cat "$MNT/.rankfs/warnings")" ""
}

@test "one endless line, bad UTF-8 and an empty file" {
	yes "lorem ipsum" | head -c 5000000 | tr '\n' ' ' >"$MNT/long.txt"
	printf 'bad \xff\xfe\xc3 bytes uncommonword\n' >"$MNT/bad.txt"
	: >"$MNT/emptyish.txt"
	assert_equal "$(paths lorem)" long.txt
	assert_equal "$(paths uncommonword)" bad.txt
	run eventually 5 found_empty
	assert_success
	iconv -f UTF-8 -t UTF-8 "$MNT/query/uncommonword" >/dev/null
}

found_empty() { [[ $(paths emptyish) == emptyish.txt ]]; }

@test "a file beyond the limit is searched as far as it goes" {
	echo "text_max_mib 1" >"$MNT/.rankfs/config"
	{ echo earlyword; yes "filling the page" | head -c 2000000; echo lateword; } >"$MNT/big.txt"
	assert_equal "$(paths earlyword)" big.txt
	assert_equal "$(paths +lateword)" ""
	run cat "$MNT/.rankfs/warnings"
	assert_output --partial "big.txt: only the first 1 MiB"
}
