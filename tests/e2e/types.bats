#!/usr/bin/env bats
# Kinds of documents, the programs that read them, and source code.

load setup

lines_of() {
	cat "$MNT/query/$1 as:jsonl" | jq -r '"\(.line_start)-\(.line_end) \(.heading)"'
}

@test "text is extracted from PDF, office files, books and archives" {
	python3 "$BATS_TEST_DIRNAME/make_documents.py" "$MNT"
	assert_equal "$(paths wombat)" paper.pdf
	assert_equal "$(paths numbats)" letter.docx
	assert_equal "$(paths bandicoots)" essay.odt
	assert_equal "$(paths bilby)" book.epub
	assert_equal "$(paths potoroo)" stuff.zip
	run cat "$MNT/query/wombat"
	assert_line --partial "page=2"
	assert_line --partial "A wombat sleeps on page two"
	assert_equal "$(cat "$MNT/.rankfs/warnings")" ""
}

@test "HTML keeps its lines, loses tags and scripts" {
	python3 "$BATS_TEST_DIRNAME/make_documents.py" "$MNT"
	assert_equal "$(lines_of kiwi)" "87-88 Last"
	assert_equal "$(lines_of ostrich)" "5-86 Birds > Big"
	assert_equal "$(paths cassowary)" ""
	assert_equal "$(paths emü)" page.html
}

@test "compressed text is read through" {
	echo "kookaburra laughs" | xz >"$MNT/a.txt.xz"
	echo "galah shrieks" | zstd -q >"$MNT/b.md.zst"
	echo "lorikeet chatters" | gzip >"$MNT/c.log.gz"
	assert_equal "$(paths kookaburra)" a.txt.xz
	assert_equal "$(paths galah)" b.md.zst
	assert_equal "$(paths lorikeet)" c.log.gz
	assert_equal "$(cat "$MNT/query/%2Fgal.h%2F as:lines")" "$MNT/b.md.zst:1:galah shrieks"
}

@test "compressed documents are unpacked, and go by the rest of their name" {
	local d=$BATS_TEST_TMPDIR/d
	mkdir "$d"
	python3 "$BATS_TEST_DIRNAME/make_documents.py" "$d"
	gzip -c "$d/paper.pdf" >"$MNT/paper.pdf.gz"
	xz -c "$d/letter.docx" >"$MNT/letter.docx.xz"
	zstd -qc "$d/essay.odt" >"$MNT/essay.odt.zst"
	bzip2 -c "$d/page.html" >"$MNT/page.html.bz2"
	gzip -c "$d/book.epub" >"$MNT/BOOK.EPUB.GZ"
	printf '# Galah\nshrieks\n' | zstd -q >"$MNT/b.md.zst"
	assert_equal "$(paths wombat | sort | xargs)" paper.pdf.gz
	assert_equal "$(paths numbats)" letter.docx.xz
	assert_equal "$(paths bandicoots)" essay.odt.zst
	assert_equal "$(paths bilby)" BOOK.EPUB.GZ
	assert_equal "$(lines_of kiwi)" "87-88 Last"
	assert_equal "$(paths cassowary)" ""
	assert_equal "$(lines_of galah)" "1-2 Galah"
	run cat "$MNT/query/wombat"
	assert_line --partial "page=2"
	# another name for the same bytes: another way to read them
	mv "$MNT/paper.pdf.gz" "$MNT/paper.pdf"
	assert_equal "$(paths wombat)" ""
	mv "$MNT/paper.pdf" "$MNT/paper.pdf.gz"
	assert_equal "$(paths wombat)" paper.pdf.gz
}

