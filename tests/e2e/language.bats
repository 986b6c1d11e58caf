#!/usr/bin/env bats
# The query language: what each form finds, through a mount.

load setup

sorted() {
	paths "$1" | sort | xargs
}

fill() {
	printf 'cats and dogs\n' >"$MNT/both.md"
	printf 'cats single\n' >"$MNT/cat.md"
	printf 'dogs single\n' >"$MNT/dog.txt"
	printf 'birds sing loudly\n' >"$MNT/bird.txt"
}

@test "alternatives, groups and exclusions" {
	fill
	assert_equal "$(sorted 'cats OR birds')" "bird.txt both.md cat.md"
	assert_equal "$(sorted 'cats AND dogs')" "both.md"
	assert_equal "$(sorted '+(cats OR birds) -dogs')" "bird.txt cat.md"
	assert_equal "$(sorted '(cats OR dogs) +single')" "cat.md dog.txt"
	assert_equal "$(sorted 'cats -(dogs)')" "cat.md"
	assert_equal "$(sorted '"dogs single" OR birds')" "bird.txt dog.txt"
	assert_equal "$(sorted 'birds OR path:cat.md')" "bird.txt cat.md"
	assert_equal "$(sorted '(ext:md OR path:bird) single')" "cat.md"
}

@test "the same holds whether words or vectors find it, and after a checkpoint" {
	fill
	echo checkpoint >"$MNT/.rankfs/ctl"
	for mode in lexical hybrid vector; do
		assert_equal "$(sorted "+cats -dogs mode:$mode")" "cat.md"
		assert_equal "$(sorted "+(cats OR birds) -dogs mode:$mode")" "bird.txt cat.md"
	done
	assert_equal "$(sorted "ext:txt single")" "dog.txt"
}

@test "prefixes, and stems of what begins so" {
	echo "rotation of the keys" >"$MNT/a.md"
	echo "a rotor turns" >"$MNT/b.md"
	echo "my_rotating_thing" >"$MNT/c.md"
	assert_equal "$(sorted 'rota*')" "a.md c.md"
	assert_equal "$(sorted 'rot*')" "a.md b.md c.md"
	assert_equal "$(sorted '+rot* -turns')" "a.md c.md"
	assert_equal "$(sorted 'my_rot*')" "c.md"
	assert_equal "$(sorted 'zzz*')" ""
}

@test "fuzzy words are said in the header" {
	echo "receive the parcel" >"$MNT/a.md"
	run cat "$MNT/query/~recieve"
	assert_line --partial "# did you mean: ~recieve -> receiv"
	assert_line --partial "$MNT/a.md:1:"
}

@test "phrases with slop" {
	echo "point of no return in time" >"$MNT/a.md"
	assert_equal "$(sorted '"point time"')" ""
	assert_equal "$(sorted '"point time"~2')" ""
	assert_equal "$(sorted '"point time"~4')" "a.md"
	assert_equal "$(sorted '"time point"~9')" "a.md"
}

@test "dates, sizes, languages and kinds" {
	echo "word old" >"$MNT/old.md"
	touch -d "40 days ago" "$MNT/old.md"
	touch -d "2020-05-05 12:00" "$MNT/old.md"
	echo "word new" >"$MNT/new.md"
	head -c 20000 /dev/zero | tr '\0' 'x' >"$MNT/big.txt"
	echo " word" >>"$MNT/big.txt"
	echo "int word(void) { return 1; }" >"$MNT/w.c"
	assert_equal "$(sorted 'word after:7d')" "big.txt new.md w.c"
	assert_equal "$(sorted 'word before:2021')" "old.md"
	assert_equal "$(sorted 'word after:2020-05 before:2020-06')" "old.md"
	assert_equal "$(sorted 'word after:today')" "big.txt new.md w.c"
	assert_equal "$(sorted 'word size:>10k')" "big.txt"
	assert_equal "$(sorted 'word size:<100')" "new.md old.md w.c"
	assert_equal "$(sorted 'word lang:c')" "w.c"
	assert_equal "$(sorted 'word kind:markdown')" "new.md old.md"
	assert_equal "$(sorted 'word kind:function')" "w.c"
	assert_equal "$(sorted 'kind:function')" "w.c"
}

