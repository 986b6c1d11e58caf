#!/usr/bin/env bats
# .rankfs/: checkpoints to go back to, export and import, progress, metrics.

load setup

@test "at/<checkpoint>/ answers as the index was then" {
	echo "rotate the keys" >"$MNT/a.md"
	cat "$MNT/query/rotate" >/dev/null
	echo checkpoint >"$MNT/.rankfs/ctl"
	local n
	n=$(ls "$MNT/.rankfs/at" | tail -1)
	echo "rotate the locks" >"$MNT/b.md"
	rm "$MNT/a.md"
	run cat "$MNT/query/rotate"
	assert_output --partial b.md
	refute_output --partial a.md
	run cat "$MNT/.rankfs/at/$n/query/rotate"
	assert_output --partial a.md
	refute_output --partial b.md
	assert_equal "$(ls "$MNT/.rankfs/at/$n/find/rotate" | head -1)" 01-a.md
	assert_not_exist "$MNT/.rankfs/at/9999"
	assert_not_exist "$MNT/.rankfs/at/$n/nothing"
	run ln -s x "$MNT/.rankfs/at/$n/query/y"
	assert_failure
}

@test "similar/ and chunks/ lead out of nothing by links" {
	mkdir -p "$MNT/a/d" "$BATS_TEST_TMPDIR/out"
	echo "a zebra" >"$MNT/a/d/x.md"
	echo secret >"$BATS_TEST_TMPDIR/out/secret"
	ln -s "../../out" "$MNT/relative"
	local m
	for m in similar chunks; do
		assert_exist "$MNT/.rankfs/$m/a/d/x.md"
		assert_not_exist "$MNT/.rankfs/$m/relative/secret"
		(
			cd "$MNT/.rankfs/$m/a/d" # known before it is a link
			mv "$MNT/a/d" "$MNT/a/was"
			ln -s "$BATS_TEST_TMPDIR/out" "$MNT/a/d"
			assert_not_exist secret
			rm "$MNT/a/d"
			mv "$MNT/a/was" "$MNT/a/d"
		)
	done
	mkdir "$BATS_TEST_TMPDIR/source"
	echo "a linked zebra" >"$BATS_TEST_TMPDIR/source/y.md"
	ln -s "$BATS_TEST_TMPDIR/source" "$MNT/source"
	assert_exist "$MNT/.rankfs/similar/source/y.md"
}

@test "an export is one archive, and an import puts it back elsewhere" {
	mkdir "$MNT/d"
	echo "rotate the keys" >"$MNT/d/a.md"
	setfattr -n user.tag -v ops "$MNT/d/a.md"
	touch -d "2020-01-02 03:04:05.123456789" "$MNT/d/a.md"
	ln -s "d/a.md" "$MNT/link"
	ln -s "rotate keys" "$MNT/query/keys"
	rm "$MNT/find/keys/01-a.md"
	echo "hits 7" >"$MNT/.rankfs/config"
	cp "$MNT/.rankfs/export" "$BATS_TEST_TMPDIR/x.tar.zst"
	cat "$MNT/.rankfs/export" >"$BATS_TEST_TMPDIR/y.tar.zst"
	run sh -c "zstd -dc '$BATS_TEST_TMPDIR/y.tar.zst' | tar tf -"
	assert_line files/d/a.md
	stop

	BACKING=$BATS_TEST_TMPDIR/second
	start
	cp "$BATS_TEST_TMPDIR/x.tar.zst" "$MNT/.rankfs/import"
	assert_equal "$(cat "$MNT/d/a.md")" "rotate the keys"
	assert_equal "$(getfattr --only-values -n user.tag "$MNT/d/a.md")" ops
	assert_equal "$(stat -c %y "$MNT/d/a.md" | cut -d' ' -f1,2)" "2020-01-02 03:04:05.123456789"
	assert_equal "$(readlink "$MNT/link")" d/a.md
	assert_equal "$(readlink "$MNT/query/keys")" "rotate keys"
	assert_equal "$(paths "rotate tag:ops")" d/a.md
	assert_equal "$(ls "$MNT/find/keys")" ""
	run grep '^hits' "$MNT/.rankfs/config"
	assert_output "hits 7"
}

@test "export and import without a mount" {
	echo "rotate the keys" >"$MNT/a.md"
	stop
	"$RANKFS" export -b "$BACKING" "$BATS_TEST_TMPDIR/x"
	"$RANKFS" export -b "$BACKING" >"$BATS_TEST_TMPDIR/y"
	"$RANKFS" import -b "$BATS_TEST_TMPDIR/other" "$BATS_TEST_TMPDIR/y"
	run "$RANKFS" search -b "$BATS_TEST_TMPDIR/other" rotate
	assert_output --partial a.md
}

