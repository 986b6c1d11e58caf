#!/usr/bin/env bats
# Embedders: the built-in one, static models, and a real server with faults.

load setup

setup_file() {
	export PORT_FILE=$BATS_FILE_TMPDIR/port
	[[ -d $PEERS/node_modules/node-llama-cpp ]] || return 0
	"$NODE" "$PEERS/embed_server.mjs" "$PORT_FILE" "$BATS_FILE_TMPDIR/model.gguf" \
		>"$BATS_FILE_TMPDIR/server.log" 2>&1 3>&- 4>&- &
	echo $! >"$BATS_FILE_TMPDIR/pid"
	eventually 60 test -e "$PORT_FILE" || cat "$BATS_FILE_TMPDIR/server.log"
}

teardown_file() {
	# one that did not start is gone already, and its tests have said why
	[[ ! -e $BATS_FILE_TMPDIR/pid ]] || kill "$(cat "$BATS_FILE_TMPDIR/pid")" 2>/dev/null || true
}

# needs_server: the tests that want one say so
needs_server() {
	needs_peer node-llama-cpp
	[[ -e $PORT_FILE ]] || {
		cat "$BATS_FILE_TMPDIR/server.log"
		return 1
	}
	URL=http://127.0.0.1:$(cat "$PORT_FILE")
	fault none 0
}

fault() {
	curl -sf -X POST "$URL/fault" -d "{\"kind\":\"$1\",\"count\":$2}" >/dev/null
}

# use LINE...: configure an embedder and bring it into use
use() {
	printf '%s\n' "$@" >"$MNT/.rankfs/config"
	echo reindex >"$MNT/.rankfs/ctl"
}

embedded() {
	[[ $(cat "$MNT/.rankfs/status") == *"pending 0"*"reconciling no"*"embedding no"* ]]
}

header() {
	head -1 "$MNT/query/$1"
}

corpus() {
	echo "the automobile had an error" >"$MNT/car.md"
	echo "a database and its journal" >"$MNT/db.md"
	echo "what the physician said" >"$MNT/doctor.md"
	echo "a recipe from the ocean" >"$MNT/sea.md"
}

@test "a server finds what other words say" {
	needs_server
	corpus
	use "embedder $URL/v1/embeddings" "embed_model clusters"
	eventually 20 embedded
	assert_equal "$(paths 'vehicle failure' | head -1)" car.md
	assert_equal "$(paths 'surgeon' | head -1)" doctor.md
	run header "vehicle failure"
	assert_output --partial "vectors=100%"
	assert_output --partial "mode=hybrid"
	run cat "$MNT/.rankfs/status"
	assert_line "embedder server clusters|| 64"
	# what is written now is found at once by its words, soon by its meaning
	echo "violet" >"$MNT/colour.md"
	assert_equal "$(paths violet | head -1)" colour.md
	eventually 10 embedded
	assert_equal "$(paths 'lilac mode:vector' | head -1)" colour.md
	# and stays so
	stop
	start
	assert_equal "$(paths 'lilac mode:vector' | head -1)" colour.md
}

@test "Ollama's form of request serves as well" {
	needs_server
	corpus
	use "embedder $URL/api/embed" "embed_model clusters"
	eventually 20 embedded
	assert_equal "$(paths 'truck crash' | head -1)" car.md
}

@test "a server that fails in any way is asked again until all is there" {
	needs_server
	corpus
	for kind in 500 429 reset truncated garbage count dimension nan shuffled; do
		fault "$kind" 2
		use "embedder none"
		eventually 10 embedded
		use "embedder $URL/v1/embeddings" "embed_model $kind"
		eventually 30 embedded
		assert_equal "$(paths 'vehicle failure mode:vector' | head -1)" car.md
		assert_equal "$(paths 'ledger mode:vector' | head -1)" db.md
		run header "anything mode:lexical"
		assert_output --partial "vectors=100%"
	done
}

@test "batches that are too large are halved, texts that are too long cut" {
	needs_server
	corpus
	{
		echo "the violet car"
		for i in $(seq 60); do echo "and then the long story goes on $i"; done
	} >"$MNT/long.md"
	fault large 0
	use "embedder $URL/v1/embeddings" "embed_model halves"
	eventually 30 embedded
	assert_equal "$(paths 'surgeon mode:vector' | head -1)" doctor.md
	fault long 0
	use "embedder $URL/v1/embeddings" "embed_model cuts"
	eventually 30 embedded
	assert_equal "$(paths 'surgeon mode:vector' | head -1)" doctor.md
	run header "violet"
	assert_output --partial "vectors=100%"
}

@test "a server that is down fails neither writes nor queries, and is caught up with" {
	needs_server
	use "embedder http://127.0.0.1:9/v1/embeddings" "embed_model clusters"
	corpus
	assert_equal "$(paths automobile)" car.md
	run header "automobile and whatever"
	assert_output --regexp "took=[0-9]{1,3}\."
	eventually 10 grep -q "vectors: server:" "$MNT/.rankfs/warnings"
	use "embedder $URL/v1/embeddings"
	eventually 20 embedded
	assert_equal "$(paths 'vehicle failure' | head -1)" car.md
}