@test "all members of a gzip file are read, and what else is behind them is not" {
	{
		echo "kookaburra laughs" | gzip
		printf '' | gzip
		echo "galah shrieks" | gzip
		printf '\0\0not of it'
	} >"$MNT/a.txt.gz"
	{
		echo "lorikeet chatters" | gzip
		echo "budgerigar sings" | gzip | head -c 12
	} >"$MNT/b.txt.gz"
	for x in xz zstd bzip2; do
		{
			echo "magpie of $x" | "$x" -c
			echo "currawong of $x" | "$x" -c
		} >"$MNT/c.txt.${x/zstd/zst}"
	done
	mv "$MNT/c.txt.bzip2" "$MNT/c.txt.bz2"
	assert_equal "$(paths "kookaburra galah")" a.txt.gz
	assert_equal "$(cat "$MNT/query/%2Fgal.h%2F as:lines")" "$MNT/a.txt.gz:2:galah shrieks"
	assert_equal "$(paths lorikeet)" b.txt.gz
	assert_equal "$(paths currawong | sort | xargs)" "c.txt.bz2 c.txt.xz c.txt.zst"
	run cat "$MNT/.rankfs/warnings"
	assert_line --partial "b.txt.gz: the compressed data breaks off"
	refute_line --partial "a.txt.gz"
}

@test "a compressed document that unpacks to too much, or to nothing, is found by its name" {
	printf 'extract_memory_mib 64\nextract_timeout_s 10\n' >"$MNT/.rankfs/config"
	head -c 40M /dev/zero | gzip >"$MNT/bomb.pdf.gz"
	echo "not compressed" >"$MNT/plain.docx.xz"
	eventually 30 indexed
	assert_equal "$(paths bomb)" bomb.pdf.gz
	assert_equal "$(paths plain)" plain.docx.xz
	run cat "$MNT/.rankfs/warnings"
	assert_line --partial "bomb.pdf.gz: unpacks to more than 16 MiB"
	assert_line --partial "plain.docx.xz: docx2txt could not read it"
}

@test "text/ has the text of any document, by the lines that hits name" {
	python3 "$BATS_TEST_DIRNAME/make_documents.py" "$MNT"
	mkdir -p "$BATS_TEST_TMPDIR/src/lib" "$MNT/d"
	seq -f "line %g" 300 | gzip >"$MNT/d/n.txt.gz"
	printf 'int one;\nint pademelons;\n' >"$BATS_TEST_TMPDIR/src/lib/q.c"
	ln -s "$BATS_TEST_TMPDIR/src" "$MNT/src"
	printf 'caf\xe9\n' >"$MNT/latin.txt"
	# nothing waited for: the text is there when the query would find it
	assert_equal "$(sed -n 250p "$MNT/.rankfs/text/d/n.txt.gz")" "line 250"
	local n
	n=$(sed -n "s|^$MNT/paper.pdf:\([0-9]*\):.*|\1|p" "$MNT/query/wombat")
	assert_equal "$(sed -n "$n"p "$MNT/.rankfs/text/paper.pdf" | tr -d '\f')" "A wombat sleeps on page two"
	assert_equal "$(cat "$MNT/.rankfs/text/letter.docx")" "A letter about numbats"
	assert_equal "$(cat "$MNT/.rankfs/text/latin.txt")" $'caf\xef\xbf\xbd'
	assert_equal "$(stat -c %s "$MNT/.rankfs/text/d/n.txt.gz")" "$(gzip -dc "$MNT/d/n.txt.gz" | wc -c)"
	eventually 10 linked
	assert_equal "$(sed -n 2p "$MNT/.rankfs/text/src/lib/q.c")" "int pademelons;"
	echo "other words" >"$MNT/letter.docx.txt"
	assert_equal "$(cat "$MNT/.rankfs/text/letter.docx.txt")" "other words"
	echo "again" >"$MNT/letter.docx.txt"
	assert_equal "$(cat "$MNT/.rankfs/text/letter.docx.txt")" "again"
	rm "$MNT/letter.docx.txt"
	run cat "$MNT/.rankfs/text/letter.docx.txt"
	assert_failure
	assert_equal "$(ls -A "$MNT/.rankfs/text")" ""
}

linked() {
	[[ $(paths pademelons) == src/lib/q.c ]]
}

