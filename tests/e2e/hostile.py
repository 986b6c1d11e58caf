#!/usr/bin/env python3
"""hostile MOUNT INPUTS SEED: names, control writes, imports and conversations
made of odd bytes and of mutated good ones. Every call returns an error or an
answer; the daemon lives, and answers a plain query afterwards. Prints how many
inputs were given. Exit status 1 if something else happened."""
import os
import random
import sys

mnt, inputs, seed = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
rng = random.Random(seed)
bad = []

NAMES = [b"purple yak", b"\"a phrase", b"((((a OR -b)", b"/re(g[ex/", b"~fuz~zy pre*", b"path:**/*[", b"size:>99999999999999999999k",
         b"after:9999-99-99 before:-1d", b"like:../../etc/passwd", b"sym: kind: lang:", b"n:999999999999 page:99999999 min:nan", b"as:json as:pack tokens:-5",
         b"%2F%2e%2e%2Fetc", b"%00%0A%25", b"=.hidden", b"a" * 255, b"\xff\xfe\xc0\x80", b"+" * 200, b"(" * 200, b"a OR " * 50, b"/(a+)+$/", b"/(.*){50}x/"]
CTL = [b"checkpoint", b"compact", b"save x y z", b"unsave nothing", b"unmark a b", b"reindex", b"verify", b"sync", b"clear", b"nonsense", b"save", b"save a/b c",
       b"save " + b"x" * 300 + b" y"]
CONFIG = [b"hits 7", b"hits -1", b"hits 99999999999999999999", b"ctags 0", b"embedder none", b"bm25_k1 nan", b"text_max_mib 1", b"extract.*.x", b"extract. x", b"language klingon",
          b"cache_dir ../..", b"memory_mib 0", b"\0\0", b"hits"]
IMPORT = [b'{"id":"a.md","text":"yak"}', b'{"id":"../x","text":"y"}', b'{"id":"/etc/x","text":"y"}', b'{"id":"a/b/c/d/e.md","text":"z","metadata":{"k":[1,{"a":"b"}]}}',
          b'{"id":"v","text":"t","vector":[1e999,0]}', b"[" * 3000, b'{"id":"query/x","text":"y"}', b'{"id":".rankfs/x","text":"y"}', b'{"id":"a\\u0000b","text":"y"}',
          b'{"id":"' + b"x/" * 500 + b'","text":"y"}', b'{"id":1}', b"rankfs-export 1", b"\x28\xb5\x2f\xfd" + b"\0" * 40]
ASK = [b"purple yak", b'{"query":"yak","vector":[0,0,0]}', b'{"query":1}', b"{" * 5000, b'{"query":"' + b"a " * 3000 + b'"}', b"\n\n\n", b'{"vector":[' + b"1," * 5000 + b'1]}']
DIRS = ["query", "find", "recall", ".rankfs/chunks", ".rankfs/text", ".rankfs/symbols", ".rankfs/similar", ".rankfs/at"]


def mutate(b):
    b = bytearray(b)
    for _ in range(rng.randrange(4)):
        at = rng.randrange(len(b) + 1)
        act = rng.randrange(5)
        if act == 0 and b:
            b[at % len(b)] ^= 1 << rng.randrange(8)
        elif act == 1:
            b[at:at] = bytes([rng.randrange(256)])
        elif act == 2:
            del b[at : at + rng.randrange(8)]
        elif act == 3:
            b[at:at] = b[: rng.randrange(len(b) + 1)]
        else:
            b[at:at] = rng.choice([b'"', b"(", b"[", b"{", b"\\", b"/", b":", b"..", b"\0", b"\xf0\x9f\x92\xa9", b"%2F"])
    return bytes(b[:20000])


def attempt(what, call, *args):
    try:
        call(*args)
    except (OSError, ValueError) as e:
        if isinstance(e, OSError) and e.errno in (107, 103, 5, 116):  # ENOTCONN, ECONNABORTED, EIO, ESTALE
            bad.append(f"{what}: {e} at {args!r:.200}")


def look(name):
    name = name.replace(b"\0", b"").strip(b"/")[:1100]
    path = os.path.join(os.fsencode(mnt), rng.choice(DIRS).encode(), name)
    act = rng.randrange(5)
    if act == 0:
        os.stat(path)
    elif act == 1:
        for e in os.listdir(path)[:3]:
            with open(os.path.join(path, e), "rb") as f:
                f.read(100)
    elif act == 2 and not path.startswith(os.fsencode(mnt) + b"/recall"):
        os.symlink(mutate(rng.choice(NAMES)).replace(b"\0", b""), path)
    elif act == 3:
        rng.choice([os.unlink, os.rmdir, os.mkdir, os.readlink])(path)
    else:
        with open(path, "rb") as f:
            f.read()


def write(name, data):
    with open(f"{mnt}/.rankfs/{name}", "wb", buffering=0) as f:
        f.write(data)


def converse(data):
    fd = os.open(f"{mnt}/.rankfs/ask", os.O_RDWR)
    try:
        os.write(fd, data)
        os.read(fd, 65536)
    finally:
        os.close(fd)


for i in range(inputs):
    kind = rng.randrange(20)
    if kind < 11:
        attempt("name", look, mutate(rng.choice(NAMES)))
    elif kind < 13:
        attempt("ctl", write, "ctl", mutate(rng.choice(CTL)) + b"\n")
    elif kind < 15:
        attempt("config", write, "config", mutate(rng.choice(CONFIG)) + b"\n")
    elif kind < 18:
        attempt("import", write, "import", mutate(rng.choice(IMPORT)) + b"\n")
    else:
        attempt("ask", converse, mutate(rng.choice(ASK)))
    if bad:
        break
try:
    with open(f"{mnt}/proof.md", "w") as f:
        f.write("quetzalcoatlus\n")
    with open(f"{mnt}/query/+quetzalcoatlus as:paths") as f:
        if "proof.md" not in f.read():
            bad.append("a plain query found nothing afterwards")
except OSError as e:
    bad.append(f"afterwards: {e}")
print(f"# {inputs} inputs, seed {seed}")
print("\n".join(bad))
sys.exit(bool(bad))
