#!/usr/bin/env python3
"""remount_bench RANKFS FOLDER DOCUMENTS: kill -9 under load, then how long
from the start of the mount command to the first answer, five times."""
import os
import signal
import subprocess
import sys
import time

rankfs, folder, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
backing, mnt = folder + "/b", folder + "/m"
files = backing + "/indexes/main/files"
os.makedirs(files)
os.makedirs(mnt)
words = [f"word{i}" for i in range(5000)]
for i in range(count):
    d = f"{files}/d{i // 1000}"
    if i % 1000 == 0:
        os.makedirs(d)
    with open(f"{d}/doc{i}.txt", "w") as f:
        f.write(" ".join(words[(i * 7 + k * k * 13) % 5000] for k in range(60)))


def pid():
    with open(backing + "/indexes/main/LOCK") as f:
        return int(f.read())


def status():
    with open(mnt + "/.rankfs/status") as f:
        return f.read()


subprocess.run([rankfs, backing, mnt], check=True)
while "pending 0" not in (s := status()) or "reconciling no" not in s:
    time.sleep(0.1)
with open(mnt + "/.rankfs/ctl", "w") as f:
    f.write("checkpoint\n")
for r in range(5):
    for i in range(500):
        with open(f"{mnt}/new{r}-{i}.txt", "w") as f:
            f.write(f"fresh{r}x{i} " + words[i])
    victim = pid()
    os.kill(victim, signal.SIGKILL)
    while os.path.exists(f"/proc/{victim}"):
        time.sleep(0.001)
    start = time.monotonic()
    subprocess.run([rankfs, backing, mnt], check=True, stderr=subprocess.DEVNULL)
    mounted = time.monotonic() - start
    with open(f"{mnt}/query/+fresh{r}x499 as:paths") as f:
        answer = f.read()
    took = time.monotonic() - start
    assert f"new{r}-499.txt" in answer, answer
    with open(f"{mnt}/query/word1 word2") as f:
        header = f.readline().strip()
    later = time.monotonic() - start
    print(f"mounted {mounted * 1000:.0f} ms, what was written last is found {took * 1000:.0f} ms, {later * 1000:.0f} ms: {header}")
subprocess.run([rankfs, "umount", mnt], check=True)