@test "text/ says why there is none, and shows nothing that is not indexed" {
	printf 'a\0b' >"$MNT/x.bin"
	echo "kept, not indexed" >"$MNT/x.tmp"
	: >"$MNT/empty.txt"
	mkdir "$MNT/d" "$BATS_TEST_TMPDIR/src"
	echo "secret" >"$BATS_TEST_TMPDIR/src/.env"
	echo ".env" >"$BATS_TEST_TMPDIR/src/.rankfsignore"
	echo "one quokkas" >"$BATS_TEST_TMPDIR/src/a.txt"
	ln -s /etc/passwd "$BATS_TEST_TMPDIR/src/out"
	ln -s "$BATS_TEST_TMPDIR/src" "$MNT/src"
	found() { [[ $(paths quokkas) == src/a.txt ]]; }
	eventually 10 found
	run cat "$MNT/.rankfs/text/x.bin"
	assert_output --partial "No data available"
	assert_equal "$(cat "$MNT/.rankfs/text/empty.txt")" ""
	for f in x.tmp src/.env src/out missing.txt; do
		run cat "$MNT/.rankfs/text/$f"
		assert_failure
		refute_output --partial "root:"
		refute_output --partial "secret"
		assert_output --partial "No such file"
	done
	run cat "$MNT/.rankfs/text/d"
	assert_output --partial "Is a directory"
}

@test "a text that is cut says so, however often it is read" {
	echo "text_max_mib 1" >"$MNT/.rankfs/config"
	yes "full of words" | head -c 2M >"$MNT/long.txt"
	xz -c "$MNT/long.txt" >"$MNT/packed.txt.xz"
	cp "$MNT/packed.txt.xz" "$MNT/copy.txt.xz"
	for f in long.txt packed.txt.xz copy.txt.xz; do
		assert_equal "$(tail -1 "$MNT/.rankfs/text/$f")" "[only the first 1 MiB of this document are searched]"
	done
	assert_equal "$(grep -c "only the first 1 MiB" "$MNT/.rankfs/warnings")" 3
}

@test "an extractor of one's own; extraction is remembered by content" {
	# each run says something else
	printf '#!/bin/sh\ntr a-z A-Z\necho run $$\n' >"$BATS_TEST_TMPDIR/up"
	chmod +x "$BATS_TEST_TMPDIR/up"
	echo "extract.*.low $BATS_TEST_TMPDIR/up" >"$MNT/.rankfs/config"
	grep -q "^extract.\*.low $BATS_TEST_TMPDIR/up" "$MNT/.rankfs/config"
	echo "quoll" >"$MNT/a.low"
	run cat "$MNT/query/quoll"
	assert_line "    QUOLL"
	cp "$MNT/a.low" "$MNT/b.low"
	mv "$MNT/a.low" "$MNT/c.low"
	assert_equal "$(paths quoll | sort | xargs)" "b.low c.low"
	[[ $(cat "$MNT/.rankfs/text/b.low") == *"run "* ]]
	assert_equal "$(cat "$MNT/.rankfs/text/b.low")" "$(cat "$MNT/.rankfs/text/c.low")"
	echo "extract.*.low none" >"$MNT/.rankfs/config"
	echo "plain dunnart" >"$MNT/d.low"
	run cat "$MNT/query/dunnart"
	assert_line "    plain dunnart"
}

@test "extractors that hang, fail, crash or are missing do not stop anything" {
	printf '#!/bin/sh\nsleep 60\n' >"$BATS_TEST_TMPDIR/hang"
	printf '#!/bin/sh\nexit 3\n' >"$BATS_TEST_TMPDIR/fail"
	printf '#!/bin/sh\nkill -9 $$\n' >"$BATS_TEST_TMPDIR/die"
	printf '#!/bin/sh\nexec python3 -c "x = bytearray(1 << 30); print(len(x))"\n' >"$BATS_TEST_TMPDIR/hog"
	printf '#!/bin/sh\nwhile :; do echo full of words; done\n' >"$BATS_TEST_TMPDIR/flood"
	chmod +x "$BATS_TEST_TMPDIR"/{hang,fail,die,flood,hog}
	{
		echo "extract_timeout_s 1"
		echo "text_max_mib 1"
		for x in hang fail die flood hog missing; do echo "extract.*.$x $BATS_TEST_TMPDIR/$x"; done
	} >"$MNT/.rankfs/config"
	for x in hang fail die flood hog missing; do echo x >"$MNT/wallaby.$x"; done
	echo "wallaby" >"$MNT/ok.md"
	eventually 20 indexed
	assert_equal "$(paths wallaby | wc -l)" 7
	run cat "$MNT/.rankfs/warnings"
	assert_line --partial "wallaby.hang: $BATS_TEST_TMPDIR/hang took too long"
	assert_line --partial "wallaby.fail: $BATS_TEST_TMPDIR/fail could not read it"
	assert_line --partial "wallaby.die: $BATS_TEST_TMPDIR/die could not read it"
	assert_line --partial "wallaby.hog: $BATS_TEST_TMPDIR/hog could not read it"
	assert_line --partial "wallaby.missing: $BATS_TEST_TMPDIR/missing is not installed"
	assert_line --partial "wallaby.flood: only the first 1 MiB"
	run pgrep -f "$BATS_TEST_TMPDIR/(hang|flood)"
	assert_output ""
}

