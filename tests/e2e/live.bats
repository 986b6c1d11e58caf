#!/usr/bin/env bats
# Live queries: whoever watches a query file is told when its answer changes.

load setup

# watch FILE...: inotifywait in the background, its lines in $LOG
watch() {
	LOG=$BATS_TEST_TMPDIR/events
	inotifywait -m -q -e modify,close_write --format '%w %e' "$@" >"$LOG" 2>"$BATS_TEST_TMPDIR/watch.err" 3>&- 4>&- &
	WATCHER=$!
	# it watches once the kernel says so
	eventually 5 is_watching "$WATCHER" $#
}

is_watching() {
	(($(cat /proc/"$1"/fdinfo/* 2>/dev/null | grep -c ^inotify) >= $2))
}

modified() {
	(($(grep -c MODIFY "$LOG") >= $1))
}

unwatch() {
	[[ -z ${WATCHER:-} ]] || kill "$WATCHER" 2>/dev/null || :
	WATCHER=
}

teardown() {
	unwatch
	for p in ${PIDS:-}; do kill "$p" 2>/dev/null || :; done
	if mountpoint -q "$MNT"; then
		stop || umount -l "$MNT"
	fi
	! grep -sE 'Sanitizer|runtime error|died at start' "$BATS_TEST_TMPDIR"/log*
}

@test "a document that matches raises an event on the query file" {
	echo "rotate the keys" >"$MNT/a.md"
	cat "$MNT/query/rotate keys" >/dev/null
	watch "$MNT/query/rotate keys"
	echo "rotate more keys" >"$MNT/b.md"
	eventually 5 modified 1
	run cat "$MNT/query/rotate keys"
	assert_output --partial b.md
	rm "$MNT/a.md"
	eventually 5 modified 2
}

@test "a query is live that was never read before it was watched" {
	echo "something else" >"$MNT/x.md"
	watch "$MNT/query/purple yak"
	echo "the purple yak" >"$MNT/a.md"
	eventually 5 modified 1
}

@test "a document that does not match raises none, and size and mtime stay" {
	echo "mode lexical rotate the keys" >"$MNT/a.md"
	local q="$MNT/query/rotate keys mode:lexical" before
	before=$(stat -c '%s %y' "$q")
	watch "$q" "$MNT/query/gnu mode:lexical"
	echo "nothing of that" >"$MNT/b.md"
	echo "a gnu" >"$MNT/c.md" # its event says that the other was judged, too
	eventually 5 modified 1
	run cat "$LOG"
	refute_output --partial "rotate"
	assert_equal "$(stat -c '%s %y' "$q")" "$before"
	echo "rotate the keys again" >"$MNT/d.md"
	assert_not_equal "$(stat -c '%s %y' "$q")" "$before"
}

@test "the time of an answer survives that the kernel forgets it" {
	echo "rotate the keys" >"$MNT/a.md"
	local before
	before=$(stat -c %y "$MNT/query/rotate")
	echo 2 >/proc/sys/vm/drop_caches 2>/dev/null || skip "caches cannot be dropped here"
	assert_equal "$(stat -c %y "$MNT/query/rotate")" "$before"
}

@test "a bulk copy is no storm of events" {
	mkdir "$BATS_TEST_TMPDIR/src"
	for i in $(seq 400); do echo "rotate keys number$i" >"$BATS_TEST_TMPDIR/src/$i.md"; done
	echo "rotate keys" >"$MNT/a.md"
	watch "$MNT/query/rotate keys"
	local start=$EPOCHREALTIME ms
	cp "$BATS_TEST_TMPDIR"/src/* "$MNT/"
	all_there() { [[ $(cat "$MNT/query/rotate keys") == *"hits=10/401 "* ]]; }
	eventually 10 all_there
	eventually 5 modified 1
	ms=$((${EPOCHREALTIME/./} / 1000 - ${start/./} / 1000))
	# one in 200 ms at most, whatever comes
	(($(grep -c MODIFY "$LOG") <= ms / 200 + 3))
}

@test "tail -F shows the new answer" {
	echo "rotate the keys" >"$MNT/a.md"
	tail -n +1 -F "$MNT/query/rotate keys" >"$BATS_TEST_TMPDIR/tail" 2>/dev/null 3>&- 4>&- &
	PIDS=$!
	shown() { grep -q "$1" "$BATS_TEST_TMPDIR/tail"; }
	eventually 5 shown a.md
	echo "rotate the other keys" >"$MNT/b.md"
	eventually 10 shown b.md
}

@test "entr runs its command" {
	echo "rotate the keys" >"$MNT/a.md"
	cat "$MNT/query/rotate keys" >/dev/null
	echo "$MNT/query/rotate keys" | entr -np sh -c "echo ran >>'$BATS_TEST_TMPDIR/ran'" >/dev/null 2>&1 3>&- 4>&- &
	PIDS=$!
	eventually 5 is_watching "$PIDS" 1
	local n=0
	ran() { n=$((n + 1)); echo "rotate the other keys $n" >"$MNT/b$n.md"; [[ -s $BATS_TEST_TMPDIR/ran ]]; }
	eventually 10 ran
}

@test "vim reads the new answer by itself (autoread)" {
	echo "rotate the keys" >"$MNT/a.md"
	cat >"$BATS_TEST_TMPDIR/v.vim" <<-END
		set autoread
		edit $MNT/query/rotate\ keys
		call writefile(getline(1, '\$'), '$BATS_TEST_TMPDIR/one')
		call writefile(['rotate the other keys'], '$MNT/b.md')
		checktime
		call writefile(getline(1, '\$'), '$BATS_TEST_TMPDIR/two')
		qall!
	END
	vim -es -u NONE -S "$BATS_TEST_TMPDIR/v.vim" </dev/null
	run cat "$BATS_TEST_TMPDIR/one"
	refute_output --partial b.md
	run cat "$BATS_TEST_TMPDIR/two"
	assert_output --partial b.md
}

@test "Emacs reverts the buffer by itself (auto-revert)" {
	echo "rotate the keys" >"$MNT/a.md"
	run timeout 30 emacs -Q --batch --eval "(progn
	  (require 'autorevert)
	  (setq auto-revert-use-notify t auto-revert-avoid-polling t)
	  (find-file \"$MNT/query/rotate keys\")
	  (auto-revert-mode 1)
	  (write-region \"rotate the other keys\" nil \"$MNT/b.md\")
	  (let ((end (+ (float-time) 10)))
	    (while (and (< (float-time) end)
	                (not (save-excursion (goto-char 1) (search-forward \"b.md\" nil t))))
	      (read-event nil nil 0.05)))
	  (princ (buffer-string)))"
	assert_output --partial b.md
}

@test "Python's watchdog sees it" {
	echo "rotate the keys" >"$MNT/a.md"
	cat "$MNT/query/rotate keys" >/dev/null
	run timeout 30 /usr/bin/python3 - "$MNT" <<-'END'
		import sys, threading
		from watchdog.observers import Observer
		from watchdog.events import FileSystemEventHandler
		mnt, seen = sys.argv[1], threading.Event()
		class Handler(FileSystemEventHandler):
		    def on_modified(self, e):
		        if e.src_path.endswith("rotate keys"): seen.set()
		o = Observer()
		o.schedule(Handler(), mnt + "/query")
		o.start()
		open(mnt + "/b.md", "w").write("rotate the other keys\n")
		print("seen" if seen.wait(10) else "not seen")
		o.stop()
	END
	assert_output seen
}

@test "a chokidar watcher sees it" {
	needs_peer chokidar
	echo "rotate the keys" >"$MNT/a.md"
	cat "$MNT/query/rotate keys" >/dev/null
	run timeout 30 "$NODE" "$PEERS/watch.mjs" "$MNT/query/rotate keys" "$MNT/b.md"
	assert_output "changed"
}

@test "a watcher that reads and writes in the mount does not stop it" {
	echo "rotate keys zero" >"$MNT/a.md"
	cat "$MNT/query/rotate keys" >/dev/null
	# each event makes it read the answer and write a document that matches
	run timeout 60 /usr/bin/python3 - "$MNT" <<-'END'
		import ctypes, os, select, sys, time
		mnt = sys.argv[1]
		libc = ctypes.CDLL(None)
		fd = libc.inotify_init1(os.O_NONBLOCK)
		q = (mnt + "/query/rotate keys").encode()
		assert libc.inotify_add_watch(fd, q, 2) > 0
		open(mnt + "/b0.md", "w").write("rotate keys first\n")
		rounds, end = 0, time.time() + 20
		while rounds < 30 and time.time() < end:
		    if not select.select([fd], [], [], 5)[0]: break
		    os.read(fd, 65536)
		    open(q).read()
		    rounds += 1
		    open(f"{mnt}/b{rounds}.md", "w").write(f"rotate keys again {rounds}\n")
		print(rounds)
	END
	assert_output 30
}

@test "the helper process is replaced when it is killed, and ends with the mount" {
	echo "rotate the keys" >"$MNT/a.md"
	cat "$MNT/query/rotate keys" >/dev/null
	watch "$MNT/query/rotate keys"
	local pid n=0
	helper_pid() { pid=$(pgrep -P "$(daemon_pid)" -f touch-helper); }
	eventually 10 helper_pid
	kill -9 "$pid"
	told() { n=$((n + 1)); echo "rotate the keys $n" >"$MNT/n$n.md"; modified 1; }
	eventually 10 told
	unwatch
	eventually 10 helper_pid
	stop
	eventually 5 gone "$pid"
}

@test "queries are saved, listed, renamed, changed and removed" {
	echo "rotate the keys" >"$MNT/a.md"
	echo "the purple yak" >"$MNT/b.md"
	ln -s "rotate keys" "$MNT/query/keys"
	assert_equal "$(readlink "$MNT/query/keys")" "rotate keys"
	assert_equal "$(ls "$MNT/query" | xargs)" "README keys"
	run cat "$MNT/query/keys"
	assert_output --partial a.md
	mv "$MNT/query/keys" "$MNT/query/mine"
	assert_equal "$(ls "$MNT/query" | xargs)" "README mine"
	ln -sf "purple yak" "$MNT/query/mine"
	run cat "$MNT/query/mine"
	assert_output --partial b.md
	run ln -s again "$MNT/query/mine"
	assert_failure
	stop
	start
	assert_equal "$(readlink "$MNT/query/mine")" "purple yak"
	rm "$MNT/query/mine"
	assert_equal "$(ls "$MNT/query" | xargs)" "README"
	run rm "$MNT/query/any query"
	assert_failure
	run ln -s /etc/passwd "$MNT/query/bad"
	assert_failure
	python3 -c "import os; os.symlink('rotate', '$MNT/query/py'); os.rename('$MNT/query/py', '$MNT/query/py2')"
	assert_equal "$(ls "$MNT/query" | xargs)" "README py2"
}

@test "a saved query is live although nobody has read it" {
	ln -s "purple yak" "$MNT/query/yak"
	local before
	before=$(date +%s)
	echo "the purple yak" >"$MNT/a.md"
	told() { grep -q "query purple yak" "$MNT/.rankfs/events"; }
	eventually 5 told
	run cat "$MNT/query/yak"
	assert_output --partial a.md
	(($(stat -L -c %Y "$MNT/query/yak") >= before))
}

@test "a damaged file of saved queries is set aside and told" {
	ln -s "purple yak" "$MNT/query/yak"
	stop
	printf 'x' | dd of="$BACKING/indexes/main/saved.mp" bs=1 seek=5 conv=notrunc 2>/dev/null
	start
	assert_equal "$(ls "$MNT/query" | xargs)" "README"
	run cat "$MNT/.rankfs/warnings"
	assert_output --partial "saved.mp is damaged"
	assert_exist "$BACKING/indexes/main/saved.mp.damaged"
	ln -s "purple yak" "$MNT/query/yak"
}

@test "events has a line for each change, and poll waits for the next" {
	echo "rotate the keys" >"$MNT/a.md"
	eventually 5 indexed
	noted() { grep -q "$1" "$MNT/.rankfs/events"; }
	eventually 5 noted "changed a.md"
	rm "$MNT/a.md"
	eventually 5 noted "removed a.md"
	run timeout 20 python3 - "$MNT" <<-'END'
		import os, select, sys
		mnt = sys.argv[1]
		fd = os.open(mnt + "/.rankfs/events", os.O_RDONLY)
		while os.read(fd, 65536): pass
		p = select.poll()
		p.register(fd, select.POLLIN)
		assert p.poll(100) == []
		open(mnt + "/b.md", "w").write("x\n")
		assert p.poll(5000)
		print(os.read(fd, 65536).decode().split(" ", 1)[1].strip())
	END
	assert_output "changed b.md"
}
