#!/usr/bin/env bats
# The documents: ordinary files, byte for byte.

load setup

@test "what is written is read back" {
	head -c 300000 /dev/urandom >"$BATS_TEST_TMPDIR/r"
	cp "$BATS_TEST_TMPDIR/r" "$MNT/r"
	cmp "$BATS_TEST_TMPDIR/r" "$MNT/r"
	cmp "$BATS_TEST_TMPDIR/r" "$BACKING/indexes/main/files/r"
}

@test "appending and truncating" {
	echo one >"$MNT/a"
	echo two >>"$MNT/a"
	assert_equal "$(cat "$MNT/a")" $'one\ntwo'
	truncate -s 3 "$MNT/a"
	assert_equal "$(cat "$MNT/a")" one
	: >"$MNT/a"
	assert_equal "$(stat -c %s "$MNT/a")" 0
}

@test "a file can be written in the middle" {
	printf 0123456789 >"$MNT/a"
	printf XY | dd of="$MNT/a" bs=1 seek=4 conv=notrunc status=none
	assert_equal "$(cat "$MNT/a")" 0123XY6789
}

@test "a file can be changed through a map" {
	python3 - "$MNT/a" <<-'P'
		import mmap, sys
		f = open(sys.argv[1], "w+b"); f.write(b"plain " * 100); f.flush()
		m = mmap.mmap(f.fileno(), 0); m[6:11] = b"zebra"; m.close(); f.close()
	P
	assert_equal "$(head -c 11 "$MNT/a")" "plain zebra"
	run eventually 5 found_zebra
	assert_success
}

found_zebra() { [[ $(paths zebra) == a ]]; }

@test "rename in all its forms" {
	echo a >"$MNT/a"; echo b >"$MNT/b"
	mv "$MNT/a" "$MNT/c"
	assert_file_not_exist "$MNT/a"
	mv -n "$MNT/b" "$MNT/c"
	assert_equal "$(cat "$MNT/c")" a
	python3 - "$MNT" <<-'P'
		import ctypes, sys
		m = sys.argv[1].encode()
		rename = ctypes.CDLL(None, use_errno=True).renameat2
		assert rename(-100, m + b"/b", -100, m + b"/c", 2) == 0   # exchange
		assert rename(-100, m + b"/b", -100, m + b"/c", 1) == -1  # no replace
		assert ctypes.get_errno() == 17
	P
	assert_equal "$(cat "$MNT/b")" a
	assert_equal "$(cat "$MNT/c")" b
}

@test "hard links share an inode" {
	echo x >"$MNT/a"
	ln "$MNT/a" "$MNT/b"
	assert_equal "$(stat -c %h "$MNT/a")" 2
	assert_equal "$(stat -c %i "$MNT/a")" "$(stat -c %i "$MNT/b")"
	rm "$MNT/a"
	assert_equal "$(cat "$MNT/b")" x
}

@test "symbolic links" {
	echo x >"$MNT/a"
	ln -s a "$MNT/l"
	assert_equal "$(readlink "$MNT/l")" a
	assert_equal "$(cat "$MNT/l")" x
}

@test "modes, owners and times" {
	echo x >"$MNT/a"
	chmod 640 "$MNT/a"
	chown 1000:1001 "$MNT/a"
	touch -d '2001-02-03 04:05:06.789' "$MNT/a"
	assert_equal "$(stat -c '%a %u %g %y' "$MNT/a" | cut -c1-37)" \
		"640 1000 1001 2001-02-03 04:05:06.789"
}

@test "the umask applies once" {
	(umask 077; mkdir "$MNT/d"; : >"$MNT/d/f")
	assert_equal "$(stat -c %a "$MNT/d")" 700
	assert_equal "$(stat -c %a "$MNT/d/f")" 600
}

@test "extended attributes" {
	echo x >"$MNT/a"
	python3 - "$MNT/a" <<-'P'
		import os, sys
		p = sys.argv[1]
		os.setxattr(p, "user.k", b"v" * 3000)
		assert os.getxattr(p, "user.k") == b"v" * 3000
		assert os.listxattr(p) == ["user.k"]
		os.removexattr(p, "user.k")
		assert os.listxattr(p) == []
	P
}

@test "holes, preallocation and copies of ranges" {
	python3 - "$MNT/a" "$MNT/b" <<-'P'
		import os, sys
		fd = os.open(sys.argv[1], os.O_CREAT | os.O_RDWR)
		os.pwrite(fd, b"x" * 4096, 1 << 20)
		assert os.lseek(fd, 0, os.SEEK_DATA) == 1 << 20
		os.posix_fallocate(fd, 0, 2 << 20)
		assert os.fstat(fd).st_size == 2 << 20
		out = os.open(sys.argv[2], os.O_CREAT | os.O_RDWR)
		assert os.copy_file_range(fd, out, 4096, 1 << 20, 0) == 4096
		assert os.pread(out, 4096, 0) == b"x" * 4096
	P
}

