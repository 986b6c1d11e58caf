#!/usr/bin/env bats
# Extended attributes that the file system below has no room for.

load setup

beside() { find "$BACKING/indexes/main/attributes" -mindepth 1 -maxdepth 1 | wc -l; }

swept() { [[ $(beside) -eq $1 ]]; }

# of one document
attributes() { getfattr -h -d -m - --absolute-names -e hex "$1" | tail -n +2 | sort; }

@test "many and large ones, by every call, and gone with their document" {
	python3 "$BATS_TEST_DIRNAME/attributes.py" "$MNT" "$BACKING"
}

@test "a vector of 3,072 numbers is imported and found by" {
	echo "embedder import:3072" >"$MNT/.rankfs/config"
	echo reindex >"$MNT/.rankfs/ctl"
	embedded() { [[ $(cat "$MNT/.rankfs/status") == *"pending 0"*"embedding no"* ]]; }
	eventually 20 embedded
	python3 - "$MNT" <<-'PY'
		import json, random, sys
		m, rng = sys.argv[1], random.Random(3)
		v = [[rng.gauss(0, 1) for _ in range(3072)] for _ in range(3)]
		with open(m + "/.rankfs/import", "w") as f:
		    for i in range(3):
		        f.write(json.dumps({"id": f"v{i}.md", "text": "plain words", "metadata": {"note": "n" * 900}, "vector": v[i]}) + "\n")
		json.dump({"vector": v[2], "as": "paths", "n": 1}, open(m + "/../ask", "w"))
	PY
	eventually 20 indexed
	getfattr -h --absolute-names -n user.rankfs.vector --only-values "$MNT/v1.md" | wc -c | grep -qx 6144
	exec 5<>"$MNT/.rankfs/ask"
	cat "$BATS_TEST_TMPDIR/ask" >&5
	assert_equal "$(cat <&5 | head -1)" "$MNT/v2.md"
	exec 5>&-
}

@test "an export has them all, and an import brings them back" {
	python3 "$BATS_TEST_DIRNAME/attributes.py" "$MNT" "$BACKING" keep
	attributes "$MNT/d.md" >"$BATS_TEST_TMPDIR/want"
	[[ $(wc -l <"$BATS_TEST_TMPDIR/want") -gt 200 ]]
	cat "$MNT/.rankfs/export" >"$BATS_TEST_TMPDIR/export"
	stop
	mv "$BACKING" "$BACKING.old"
	start
	cat "$BATS_TEST_TMPDIR/export" >"$MNT/.rankfs/import"
	eventually 20 indexed
	attributes "$MNT/d.md" | diff "$BATS_TEST_TMPDIR/want" -
	attributes "$MNT/folder" | grep -q user.large
}

@test "what no document names any more is removed, and the rest stays, after a crash too" {
	python3 "$BATS_TEST_DIRNAME/attributes.py" "$MNT" "$BACKING" keep
	attributes "$MNT/long.md" >"$BATS_TEST_TMPDIR/want"
	n=$(beside)
	crash
	rm "$BACKING/indexes/main/files/d.md"
	umount -l "$MNT"
	start
	eventually 20 swept $((n - 1))
	attributes "$MNT/long.md" | diff "$BATS_TEST_TMPDIR/want" -
	# half moved: the value says where it is
	id=$(getfattr -n user.rankfs.attributes --only-values --absolute-names "$BACKING/indexes/main/files/long.md")
	stop
	setfattr -n user.two -v "rankfs:attributes:$id" "$BACKING/indexes/main/files/long.md"
	setfattr -x user.rankfs.attributes "$BACKING/indexes/main/files/long.md"
	start
	eventually 20 indexed
	[[ $(beside) -eq $((n - 1)) ]]
	grep user.two "$BATS_TEST_TMPDIR/want" | diff - <(attributes "$MNT/long.md" | grep user.two)
}
