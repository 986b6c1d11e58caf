#!/usr/bin/env bats
# Linked sources: folders elsewhere, indexed where they are.

load setup

source_is() {
	grep -q "^source $1 .* $2\$" "$MNT/.rankfs/status" && indexed
}

# found QUERY PATHS: the sorted result is exactly that, soon
found() {
	eventually 10 test_found "$1" "$2" || {
		assert_equal "$(paths "$1" | sort | xargs)" "$2"
	}
}

test_found() {
	[[ $(paths "$1" | sort | xargs) == "$2" ]]
}

link() {
	SRC=$BATS_TEST_TMPDIR/src
	mkdir -p "$SRC/sub"
	echo "an aardvark digs" >"$SRC/a.md"
	echo "another aardvark" >"$SRC/sub/b.txt"
	ln -s "$SRC" "$MNT/lk"
	eventually 10 source_is lk ok
}

@test "a link to a folder indexes it in place" {
	link
	found aardvark "lk/a.md lk/sub/b.txt"
	run cat "$MNT/query/aardvark digs"
	assert_line --index 1 --partial "$MNT/lk/a.md:1:"
	assert_line "    an aardvark digs"
	assert_equal "$(cat "$MNT/lk/a.md")" "an aardvark digs"
	assert_equal "$(find "$BACKING/indexes/main/files" -type f)" ""
	assert_equal "$(cat "$MNT/query/%2Fa.*ark%2F as:lines")" "$MNT/lk/a.md:1:an aardvark digs
$MNT/lk/sub/b.txt:1:another aardvark"
	assert_equal "$(ls "$MNT/.rankfs/chunks/lk/sub/b.txt")" "0001.md"
}

@test "changes from outside are followed" {
	link
	echo "third aardvark" >"$SRC/sub/c.md"
	found aardvark "lk/a.md lk/sub/b.txt lk/sub/c.md"
	echo "a bear instead" >"$SRC/a.md"
	found aardvark "lk/sub/b.txt lk/sub/c.md"
	rm "$SRC/sub/c.md"
	found aardvark "lk/sub/b.txt"
	mkdir -p "$SRC/x/y"
	echo "deep aardvark" >"$SRC/x/y/z.md"
	found aardvark "lk/sub/b.txt lk/x/y/z.md"
	mv "$SRC/sub" "$SRC/moved"
	found aardvark "lk/moved/b.txt lk/x/y/z.md"
	rm -r "$SRC/moved"
	found aardvark "lk/x/y/z.md"
	echo "after the move aardvark" >"$SRC/x/new.md"
	mv "$SRC/x" "$SRC/xx"
	found aardvark "lk/xx/new.md lk/xx/y/z.md"
	echo "in the renamed folder aardvark" >"$SRC/xx/late.md"
	found aardvark "lk/xx/late.md lk/xx/new.md lk/xx/y/z.md"
}

@test "what changed while nobody looked is found at the next mount" {
	link
	stop
	echo "offline aardvark" >"$SRC/new.md"
	rm "$SRC/a.md"
	start
	found aardvark "lk/new.md lk/sub/b.txt"
	stop
	assert_equal "$("$RANKFS" search -b "$BACKING" aardvark as:paths | wc -l)" 2
	rm "$BACKING/indexes/main/files/lk"
	start
	found aardvark ""
}

@test "removing or renaming the link leaves the files alone" {
	link
	mv "$MNT/lk" "$MNT/other"
	found aardvark "other/a.md other/sub/b.txt"
	rm "$MNT/other"
	found aardvark ""
	assert_exists "$SRC/a.md"
}

@test "a source that vanishes is marked missing and kept" {
	link
	mv "$SRC" "$SRC.away"
	eventually 10 grep -q "^source lk .* missing" "$MNT/.rankfs/status"
	run cat "$MNT/query/aardvark"
	assert_line --partial "# note: source lk is missing now"
	assert_line --partial "$MNT/lk/a.md:1:"
	echo reconcile >"$MNT/.rankfs/ctl"
	eventually 10 indexed
	found aardvark "lk/a.md lk/sub/b.txt"
	mkdir "$SRC" # as an empty mount point
	eventually 15 indexed
	found aardvark "lk/a.md lk/sub/b.txt"
	rmdir "$SRC"
	mv "$SRC.away" "$SRC"
	eventually 15 source_is lk ok
	run cat "$MNT/query/aardvark"
	refute_output --partial "missing"
	echo checkpoint >"$MNT/.rankfs/ctl"
	crash
	fusermount3 -uz "$MNT" || umount -l "$MNT"
	mv "$SRC" "$SRC.away"
	start
	eventually 10 grep -q "^source lk .* missing" "$MNT/.rankfs/status"
	found aardvark "lk/a.md lk/sub/b.txt"
}