@test "metadata: front matter, extended attributes, imports" {
	printf -- '---\ntags: [work, urgent]\nyear: 2021\nauthor: Ann Lee\n---\nreport text\n' >"$MNT/a.md"
	printf -- '---\ntags:\n  - home\nyear: 1999\n---\nreport text\n' >"$MNT/b.md"
	echo "report text" >"$MNT/c.md"
	assert_equal "$(sorted 'report tag:work')" "a.md"
	assert_equal "$(sorted 'report -tag:work')" "b.md c.md"
	assert_equal "$(sorted 'tag:home')" "b.md"
	assert_equal "$(sorted 'meta.year:2021')" "a.md"
	assert_equal "$(sorted 'meta.year:>2000')" "a.md"
	assert_equal "$(sorted 'meta.year:*')" "a.md b.md"
	assert_equal "$(sorted 'meta.author:"ann lee"')" "a.md"
	assert_equal "$(sorted 'meta.author:ann*')" "a.md"
	setfattr -n user.project -v Apollo "$MNT/c.md"
	assert_equal "$(sorted 'meta.project:apollo')" "c.md"
	setfattr -x user.project "$MNT/c.md"
	assert_equal "$(sorted 'meta.project:apollo')" ""
	echo '{"id":"d.md","text":"imported","metadata":{"lang":"de"}}' >"$MNT/.rankfs/import"
	assert_equal "$(sorted 'meta.lang:de')" "d.md"
}

@test "sorting, pages and a least score" {
	for i in 1 2 3 4 5; do
		echo "word number $i" >"$MNT/d$i.md"
		touch -d "$i days ago" "$MNT/d$i.md"
	done
	assert_equal "$(paths 'word sort:new' | xargs)" "d1.md d2.md d3.md d4.md d5.md"
	assert_equal "$(paths 'sort:path word' | xargs)" "d1.md d2.md d3.md d4.md d5.md"
	assert_equal "$(cat "$MNT/query/word sort:new n:2 page:2 as:paths" | xargs -n1 basename | xargs)" "d3.md d4.md"
	run cat "$MNT/query/word n:2 page:9"
	assert_line --partial "no more results"
	echo "word word word" >"$MNT/top.md"
	assert_equal "$(paths 'word min:1 mode:lexical')" "top.md"
}

@test "patterns give exactly the lines that grep finds" {
	mkdir "$MNT/src"
	printf 'int alpha;\n\tAlpha beta\nend\n' >"$MNT/src/a.c"
	printf 'alpha\r\nno\nx(alpha)+\n' >"$MNT/src/b.txt"
	printf '.TH X 1\n.SH alpha \\fBbold\\fR\n' >"$MNT/src/x.1"
	printf '<p>alpha</p>\n' >"$MNT/src/y.html"
	printf 'na\xc3\xafve alpha' >"$MNT/no-newline"
	for re in alpha 'al.ha' '[Aa]lpha' '^alpha' 'alpha$' 'a{1}lp' '(beta|x)' 'b.*d' 'ï' '<p>' 'fB'; do
		diff <(cat "$MNT/query/=%2F$re%2F as:lines") \
			<(cd / && LC_ALL=C.UTF-8 grep -rnE --exclude-dir=query -- "$re" "$MNT" | LC_ALL=C sort -t: -k1,1 -k2,2n)
	done
	run cat "$MNT/query/%2FALPHA%2Fi ext:c as:lines"
	assert_output "$MNT/src/a.c:1:int alpha;
$MNT/src/a.c:2:	Alpha beta"
	run cat "$MNT/query/%2Falpha%2F n:1"
	assert_line --index 0 --partial "hits=1/"
}