@test "a document whose extractor is missing is found by name, and its package is asked for" {
	local ext
	stop
	mkdir "$BATS_TEST_TMPDIR/empty"
	PATH=$BATS_TEST_TMPDIR/empty start
	for ext in pdf docx odt epub pptx xlsx zip jar xz zst bz2 doc rtf; do
		echo x >"$MNT/quokka.$ext"
	done
	echo 'int main(void) { return 0; }' >"$MNT/quokka.c"
	eventually 20 indexed
	assert_equal "$(paths quokka | wc -l)" 14
	run cat "$MNT/.rankfs/warnings"
	assert_line --partial "quokka.pdf: pdftotext is not installed: apt-get install poppler-utils; found by its name alone"
	# those that are asked for are those that `make extractors` installs
	assert_equal "$({
		sed -n 's/.*apt-get install \([a-z0-9-]*\).*/\1/p' "$MNT/.rankfs/warnings"
		grep -o universal-ctags "$MNT/.rankfs/warnings"
	} | sort -u)" "$("$BATS_TEST_DIRNAME/../../scripts/deps" --list extractors | sort -u)"
}

@test "a damaged text that was kept is extracted again" {
	python3 "$BATS_TEST_DIRNAME/make_documents.py" "$MNT"
	assert_equal "$(paths wombat)" paper.pdf
	for f in "$BACKING"/indexes/main/texts/*; do
		printf 'garbage' | dd of="$f" bs=1 seek=16 conv=notrunc status=none
	done
	run cat "$MNT/query/wombat sleeps"
	assert_line "    A wombat sleeps on page two"
}

@test "mailboxes by message, tables and JSON Lines by record, logs by time" {
	printf 'From a@b Mon\nFrom: Ann <a@b.c>\nSubject: Lunch\n\nsoup today\n\nFrom c@d Tue\nSubject: Dinner\n\nfish tonight\n' >"$MNT/in.mbox"
	assert_equal "$(lines_of fish)" "7-10 Dinner"
	assert_equal "$(paths 'meta.from:"ann <a@b.c>"')" in.mbox
	printf '{"a":"okapi"}\n{"a":"tapir"}\n' >"$MNT/r.jsonl"
	assert_equal "$(lines_of tapir)" "2-2 "
	printf 'name,age\nzebu,3\ngaur,4\n' >"$MNT/t.csv"
	assert_equal "$(lines_of gaur)" "3-3 name age"
	{
		for i in 1 2 3 4 5 6 7 8; do echo "2026-01-01 10:00:0$i normal operation of the machine"; done
		echo "2026-01-01 12:00:00 meltdown"
		echo "	at stack frame"
	} >"$MNT/x.log"
	assert_equal "$(lines_of meltdown)" "9-10 "
}

@test "chunks show what a document was cut into" {
	{
		echo "# Top"
		seq -f "line %g of the first part" 200
		echo "## Under"
		echo "the end of it"
	} >"$MNT/a.md"
	run ls "$MNT/.rankfs/chunks/a.md"
	assert_line "0001-Top.md"
	assert_line --regexp "^000[0-9]-Under.md$"
	run cat "$MNT/.rankfs/chunks/a.md/$(ls "$MNT/.rankfs/chunks/a.md" | tail -1)"
	assert_line "path: $MNT/a.md"
	assert_line "heading: Top > Under"
	assert_line "the end of it"
	assert_not_exists "$MNT/.rankfs/chunks/a.md/0099.md"
	assert_not_exists "$MNT/.rankfs/chunks/missing.md"
}

code() {
	mkdir -p "$MNT/src"
	cat >"$MNT/src/shop.c" <<-'END'
		#include "shop.h"

		/* Opens the shop. */
		int shop_open(struct shop *s)
		{
		        s->open = 1;
		        return ring_bell(s, 2);
		}

		int ring_bell(struct shop *s, int times)
		{
		        return times;
		}
	END
	cat >"$MNT/src/main.c" <<-'END'
		int main(void)
		{
		        struct shop s;
		        return shop_open(&s);
		}
	END
	printf 'class Clerk:\n    def greet(self, who):\n        return who\n' >"$MNT/src/clerk.py"
	echo "How to open a shop: call shop_open first, shop_open again if it rains, then shop_open." >"$MNT/howto.md"
}

