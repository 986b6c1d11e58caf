#!/usr/bin/env python3
"""attributes MOUNT BACKING: more extended attributes, and larger ones, than the
file system below has room for, through every call and every change of name."""
import errno
import os
import random
import subprocess
import sys

m, backing = sys.argv[1:3]
rng = random.Random(1)
beside = os.path.join(backing, "indexes/main/attributes")


def check(path, want):
    names = os.listxattr(path)
    assert sorted(names) == sorted(want), (path, len(names), len(want))
    for name, value in want.items():
        assert os.getxattr(path, name) == value, (path, name)


def fails(number, call, *args):
    try:
        call(*args)
    except OSError as e:
        assert e.errno == number, (e, args[:2])
    else:
        raise AssertionError(f"{call.__name__}{args[:2]}: no error")


def put(path, want, name, value, flags=0):
    os.setxattr(path, name, value, flags)
    want[name] = value


a, want = f"{m}/a.md", {}
with open(a, "w") as f:
    f.write("yak\n")
for i in range(300):
    put(a, want, f"user.attribute_{i}", b"value_%d" % i)
put(a, want, "user.a/slash and %25", b"x")
put(a, want, "user.größe", b"x")
put(a, want, "user.gr%C3%B6%C3%9Fe", b"x")
put(a, want, "user.big", rng.randbytes(65536))
check(a, want)
for i in range(0, 300, 3):
    os.removexattr(a, f"user.attribute_{i}")
    del want[f"user.attribute_{i}"]
for i in range(1, 300, 7):
    put(a, want, f"user.attribute_{i}", rng.randbytes(500))
check(a, want)

fails(errno.EEXIST, os.setxattr, a, "user.big", b"x", os.XATTR_CREATE)
fails(errno.ENODATA, os.setxattr, a, "user.none", bytes(9000), os.XATTR_REPLACE)
fails(errno.ENODATA, os.removexattr, a, "user.attribute_0")
fails(errno.ENODATA, os.getxattr, a, "user.rankfs.attributes")
fails(errno.EPERM, os.setxattr, a, "user.rankfs.attributes", b"0" * 16)
fails(errno.EPERM, os.setxattr, a, "user.x", b"rankfs:attributes:" + b"0" * 16)

os.link(a, f"{m}/b.md")
os.unlink(a)
check(f"{m}/b.md", want)
os.rename(f"{m}/b.md", f"{m}/c.md")
check(f"{m}/c.md", want)
subprocess.check_call(["cp", "-a", f"{m}/c.md", f"{m}/d.md"])
check(f"{m}/d.md", want)
# one long value fills the file: it makes room for what says where the rest is
long, full = f"{m}/long.md", {}
with open(long, "w") as f:
    f.write("gnu\n")
put(long, full, "user.one", rng.randbytes(3900))
put(long, full, "user.two", rng.randbytes(3000))
check(long, full)
os.mkdir(f"{m}/folder")
put(f"{m}/folder", {}, "user.large", rng.randbytes(8000))

if len(sys.argv) > 3:
    sys.exit(0)  # as they are, for what comes next
os.rename(f"{m}/c.md", f"{m}/d.md")
os.unlink(f"{m}/d.md")
os.unlink(long)
os.rmdir(f"{m}/folder")
left = os.listdir(beside) if os.path.isdir(beside) else []
assert not left, left
