#!/usr/bin/env bats
# Common programs see files of the mount as they see plain ones: each is run
# over a plain copy and over the mount, and must say and give the same. The
# files are a document, an answer in query/, a result in find/, and a chunk.

load setup

setup() {
	MNT=$BATS_TEST_TMPDIR/mnt
	BACKING=$BATS_TEST_TMPDIR/backing
	mkdir "$MNT"
	start
	P=$BATS_TEST_TMPDIR/plain
	mkdir "$P" "$BATS_TEST_TMPDIR/out"
	for i in $(seq 60); do
		printf '# Part %d\n\nrotate the keys of signer %d, then restart it.\nline two of %d\n\n' "$i" "$i" "$i"
	done >"$MNT/doc.md"
	for i in $(seq 12); do echo "rotate keys number $i" >"$MNT/n$i.md"; done
	FILES=("$MNT/doc.md" "$MNT/query/rotate keys n:12" "$MNT/find/rotate keys/01-"* "$MNT/.rankfs/chunks/doc.md/0003"* "$MNT/.rankfs/text/doc.md")
	local k=0
	for f in "${FILES[@]}"; do
		cat "$f" >"$P/$k"
		k=$((k + 1))
	done
	((k == 5))
}

# same COMMAND...: with each file as the last word, or in place of FILE
same() {
	local k=0 f a b words
	for f in "${FILES[@]}"; do
		words=("$@" FILE)
		[[ " $* " != *" FILE "* ]] || words=("$@")
		a=$(cd "$P" && "${words[@]//FILE/$P/$k}" 2>&1 </dev/null | tr -d '\0' | sed "s|$P/$k|F|g")
		b=$(cd "$P" && "${words[@]//FILE/$f}" 2>&1 </dev/null | tr -d '\0' | sed "s|$f|F|g")
		if [[ $a != "$b" || -z $a ]]; then
			echo "differs on $f: $*"
			diff <(echo "$a") <(echo "$b") | head -20
			return 1
		fi
		k=$((k + 1))
	done
}

# copied COMMAND...: FILE to OUT, which must have the same bytes
copied() {
	local k=0 f out=$BATS_TEST_TMPDIR/out/copy
	for f in "${FILES[@]}"; do
		rm -rf "$out"
		words=("${@//FILE/$f}")
		(cd "$P" && "${words[@]//OUT/$out}" </dev/null >/dev/null 2>&1) || { echo "failed on $f: $*"; return 1; }
		cmp "$P/$k" "$out" || { echo "differs on $f: $*"; return 1; }
		k=$((k + 1))
	done
}

@test "readers: cat head tail tac nl more less od xxd hexdump strings fold rev bat busybox" {
	same cat
	same head -n 7
	same head -c 100
	same tail -n 3
	same tail -c 50
	same tac
	same nl
	same more
	same less
	same od -c
	same xxd
	same hexdump -C
	same strings
	same fold -w 20
	same rev
	same batcat --plain --color=never
	same busybox cat
}

@test "searchers: grep egrep zgrep rg ag busybox" {
	same grep -n rotate
	same grep -c keys
	same grep -E 'rot(ate|or)'
	same zgrep rotate
	same rg -n --no-mmap rotate
	same rg -n --mmap rotate
	same ag --nocolor rotate
	same busybox grep rotate
}

@test "editors of streams: sed awk gawk perl python ed tr cut sort uniq paste join comm fmt expand" {
	same sed -n 1p
	same sed 's/keys/locks/'
	same awk '{ print NF }'
	same gawk 'END { print NR }'
	same perl -ne 'print if /rotate/'
	same python3 -c 'import sys; print(len(open(sys.argv[1], "rb").read()))'
	same sh -c 'printf "1,2p\nq\n" | ed -s "$1"' sh
	same sh -c 'tr a-z A-Z <"$1"' sh
	same cut -c 1-10
	same sort
	same uniq
	same paste
	same comm FILE /dev/null
	same fmt
	same expand
	same column
}

@test "sizes and sums: wc md5sum sha256sum cksum sum b2sum base64 file du stat find test" {
	same wc
	same wc -c
	same md5sum
	same sha256sum
	same cksum
	same sum
	same b2sum
	same base64
	same file -b
	same stat -c '%s %F'
	same du -b
	same sh -c 'test -s "$1" && test -f "$1" && test -r "$1" && echo yes' sh
	same find FILE -type f -size +0 -printf '%s\n'
	same git hash-object
	same python3 -c 'import os, sys; print(os.stat(sys.argv[1]).st_size)'
}

