#!/usr/bin/env python3
"""kill_loop RANKFS BACKING MOUNT ROUNDS: clients write, replace, rename and
remove documents and note what was acknowledged; the daemon (or its helper) is
killed with SIGKILL at a random moment and mounted again. Then each document is
as its last acknowledged call left it, or as one that was under way would have,
and the index says the same: the word of what is there is found by the first
query, that of what was replaced or removed is not."""
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time

rankfs, backing, mnt, rounds = *sys.argv[1:4], int(sys.argv[4])
CLIENTS, NAMES = 4, 12
rng = random.Random(int(os.environ.get("KILL_SEED", "1")))
problems = []
stats = {"acknowledged": 0, "fsynced": 0, "killed helpers": 0}


def daemon():
    with open(f"{backing}/indexes/main/LOCK") as f:
        return int(f.read())


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children") as f:
        return [int(p) for p in f.read().split()]


def gone(pid):
    try:
        with open(f"/proc/{pid}/stat") as f:
            return f.read().rsplit(")", 1)[1].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


def start():
    subprocess.run([rankfs, backing, mnt], check=True, stderr=open(f"{backing}.log", "a"))


def word_of(client, serial):
    """Letters alone, and an end that no stemmer knows."""
    n, letters = serial, ""
    while n:
        n, k = divmod(n, 20)
        letters += "bcdfghjklmnpqrstvwxz"[k]
    return f"w{'aeiou'[client]}{letters}oq"


class Client(threading.Thread):
    """Owns names of its own. `sure`: name -> word or None; `perhaps`: what a
    call under way would make of them."""

    def __init__(self, number):
        super().__init__()
        self.number, self.sure, self.perhaps, self.serial = number, {}, {}, 0
        self.dead, self.stop = set(), False
        self.rng = random.Random(number)

    def path(self, name):
        return f"{mnt}/c{self.number}/{name}"

    def put(self, name):
        self.serial += 1
        word = word_of(self.number, self.serial)
        self.perhaps = {name: word}
        way = self.rng.randrange(3)
        target = self.path(name) + ".new" if way == 0 else self.path(name)
        fd = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        try:
            noise = " ".join(f"r{self.rng.randrange(10**5)}" for _ in range(12))
            os.write(fd, f"{word} {noise}\n".encode())
            if way == 1:
                os.fsync(fd)
                stats["fsynced"] += 1
        finally:
            os.close(fd)
        if way == 0:
            os.rename(target, self.path(name))
        self.settle({name: word})

    def remove(self, name):
        self.perhaps = {name: None}
        os.unlink(self.path(name))
        self.settle({name: None})

    def move(self, name, to):
        self.perhaps = {name: None, to: self.sure[name]}
        os.rename(self.path(name), self.path(to))
        self.settle(dict(self.perhaps))

    def settle(self, now):
        for name, word in now.items():
            old = self.sure.get(name)
            self.sure[name] = word
            if old and old not in self.sure.values():
                self.dead.add(old)
        self.perhaps = {}
        stats["acknowledged"] += 1

    def run(self):
        try:
            os.makedirs(f"{mnt}/c{self.number}", exist_ok=True)
            while not self.stop:
                name = f"n{self.rng.randrange(NAMES)}.md"
                act = self.rng.randrange(10)
                if act < 6 or not self.sure.get(name):
                    self.put(name)
                elif act < 8:
                    self.remove(name)
                else:
                    to = f"n{self.rng.randrange(NAMES)}.md"
                    if to != name:
                        self.move(name, to)
        except OSError:
            pass  # the daemon has gone


def read(path):
    try:
        with open(path) as f:
            return f.read().split(" ")[0]
    except FileNotFoundError:
        return None


def holders(words):
    """The paths that the index finds for any of the words, asked in parts."""
    words, out = sorted(words), set()
    for i in range(0, len(words), 30):
        with open(f"{mnt}/query/mode:lexical n:200 as:json {' OR '.join(words[i:i + 30])}") as f:
            answer = json.load(f)
        if not answer.get("did_you_mean"):  # other words were asked instead
            out |= {h["path"] for h in answer["hits"]}
    return out


def check(round_number, c):
    alive, dead = {}, set(c.dead)
    for name in {*c.sure, *c.perhaps}:
        is_, sure = read(c.path(name)), c.sure.get(name)
        allowed = {sure}
        if name in c.perhaps:
            # an overwrite that was not acknowledged: the old text, the new, or
            # as far as it came
            allowed |= {c.perhaps[name], ""}
        if is_ not in allowed:
            problems.append(f"round {round_number}: {c.path(name)} is {is_!r}, not {allowed}")
        if is_:
            alive[c.path(name)] = is_
        c.sure[name] = is_ or None
        if is_ == "":
            os.unlink(c.path(name))
        for old in {sure, c.perhaps.get(name)} - {is_, None}:
            dead.add(old)
    if c.perhaps and os.path.exists(f"{mnt}/c{c.number}"):
        for name in os.listdir(f"{mnt}/c{c.number}"):
            if name.endswith(".new"):
                os.unlink(c.path(name))
    c.perhaps = {}
    dead -= set(c.sure.values())
    got = holders(alive.values())
    if got != set(alive):
        problems.append(f"round {round_number}: missing {sorted(set(alive) - got)[:3]}, too many {sorted(got - set(alive))[:3]}")
    if stale := holders(dead):
        problems.append(f"round {round_number}: replaced and found: {sorted(stale)[:3]}")
    c.dead = set()


clients = [Client(i) for i in range(CLIENTS)]
start()
for r in range(rounds):
    running = []
    for c in clients:
        d = Client(c.number)
        d.sure, d.serial, d.rng = c.sure, c.serial, random.Random(r * CLIENTS + c.number)
        running.append(d)
    clients = running
    for c in clients:
        c.start()
    time.sleep(rng.uniform(0.02, 0.4))  # the moment is the experiment
    victim = daemon()
    helpers = children(victim)
    if helpers and rng.randrange(4) == 0:
        os.kill(rng.choice(helpers), signal.SIGKILL)
        stats["killed helpers"] += 1
        time.sleep(rng.uniform(0, 0.1))
    if r % 5 == 4:
        with open(f"{mnt}/.rankfs/ctl", "w") as f:
            f.write("checkpoint\n" if r % 2 else "compact\n")
    os.kill(victim, signal.SIGKILL)
    for c in clients:
        c.stop = True
        c.join()
    while not gone(victim):
        time.sleep(0.001)
    start()
    for c in clients:
        check(r, c)
    if problems:
        break
print(f"# {rounds} rounds, {stats}")
print("\n".join(problems[:20]))
sys.exit(bool(problems) or stats["acknowledged"] < rounds * 5)
