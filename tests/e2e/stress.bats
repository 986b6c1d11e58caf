#!/usr/bin/env bats
# Watchers that read and write, writers, readers, walkers and savers, all at
# once, for STRESS_S seconds (8; `make torture` takes 180).

load setup

@test "everything at once does not stop the mount, and all of it is true afterwards" {
	run timeout $((${STRESS_S:-8} + 60)) /usr/bin/python3 - "$MNT" "${STRESS_S:-8}" <<-'END'
		import ctypes, os, random, select, shutil, sys, threading, time
		mnt, seconds = sys.argv[1], float(sys.argv[2])
		end = time.time() + seconds
		libc = ctypes.CDLL(None, use_errno=True)
		done, bad = {}, []
		words = ["purple", "yak", "rotate", "keys", "gnu", "signer", "quokka", "ledger"]

		def write(path, text):
		    with open(path, "w") as f: f.write(text)

		def watcher(i):
		    q = f"{mnt}/query/{words[i]} {words[i + 1]}"
		    fd = libc.inotify_init1(os.O_NONBLOCK)
		    assert libc.inotify_add_watch(fd, q.encode(), 2) > 0
		    while time.time() < end:
		        if not select.select([fd], [], [], 0.2)[0]: continue
		        os.read(fd, 65536)
		        text = open(q).read()
		        if not text.startswith("# rankfs 1 hits="): bad.append(text[:80])
		        write(f"{mnt}/w{i}.md", f"{words[i]} {time.time()}\n")
		        yield
		    os.close(fd)

		def writer(i):
		    r = random.Random(i)
		    while time.time() < end:
		        p = f"{mnt}/d{i}/{r.randrange(200)}.md"
		        os.makedirs(os.path.dirname(p), exist_ok=True)
		        c = r.randrange(10)
		        try:
		            if c < 7: write(p, " ".join(r.choices(words, k=20)) + "\n")
		            elif c == 7: os.unlink(p)
		            elif c == 8: os.rename(p, p + "x.md")
		            else: os.rename(f"{mnt}/d{i}", f"{mnt}/d{i}r"); shutil.rmtree(f"{mnt}/d{i}r")
		        except FileNotFoundError: pass
		        yield

		def reader(i):
		    r = random.Random(100 + i)
		    while time.time() < end:
		        q = " ".join(r.choices(words, k=2)) + r.choice(["", " as:json", " as:paths", " mode:vector", " n:50"])
		        with open(f"{mnt}/query/{q}", "rb") as f:
		            size, data = os.fstat(f.fileno()).st_size, f.read()
		        if size != len(data): bad.append(f"{q}: {size} is not {len(data)}")
		        yield

		def walker(i):
		    while time.time() < end:
		        d = f"{mnt}/find/{words[i]} {words[-i - 1]}"
		        for root, dirs, files in os.walk(d):
		            for f in files:
		                p = os.path.join(root, f)
		                if os.path.islink(p): continue # a document may be written just now
		                try:
		                    with open(p, "rb") as h:
		                        size, data = os.fstat(h.fileno()).st_size, h.read()
		                    if size != len(data): bad.append(f"{p}: {size} is not {len(data)}")
		                except FileNotFoundError: pass
		        yield

		def saver(i):
		    n = f"{mnt}/query/saved"
		    while time.time() < end:
		        os.symlink("purple yak", n)
		        os.rename(n, n + "2")
		        for e in os.listdir(f"{mnt}/find/saved2"):
		            if e[0] == "0":
		                try: os.unlink(f"{mnt}/find/saved2/{e}")
		                except FileNotFoundError: pass
		                break
		        os.unlink(n + "2")
		        yield

		def poller(i):
		    fd = os.open(f"{mnt}/.rankfs/events", os.O_RDONLY)
		    p = select.poll()
		    p.register(fd, select.POLLIN)
		    while time.time() < end:
		        if p.poll(200): os.read(fd, 1 << 20)
		        yield

		def run(name, gen):
		    try:
		        for _ in gen: done[name] = done.get(name, 0) + 1
		    except Exception as e:
		        bad.append(f"{name}: {e!r}")

		jobs = [(f"{f.__name__}{i}", f(i)) for f, n in
		        ((watcher, 4), (writer, 2), (reader, 3), (walker, 2), (saver, 1), (poller, 1)) for i in range(n)]
		threads = [threading.Thread(target=run, args=j, daemon=True) for j in jobs]
		for t in threads: t.start()
		for t in threads:
		    t.join(max(0.1, end + 30 - time.time()))
		    if t.is_alive(): bad.append("a thread hangs")
		print("\n".join(bad[:10]) or "good")
		for name, _ in jobs:
		    if not done.get(name): print(name, "did nothing")
		sys.stdout.flush() # _exit() does not, and a pipe is not a terminal
		os._exit(0)
	END
	assert_output good
	eventually 30 indexed
	# the index is what the documents are
	local have found
	have=$(find "$MNT" -name '*.md' -not -path "$MNT/query/*" | wc -l)
	found=$(awk '/^documents / { print $2 }' "$MNT/.rankfs/status")
	assert_equal "$found" "$have"
	stop
	run "$RANKFS" check -b "$BACKING"
	assert_success
}

