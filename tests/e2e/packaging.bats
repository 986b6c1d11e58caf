#!/usr/bin/env bats
# What is installed: by make install, and as a Debian package.

load setup

setup() {
	TOP=$BATS_TEST_DIRNAME/../..
	MNT=$BATS_TEST_TMPDIR/mnt
	BACKING=$BATS_TEST_TMPDIR/backing
	mkdir "$MNT"
}

teardown() {
	if mountpoint -q "$MNT"; then
		stop || umount -l "$MNT"
	fi
	[[ -z ${INSTALLED:-} ]] || dpkg -r rankfs
}

@test "make install puts everything below PREFIX in DESTDIR" {
	make -s --no-print-directory -C "$TOP" install DESTDIR="$BATS_TEST_TMPDIR/d" PREFIX=/opt/x
	cd "$BATS_TEST_TMPDIR/d/opt/x"
	for f in bin/rankfs sbin/mount.rankfs share/man/man1/rankfs.1 share/man/man5/rankfs.conf.5 share/man/man7/rankfs.7 \
		share/bash-completion/completions/rankfs lib/systemd/user/rankfs.service \
		lib/librankfs.so lib/librankfs.a lib/pkgconfig/rankfs.pc include/rankfs.h; do
		assert_exist "$f"
	done
	run grep ExecStart= lib/systemd/user/rankfs.service
	assert_output --partial "/opt/x/bin/rankfs -f"
	run bin/rankfs --version
	assert_line --index 0 --regexp '^rankfs [0-9.]+$'
	assert_line --partial "features:"
	if command -v systemd-analyze >/dev/null; then
		sed -i "s|/opt/x|$PWD|" lib/systemd/user/rankfs.service
		run systemd-analyze --user verify lib/systemd/user/rankfs.service
		refute_output --partial "rankfs.service:"
	fi
}

@test "the library is a Debian package of its own, and none of its files is in the other" {
	command -v dpkg-deb >/dev/null || skip "no dpkg"
	run make -s --no-print-directory -C "$TOP" deb
	assert_success
	dpkg-deb -c "$TOP/${lines[-2]}" >"$BATS_TEST_TMPDIR/library"
	dpkg-deb -c "$TOP/${lines[-1]}" >"$BATS_TEST_TMPDIR/program"
	run cat "$BATS_TEST_TMPDIR/library"
	for f in lib/librankfs.so.0 lib/librankfs.a lib/pkgconfig/rankfs.pc include/rankfs.h; do
		assert_output --partial "./usr/$f"
	done
	run cat "$BATS_TEST_TMPDIR/program"
	assert_output --partial ./usr/bin/rankfs
	refute_output --partial librankfs
	run dpkg-deb -f "$TOP/build/librankfs-dev_"*.deb Depends
	assert_output --partial libjansson4
}

@test "the Debian package installs, mounts, and goes again" {
	command -v dpkg-deb >/dev/null || skip "no dpkg"
	! command -v /usr/bin/rankfs >/dev/null || skip "a rankfs is installed here already"
	run make -s --no-print-directory -C "$TOP" deb
	assert_success
	local deb=$TOP/${lines[-1]}
	INSTALLED=1
	dpkg -i "$deb"
	RANKFS=/usr/bin/rankfs
	start
	echo "rotate the keys" >"$MNT/a.md"
	run cat "$MNT/query/rotate"
	assert_output --partial a.md
	stop
	# as mount(8) does it, both ways
	mount -t rankfs "$BACKING" "$MNT"
	run cat "$MNT/query/rotate"
	assert_output --partial a.md
	stop
	PATH=/usr/sbin:/usr/bin:/sbin:/bin mount -t fuse.rankfs "$BACKING" "$MNT" -o ro
	run cat "$MNT/query/rotate"
	assert_output --partial a.md
	stop
	dpkg -r rankfs
	INSTALLED=
	assert_not_exist /usr/bin/rankfs
}