@test "an unlinked file lives as long as it is open" {
	python3 - "$MNT/a" <<-'P'
		import os, sys
		fd = os.open(sys.argv[1], os.O_CREAT | os.O_RDWR)
		os.write(fd, b"hello"); os.unlink(sys.argv[1])
		assert os.fstat(fd).st_size == 5 and os.fstat(fd).st_nlink == 0
		os.ftruncate(fd, 2)
		assert os.pread(fd, 9, 0) == b"he"
	P
	run ls -A "$MNT"
	assert_output query
}

@test "locks" {
	echo x >"$MNT/a"
	exec 8<"$MNT/a"
	flock -n 8
	run flock -n "$MNT/a" true
	assert_failure
	exec 8<&-
	flock -n "$MNT/a" true
}

@test "fsync of files and folders" {
	python3 - "$MNT" <<-'P'
		import os, sys
		fd = os.open(sys.argv[1] + "/a", os.O_CREAT | os.O_RDWR)
		os.write(fd, b"x"); os.fsync(fd); os.fdatasync(fd)
		os.fsync(os.open(sys.argv[1], os.O_RDONLY))
	P
}

@test "a large folder lists every name once, while it changes" {
	mkdir "$MNT/d"
	(cd "$MNT/d" && seq -f 'file-%05g' 3000 | xargs touch)
	assert_equal "$(ls "$MNT/d" | sort -u | wc -l)" 3000
	python3 - "$MNT/d" <<-'P'
		import os, sys
		seen = []
		for e in os.scandir(sys.argv[1]):
		    seen.append(e.name)
		    os.unlink(e.path)
		assert len(seen) == len(set(seen)) == 3000
	P
	rmdir "$MNT/d"
}

@test "deep folders" {
	cd "$MNT"
	for _ in $(seq 200); do mkdir deeper-and-deeper && cd deeper-and-deeper; done
	echo "bottomless pit" >f
	assert_equal "$(cat f)" "bottomless pit"
	cd /
	rm -r "$MNT/deeper-and-deeper"
}

@test "hostile names" {
	local names=($'new\nline' $'\xff\xfe' ' lead' 'a:b' "q'\"uote" '-rf' '*' '100%')
	for n in "${names[@]}"; do echo "hostile content" >"$MNT/./$n"; done
	for n in "${names[@]}"; do assert_equal "$(cat "$MNT/./$n")" "hostile content"; done
	assert_equal "$(cat "$MNT/query/hostile content as:jsonl" | jq -s length)" 8
	run mkdir "$MNT/$(printf 'x%.0s' {1..300})"
	assert_failure
}

@test "reserved names belong to the tree" {
	for n in query find recall .rankfs; do
		run mkdir "$MNT/$n"
		assert_output --partial "File exists"
		mkdir -p "$MNT/sub/$n"
	done
}

@test "statfs tells of the backing file system" {
	assert_equal "$(stat -f -c %b "$MNT")" "$(stat -f -c %b "$BACKING")"
}

@test "git works in the mount" {
	cd "$MNT"
	git init -q repo && cd repo
	for i in 1 2 3; do echo "line $i" >"f$i"; done
	git add . && git -c user.email=a@b -c user.name=n commit -qm one
	git mv f1 g1 && git -c user.email=a@b -c user.name=n commit -qam two
	git fsck --strict
	assert_equal "$(git status --porcelain)" ""
	cd /
}

@test "rsync and tar copy in and out" {
	mkdir "$MNT/d" "$BATS_TEST_TMPDIR/out"
	cp -a /usr/include/linux/can* "$MNT/d/"
	rsync -a "$MNT/d/" "$MNT/e/"
	tar -C "$MNT" -cf - e | tar -C "$BATS_TEST_TMPDIR/out" -xf -
	diff -r "$MNT/d" "$BATS_TEST_TMPDIR/out/e"
	[[ -z $(ls -A "$MNT/e" | grep '^\.') ]]
}

@test "another user gets no access" {
	echo secret >"$MNT/a"
	run setpriv --reuid 65534 --regid 65534 --clear-groups cat "$MNT/a"
	assert_failure
}

@test "a write by another user takes the set-user-id bit away" {
	stop
	MNT=$(mktemp -d /tmp/rankfs-e2e-XXXXXX) # others can get there
	start -o allow_other
	chmod 777 "$MNT"
	echo x >"$MNT/a"
	chown 65534:65534 "$MNT/a"
	chmod 6777 "$MNT/a"
	echo y >>"$MNT/a"
	assert_equal "$(stat -c %a "$MNT/a")" 6777 # root may
	python3 - "$MNT/a" <<-'P'
		import os, sys
		pid = os.fork()
		if pid == 0:
		    os.setgid(65533); os.setuid(65533)
		    fd = os.open(sys.argv[1], os.O_WRONLY | os.O_APPEND)
		    os.write(fd, b"z"); os.close(fd); os._exit(0)
		os.waitpid(pid, 0)
	P
	run eventually 3 plain_mode
	stop
	rmdir "$MNT"
	assert_success
}