@test "a query does not wait for a slow server" {
	needs_server
	corpus
	use "embedder $URL/v1/embeddings" "embed_model clusters" "embed_query_ms 200"
	eventually 20 embedded
	fault slow 9 # one alone may be met by a request in the background
	run header "automobile slowly"
	assert_output --partial "mode=lexical"
	assert_output --regexp "took=[0-9]{1,3}\."
}

@test "the server's key comes from a file or the environment and is kept nowhere" {
	needs_server
	corpus
	echo "sk-from-file" >"$BATS_TEST_TMPDIR/key"
	use "embedder $URL/v1/embeddings" "embed_model filed" "embed_key_file $BATS_TEST_TMPDIR/key"
	eventually 20 embedded
	stop
	RANKFS_EMBED_KEY=sk-from-env start
	use "embed_key_file" "embed_model environed"
	eventually 20 embedded
	run curl -sf "$URL/seen"
	assert_output --partial '"Bearer sk-from-file":true'
	assert_output --partial '"Bearer sk-from-env":true'
	run grep -r "sk-from" "$BACKING" "$MNT/.rankfs/status" "$MNT/.rankfs/config" "$MNT/.rankfs/warnings"
	assert_failure
}

@test "a wrong key is told, and words answer" {
	needs_server
	corpus
	fault 401 1000
	use "embedder $URL/v1/embeddings" "embed_model locked"
	eventually 10 grep -q "invalid key" "$MNT/.rankfs/warnings"
	assert_equal "$(paths automobile)" car.md
	fault none 0
	eventually 20 embedded
	assert_equal "$(paths 'vehicle failure' | head -1)" car.md
}

@test "vectors of another embedder are not used until reindex" {
	needs_server
	corpus
	use "embedder $URL/v1/embeddings" "embed_model one"
	eventually 20 embedded
	stop
	sed -i 's/^embed_model .*/embed_model two/' "$BACKING/indexes/main/config"
	start
	run header automobile
	assert_output --partial "vectors=off"
	assert_output --partial "mode=lexical"
	run cat "$MNT/.rankfs/warnings"
	assert_output --partial "until reindex"
	echo reindex >"$MNT/.rankfs/ctl"
	eventually 20 embedded
	assert_equal "$(paths 'vehicle failure' | head -1)" car.md
}

# A static model of four words in two dimensions, written by hand.
static_model() {
	mkdir -p "$1"
	python3 - "$1" <<'PY'
import json, struct, sys
words = ["[PAD]", "[UNK]", "cat", "kitten", "stone", "rock", "##s"]
rows = [(0, 0), (9, 9), (1, .1), (.9, .2), (-.1, 1), (.1, 1), (.05, .05)]
data = b"".join(struct.pack("<2f", *r) for r in rows)
head = json.dumps({"embeddings": {"dtype": "F32", "shape": [len(rows), 2],
                                  "data_offsets": [0, len(data)]}}).encode()
with open(sys.argv[1] + "/model.safetensors", "wb") as f:
    f.write(struct.pack("<Q", len(head)) + head + data)
json.dump({"normalizer": {"type": "BertNormalizer", "lowercase": True},
           "pre_tokenizer": {"type": "BertPreTokenizer"},
           "model": {"type": "WordPiece", "unk_token": "[UNK]",
                     "continuing_subword_prefix": "##",
                     "vocab": {w: i for i, w in enumerate(words)}}},
          open(sys.argv[1] + "/tokenizer.json", "w"))
PY
}

@test "a static model finds what other words say" {
	static_model "$BATS_TEST_TMPDIR/model"
	echo "a cat" >"$MNT/cat.md"
	echo "some rocks" >"$MNT/rock.md"
	use "embedder static:$BATS_TEST_TMPDIR/model"
	eventually 10 embedded
	assert_equal "$(paths 'kitten' | head -1)" cat.md
	assert_equal "$(paths 'stone mode:vector' | head -1)" rock.md
	stop
	start
	assert_equal "$(paths 'kitten' | head -1)" cat.md
	run cat "$MNT/.rankfs/status"
	assert_line --regexp '^embedder static [0-9a-f]{16} 2$'
}

@test "a static model that is not there leaves the words" {
	echo "a cat" >"$MNT/cat.md"
	use "embedder static:$BATS_TEST_TMPDIR/nowhere"
	eventually 10 grep -q "model.safetensors and tokenizer.json must be in it" "$MNT/.rankfs/warnings"
	assert_equal "$(paths cat)" cat.md
}

@test "the built-in embedding is fitted by itself and survives a remount" {
	for i in $(seq 250); do
		printf 'report %d\nthe engine and the %s of part %d\n' "$i" \
			"$( ((i % 2)) && echo "gearbox clutch lever" || echo "violin cello string")" "$i" >"$MNT/d$i.md"
	done
	eventually 20 fitted
	run header engine
	assert_output --partial "vectors=100%"
	a=$(paths 'clutch')
	stop
	start
	eventually 20 embedded
	assert fitted
	assert_equal "$(paths 'clutch')" "$a"
}

fitted() {
	embedded && [[ $(cat "$MNT/.rankfs/status") =~ vectors_fitted_on\ [1-9] ]]
}

@test "without an embedder the words answer, as fast as ever" {
	use "embedder none"
	echo "purple yak" >"$MNT/a.md"
	eventually 10 embedded
	run header yak
	assert_output --partial "vectors=off"
	assert_output --partial "mode=lexical"
	assert_equal "$(paths 'yak mode:vector')" a.md
}