@test "a pattern beside words asks chunks; a bad one is said" {
	fill
	assert_equal "$(sorted 'single %2Fc.ts%2F')" "cat.md"
	assert_equal "$(sorted 'single -%2Fc.ts%2F')" "dog.txt"
	run cat "$MNT/query/%2F(%2F cats"
	assert_line --partial "# note: /(/ is not a pattern"
	assert_line --partial "both.md"
}

@test "no text is an error" {
	fill
	for q in '((((' '"' '~' '*' '+' '-' 'OR' ':' 'path:' 'as:' '-as:json x' 'after:x y' '()' 'a OR' 'sym:' 'meta.:' '%2F' '%2F%2F' '%2F[%2F'; do
		run cat "$MNT/query/=$q"
		assert_success
		assert_line --index 0 --partial "# rankfs 1"
	done
}

@test "the query is explained" {
	fill
	run bash -c "cat '$MNT/query/cats OR dogs -birds as:json' | jq -c '[.clauses[] | [.op,.occur]]'"
	assert_output '[["any","should"],["word","not"]]'
}

@test "packs hold whole chunks up to a budget" {
	for i in 1 2 3; do
		for l in $(seq 40); do echo "zebra line $l of document $i with words"; done >"$MNT/z$i.md"
	done
	run cat "$MNT/query/zebra as:pack tokens:1000"
	assert_line --regexp "^# pack: [0-9]+ of 1000 tokens"
	(($(grep -c '^## ' <<<"$output") == 2))
	assert_line --partial "zebra line 40"
	assert_line --regexp "^## $MNT/z[123].md:1-40"
}

@test "copies are one result that names the others" {
	text="a quokka is a small animal that lives on an island and smiles at those who come by boat to see it in spring"
	echo "$text" >"$MNT/one.md"
	echo "$text" >"$MNT/two.md"
	echo "$text too" >"$MNT/three.md"
	run cat "$MNT/query/quokka"
	assert_line --index 0 --partial "hits=1/"
	assert_line --partial "+2 copies:"
	assert_equal "$(sorted quokka)" "one.md three.md two.md"
}

@test "marks are put on request only" {
	echo "the purple yak" >"$MNT/a.md"
	run cat "$MNT/query/yak as:ansi"
	assert_line $'    the purple \e[1;31myak\e[m'
	run cat "$MNT/query/yak"
	assert_line "    the purple yak"
}

@test "documents are stemmed by their own language, queries by all" {
	echo "Die Schlüssel der Wohnungen liegen auf dem Tisch, und der Nachbar ist nicht zu Hause. Wir werden sie auch von ihm nicht bekommen." >"$MNT/de.md"
	echo "The rotating keys of the house are with the neighbour, and that is where you have to go for them when this is locked." >"$MNT/en.md"
	echo "Las llaves están en la casa del vecino, pero él no está. Las canciones que se oyen por los balcones son más alegres." >"$MNT/es.md"
	echo "Ключи от дома лежат на столе у соседа" >"$MNT/ru.md"
	echo "鍵は机の上にあります" >"$MNT/ja.md"
	assert_equal "$(paths 'Wohnung')" de.md
	assert_equal "$(paths 'canción')" es.md
	assert_equal "$(paths 'rotated')" en.md
	assert_equal "$(paths 'ключами')" ru.md
	assert_equal "$(paths '机の上')" ja.md
	assert_equal "$(paths '"schlüssel der wohnung"')" de.md
	assert_equal "$(sorted 'Wohnung OR rotated')" "de.md en.md"
	run cat "$MNT/query/Wohnung as:ansi"
	assert_line --partial $'\e[1;31mWohnungen\e[m'
	echo checkpoint >"$MNT/.rankfs/ctl"
	assert_equal "$(paths 'Wohnung mode:lexical')" de.md
	assert_equal "$(paths '"schlüssel der wohnung"')" de.md
}
