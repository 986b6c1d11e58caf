"""What open virtual files tell: held.py MNT WORD

Opens every kind of virtual file and folder that a reader may open, in every
state: fresh, read in part, read to its end, asked. Prints "all open". For each
line of its input it then uses all of them and prints which of them told
something: "told nothing", "told: all", or their names.
"""

import os
import signal
import sys

MNT, WORD = sys.argv[1:]
FILES = f"""
query/README query/{WORD} query/{WORD}%20as:json query/{WORD}/x recall/{WORD}
find/{WORD}/* .rankfs/README .rankfs/AGENTS.md .rankfs/config .rankfs/ctl .rankfs/error
.rankfs/metrics .rankfs/progress .rankfs/status .rankfs/status.json
.rankfs/similar/secret.md .rankfs/chunks/secret.md/* .rankfs/text/secret.md
.rankfs/symbols/{WORD}
""".split()
FOLDERS = f"""
query find find/{WORD} find/{WORD}/files find/{WORD}/by-ext .rankfs .rankfs/at
.rankfs/chunks .rankfs/chunks/secret.md .rankfs/terms .rankfs/terms/za
""".split()
signal.alarm(60)

# nothing is listed in these
EMPTY = {"find", ".rankfs/chunks"}


def resolve(name):
    path = f"{MNT}/{name.replace('%20', ' ')}"
    if path.endswith("/*"):
        folder = path[:-2]
        first = sorted(n for n in os.listdir(folder) if n[0] == "0")[0]
        path = f"{folder}/{first}"
    return path


def told(call):
    """Did a call on an open file give anything?"""
    try:
        return bool(call())
    except PermissionError:
        return False


def ask(written):
    fd = os.open(f"{MNT}/.rankfs/ask", os.O_RDWR)
    if written:
        os.write(fd, WORD.encode())
    return fd


def question(fd):
    def call():
        os.write(fd, WORD.encode())
        return os.read(fd, 10000)

    return call


uses = []  # what to call, and the name to tell if it tells something
for name in FILES:
    for state in ("fresh", "begun", "read"):
        fd = os.open(resolve(name), os.O_RDONLY)
        if state != "fresh":
            os.read(fd, 3 if state == "begun" else 1 << 20)
        if name != ".rankfs/error":  # which is empty
            uses.append((f"read of {name} ({state})", lambda fd=fd: os.pread(fd, 1 << 20, 0)))
        uses.append((f"fstat of {name} ({state})", lambda fd=fd: os.fstat(fd)))
for name in FOLDERS:
    for state in ("fresh", "read"):
        fd = os.open(resolve(name), os.O_RDONLY | os.O_DIRECTORY)
        if state == "read":
            os.listdir(fd)
        if name not in EMPTY:
            uses.append((f"listing of {name} ({state})", lambda fd=fd: os.listdir(fd)))
fd = ask(True)
uses.append(("answer", lambda fd=fd: os.read(fd, 10000) or os.write(fd, WORD.encode())))
uses.append(("question", question(ask(False))))
fd = os.open(f"{MNT}/find/{WORD}", os.O_PATH | os.O_DIRECTORY)
uses.append(("lookup in find/", lambda: os.stat(os.listdir(f"{MNT}/find/{WORD}")[0], dir_fd=fd)))

print("all open", flush=True)
for _ in sys.stdin:
    did = [name for name, call in uses if told(call)]
    not_ = [name for name, _ in uses if name not in did]
    print("told nothing" if not did else "told: all" if not not_ else
          f"told: {did}" if len(did) < len(not_) else f"told, but not: {not_}", flush=True)
