#!/usr/bin/env python3
"""Many indexes in one mount: memory of the daemon, and how long things take.

tenants_bench.py RANKFS FOLDER [TENANTS [DOCUMENTS]]
"""
import os, random, subprocess, sys, time

rankfs, folder = sys.argv[1:3]
tenants = int(sys.argv[3]) if len(sys.argv) > 3 else 1000
documents = int(sys.argv[4]) if len(sys.argv) > 4 else 1000
back, mnt = os.path.join(folder, "b"), os.path.join(folder, "m")
os.makedirs(back)
os.makedirs(mnt)
subprocess.run([rankfs, "-o", "multi", back, mnt], check=True)
pid = int(open(os.path.join(back, "LOCK")).read().split()[0])


def memory(key):
    for line in open(f"/proc/{pid}/status"):
        if line.startswith(key):
            return int(line.split()[1]) / 1024
    return 0.0


def timed(path):
    start = time.time()
    with open(path, "rb") as f:
        f.read()
    return (time.time() - start) * 1000


rng = random.Random(1)
words = ["".join(rng.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(rng.randint(3, 9))) for _ in range(5000)]
weights = [1 / (i + 1) for i in range(len(words))]
start = time.time()
peak = 0.0
for t in range(tenants):
    root = os.path.join(mnt, f"t{t:04}")
    os.mkdir(root)
    for d, text in enumerate(rng.choices(words, weights, k=40) for _ in range(documents)):
        with open(os.path.join(root, f"d{d:04}.md"), "w") as f:
            f.write(" ".join(text) + f" tenant{t:04}\n")
    peak = max(peak, memory("VmRSS:"))
print(f"indexed {tenants} x {documents} in {time.time() - start:.1f} s, resident at most {peak:.0f} MiB", flush=True)
cold = [timed(os.path.join(mnt, f"t{t:04}", "query", f"{words[100]} {words[t % 50]}")) for t in rng.sample(range(tenants), min(200, tenants))]
peak = max(peak, memory("VmRSS:"), memory("VmHWM:"))
cold.sort()
print(f"query in an index that is closed: p50 {cold[len(cold) // 2]:.1f} ms, p99 {cold[len(cold) * 99 // 100]:.1f} ms", flush=True)
first = timed(os.path.join(mnt, "query", "tenant0007"))
again = timed(os.path.join(mnt, "query", "tenant0008"))
print(f"query over all: {first:.0f} ms, {again:.0f} ms", flush=True)
peak = max(peak, memory("VmHWM:"))
print(f"resident now {memory('VmRSS:'):.0f} MiB (anonymous {memory('RssAnon:'):.0f}), at most {peak:.0f} MiB", flush=True)
subprocess.run([rankfs, "umount", mnt], check=True)