plain_mode() { [[ $(stat -c %a "$MNT/a") == 777 ]]; }

# listing a folder would move its access time
atimes() {
	stat -c '%X %n' "$1" "$1/d" "$1/d/s.md" "$1/d/z.zip" "$1/.gitignore" "$2/d" "$2/d/a.md"
}

@test "indexing and searching move no access times" {
	old='2001-02-03 04:05:06'
	src=$BATS_TEST_TMPDIR/src
	mkdir -p "$src/d" "$BATS_TEST_TMPDIR/x"
	echo "a grey wombat" >"$src/d/s.md"
	printf '*.o\n' >"$src/.gitignore"
	(cd "$BATS_TEST_TMPDIR/x" && echo "a zipped wombat" >in.txt && zip -q "$src/d/z.zip" in.txt)
	stop
	mkdir -p "$BACKING/indexes/main/files/d"
	echo "a purple wombat" >"$BACKING/indexes/main/files/d/a.md"
	find "$src" "$BACKING/indexes/main/files" -exec touch -h -a -d "$old" {} +
	atimes "$src" "$BACKING/indexes/main/files" >"$BATS_TEST_TMPDIR/before"
	start
	ln -s "$src" "$MNT/src"
	run eventually 10 indexed
	assert_success
	eventually 5 test -n "$(paths grey)"
	run paths wombat
	assert_line d/a.md
	assert_line src/d/s.md
	assert_equal "$(paths in.txt)" src/d/z.zip
	echo reconcile >"$MNT/.rankfs/ctl"
	run eventually 10 indexed
	ls "$MNT/find/wombat" "$MNT/.rankfs/chunks/d/a.md" >/dev/null
	cat "$MNT"/find/wombat/0* "$MNT/query/%2Fwom.at%2F" >/dev/null
	atimes "$src" "$BACKING/indexes/main/files" >"$BATS_TEST_TMPDIR/after"
	run diff "$BATS_TEST_TMPDIR/before" "$BATS_TEST_TMPDIR/after"
	assert_success
}

@test "buffered readers see what was written directly and asynchronously" {
	run python3 "$BATS_TEST_DIRNAME/aio.py" "$MNT/x" 3000
	assert_success
}

@test "inode flags are those of the file system below" {
	echo x >"$MNT/a"
	mkdir "$MNT/d"
	files=$BACKING/indexes/main/files
	lsattr "$files/a" >/dev/null || skip "the file system below has no inode flags"
	chattr +dA "$MNT/a"
	chattr +d "$MNT/d"
	flags() { lsattr -d "$1" | cut -d' ' -f1; }
	[[ $(flags "$files/a") == *d*A* || $(flags "$files/a") == *A*d* ]]
	assert_equal "$(flags "$MNT/a")" "$(flags "$files/a")"
	assert_equal "$(flags "$MNT/d")" "$(flags "$files/d")"
	chattr -dA "$MNT/a"
	[[ $(flags "$files/a") != *[dA]* ]]
	chattr +i "$MNT/a"
	run rm -f "$MNT/a"
	assert_failure
	run bash -c 'echo y >>"$1"' - "$MNT/a"
	assert_failure
	chattr -i "$MNT/a"
	rm "$MNT/a"
	run lsattr "$MNT/.rankfs/status"
	assert_failure
}

@test "the root of a new index has the mode of its backing folder" {
	stop
	mkdir -m 2751 "$BATS_TEST_TMPDIR/b2"
	BACKING=$BATS_TEST_TMPDIR/b2
	start
	assert_equal "$(stat -c %a "$MNT")" 2751
	stop
	BACKING=$BATS_TEST_TMPDIR/b3/new
	start
	assert_equal "$(stat -c %a "$MNT")" 700
}

# as root, and as somebody whose rights do not open every file again
many_open() {
	run python3 "$BATS_TEST_DIRNAME/many_open.py" "$1" 4 "${OPEN_FILES:-300}"
	assert_success
}

@test "clients have more files open than the daemon has descriptors" {
	stop
	(ulimit -n "${OPEN_LIMIT:-256}" && start -o allow_other)
	mkdir "$MNT/t"
	many_open "$MNT/t"
	run eventually 20 indexed
	assert_success
	assert_equal "$(paths '"client 3 file 8"' | sort -u)" t/c3/f8
}