@test "ignore files hold as git reads them" {
	SRC=$BATS_TEST_TMPDIR/src
	mkdir -p "$SRC"
	python3 - "$SRC" <<-'END'
		import os, random, sys
		r, top = random.Random(7), sys.argv[1]
		names = ["a", "b", "c", "ab", "foo", "foo.c", "bar.o", "x y", "[z]", "!n", "#h", "d.md"]
		pats = ["*.o", "/a", "b/", "a/b", "**/foo", "foo/**", "a/**/c", "!foo.c", "!b/", "*", "!*/", "!*.md",
		        "[a-c]", "[!a]b", "\\!n", "\\#h", "x\\ y", "x y", "ab*", "?", "/*/c", "c/", "!/a/b", "[[]z]", "**", "a*/", "/**/ab", "d.*  "]
		def fill(d, depth):
		    os.makedirs(d, exist_ok=True)
		    if r.random() < 0.5:
		        with open(os.path.join(d, ".gitignore"), "w") as f:
		            f.write("\n".join(r.choice(pats) for _ in range(r.randint(1, 5))) + "\n")
		    for n in names:
		        p = os.path.join(d, n)
		        if depth < 3 and r.random() < 0.3: fill(p, depth + 1)
		        elif r.random() < 0.6: open(p, "w").write("wombat %s\n" % p)
		for i in range(25): fill(os.path.join(top, "t%d" % i), 0)
	END
	git init -q "$SRC"
	echo "t3/" >"$SRC/.git/info/exclude"
	ln -s "$SRC" "$MNT/lk"
	eventually 20 source_is lk ok
	git -C "$SRC" -c core.excludesFile= -c core.quotePath=off ls-files -o --exclude-standard |
		grep -v 'ignore$' | LC_ALL=C sort >"$BATS_TEST_TMPDIR/git"
	for i in $(seq 40); do
		cat "$MNT/query/wombat n:1000 page:$i as:paths sort:path mode:lexical" | grep "^/" || break
	done | sed "s|^$MNT/lk/||" | LC_ALL=C sort >"$BATS_TEST_TMPDIR/us"
	(($(wc -l <"$BATS_TEST_TMPDIR/git") > 100))
	diff "$BATS_TEST_TMPDIR/git" "$BATS_TEST_TMPDIR/us"
}

@test "a changed ignore file takes effect" {
	link
	echo "sub/" >"$SRC/.rankfsignore"
	found aardvark "lk/a.md"
	rm "$SRC/.rankfsignore"
	found aardvark "lk/a.md lk/sub/b.txt"
}

@test "a folder inside a repository follows the rules above it" {
	mkdir -p "$BATS_TEST_TMPDIR/repo/lib/out"
	git init -q "$BATS_TEST_TMPDIR/repo"
	printf 'out/\n/lib/no.md\n' >"$BATS_TEST_TMPDIR/repo/.gitignore"
	for f in yes.md no.md out/o.md; do echo aardvark >"$BATS_TEST_TMPDIR/repo/lib/$f"; done
	ln -s "$BATS_TEST_TMPDIR/repo/lib" "$MNT/lib"
	eventually 10 source_is lib ok
	found aardvark "lib/yes.md"
}

@test "loops, links inside, the mount itself and its backing are not entered" {
	link
	ln -s "$SRC" "$SRC/loop"
	ln -s ../a.md "$SRC/sub/again.md"
	ln -s "$MNT" "$SRC/mount"
	ln -s "$MNT" "$MNT/self"
	ln -s "$BACKING" "$MNT/backing"
	ln -s "$BATS_TEST_TMPDIR" "$MNT/outer"
	eventually 10 source_is outer ok
	found aardvark "lk/a.md lk/sub/b.txt outer/src/a.md outer/src/sub/b.txt"
	run grep "^source" "$MNT/.rankfs/status"
	refute_output --partial self
	refute_output --partial backing
}

@test "a checkout of many files is followed as one" {
	SRC=$BATS_TEST_TMPDIR/src
	git init -q "$SRC"
	for i in $(seq 400); do echo "file $i says wombat" >"$SRC/f$i.md"; done
	git -C "$SRC" add . && git -C "$SRC" -c user.name=a -c user.email=a@b commit -qm one
	ln -s "$SRC" "$MNT/lk"
	eventually 20 source_is lk ok
	git -C "$SRC" checkout -qb two
	sed -i 's/wombat/quokka/' "$SRC"/f*.md
	git -C "$SRC" -c user.name=a -c user.email=a@b commit -qam two
	git -C "$SRC" checkout -q -
	git -C "$SRC" checkout -q two
	eventually 20 all_quokka
}

all_quokka() {
	[[ $(head -1 "$MNT/query/quokka n:1 mode:lexical") == *"hits=1/400 "* ]] &&
		[[ $(head -1 "$MNT/query/wombat n:1 mode:lexical") == *"hits=0/0 "* ]]
}

@test "with more folders than watches changes are followed all the same" {
	printf 'watch_max 1\nscan_s 1\n' >"$MNT/.rankfs/config"
	link
	echo "late aardvark" >"$SRC/sub/late.md"
	found aardvark "lk/a.md lk/sub/b.txt lk/sub/late.md"
	mkdir -p "$SRC/p/q"
	echo "deep aardvark" >"$SRC/p/q/d.md"
	found aardvark "lk/a.md lk/p/q/d.md lk/sub/b.txt lk/sub/late.md"
	mv "$SRC/p" "$SRC/r"
	found aardvark "lk/a.md lk/r/q/d.md lk/sub/b.txt lk/sub/late.md"
	rm -r "$SRC/r" "$SRC/sub"
	found aardvark "lk/a.md"
}
