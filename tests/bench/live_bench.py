#!/usr/bin/env python3
"""What live queries cost, and how soon an event comes.

live_bench.py RANKFS FOLDER [DOCUMENTS]

  1. events: 100 watched queries; from the close() of a document that changes
     one answer to the event
  2. commits: documents written and found again (close, then the next query
     sees it), with no live query and with 1,000 of them
  3. the rest of the mount: stat, ls and cat while 16 slow queries run
"""
import ctypes, os, random, select, subprocess, sys, threading, time

rankfs, folder = sys.argv[1:3]
documents = int(sys.argv[3]) if len(sys.argv) > 3 else 100000
back, mnt = os.path.join(folder, "b"), os.path.join(folder, "m")
os.makedirs(back)
os.makedirs(mnt)
subprocess.run([rankfs, back, mnt], check=True)
libc = ctypes.CDLL(None)
rng = random.Random(1)
words = ["".join(rng.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(rng.randint(3, 9))) for _ in range(20000)]
weights = [1 / (i + 1) for i in range(len(words))]
texts = [rng.choices(words, weights, k=50) for _ in range(documents)]


def write(path, text):
    with open(path, "w") as f:
        f.write(text)


def settle():
    end = time.time() + 600
    while time.time() < end and open(mnt + "/.rankfs/progress").read() != "idle\n":
        time.sleep(0.2)


def percentile(v, p):
    v = sorted(v)
    return v[min(len(v) - 1, int(len(v) * p))]


start = time.time()
for i, t in enumerate(texts):
    if i % 1000 == 0:
        os.mkdir(f"{mnt}/{i // 1000}")
    write(f"{mnt}/{i // 1000}/{i}.md", " ".join(t) + "\n")
settle()
print(f"{documents} documents, settled after {time.time() - start:.0f} s", flush=True)


def watch(queries):
    fd = libc.inotify_init1(os.O_NONBLOCK)
    for q in queries:
        path = f"{mnt}/query/{q}"
        os.stat(path)
        assert libc.inotify_add_watch(fd, path.encode(), 2) > 0
    return fd


def drain(fd):
    try:
        while os.read(fd, 1 << 20):
            pass
    except BlockingIOError:
        pass


fd = watch([f"{words[500 + i]} zz{words[7000 + i]}" for i in range(100)])
time.sleep(2)
late = []
for k in range(100):
    drain(fd)
    began = time.time()
    write(f"{mnt}/new{k}.md", f"{words[500 + k]} zz{words[7000 + k]} now\n")
    late.append((time.time() - began) * 1000 if not select.select([fd], [], [], 5)[0] else (time.time() - began) * 1000)
    time.sleep(0.1)
print(f"event after close(), 100 watched queries: p50 {percentile(late, .5):.1f} ms, p90 {percentile(late, .9):.1f} ms, max {max(late):.1f} ms", flush=True)
os.close(fd)
time.sleep(11)  # what is not watched any more is forgotten


def commits(label, n=400):
    took = []
    for i in range(n):
        began = time.time()
        write(f"{mnt}/{label}{i}.md", " ".join(rng.choices(words, weights, k=50)) + f" {label}{i}\n")
        with open(f"{mnt}/query/+{label}{i} as:paths mode:lexical") as f:
            assert f.read()
        took.append((time.time() - began) * 1000)
    return took


none = commits("cold")
none = commits("none")
fd = watch([f"{words[1000 + i]} {words[3000 + i]}" for i in range(1000)])
time.sleep(3)
many = commits("many")
print(f"commit: without live queries p50 {percentile(none, .5):.2f} ms, mean {sum(none) / len(none):.2f}; with 1,000 of them p50 {percentile(many, .5):.2f} ms, mean {sum(many) / len(many):.2f}: {sum(many) / sum(none):.2f}x", flush=True)
os.close(fd)

probe = [("stat", lambda: os.stat(f"{mnt}/1/1500.md")), ("ls", lambda: os.listdir(f"{mnt}/2")), ("cat", lambda: open(f"{mnt}/3/3100.md").read())]


def measure(n=600):
    v = {name: [] for name, _ in probe}
    for _ in range(n):
        for name, fn in probe:
            began = time.time()
            fn()
            v[name].append((time.time() - began) * 1e6)
        time.sleep(0.002)
    return v


calm = measure()
stop = threading.Event()


def slow(i):
    k = 0
    while not stop.is_set():
        k += 1
        # a walk over every line of every document
        subprocess.run(["cat", f"{mnt}/query/%2F[a-z]q[a-z]*{i}x{k}%2F"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


threads = [threading.Thread(target=slow, args=(i,)) for i in range(16)]
for t in threads:
    t.start()
time.sleep(0.5)
busy = measure()
stop.set()
for t in threads:
    t.join()
for name, _ in probe:
    a, b = percentile(calm[name], .99), percentile(busy[name], .99)
    print(f"{name}: p50 {percentile(calm[name], .5):.0f} / {percentile(busy[name], .5):.0f} us, p99 {a:.0f} us calm, {b:.0f} us with 16 slow queries: {b / a:.2f}x")
subprocess.run([rankfs, "umount", mnt], check=True)