@test "a bad import is refused with a reason, and leads out of nothing" {
	local bad=$BATS_TEST_TMPDIR/bad
	head -c 3000 /dev/urandom | zstd -q >"$bad"
	run cp "$bad" "$MNT/.rankfs/import"
	assert_failure
	run cat "$MNT/.rankfs/error"
	assert_output --partial "not an export"

	# cut short
	echo "rotate the keys" >"$MNT/a.md"
	head -c 200000 /dev/urandom >"$MNT/big"
	cat "$MNT/.rankfs/export" | head -c 100000 >"$bad"
	run cp "$bad" "$MNT/.rankfs/import"
	assert_failure

	# names that climb out, absolute ones, links on the way
	/usr/bin/python3 - "$bad" "$BATS_TEST_TMPDIR" <<-'END'
		import io, sys, tarfile
		bad, out = sys.argv[1:]
		def entry(t, name, data=b"", **kw):
		    i = tarfile.TarInfo(name); i.size = len(data)
		    for k, v in kw.items(): setattr(i, k, v)
		    t.addfile(i, io.BytesIO(data))
		for k, name in enumerate(["files/../../escaped", "files//" + out + "/escaped", "files/l/escaped"]):
		    with tarfile.open(f"{bad}{k}", "w") as t:
		        entry(t, "rankfs-export", b"rankfs-export 1\n")
		        entry(t, "files/l", type=tarfile.SYMTYPE, linkname=out)
		        entry(t, name, b"x")
		with tarfile.open(f"{bad}3", "w") as t:
		    entry(t, "rankfs-export", b"rankfs-export 99\n")
	END
	for k in 0 1 2 3; do
		run cp "$bad$k" "$MNT/.rankfs/import"
		# an absolute name is below the documents, a link is replaced
		((k == 1 || k == 2)) || assert_failure
	done
	run cat "$MNT/.rankfs/error"
	assert_output --partial "version 99"
	run find "$BATS_TEST_TMPDIR" -name escaped -not -path "*/files/*"
	refute_output --regexp "^$BATS_TEST_TMPDIR/(escaped|backing/escaped|backing/indexes/escaped|backing/indexes/main/escaped)"
	assert_equal "$(paths rotate)" a.md
}

@test "progress and metrics say how it is going" {
	echo "rotate the keys" >"$MNT/a.md"
	idle() { [[ $(cat "$MNT/.rankfs/progress") == idle ]]; }
	eventually 10 idle
	run cat "$MNT/.rankfs/metrics"
	assert_line "# TYPE rankfs_documents gauge"
	assert_line "rankfs_documents 1"
	assert_line "# TYPE rankfs_queries counter"
	# the text format of Prometheus: comments, or a name and a number
	run grep -vE '^(# TYPE [a-z_]+ (counter|gauge)|[a-z_]+ [0-9.]+)$' "$MNT/.rankfs/metrics"
	assert_output ""
}

@test "ctl saves, and says what it does not know" {
	echo "save mine rotate keys 100%" >"$MNT/.rankfs/ctl"
	assert_equal "$(readlink "$MNT/query/mine")" "rotate keys 100%25"
	echo "unsave mine" >"$MNT/.rankfs/ctl"
	assert_equal "$(ls "$MNT/query")" README
	for line in "unsave mine" "save a/b yak" "save onlyname" "unmark nothing" "sync now" "nonsense"; do
		run sh -c "echo '$line' >'$MNT/.rankfs/ctl'"
		assert_failure
		run cat "$MNT/.rankfs/error"
		assert_output --regexp "${line%% *}"
	done
	echo clear >"$MNT/.rankfs/ctl"
}

