#!/usr/bin/env python3
"""words MOUNT: for each word w000 to w199 the answer names exactly the files
that hold it. Exit status 1 if not."""
import os
import re
import stat
import sys

mount = sys.argv[1]
holders = {f"w{i:03}": set() for i in range(200)}
files = 0
for path, _, names in os.walk(mount):
    for name in names:
        full = os.path.join(path, name)
        if not stat.S_ISREG(os.lstat(full).st_mode):
            continue
        with open(full, "rb") as f:
            data = f.read()
        if b"\0" in data[:8192]:  # binary: found by its name alone
            continue
        files += 1
        for word in set(re.findall(rb"w\d\d\d", data)):
            if re.search(rb"(?<![0-9a-z])" + word + rb"(?![0-9a-z])", data) and word.decode() in holders:
                holders[word.decode()].add(full)
bad = pairs = 0
for word, want in holders.items():
    with open(f"{mount}/query/+{word} as:paths n:1000") as f:
        got = set(f.read().splitlines())
    pairs += len(want)
    if got != want:
        bad += 1
        if bad < 5:
            print(f"# {word}: missing {sorted(want - got)[:3]}, too many {sorted(got - want)[:3]}")
print(f"# {files} files, {pairs} pairs of word and file, {bad} words differ")
sys.exit(bad > 0 or pairs == 0)