@test "eight writers find what they wrote and not what they replaced; eight readers are told no lies" {
	run timeout $((${STRESS_S:-8} + 60)) python3 - "$MNT" "${STRESS_S:-8}" <<-'END'
		import json, os, random, sys, threading, time
		mnt, seconds = sys.argv[1], float(sys.argv[2])
		end, bad, counts = time.time() + seconds, [], [0, 0]
		current = {}  # path -> word, written by its owner alone

		def word(w, n):
		    s = ""
		    while n: n, k = divmod(n, 16); s += "bcdfghjklmnpqrst"[k]
		    return f"z{'aeiouyvw'[w]}{s}oq"

		def paths(q):
		    with open(f"{mnt}/query/mode:lexical n:100 as:json {q}") as f: a = json.load(f)
		    return set() if a.get("did_you_mean") else {h["path"] for h in a["hits"]}

		def writer(w):
		    r, n = random.Random(w), 0
		    os.makedirs(f"{mnt}/w{w}", exist_ok=True)
		    while time.time() < end:
		        n += 1
		        p, old, new = f"{mnt}/w{w}/{r.randrange(30)}.md", None, word(w, n)
		        old = current.get(p)
		        with open(p, "w") as f: f.write(new + " " + " ".join(str(r.random()) for _ in range(8)) + "\n")
		        current[p] = new
		        if paths("+" + new) != {p}: bad.append(f"{new} is not found in {p}")
		        if old and paths("+" + old): bad.append(f"{old} was replaced and is found")
		        if r.randrange(5) == 0:
		            os.unlink(p)
		            del current[p]
		            if paths("+" + new): bad.append(f"{new} was removed and is found")
		        counts[0] += 1

		def reader(i):
		    r = random.Random(100 + i)
		    while time.time() < end:
		        items = list(current.items())
		        if not items: continue
		        p, w = r.choice(items)
		        got = paths("+" + w)
		        if got - {p}: bad.append(f"{w} of {p} is found in {got}")
		        counts[1] += 1

		threads = [threading.Thread(target=f, args=(i,)) for i in range(8) for f in (writer, reader)]
		for t in threads: t.start()
		for t in threads: t.join()
		print(counts, bad[:10])
		sys.exit(bool(bad) or min(counts) < 20)
	END
	assert_success
}

# a client stopped in the middle, one that is killed, unmounting under load
@test "suspended and killed clients hold nobody up, and a busy mount can be taken away" {
	cat >"$BATS_TEST_TMPDIR/client" <<-'SH'
	#!/bin/sh
	i=0
	while :; do
		i=$((i + 1))
		echo "client $1 $i" >"$2/c$1-$((i % 20)).md" || exit 0
		cat "$2/query/client $1" >/dev/null || exit 0
	done
	SH
	chmod +x "$BATS_TEST_TMPDIR/client"
	for c in 1 2 3 4 5 6; do
		setsid "$BATS_TEST_TMPDIR/client" $c "$MNT" >/dev/null 2>&1 3>&- 4>&- &
		clients+=($!)
	done
	exec 7<"$MNT/.rankfs/status"
	eventually 10 test -s "$MNT/c6-3.md"
	kill -STOP -- -"${clients[0]}" -"${clients[1]}"
	kill -KILL -- -"${clients[2]}"
	echo "purple yak" >"$MNT/a.md"
	assert_equal "$(timeout 10 cat "$MNT/query/yak as:paths")" "$MNT/a.md"
	exec 7<&-
	pid=$(daemon_pid)
	umount -l "$MNT"
	kill -CONT -- -"${clients[0]}" -"${clients[1]}"
	for c in "${clients[@]}"; do
		kill -KILL -- -"$c" 2>/dev/null || :
		wait "$c" || :
	done
	run eventually 20 gone "$pid"
	assert_success
	rm -f "$MNT"/c*.md # what clients wrote once nothing was mounted there
	start
	assert_equal "$(paths yak)" a.md
	eventually 20 indexed
	stop
	run "$RANKFS" check -b "$BACKING"
	assert_success
}