# A machine whose dpkg has the packages NAME..., and on which nobody is root.
machine_with() {
	local bin=$BATS_TEST_TMPDIR/bin
	mkdir -p "$bin"
	printf '%s\n' "$@" >"$BATS_TEST_TMPDIR/installed"
	cat >"$bin/dpkg-query" <<-END
		#!/bin/sh
		echo asked >>'$BATS_TEST_TMPDIR/asked'
		sed 's/.*/installed:& /' '$BATS_TEST_TMPDIR/installed' | tr -d '\n'
	END
	printf '#!/bin/sh\necho 1000\n' >"$bin/id"
	printf '#!/bin/sh\nexit 1\n' | tee "$bin/sudo" >"$bin/apt-get"
	chmod +x "$bin"/*
	PATH=$bin:$PATH
}

@test "what is missing is found by asking dpkg once" {
	local all
	mapfile -t all < <("$TOP/scripts/deps" --list run build)
	machine_with "${all[@]}"
	run "$TOP/scripts/deps" run build
	assert_success
	assert_output ""
	assert_equal "$(wc -l <"$BATS_TEST_TMPDIR/asked")" 1
}

@test "who cannot install packages is told what to ask for" {
	machine_with make gcc-12
	run "$TOP/scripts/deps" run build
	assert_failure 1
	assert_line --regexp '^  apt-get install --no-install-recommends .*fuse3 gcc .*zlib1g-dev$'
	refute_line --regexp ' make '
	run "$TOP/scripts/deps" everything
	assert_failure 1
	assert_output --partial "run build extractors package test"
}

@test "what is built is mounted without a compiler; what is not asks for one" {
	local runs
	make -s --no-print-directory -C "$TOP" all
	mapfile -t runs < <("$TOP/scripts/deps" --list run)
	machine_with "${runs[@]}"
	MAKE=false run "$TOP/scripts/quickstart" "$BACKING" "$MNT"
	assert_success
	assert_line "mounted on $MNT, kept in $BACKING."
	echo "rotate the keys" >"$MNT/a.md"
	run cat "$MNT/query/rotate"
	assert_output --partial a.md
	mkdir "$BATS_TEST_TMPDIR/new"
	cp -r "$TOP"/{Makefile,core,fs,scripts} "$BATS_TEST_TMPDIR/new/"
	run "$BATS_TEST_TMPDIR/new/scripts/quickstart" "$BACKING" "$MNT"
	assert_failure 1
	assert_line --regexp '^  apt-get install --no-install-recommends .*gcc'
}

@test "manual pages are sound, and rankfs.conf names every setting" {
	for page in rankfs.1 rankfs.conf.5 rankfs.7; do
		run sh -c "mandoc -T lint -W warning '$TOP/fs/doc/$page' 2>&1 | grep -v mandoc.db"
		assert_output ""
		mandoc -T utf8 "$TOP/fs/doc/$page" >/dev/null
	done
	start
	local key
	while read -r key _; do
		[[ $key == "#" || $key == extract.* || -z $key ]] || grep -q "^.It Ic $key " "$TOP/fs/doc/rankfs.conf.5"
	done <"$MNT/.rankfs/config"
	run sed -n 's/^.It Ic \([a-z_]*\) .*/\1/p' "$TOP/fs/doc/rankfs.conf.5"
	for key in "${lines[@]}"; do grep -q "^$key" "$MNT/.rankfs/config"; done
}

@test "bash completes verbs, options and mounts" {
	start
	# shellcheck disable=SC1091
	run bash -c "
		source '$TOP/scripts/packaging/rankfs.bash'
		try() { COMP_WORDS=(\"\$@\"); COMP_CWORD=\$((\$# - 1)); _rankfs; printf '%s\n' \"\${COMPREPLY[@]}\"; }
		try rankfs sea; try rankfs -o mul; try rankfs umount '${MNT%nt}'"
	assert_line search
	assert_line multi
	assert_line "$MNT"
}

@test "a service manager is told when the mount is there" {
	/usr/bin/python3 - "$RANKFS" "$BACKING" "$MNT" "$BATS_TEST_TMPDIR/sock" <<-'END'
		import os, signal, socket, subprocess, sys
		rankfs, backing, mnt, path = sys.argv[1:]
		s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
		s.bind(path)
		s.settimeout(10)
		p = subprocess.Popen([rankfs, "-f", backing, mnt], env=dict(os.environ, NOTIFY_SOCKET=path))
		assert s.recv(100) == b"READY=1"
		assert os.path.ismount(mnt)
		p.send_signal(signal.SIGTERM)
		assert p.wait(20) == 0
		assert not os.path.ismount(mnt)
	END
}