@test "a name asks for its definition first" {
	code
	run cat "$MNT/query/shop_open"
	assert_line --index 1 --partial "$MNT/src/shop.c:4:"
	run cat "$MNT/query/sym:greet"
	assert_line --index 1 --partial "$MNT/src/clerk.py:2:"
	assert_equal "$(paths 'sym:shop_open')" src/shop.c
	assert_equal "$(paths 'sym:nothing_like_it')" ""
}

@test "symbols show definitions, callers, callees and references" {
	code
	run cat "$MNT/.rankfs/symbols/shop_open"
	assert_line --partial "$MNT/src/shop.c:4: function shop_open(struct shop * s)"
	assert_line "$MNT/src/main.c:4: main"
	assert_line --regexp "^$MNT/src/shop.c:[0-9]+: ring_bell$"
	assert_line "$MNT/src/main.c:4: return shop_open(&s);"
	refute_line --partial "howto.md"
	rm "$MNT/src/main.c"
	run cat "$MNT/.rankfs/symbols/shop_open"
	refute_line --partial "main.c"
	run cat "$MNT/.rankfs/symbols/nonesuch"
	assert_output "# nothing is known of this name"
}

@test "without ctags, or when it is killed, the shape of lines does" {
	code
	eventually 10 indexed
	pkill -9 -P "$(daemon_pid)" ctags || true
	printf 'int after_kill(void)\n{\n\treturn 1;\n}\n' >"$MNT/src/k.c"
	run cat "$MNT/query/after_kill"
	assert_line --index 1 --partial "$MNT/src/k.c:1:"
	echo "ctags 0" >"$MNT/.rankfs/config"
	printf 'int by_shape(void)\n{\n\treturn 1;\n}\n' >"$MNT/src/s.c"
	run cat "$MNT/.rankfs/symbols/by_shape"
	assert_line --partial "$MNT/src/s.c:1: definition by_shape"
}

@test "a ctags that hangs is given up on that file, and started again" {
	code
	eventually 10 indexed
	pkill -STOP -P "$(daemon_pid)" ctags
	printf 'int while_stopped(void)\n{\n\treturn 1;\n}\n' >"$MNT/src/h.c"
	printf 'int meanwhile(void)\n{\n\treturn 1;\n}\n' >"$MNT/src/i.c"
	eventually 40 indexed
	run cat "$MNT/.rankfs/warnings"
	assert_line --regexp "src/[hi].c: ctags hung"
	run cat "$MNT/.rankfs/symbols/while_stopped"
	assert_line --regexp "$MNT/src/h.c:1: (definition|function) while_stopped"
	printf 'int afterwards(void)\n{\n\treturn 1;\n}\n' >"$MNT/src/j.c"
	run cat "$MNT/.rankfs/symbols/afterwards"
	assert_line --partial "$MNT/src/j.c:1: function afterwards"
}