@test "comparers: diff cmp sdiff git python" {
	local k=0
	for f in "${FILES[@]}"; do
		diff "$P/$k" "$f"
		cmp "$P/$k" "$f"
		git diff --no-index --quiet "$P/$k" "$f"
		sdiff -s "$P/$k" "$f"
		python3 -c 'import filecmp, sys; sys.exit(not filecmp.cmp(*sys.argv[1:], shallow=False))' "$P/$k" "$f"
		k=$((k + 1))
	done
}

@test "copiers: cp install rsync dd tar cpio zip tee split cat python node perl socat curl" {
	copied cp FILE OUT
	copied cp --reflink=auto FILE OUT
	copied cp -p FILE OUT
	copied install -m 644 FILE OUT
	copied rsync -a FILE OUT
	copied rsync --inplace FILE OUT
	copied dd if=FILE of=OUT bs=7 status=none
	copied sh -c 'dd if="$1" of="$2" bs=1M status=none' sh FILE OUT
	copied sh -c 'tar cf - -C / "${1#/}" | tar xOf - >"$2"' sh FILE OUT
	copied sh -c 'printf "%s\n" "$1" | cpio -o --quiet -H newc | cpio -i --quiet --to-stdout >"$2"' sh FILE OUT
	copied sh -c 'rm -f "$2.zip"; zip -q "$2.zip" "$1" && unzip -p "$2.zip" >"$2"' sh FILE OUT
	copied sh -c 'tee "$2" <"$1"' sh FILE OUT
	copied sh -c 'split -b 100 "$1" "$2." && cat "$2".?? >"$2"; rm -f "$2".??' sh FILE OUT
	copied python3 -c 'import shutil, sys; shutil.copyfile(*sys.argv[1:])' FILE OUT
	copied python3 -c 'import shutil, sys; shutil.copy2(*sys.argv[1:])' FILE OUT
	copied python3 -c 'import mmap, sys; f = open(sys.argv[1], "rb"); open(sys.argv[2], "wb").write(mmap.mmap(f.fileno(), 0, flags=mmap.MAP_PRIVATE, prot=mmap.PROT_READ)[:])' FILE OUT
	copied node -e 'require("fs").copyFileSync(process.argv[1], process.argv[2])' FILE OUT
	copied node -e 'const f = require("fs"); f.writeFileSync(process.argv[2], f.readFileSync(process.argv[1]))' FILE OUT
	copied perl -MFile::Copy -e 'copy(@ARGV) or die' FILE OUT
	copied sh -c 'socat -u - "CREATE:$2" <"$1"' sh FILE OUT
	copied sh -c 'curl -s -o "$2" "file://$(printf %s "$1" | sed "s/%/%25/g; s/ /%20/g; s/#/%23/g")"' sh FILE OUT
	copied busybox cp FILE OUT
	copied sh -c 'sponge "$2" <"$1"' sh FILE OUT
}

@test "packers: gzip bzip2 xz zstd" {
	for z in gzip bzip2 xz zstd; do
		copied sh -c "$z -qc <\"\$1\" | $z -dqc >\"\$2\"" sh FILE OUT
		copied sh -c "$z -qc \"\$1\" | $z -dqc >\"\$2\"" sh FILE OUT
	done
}

@test "editors: vim and emacs read the whole file" {
	copied sh -c 'vim -es -u NONE -c "silent write! $2" -c qall! "$1" </dev/null' sh FILE OUT
	local k=0 f
	for f in "${FILES[@]}"; do
		rm -f "$BATS_TEST_TMPDIR/out/e"
		IN=$f TO=$BATS_TEST_TMPDIR/out/e emacs -Q --batch --eval '(progn (setq make-backup-files nil) (find-file (getenv "IN")) (write-region (point-min) (point-max) (getenv "TO")))' 2>/dev/null
		cmp "$P/$k" "$BATS_TEST_TMPDIR/out/e"
		k=$((k + 1))
	done
}

@test "less shows an answer on a terminal" {
	command -v script >/dev/null || skip "no script(1)"
	run timeout 10 script -qec "TERM=xterm less -FX '$MNT/query/rotate keys n:2'" /dev/null
	assert_output --partial "rotate keys number"
}