@test "documents of the cache go by age and by number" {
	printf 'cache_max_docs 3\n' >"$MNT/.rankfs/config"
	mkdir "$MNT/cache"
	for i in 1 2 3 4 5 6; do
		echo "question number $i and its answer" >"$MNT/cache/q$i.md"
		touch -a -m -d "2026-01-0$i" "$MNT/cache/q$i.md"
	done
	echo "keep me" >"$MNT/q0.md"
	three() { [[ $(ls "$MNT/cache" | xargs) == "q4.md q5.md q6.md" ]]; }
	eventually 10 three
	assert_exist "$MNT/q0.md"
	run paths "question number"
	refute_output --partial q1.md
	# what was of use stays, whatever its age
	cat "$MNT/recall/question number 4 and its answer" >/dev/null
	echo "cache_max_docs 1" >"$MNT/.rankfs/config"
	one() { [[ $(ls "$MNT/cache" | xargs) == q4.md ]]; }
	eventually 10 one
	run grep cache_evicted "$MNT/.rankfs/status"
	assert_output "cache_evicted 5"
	echo "cache_ttl_s 60" >"$MNT/.rankfs/config"
	# another name: the kernel knows the first one for a second
	assert_not_exist "$MNT/recall/question number 4 and its answer?"
	none() { [[ -z $(ls "$MNT/cache") ]]; }
	eventually 10 none
	run sh -c "echo 'cache_dir ..' >'$MNT/.rankfs/config'"
	assert_failure
}

# sizes PREFIX: "COUNT WORD" of each entry, as ls -S sorts them
sizes() {
	find "$MNT/.rankfs/terms/$1" -mindepth 1 -maxdepth 1 -printf '%s %f\n' | sort -k1,1nr -k2
}

@test "terms/PREFIX/ is the vocabulary: words, their counts, of memory and segments together" {
	echo "the encryption of one thing, entropy" >"$MNT/a.md"
	echo "encryption again" >"$MNT/b.md"
	echo checkpoint >"$MNT/.rankfs/ctl"
	echo "rotation, encryption, Straße" >"$MNT/c.md"
	assert_equal "$(sizes en)" $'3 encryption\n1 entropy'
	assert_equal "$(sizes EN)" $'3 encryption\n1 entropy'
	# the most frequent of all words: each is a prefix, of the same size
	assert_equal "$(stat -c '%F %s' "$MNT/.rankfs/terms/encryption")" "directory 3"
	assert_equal "$(stat -c '%F %s' "$MNT/.rankfs/terms/encr")" "directory 0"
	run ls -U "$MNT/.rankfs/terms"
	assert_line encryption
	assert_line strasse
	refute_line the
	# every listed name is there, and is empty
	assert_equal "$(cat "$MNT/.rankfs/terms/en/encryption")" ""
	assert_not_exist "$MNT/.rankfs/terms/en/entropies"x
	assert_not_exist "$MNT/.rankfs/terms/en/rotation"
	assert_not_exist "$MNT/.rankfs/terms/xyz"
	run cp /dev/null "$MNT/.rankfs/terms/en/encryption"
	assert_failure
}

@test "terms/ shows a word as it is written most often, a stem where it knows none" {
	echo "happiness, happy, happy" >"$MNT/a.md"
	echo "a happy man encrypts" >"$MNT/b.md"
	echo "encrypt, encrypted" >"$MNT/c.md"
	echo "encrypt" >"$MNT/d.md"
	assert_equal "$(sizes ha)" "2 happy"
	assert_equal "$(sizes happi)" "2 happiness" # it is of the same stem
	assert_equal "$(sizes encr)" "3 encrypt"
	echo checkpoint >"$MNT/.rankfs/ctl"
	assert_equal "$(sizes ha)" "2 happy"
	assert_equal "$(sizes encr)" "3 encrypt"
}

@test "terms/: words of what is gone go with the next merge" {
	echo "zebra common" >"$MNT/a.md"
	echo "zeppelin common" >"$MNT/b.md"
	echo checkpoint >"$MNT/.rankfs/ctl"
	rm "$MNT/a.md"
	echo "common" >"$MNT/b.md"
	echo compact >"$MNT/.rankfs/ctl"
	assert_not_exist "$MNT/.rankfs/terms/ze"
	assert_equal "$(sizes com)" "1 common"
}

@test "terms/ lists a thousand words, the most frequent" {
	local i
	for i in {1..1100}; do
		printf 'w%04dq ' "$i"
	done >"$MNT/a.md"
	echo "w0007q" >"$MNT/b.md"
	assert_equal "$(ls -U "$MNT/.rankfs/terms/w" | wc -l)" 1000
	assert_equal "$(ls -U "$MNT/.rankfs/terms/w" | head -1)" w0007q
	assert_equal "$(ls -U "$MNT/.rankfs/terms" | wc -l)" 1000
	assert_equal "$(ls -U "$MNT/.rankfs/terms/w1100" | wc -l)" 1
	assert_equal "$(stat -c %s "$MNT/.rankfs/terms/w1/w1100q")" 1
}
