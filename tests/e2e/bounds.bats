#!/usr/bin/env bats
# Memory, descriptors, threads and disk stay within bounds whatever comes in.
# SCALE=1 in every run; `make torture` takes 10.

load setup

SCALE=${SCALE:-1}

memory_mib() { # VmHWM or VmRSS
	awk -v f="$1:" '$1 == f { print int($2 / 1024) }' "/proc/$(daemon_pid)/status"
}

sanitized() { grep -q 'lib[at]san' "/proc/$(daemon_pid)/maps"; }

# at_most N MAX WHAT
at_most() {
	echo "# $3: $1 (at most $2)" >&3
	(($1 <= $2))
}

idle() {
	local s
	s=$(cat "$MNT/.rankfs/status")
	[[ $s == *"pending 0"*"reconciling no"*"embedding no"* ]]
}

index_kib() {
	find "$BACKING/indexes/main" -maxdepth 1 -type f -printf '%k\n' | awk '{ s += $1 } END { print s }'
}

@test "memory, descriptors and threads: large files, many files, long lines, many queries" {
	sanitized && skip "a sanitizer's own memory is in the way"
	python3 - "$MNT" "$SCALE" <<-'PY'
		import os, random, sys
		m, scale = sys.argv[1], int(sys.argv[2])
		rng = random.Random(1)
		words = [f"word{i}" for i in range(50000)]
		block = (" ".join(rng.choices(words, k=150000)) + "\n").encode()
		with open(f"{m}/large.txt", "wb") as f:
		    for i in range(200 * scale): f.write(block)          # 200 MB, 2 GB
		with open(f"{m}/line.txt", "wb") as f:
		    for i in range(10 * scale): f.write(block.replace(b"\n", b" "))  # 10 MB, 100 MB
		for i in range(5000 * scale * (20 if scale > 1 else 1)):       # 5,000, 1,000,000
		    d = f"{m}/tiny/{i // 1000}"
		    if i % 1000 == 0: os.makedirs(d)
		    with open(f"{d}/{i}.txt", "w") as f: f.write(f"tiny {rng.choice(words)} {i}\n")
		for i in range(1000 * scale):
		    with open(f"{m}/query/{rng.choice(words)} {rng.choice(words)} {i}", "rb") as f: f.read()
	PY
	eventually $((120 * SCALE)) idle
	at_most "$(memory_mib VmHWM)" 420 "peak memory, MiB"
	at_most "$(find "/proc/$(daemon_pid)/fd" -mindepth 1 | wc -l)" 700 descriptors
	at_most "$(find "/proc/$(daemon_pid)/task" -mindepth 1 -maxdepth 1 | wc -l)" 64 threads
	rm -r "$MNT/tiny" "$MNT/large.txt" "$MNT/line.txt"
	eventually 60 idle
}

@test "what is deleted gives its disk back by itself" {
	fill() {
		python3 - "$1" "$2" "$((2000 * SCALE))" <<-'PY'
			import random, sys
			m, step, n = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
			for i in range(0, n, step):
			    rng = random.Random(i)
			    with open(f"{m}/{i}.txt", "w") as f: f.write(" ".join(f"w{rng.randrange(20000)}" for _ in range(300)))
		PY
	}
	fill "$MNT" 1
	eventually 60 idle
	echo checkpoint >"$MNT/.rankfs/ctl"
	(cd "$MNT" && find . -maxdepth 1 -name '*.txt' -not -name '*0.txt' -delete)
	eventually 60 idle
	echo checkpoint >"$MNT/.rankfs/ctl"
	# the checkpoint before is kept to fall back to: the next one frees it
	echo "one more" >"$MNT/more.md"
	eventually 60 idle
	echo checkpoint >"$MNT/.rankfs/ctl"
	stop
	used=$(index_kib)
	mv "$BACKING" "$BACKING-deleted"
	start
	fill "$MNT" 10
	eventually 60 idle
	stop
	at_most "$used" $(($(index_kib) * 13 / 10)) "KiB after deleting nine of ten"
}

@test "churn leaves nothing behind: memory, logs, descriptors" {
	churn() {
		python3 - "$MNT" "$1" "$((8 * SCALE))" <<-'PY'
			import os, random, sys
			m, seed, rounds = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
			rng = random.Random(seed)
			for r in range(rounds):
			    for i in range(250):
			        with open(f"{m}/{i}.md", "w") as f: f.write(f"# {r}\n" + " ".join(f"w{rng.randrange(20000)}" for _ in range(80)))
			    for i in range(0, 250, 3): os.rename(f"{m}/{i}.md", f"{m}/{i}x.md"); os.unlink(f"{m}/{i}x.md")
			    for i in range(40):
			        with open(f"{m}/query/w{rng.randrange(20000)} {r}") as f: f.read()
			    os.listdir(f"{m}/find/w{rng.randrange(20000)}")
		PY
		eventually 60 idle
	}
	churn 1
	churn 2
	before=$(memory_mib VmRSS) fds=$(find "/proc/$(daemon_pid)/fd" -mindepth 1 | wc -l)
	churn 3
	churn 4
	sanitized || at_most "$(memory_mib VmRSS)" $((before * 12 / 10 + 15)) "memory after as much again, MiB"
	at_most "$(find "/proc/$(daemon_pid)/fd" -mindepth 1 | wc -l)" $((fds + 20)) descriptors
	echo checkpoint >"$MNT/.rankfs/ctl"
	at_most "$(find "$BACKING/indexes/main" -name 'wal-*' -printf '%k\n' | awk '{ s += $1 } END { print s }')" 4096 "KiB of logs"
	at_most "$(wc -c <"$MNT/.rankfs/warnings")" 262144 "bytes of warnings"
}