@test "listers and pickers: ls find fd tree fzf xargs parallel" {
	ls -l "$MNT/find/rotate keys" | grep -q 01-
	find "$MNT/find/rotate keys" -maxdepth 1 -type f | grep -q 01-
	fdfind --type f . "$MNT/find/rotate keys" | grep -q 01-
	tree "$MNT/find/rotate keys" | grep -q 01-
	find "$MNT/find/rotate keys" -maxdepth 1 -type f -print0 | xargs -0 cat | grep rotate >/dev/null
	find "$MNT/find/rotate keys" -maxdepth 1 -type f | parallel --will-cite cat 2>/dev/null | grep -q rotate
	cat "$MNT/query/rotate keys as:lines" | fzf --filter "number 3" | grep -q n3.md
}

# shows PROGRAM TEXT: in a terminal, on a folder of results
shows() {
	# a server of its own: the one before may still be on its way out
	local socket=$BATS_TEST_TMPDIR/tmux$((++terminals))
	tmux -S "$socket" -f /dev/null new-session -d -x 120 -y 40 "$1" 3>&- 4>&-
	seen() { tmux -S "$socket" capture-pane -p | grep -q "$2"; }
	eventually 15 seen _ "$2" || { tmux -S "$socket" capture-pane -p; tmux -S "$socket" kill-server; return 1; }
	tmux -S "$socket" kill-server
}

@test "file managers show results: ranger, mc" {
	shows "HOME=$BATS_TEST_TMPDIR ranger '$MNT/find/rotate keys'" 01-
	shows "HOME=$BATS_TEST_TMPDIR mc '$MNT/find/rotate keys'" 01-
}

@test "walkers of trees: grep -r, rg, tar, rsync -r, cp -r, du, git grep over find/" {
	local d="$MNT/find/rotate keys" o=$BATS_TEST_TMPDIR/out n
	n=$(ls "$d" | grep -c '^[0-9]')
	assert_equal "$(grep -rl rotate "$d" | wc -l)" "$n"
	assert_equal "$(rg -l rotate "$d" | wc -l)" "$n"
	tar cf "$o/t.tar" -C "$d" .
	assert_equal "$(tar tf "$o/t.tar" | grep -c '^\./[0-9]')" "$n"
	rsync -r "$d/" "$o/r"
	cp -r "$d" "$o/c"
	diff <(cat "$o"/r/[0-9]*) <(cat "$o"/c/[0-9]*)
	assert_equal "$(du -ab "$d" --max-depth=1 | grep -c '/[0-9][0-9]-')" "$n"
}

@test "a walk over the whole mount ends, and starts no search" {
	local before after
	before=$(awk '/^queries / { print $2 }' "$MNT/.rankfs/status")
	timeout 20 grep -rl rotate "$MNT" >/dev/null
	timeout 20 find "$MNT" -type f -size +0 >/dev/null
	timeout 20 rg -l rotate "$MNT" >/dev/null
	timeout 20 tar cf /dev/null "$MNT" 2>/dev/null
	timeout 20 du -s "$MNT" >/dev/null
	after=$(awk '/^queries / { print $2 }' "$MNT/.rankfs/status")
	assert_equal "$after" "$before"
}

@test "writers of documents: the shell, tee, sed -i, ed, perl -i, vim, emacs, git, tar, zip, rsync, flock, sponge, dos2unix" {
	local d="$MNT/w" p="$P/w"
	for x in "$d" "$p"; do
		mkdir "$x"
		(
			cd "$x"
			echo one >a; echo two >>a; printf 'three\n' | tee -a a >/dev/null
			sed -i s/two/zwei/ a
			perl -pi -e s/three/drei/ a
			printf '1s/one/eins/\nw\nq\n' | ed -s a >/dev/null
			printf 'a\r\nb\r\n' >crlf; dos2unix -q crlf
			sort a | sponge a
			cp a b; mv b c; ln c d; ln -s d e
			truncate -s 10 c; dd if=/dev/zero of=z bs=1k count=3 status=none
			tar cf t.tar a crlf; mkdir x; tar xf t.tar -C x
			zip -q t.zip a; unzip -q t.zip -d y
			git init -q g; cd g
			git config user.email t@example.org; git config user.name t
			cp ../a .; git add a; git commit -qm one; git mv a b; git commit -qm two; git checkout -q HEAD~1; git fsck --strict
			cd ..; rm -rf g/.git
			vim -es -u NONE -c '%s/eins/EINS/' -c wq a </dev/null
			emacs -Q --batch a --eval '(progn (goto-char (point-max)) (insert "last\n") (save-buffer))' 2>/dev/null
			rm -f a~
			flock a true
			rsync -a x/ r/
		)
	done
	diff -r -x t.tar -x t.zip "$p" "$d"
	assert_equal "$(paths EINS | grep -c '^w/a$')" 1
}
